//! SAM's own ways: `Globals`, events, and what a function says about itself.

#![allow(clippy::unwrap_used)]

mod common;
use common::{read, read_with};
use graph::{Code, TriggerKind, UrlAuth};

#[test]
fn globals_are_merged_objects_merged_lists_appended_scalars_overridden() {
    let read = read(
        r#"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.12
    Timeout: 5
    Architectures: [x86_64]
    Layers: [arn:aws:lambda:eu-west-1:1:layer:base:1]
    Environment: { Variables: { STAGE: dev, LEVEL: info } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 9
      Architectures: [arm64]
      Layers: [arn:aws:lambda:eu-west-1:1:layer:own:1]
      Environment: { Variables: { LEVEL: debug, OWN: x } }
  Plain:
    Type: AWS::Lambda::Function
    Properties: { Handler: a.b }
  Ignoring:
    Type: AWS::Serverless::Function
    IgnoreGlobals: [Timeout]
"#,
    );
    let function = read.function("F");
    assert_eq!(function.runtime.as_ref().unwrap().value, "python3.12");
    assert_eq!(read.sources.position(function.runtime.as_ref().unwrap().span).line, 5, "points into Globals");
    assert_eq!(function.timeout.as_ref().unwrap().value, 9);
    assert_eq!(function.architecture.as_deref(), Some("arm64"));
    let layers: Vec<String> = function.layers.iter().map(|layer| layer.value.to_string()).collect();
    assert_eq!(layers, ["arn:aws:lambda:eu-west-1:1:layer:base:1", "arn:aws:lambda:eu-west-1:1:layer:own:1"]);
    let environment: Vec<String> =
        function.environment.iter().map(|variable| format!("{}={}", variable.name, variable.value)).collect();
    assert_eq!(environment, ["STAGE=dev", "LEVEL=debug", "OWN=x"]);
    assert!(read.function("Plain").runtime.is_none(), "Globals are for SAM's functions only");
    assert!(read.function("Ignoring").timeout.is_none() && read.function("Ignoring").runtime.is_some());
}

#[test]
fn each_event_type_is_a_trigger() {
    let cases: &[(&str, TriggerKind, &str, &str)] = &[
        ("{Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}", TriggerKind::Sqs, "${Q.Arn}", ""),
        ("{Type: SNS, Properties: {Topic: !Ref T}}", TriggerKind::Sns, "${T}", ""),
        (
            "{Type: SNS, Properties: {Topic: !Ref T, SqsSubscription: true}}",
            TriggerKind::Sqs,
            "${T}",
            "from topic ${T}",
        ),
        (
            "{Type: SNS, Properties: {Topic: !Ref T, SqsSubscription: {QueueArn: !GetAtt Q.Arn}}}",
            TriggerKind::Sqs,
            "${Q.Arn}",
            "from topic ${T}",
        ),
        (
            "{Type: S3, Properties: {Bucket: !Ref B, Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*']}}",
            TriggerKind::S3,
            "${B}",
            "s3:ObjectCreated:*, s3:ObjectRemoved:*",
        ),
        (
            "{Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: LATEST}}",
            TriggerKind::DynamodbStream,
            "${Table.StreamArn}",
            "",
        ),
        (
            "{Type: Kinesis, Properties: {Stream: 'arn:aws:kinesis:eu-west-1:1:stream/s'}}",
            TriggerKind::Kinesis,
            "arn:aws:kinesis:eu-west-1:1:stream/s",
            "",
        ),
        (
            "{Type: EventBridgeRule, Properties: {EventBusName: bus, Pattern: {source: [shop]}}}",
            TriggerKind::EventBridge,
            "bus",
            r#"{"source":["shop"]}"#,
        ),
        (
            "{Type: CloudWatchEvent, Properties: {Pattern: {source: [shop]}}}",
            TriggerKind::EventBridge,
            "",
            r#"{"source":["shop"]}"#,
        ),
        ("{Type: Schedule, Properties: {Schedule: rate(1 day)}}", TriggerKind::Schedule, "", "rate(1 day)"),
        (
            "{Type: ScheduleV2, Properties: {ScheduleExpression: cron(0 4 * * ? *)}}",
            TriggerKind::Schedule,
            "",
            "cron(0 4 * * ? *)",
        ),
        ("{Type: IoTRule, Properties: {Sql: SELECT * FROM 'a/b'}}", TriggerKind::Iot, "", "SELECT * FROM 'a/b'"),
        (
            "{Type: Cognito, Properties: {UserPool: !Ref Pool, Trigger: [PreSignUp, PostConfirmation]}}",
            TriggerKind::Cognito,
            "${Pool}",
            "PreSignUp, PostConfirmation",
        ),
        ("{Type: AlexaSkill, Properties: {SkillId: amzn1.ask.skill.1}}", TriggerKind::Alexa, "amzn1.ask.skill.1", ""),
        ("{Type: AlexaSkill}", TriggerKind::Alexa, "", ""),
        (
            "{Type: CloudWatchLogs, Properties: {LogGroupName: group, FilterPattern: ERROR}}",
            TriggerKind::Logs,
            "group",
            "ERROR",
        ),
        (
            "{Type: MSK, Properties: {Stream: 'arn:aws:kafka:x', Topics: [orders]}}",
            TriggerKind::Kafka,
            "arn:aws:kafka:x",
            "orders",
        ),
        (
            "{Type: SelfManagedKafka, Properties: {KafkaBootstrapServers: ['k:9092'], Topics: [orders]}}",
            TriggerKind::Kafka,
            "k:9092",
            "orders",
        ),
        ("{Type: MQ, Properties: {Broker: 'arn:aws:mq:x', Queues: [q]}}", TriggerKind::Mq, "arn:aws:mq:x", "q"),
        (
            "{Type: DocumentDB, Properties: {Cluster: 'arn:aws:rds:x', DatabaseName: db}}",
            TriggerKind::DocumentDb,
            "arn:aws:rds:x",
            "db",
        ),
    ];
    for (event, kind, source, filter) in cases {
        let read = read(&format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  Q: {{Type: AWS::SQS::Queue}}\n  T: {{Type: AWS::SNS::Topic}}\n  B: {{Type: AWS::S3::Bucket}}\n  Table: {{Type: AWS::DynamoDB::Table}}\n  Pool: {{Type: AWS::Cognito::UserPool}}\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n        Its: {event}\n"
        ));
        let trigger = read.trigger("F");
        assert_eq!(trigger.kind, *kind, "{event}");
        assert_eq!(trigger.source.as_ref().map(ToString::to_string).unwrap_or_default(), *source, "{event}");
        assert_eq!(trigger.filter.clone().unwrap_or_default(), *filter, "{event}");
        assert_eq!((trigger.name.as_str(), read.at(trigger.span)), ("Its", "Its"), "{event}");
        assert_eq!(read.complaints(), Vec::<String>::new(), "{event}");
    }
}

#[test]
fn partial_batch_responses_are_noted() {
    let read = read(
        r#"
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A:
          Type: SQS
          Properties: { Queue: 'arn:aws:sqs:eu-west-1:1:q', FunctionResponseTypes: [ReportBatchItemFailures] }
"#,
    );
    assert!(read.trigger("F").report_batch_item_failures);
}

#[test]
fn code_is_found_wherever_it_is_said_to_be() {
    let read = read_with(
        "services/shop/template.yaml",
        r#"
Resources:
  Folder: { Type: AWS::Serverless::Function, Properties: { CodeUri: ./src/ } }
  Above: { Type: AWS::Serverless::Function, Properties: { CodeUri: ../shared } }
  Outside: { Type: AWS::Serverless::Function, Properties: { CodeUri: ../../../else } }
  Bucket: { Type: AWS::Serverless::Function, Properties: { CodeUri: { Bucket: b, Key: k.zip } } }
  Inline: { Type: AWS::Serverless::Function, Properties: { InlineCode: 'exports.handler = 1' } }
  Image: { Type: AWS::Serverless::Function, Properties: { PackageType: Image, ImageUri: repo:1 } }
  Unsaid: { Type: AWS::Serverless::Function }
  PlainInline: { Type: AWS::Lambda::Function, Properties: { Code: { ZipFile: 'x = 1' } } }
  PlainBucket: { Type: AWS::Lambda::Function, Properties: { Code: { S3Bucket: b, S3Key: k } } }
  PlainFolder: { Type: AWS::Lambda::Function, Properties: { Code: ./src } }
"#,
        &[],
    );
    let shown = |name: &str| match &read.function(name).code {
        Code::Local(at) => format!("local {}", at.value),
        Code::Inline(at) => format!("inline {}", at.value),
        Code::Image(at) => format!("image {}", at.value),
        Code::Remote(at) => format!("remote {}", at.value),
        Code::Unknown => "unknown".into(),
    };
    for (name, expected) in [
        ("Folder", "local services/shop/src"),
        ("Above", "local services/shared"),
        ("Outside", "remote ../../../else"),
        ("Bucket", "remote s3://b/k.zip"),
        ("Inline", "inline exports.handler = 1"),
        ("Image", "image repo:1"),
        ("Unsaid", "local services/shop"),
        ("PlainInline", "inline x = 1"),
        ("PlainBucket", "remote s3://b/k"),
        ("PlainFolder", "local services/shop/src"),
    ] {
        assert_eq!(shown(name), expected, "{name}");
    }
}

#[test]
fn a_function_url_is_read_and_is_a_trigger() {
    let read = read(
        r#"
Resources:
  Open: { Type: AWS::Serverless::Function, Properties: { FunctionUrlConfig: { AuthType: NONE } } }
  Signed: { Type: AWS::Serverless::Function, Properties: { FunctionUrlConfig: { AuthType: AWS_IAM } } }
  Plain: { Type: AWS::Lambda::Function }
  Url: { Type: AWS::Lambda::Url, Properties: { AuthType: NONE, TargetFunctionArn: !GetAtt Plain.Arn } }
"#,
    );
    assert_eq!(read.function("Open").url.as_ref().unwrap().auth, UrlAuth::None);
    assert_eq!(read.at(read.function("Open").url.as_ref().unwrap().span), "AuthType: NONE");
    assert_eq!(read.function("Signed").url.as_ref().unwrap().auth, UrlAuth::Iam);
    assert_eq!(read.function("Plain").url.as_ref().unwrap().auth, UrlAuth::None);
    assert_eq!(read.trigger("Plain").kind, TriggerKind::FunctionUrl);
    assert_eq!(read.trigger("Plain").exposure(), graph::Exposure::Public);
    assert_eq!(read.trigger("Signed").exposure(), graph::Exposure::Authenticated);
}

#[test]
fn log_groups_find_their_functions() {
    let read = read(
        r#"
Resources:
  BySub: { Type: AWS::Serverless::Function }
  ByJoin: { Type: AWS::Serverless::Function }
  ByName: { Type: AWS::Serverless::Function, Properties: { FunctionName: shop-orders } }
  ByStack: { Type: AWS::Serverless::Function, Properties: { FunctionName: !Sub '${AWS::StackName}-x' } }
  ByConfig: { Type: AWS::Serverless::Function, Properties: { LoggingConfig: { LogGroup: !Ref Own } } }
  Without: { Type: AWS::Serverless::Function }
  A: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: !Sub '/aws/lambda/${BySub}' } }
  B: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: !Join ['/', ['', aws, lambda, !Ref ByJoin]] } }
  C: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /aws/lambda/shop-orders } }
  D: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: !Sub '/aws/lambda/${AWS::StackName}-x' } }
  Own: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 7 } }
"#,
    );
    for (function, group) in [
        ("BySub", Some("A")),
        ("ByJoin", Some("B")),
        ("ByName", Some("C")),
        ("ByStack", Some("D")),
        ("ByConfig", Some("Own")),
        ("Without", None),
    ] {
        assert_eq!(read.function(function).log_group.as_deref(), group, "{function}");
    }
}

#[test]
fn destinations_are_triggers_of_the_function_they_name() {
    let read = read(
        r#"
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties:
      EventInvokeConfig:
        DestinationConfig:
          OnFailure: { Type: Lambda, Destination: !GetAtt B.Arn }
          OnSuccess: { Type: SQS, Destination: !GetAtt Q.Arn }
  B: { Type: AWS::Serverless::Function }
  Q: { Type: AWS::SQS::Queue }
"#,
    );
    assert_eq!(read.trigger("B").kind, TriggerKind::Function);
    assert_eq!(
        read.grants("ARole")[1..],
        ["Allow sqs:SendMessage on ${Q.Arn}", "Allow lambda:InvokeFunction on ${B.Arn}"]
    );
}

#[test]
fn nested_applications_are_part_of_the_one_that_nests_them() {
    let child = r#"
Parameters: { TableArn: { Type: String }, RoleArn: { Type: String } }
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code/
      Policies:
        - Statement: [{ Effect: Allow, Action: 'dynamodb:GetItem', Resource: !Ref TableArn }]
  Shared: { Type: AWS::Serverless::Function, Properties: { Role: !Ref RoleArn } }
  Table: { Type: AWS::DynamoDB::Table }
Outputs:
  Arn: { Value: !GetAtt Worker.Arn }
"#;
    let read = read_with(
        "template.yaml",
        r#"
Resources:
  Table: { Type: AWS::DynamoDB::Table }
  Role: { Type: AWS::IAM::Role }
  Child:
    Type: AWS::Serverless::Application
    Properties:
      Location: ./child/template.yaml
      Parameters: { TableArn: !GetAtt Table.Arn, RoleArn: !GetAtt Role.Arn }
  Own:
    Type: AWS::Serverless::Function
    Properties: { Environment: { Variables: { WORKER: !GetAtt Child.Outputs.Arn } } }
"#,
        &[("child/template.yaml", child)],
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    assert_eq!(read.variable("Own", "WORKER"), "${Worker.Arn}");
    assert_eq!(read.sources.path(read.function("Worker").span), "child/template.yaml");
    assert!(matches!(&read.function("Worker").code, Code::Local(at) if at.value == "child/code"));
    assert!(
        read.grants("WorkerRole").contains(&"Allow dynamodb:GetItem on ${Table.Arn}".to_string()),
        "the parent's table"
    );
    assert_eq!(read.function("Shared").identity.as_deref(), Some("Role"));
    assert!(
        read.application().resource("Child.Table").is_some(),
        "the child's own table has the stack's name in front"
    );
    assert_eq!(read.reading.included.len(), 1);
}

#[test]
fn a_stack_uploaded_to_a_bucket_is_found_where_it_came_from() {
    let read = read_with(
        "infra/root.yaml",
        r#"
Parameters: { Bucket: { Type: String } }
Resources:
  S:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: !Sub 'https://${Bucket}.s3.${AWS::Region}.amazonaws.com/v1/stacks/child.yaml' }
  Gone:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: 'https://s3.amazonaws.com/bucket/elsewhere.yaml' }
"#,
        &[("infra/stacks/child.yaml", "Resources:\n  F: { Type: AWS::Lambda::Function }\n")],
    );
    assert_eq!(read.application().functions.len(), 1);
    assert_eq!(
        read.complaints(),
        [
            "9: the template `https://s3.amazonaws.com/bucket/elsewhere.yaml` of nested stack `Gone` is not here (its functions are missing from what is said about this template)"
        ]
    );
}

#[test]
fn graphql_and_websocket_apis_of_sam_start_functions() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Serverless::Function }
  G: { Type: AWS::Serverless::Function }
  Graph:
    Type: AWS::Serverless::GraphQLApi
    Properties:
      Auth: { Type: AWS_IAM }
      DataSources: { Lambda: { Orders: { FunctionArn: !GetAtt F.Arn } } }
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      Routes: { $default: { FunctionArn: !GetAtt G.Arn } }
"#,
    );
    assert_eq!(
        (read.trigger("F").kind, read.trigger("F").exposure()),
        (TriggerKind::AppSync, graph::Exposure::Authenticated)
    );
    assert_eq!(
        (read.trigger("G").kind, read.trigger("G").exposure()),
        (TriggerKind::WebSocket, graph::Exposure::Public)
    );
}

#[test]
fn stacks_that_nest_each_other_end() {
    let read = read_with(
        "a.yaml",
        "Resources:\n  B: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: b.yaml } }\n",
        &[("b.yaml", "Resources:\n  A: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: a.yaml } }\n")],
    );
    assert_eq!(read.complaints(), ["2: nested stack `A` leads back to `a.yaml` (it is not read again)"]);
}
