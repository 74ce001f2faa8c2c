//! Services of the Serverless Framework.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Read, read_with};
use graph::{Authorization, Code, Exposure, Format, TriggerKind};

fn service(text: &str) -> Read {
    read_with("serverless.yml", text, &[])
}

const SHOP: &str = r#"
service: shop
frameworkVersion: '3'
custom:
  table: orders-${sls:stage}
  limits: { dev: 5, prod: 50 }
provider:
  name: aws
  runtime: nodejs20.x
  stage: ${opt:stage, 'prod'}
  region: eu-west-1
  timeout: ${self:custom.limits.${self:provider.stage}}
  environment:
    TABLE: ${self:custom.table}
    SECRET: ${ssm:/shop/${sls:stage}/key}
    PAY: ${env:PAY_HOST, 'pay.example.com'}
  iam:
    role:
      statements:
        - Effect: Allow
          Action: dynamodb:*
          Resource: !GetAtt OrdersTable.Arn
        - Effect: Allow
          Action: [sqs:SendMessage]
          Resource:
            Fn::Sub: arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${self:service}-${ssm:/q}
      managedPolicies:
        - arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
functions:
  create-order:
    handler: src/orders.create
    events:
      - http: POST orders
      - http:
          path: /orders/{id}
          method: delete
          authorizer: check
      - http: { path: /keyed, method: get, private: true }
      - http: { path: /signed, method: get, authorizer: aws_iam }
  check:
    handler: src/auth.check
  work:
    handler: src/work.handler
    environment: { TABLE: other, FN: !Ref CheckLambdaFunction }
    events:
      - sqs:
          arn: !GetAtt Jobs.Arn
          functionResponseType: ReportBatchItemFailures
      - s3: shop-uploads
      - schedule: rate(1 hour)
      - stream: { type: dynamodb, arn: !GetAtt OrdersTable.StreamArn }
resources:
  Resources:
    OrdersTable:
      Type: AWS::DynamoDB::Table
      Properties: { TableName: "${self:custom.table}" }
    Jobs: { Type: AWS::SQS::Queue }
"#;

#[test]
fn a_service_is_read_as_what_the_framework_deploys() {
    let read = service(SHOP);
    assert_eq!(read.complaints(), Vec::<String>::new());
    let application = read.application();
    assert_eq!(application.format, Format::ServerlessFramework);
    assert_eq!(
        application.functions.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["create-order", "check", "work"]
    );
    let create = read.function("create-order");
    assert_eq!(create.deployed_name.as_ref().unwrap().to_string(), "shop-prod-create-order");
    assert_eq!(create.runtime.as_ref().unwrap().value, "nodejs20.x");
    assert_eq!(create.timeout.as_ref().unwrap().value, 50);
    assert_eq!(create.identity.as_deref(), Some("IamRoleLambdaExecution"));
    assert!(matches!(&create.code, Code::Local(folder) if folder.value == "."));
    assert_eq!(read.at(create.handler.as_ref().unwrap().span), "src/orders.create");
    assert_eq!(read.variable("create-order", "TABLE"), "orders-prod");
    assert_eq!(read.variable("create-order", "SECRET"), "${ssm:/shop/prod/key}");
    assert_eq!(read.variable("create-order", "PAY"), "pay.example.com");
    assert_eq!(read.variable("work", "TABLE"), "other");
    assert_eq!(read.variable("work", "FN"), "${check}");
    assert_eq!(create.log_group.as_deref(), Some("CreateDashorderLogGroup"));
}

#[test]
fn one_role_is_shared_and_holds_what_events_need() {
    let read = service(SHOP);
    let grants = read.grants("IamRoleLambdaExecution");
    assert!(grants.contains(&"Allow dynamodb:* on ${OrdersTable.Arn}".to_string()), "{grants:#?}");
    assert!(
        grants.contains(
            &"Allow sqs:SendMessage on arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:shop-${ssm:/q}".to_string()
        ),
        "{grants:#?}"
    );
    let polled = "Allow sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes on ${Jobs.Arn}";
    assert!(grants.contains(&polled.to_string()), "{grants:#?}");
    assert!(grants.iter().any(|grant| grant.contains("s3:Get*")), "{grants:#?}");
    assert!(grants.iter().any(|grant| grant.ends_with("log-group:/aws/lambda/shop-prod*:*:*")), "{grants:#?}");
    assert!(
        grants.iter().any(|grant| grant.contains("dynamodb:GetRecords") && grant.ends_with("${OrdersTable.StreamArn}"))
    );
    assert!(!read.identity("IamRoleLambdaExecution").generated);
}

#[test]
fn routes_say_who_may_call_them() {
    let read = service(SHOP);
    let application = read.application();
    let shown: Vec<(String, Exposure, Option<Authorization>)> = application
        .triggers_of("create-order")
        .map(|trigger| (trigger.label(), trigger.exposure(), trigger.authorization.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            ("POST /orders".to_string(), Exposure::Public, Some(Authorization::None)),
            ("DELETE /orders/{id}".to_string(), Exposure::Authenticated, Some(Authorization::Lambda("check".into()))),
            ("GET /keyed".to_string(), Exposure::Public, Some(Authorization::ApiKey)),
            ("GET /signed".to_string(), Exposure::Authenticated, Some(Authorization::Iam)),
        ]
    );
    assert_eq!(read.trigger("check").filter.as_deref(), Some("authorizer"));
    let work: Vec<String> = application.triggers_of("work").map(|trigger| trigger.label()).collect();
    assert_eq!(
        work,
        [
            "sqs ${Jobs.Arn}",
            "s3 ${S3BucketShopuploads}",
            "schedule rate(1 hour)",
            "dynamodb-stream ${OrdersTable.StreamArn}"
        ]
    );
    let first = application.triggers_of("work").next().unwrap();
    assert_eq!(first.kind, TriggerKind::Sqs);
    assert!(first.report_batch_item_failures);
    assert!(application.resource("ApiGatewayRestApi").is_some());
}
