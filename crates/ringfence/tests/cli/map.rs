//! `ringfence map`.

use crate::project;
use crate::project::{HANDLER, SHOP};

#[test]
fn every_format_names_what_there_is() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    for format in ["table", "html", "mermaid", "dot", "json"] {
        shop.run(&["map", ".", "--format", format]).code(0).says("Buy").says("Orders").says("POST /orders");
    }
    shop.run(&["map", "."]).says("public");
}

#[test]
fn the_page_asks_nobody() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let page = shop.run(&["map", ".", "--format", "html"]).code(0).out;
    for foreign in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(foreign), "the page holds {foreign}");
    }
}
