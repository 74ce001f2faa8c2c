# terraform-aws-modules/s3-bucket/aws, by its documented inputs and outputs.

variable "create_bucket" { default = true }
variable "bucket" { default = null }
variable "bucket_prefix" { default = null }
variable "acl" { default = null }
variable "attach_policy" { default = false }
variable "policy" { default = null }
variable "attach_public_policy" { default = true }
variable "block_public_acls" { default = true }
variable "block_public_policy" { default = true }
variable "ignore_public_acls" { default = true }
variable "restrict_public_buckets" { default = true }
variable "versioning" { default = {} }
variable "website" { default = {} }
variable "server_side_encryption_configuration" { default = {} }

resource "aws_s3_bucket" "this" {
  count         = var.create_bucket ? 1 : 0
  bucket        = var.bucket
  bucket_prefix = var.bucket_prefix
}

resource "aws_s3_bucket_acl" "this" {
  count  = var.create_bucket && var.acl != null ? 1 : 0
  bucket = aws_s3_bucket.this[0].id
  acl    = var.acl
}

resource "aws_s3_bucket_policy" "this" {
  count  = var.create_bucket && var.attach_policy ? 1 : 0
  bucket = aws_s3_bucket.this[0].id
  policy = var.policy
}

resource "aws_s3_bucket_public_access_block" "this" {
  count                   = var.create_bucket && var.attach_public_policy ? 1 : 0
  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = var.block_public_acls
  block_public_policy     = var.block_public_policy
  ignore_public_acls      = var.ignore_public_acls
  restrict_public_buckets = var.restrict_public_buckets
}

resource "aws_s3_bucket_website_configuration" "this" {
  count  = var.create_bucket && length(keys(var.website)) > 0 ? 1 : 0
  bucket = aws_s3_bucket.this[0].id
  index_document {
    suffix = try(var.website.index_document, null)
  }
}

output "s3_bucket_id" { value = aws_s3_bucket.this[0].id }
output "s3_bucket_arn" { value = aws_s3_bucket.this[0].arn }
output "s3_bucket_bucket_domain_name" { value = aws_s3_bucket.this[0].bucket_domain_name }
output "s3_bucket_bucket_regional_domain_name" { value = aws_s3_bucket.this[0].bucket_regional_domain_name }
