//! `ringfence scan`.

use crate::project;
use crate::project::{HANDLER, SHOP};

#[test]
fn findings_come_with_their_source_and_decide_the_exit_code() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let said = shop.run(&["scan", "."]).says("unauthenticated-endpoint").says("template.yaml:17:9").says("Post:");
    said.says("`ringfence explain ID`");
    shop.run(&["scan", ".", "--fail-on", "info"]).code(1);
    shop.run(&["scan", ".", "--fail-on", "never"]).code(0);
}

#[test]
fn json_names_functions_with_triggers_exposure_and_identity() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let json = shop.run(&["scan", ".", "--format", "json"]).json();
    let function = &json["functions"][0];
    assert_eq!(function["name"], "Buy");
    assert_eq!(function["exposure"], "public");
    assert_eq!(function["identity"], "BuyRole");
    assert_eq!(function["triggers"][0]["kind"], "http-api");
    let finding = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["id"] == "unauthenticated-endpoint")
        .unwrap();
    assert_eq!(finding["function"], "Buy");
    assert_eq!(finding["locations"][0]["file"], "template.yaml");
    assert_eq!(finding["locations"][0]["role"], "primary");
}

#[test]
fn sarif_has_rules_results_and_places() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let sarif = shop.run(&["scan", ".", "--format", "sarif"]).json();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], result["ruleId"]);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "template.yaml");
    assert!(place["region"]["startLine"].as_u64().unwrap() > 1);
}

#[test]
fn what_the_source_allows_with_a_reason_is_not_reported() {
    let allowed = SHOP.replace(
        "        Post:\n",
        "        # ringfence: allow unauthenticated-endpoint -- anyone may buy\n        Post:\n",
    );
    let shop = project().with("template.yaml", &allowed).with("src/app.py", HANDLER);
    shop.run(&["scan", "."]).never_says("[unauthenticated-endpoint]").says("1 allowed in the source");
    let json = shop.run(&["scan", ".", "--format", "json"]).json();
    assert_eq!(json["allowed"][0]["id"], "unauthenticated-endpoint");
}

#[test]
fn a_secret_is_found_and_never_shown_whole() {
    let secret = "sk_live_51HqNotARealKeyButLongEnough0001";
    let leaking = SHOP.replace(
        "TABLE: !Ref Orders\n      Pol",
        &format!("TABLE: !Ref Orders\n          STRIPE_KEY: {secret}\n      Pol"),
    );
    assert!(leaking.contains(secret));
    let shop = project().with("template.yaml", &leaking).with("src/app.py", HANDLER);
    for format in ["table", "json", "sarif"] {
        shop.run(&["scan", ".", "--format", format]).says("secret-in-environment").never_says(secret);
    }
}

#[test]
fn a_clean_application_ends_with_0() {
    let clean = r#"Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: "sts:AssumeRole" }]
  Quiet:
    Type: AWS::Lambda::Function
    Properties: { Runtime: python3.13, Handler: app.handler, Code: src, Role: !GetAtt Role.Arn }
  Log:
    Type: AWS::Logs::LogGroup
    Properties: { LogGroupName: !Sub "/aws/lambda/${Quiet}", RetentionInDays: 30 }
"#;
    let quiet =
        project().with("template.yaml", clean).with("src/app.py", "def handler(event, context):\n    return 1\n");
    quiet.run(&["scan", ".", "--fail-on", "low"]).code(0).says("no findings");
}

#[test]
fn every_id_that_a_report_or_verdict_shows_is_explained() {
    let list = project().run(&["explain", "--list"]).code(0);
    let ids: std::collections::BTreeSet<&str> = list.out.lines().filter_map(|line| line.split(' ').next()).collect();
    for id in ["public-function-url", "sql-union", "fence-unlisted-event", "unreadable"] {
        assert!(ids.contains(id), "{id} isn't listed");
    }
    for id in ids {
        project().run(&["explain", id]).code(0).says(id);
    }
}
