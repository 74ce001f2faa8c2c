# terraform-aws-modules/sqs/aws, by its documented inputs and outputs.

variable "create" { default = true }
variable "name" { default = null }
variable "fifo_queue" { default = false }
variable "create_dlq" { default = false }
variable "dlq_name" { default = null }
variable "kms_master_key_id" { default = null }
variable "sqs_managed_sse_enabled" { default = true }
variable "create_queue_policy" { default = false }
variable "queue_policy_statements" { default = {} }

resource "aws_sqs_queue" "this" {
  count                   = var.create ? 1 : 0
  name                    = var.name
  fifo_queue              = var.fifo_queue
  kms_master_key_id       = var.kms_master_key_id
  sqs_managed_sse_enabled = var.kms_master_key_id != null ? null : var.sqs_managed_sse_enabled
}

resource "aws_sqs_queue" "dlq" {
  count                   = var.create && var.create_dlq ? 1 : 0
  name                    = var.dlq_name
  sqs_managed_sse_enabled = var.sqs_managed_sse_enabled
}

data "aws_iam_policy_document" "this" {
  dynamic "statement" {
    for_each = var.queue_policy_statements
    content {
      effect    = try(statement.value.effect, "Allow")
      actions   = try(statement.value.actions, null)
      resources = try(statement.value.resources, [aws_sqs_queue.this[0].arn])
      dynamic "principals" {
        for_each = try(statement.value.principals, [])
        content {
          type        = principals.value.type
          identifiers = principals.value.identifiers
        }
      }
      dynamic "condition" {
        for_each = try(statement.value.condition, statement.value.conditions, [])
        content {
          test     = condition.value.test
          variable = condition.value.variable
          values   = condition.value.values
        }
      }
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  count     = var.create && var.create_queue_policy ? 1 : 0
  queue_url = aws_sqs_queue.this[0].url
  policy    = data.aws_iam_policy_document.this.json
}

output "queue_id" { value = aws_sqs_queue.this[0].id }
output "queue_url" { value = aws_sqs_queue.this[0].url }
output "queue_arn" { value = aws_sqs_queue.this[0].arn }
output "queue_arn_static" { value = aws_sqs_queue.this[0].arn }
output "queue_name" { value = aws_sqs_queue.this[0].name }
output "sqs_queue_arn" { value = aws_sqs_queue.this[0].arn }
output "sqs_queue_id" { value = aws_sqs_queue.this[0].id }
output "dead_letter_queue_id" { value = aws_sqs_queue.dlq[0].id }
output "dead_letter_queue_arn" { value = aws_sqs_queue.dlq[0].arn }
