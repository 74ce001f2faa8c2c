//! Functions with their code and triggers, resources with their settings, modules, and text that is broken or hostile.

#![allow(clippy::unwrap_used)]

mod support;

use graph::{Code, Exposure, Format};
use support::{folder, read, read_main, read_plan};

const FUNCTION: &str = r#"
resource "aws_iam_role" "fn" {
  assume_role_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_lambda_function" "fn" {
  function_name = "fn"
  role          = aws_iam_role.fn.arn
  runtime       = "python3.12"
  handler       = "app.handler"
  filename      = "fn.zip"
}
"#;

fn with_function(text: &str) -> support::Read {
    read_main(&format!("{FUNCTION}{text}"))
}

fn code(read: &support::Read, function: &str) -> String {
    match &read.application().function(function).unwrap().code {
        Code::Local(path) => path.value.clone(),
        Code::Inline(text) => format!("inline {}", text.value),
        Code::Image(image) => format!("image {}", image.value),
        Code::Remote(place) => format!("remote {}", place.value),
        Code::Unknown => "unknown".into(),
    }
}

#[test]
fn a_function_has_its_settings_wherever_they_are_written() {
    let read = read(
        "deploy",
        &[
            (
                "deploy/main.tf",
                r#"
variable "stage" { type = string }
variable "size" { default = 128 }
locals {
  name = lower("Shop-${var.stage}")
  tags = merge({ team = "a" }, { stage = var.stage })
}
data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/../src/orders"
  output_path = "${path.module}/build/orders.zip"
}
resource "aws_dynamodb_table" "orders" {
  name = "${local.name}-orders"
}
resource "aws_sqs_queue" "failed" {}
resource "aws_iam_role" "fn" {
  name               = "fn"
  assume_role_policy = jsonencode({ Statement = [] })
}
resource "aws_lambda_function" "fn" {
  function_name = "${local.name}-fn"
  role          = aws_iam_role.fn.arn
  runtime       = "nodejs22.x"
  handler       = "index.handler"
  filename      = data.archive_file.code.output_path
  memory_size   = var.size * 2
  timeout       = 30
  architectures = ["arm64"]
  reserved_concurrent_executions = -1
  environment {
    variables = {
      TABLE  = aws_dynamodb_table.orders.name
      BUCKET = "arn:aws:s3:::${data.aws_caller_identity.me.account_id}-x"
      STAGE  = local.tags.stage
      SECRET = data.aws_ssm_parameter.key.value
    }
  }
  dead_letter_config { target_arn = aws_sqs_queue.failed.arn }
  tracing_config { mode = "Active" }
  vpc_config {
    subnet_ids         = var.subnets
    security_group_ids = []
  }
}
variable "subnets" { type = list(string) }
data "aws_caller_identity" "me" {}
data "aws_ssm_parameter" "key" { name = "/key" }
resource "aws_cloudwatch_log_group" "fn" {
  name              = "/aws/lambda/${aws_lambda_function.fn.function_name}"
  retention_in_days = 14
}
"#,
            ),
            ("deploy/terraform.tfvars", "stage = \"Prod\"\n"),
            ("deploy/z.auto.tfvars.json", "{\"size\": 256}"),
            ("src/orders/index.js", ""),
        ],
    );
    let application = read.application();
    assert_eq!(application.format, Format::Terraform);
    let function = &application.functions[0];
    assert_eq!(code(&read, "aws_lambda_function.fn"), "src/orders");
    assert_eq!(function.deployed_name.as_ref().unwrap().to_string(), "shop-prod-fn");
    assert_eq!(function.memory.as_ref().unwrap().value, 512);
    assert_eq!(function.reserved_concurrency, None);
    assert_eq!(function.identity.as_deref(), Some("aws_iam_role.fn"));
    assert_eq!(function.dead_letter.as_ref().unwrap().value.to_string(), "${aws_sqs_queue.failed.Arn}");
    assert_eq!(function.log_group.as_deref(), Some("aws_cloudwatch_log_group.fn"));
    assert_eq!(function.architecture.as_deref(), Some("arm64"));
    assert!(function.in_vpc);
    let environment: Vec<String> =
        function.environment.iter().map(|variable| format!("{}={}", variable.name, variable.value)).collect();
    assert_eq!(
        environment,
        ["TABLE=${aws_dynamodb_table.orders}", "BUCKET=arn:aws:s3:::${AWS::AccountId}-x", "STAGE=Prod", "SECRET=?"]
    );
    assert_eq!(read.place(function.span), "deploy/main.tf:21");
    assert_eq!(read.place(function.runtime.as_ref().unwrap().span), "deploy/main.tf:24");
    assert_eq!(application.resource("aws_dynamodb_table.orders").unwrap().resource_type, "AWS::DynamoDB::Table");
    assert_eq!(read.messages(), [] as [&str; 0]);
}

#[test]
fn routes_of_both_kinds_of_apis_say_who_may_call() {
    let read = with_function(
        r#"
resource "aws_apigatewayv2_api" "http" {
  name          = "http"
  protocol_type = "HTTP"
}
resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id          = aws_apigatewayv2_api.http.id
  authorizer_type = "JWT"
  name            = "jwt"
}
resource "aws_apigatewayv2_integration" "fn" {
  api_id           = aws_apigatewayv2_api.http.id
  integration_type = "AWS_PROXY"
  integration_uri  = aws_lambda_function.fn.invoke_arn
}
resource "aws_apigatewayv2_route" "open" {
  api_id    = aws_apigatewayv2_api.http.id
  route_key = "GET /open"
  target    = "integrations/${aws_apigatewayv2_integration.fn.id}"
}
resource "aws_apigatewayv2_route" "closed" {
  api_id             = aws_apigatewayv2_api.http.id
  route_key          = "POST /closed"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.jwt.id
  target             = "integrations/${aws_apigatewayv2_integration.fn.id}"
}
resource "aws_api_gateway_rest_api" "rest" { name = "rest" }
resource "aws_api_gateway_resource" "orders" {
  rest_api_id = aws_api_gateway_rest_api.rest.id
  parent_id   = aws_api_gateway_rest_api.rest.root_resource_id
  path_part   = "orders"
}
resource "aws_api_gateway_resource" "order" {
  rest_api_id = aws_api_gateway_rest_api.rest.id
  parent_id   = aws_api_gateway_resource.orders.id
  path_part   = "{id}"
}
resource "aws_api_gateway_model" "order" {
  rest_api_id  = aws_api_gateway_rest_api.rest.id
  name         = "Order"
  content_type = "application/json"
  schema       = jsonencode({ type = "object", required = ["sku"] })
}
resource "aws_api_gateway_request_validator" "body" {
  rest_api_id           = aws_api_gateway_rest_api.rest.id
  name                  = "body"
  validate_request_body = true
}
resource "aws_api_gateway_method" "put" {
  rest_api_id          = aws_api_gateway_rest_api.rest.id
  resource_id          = aws_api_gateway_resource.order.id
  http_method          = "PUT"
  authorization        = "AWS_IAM"
  request_validator_id = aws_api_gateway_request_validator.body.id
  request_models       = { "application/json" = aws_api_gateway_model.order.name }
}
resource "aws_api_gateway_integration" "put" {
  rest_api_id             = aws_api_gateway_rest_api.rest.id
  resource_id             = aws_api_gateway_resource.order.id
  http_method             = aws_api_gateway_method.put.http_method
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = aws_lambda_function.fn.invoke_arn
}
resource "aws_lambda_function_url" "url" {
  function_name      = aws_lambda_function.fn.function_name
  authorization_type = "NONE"
}
resource "aws_lambda_permission" "http" {
  function_name = aws_lambda_function.fn.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.http.execution_arn}/*/*"
}
"#,
    );
    let mut triggers = read.triggers("aws_lambda_function.fn");
    triggers.sort();
    assert_eq!(
        triggers,
        [
            "function-url ANY / (none)",
            "http-api GET /open (none)",
            "http-api POST /closed (JWT aws_apigatewayv2_authorizer.jwt)",
            "rest-api PUT /orders/{id} (IAM)",
        ]
    );
    let application = read.application();
    let put = application.triggers.iter().find(|trigger| trigger.method.as_deref() == Some("PUT")).unwrap();
    assert_eq!(put.body_schema.as_ref().unwrap().schema["required"][0], "sku");
    assert_eq!(application.exposure(&application.functions[0]), Exposure::Public);
}

#[test]
fn an_open_api_document_with_holes_makes_routes() {
    let read = with_function(
        r#"
resource "aws_api_gateway_rest_api" "rest" {
  name = "rest"
  body = <<YAML
openapi: 3.0.1
paths:
  /orders:
    post:
      operationId: order
      x-amazon-apigateway-integration:
        type: aws_proxy
        uri: ${aws_lambda_function.fn.invoke_arn}
YAML
}
"#,
    );
    assert_eq!(read.triggers("aws_lambda_function.fn"), ["rest-api POST /orders (none)"]);
    assert_eq!(read.place(read.application().triggers[0].span), "main.tf:19");
}

#[test]
fn what_feeds_a_function_is_found() {
    let read = with_function(
        r#"
resource "aws_sqs_queue" "in" { name = "in" }
resource "aws_lambda_event_source_mapping" "in" {
  event_source_arn        = aws_sqs_queue.in.arn
  function_name           = aws_lambda_function.fn.arn
  function_response_types = ["ReportBatchItemFailures"]
}
resource "aws_sns_topic" "t" {}
resource "aws_sns_topic_subscription" "t" {
  topic_arn = aws_sns_topic.t.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.fn.arn
}
resource "aws_s3_bucket" "b" {}
resource "aws_s3_bucket_notification" "b" {
  bucket = aws_s3_bucket.b.id
  lambda_function {
    lambda_function_arn = aws_lambda_function.fn.arn
    events              = ["s3:ObjectCreated:*"]
    filter_suffix       = ".csv"
  }
}
resource "aws_cloudwatch_event_rule" "r" { schedule_expression = "rate(1 day)" }
resource "aws_cloudwatch_event_target" "r" {
  rule = aws_cloudwatch_event_rule.r.name
  arn  = aws_lambda_function.fn.arn
}
resource "aws_cognito_user_pool" "p" {
  name = "p"
  lambda_config { pre_sign_up = aws_lambda_function.fn.arn }
}
resource "aws_sfn_state_machine" "m" {
  name       = "m"
  role_arn   = "arn:aws:iam::123456789012:role/m"
  definition = jsonencode({ States = { A = { Type = "Task", Resource = aws_lambda_function.fn.arn } } })
}
resource "aws_iot_topic_rule" "i" {
  name    = "i"
  enabled = true
  sql     = "SELECT * FROM 'a'"
  lambda { function_arn = aws_lambda_function.fn.arn }
}
resource "aws_lb_target_group" "g" { target_type = "lambda" }
resource "aws_lb_target_group_attachment" "g" {
  target_group_arn = aws_lb_target_group.g.arn
  target_id        = aws_lambda_function.fn.arn
}
resource "aws_lb_listener_rule" "g" {
  listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/x/1/2"
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.g.arn
  }
  condition {
    path_pattern { values = ["/api/*"] }
  }
}
resource "aws_cloudfront_distribution" "d" {
  default_cache_behavior {
    lambda_function_association {
      event_type = "viewer-request"
      lambda_arn = aws_lambda_function.fn.qualified_arn
    }
  }
}
resource "aws_appsync_graphql_api" "a" {
  name                = "a"
  authentication_type = "API_KEY"
}
resource "aws_appsync_datasource" "a" {
  api_id = aws_appsync_graphql_api.a.id
  name   = "a"
  type   = "AWS_LAMBDA"
  lambda_config { function_arn = aws_lambda_function.fn.arn }
}
resource "aws_appsync_resolver" "a" {
  api_id      = aws_appsync_graphql_api.a.id
  type        = "Query"
  field       = "order"
  data_source = aws_appsync_datasource.a.name
}
"#,
    );
    let kinds: Vec<&str> = read.application().triggers.iter().map(|trigger| trigger.kind.name()).collect();
    for kind in
        ["sqs", "sns", "s3", "schedule", "cognito", "step-functions", "iot", "load-balancer", "cloudfront", "appsync"]
    {
        assert!(kinds.contains(&kind), "{kind} is not among {kinds:?}");
    }
    assert_eq!(kinds.len(), 10, "{kinds:?}");
    let triggers = &read.application().triggers;
    assert!(triggers.iter().any(|trigger| trigger.report_batch_item_failures));
    assert!(triggers.iter().any(|trigger| trigger.path.as_deref() == Some("/api/*")));
}

#[test]
fn settings_that_stand_apart_belong_to_their_bucket_queue_and_topic() {
    let read = read_main(
        r#"
resource "aws_s3_bucket" "b" { bucket = "b" }
resource "aws_s3_bucket_acl" "b" {
  bucket = aws_s3_bucket.b.id
  acl    = "public-read"
}
resource "aws_s3_bucket_public_access_block" "b" {
  bucket            = aws_s3_bucket.b.id
  block_public_acls = false
}
resource "aws_s3_bucket_policy" "b" {
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({ Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "${aws_s3_bucket.b.arn}/*" }] })
}
resource "aws_sqs_queue" "q" {
  name                    = "q"
  sqs_managed_sse_enabled = false
  policy                  = jsonencode({ Statement = [{ Effect = "Allow", Principal = { AWS = "*" }, Action = "sqs:SendMessage", Resource = "*" }] })
}
resource "aws_kinesis_stream" "s" {
  name            = "s"
  encryption_type = "NONE"
}
resource "aws_db_instance" "d" {
  engine            = "postgres"
  storage_encrypted = true
}
"#,
    );
    let application = read.application();
    let bucket = application.resource("aws_s3_bucket.b").unwrap();
    assert_eq!(bucket.property("AccessControl").unwrap(), "PublicRead");
    assert_eq!(bucket.property("PublicAccessBlockConfiguration.BlockPublicAcls").unwrap(), false);
    assert_eq!(read.place(bucket.property_span("AccessControl")), "main.tf:5");
    assert_eq!(support::shown(&bucket.policy[0]), "Allow s3:GetObject on ${aws_s3_bucket.b.Arn}/* by *");
    let queue = application.resource("aws_sqs_queue.q").unwrap();
    assert_eq!(queue.property("SqsManagedSseEnabled").unwrap(), false);
    assert_eq!(support::shown(&queue.policy[0]), "Allow sqs:SendMessage on * by *");
    assert!(application.resource("aws_kinesis_stream.s").unwrap().property("StreamEncryption").is_none());
    assert_eq!(application.resource("aws_db_instance.d").unwrap().property("StorageEncrypted").unwrap(), true);
}

#[test]
fn modules_are_used_with_what_they_are_given_each_under_its_own_name() {
    let module = r#"
variable "name" {}
variable "options" {
  type = object({ timeout = optional(number, 5), runtime = string })
}
variable "statements" { default = [] }
resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = "{}"
}
resource "aws_iam_role_policy" "this" {
  count  = length(var.statements) > 0 ? 1 : 0
  role   = aws_iam_role.this.id
  policy = jsonencode({ Statement = var.statements })
}
resource "aws_lambda_function" "this" {
  function_name = var.name
  role          = aws_iam_role.this.arn
  runtime       = var.options.runtime
  timeout       = var.options.timeout
  handler       = "app.handler"
  filename      = data.archive_file.this.output_path
}
data "archive_file" "this" {
  type        = "zip"
  source_dir  = "${path.root}/src/${var.name}"
  output_path = "${path.module}/out.zip"
}
output "arn" { value = aws_lambda_function.this.arn }
"#;
    let main = r#"
locals {
  functions = {
    pay  = { runtime = "python3.12" }
    ship = { runtime = "nodejs22.x", timeout = 60 }
  }
}
module "function" {
  source   = "./modules/function"
  for_each = local.functions
  name     = each.key
  options  = each.value
  statements = each.key == "pay" ? [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.q.arn }] : []
}
resource "aws_sqs_queue" "q" {}
resource "aws_lambda_event_source_mapping" "q" {
  event_source_arn = aws_sqs_queue.q.arn
  function_name    = module.function["ship"].arn
}
"#;
    let files = [("main.tf", main), ("modules/function/main.tf", module)];
    assert_eq!(terraform::roots(files.iter().map(|(path, _)| *path), &folder(&files)), [""]);
    let read = read("", &files);
    let pay = "module.function[\"pay\"].aws_lambda_function.this";
    let ship = "module.function[\"ship\"].aws_lambda_function.this";
    assert_eq!((code(&read, pay), code(&read, ship)), ("src/pay".to_string(), "src/ship".to_string()));
    let timeout = |name: &str| read.application().function(name).unwrap().timeout.as_ref().unwrap().value;
    assert_eq!((timeout(pay), timeout(ship)), (5, 60));
    assert_eq!(
        read.statements("module.function[\"pay\"].aws_iam_role.this"),
        ["Allow sqs:SendMessage on ${aws_sqs_queue.q.Arn}"]
    );
    assert_eq!(read.statements("module.function[\"ship\"].aws_iam_role.this"), [] as [&str; 0]);
    assert_eq!(read.triggers(ship), ["sqs sqs ${aws_sqs_queue.q.Arn}"]);
    assert_eq!(read.triggers(pay), [] as [&str; 0]);
}

#[test]
fn a_well_known_module_of_the_registry_is_understood_and_another_one_is_listed() {
    let read = read_main(
        r#"
module "fn" {
  source        = "terraform-aws-modules/lambda/aws"
  version       = "~> 7.0"
  function_name = "fn"
  handler       = "app.handler"
  runtime       = "python3.12"
  source_path   = "./src"
  attach_policy_statements = true
  policy_statements = {
    table = { effect = "Allow", actions = ["dynamodb:PutItem"], resources = [module.table.dynamodb_table_arn] }
  }
  event_source_mapping = { queue = { event_source_arn = module.queue.queue_arn } }
  create_lambda_function_url = true
}
module "queue" { source = "terraform-aws-modules/sqs/aws" }
module "table" {
  source = "terraform-aws-modules/dynamodb-table/aws"
  name   = "orders"
}
module "vpc" { source = "terraform-aws-modules/vpc/aws" }
"#,
    );
    let function = "module.fn.aws_lambda_function.this[0]";
    assert_eq!(code(&read, function), "src");
    assert_eq!(read.place(read.application().function(function).unwrap().span), "main.tf:2");
    assert_eq!(
        read.triggers(function),
        ["function-url ANY / (none)", "sqs sqs ${module.queue.aws_sqs_queue.this[0].Arn}"]
    );
    let statements = read.statements("module.fn.aws_iam_role.lambda[0]");
    assert!(
        statements.contains(&"Allow dynamodb:PutItem on ${module.table.aws_dynamodb_table.this[0].Arn}".to_string()),
        "{statements:?}"
    );
    assert_eq!(read.messages(), ["main.tf:21 module `vpc` (`terraform-aws-modules/vpc/aws`) is not here"]);
}

#[test]
fn a_mistake_costs_its_block_and_is_told_where_it_is() {
    let read = read_main(
        r#"
resource "aws_sqs_queue" "a" {
  name = "a
}
resource "aws_sqs_queue" "b" {
  name = "b"

resource "aws_sqs_queue" "c" {
  name = upper("c")
}
}
resource "aws_sqs_queue" "d" { name = }
resource "aws_sqs_queue" "e" {}
"#,
    );
    let names: Vec<&str> = read.application().resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["aws_sqs_queue.a", "aws_sqs_queue.b", "aws_sqs_queue.c", "aws_sqs_queue.d", "aws_sqs_queue.e"]);
    let messages = read.messages();
    assert!(messages[0].starts_with("main.tf:3 "), "{messages:?}");
    assert!(messages.contains(&"main.tf:5 the block `resource` is not closed".to_string()), "{messages:?}");
    assert!(messages.iter().any(|message| message.starts_with("main.tf:12 ")), "{messages:?}");
}

#[test]
fn circles_bombs_and_deep_nesting_come_to_an_end() {
    let mut bomb = String::from("locals {\n  a0 = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n");
    for level in 1..14 {
        let items = vec![format!("local.a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("  a{level} = [{items}]\n"));
    }
    bomb.push_str("  x = local.y\n  y = local.x\n}\n");
    bomb.push_str("resource \"aws_sqs_queue\" \"q\" {\n  name = local.x\n  tags = flatten(local.a13)\n}\n");
    bomb.push_str("resource \"aws_sqs_queue\" \"many\" { count = 1000000000 }\n");
    let read = read_main(&bomb);
    assert!(read.application().resource("aws_sqs_queue.q").is_some());
    assert!(read.application().resources.len() <= 1_001);
    let mut chain = String::from("locals {\n  l0 = \"end\"\n");
    for level in 1..2_000 {
        let before = level - 1;
        chain.push_str(&format!(
            "  l{level} = true ? merge({{ x = jsonencode([for i in [\"${{local.l{before}}}\"] : upper(i)]) }}, {{}}).x : null\n"
        ));
    }
    chain.push_str("}\nresource \"aws_sqs_queue\" \"q\" {\n  name = local.l1999\n}\n");
    assert!(read_main(&chain).application().resource("aws_sqs_queue.q").is_some());
    for text in [
        format!("locals {{ a = {} }}", "[".repeat(100_000)),
        format!("locals {{ a = {}1 }}", "!".repeat(100_000)),
        format!("locals {{ a = {}1 }}", "-".repeat(100_000)),
        format!("locals {{ a = {} }}", "a ? b : ".repeat(50_000)),
        format!("locals {{ a = {} }}", "\"${".repeat(50_000)),
        format!("locals {{ a = x{} }}", ".y".repeat(50_000)),
        format!("locals {{ a = 1{} }}", " + 1".repeat(50_000)),
        "a {\n".repeat(50_000),
    ] {
        let read = read_main(&format!("{text}\nresource \"aws_sqs_queue\" \"q\" {{}}\n"));
        assert!(!read.reading.diagnostics.is_empty());
    }
}

#[test]
fn folders_that_use_each_other_are_read_once() {
    let files = [
        ("a/main.tf", "module \"b\" { source = \"../b\" }\nresource \"aws_sqs_queue\" \"a\" {}\n"),
        ("b/main.tf", "module \"a\" { source = \"../a\" }\nresource \"aws_sqs_queue\" \"b\" {}\n"),
        ("c/main.tf", "# module \"d\" { source = \"../d\" }\nresource \"aws_sqs_queue\" \"c\" {}\n"),
        ("d/main.tf", "resource \"aws_sqs_queue\" \"d\" {}\n"),
        ("e/variables.tf", "variable \"x\" {}\n"),
    ];
    let repository = folder(&files);
    assert_eq!(terraform::roots(files.iter().map(|(path, _)| *path), &repository), ["a", "c", "d", "e"]);
    assert!(read("a", &files).application().resource("module.b.aws_sqs_queue.b").is_some());
    assert!(read("e", &files).reading.application.is_none());
}

#[test]
fn json_configuration_is_the_same_configuration() {
    let read = read(
        "",
        &[(
            "main.tf.json",
            r#"{
  "locals": { "name": "in" },
  "resource": {
    "aws_sqs_queue": { "q": { "name": "${local.name}-queue" } },
    "aws_sns_topic": { "t": [{ "name": "t" }] }
  }
}"#,
        )],
    );
    let queue = read.application().resource("aws_sqs_queue.q").unwrap();
    assert_eq!(queue.deployed_name.as_ref().unwrap().to_string(), "in-queue");
    assert_eq!(read.place(queue.span), "main.tf.json:4");
    assert!(read.application().resource("aws_sns_topic.t").is_some());
}

#[test]
fn a_plan_gives_the_same_with_references_where_values_are_not_known_yet() {
    let plan = r#"{
  "format_version": "1.2",
  "planned_values": { "root_module": {
    "resources": [
      { "address": "aws_sqs_queue.q", "mode": "managed", "type": "aws_sqs_queue", "name": "q", "values": { "name": "q" } },
      { "address": "aws_lambda_event_source_mapping.q", "mode": "managed", "type": "aws_lambda_event_source_mapping", "name": "q",
        "values": { "batch_size": 10 } }
    ],
    "child_modules": [ { "address": "module.fn", "resources": [
      { "address": "module.fn.aws_iam_role.r", "mode": "managed", "type": "aws_iam_role", "name": "r",
        "values": { "name": "r", "assume_role_policy": "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}}]}" } },
      { "address": "module.fn.aws_lambda_function.f[0]", "mode": "managed", "type": "aws_lambda_function", "name": "f", "index": 0,
        "values": { "function_name": "f", "runtime": "python3.12", "handler": "app.handler", "filename": "f.zip",
                    "environment": [ { "variables": { "LEVEL": "info" } } ] } }
    ] } ]
  } },
  "configuration": { "root_module": {
    "resources": [
      { "address": "aws_lambda_event_source_mapping.q", "expressions": {
        "event_source_arn": { "references": ["aws_sqs_queue.q.arn", "aws_sqs_queue.q"] },
        "function_name": { "references": ["module.fn.arn", "module.fn"] } } }
    ],
    "module_calls": { "fn": { "module": {
      "outputs": { "arn": { "expression": { "references": ["aws_lambda_function.f[0].arn", "aws_lambda_function.f[0]", "aws_lambda_function.f"] } } },
      "resources": [
        { "address": "aws_lambda_function.f", "expressions": { "role": { "references": ["aws_iam_role.r.arn", "aws_iam_role.r"] } } }
      ] } } }
  } }
}"#;
    assert!(terraform::looks_like_plan("plan.json", plan));
    let read = read_plan(plan);
    let function = &read.application().functions[0];
    assert_eq!(function.name, "module.fn.aws_lambda_function.f[0]");
    assert_eq!(function.identity.as_deref(), Some("module.fn.aws_iam_role.r"));
    assert_eq!(function.environment[0].name, "LEVEL");
    assert_eq!(read.triggers(&function.name), ["sqs sqs ${aws_sqs_queue.q.Arn}"]);
    assert_eq!(read.identity("module.fn.aws_iam_role.r").trusted[0].to_string(), "lambda.amazonaws.com");
    assert_eq!(read.place(function.span), "plan.json:12");
}

#[test]
fn code_in_the_configuration_or_uploaded_by_it_is_found() {
    let read = read(
        "",
        &[
            (
                "main.tf",
                r#"
data "archive_file" "inline" {
  type        = "zip"
  output_path = "inline.zip"
  source {
    filename = "app.py"
    content  = "def handler(event, context):\n    return 1\n"
  }
}
data "archive_file" "one" {
  type        = "zip"
  source_file = "lambda/one.py"
  output_path = "one.zip"
}
resource "aws_s3_object" "one" {
  bucket = "artifacts"
  key    = "one.zip"
  source = data.archive_file.one.output_path
}
locals { common = { runtime = "python3.12", handler = "app.handler" } }
resource "aws_lambda_function" "inline" {
  role     = "arn:aws:iam::123456789012:role/x"
  runtime  = local.common.runtime
  handler  = local.common.handler
  filename = data.archive_file.inline.output_path
}
resource "aws_lambda_function" "one" {
  role      = "arn:aws:iam::123456789012:role/x"
  runtime   = "python3.12"
  handler   = "one.handler"
  s3_bucket = aws_s3_object.one.bucket
  s3_key    = aws_s3_object.one.key
}
resource "aws_lambda_function" "built" {
  role     = "arn:aws:iam::123456789012:role/x"
  runtime  = "nodejs22.x"
  handler  = "index.handler"
  filename = "${path.module}/built.zip"
}
resource "aws_lambda_function" "elsewhere" {
  role      = "arn:aws:iam::123456789012:role/x"
  runtime   = "nodejs22.x"
  handler   = "index.handler"
  s3_bucket = "artifacts"
  s3_key    = "other.zip"
}
resource "aws_lambda_function" "image" {
  role         = "arn:aws:iam::123456789012:role/x"
  package_type = "Image"
  image_uri    = "${aws_ecr_repository.r.repository_url}:latest"
}
resource "aws_ecr_repository" "r" { name = "r" }
"#,
            ),
            ("lambda/one.py", ""),
            ("src/index.ts", ""),
        ],
    );
    let codes: Vec<String> = ["inline", "one", "built", "elsewhere", "image"]
        .iter()
        .map(|name| code(&read, &format!("aws_lambda_function.{name}")))
        .collect();
    assert_eq!(
        codes,
        [
            "inline def handler(event, context):\n    return 1\n",
            "lambda",
            "src",
            "remote s3://artifacts/other.zip",
            "image ${aws_ecr_repository.r.RepositoryUri}:latest"
        ]
    );
}

#[test]
fn loops_conditions_and_dynamic_blocks_are_worked_out() {
    let read = read_main(
        r#"
variable "rules" {
  default = [{ name = "a", days = 1 }, { name = "b", days = 3 }]
}
variable "debug" { default = false }
locals {
  by_name = { for rule in var.rules : upper(rule.name) => rule.days if rule.days > 2 }
  names   = [for at, rule in var.rules : "${at}-${rule.name}"]
  joined  = join(",", concat(local.names, var.debug ? ["debug"] : []))
  all     = var.rules[*].name
  text    = <<-EOT
    %{ for name in local.all ~}
    ${name};
    %{ endfor ~}
    %{ if var.debug }yes%{ else }no%{ endif }
  EOT
}
resource "aws_sqs_queue" "q" {
  name = "${local.joined}/${lookup(local.by_name, "B", 0)}/${try(local.by_name.A, "none")}"
}
resource "aws_sns_topic" "t" {
  count = var.debug ? 1 : 0
}
resource "aws_sns_topic" "u" {
  name = replace(trimspace(local.text), "\n", "|")
}
resource "aws_s3_bucket" "b" {
  dynamic "cors_rule" {
    for_each = var.rules
    content {
      allowed_origins = ["https://${cors_rule.value.name}"]
      allowed_methods = ["GET"]
    }
  }
}
"#,
    );
    let application = read.application();
    let name = |resource: &str| application.resource(resource).unwrap().deployed_name.as_ref().unwrap().to_string();
    assert_eq!(name("aws_sqs_queue.q"), "0-a,1-b/3/none");
    assert_eq!(name("aws_sns_topic.u"), "a;|b;|no");
    assert!(application.resources.iter().all(|resource| !resource.name.starts_with("aws_sns_topic.t")));
    let rules = application.resource("aws_s3_bucket.b").unwrap().property("CorsConfiguration.CorsRules").unwrap();
    assert_eq!(rules[1]["AllowedOrigins"][0], "https://b");
}

#[test]
fn a_state_names_what_is_deployed_by_its_identifiers() {
    let state = r#"{
  "format_version": "1.0",
  "values": { "root_module": { "resources": [
    { "address": "aws_sqs_queue.q", "mode": "managed", "type": "aws_sqs_queue",
      "values": { "name": "q", "id": "https://sqs/1/q", "arn": "arn:aws:sqs:eu-west-1:123456789012:q", "policy": "" } },
    { "address": "aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function",
      "values": { "function_name": "f", "id": "f", "arn": "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "invoke_arn": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:f/invocations",
        "role": "arn:aws:iam::123456789012:role/r", "runtime": "python3.12", "handler": "app.handler", "layers": [], "vpc_config": [] } },
    { "address": "aws_iam_role.r", "mode": "managed", "type": "aws_iam_role",
      "values": { "name": "r", "id": "r", "arn": "arn:aws:iam::123456789012:role/r", "assume_role_policy": "{\"Statement\":[]}", "inline_policy": [] } },
    { "address": "aws_lambda_event_source_mapping.q", "mode": "managed", "type": "aws_lambda_event_source_mapping",
      "values": { "event_source_arn": "arn:aws:sqs:eu-west-1:123456789012:q", "function_name": "arn:aws:lambda:eu-west-1:123456789012:function:f" } },
    { "address": "aws_apigatewayv2_api.a", "mode": "managed", "type": "aws_apigatewayv2_api", "values": { "id": "api1", "protocol_type": "HTTP" } },
    { "address": "aws_apigatewayv2_integration.a", "mode": "managed", "type": "aws_apigatewayv2_integration",
      "values": { "id": "int1", "api_id": "api1", "integration_uri": "arn:aws:lambda:eu-west-1:123456789012:function:f" } },
    { "address": "aws_apigatewayv2_route.a", "mode": "managed", "type": "aws_apigatewayv2_route",
      "values": { "id": "r", "api_id": "api1", "route_key": "GET /", "target": "integrations/int1", "authorization_type": "NONE" } },
    { "address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "values": { "id": "b", "bucket": "b", "website": [] } }
  ] } }
}"#;
    let read = read_plan(state);
    assert_eq!(read.application().functions[0].identity.as_deref(), Some("aws_iam_role.r"));
    assert_eq!(read.triggers("aws_lambda_function.f"), ["http-api GET / (none)", "sqs sqs ${aws_sqs_queue.q.Arn}"]);
    assert!(read.application().resource("aws_s3_bucket.b").unwrap().property("WebsiteConfiguration").is_none());
    assert_eq!(read.messages(), [] as [&str; 0]);
}

#[test]
fn every_cut_off_configuration_is_survived() {
    let whole = format!(
        "{FUNCTION}locals {{ a = [for k, v in {{ x = 1 }} : \"${{k}}-${{v}}\" if v > 0] }}\nresource \"aws_sqs_queue\" \"q\" {{\n  name = <<-E\n    a ${{local.a[0]}} %{{ if true ~}} b %{{ endif }}\n  E\n}}\n"
    );
    let role_ends = whole.find("resource \"aws_lambda_function\"").unwrap();
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        let read = read_main(&whole[..end]);
        let application = read.reading.application;
        let role = application.is_some_and(|application| application.identity("aws_iam_role.fn").is_some());
        assert!(role || end < role_ends, "{}", &whole[..end]);
    }
}

#[test]
fn what_multiplies_itself_comes_to_an_end() {
    let nested = "dynamic \"rule\" {\n for_each = range(0, 1000)\n content {\n".repeat(40) + &"}\n}\n".repeat(40);
    let loops: String = "%{for x in range(0, 30)}a".repeat(30) + &"%{endfor}".repeat(30);
    let documents: String = (0..200)
        .map(|number| {
            format!(
                "data \"aws_iam_policy_document\" \"d{number}\" {{\n source_policy_documents = [data.aws_iam_policy_document.d{}.json, data.aws_iam_policy_document.d{}.json]\n statement {{ actions = [\"s3:*\"] }}\n}}\nresource \"aws_iam_role_policy\" \"p{number}\" {{\n role = aws_iam_role.fn.id\n policy = data.aws_iam_policy_document.d{number}.json\n}}\n",
                number + 1,
                number + 2
            )
        })
        .collect();
    for text in [
        format!("resource \"aws_s3_bucket\" \"b\" {{\n{nested}}}\n"),
        format!("resource \"aws_s3_bucket\" \"b\" {{ bucket = \"{loops}\" }}\n"),
        format!(
            "resource \"aws_s3_bucket\" \"b\" {{\n count = length(replace(\"{}\", \"a\", \"{}\"))\n}}\n",
            "a".repeat(40_000),
            "b".repeat(40_000)
        ),
        documents,
    ] {
        assert_eq!(with_function(&text).application().functions.len(), 1, "{}", &text[..60]);
    }
}
