//! What each intrinsic function amounts to, in short and in long form.

#![allow(clippy::unwrap_used)]

mod common;
use common::{Read, read, read_with};

/// A function with one environment variable `V` written as `value`.
fn variable(value: &str) -> Read {
    read(&format!(
        r#"
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {{ Type: String, Default: dev }}
  Open: {{ Type: String }}
  Password: {{ Type: String, NoEcho: true, Default: hunter2 }}
  Image: {{ Type: 'AWS::SSM::Parameter::Value<String>', Default: /images/latest }}
  Zones: {{ Type: CommaDelimitedList, Default: 'eu-a, eu-b' }}
Mappings:
  Sizes:
    dev: {{ size: small, zones: [a, b] }}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsOpen: !Equals [!Ref Open, 'yes']
Resources:
  Table: {{ Type: AWS::DynamoDB::Table }}
  Queue: {{ Type: AWS::SQS::Queue }}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          V: {value}
"#
    ))
}

#[test]
fn each_intrinsic_gives_its_value() {
    let cases = [
        ("plain", "plain"),
        ("42", "42"),
        ("!Ref Table", "${Table}"),
        ("{Ref: Table}", "${Table}"),
        ("!Ref Stage", "dev"),
        ("!Ref Open", "${Open}"),
        ("!Ref Password", "${Password}"),
        ("!Ref Image", "${Image}"),
        ("!Ref AWS::Region", "${AWS::Region}"),
        ("!GetAtt Table.Arn", "${Table.Arn}"),
        ("!GetAtt [Table, Arn]", "${Table.Arn}"),
        ("{'Fn::GetAtt': Table.Arn}", "${Table.Arn}"),
        ("{'Fn::GetAtt': [Table, Arn]}", "${Table.Arn}"),
        ("!Sub '${Stage}-${Table}-${Queue.Arn}-${AWS::AccountId}'", "dev-${Table}-${Queue.Arn}-${AWS::AccountId}"),
        ("!Sub '${!Literal}'", "${Literal}"),
        ("!Sub ['${A}/${Stage}', {A: !GetAtt Table.Arn}]", "${Table.Arn}/dev"),
        ("{'Fn::Sub': ['${Stage}', {Stage: mine}]}", "mine"),
        ("!Join ['-', [a, !Ref Stage, !Ref Table]]", "a-dev-${Table}"),
        ("!Join ['', !Split [',', 'a,b']]", "ab"),
        ("!Select [1, [a, b]]", "b"),
        ("!Select ['0', !Ref Zones]", "eu-a"),
        ("!Select [2, !Split ['/', 'a/b/c']]", "c"),
        ("!Split [',', 'a,b']", "a,b"),
        ("!If [IsDev, yes, no]", "yes"),
        ("!If [IsOpen, first, second]", "first"),
        ("!If [IsOpen, !Ref AWS::NoValue, second]", "second"),
        ("!FindInMap [Sizes, !Ref Stage, size]", "small"),
        ("!FindInMap [Sizes, live, size, {DefaultValue: large}]", "large"),
        ("!FindInMap [Sizes, live, size]", "?"),
        ("!ImportValue Shared", "?"),
        ("!Base64 hello", "aGVsbG8="),
        ("{'Fn::Base64': !Sub '${Table}'}", "?"),
        ("!Cidr [10.0.0.0/16, 6, 5]", "?"),
        ("!Select [0, !GetAZs '']", "?"),
        ("!GetAZs ''", "?"),
        ("{'Fn::Length': [a, b, c]}", "3"),
        ("{'Fn::Length': !Ref Zones}", "2"),
        ("{'Fn::ToJsonString': {a: 1, b: [!Ref Table, true]}}", r#"{"a":1,"b":["${Table}",true]}"#),
        ("'{{resolve:secretsmanager:db:SecretString:password}}'", "?"),
        ("!Sub 'x-{{resolve:ssm:/${Stage}/key}}-y'", "x-?-y"),
    ];
    for (written, expected) in cases {
        let read = variable(written);
        assert_eq!(read.variable("F", "V"), expected, "{written}");
        assert_eq!(read.complaints(), Vec::<String>::new(), "{written}");
    }
}

#[test]
fn what_cannot_be_told_says_why() {
    for (written, why) in [
        ("!ImportValue Shared", "Fn::ImportValue Shared"),
        ("!Sub '{{resolve:ssm:/${Stage}/key}}'", "{{resolve:ssm:/dev/key}}"),
        ("!FindInMap [Sizes, live, size]", "Fn::FindInMap Sizes.live.size"),
        ("!GetAZs eu-west-1", "Fn::GetAZs eu-west-1"),
    ] {
        let read = variable(written);
        let value = &read.function("F").environment[0].value;
        assert_eq!(value.parts(), [graph::Part::Unknown(why.to_string())], "{written}");
    }
}

#[test]
fn a_value_from_a_branch_points_at_the_branch() {
    let read = variable("!If [IsDev, chosen, other]");
    assert_eq!(read.at(read.function("F").environment[0].span), "chosen");
}

#[test]
fn conditions_combine() {
    for (expression, expected) in [
        ("!And [!Condition A, !Condition B]", "no"),
        ("!Or [!Condition A, !Condition B]", "yes"),
        ("!Not [!Condition A]", "no"),
        ("!Or [!Condition A, !Equals [!Ref Open, x]]", "yes"),
        ("!And [!Condition B, !Equals [!Ref Open, x]]", "no"),
        ("!Equals [!Ref 'AWS::Region', eu-west-1]", "yes"),
    ] {
        let read = read(&format!(
            r#"
Parameters: {{ Open: {{ Type: String }} }}
Conditions:
  C: {expression}
  A: !Equals [a, a]
  B: !Equals [a, b]
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {{ Environment: {{ Variables: {{ V: !If [C, 'yes', 'no'] }} }} }}
"#
        ));
        assert_eq!(read.variable("F", "V"), expected, "{expression}");
    }
}

#[test]
fn only_a_condition_that_no_parameter_can_turn_on_leaves_a_function_out() {
    let read = read(
        r#"
Parameters: { Stage: { Type: String, Default: dev } }
Conditions:
  Never: !Equals [a, b]
  Live: !Equals [!Ref Stage, live]
  Somewhere: !Equals [!Ref AWS::Region, eu-west-1]
Resources:
  A: { Type: AWS::Serverless::Function, Condition: Never }
  B: { Type: AWS::Serverless::Function, Condition: Live }
  C: { Type: AWS::Serverless::Function, Condition: Somewhere }
"#,
    );
    let names: Vec<&str> = read.application().functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["B", "C"]);
}

#[test]
fn for_each_makes_a_function_per_item() {
    let read = read(
        r#"
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: { Names: { Type: CommaDelimitedList, Default: 'Orders,Bills' } }
Resources:
  'Fn::ForEach::Handlers':
    - Name
    - !Ref Names
    - 'Handle${Name}':
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: !Sub 'src/${Name}'
          Environment:
            Variables: { NAME: !Ref Name, TABLE: !Ref 'Table${Name}' }
      'Table${Name}': { Type: AWS::DynamoDB::Table }
"#,
    );
    assert_eq!(read.application().functions.len(), 2);
    assert_eq!(read.variable("HandleBills", "NAME"), "Bills");
    assert_eq!(read.variable("HandleOrders", "TABLE"), "${TableOrders}");
    assert!(matches!(&read.function("HandleBills").code, graph::Code::Local(path) if path.value == "src/Bills"));
    assert_eq!(read.complaints(), Vec::<String>::new());
}

#[test]
fn an_include_is_read_from_the_repository() {
    let read = read_with(
        "app/template.yaml",
        r#"
Resources:
  Fn::Transform:
    Name: AWS::Include
    Parameters: { Location: ../shared/functions.yaml }
  Q: { Type: AWS::SQS::Queue }
"#,
        &[("shared/functions.yaml", "F:\n  Type: AWS::Serverless::Function\n  Properties: { Handler: a.b }\n")],
    );
    assert_eq!(read.function("F").handler.as_ref().unwrap().value, "a.b");
    assert_eq!(read.sources.path(read.function("F").span), "shared/functions.yaml");
    assert_eq!(read.reading.included.len(), 1);
}

#[test]
fn scalar_settings_come_through_parameters_and_mappings() {
    let read = read(
        r#"
Parameters:
  Runtime: { Type: String, Default: python3.12 }
  Time: { Type: Number, Default: 30 }
Mappings: { M: { a: { memory: 512 } } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: !Ref Runtime
      Handler: !Sub '${Runtime}.handler'
      Timeout: !Ref Time
      MemorySize: !FindInMap [M, a, memory]
      CodeUri: !Sub 's3://bucket-${AWS::Region}/key'
"#,
    );
    let function = read.function("F");
    assert_eq!(function.runtime.as_ref().unwrap().value, "python3.12");
    assert_eq!(read.at(function.handler.as_ref().unwrap().span).trim_start_matches("!Sub "), "'${Runtime}.handler'");
    assert_eq!(function.timeout.as_ref().unwrap().value, 30);
    assert_eq!(function.memory.as_ref().unwrap().value, 512);
    assert!(matches!(&function.code, graph::Code::Remote(place) if place.value == "s3://bucket-${AWS::Region}/key"));
}

#[test]
fn properties_keep_intrinsics_in_their_long_form() {
    let read = read(
        r#"
Conditions: { C: !Equals [!Ref AWS::Region, x] }
Resources:
  Key: { Type: AWS::KMS::Key }
  B:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub 'b-${AWS::AccountId}'
      VersioningConfiguration: !If [C, { Status: Enabled }, !Ref AWS::NoValue]
      BucketEncryption:
        KeyArn: !GetAtt Key.Arn
"#,
    );
    let bucket = read.application().resource("B").unwrap();
    assert_eq!(
        bucket.properties,
        serde_json::json!({
            "BucketName": {"Fn::Sub": "b-${AWS::AccountId}"},
            "VersioningConfiguration": {"Fn::If": ["C", {"Status": "Enabled"}, {"Ref": "AWS::NoValue"}]},
            "BucketEncryption": {"KeyArn": {"Fn::GetAtt": ["Key", "Arn"]}},
        })
    );
    assert!(read.at(bucket.property_span("BucketEncryption.KeyArn")).starts_with("KeyArn:"));
    assert_eq!(read.at(bucket.property_span("BucketEncryption.Nothing")), "BucketEncryption");
    assert_eq!(bucket.deployed_name.as_ref().unwrap().to_string(), "b-${AWS::AccountId}");
}
