# terraform-aws-modules/step-functions/aws, by its documented inputs and outputs; what `service_integrations` allow isn't read.

variable "name" { default = "" }
variable "definition" { default = "" }
variable "role_arn" { default = null }
variable "use_existing_role" { default = false }
variable "attach_policy_json" { default = false }
variable "policy_json" { default = null }
variable "attach_policies_for_integrations" { default = true }
variable "service_integrations" { default = {} }

resource "aws_iam_role" "this" {
  count = var.use_existing_role ? 0 : 1
  name  = var.name
  assume_role_policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "states.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "json" {
  count  = !var.use_existing_role && var.attach_policy_json ? 1 : 0
  role   = aws_iam_role.this[0].name
  policy = var.policy_json
}

resource "aws_sfn_state_machine" "this" {
  name       = var.name
  definition = var.definition
  role_arn   = var.use_existing_role ? var.role_arn : aws_iam_role.this[0].arn
}

output "state_machine_id" { value = aws_sfn_state_machine.this.id }
output "state_machine_arn" { value = aws_sfn_state_machine.this.arn }
output "state_machine_name" { value = aws_sfn_state_machine.this.name }
output "role_arn" { value = aws_iam_role.this[0].arn }
