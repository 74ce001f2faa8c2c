# terraform-aws-modules/eventbridge/aws, by its documented inputs and outputs: bus, rules, targets and schedules.

variable "create_bus" { default = true }
variable "bus_name" { default = "default" }
variable "rules" { default = {} }
variable "targets" { default = {} }
variable "schedules" { default = {} }

locals {
  targets = flatten([
    for rule, targets in var.targets : [for at, target in targets : merge(target, { rule = rule, at = at })]
  ])
}

resource "aws_cloudwatch_event_bus" "this" {
  count = var.create_bus ? 1 : 0
  name  = var.bus_name
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each            = var.rules
  name                = each.key
  event_bus_name      = var.create_bus ? aws_cloudwatch_event_bus.this[0].name : var.bus_name
  event_pattern       = try(each.value.event_pattern, null)
  schedule_expression = try(each.value.schedule_expression, null)
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = { for target in local.targets : "${target.rule}.${target.at}" => target }
  rule     = aws_cloudwatch_event_rule.this[each.value.rule].name
  arn      = try(each.value.arn, null)
  input    = try(each.value.input, null)
}

resource "aws_scheduler_schedule" "this" {
  for_each            = var.schedules
  name                = each.key
  schedule_expression = try(each.value.schedule_expression, null)
  target {
    arn      = try(each.value.arn, null)
    role_arn = try(each.value.role_arn, null)
    input    = try(each.value.input, null)
  }
}

output "eventbridge_bus_name" { value = aws_cloudwatch_event_bus.this[0].name }
output "eventbridge_bus_arn" { value = aws_cloudwatch_event_bus.this[0].arn }
output "eventbridge_rule_arns" { value = { for key, rule in aws_cloudwatch_event_rule.this : key => rule.arn } }
output "eventbridge_rule_ids" { value = { for key, rule in aws_cloudwatch_event_rule.this : key => rule.id } }
output "eventbridge_schedule_arns" { value = { for key, schedule in aws_scheduler_schedule.this : key => schedule.arn } }
