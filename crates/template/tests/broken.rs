//! Half-broken templates: what can be read is read, and the rest is named with its place and a hint.

#![allow(clippy::unwrap_used)]

mod common;
use common::{read, read_with};
use template::looks_like_template;

#[test]
fn names_that_lead_nowhere_offer_the_near_miss() {
    let read = read(
        r#"
Conditions: { Live: !Equals [!Ref AWS::Region, x] }
Resources:
  OrdersTable: { Type: AWS::DynamoDB::Table }
  OrdersRole: { Type: AWS::IAM::Role }
  F:
    Type: AWS::Serverless::Function
    Condition: Lve
    Properties:
      Role: !GetAtt OrdersRole.Arnn
      Environment:
        Variables:
          A: !Ref OrderTable
          B: !GetAtt Nowhere.Arn
          C: !Sub '${OrdersTabel.Arn} ${AWS::Regoin}'
          D: !If [Liv, a, b]
"#,
    );
    assert_eq!(
        read.complaints(),
        [
            "10: unknown attribute `Arnn` of `OrdersRole` (did you mean `Arn`?)",
            "13: `OrderTable` is neither a parameter nor a resource of this template (did you mean `OrdersTable`?)",
            "14: `Nowhere` is not a resource of this template (it is read as something that can't be told)",
            "15: `OrdersTabel` is not a resource of this template (did you mean `OrdersTable`?)",
            "16: `Liv` is not a condition of this template (did you mean `Live`?)",
            "8: `Lve` is not a condition of this template (did you mean `Live`?)",
        ]
    );
    let attribute = read.reading.diagnostics[0].span.unwrap();
    assert_eq!(read.at(attribute), "Arnn");
    assert_eq!(read.application().functions.len(), 1);
}

#[test]
fn sams_own_names_are_known() {
    let read = read(
        r#"
Transform: AWS::Serverless-2016-10-31
Resources:
  F: { Type: AWS::Serverless::Function, Properties: { AutoPublishAlias: live } }
  Api: { Type: AWS::Serverless::Api, Properties: { StageName: live } }
Outputs:
  A: { Value: !GetAtt FRole.Arn }
  B: { Value: !Ref F.Alias }
  C: { Value: !Ref F.Version }
  D: { Value: !Ref Api.Stage }
  E: { Value: !Ref ApiliveStage }
  G: { Value: !GetAtt FUrl.FunctionUrl }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
}

#[test]
fn misspelt_properties_and_events_offer_the_near_miss() {
    let read = read(
        r#"
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handlr: a.b
      Code: ./src
      SomethingNew: x
      Policies: [DynamoDBCrudPolcy: { TableName: t }, SQSPollerPolicy: { Queue: q }]
      Events:
        A: { Type: Htp, Properties: {} }
        B: { Properties: {} }
        C: { Type: SQS, Properties: { Queu: x } }
        D: text
"#,
    );
    assert_eq!(
        read.complaints(),
        [
            "6: unknown property `Handlr` of function `F` (did you mean `Handler`?)",
            "7: unknown property `Code` of function `F` (did you mean `CodeUri`?)",
            "9: unknown policy template `DynamoDBCrudPolcy` of `F` (did you mean `DynamoDBCrudPolicy`?)",
            "9: policy template `SQSPollerPolicy` of `F` lacks its parameter `QueueName`",
            "11: unknown event type `Htp` (what the function is handed isn't known)",
            "12: event `B` of `F` has no `Type` (add one, such as `Type: Api`)",
            "13: event `C` of `F` has no `Queue` (is `Queu` meant to be `Queue`?)",
            "14: event `D` of `F` is not an object (an event has a `Type` and `Properties`)",
        ]
    );
}

#[test]
fn malformed_statements_are_named_and_their_neighbours_read() {
    let read = read(
        r#"
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - { Action: 's3:*', Resource: '*' }
              - { Effect: allow, Action: 's3:*', Resource: '*' }
              - { Effect: Allow, Resource: '*' }
              - { Effect: Allow, Action: GetObject, Resource: '*' }
              - { Effect: Allow, Action: 's3:GetObject' }
              - { Effect: Allow, Actions: 's3:GetObject', Resource: '*' }
              - text
              - { Effect: Allow, Action: 's3:PutObject', Resource: '*' }
        - { PolicyName: q, PolicyDocument: { Statment: [] } }
        - { PolicyName: r }
"#,
    );
    let complaints = read.complaints();
    for expected in [
        "10: policy statement without `Effect`",
        "11: `allow` is not an effect",
        "12: policy statement without `Action`",
        "13: `GetObject` is not an action",
        "14: policy statement without `Resource`",
        "15: unknown element `Actions` in a policy statement (did you mean `Action`?)",
        "16: policy statement is not an object",
        "18: policy document without `Statement` (is `Statment` meant to be `Statement`?)",
        "19: a policy of role `R` has no `PolicyDocument`",
    ] {
        assert!(complaints.iter().any(|complaint| complaint.starts_with(expected)), "{expected}: {complaints:#?}");
    }
    assert!(read.grants("R").contains(&"Allow s3:PutObject on *".to_string()));
}

#[test]
fn wrong_shapes_are_named() {
    let read = read(
        r#"
Parameters: [a]
Globals: text
Resources:
  Text: text
  NoType: { Typ: AWS::SQS::Queue }
  List: { Type: AWS::SQS::Queue, Properties: [a] }
  F: { Type: AWS::Serverless::Function, Properties: { Environment: [A], Events: [B] } }
"#,
    );
    assert_eq!(
        read.complaints(),
        [
            "2: `Parameters` is not an object (it is passed over; write it as names with their definitions)",
            "3: `Globals` is not an object (it is passed over; write it as names with their definitions)",
            "5: resource `Text` is not an object (a resource has a `Type` and `Properties`)",
            "6: resource `NoType` has no `Type` (is `Typ` meant to be `Type`?)",
            "7: `Properties` of `List` is not an object (its properties are read as if there were none)",
            "8: `Environment` of function `F` is not an object (write an object with `Variables`)",
            "8: `Events` of function `F` is not an object (write an object of named events)",
        ]
    );
    assert_eq!(read.application().functions.len(), 1);
    assert_eq!(read.application().resources.len(), 2);
}

#[test]
fn circles_are_found_and_end() {
    let read = read(
        r#"
Conditions:
  A: !Not [!Condition B]
  B: !Not [!Condition A]
Mappings: { M: { a: { b: !FindInMap [M, a, b] } } }
Resources:
  F: { Type: AWS::Serverless::Function, Condition: A, Properties: { Timeout: !FindInMap [M, a, b] } }
  X: { Type: AWS::SNS::Topic, Properties: { DisplayName: !GetAtt Y.Arn } }
  Y: { Type: AWS::SQS::Queue, Properties: { QueueName: !Ref X } }
"#,
    );
    assert_eq!(
        read.complaints(),
        [
            "3: condition `A` depends on itself (both of its outcomes are taken as possible)",
            "8: `X`, `Y` refer to each other in a circle (CloudFormation refuses to deploy it; break the circle with a name instead of a reference)",
        ]
    );
    assert_eq!(read.application().functions.len(), 1);
}

#[test]
fn a_broken_block_costs_only_itself() {
    let read = read(
        "Resources:\n  A:\n    Type: AWS::Serverless::Function\n  B:\n    Type: \"AWS::SQS\n    Properties: [x\n  C:\n    Type: AWS::Serverless::Function\n    Properties: { Environment: { Variables: { Q: !Ref B } } }\n",
    );
    assert!(read.application().function("A").is_some());
    assert!(!read.reading.diagnostics.is_empty());
    let unknown = read.complaints().iter().any(|complaint| complaint.contains("`B` is neither"));
    assert!(!unknown, "what was left out isn't said to be missing");
}

#[test]
fn brackets_that_close_too_far_left_are_read_as_aws_reads_them() {
    let read = read(
        r#"
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument: {
    "Statement": [{
      "Effect": "Allow", # all of them
      "Action": "s3:*",
      "Resource": "*"
    }]
  }
  F:
    Type: AWS::Serverless::Function
    Properties: { Role: !GetAtt R.Arn }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    assert_eq!(read.grants("R"), ["Allow s3:* on *"]);
    assert_eq!(read.sources.position(read.function("F").span).line, 15);
}

#[test]
fn an_unknown_tag_and_a_missing_section_are_named() {
    let read = read("Resource:\n  F: { Type: AWS::Serverless::Function, Properties: { Handler: !Reff X } }\n");
    assert!(read.reading.application.is_none());
    assert_eq!(
        read.complaints(),
        [
            "2: unknown intrinsic function `!Reff` (did you mean `!Ref`?)",
            "1: the template has no `Resources` (is `Resource` meant to be `Resources`?)",
        ]
    );
}

#[test]
fn nothing_that_can_be_written_stops_the_reader() {
    let deep = format!("Resources: {}a{}", "{a: ".repeat(200), "}".repeat(200));
    let sub = format!(
        "Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{Handler: !Sub '{}'}}}}}}",
        "${".repeat(5_000)
    );
    let huge_loop = format!(
        "Resources:\n  'Fn::ForEach::A':\n    - X\n    - [{}]\n    - 'R${{X}}': {{ Type: AWS::SQS::Queue }}\n      'Fn::ForEach::B':\n        - Y\n        - [{}]\n        - 'R${{X}}${{Y}}': {{ Type: AWS::SQS::Queue, Properties: {{ A: [1, 2, 3, 4, 5, 6, 7, 8, 9] }} }}\n",
        (0..500).map(|number| number.to_string()).collect::<Vec<_>>().join(","),
        (0..500).map(|number| number.to_string()).collect::<Vec<_>>().join(","),
    );
    for text in [
        "",
        "\u{0}",
        "{",
        "[]",
        "Resources:",
        "Resources: !Ref X",
        "a: &a [*a]",
        "Resources: {F: !GetAtt []}",
        "Resources: {F: {Type: AWS::Serverless::Function, Properties: !Sub x, Connectors: [1]}}",
        "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Policies: [[[[!If [a]]]]], Role: !GetAtt [], Events: {A: {Type: !If [], Properties: 1}}}}}",
        "Resources: {F: {Type: [AWS::Lambda::Function]}, G: {Type: !Sub AWS::Lambda::Function}}",
        "Conditions: {A: !And [], B: !Equals [1], C: !Not x}\nResources: {F: {Type: AWS::Lambda::Function, Condition: [A]}}",
        "Resources: {'Fn::ForEach::X': [a, [b]], 'Fn::ForEach::Y': z}",
        "Resources: {A: {Type: AWS::ApiGateway::Resource, Properties: {ParentId: !Ref A}}, M: {Type: AWS::ApiGateway::Method, Properties: {ResourceId: !Ref A, Integration: {Uri: !GetAtt F.Arn}}}, F: {Type: AWS::Lambda::Function}}",
        &deep,
        &sub,
        &huge_loop,
    ] {
        let read = read_with("t.yaml", text, &[]);
        let found = read.reading.application.as_ref().map_or(0, |application| application.functions.len());
        assert!(found <= 1, "{text:.80}");
    }
}

#[test]
fn a_template_cut_off_anywhere_is_read_up_to_there() {
    let whole = r#"Transform: AWS::Serverless-2016-10-31
Globals: { Function: { Runtime: python3.12 } }
Resources:
  First:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{ DynamoDBCrudPolicy: { TableName: !Ref Table } }]
      Events:
        Post: { Type: Api, Properties: { Path: /a, Method: post } }
  Table:
    Type: AWS::DynamoDB::Table
    Properties: { TableName: !Sub "${AWS::StackName}-t" }
  Second:
    Type: AWS::Serverless::Function
    Properties: { Handler: 'a.b' }
"#;
    let first = whole.find("  Table:").unwrap();
    for end in 0..whole.len() {
        let read = read(&whole[..end]);
        if end > first + "  Table:".len() {
            assert!(read.application().function("First").is_some(), "cut at {end}");
        }
    }
}

#[test]
fn a_template_that_is_too_large_is_refused_with_a_reason() {
    let text = format!("Resources: {{}} # {}", "x".repeat(9 << 20));
    let read = read(&text);
    assert!(read.reading.application.is_none());
    assert!(read.complaints()[0].contains("larger than 8 MiB"));
}

#[test]
fn templates_are_told_from_other_files() {
    for (path, text) in [
        ("template.yaml", "AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n"),
        ("a/stack.yml", "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {}\n"),
        ("t.json", r#"{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}"#),
        ("x.template", r#"{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}"#),
        ("t.yaml", "Resources:\n  Q:\n    Type: 'AWS::SQS::Queue'\n"),
        ("t.yaml", "'Resources':\n  Q:\n    \"Type\": AWS::SQS::Queue\n"),
        (
            "serverless.yml",
            "service: shop\nprovider: { name: aws }\nresources:\n  Resources:\n    Q: { Type: AWS::SQS::Queue }\n",
        ),
        ("sls/users.yml", "service: users\nprovider: { name: aws }\nfunctions:\n  get: { handler: a.b }\n"),
        ("serverless.json", r#"{"service": "x", "provider": {"name": "aws"}, "functions": {}}"#),
    ] {
        assert!(looks_like_template(path, text), "{text}");
    }
    for (path, text) in [
        ("README.md", "AWSTemplateFormatVersion: '2010-09-09'\nResources: {}\n"),
        ("compose.yml", "services:\n  provider: { image: x }\nfunctions: {}\n"),
        ("package.json", r#"{"name": "x", "keywords": ["Resources"]}"#),
        ("k8s.yaml", "apiVersion: v1\nkind: Pod\n"),
        ("model.json", r#"{"documentation": "AWSTemplateFormatVersion", "shapes": {"Resources": {"Type": "AWS::X"}}}"#),
        ("empty.yaml", ""),
    ] {
        assert!(!looks_like_template(path, text), "{text}");
    }
}

#[test]
fn substitutions_that_multiply_each_other_come_to_an_end() {
    let mut name = "x".repeat(100);
    for _ in 0..30 {
        name = format!("!Sub ['{}', {{ a: {name} }}]", "${a}".repeat(10));
    }
    let read = read(&format!(
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Handler: app.handler\n      FunctionName: {name}\n"
    ));
    let function = &read.application().functions[0];
    assert!(function.deployed_name.as_ref().unwrap().has_unknown(), "said to be open, rather than 10^32 letters long");
}

#[test]
fn files_that_include_themselves_over_and_over_come_to_an_end() {
    let include = "Fn::Transform: { Name: AWS::Include, Parameters: { Location: template.yaml } }";
    let repeated: String = (0..30).map(|number| format!("  A{number}:\n    {include}\n")).collect();
    let text = format!("Resources:\n  Jobs: {{ Type: AWS::SQS::Queue }}\n{repeated}");
    let read = common::read_with("template.yaml", &text, &[("template.yaml", &text)]);
    assert!(read.application().resources.iter().any(|resource| resource.name == "Jobs"));
    let complaints = read.complaints();
    assert!(complaints.iter().any(|complaint| complaint.contains("grows too large")), "{complaints:?}");
}

#[test]
fn a_name_of_thousands_of_letters_is_compared_with_no_other() {
    let long = "ComprehendBasicAccessPolicy".repeat(2_000);
    let text = format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: app.handler\n      Policies: [{long}, {long}x]\n"
    );
    assert_eq!(read(&text).application().functions.len(), 1);
}
