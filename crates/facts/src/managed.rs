//! AWS managed policies by name or ARN. The documents are deflated in chunks of some dozen; a lookup inflates one.

use crate::table::{Row, Table};

/// Name, path, then where the document lies: chunk offset and length in the packed bytes, offset and length in the
/// inflated chunk.
const INDEX: Table = Table::new(include_str!("../data/managed_policies.txt"));
const PACKED: &[u8] = include_bytes!("../data/managed_policies.bin");

/// No chunk inflates to more; the generator keeps to it.
const MAXIMUM_CHUNK_BYTES: usize = 1 << 20;

/// The document of an AWS managed policy in its default version, as JSON text, by name (`AWSLambdaBasicExecutionRole`)
/// or by ARN in any partition. An ARN has to carry the right path; an ARN of a customer's policy is none.
#[must_use]
pub fn managed_policy(name_or_arn: &str) -> Option<String> {
    let row = find(name_or_arn)?;
    let number = |index| row.column(index).parse::<usize>().ok();
    let chunk = PACKED.get(number(2)?..number(2)? + number(3)?)?;
    let inflated = miniz_oxide::inflate::decompress_to_vec_with_limit(chunk, MAXIMUM_CHUNK_BYTES).ok()?;
    let document = inflated.get(number(4)?..number(4)? + number(5)?)?;
    String::from_utf8(document.to_vec()).ok()
}

/// The ARN of an AWS managed policy in the partition `aws`, by name or ARN.
#[must_use]
pub fn managed_policy_arn(name_or_arn: &str) -> Option<String> {
    find(name_or_arn).map(|row| format!("arn:aws:iam::aws:policy{}{}", row.column(1), row.key()))
}

/// The names of all AWS managed policies.
pub fn managed_policies() -> impl Iterator<Item = &'static str> {
    INDEX.rows().map(Row::key)
}

fn find(name_or_arn: &str) -> Option<Row> {
    if !name_or_arn.starts_with("arn:") {
        return INDEX.find_exact(name_or_arn);
    }
    let mut parts = name_or_arn.splitn(6, ':').skip(2);
    if parts.next() != Some("iam") || parts.next() != Some("") || parts.next() != Some("aws") {
        return None;
    }
    let path_and_name = parts.next()?.strip_prefix("policy")?;
    let (path, name) = path_and_name.split_at(path_and_name.rfind('/')? + 1);
    INDEX.find_exact(name).filter(|row| row.column(1) == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_found_by_name_and_by_arn() {
        let by_name = managed_policy("AWSLambdaBasicExecutionRole").unwrap();
        assert!(by_name.contains("logs:CreateLogStream"), "{by_name}");
        let arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
        assert_eq!(managed_policy(arn).unwrap(), by_name);
        assert_eq!(managed_policy(&arn.replace("arn:aws:", "arn:aws-cn:")).unwrap(), by_name);
        assert_eq!(managed_policy_arn("AWSLambdaBasicExecutionRole").unwrap(), arn);
        assert!(managed_policy("arn:aws:iam::aws:policy/AdministratorAccess").unwrap().contains(r#""Resource":"*""#));
    }

    #[test]
    fn what_is_not_an_aws_managed_policy_is_none() {
        for name in [
            "",
            "awslambdabasicexecutionrole",
            "NoSuchPolicy",
            "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
            "arn:aws:iam::123456789012:policy/AdministratorAccess",
            "arn:aws:iam::aws:policy",
            "arn:aws:iam::aws:role/AdministratorAccess",
            "arn:",
        ] {
            assert_eq!(managed_policy(name), None, "{name}");
        }
    }

    #[test]
    fn every_listed_policy_has_a_document() {
        assert!(managed_policies().count() > 1_000);
        // One per stretch of the index is enough to touch every chunk's neighbourhood.
        for name in managed_policies().step_by(25) {
            let document = managed_policy(name).unwrap();
            assert!(document.starts_with('{') && document.ends_with('}') && document.contains("Statement"), "{name}");
        }
    }
}
