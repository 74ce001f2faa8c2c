//! `ringfence policy`.

use crate::project;
use crate::project::{HANDLER, SHOP};

#[test]
fn the_least_that_the_code_needs_with_the_line_that_needs_it() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let json = shop.run(&["policy", ".", "--format", "json"]).code(0).json();
    let function = &json["functions"][0];
    assert_eq!(function["name"], "Buy");
    let statements = function["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 1, "{statements:?}");
    assert_eq!(statements[0]["action"], serde_json::json!(["dynamodb:PutItem"]));
    assert_eq!(statements[0]["resource"], serde_json::json!(["${Orders.Arn}"]));
    assert_eq!(statements[0]["because"][0]["file"], "src/app.py");
    assert_eq!(statements[0]["because"][0]["line"], 6);
}

#[test]
fn a_role_that_may_more_is_a_difference() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    shop.run(&["policy", ".", "--diff"]).code(1).says("dynamodb:DeleteItem");
}
