//! Triggers that plain CloudFormation writes as resources of their own.

#![allow(clippy::unwrap_used)]

mod common;
use common::read;
use graph::TriggerKind;

#[test]
fn each_resource_that_starts_a_function_is_a_trigger() {
    let cases: &[(&str, TriggerKind, &str, &str)] = &[
        (
            "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn}}",
            TriggerKind::Sqs,
            "${Q.Arn}",
            "",
        ),
        (
            "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !GetAtt F.Arn, EventSourceArn: 'arn:aws:kinesis:x:1:stream/s'}}",
            TriggerKind::Kinesis,
            "arn:aws:kinesis:x:1:stream/s",
            "",
        ),
        (
            "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: fun, EventSourceArn: !GetAtt Table.StreamArn}}",
            TriggerKind::DynamodbStream,
            "${Table.StreamArn}",
            "",
        ),
        (
            "{Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref F, SelfManagedEventSource: {Endpoints: {KafkaBootstrapServers: ['k:1']}}, Topics: [t]}}",
            TriggerKind::Kafka,
            "k:1",
            "t",
        ),
        (
            "{Type: AWS::Events::Rule, Properties: {EventPattern: {source: [a]}, Targets: [{Id: x, Arn: !GetAtt F.Arn}]}}",
            TriggerKind::EventBridge,
            "",
            r#"{"source":["a"]}"#,
        ),
        (
            "{Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 hour), Targets: [{Id: x, Arn: !GetAtt F.Arn}]}}",
            TriggerKind::Schedule,
            "",
            "rate(1 hour)",
        ),
        (
            "{Type: AWS::Scheduler::Schedule, Properties: {ScheduleExpression: rate(1 hour), Target: {Arn: !GetAtt F.Arn}}}",
            TriggerKind::Schedule,
            "",
            "rate(1 hour)",
        ),
        (
            "{Type: AWS::S3::Bucket, Properties: {NotificationConfiguration: {LambdaConfigurations: [{Event: 's3:ObjectCreated:*', Function: !GetAtt F.Arn}]}}}",
            TriggerKind::S3,
            "${It}",
            "s3:ObjectCreated:*",
        ),
        (
            "{Type: AWS::SNS::Subscription, Properties: {Protocol: lambda, TopicArn: !Ref T, Endpoint: !GetAtt F.Arn}}",
            TriggerKind::Sns,
            "${T}",
            "",
        ),
        (
            "{Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: lambda, Endpoint: !GetAtt F.Arn}]}}",
            TriggerKind::Sns,
            "${It}",
            "",
        ),
        (
            "{Type: AWS::Logs::SubscriptionFilter, Properties: {LogGroupName: /x, FilterPattern: '', DestinationArn: !GetAtt F.Arn}}",
            TriggerKind::Logs,
            "/x",
            "",
        ),
        (
            "{Type: AWS::IoT::TopicRule, Properties: {TopicRulePayload: {Sql: SELECT 1, Actions: [{Lambda: {FunctionArn: !GetAtt F.Arn}}]}}}",
            TriggerKind::Iot,
            "",
            "SELECT 1",
        ),
        (
            "{Type: AWS::Cognito::UserPool, Properties: {LambdaConfig: {PreSignUp: !GetAtt F.Arn}}}",
            TriggerKind::Cognito,
            "${It}",
            "PreSignUp",
        ),
        (
            "{Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionString: '{\"a\": \"${Fn}\"}', DefinitionSubstitutions: {Fn: !GetAtt F.Arn}}}",
            TriggerKind::StepFunctions,
            "${It}",
            "",
        ),
        (
            "{Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionString: !Sub '{\"Resource\": \"${F.Arn}\"}'}}",
            TriggerKind::StepFunctions,
            "${It}",
            "",
        ),
        (
            "{Type: AWS::Serverless::StateMachine, Properties: {Definition: {States: {A: {Type: Task, Parameters: {FunctionName: fun}}}}}}",
            TriggerKind::StepFunctions,
            "${It}",
            "",
        ),
        (
            "{Type: AWS::CloudFront::Distribution, Properties: {DistributionConfig: {DefaultCacheBehavior: {LambdaFunctionAssociations: [{EventType: viewer-request, LambdaFunctionARN: !Ref V}]}}}}",
            TriggerKind::CloudFront,
            "${It}",
            "viewer-request",
        ),
        (
            "{Type: AWS::AppSync::DataSource, Properties: {ApiId: api, Name: d, Type: AWS_LAMBDA, LambdaConfig: {LambdaFunctionArn: !GetAtt F.Arn}}}",
            TriggerKind::AppSync,
            "api",
            "",
        ),
        (
            "{Type: AWS::SES::ReceiptRule, Properties: {Rule: {Recipients: [a@b.example], Actions: [{LambdaAction: {FunctionArn: !GetAtt F.Arn}}]}}}",
            TriggerKind::Email,
            "",
            "a@b.example",
        ),
        (
            "{Type: AWS::CodeCommit::Repository, Properties: {Triggers: [{Name: t, DestinationArn: !GetAtt F.Arn, Events: [all]}]}}",
            TriggerKind::CodeCommit,
            "${It}",
            "",
        ),
        (
            "{Type: AWS::Config::ConfigRule, Properties: {Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: !GetAtt F.Arn}}}",
            TriggerKind::Config,
            "",
            "",
        ),
        ("{Type: 'Custom::Seed', Properties: {ServiceToken: !GetAtt F.Arn}}", TriggerKind::CustomResource, "${It}", ""),
        (
            "{Type: AWS::CloudFormation::CustomResource, Properties: {ServiceToken: !GetAtt F.Arn}}",
            TriggerKind::CustomResource,
            "${It}",
            "",
        ),
        (
            "{Type: AWS::KinesisFirehose::DeliveryStream, Properties: {ExtendedS3DestinationConfiguration: {ProcessingConfiguration: {Processors: [{Type: Lambda, Parameters: [{ParameterName: LambdaArn, ParameterValue: !GetAtt F.Arn}]}]}}}}",
            TriggerKind::Firehose,
            "${It}",
            "",
        ),
        (
            "{Type: AWS::Pipes::Pipe, Properties: {Source: !GetAtt Q.Arn, Target: !GetAtt F.Arn}}",
            TriggerKind::Other,
            "${Q.Arn}",
            "pipe target",
        ),
        (
            "{Type: AWS::SecretsManager::RotationSchedule, Properties: {RotationLambdaARN: !GetAtt F.Arn}}",
            TriggerKind::Other,
            "${It}",
            "AWS::SecretsManager::RotationSchedule RotationLambdaARN",
        ),
        (
            "{Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Principal: s3.amazonaws.com, SourceArn: 'arn:aws:s3:::theirs'}}",
            TriggerKind::S3,
            "arn:aws:s3:::theirs",
            "permission of s3.amazonaws.com",
        ),
    ];
    for (resource, kind, source, filter) in cases {
        let read = read(&format!(
            "Resources:\n  F: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: fun}}}}\n  V: {{Type: AWS::Lambda::Version, Properties: {{FunctionName: !Ref F}}}}\n  Q: {{Type: AWS::SQS::Queue}}\n  T: {{Type: AWS::SNS::Topic}}\n  Table: {{Type: AWS::DynamoDB::Table}}\n  It: {resource}\n"
        ));
        let trigger = read.trigger("F");
        assert_eq!(trigger.kind, *kind, "{resource}");
        assert_eq!(trigger.source.as_ref().map(ToString::to_string).unwrap_or_default(), *source, "{resource}");
        assert_eq!(trigger.filter.clone().unwrap_or_default(), *filter, "{resource}");
        assert_eq!(read.complaints(), Vec::<String>::new(), "{resource}");
    }
}

#[test]
fn a_load_balancers_listener_says_who_may_call() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Lambda::Function }
  Pool: { Type: AWS::Cognito::UserPool }
  Group: { Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: { TargetType: lambda, Targets: [{ Id: !GetAtt F.Arn }] } }
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      Conditions: [{ Field: path-pattern, Values: ['/orders/*'] }]
      Actions:
        - { Type: authenticate-cognito, AuthenticateCognitoConfig: { UserPoolArn: !GetAtt Pool.Arn } }
        - { Type: forward, TargetGroupArn: !Ref Group }
"#,
    );
    let trigger = read.trigger("F");
    assert_eq!(trigger.kind, TriggerKind::LoadBalancer);
    assert_eq!(trigger.path.as_deref(), Some("/orders/*"));
    assert_eq!(trigger.authorization.as_ref().unwrap().to_string(), "Cognito Pool");
}

#[test]
fn a_permission_that_goes_with_a_trigger_adds_none() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Lambda::Function }
  R: { Type: AWS::Events::Rule, Properties: { ScheduleExpression: rate(1 day), Targets: [{ Id: a, Arn: !GetAtt F.Arn }] } }
  P: { Type: AWS::Lambda::Permission, Properties: { FunctionName: !GetAtt F.Arn, Principal: events.amazonaws.com, SourceArn: !GetAtt R.Arn } }
"#,
    );
    assert_eq!(read.trigger("F").kind, TriggerKind::Schedule);
}

#[test]
fn what_only_mentions_a_function_starts_nothing() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Lambda::Function }
  Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { Dimensions: [{ Name: FunctionName, Value: !Ref F }] } }
  Policy: { Type: AWS::IAM::Policy, Properties: { Roles: [x], PolicyDocument: { Statement: { Effect: Allow, Action: 'lambda:InvokeFunction', Resource: !GetAtt F.Arn } } } }
  Parameter: { Type: AWS::SSM::Parameter, Properties: { Type: String, Value: !GetAtt F.Arn } }
"#,
    );
    assert_eq!(read.application().triggers_of("F").count(), 0);
}

#[test]
fn json_templates_are_read_like_yaml_ones() {
    let read = read(
        r#"{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {
  "F": {"Type": "AWS::Lambda::Function", "Properties": {"Handler": "a.b", "Role": {"Fn::GetAtt": ["R", "Arn"]}}},
  "R": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}}
}}"#,
    );
    assert_eq!(read.function("F").identity.as_deref(), Some("R"));
    assert_eq!(read.grants("R"), ["Allow s3:* on *"]);
    assert_eq!(read.at(read.function("F").handler.as_ref().unwrap().span), "\"a.b\"");
}

#[test]
fn a_workflow_written_as_text_starts_the_functions_it_names() {
    let read = read(
        r#"
Resources:
  Charge: { Type: AWS::Lambda::Function, Properties: { FunctionName: charge-card, Handler: a.b, Runtime: python3.12 } }
  Ship: { Type: AWS::Lambda::Function, Properties: { Handler: a.b, Runtime: python3.12 } }
  Idle: { Type: AWS::Lambda::Function, Properties: { Handler: a.b, Runtime: python3.12 } }
  Flow:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: arn:aws:iam::123456789012:role/flow
      DefinitionString: !Sub |
        { "StartAt": "Charge", "States": {
          "Charge": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": { "FunctionName": "charge-card", "Payload.$": "$" }, "Next": "Each" },
          "Each": { "Type": "Map", "ItemProcessor": { "StartAt": "Ship", "States": {
            "Ship": { "Type": "Task", "Resource": "${Ship.Arn}", "End": true } } }, "End": true } } }
"#,
    );
    for name in ["Charge", "Ship"] {
        let trigger = read.trigger(name);
        assert_eq!(trigger.kind, TriggerKind::StepFunctions);
        assert_eq!(trigger.source.as_ref().unwrap().to_string(), "${Flow}");
    }
    assert_eq!(read.application().triggers_of("Idle").count(), 0);
}
