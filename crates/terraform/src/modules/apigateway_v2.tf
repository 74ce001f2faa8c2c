# terraform-aws-modules/apigateway-v2/aws, by its documented inputs and outputs; `integrations` are those of versions before 5.

variable "name" { default = "" }
variable "protocol_type" { default = "HTTP" }
variable "routes" { default = {} }
variable "integrations" { default = {} }
variable "authorizers" { default = {} }
variable "body" { default = null }
variable "disable_execute_api_endpoint" { default = null }

resource "aws_apigatewayv2_api" "this" {
  name                         = var.name
  protocol_type                = var.protocol_type
  body                         = var.body
  disable_execute_api_endpoint = var.disable_execute_api_endpoint
}

resource "aws_apigatewayv2_authorizer" "this" {
  for_each        = var.authorizers
  api_id          = aws_apigatewayv2_api.this.id
  name            = try(each.value.name, each.key)
  authorizer_type = try(each.value.authorizer_type, "REQUEST")
  authorizer_uri  = try(each.value.authorizer_uri, null)
}

resource "aws_apigatewayv2_integration" "routes" {
  for_each        = var.routes
  api_id          = aws_apigatewayv2_api.this.id
  integration_uri = try(each.value.integration.uri, null)
}

resource "aws_apigatewayv2_route" "routes" {
  for_each           = var.routes
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = try(each.value.authorization_type, null)
  authorizer_id      = try(each.value.authorizer_id, aws_apigatewayv2_authorizer.this[each.value.authorizer_key].id, null)
  target             = "integrations/${aws_apigatewayv2_integration.routes[each.key].id}"
}

resource "aws_apigatewayv2_integration" "this" {
  for_each        = var.integrations
  api_id          = aws_apigatewayv2_api.this.id
  integration_uri = try(each.value.lambda_arn, each.value.integration_uri, null)
}

resource "aws_apigatewayv2_route" "this" {
  for_each           = var.integrations
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = try(each.value.authorization_type, null)
  authorizer_id      = try(each.value.authorizer_id, aws_apigatewayv2_authorizer.this[each.value.authorizer_key].id, null)
  target             = "integrations/${aws_apigatewayv2_integration.this[each.key].id}"
}

output "api_id" { value = aws_apigatewayv2_api.this.id }
output "api_arn" { value = aws_apigatewayv2_api.this.arn }
output "api_endpoint" { value = aws_apigatewayv2_api.this.api_endpoint }
output "api_execution_arn" { value = aws_apigatewayv2_api.this.execution_arn }
output "apigatewayv2_api_id" { value = aws_apigatewayv2_api.this.id }
output "apigatewayv2_api_api_endpoint" { value = aws_apigatewayv2_api.this.api_endpoint }
output "apigatewayv2_api_execution_arn" { value = aws_apigatewayv2_api.this.execution_arn }
output "default_apigatewayv2_stage_execution_arn" { value = aws_apigatewayv2_api.this.execution_arn }
