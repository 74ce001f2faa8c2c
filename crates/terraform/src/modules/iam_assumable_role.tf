# terraform-aws-modules/iam/aws//modules/iam-assumable-role, by its documented inputs and outputs.

variable "create_role" { default = false }
variable "role_name" { default = null }
variable "role_permissions_boundary_arn" { default = "" }
variable "trusted_role_arns" { default = [] }
variable "trusted_role_services" { default = [] }
variable "custom_role_trust_policy" { default = "" }
variable "custom_role_policy_arns" { default = [] }
variable "attach_admin_policy" { default = false }
variable "attach_poweruser_policy" { default = false }
variable "attach_readonly_policy" { default = false }
variable "inline_policy_statements" { default = [] }

resource "aws_iam_role" "this" {
  count                = var.create_role ? 1 : 0
  name                 = var.role_name
  permissions_boundary = var.role_permissions_boundary_arn == "" ? null : var.role_permissions_boundary_arn
  assume_role_policy = var.custom_role_trust_policy != "" ? var.custom_role_trust_policy : jsonencode({
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = var.trusted_role_arns, Service = var.trusted_role_services }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "custom" {
  count      = var.create_role ? length(var.custom_role_policy_arns) : 0
  role       = aws_iam_role.this[0].name
  policy_arn = var.custom_role_policy_arns[count.index]
}

resource "aws_iam_role_policy_attachment" "managed" {
  for_each = var.create_role ? toset(compact([
    var.attach_admin_policy ? "AdministratorAccess" : "",
    var.attach_poweruser_policy ? "PowerUserAccess" : "",
    var.attach_readonly_policy ? "ReadOnlyAccess" : "",
  ])) : toset([])
  role       = aws_iam_role.this[0].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

output "iam_role_arn" { value = aws_iam_role.this[0].arn }
output "iam_role_name" { value = aws_iam_role.this[0].name }
