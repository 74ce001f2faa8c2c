//! `ringfence fix`.

use crate::deps::{ADVISORY, run};
use crate::project;
use crate::project::{HANDLER, SHOP};

const LOOSE: &str = r#"Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::SimpleTable
  # the public one
  Buy:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.8      # since the beginning
      Handler: app.handler
      CodeUri: src/
      Environment:
        Variables:
          TABLE: !Ref Orders
      Policies:
        - Statement:
            - { Effect: Allow, Action: "dynamodb:*", Resource: "*" }
      FunctionUrlConfig: { AuthType: NONE }
  Files:
    Type: AWS::S3::Bucket
    Properties:
      AccessControl: PublicRead # for everyone
  Events:
    Type: AWS::Kinesis::Stream
    Properties: { ShardCount: 1 }
"#;

#[test]
fn a_template_is_mended_its_comments_stay_and_nothing_new_comes() {
    let shop = project().with("template.yaml", LOOSE).with("src/app.py", HANDLER);
    let shown = run(&shop, &["fix", "."]).code(1);
    for line in [
        "-      Runtime: python3.8      # since the beginning",
        "+      FunctionUrlConfig: { AuthType: AWS_IAM }",
        "+          - Effect: Allow",
        "+                - dynamodb:PutItem",
        "+        RestrictPublicBuckets: true",
        "+      AccessControl: Private # for everyone",
        "+      RetentionInDays: 30",
    ] {
        assert!(
            shown.out.contains(line) || line.contains("- Effect") && shown.out.contains("- Effect: Allow"),
            "{line}\n{}\n{}",
            shown.out,
            shown.err
        );
    }
    assert_eq!(shop.read("template.yaml"), LOOSE, "showing changes nothing");
    run(&shop, &["fix", ".", "--write"]).code(0).never_says("new:").never_says("still there").says("findings are gone");
    let after = shop.read("template.yaml");
    assert!(after.contains("# since the beginning") && after.contains("  # the public one\n"), "{after}");
    let left = run(&shop, &["scan", ".", "--format", "json", "--fail-on", "never"]).json();
    for id in [
        "deprecated-runtime",
        "public-function-url",
        "wildcard-permission",
        "public-bucket",
        "unencrypted-resource",
        "missing-log-retention",
    ] {
        let found: Vec<_> = left["findings"].as_array().unwrap().iter().filter(|one| one["id"] == id).collect();
        assert!(found.is_empty(), "{id}: {found:?}\n{after}");
    }
    run(&shop, &["fix", "."]).code(0).says("nothing to change");
}

#[test]
fn only_what_is_asked_for_is_changed() {
    let shop = project().with("template.yaml", LOOSE).with("src/app.py", HANDLER);
    let shown = run(&shop, &["fix", ".", "--only", "deprecated-runtime"]).code(1);
    let changed = shown
        .out
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"));
    assert_eq!(changed.count(), 2, "{}", shown.out);
    run(&shop, &["fix", ".", "--only", "deprecated-runtimes"]).code(2).says("did you mean `deprecated-runtime`");
}

#[test]
fn code_is_mended_where_honest_input_is_read_as_before() {
    let code = "import json, yaml, requests\ndef handler(event, context):\n    body = yaml.load(event[\"body\"], Loader=yaml.Loader)  # config\n\
                \x20   requests.get(\"https://api.example.com/x\", verify=False, timeout=3)\n    return {\"statusCode\": 200, \"body\": json.dumps(len(body))}\n";
    let shop = project().with("template.yaml", SHOP).with("src/app.py", code);
    run(&shop, &["fix", ".", "--write", "--only", "unsafe-deserialization", "--only", "unverified-tls"]).code(0);
    let after = shop.read("src/app.py");
    assert!(after.contains("yaml.safe_load(event[\"body\"])  # config"), "{after}");
    assert!(after.contains("requests.get(\"https://api.example.com/x\", timeout=3)"), "{after}");
}

#[test]
fn a_pinned_requirement_gets_the_smallest_version_without_weaknesses() {
    let requirements = "# what we need\nleakypen==1.9   # ink\nother==1.0\n";
    let shop = project()
        .with("template.yaml", SHOP)
        .with("src/app.py", &format!("import leakypen\n{HANDLER}"))
        .with("src/requirements.txt", requirements)
        .with("osv/1.json", ADVISORY)
        .with(
            "osv/2.json",
            &ADVISORY.replace("EX-2026-1", "EX-2026-2").replace("CVE-2026-1", "CVE-2026-2").replace("2.0.1", "1.9.5"),
        );
    run(&shop, &["update", "--from", "osv"]).code(0);
    run(&shop, &["fix", ".", "--only", "vulnerable-dependency"]).code(1).says("+leakypen==2.0.1   # ink");
    run(&shop, &["fix", ".", "--only", "vulnerable-dependency", "--write"]).code(0).says("1 findings are gone");
    assert_eq!(shop.read("src/requirements.txt"), requirements.replace("1.9", "2.0.1"));
}

#[cfg(unix)]
#[test]
fn a_lockfile_follows_through_the_tool_that_wrote_it() {
    use std::os::unix::fs::PermissionsExt;
    let lock = r#"{
  "name": "buy", "lockfileVersion": 3,
  "packages": {
    "": { "dependencies": { "leakypen": "^1.8.0" } },
    "node_modules/leakypen": { "version": "1.9.0" }
  }
}
"#;
    let npm = "#!/bin/sh\n# A tool that takes what package.json asks for at its least.\nwanted=$(sed -n 's/.*\"leakypen\": \"[^0-9]*\\([0-9.]*\\)\".*/\\1/p' package.json)\n\
               [ \"$1\" = install ] || exit 1\n[ -n \"$wanted\" ] || exit 1\n\
               sed \"s/\\\"version\\\": \\\"[0-9.]*\\\"/\\\"version\\\": \\\"$wanted\\\"/; s/\\\"leakypen\\\": \\\"[^\\\"]*\\\"/\\\"leakypen\\\": \\\"^$wanted\\\"/\" package-lock.json > new && mv new package-lock.json\n";
    let shop = project()
        .with("template.yaml", &SHOP.replace("python3.13", "nodejs22.x"))
        .with("src/app.js", "const pen = require('leakypen');\nexports.handler = async () => pen.write();\n")
        .with("src/package.json", "{\n  \"dependencies\": {\n    \"leakypen\": \"^1.8.0\" \n  }\n}\n")
        .with("src/package-lock.json", lock)
        .with("tools/npm", npm)
        .with("osv/1.json", &ADVISORY.replace("PyPI", "npm").replace("ECOSYSTEM", "SEMVER"));
    std::fs::set_permissions(shop.path("tools/npm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    run(&shop, &["update", "--from", "osv"]).code(0);
    run(&shop, &["fix", ".", "--only", "vulnerable-dependency", "--no-tools"]).says("npm install --package-lock-only");
    run(&shop, &["fix", ".", "--only", "vulnerable-dependency", "--write"]).code(0).says("findings are gone");
    assert_eq!(shop.read("src/package.json"), "{\n  \"dependencies\": {\n    \"leakypen\": \"^2.0.1\" \n  }\n}\n");
    assert!(shop.read("src/package-lock.json").contains("\"version\": \"2.0.1\""));
}

#[test]
fn what_needs_a_decision_is_left_with_the_reason() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    run(&shop, &["fix", "."]).says("left: unauthenticated-endpoint");
}

#[test]
fn a_role_gets_what_the_functions_that_run_with_it_need() {
    let template = r#"Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::SimpleTable
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
      Policies:
        - PolicyName: everything
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: "*"
                Resource: "*" # for now
  Buy:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src/
      Role: !GetAtt Role.Arn
      Environment:
        Variables: { TABLE: !Ref Orders }
"#;
    let shop = project().with("template.yaml", template).with("src/app.py", HANDLER);
    run(&shop, &["fix", ".", "--only", "wildcard-permission", "--write"]).code(0);
    let after = shop.read("template.yaml");
    for line in [
        "        - PolicyName: \"everything\"",
        "                  - dynamodb:PutItem",
        "                  - !GetAtt Orders.Arn",
    ] {
        assert!(after.contains(line), "{line}\n{after}");
    }
    let left = run(&shop, &["scan", ".", "--format", "json", "--fail-on", "never"]).json();
    assert!(left["findings"].as_array().unwrap().iter().all(|one| one["id"] != "wildcard-permission"), "{after}");
    assert!(run(&shop, &["policy", ".", "--diff"]).code == 0, "{after}");
}

#[test]
fn denials_and_what_the_code_needs_on_everything_stay_as_they_are() {
    let shop = |statements: &str| {
        let policies = format!("      Policies:\n        - Statement:\n{statements}");
        let template =
            SHOP.replace("      Policies:\n        - DynamoDBCrudPolicy: { TableName: !Ref Orders }\n", &policies);
        project().with("template.yaml", &template).with("src/app.py", HANDLER)
    };
    let wide = "            - { Effect: Allow, Action: \"dynamodb:*\", Resource: \"*\" }\n";
    let deny = "            - { Effect: Deny, Action: dynamodb:DeleteTable, Resource: \"*\" }\n";
    run(&shop(wide), &["fix", ".", "--only", "wildcard-permission"]).code(1);
    let both = shop(&format!("{wide}{deny}"));
    run(&both, &["fix", ".", "--only", "wildcard-permission"]).code(0).says("denials or conditions");
}

#[test]
fn json_and_flow_style_are_mended_in_their_own_style() {
    let json = r#"{
  "Transform": "AWS::Serverless-2016-10-31",
  "Resources": {
    "News": { "Type": "AWS::SNS::Topic" },
    "Events": {
      "Type": "AWS::Kinesis::Stream",
      "Properties": {
        "ShardCount": 1
      }
    },
    "Buy": {
      "Type": "AWS::Serverless::Function",
      "Properties": {
        "Runtime": "nodejs16.x",
        "Handler": "app.handler",
        "CodeUri": "src/"
      }
    }
  }
}
"#;
    let flow = "Transform: AWS::Serverless-2016-10-31\nResources:\n  News: { Type: AWS::SNS::Topic }\n  Events: { Type: AWS::Kinesis::Stream, Properties: { ShardCount: 1 } }\n\
                \x20 Buy: { Type: AWS::Serverless::Function, Properties: { Runtime: nodejs16.x, Handler: app.handler, CodeUri: src/ } }\n";
    for (name, text) in [("template.json", json), ("template.yaml", flow)] {
        let shop = project().with(name, text).with("src/app.js", "exports.handler = async () => 1;\n");
        run(&shop, &["fix", ".", "--write"]).code(0).says("scanned again: 4 findings are gone");
        let after = shop.read(name);
        if name.ends_with("json") {
            let value: serde_json::Value =
                serde_json::from_str(&after).unwrap_or_else(|error| panic!("{error}\n{after}"));
            let events = &value["Resources"]["Events"]["Properties"];
            assert_eq!(
                (&events["StreamEncryption"]["EncryptionType"], &events["ShardCount"]),
                (&"KMS".into(), &1.into()),
                "{after}"
            );
            assert!(after.contains("      \"Properties\": {\n        \"StreamEncryption\""), "{after}");
        }
        run(&shop, &["fix", "."]).code(0).says("nothing to change");
    }
}
