//! `ringfence fence`.

use crate::project;
use crate::project::{HANDLER, SHOP};

#[test]
fn written_once_checked_and_told_in_words() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    shop.run(&["fence", ".", "--check"]).code(1).says("fence.yaml is missing");
    shop.run(&["fence", "."]).code(0).says("fence.yaml written: 1 function");
    let fence = shop.read("fence.yaml");
    for line in [
        "code: src/app.py#handler",
        "{ source: http-api, method: POST, path: /orders, authorization: none, because: \"template.yaml:",
        "{ allow: \"dynamodb:PutItem\", on: Orders, name: \"*Orders*\", because: \"src/app.py:6\" }",
        "processes: none",
        "files: { write: [/tmp] }",
    ] {
        assert!(fence.contains(line), "no `{line}` in\n{fence}");
    }
    shop.run(&["fence", ".", "--check"]).code(0);
    shop.run(&["fence", "."]).code(0).says("up to date");

    let wider = HANDLER.replace(
        "    return",
        "    import urllib.request\n    urllib.request.urlopen('https://203.0.113.9/x')\n    table.delete_item(Key={'id': 1})\n    return",
    );
    let shop = shop.with("src/app.py", &wider);
    let said = shop.run(&["fence", ".", "--check"]).code(1);
    said.says("Buy now also talks to 203.0.113.9:443").says("Buy now also wants dynamodb:DeleteItem on Orders");
    assert_eq!(shop.read("fence.yaml"), fence, "--check writes nothing");
    shop.run(&["fence", ".", "--diff"]).code(1);
    shop.run(&["fence", "."]).code(0);
    shop.run(&["fence", ".", "--check"]).code(0);
}

#[test]
fn moved_lines_are_no_drift_and_a_persons_words_stay() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    shop.run(&["fence", "."]).code(0);
    let mine = shop
        .read("fence.yaml")
        .replace(
            "    network: []\n",
            "    network:\n      - { host: partner.example, port: 8443, because: \"agreed with the partner\" }\n",
        )
        .replace("  Buy:\n", "  # the shop's heart\n  Buy:\n    mode: observe\n");
    let shop = shop.with("fence.yaml", &mine).with("src/app.py", &format!("\n\n# moved\n{HANDLER}"));
    shop.run(&["fence", ".", "--check"]).code(0);
    shop.run(&["fence", "."]).code(0);
    let after = shop.read("fence.yaml");
    for kept in ["# the shop's heart", "mode: observe", "partner.example", "src/app.py:9"] {
        assert!(after.contains(kept), "lost {kept}\n{after}");
    }
}

#[test]
fn the_schema_of_the_format_is_json_schema() {
    let said = project().run(&["fence", "--schema"]).code(0);
    assert!(said.json()["properties"]["functions"].is_object());
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/fence.schema.json");
    let published = std::fs::read_to_string(published).unwrap();
    assert!(published == said.out, "stale: `ringfence fence --schema > docs/reference/fence.schema.json`");
}

#[test]
fn json_templates_are_drawn_like_yaml_ones() {
    let json = r#"{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler",
        "CodeUri": "f", "Events": {"Q": {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Jobs", "Arn"]}}}}}},
        "Jobs": {"Type": "AWS::SQS::Queue"}}}"#;
    let app = project()
        .with("template.json", json)
        .with("f/index.js", "exports.handler = async () => fetch('https://api.example.com/v1');\n");
    app.run(&["fence", "."]).code(0);
    let fence = app.read("fence.yaml");
    assert!(fence.contains("{ source: sqs, queue: Jobs, name: \"*Jobs*\""), "{fence}");
    assert!(fence.contains("{ host: api.example.com, port: 443, because: \"f/index.js:1\" }"), "{fence}");
}

#[test]
fn a_permission_that_a_person_refuses_stays_refused() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER);
    shop.run(&["fence", "."]).code(0);
    let refused = shop.read("fence.yaml").replace("allow: \"dynamodb:PutItem\"", "deny: \"dynamodb:PutItem\"");
    let shop = shop.with("fence.yaml", &refused);
    shop.run(&["fence", ".", "--check"]).code(0);
    shop.run(&["fence", "."]).code(0);
    assert_eq!(shop.read("fence.yaml"), refused, "a line that names its evidence, and yet a person's");
}

#[test]
fn a_file_that_was_only_touched_is_filled() {
    let shop = project().with("template.yaml", SHOP).with("src/app.py", HANDLER).with("fence.yaml", "");
    shop.run(&["fence", ".", "--check"]).code(1).says("Buy is new");
    shop.run(&["fence", "."]).code(0);
    shop.run(&["fence", ".", "--check"]).code(0);
}

#[test]
fn a_resource_named_by_a_parameter_or_a_written_out_url_is_known() {
    let template = "Parameters: { Name: { Type: String } }
Resources:
  Results: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref Name } }
  Paid: { Type: AWS::SQS::Queue, Properties: { QueueName: shop-paid } }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src
      Environment:
        Variables:
          BUCKET: !Ref Name
          QUEUE: !Sub https://sqs.${AWS::Region}.amazonaws.com/${AWS::AccountId}/shop-paid
";
    let code = "import boto3, os
boto3.client('sts').get_caller_identity()
def handler(event, context):
    boto3.client('s3').put_object(Bucket=os.environ['BUCKET'], Key='k', Body=b'')
    boto3.client('sqs').send_message(QueueUrl=os.environ['QUEUE'], MessageBody='{}')
";
    let app = project().with("template.yaml", template).with("src/app.py", code);
    app.run(&["fence", "."]).code(0);
    let fence = app.read("fence.yaml");
    assert!(fence.contains("{ allow: \"s3:PutObject\", on: Results, name: \"*\""), "{fence}");
    assert!(fence.contains("{ allow: \"sqs:SendMessage\", on: Paid, name: shop-paid"), "{fence}");
    assert!(!fence.contains("unresolved"), "who one is needs no permission:\n{fence}");
}

#[test]
fn code_that_nobody_read_is_not_code_that_needs_nothing() {
    let template = "Resources:
  Java:
    Type: AWS::Serverless::Function
    Properties: { Runtime: java21, Handler: \"com.example.App::handle\", CodeUri: app }
  Image:
    Type: AWS::Serverless::Function
    Properties: { PackageType: Image, ImageUri: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop }
  Typo:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: ap.handler, CodeUri: src }
  Read:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: src }
";
    let app =
        project().with("template.yaml", template).with("src/app.py", "def handler(event, context):\n    return 1\n");
    app.run(&["fence", "."]).code(0).says("3 things that the source leaves open");
    let fence = app.read("fence.yaml");
    for line in [
        "all that its code does: code of `java21` isn't read",
        "all that its code does: it isn't among what was scanned",
        "all that its code does: its handler wasn't found",
    ] {
        assert_eq!(fence.matches(line).count(), 1, "{line}\n{fence}");
    }
}

#[test]
fn a_permission_beside_the_operations_own_is_not_about_what_it_names() {
    let template = "Resources:
  Shop: { Type: AWS::RDS::DBCluster, Properties: { Engine: aurora-postgresql, DBClusterIdentifier: shop } }
  F:
    Type: AWS::Serverless::Function
    Properties: { Runtime: python3.13, Handler: app.handler, CodeUri: src, Environment: { Variables: { CLUSTER: !GetAtt Shop.DBClusterArn } } }
";
    let code = "import boto3, os
def handler(event, context):
    boto3.client('rds-data').execute_statement(resourceArn=os.environ['CLUSTER'], secretArn='x', sql='SELECT 1')
";
    let app = project().with("template.yaml", template).with("src/app.py", code);
    app.run(&["fence", "."]).code(0);
    let fence = app.read("fence.yaml");
    assert!(fence.contains("{ allow: \"rds-data:ExecuteStatement\", on: Shop"), "{fence}");
    assert!(fence.contains("{ allow: \"secretsmanager:GetSecretValue\", on: x"), "{fence}");
}
