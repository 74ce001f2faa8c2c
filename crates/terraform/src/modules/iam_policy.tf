# terraform-aws-modules/iam/aws//modules/iam-policy, by its documented inputs and outputs.

variable "name" { default = null }
variable "path" { default = "/" }
variable "policy" { default = "" }

resource "aws_iam_policy" "policy" {
  name   = var.name
  path   = var.path
  policy = var.policy
}

output "arn" { value = aws_iam_policy.policy.arn }
output "id" { value = aws_iam_policy.policy.id }
output "name" { value = aws_iam_policy.policy.name }
