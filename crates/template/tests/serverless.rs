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

#[test]
fn files_and_variables_inside_variables_are_put_in() {
    let read = read_with(
        "shop/serverless.yml",
        r#"
service: { name: shop }
provider: { name: aws, runtime: python3.12, stage: "${opt:stage, self:custom.default}", region: "${opt:region}" }
custom:
  default: qa
  all: ${file(config/${self:provider.stage}.json)}
  host: ${self:custom.all.hosts.0}
functions:
  - ${file(functions/users.yml)}
  - admin:
      handler: admin.run
      environment:
        HOST: https://${self:custom.host}/
        REGION: ${aws:region}
        ACCOUNT: a-${aws:accountId}
        STACK: ${cf:other-${sls:stage}.Table}
        PARAM: ${param:size, 3}
        FLAG: ${strToBool(1)}
        LITERAL: $${AWS::Region}
resources:
  - ${file(resources.yml)}
  - Outputs: { X: { Value: 1 } }
"#,
        &[
            ("shop/config/qa.json", r#"{"hosts": ["a.example.com"], "table": "users-qa"}"#),
            (
                "shop/functions/users.yml",
                "users:\n  handler: users.get\n  environment: { TABLE: !Ref Users, NAME: '${self:custom.all.table}' }\n",
            ),
            ("shop/resources.yml", "Resources:\n  Users: { Type: AWS::DynamoDB::Table }\n"),
        ],
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    assert_eq!(read.variable("users", "TABLE"), "${Users}");
    assert_eq!(read.variable("users", "NAME"), "users-qa");
    assert_eq!(read.variable("admin", "HOST"), "https://a.example.com/");
    assert_eq!(read.variable("admin", "REGION"), "${AWS::Region}");
    assert_eq!(read.variable("admin", "ACCOUNT"), "a-${AWS::AccountId}");
    assert_eq!(read.variable("admin", "STACK"), "${cf:other-qa.Table}");
    assert_eq!(read.variable("admin", "PARAM"), "3");
    assert_eq!(read.variable("admin", "FLAG"), "true");
    let users = read.function("users");
    assert!(matches!(&users.code, Code::Local(folder) if folder.value == "shop"));
    assert_eq!(read.sources.path(users.span), "shop/functions/users.yml");
    assert_eq!(read.application().name, "shop");
    assert_eq!(read.reading.included.len(), 3, "none of them is a template of its own");
}

#[test]
fn variables_that_lead_in_circles_or_multiply_come_to_an_end() {
    let read = service(
        "service: x\nprovider: { name: aws, stage: '${self:provider.stage}' }\ncustom: { a: '${self:custom.b}', b: '${self:custom.a}' }\nfunctions:\n  f: { handler: a.b, environment: { A: '${self:custom.a}' } }\n",
    );
    assert_eq!(read.variable("f", "A"), "${self:custom.b}");
    let mut text =
        String::from("service: x\nprovider: { name: aws }\nfunctions:\n  f: { handler: a.b }\ncustom:\n  v0: [x]\n");
    for level in 1..40 {
        let before = format!("'${{self:custom.v{}}}'", level - 1);
        text.push_str(&format!("  v{level}: [{}]\n", vec![before; 10].join(", ")));
    }
    let read = service(&text);
    assert_eq!(read.application().functions.len(), 1);
    assert!(read.complaints().iter().any(|complaint| complaint.contains("make more than")), "{:?}", read.complaints());
}

#[test]
fn each_function_has_its_own_role_where_a_plugin_makes_them() {
    let read = service(
        r#"
service: shop
plugins: [serverless-iam-roles-per-function]
provider:
  name: aws
  runtime: python3.12
  iamRoleStatements:
    - { Effect: Allow, Action: "s3:GetObject", Resource: "*" }
functions:
  own:
    handler: a.own
    iamRoleStatements: [{ Effect: Allow, Action: "sns:Publish", Resource: "*" }]
  both:
    handler: a.both
    iamRoleStatementsInherit: true
    iamRoleStatements: [{ Effect: Allow, Action: "sns:Publish", Resource: "*" }]
  shared: { handler: a.shared }
  named: { handler: a.named, role: Custom }
  foreign: { handler: a.foreign, role: "arn:aws:iam::123456789012:role/elsewhere" }
resources:
  Resources:
    Custom:
      Type: AWS::IAM::Role
      Properties: { AssumeRolePolicyDocument: {} , Policies: [] }
"#,
    );
    let of = |name: &str| read.function(name).identity.clone();
    assert_eq!(of("own").as_deref(), Some("OwnIamRoleLambdaExecution"));
    assert_eq!(of("shared").as_deref(), Some("IamRoleLambdaExecution"));
    assert_eq!(of("named").as_deref(), Some("Custom"));
    assert_eq!(of("foreign"), None);
    let holds = |role: &str, action: &str| read.grants(role).iter().any(|grant| grant.contains(action));
    assert!(holds("OwnIamRoleLambdaExecution", "sns:Publish") && !holds("OwnIamRoleLambdaExecution", "s3:GetObject"));
    assert!(holds("BothIamRoleLambdaExecution", "sns:Publish") && holds("BothIamRoleLambdaExecution", "s3:GetObject"));
    assert!(!holds("IamRoleLambdaExecution", "sns:Publish") && holds("IamRoleLambdaExecution", "s3:GetObject"));
    assert!(read.identity("OwnIamRoleLambdaExecution").generated);
}

#[test]
fn statements_without_their_plugin_do_nothing_and_that_is_said() {
    let read = service(
        "service: x\nprovider: { name: aws, runtime: python3.12 }\nplugins: [serverless-secret-baker]\nfunctions:\n  f:\n    handler: a.f\n    iamRoleStatements: [{ Effect: Allow, Action: '*', Resource: '*' }]\n    events:\n      - htpp: GET /\n",
    );
    assert!(read.grants("IamRoleLambdaExecution").iter().all(|grant| grant.contains("logs:")));
    assert_eq!(
        read.complaints(),
        [
            "3: what plugin `serverless-secret-baker` adds isn't known here (roles, resources or routes that it makes are missing from what is said about this service)",
            "7: `iamRoleStatements` of `f` have no effect (they need the plugin `serverless-iam-roles-per-function`)",
            "9: unknown event type `htpp` (did you mean `http`?)",
        ]
    );
}

#[test]
fn http_apis_load_balancers_urls_and_sockets_say_who_may_call() {
    let read = service(
        r#"
service: shop
provider:
  name: aws
  runtime: nodejs20.x
  httpApi:
    authorizers:
      tokens: { type: jwt, identitySource: "$request.header.Authorization", issuerUrl: "https://x", audience: [y] }
      custom: { type: request, functionName: check }
  apiGateway: { resourcePolicy: [{ Effect: Deny, Principal: "*", Action: "execute-api:Invoke", Resource: "*" }] }
functions:
  check: { handler: a.check }
  api:
    handler: a.api
    url: true
    events:
      - httpApi: "*"
      - httpApi: { path: /jwt, method: get, authorizer: { name: tokens } }
      - httpApi: { path: /own, method: get, authorizer: custom }
      - httpApi: { path: /iam, method: get, authorizer: { type: aws_iam } }
      - http: { path: pool, method: any, authorizer: { name: p, arn: !GetAtt Pool.Arn } }
      - alb: { listenerArn: "arn:aws:x", priority: 1, conditions: { path: /alb, method: [GET, POST] } }
  signed: { handler: a.signed, url: { authorizer: aws_iam } }
  socket:
    handler: a.socket
    events:
      - websocket: { route: $connect, authorizer: check }
      - websocket: $default
resources: { Resources: { Pool: { Type: "AWS::Cognito::UserPool" } } }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    let shown = |function: &str| -> Vec<String> {
        let application = read.application();
        let each = application.triggers_of(function);
        each.map(|trigger| {
            format!("{} {} {}", trigger.kind.name(), trigger.label(), trigger.authorization.clone().unwrap())
        })
        .collect()
    };
    assert_eq!(
        shown("api"),
        [
            "function-url ANY / none",
            "http-api ANY $default none",
            "http-api GET /jwt JWT tokens",
            "http-api GET /own Lambda authorizer custom",
            "http-api GET /iam IAM",
            "rest-api ANY /pool Cognito Pool",
            "load-balancer GET, POST /alb none",
        ]
    );
    assert_eq!(shown("signed"), ["function-url ANY / IAM"]);
    assert_eq!(
        shown("socket"),
        ["websocket $connect Lambda authorizer check", "websocket $default Lambda authorizer check"]
    );
    assert_eq!(read.application().resource("ApiGatewayRestApi").unwrap().policy.len(), 1);
}

#[test]
fn a_service_in_a_program_or_another_cloud_is_said_to_be_unread() {
    let read = read_with("serverless.ts", "const config: AWS = { service: 'x', provider: { name: 'aws' } };", &[]);
    assert!(read.reading.application.is_none());
    assert_eq!(
        read.complaints(),
        [
            "1: `serverless.ts` is a program, which isn't run (write what `serverless print` gives beside it as `serverless.yml`)"
        ]
    );
    let read = service("service: x\nprovider: { name: google }\nfunctions: { f: { handler: h } }\n");
    assert!(read.reading.application.is_none());
    assert_eq!(read.complaints(), ["1: provider `google` isn't read (services on AWS are)"]);
}

#[test]
fn a_state_machine_of_the_plugin_starts_the_functions_its_tasks_name() {
    let read = service(
        r#"
service: flow
plugins: [serverless-step-functions]
provider: { name: aws, runtime: python3.12 }
functions: { charge: { handler: a.charge }, ship-it: { handler: a.ship }, idle: { handler: a.idle } }
stepFunctions:
  stateMachines:
    pay:
      definition:
        StartAt: Charge
        States: { Charge: { Type: Task, Resource: !GetAtt ChargeLambdaFunction.Arn, Next: Ship }, Ship: { Type: Task, Resource: { "Fn::GetAtt": [ship-it, Arn] }, End: true } }
"#,
    );
    assert_eq!(read.trigger("charge").kind, TriggerKind::StepFunctions);
    assert_eq!(read.trigger("charge").source.as_ref().unwrap().to_string(), "${PayStepFunctionsStateMachine}");
    assert_eq!(read.trigger("ship-it").kind, TriggerKind::StepFunctions);
    assert_eq!(read.application().triggers_of("idle").count(), 0);
}

#[test]
fn a_service_cut_off_anywhere_is_read_without_falling_over() {
    for end in (0..SHOP.len()).step_by(7).filter(|end| SHOP.is_char_boundary(*end)) {
        let read = service(&SHOP[..end]);
        if let Some(application) = &read.reading.application {
            assert!(application.functions.len() <= 3);
        }
    }
}

#[test]
fn queues_and_storage_of_lift_are_resources_and_their_workers_functions() {
    let read = service(
        r#"
service: mail
plugins: [serverless-lift]
provider: { name: aws, runtime: nodejs20.x }
constructs:
  jobs: { type: queue, worker: { handler: src/worker.handler } }
  avatars: { type: storage }
functions:
  publish:
    handler: src/publish.handler
    environment: { QUEUE_URL: "${construct:jobs.queueUrl}", BUCKET: "${construct:avatars.bucketName}" }
"#,
    );
    assert_eq!(read.complaints(), Vec::<String>::new());
    assert_eq!(read.variable("publish", "QUEUE_URL"), "${jobsQueue}");
    assert_eq!(read.variable("publish", "BUCKET"), "${avatarsBucket}");
    assert_eq!(read.trigger("jobsWorker").source.as_ref().unwrap().to_string(), "${jobsQueue.Arn}");
    assert_eq!(read.function("jobsWorker").handler.as_ref().unwrap().value, "src/worker.handler");
    let grants = read.grants("IamRoleLambdaExecution");
    assert!(grants.contains(&"Allow sqs:SendMessage on ${jobsQueue.Arn}".to_string()), "{grants:#?}");
    assert!(grants.iter().any(|grant| grant.contains("s3:PutObject") && grant.ends_with("${avatarsBucket.Arn}/*")));
}
