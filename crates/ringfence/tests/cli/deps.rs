//! `ringfence update` and `ringfence deps`.

use crate::project;
use crate::project::{HANDLER, SHOP};

const ADVISORY: &str = r#"{
  "id": "EX-2026-1", "modified": "2026-01-01T00:00:00Z", "summary": "pens leak ink",
  "affected": [{ "package": { "ecosystem": "PyPI", "name": "leakypen" },
    "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2.0.1" }] }] }]
}"#;

#[test]
fn a_pinned_package_with_a_known_weakness_is_named_with_what_mends_it() {
    let shop = project()
        .with("template.yaml", SHOP)
        .with("src/app.py", &format!("import leakypen\n{HANDLER}"))
        .with("src/requirements.txt", "leakypen==1.9\n")
        .with("osv/EX-2026-1.json", ADVISORY);
    shop.run(&["update", "--from", "osv", "--data", "data"]).code(0).says("1 advisor");
    shop.run(&["deps", ".", "--data", "data"]).code(1).says("leakypen").says("EX-2026-1").says("2.0.1");
    let shop = shop.with("src/requirements.txt", "leakypen==2.0.1\n");
    shop.run(&["deps", ".", "--data", "data"]).code(0).never_says("EX-2026-1");
}

#[test]
fn without_advisories_nothing_was_checked_and_it_says_so() {
    let shop = project()
        .with("template.yaml", SHOP)
        .with("src/app.py", HANDLER)
        .with("src/requirements.txt", "leakypen==1.9\n");
    shop.run(&["deps", ".", "--data", "nothing"]).code(2);
}
