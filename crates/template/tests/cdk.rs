//! What `cdk synth` leaves.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Read, read_with};
use graph::{Code, Format, TriggerKind};

const MANIFEST: &str = r#"{ "version": "38.0.0", "artifacts": {
  "Api": { "type": "aws:cloudformation:stack", "properties": { "templateFile": "Api.template.json" }, "dependencies": ["Data", "Api.assets"] },
  "Data": { "type": "aws:cloudformation:stack", "properties": { "templateFile": "Data.template.json" } } } }"#;

const DATA: &str = r#"{ "Resources": {
  "Orders1": { "Type": "AWS::DynamoDB::Table", "Properties": {}, "Metadata": { "aws:cdk:path": "Data/Orders/Resource" } },
  "Jobs": { "Type": "AWS::SQS::Queue", "Properties": {} } },
 "Outputs": {
  "OrdersRef": { "Value": { "Ref": "Orders1" }, "Export": { "Name": "Data:OrdersRef" } },
  "OrdersArn": { "Value": { "Fn::GetAtt": ["Orders1", "Arn"] }, "Export": { "Name": "Data:OrdersArn" } },
  "JobsArn": { "Value": { "Fn::GetAtt": ["Jobs", "Arn"] }, "Export": { "Name": "Data:JobsArn" } } } }"#;

const API: &str = r#"{ "Resources": {
  "Jobs": { "Type": "AWS::SNS::Topic", "Properties": {} },
  "Role1": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": { "Statement": [] } } },
  "Policy1": { "Type": "AWS::IAM::Policy", "Properties": { "Roles": [{ "Ref": "Role1" }], "PolicyDocument": { "Statement": [
     { "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": { "Fn::ImportValue": "Data:OrdersArn" } },
     { "Effect": "Allow", "Action": "sns:Publish", "Resource": { "Ref": "Jobs" } } ] } } },
  "Create1": { "Type": "AWS::Lambda::Function",
     "Properties": { "Handler": "app.handler", "Runtime": "python3.12", "Role": { "Fn::GetAtt": ["Role1", "Arn"] },
        "Code": { "S3Bucket": "b", "S3Key": "aa.zip" },
        "Environment": { "Variables": { "TABLE": { "Fn::ImportValue": "Data:OrdersRef" } } } },
     "Metadata": { "aws:cdk:path": "Api/Create/Resource", "aws:asset:path": "asset.aa", "aws:asset:property": "Code" } },
  "Gone1": { "Type": "AWS::Lambda::Function",
     "Properties": { "Handler": "index.handler", "Runtime": "nodejs20.x", "Code": { "S3Bucket": "b", "S3Key": "bb.zip" } } },
  "Gone2": { "Type": "AWS::Lambda::Function",
     "Properties": { "Handler": "other.handler", "Runtime": "nodejs20.x", "Code": { "S3Bucket": "b", "S3Key": "bb.zip" } } },
  "Poll": { "Type": "AWS::Lambda::EventSourceMapping",
     "Properties": { "FunctionName": { "Ref": "Create1" }, "EventSourceArn": { "Fn::ImportValue": "Data:JobsArn" } } },
  "Inner1": { "Type": "AWS::CloudFormation::Stack",
     "Properties": { "TemplateURL": "https://s3.example.com/cc.json", "Parameters": { "referencetoTopic": { "Ref": "Jobs" } } },
     "Metadata": { "aws:asset:path": "Inner.nested.template.json", "aws:asset:property": "TemplateURL" } } } }"#;

const INNER: &str = r#"{ "Parameters": { "referencetoTopic": { "Type": "String" } }, "Resources": {
  "Deep1": { "Type": "AWS::Lambda::Function",
     "Properties": { "Handler": "app.handler", "Runtime": "python3.12", "Code": { "S3Bucket": "b", "S3Key": "aa.zip" },
        "Environment": { "Variables": { "TABLE": { "Fn::ImportValue": "Data:OrdersRef" }, "TOPIC": { "Ref": "referencetoTopic" } } } } } } }"#;

const ASSETS: &str = r#"{ "files": {
  "aa": { "source": { "path": "asset.aa", "packaging": "zip" }, "destinations": { "here": { "objectKey": "aa.zip" } } },
  "bb": { "source": { "path": "asset.bb", "packaging": "zip" }, "destinations": { "here": { "objectKey": "bb.zip" } } } } }"#;

fn synthesized(path: &str, text: &str) -> Read {
    read_with(
        path,
        text,
        &[
            ("shop/cdk.out/manifest.json", MANIFEST),
            ("shop/cdk.out/Data.template.json", DATA),
            ("shop/cdk.out/Api.template.json", API),
            ("shop/cdk.out/Inner.nested.template.json", INNER),
            ("shop/cdk.out/Api.assets.json", ASSETS),
            ("shop/cdk.out/asset.aa/app.py", "def handler(event, context): pass\n"),
        ],
    )
}

#[test]
fn the_stacks_of_an_application_are_read_together() {
    let read = synthesized("shop/cdk.json", r#"{ "app": "node app.js" }"#);
    let application = read.application();
    assert_eq!(application.format, Format::Cdk);
    assert_eq!(application.name, "shop");
    assert_eq!(read.sources.get(application.template).unwrap().path(), "shop/cdk.json");
    assert_eq!(read.variable("Create1", "TABLE"), "${Orders1}");
    assert_eq!(read.variable("Deep1", "TABLE"), "${Orders1}");
    assert_eq!(read.variable("Deep1", "TOPIC"), "${Api.Jobs}", "another stack has a `Jobs` of its own");
    assert_eq!(read.grants("Role1"), ["Allow dynamodb:PutItem on ${Orders1.Arn}", "Allow sns:Publish on ${Api.Jobs}"]);
    let trigger = read.trigger("Create1");
    assert_eq!(trigger.kind, TriggerKind::Sqs, "told by the other stack's resource");
    assert_eq!(trigger.source.as_ref().unwrap().to_string(), "${Jobs.Arn}");
    assert!(application.resource("Jobs").is_some() && application.resource("Api.Jobs").is_some());
}

#[test]
fn assets_are_found_by_metadata_or_by_their_key_and_missing_ones_are_said_once() {
    let read = synthesized("shop/cdk.json", r#"{ "app": "node app.js" }"#);
    for name in ["Create1", "Deep1"] {
        assert!(
            matches!(&read.function(name).code, Code::Local(path) if path.value == "shop/cdk.out/asset.aa"),
            "{name}"
        );
    }
    assert!(matches!(read.function("Gone1").code, Code::Remote(_)));
    assert_eq!(read.complaints().len(), 1, "{:?}", read.complaints());
    assert!(read.complaints()[0].contains("the code of `Gone1` and of 1 more isn't in the CDK's output"));
}

#[test]
fn the_output_alone_is_enough() {
    let read = synthesized("shop/cdk.out/manifest.json", MANIFEST);
    assert_eq!(read.application().name, "shop");
    assert_eq!(read.application().functions.len(), 4);
}

#[test]
fn an_application_that_was_not_synthesized_is_said_to_be_so() {
    let read = read_with("infra/cdk.json", r#"{ "app": "npx ts-node app.ts" }"#, &[]);
    assert!(read.reading.application.is_none());
    assert_eq!(
        read.complaints(),
        ["1: this CDK application has no `cdk.out` to read (run `cdk synth` before scanning)"]
    );
}

#[test]
fn buckets_of_the_cdk_start_functions_by_a_custom_resource() {
    let read = common::read(
        r#"{ "Resources": {
          "Uploads": { "Type": "AWS::S3::Bucket" },
          "Resize": { "Type": "AWS::Lambda::Function", "Properties": { "Handler": "a.b", "Runtime": "python3.12" } },
          "Notify": { "Type": "Custom::S3BucketNotifications", "Properties": {
             "ServiceToken": "arn:aws:lambda:x", "BucketName": { "Ref": "Uploads" },
             "NotificationConfiguration": { "LambdaFunctionConfigurations": [
               { "Events": ["s3:ObjectCreated:*"], "LambdaFunctionArn": { "Fn::GetAtt": ["Resize", "Arn"] } } ] } } } } }"#,
    );
    let trigger = read.trigger("Resize");
    assert_eq!(trigger.kind, TriggerKind::S3);
    assert_eq!(trigger.source.as_ref().unwrap().to_string(), "${Uploads}");
}

#[test]
fn an_assembly_that_names_itself_is_listed_once() {
    let stages: String = (0..50)
        .map(|number| {
            format!(r#""S{number}": {{ "type": "cdk:cloud-assembly", "properties": {{ "directoryName": "." }} }}, "#)
        })
        .collect();
    let manifest = format!(
        r#"{{ "version": "38.0.0", "artifacts": {{ {stages} "Data": {{ "type": "aws:cloudformation:stack", "properties": {{ "templateFile": "Data.template.json" }} }} }} }}"#
    );
    let read = read_with(
        "cdk.out/manifest.json",
        &manifest,
        &[("cdk.out/manifest.json", &manifest), ("cdk.out/Data.template.json", DATA)],
    );
    assert_eq!(read.application().resources.len(), 2, "the table and the queue, once");
}
