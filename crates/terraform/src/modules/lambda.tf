# terraform-aws-modules/lambda/aws, by its documented inputs and outputs.

variable "create" { default = true }
variable "create_function" { default = true }
variable "create_layer" { default = false }
variable "create_role" { default = true }
variable "function_name" { default = null }
variable "layer_name" { default = null }
variable "handler" { default = null }
variable "runtime" { default = null }
variable "source_path" { default = null }
variable "local_existing_package" { default = null }
variable "s3_existing_package" { default = null }
variable "package_type" { default = null }
variable "image_uri" { default = null }
variable "architectures" { default = null }
variable "timeout" { default = null }
variable "memory_size" { default = null }
variable "layers" { default = null }
variable "environment_variables" { default = {} }
variable "reserved_concurrent_executions" { default = -1 }
variable "vpc_subnet_ids" { default = [] }
variable "vpc_security_group_ids" { default = [] }
variable "tracing_mode" { default = null }
variable "dead_letter_target_arn" { default = null }
variable "kms_key_arn" { default = null }
variable "lambda_role" { default = null }
variable "role_name" { default = null }
variable "role_permissions_boundary" { default = null }
variable "attach_cloudwatch_logs_policy" { default = true }
variable "attach_dead_letter_policy" { default = false }
variable "attach_network_policy" { default = false }
variable "attach_tracing_policy" { default = false }
variable "attach_policy_json" { default = false }
variable "policy_json" { default = null }
variable "attach_policy_jsons" { default = false }
variable "policy_jsons" { default = [] }
variable "attach_policy" { default = false }
variable "policy" { default = null }
variable "attach_policies" { default = false }
variable "policies" { default = [] }
variable "attach_policy_statements" { default = false }
variable "policy_statements" { default = {} }
variable "allowed_triggers" { default = {} }
variable "event_source_mapping" { default = {} }
variable "create_lambda_function_url" { default = false }
variable "authorization_type" { default = "NONE" }
variable "use_existing_cloudwatch_log_group" { default = false }
variable "cloudwatch_logs_retention_in_days" { default = null }
variable "destination_on_failure" { default = null }
variable "destination_on_success" { default = null }

locals {
  function = var.create && var.create_function && !var.create_layer
  role     = local.function && var.create_role
  package  = var.local_existing_package != null ? var.local_existing_package : try(var.source_path[0].path, var.source_path[0], var.source_path.path, var.source_path)
}

resource "aws_lambda_function" "this" {
  count                          = local.function ? 1 : 0
  function_name                  = var.function_name
  handler                        = var.package_type == "Image" ? null : var.handler
  runtime                        = var.package_type == "Image" ? null : var.runtime
  role                           = var.create_role ? aws_iam_role.lambda[0].arn : var.lambda_role
  package_type                   = var.package_type
  image_uri                      = var.image_uri
  filename                       = var.image_uri == null && var.s3_existing_package == null ? local.package : null
  s3_bucket                      = try(var.s3_existing_package.bucket, null)
  s3_key                         = try(var.s3_existing_package.key, null)
  architectures                  = var.architectures
  timeout                        = var.timeout
  memory_size                    = var.memory_size
  layers                         = var.layers
  reserved_concurrent_executions = var.reserved_concurrent_executions
  kms_key_arn                    = var.kms_key_arn
  environment {
    variables = var.environment_variables
  }
  dynamic "vpc_config" {
    for_each = length(var.vpc_subnet_ids) > 0 ? [true] : []
    content {
      subnet_ids         = var.vpc_subnet_ids
      security_group_ids = var.vpc_security_group_ids
    }
  }
  dynamic "tracing_config" {
    for_each = var.tracing_mode == null ? [] : [true]
    content {
      mode = var.tracing_mode
    }
  }
  dynamic "dead_letter_config" {
    for_each = var.dead_letter_target_arn == null ? [] : [true]
    content {
      target_arn = var.dead_letter_target_arn
    }
  }
}

resource "aws_lambda_layer_version" "this" {
  count      = var.create && var.create_layer ? 1 : 0
  layer_name = var.layer_name
  filename   = local.package
}

resource "aws_cloudwatch_log_group" "lambda" {
  count             = local.function && !var.use_existing_cloudwatch_log_group ? 1 : 0
  name              = "/aws/lambda/${aws_lambda_function.this[0].function_name}"
  retention_in_days = var.cloudwatch_logs_retention_in_days
}

resource "aws_iam_role" "lambda" {
  count                = local.role ? 1 : 0
  name                 = var.role_name != null ? var.role_name : var.function_name
  permissions_boundary = var.role_permissions_boundary
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

resource "aws_iam_role_policy" "logs" {
  count = local.role && var.attach_cloudwatch_logs_policy ? 1 : 0
  role  = aws_iam_role.lambda[0].name
  policy = jsonencode({
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:PutLogEvents", "logs:CreateLogStream", "logs:CreateLogGroup"]
      Resource = ["${aws_cloudwatch_log_group.lambda[0].arn}:*:*", "${aws_cloudwatch_log_group.lambda[0].arn}:*"]
    }]
  })
}

resource "aws_iam_role_policy" "dead_letter" {
  count = local.role && var.attach_dead_letter_policy ? 1 : 0
  role  = aws_iam_role.lambda[0].name
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = ["sns:Publish", "sqs:SendMessage"], Resource = [var.dead_letter_target_arn] }]
  })
}

resource "aws_iam_role_policy_attachment" "vpc" {
  count      = local.role && var.attach_network_policy ? 1 : 0
  role       = aws_iam_role.lambda[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"
}

resource "aws_iam_role_policy_attachment" "tracing" {
  count      = local.role && var.attach_tracing_policy ? 1 : 0
  role       = aws_iam_role.lambda[0].name
  policy_arn = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
}

resource "aws_iam_role_policy" "additional_json" {
  count  = local.role && var.attach_policy_json ? 1 : 0
  role   = aws_iam_role.lambda[0].name
  policy = var.policy_json
}

resource "aws_iam_role_policy" "additional_jsons" {
  count  = local.role && var.attach_policy_jsons ? length(var.policy_jsons) : 0
  role   = aws_iam_role.lambda[0].name
  policy = var.policy_jsons[count.index]
}

resource "aws_iam_role_policy_attachment" "additional_one" {
  count      = local.role && var.attach_policy ? 1 : 0
  role       = aws_iam_role.lambda[0].name
  policy_arn = var.policy
}

resource "aws_iam_role_policy_attachment" "additional_many" {
  count      = local.role && var.attach_policies ? length(var.policies) : 0
  role       = aws_iam_role.lambda[0].name
  policy_arn = var.policies[count.index]
}

data "aws_iam_policy_document" "additional_inline" {
  dynamic "statement" {
    for_each = var.policy_statements
    content {
      sid           = try(statement.value.sid, null)
      effect        = try(statement.value.effect, "Allow")
      actions       = try(statement.value.actions, null)
      not_actions   = try(statement.value.not_actions, null)
      resources     = try(statement.value.resources, null)
      not_resources = try(statement.value.not_resources, null)
      dynamic "condition" {
        for_each = try(statement.value.condition, {})
        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

resource "aws_iam_role_policy" "additional_inline" {
  count  = local.role && var.attach_policy_statements ? 1 : 0
  role   = aws_iam_role.lambda[0].name
  policy = data.aws_iam_policy_document.additional_inline.json
}

resource "aws_lambda_permission" "triggers" {
  for_each      = local.function ? var.allowed_triggers : {}
  function_name = aws_lambda_function.this[0].function_name
  action        = try(each.value.action, "lambda:InvokeFunction")
  principal     = try(each.value.principal, "${each.value.service}.amazonaws.com")
  source_arn    = try(each.value.source_arn, null)
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each                = local.function ? var.event_source_mapping : {}
  function_name           = aws_lambda_function.this[0].arn
  event_source_arn        = try(each.value.event_source_arn, null)
  function_response_types = try(each.value.function_response_types, null)
  topics                  = try(each.value.topics, null)
  queues                  = try(each.value.queues, null)
}

resource "aws_lambda_function_url" "this" {
  count              = local.function && var.create_lambda_function_url ? 1 : 0
  function_name      = aws_lambda_function.this[0].function_name
  authorization_type = var.authorization_type
}

resource "aws_lambda_function_event_invoke_config" "this" {
  count         = local.function && (var.destination_on_failure != null || var.destination_on_success != null) ? 1 : 0
  function_name = aws_lambda_function.this[0].function_name
  destination_config {
    on_failure {
      destination = var.destination_on_failure
    }
    on_success {
      destination = var.destination_on_success
    }
  }
}

output "lambda_function_arn" { value = aws_lambda_function.this[0].arn }
output "lambda_function_arn_static" { value = aws_lambda_function.this[0].arn }
output "lambda_function_qualified_arn" { value = aws_lambda_function.this[0].qualified_arn }
output "lambda_function_invoke_arn" { value = aws_lambda_function.this[0].invoke_arn }
output "lambda_function_qualified_invoke_arn" { value = aws_lambda_function.this[0].invoke_arn }
output "lambda_function_name" { value = aws_lambda_function.this[0].function_name }
output "lambda_function_url" { value = aws_lambda_function_url.this[0].function_url }
output "lambda_role_arn" { value = aws_iam_role.lambda[0].arn }
output "lambda_role_name" { value = aws_iam_role.lambda[0].name }
output "lambda_layer_arn" { value = aws_lambda_layer_version.this[0].arn }
output "lambda_cloudwatch_log_group_name" { value = aws_cloudwatch_log_group.lambda[0].name }
output "lambda_cloudwatch_log_group_arn" { value = aws_cloudwatch_log_group.lambda[0].arn }
