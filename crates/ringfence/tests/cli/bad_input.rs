//! Input that is broken, hostile or absent: a clear message each, and nothing hangs.

use crate::project;
use crate::project::{HANDLER, SHOP};
use std::io::Write;

#[test]
fn a_path_that_is_not_there() {
    project().run(&["scan", "nowhere"]).code(2).says("can't open `nowhere`");
}

#[test]
fn a_folder_without_an_application() {
    project().with("README.md", "hello").run(&["scan", "."]).code(2).says("no serverless application under");
}

#[test]
fn a_truncated_template_yields_what_can_be_read() {
    let cut = format!("{SHOP}  Broken:\n    Type: \"AWS::Serv");
    let shop = project().with("template.yaml", &cut).with("src/app.py", HANDLER);
    let said = shop.run(&["scan", "."]).says("unauthenticated-endpoint").says("not valid YAML");
    assert!(said.code == 1 || said.code == 2);
}

#[test]
fn a_template_of_100_mb_is_named_and_left() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let mut huge = std::fs::File::create(shop.path("huge.yaml")).unwrap();
    huge.write_all(b"AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A: { Type: AWS::S3::Bucket }\n").unwrap();
    huge.set_len(100 << 20).unwrap();
    shop.run(&["scan", "."]).says("`huge.yaml` is 100 MiB").says("unauthenticated-endpoint");
    shop.run(&["scan", "huge.yaml"]).code(2).says("100 MiB");
}

#[test]
fn an_alias_bomb_ends_in_a_complaint() {
    let mut bomb = String::from(
        "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Metadata:\n      a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n",
    );
    for level in 1..15 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("      a{level}: &a{level} [{items}]\n"));
    }
    project().with("template.yaml", &bomb).run(&["scan", "."]).says("aliases expand to more than");
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_is_walked_once() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    std::os::unix::fs::symlink(shop.root(), shop.path("src/again")).unwrap();
    std::os::unix::fs::symlink(shop.path("one"), shop.path("two")).unwrap();
    std::os::unix::fs::symlink(shop.path("two"), shop.path("one")).unwrap();
    let json = shop.run(&["scan", ".", "--format", "json"]).json();
    assert_eq!(json["functions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_handler_that_does_not_exist_is_told_with_what_was_looked_for() {
    let shop = project().with("template.yaml", SHOP).with("src/ap.py", HANDLER);
    shop.run(&["scan", "."]).says("app").says("src");
}

#[test]
fn a_handler_that_is_no_code_stops_nothing() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", "def (((:\n\u{0}\u{1}");
    shop.run(&["scan", "."]).says("unauthenticated-endpoint");
}

#[test]
fn files_outside_are_not_opened() {
    let nested = SHOP.to_string()
        + "  Other:\n    Type: AWS::CloudFormation::Stack\n    Properties: { TemplateURL: ../../../etc/passwd }\n";
    project().with("template.yaml", &nested).run(&["scan", "."]).never_says("root:");
}

#[test]
fn a_broken_fence_is_not_overwritten() {
    let shop = project()
        .with("template.yaml", SHOP)
        .with("src/app.py", HANDLER)
        .with("fence.yaml", "version: 1\nfunctions:\n  Buy:\n    netwrk: []\n");
    shop.run(&["fence", "."]).code(2).says("`netwrk` is no key");
    assert!(shop.read("fence.yaml").contains("netwrk"));
}

#[test]
fn no_records_yet() {
    project().run(&["hunt", "SELECT 1"]).code(2).says("no records under");
}

#[test]
fn an_audit_that_nobody_knows() {
    project().run(&["explain", "public-bucke"]).code(2).says("did you mean `public-bucket`?");
    project().run(&["explain", "public-bucket"]).code(0).says("CWE-");
}

/// Whether this process may read what nobody may: then the test below can't tell anything.
#[cfg(unix)]
fn reads_everything(path: &std::path::Path) -> bool {
    std::fs::read(path).is_ok()
}

#[cfg(unix)]
#[test]
fn a_template_that_may_not_be_read_is_no_clean_bill() {
    use std::os::unix::fs::PermissionsExt;
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let template = shop.path("template.yaml");
    std::fs::set_permissions(&template, std::fs::Permissions::from_mode(0o000)).unwrap();
    if !reads_everything(&template) {
        shop.run(&["scan", "."]).code(2).says("`template.yaml` can't be read").never_says("template.yaml:1");
    }
}

#[cfg(unix)]
#[test]
fn a_template_whose_name_is_no_text_is_told() {
    use std::os::unix::ffi::OsStrExt;
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let name = std::ffi::OsStr::from_bytes(b"stack\xff.yaml");
    // Some file systems refuse such a name themselves.
    if std::fs::write(shop.root().join(name), SHOP).is_ok() {
        shop.run(&["scan", ".", "--fail-on", "never"]).code(2).says("its name isn't UTF-8");
    }
}

#[test]
fn advice_that_would_not_help_is_not_given() {
    let shop = project().with("template.yaml", SHOP);
    std::fs::File::options().append(true).open(shop.path("template.yaml")).unwrap().set_len(20 << 20).unwrap();
    shop.run(&["scan", "."]).code(2).says("`template.yaml` is 20 MiB").never_says("--max-file-mib");
}
