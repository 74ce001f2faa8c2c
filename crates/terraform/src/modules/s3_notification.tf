# terraform-aws-modules/s3-bucket/aws//modules/notification, by its documented inputs.

variable "bucket" { default = "" }
variable "bucket_arn" { default = null }
variable "lambda_notifications" { default = {} }
variable "sqs_notifications" { default = {} }
variable "sns_notifications" { default = {} }
variable "eventbridge" { default = null }

resource "aws_s3_bucket_notification" "this" {
  bucket      = var.bucket
  eventbridge = var.eventbridge
  dynamic "lambda_function" {
    for_each = var.lambda_notifications
    content {
      lambda_function_arn = lambda_function.value.function_arn
      events              = lambda_function.value.events
      filter_prefix       = try(lambda_function.value.filter_prefix, null)
      filter_suffix       = try(lambda_function.value.filter_suffix, null)
    }
  }
  dynamic "queue" {
    for_each = var.sqs_notifications
    content {
      queue_arn = queue.value.queue_arn
      events    = queue.value.events
    }
  }
  dynamic "topic" {
    for_each = var.sns_notifications
    content {
      topic_arn = topic.value.topic_arn
      events    = topic.value.events
    }
  }
}

resource "aws_lambda_permission" "allow" {
  for_each      = var.lambda_notifications
  function_name = each.value.function_name
  action        = "lambda:InvokeFunction"
  principal     = "s3.amazonaws.com"
  source_arn    = var.bucket_arn
}

output "s3_bucket_notification_id" { value = aws_s3_bucket_notification.this.id }
