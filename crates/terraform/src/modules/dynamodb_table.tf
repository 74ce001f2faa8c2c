# terraform-aws-modules/dynamodb-table/aws, by its documented inputs and outputs.

variable "create_table" { default = true }
variable "name" { default = null }
variable "hash_key" { default = null }
variable "range_key" { default = null }
variable "attributes" { default = [] }
variable "billing_mode" { default = "PAY_PER_REQUEST" }
variable "stream_enabled" { default = false }
variable "stream_view_type" { default = null }
variable "server_side_encryption_enabled" { default = false }
variable "server_side_encryption_kms_key_arn" { default = null }
variable "point_in_time_recovery_enabled" { default = false }

resource "aws_dynamodb_table" "this" {
  count            = var.create_table ? 1 : 0
  name             = var.name
  hash_key         = var.hash_key
  range_key        = var.range_key
  billing_mode     = var.billing_mode
  stream_enabled   = var.stream_enabled
  stream_view_type = var.stream_view_type
  server_side_encryption {
    enabled     = var.server_side_encryption_enabled
    kms_key_arn = var.server_side_encryption_kms_key_arn
  }
  point_in_time_recovery {
    enabled = var.point_in_time_recovery_enabled
  }
}

output "dynamodb_table_arn" { value = aws_dynamodb_table.this[0].arn }
output "dynamodb_table_id" { value = aws_dynamodb_table.this[0].id }
output "dynamodb_table_stream_arn" { value = aws_dynamodb_table.this[0].stream_arn }
