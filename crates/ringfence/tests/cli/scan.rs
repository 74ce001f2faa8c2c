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
    // Attack paths come first; this is about a finding.
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "unauthenticated-endpoint").unwrap();
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], result["ruleId"]);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "template.yaml");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert!(place["region"]["startLine"].as_u64().unwrap() > 1);
    assert!(rule["properties"]["security-severity"].as_str().unwrap().parse::<f64>().is_ok());
    assert!(rule["properties"]["tags"].to_string().contains("external/owasp/s"), "{rule}");
}

#[test]
fn sarif_places_are_relative_to_the_repository_where_it_is_named() {
    let shop = project().with("services/my shop/template.yaml", SHOP).with("services/my shop/src/app.py", HANDLER);
    let sarif = shop.run(&["scan", "services/my shop", "--format", "sarif", "--relative-to", "."]).json();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "services/my%20shop/template.yaml");
    shop.run(&["scan", ".", "--relative-to", "services"]).code(2).says("is not below");
}

#[test]
fn a_flow_is_told_step_by_step_in_every_format() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", FLOWING);
    let json = shop.run(&["scan", ".", "--format", "json"]).json();
    let findings = json["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["id"] == "shell-injection").unwrap();
    let lines: Vec<u64> =
        finding["trace"].as_array().unwrap().iter().map(|step| step["line"].as_u64().unwrap()).collect();
    assert!(lines.contains(&5) && lines.last() == Some(&7), "{finding}");
    assert_eq!(finding["owasp"], serde_json::json!(["S1:2017", "A03:2021"]));
    let sarif = shop.run(&["scan", ".", "--format", "sarif"]).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "shell-injection").unwrap();
    assert_eq!(result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap().len(), lines.len());
    for (format, mark) in [("html", "The way the data takes"), ("markdown", "1. "), ("junit", "1. ")] {
        shop.run(&["scan", ".", "--format", format]).says(mark).says("S1:2017").says("CWE-78");
    }
    shop.run(&["scan", "."]).says("CWE-78, OWASP S1:2017, OWASP A03:2021");
}

/// A handler whose caller writes a command line.
const FLOWING: &str = r#"import json, subprocess

def handler(event, context):
    body = json.loads(event["body"])
    name = body["name"]
    line = "convert " + name
    subprocess.run(line, shell=True)
    return {"statusCode": 200}
"#;

#[test]
fn json_is_what_its_published_schema_says() {
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/scan.schema.json"));
    let schema: serde_json::Value = serde_json::from_str(&schema.unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let broken = project().with("template.yaml", SHOP).with("src/app.py", FLOWING).with("bad.yaml", "Resources: [\n");
    broken.run(&["scan", ".", "--write-baseline", "known.json"]);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/orders");
    for arguments in [vec!["."], vec![".", "--baseline", "known.json"], vec![example]] {
        let said = broken.run(&[&["scan", "--format", "json"], arguments.as_slice()].concat());
        let errors: Vec<String> =
            validator.iter_errors(&said.json()).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn a_baseline_leaves_what_is_new_and_counts_what_is_mended() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", FLOWING);
    shop.run(&["scan", "."]).code(1);
    shop.run(&["scan", ".", "--write-baseline", "known.json"]).code(0).says("known from now on").says("no findings");
    shop.run(&["scan", ".", "--baseline", "known.json"]).code(0).says("no findings").says("0 of it fixed");
    // Lines that move are no news, and neither is other white space.
    let moved = FLOWING.replace("import json", "# new\n\nimport json").replace("shell=True)", "shell=True)  # as ever");
    let shop = shop.with("src/app.py", &moved).with("template.yaml", &format!("# moved\n{SHOP}"));
    shop.run(&["scan", ".", "--baseline", "known.json"]).code(0).says("no findings");
    // The same weakness once more is.
    let twice = moved.replace("    return", "    subprocess.run(line, shell=True)\n    return");
    let shop = shop.with("src/app.py", &twice);
    let json = shop.run(&["scan", ".", "--baseline", "known.json", "--format", "json"]).json();
    let ids: Vec<&str> =
        json["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["shell-injection"]);
    assert_eq!(json["baseline"]["fixed"], 0);
    let shop = shop.with("src/app.py", HANDLER);
    let json = shop.run(&["scan", ".", "--baseline", "known.json", "--format", "json"]).json();
    assert!(json["baseline"]["fixed"].as_u64().unwrap() >= 1, "{}", json["baseline"]);
}

#[test]
fn a_file_that_is_no_baseline_is_said_so_before_the_work() {
    let shop = project().with("template.yaml", SHOP).with("known.json", "{\"baseline\": 1,\n  \"finding\": []}");
    shop.run(&["scan", ".", "--baseline", "known.json"]).code(2).says("`known.json` is no baseline").says("line 2");
    let shop = shop.with("known.json", "{\"baseline\": 7, \"findings\": []}");
    shop.run(&["scan", ".", "--baseline", "known.json"]).code(2).says("form 7");
    shop.run(&["scan", ".", "--baseline", "missing.json"]).code(2).says("can't read the baseline");
}

/// File and function names that would be markup, were they not escaped.
fn hostile() -> crate::project::Project {
    let template = SHOP
        .replace("  Buy:\n", "  '<img src=x onerror=alert(1)>':\n")
        .replace("CodeUri: src/", "CodeUri: '<script>alert(1)</script>'")
        .replace("Path: /orders", "Path: '/a|b](javascript:alert(1)) @owner #1 `x` ]]>'");
    project().with("template.yaml", &template).with(
        "<script>alert(1)</script>/app.py",
        &FLOWING.replace("name = body", "name = '</pre><script>alert(2)</script>' and body"),
    )
}

#[test]
fn markup_in_names_paths_and_source_stays_text_on_the_page() {
    let page = hostile().run(&["scan", ".", "--format", "html"]).out;
    assert!(
        page.contains("&lt;img src=x onerror=alert(1)&gt;") && page.contains("&lt;/pre&gt;"),
        "nothing of it is shown"
    );
    assert!(!page.contains("<img") && !page.contains("<script>alert"), "it is markup");
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-"));
    // Nothing on the page is fetched, and no style or handler stands in an attribute.
    let unquoted = |tag: &str| tag.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    for tag in page.split('<').filter_map(|tag| tag.split('>').next()).map(unquoted) {
        for bad in [" src=", " style=", " onclick=", " onerror="] {
            assert!(!tag.contains(bad), "{tag}");
        }
    }
    assert!(!page.contains("@import") && !page.contains("url("));
}

#[test]
fn markup_in_names_paths_and_source_stays_text_in_markdown() {
    let text = hostile().run(&["scan", ".", "--format", "markdown"]).out;
    for bad in ["<img", "<script", "](javascript", "@owner", "#1 "] {
        assert!(!text.contains(bad), "{bad} in\n{text}");
    }
    // A bar in a name makes no new column.
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        assert_eq!(row.matches('|').count(), 5, "{row}");
    }
}

#[test]
fn markup_in_names_paths_and_source_stays_text_in_junit() {
    let said = hostile().run(&["scan", ".", "--format", "junit"]);
    assert!(!said.out.contains("<img") && !said.out.contains("<script") && !said.out.contains("]]>"), "{}", said.out);
    assert!(said.out.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "));
    // Every tag is closed by its like.
    let mut open: Vec<&str> = Vec::new();
    for tag in said.out.split('<').skip(2).filter_map(|tag| tag.split('>').next()) {
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn control_characters_are_nothing_that_xml_or_a_terminal_gets_to_see() {
    let template = SHOP.replace("  Buy:\n", "  \"Bu\\x1b[31my\\0\":\n");
    let shop = project().with("template.yaml", &template).with("src/app.py", FLOWING);
    for format in ["junit", "html", "markdown"] {
        let out = shop.run(&["scan", ".", "--format", format]).out;
        assert!(!out.contains(['\u{1b}', '\0']), "{format}");
    }
}

#[test]
fn junit_fails_from_the_threshold_on_and_passes_below_it() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", FLOWING);
    let failing = |threshold: &str| {
        let out = shop.run(&["scan", ".", "--format", "junit", "--fail-on", threshold]).out;
        out.matches("<failure ").count()
    };
    assert_eq!(failing("never"), 0);
    assert!(failing("high") >= 1 && failing("high") < failing("info"));
}

#[test]
fn markdown_links_to_lines_where_the_reader_stands() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", FLOWING);
    shop.run(&["scan", ".", "--format", "markdown"]).says("](src/app.py#L7)").says("critical");
    let base = "https://git.example/o/r/blob/main";
    let said = shop.run(&["scan", ".", "--format", "markdown", "--link-base", base]);
    said.says("](https://git.example/o/r/blob/main/src/app.py#L7)");
    shop.run(&["scan", ".", "--link-base", "javascript:alert(1)"]).code(2);
}

/// A team's own rule: what is open must have a limit.
const RULE: &str = r#"package team.lambda

# Functions that anyone can call have a limit of their own.
deny contains {
    "id": "team-no-limit",
    "severity": "high",
    "msg": sprintf("`%s` is open and may run without bound", [f.name]),
    "function": f,
    "cwe": [770],
} if {
    some f in input.functions
    f.exposure == "public"
    not f.reserved_concurrency
}
"#;

#[test]
fn a_rule_of_the_team_finds_and_its_finding_is_like_any_other() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER).with("rules/limits.rego", RULE);
    let said = shop.run(&["scan", ".", "--rules", "rules"]).code(1);
    let said = said.says("high[team-no-limit]: `Buy` is open and may run without bound").says("template.yaml:5:3");
    said.says("CWE-770");
    let json = shop.run(&["scan", ".", "--rules", "rules/limits.rego", "--format", "json"]).json();
    let findings = json["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["id"] == "team-no-limit").unwrap();
    assert_eq!((&finding["function"], &finding["severity"]), (&"Buy".into(), &"high".into()));
    let sarif = shop.run(&["scan", ".", "--rules", "rules", "--format", "sarif"]).json();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "team-no-limit").unwrap();
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], "team-no-limit");
    // A comment allows it as it allows an audit's.
    let allowed = SHOP.replace("  Buy:\n", "  # ringfence: allow team-no-limit -- it is cheap\n  Buy:\n");
    let shop = shop.with("template.yaml", &allowed);
    shop.run(&["scan", ".", "--rules", "rules"]).never_says("[team-no-limit]").never_says("there is no audit");
}

#[test]
fn a_broken_rule_is_told_with_its_place_before_anything_is_scanned() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    let broken = RULE.replace("some f in input.functions", "some f in in input.functions");
    let shop = shop.with("rules/limits.rego", &broken);
    shop.run(&["scan", ".", "--rules", "rules"]).code(2).says("rules/limits.rego:11:");
    let unknown = RULE.replace("f.exposure ==", "g.exposure ==");
    let shop = shop.with("rules/limits.rego", &unknown);
    shop.run(&["scan", ".", "--rules", "rules"]).code(2).says("rules/limits.rego:12:");
    let shop = shop.with("rules/limits.rego", "package team\n\nallow := true\n");
    shop.run(&["scan", ".", "--rules", "rules"]).code(2).says("no rule `deny");
    shop.run(&["scan", ".", "--rules", "nowhere"]).code(2).says("can't read the rules");
}

#[test]
fn an_entry_that_is_no_finding_is_said_so_and_the_rest_stands() {
    for (from, to, complaint) in [
        ("\"function\": f,", "\"function\": \"Bui\",", "did you mean `Buy`?"),
        ("\"severity\": \"high\"", "\"severity\": \"bad\"", "a severity other than"),
        ("\"id\": \"team-no-limit\"", "\"id\": \"public-bucket\"", "which is an audit's"),
        ("\"msg\":", "\"message\":", "has `message`"),
        ("    \"function\": f,\n", "", "says neither"),
    ] {
        let rules = RULE.replace(from, to);
        assert_ne!(rules, RULE);
        let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER).with("rules/limits.rego", &rules);
        shop.run(&["scan", ".", "--rules", "rules", "--fail-on", "never"])
            .code(2)
            .says(complaint)
            .says("unauthenticated-endpoint");
    }
}

#[test]
fn a_rule_never_sees_a_secret() {
    let secret = "sk_live_51HqNotARealKeyButLongEnough0001";
    let leaking = SHOP
        .replace("TABLE: !Ref Orders\n      Pol", &format!("TABLE: !Ref Orders\n          KEY: {secret}\n      Pol"));
    let rule = r#"package team
deny contains {"id": "team-env", "msg": sprintf("%v", [f.environment]), "function": f} if some f in input.functions
"#;
    let shop = project().with("template.yaml", &leaking).with("src/app.py", HANDLER).with("rules/env.rego", rule);
    shop.run(&["scan", ".", "--rules", "rules"]).says("[team-env]").says("TABLE").never_says(secret);
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
    for format in ["table", "json", "sarif", "html", "markdown", "junit"] {
        shop.run(&["scan", ".", "--format", format]).says("secret-in-environment").never_says(secret);
    }
    // Nor does a baseline keep what could be guessed from.
    shop.run(&["scan", ".", "--write-baseline", "known.json"]).code(0);
    assert!(!shop.read("known.json").contains(secret));
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
