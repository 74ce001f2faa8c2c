//! Who may do what: every shape of a policy, and what SAM and the platform add.

#![allow(clippy::unwrap_used)]

mod common;
use common::{Read, read};
use graph::{Effect, Origin};

const BASIC: &str = "Allow logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents on *";

fn function(properties: &str) -> Read {
    read(&format!(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Table: {{Type: AWS::DynamoDB::Table}}\n  Q: {{Type: AWS::SQS::Queue}}\n  Own:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument: {{Statement: {{Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::own/*'}}}}\n  F:\n    Type: AWS::Serverless::Function\n    Properties: {properties}\n"
    ))
}

#[test]
fn a_function_without_a_role_gets_one_with_basic_execution() {
    let read = function("{Handler: a.b}");
    assert_eq!(read.function("F").identity.as_deref(), Some("FRole"));
    assert_eq!(read.grants("FRole"), [BASIC]);
    let role = read.identity("FRole");
    assert!(role.generated);
    assert_eq!(role.trusted[0].to_string(), "lambda.amazonaws.com");
    assert_eq!(role.statements[0].origin, Origin::Implied("basic execution".into()));
}

#[test]
fn each_shape_of_policies_is_read() {
    let crud = "table/${Table}";
    let cases: &[(&str, &str, Origin)] = &[
        ("AmazonSQSFullAccess", "sqs:*", Origin::Managed("AmazonSQSFullAccess".into())),
        ("[AmazonSQSFullAccess]", "sqs:*", Origin::Managed("AmazonSQSFullAccess".into())),
        ("[arn:aws:iam::aws:policy/AmazonSQSFullAccess]", "sqs:*", Origin::Managed("AmazonSQSFullAccess".into())),
        (
            "[!Sub 'arn:${AWS::Partition}:iam::aws:policy/AmazonSQSFullAccess']",
            "sqs:*",
            Origin::Managed("AmazonSQSFullAccess".into()),
        ),
        (
            "[!Join ['', ['arn:', !Ref AWS::Partition, ':iam::aws:policy/AmazonSQSFullAccess']]]",
            "sqs:*",
            Origin::Managed("AmazonSQSFullAccess".into()),
        ),
        ("[DynamoDBCrudPolicy: {TableName: !Ref Table}]", crud, Origin::SamTemplate("DynamoDBCrudPolicy".into())),
        ("{DynamoDBCrudPolicy: {TableName: !Ref Table}}", crud, Origin::SamTemplate("DynamoDBCrudPolicy".into())),
        ("[Statement: [{Effect: Allow, Action: 's3:Get*', Resource: '*'}]]", "s3:Get* on *", Origin::Inline),
        (
            "{Version: '2012-10-17', Statement: {Effect: Allow, Action: ['s3:Get*', 's3:Put*'], Resource: '*'}}",
            "s3:Get* s3:Put* on *",
            Origin::Inline,
        ),
        ("[!Ref Own]", "s3:GetObject on arn:aws:s3:::own/*", Origin::Inline),
        (
            "[{'Fn::If': [Unknown, AmazonSQSFullAccess, !Ref AWS::NoValue]}]",
            "sqs:*",
            Origin::Managed("AmazonSQSFullAccess".into()),
        ),
    ];
    for (policies, expected, origin) in cases {
        let read = function(&format!("{{Policies: {policies}}}"));
        let grants = read.grants("FRole");
        let at = grants
            .iter()
            .position(|grant| grant.contains(expected))
            .unwrap_or_else(|| panic!("{policies}: {grants:?}"));
        assert_eq!(read.identity("FRole").statements[at].origin, *origin, "{policies}");
    }
}

#[test]
fn a_policy_template_fills_in_its_parameters_and_points_at_its_name() {
    let read = function("{Policies: [SQSSendMessagePolicy: {QueueName: !GetAtt Q.QueueName}]}");
    assert_eq!(
        read.grants("FRole")[1],
        "Allow sqs:SendMessage* on arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${Q.QueueName}"
    );
    assert_eq!(read.at(read.identity("FRole").statements[1].span), "SQSSendMessagePolicy");
}

#[test]
fn a_customers_policy_stays_unresolved() {
    let read = function("{Policies: [arn:aws:iam::123456789012:policy/theirs]}");
    assert_eq!(
        read.identity("FRole").unresolved_policies[0].value.to_string(),
        "arn:aws:iam::123456789012:policy/theirs"
    );
}

#[test]
fn a_managed_policy_that_aws_does_not_have_is_named() {
    for (policy, complaint) in [
        (
            "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
            "(did you mean `arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole`?)",
        ),
        ("AmazonSQSFullAcces", "(did you mean `AmazonSQSFullAccess`?)"),
        ("S3ReadPolicy", "(write it as an object with its parameters: `S3ReadPolicy: {}`)"),
    ] {
        let read = function(&format!("{{Policies: [{policy}]}}"));
        let complaints = read.complaints();
        assert!(complaints.len() == 1 && complaints[0].ends_with(complaint), "{complaints:?}");
        assert_eq!(read.identity("FRole").unresolved_policies.len(), 1);
    }
}

#[test]
fn an_apis_resource_policy_stands_at_the_api() {
    let read = read(
        r#"
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Auth:
        ResourcePolicy:
          CustomStatements: [{ Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*' }]
          IpRangeWhitelist: [10.0.0.0/8]
  Rest:
    Type: AWS::ApiGateway::RestApi
    Properties: { Policy: { Statement: { Effect: Deny, Principal: '*', Action: 'execute-api:Invoke', Resource: '*' } } }
"#,
    );
    let api = read.application().resource("Api").unwrap();
    assert_eq!(api.policy.iter().map(|statement| statement.effect).collect::<Vec<_>>(), [Effect::Allow, Effect::Deny]);
    assert_eq!(api.policy[1].condition, Some(serde_json::json!({"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}})));
    assert_eq!(read.application().resource("Rest").unwrap().policy[0].effect, Effect::Deny);
}

#[test]
fn properties_and_events_bring_permissions() {
    for (properties, expected, by) in [
        ("{Tracing: Active}", "xray:PutTraceSegments", "tracing"),
        ("{VpcConfig: {SubnetIds: [a], SecurityGroupIds: [b]}}", "ec2:CreateNetworkInterface", "VPC access"),
        (
            "{DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Q.Arn}}",
            "sqs:SendMessage on ${Q.Arn}",
            "dead letter queue",
        ),
        (
            "{DeadLetterQueue: {Type: SNS, TargetArn: 'arn:aws:sns:x'}}",
            "sns:Publish on arn:aws:sns:x",
            "dead letter queue",
        ),
        ("{Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}}}", "sqs:ReceiveMessage", "event E"),
        (
            "{Events: {E: {Type: SNS, Properties: {Topic: 'arn:aws:sns:x', SqsSubscription: true}}}}",
            "sqs:ReceiveMessage",
            "event E",
        ),
        (
            "{Events: {E: {Type: DynamoDB, Properties: {Stream: !GetAtt Table.StreamArn}}}}",
            "dynamodb:GetRecords",
            "event E",
        ),
        ("{Events: {E: {Type: Kinesis, Properties: {Stream: x}}}}", "kinesis:GetRecords", "event E"),
        ("{Events: {E: {Type: MSK, Properties: {Stream: x}}}}", "kafka:", "event E"),
        (
            "{Events: {E: {Type: MQ, Properties: {Broker: 'arn:b', SourceAccessConfigurations: [{Type: BASIC_AUTH, URI: 'arn:s'}]}}}}",
            "secretsmanager:GetSecretValue on arn:s",
            "event E",
        ),
        (
            "{Events: {E: {Type: MQ, Properties: {Broker: 'arn:b', SecretsManagerKmsKeyId: k}}}}",
            "kms:Decrypt on arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/k",
            "event E",
        ),
        (
            "{Events: {E: {Type: DocumentDB, Properties: {Cluster: 'arn:c'}}}}",
            "rds:DescribeDBClusters on arn:c",
            "event E",
        ),
    ] {
        let read = function(properties);
        let grants = read.grants("FRole");
        let at = grants
            .iter()
            .position(|grant| grant.contains(expected))
            .unwrap_or_else(|| panic!("{properties}: {grants:?}"));
        assert_eq!(read.identity("FRole").statements[at].origin, Origin::Implied(by.into()), "{properties}");
    }
}

#[test]
fn a_plain_role_is_read_with_everything_attached_to_it() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Lambda::Function, Properties: { Role: !GetAtt R.Arn } }
  G: { Type: AWS::Lambda::Function, Properties: { Role: !Sub 'arn:aws:iam::${AWS::AccountId}:role/shop' } }
  H: { Type: AWS::Lambda::Function, Properties: { Role: 'arn:aws:iam::1:role/elsewhere' } }
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: shop
      PermissionsBoundary: arn:aws:iam::1:policy/boundary
      AssumeRolePolicyDocument:
        Statement: [{ Effect: Allow, Principal: { Service: [lambda.amazonaws.com], AWS: !Ref AWS::AccountId }, Action: 'sts:AssumeRole' }]
      ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonSQSFullAccess, !Ref Own]
      Policies:
        - PolicyName: a
          PolicyDocument:
            Statement:
              - { Effect: Deny, NotAction: 's3:*', NotResource: 'arn:x', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties: { PolicyDocument: { Statement: { Effect: Allow, Action: 'ses:SendEmail', Resource: '*' } } }
  Attached:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: attached
      Roles: [!Ref R]
      PolicyDocument: { Statement: [{ Effect: Allow, Action: 'sns:Publish', Resource: '*' }] }
  ByName:
    Type: AWS::IAM::RolePolicy
    Properties:
      PolicyName: b
      RoleName: shop
      PolicyDocument: !Sub '{"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:${AWS::Partition}:kms:x"}]}'
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    assert_eq!(
        read.grants("R"),
        [
            "Deny s3:* on arn:x",
            "Allow sqs:* on *",
            "Allow ses:SendEmail on *",
            "Allow sns:Publish on *",
            "Allow kms:Decrypt on arn:${AWS::Partition}:kms:x"
        ]
    );
    let role = read.identity("R");
    let deny = &role.statements[0];
    assert!(deny.not_actions && deny.not_resources && deny.effect == Effect::Deny && deny.condition.is_some());
    assert_eq!(
        role.trusted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["lambda.amazonaws.com", "${AWS::AccountId}"]
    );
    assert_eq!(role.boundary.as_ref().unwrap().to_string(), "arn:aws:iam::1:policy/boundary");
    assert_eq!(read.function("F").identity.as_deref(), Some("R"));
    assert_eq!(read.function("G").identity.as_deref(), Some("R"), "by the role's name");
    assert_eq!(read.function("H").identity, None);
}

#[test]
fn a_stand_alone_policy_reaches_a_generated_role() {
    let read = read(
        r#"
Resources:
  F: { Type: AWS::Serverless::Function }
  P:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [!Ref FRole]
      PolicyDocument: { Statement: { Effect: Allow, Action: 'sns:Publish', Resource: '*' } }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    assert!(read.grants("FRole").contains(&"Allow sns:Publish on *".to_string()));
}

#[test]
fn connectors_grant_what_their_permissions_say() {
    let read = read(
        r#"
Resources:
  F:
    Type: AWS::Serverless::Function
    Connectors:
      Send: { Properties: { Destination: { Id: Q }, Permissions: [Write] } }
  Table: { Type: AWS::Serverless::SimpleTable }
  Q: { Type: AWS::SQS::Queue }
  C:
    Type: AWS::Serverless::Connector
    Properties: { Source: { Id: F }, Destination: { Id: Table }, Permissions: [Read] }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    let statements = &read.identity("FRole").statements;
    let of =
        |name: &str| statements.iter().find(|statement| statement.origin == Origin::Connector(name.into())).unwrap();
    assert!(
        of("C").actions.contains(&"dynamodb:GetItem".to_string())
            && !of("C").actions.contains(&"dynamodb:PutItem".to_string())
    );
    assert_eq!(of("C").resources[0].to_string(), "${Table.Arn}");
    assert!(of("Send").actions.contains(&"sqs:SendMessage".to_string()));
    assert_eq!(read.at(of("Send").span), "Send");
}

#[test]
fn resource_policies_stand_at_their_resource() {
    let read = read(
        r#"
Resources:
  B: { Type: AWS::S3::Bucket, Properties: { BucketName: shop-files } }
  Q: { Type: AWS::SQS::Queue }
  T: { Type: AWS::SNS::Topic }
  F: { Type: AWS::Serverless::Function }
  BP:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: shop-files
      PolicyDocument: { Statement: { Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub '${B.Arn}/*' } }
  QP:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Q]
      PolicyDocument: { Statement: [{ Effect: Allow, Principal: { Service: sns.amazonaws.com }, Action: 'sqs:SendMessage', Resource: '*' }] }
  TP:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref T]
      PolicyDocument: { Statement: [{ Effect: Allow, Principal: { AWS: '*' }, Action: 'sns:Publish', Resource: !Ref T }] }
  LP:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref F, Action: 'lambda:InvokeFunction', Principal: s3.amazonaws.com, SourceArn: !GetAtt B.Arn }
"#,
    );
    let principal = |name: &str| read.application().resource(name).unwrap().policy[0].principals[0].to_string();
    assert_eq!(principal("B"), "*");
    assert_eq!(principal("Q"), "sns.amazonaws.com");
    assert_eq!(principal("T"), "*");
    assert_eq!(principal("LP"), "s3.amazonaws.com");
    assert_eq!(
        read.application().resource("LP").unwrap().policy[0].condition,
        Some(serde_json::json!({"ArnLike": {"aws:SourceArn": "${B.Arn}"}}))
    );
}
