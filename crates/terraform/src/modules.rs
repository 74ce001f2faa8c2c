//! Modules of the registry that many configurations use, described by their documented inputs and outputs in configuration of
//! our own: what they deploy, without what doesn't matter here. Adding one is adding a file and a row.

/// Name of a module, path inside its repository, and its description.
const MODULES: &[(&str, &str, &str)] = &[
    ("lambda", "", include_str!("modules/lambda.tf")),
    ("apigateway-v2", "", include_str!("modules/apigateway_v2.tf")),
    ("s3-bucket", "", include_str!("modules/s3_bucket.tf")),
    ("s3-bucket", "modules/notification", include_str!("modules/s3_notification.tf")),
    ("sqs", "", include_str!("modules/sqs.tf")),
    ("dynamodb-table", "", include_str!("modules/dynamodb_table.tf")),
    ("eventbridge", "", include_str!("modules/eventbridge.tf")),
    ("step-functions", "", include_str!("modules/step_functions.tf")),
    ("iam", "modules/iam-policy", include_str!("modules/iam_policy.tf")),
    ("iam", "modules/iam-assumable-role", include_str!("modules/iam_assumable_role.tf")),
];

/// The description of a module by its source: a registry address, or the repository it is published from.
pub(crate) fn description(source: &str) -> Option<&'static str> {
    const OWNER: &str = "terraform-aws-modules/";
    let start = source.find(OWNER)? + OWNER.len();
    let rest = source.get(start..)?.split('?').next()?;
    let (address, inside) = match rest.split_once("//") {
        Some((address, inside)) => (address, inside.trim_end_matches('/')),
        None => (rest, ""),
    };
    let address = address.trim_end_matches(".git");
    // `lambda/aws` in the registry, `terraform-aws-lambda` as a repository.
    let name = match address.strip_prefix("terraform-aws-") {
        Some(name) => name,
        None => address.strip_suffix("/aws")?,
    };
    let found = MODULES.iter().find(|(known, path, _)| *known == name && *path == inside)?;
    Some(found.2)
}

#[cfg(test)]
mod tests {
    use super::description;

    #[test]
    fn a_module_is_known_by_registry_and_repository_and_only_whole() {
        assert!(description("terraform-aws-modules/lambda/aws").is_some());
        assert!(description("github.com/terraform-aws-modules/terraform-aws-lambda?ref=9acd").is_some());
        assert!(description("git::https://github.com/terraform-aws-modules/terraform-aws-sqs.git?ref=v4").is_some());
        assert!(description("terraform-aws-modules/s3-bucket/aws//modules/notification").is_some());
        assert!(description("terraform-aws-modules/s3-bucket/aws//modules/object").is_none());
        assert!(description("somebody/lambda/aws").is_none());
    }
}
