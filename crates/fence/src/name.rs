//! When a name at run time is the resource a fence means.

use crate::PermissionFence;

/// Whether `text` matches a glob of `*` (any run) and `?` (any one character), case ignored. Linear in practice, never
/// worse than the product of both lengths.
pub fn matches_glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let (mut at, mut on) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while on < text.len() {
        match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, on));
                at += 1;
            }
            Some(expected) if *expected == '?' || *expected == text[on] => {
                at += 1;
                on += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    at = after;
                    on = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// Whether a permission's `on` or `name` means `resource`, which is a name, an ARN or a queue's URL.
pub(crate) fn names(permission: &PermissionFence, resource: &str) -> bool {
    let name = own_name(resource);
    let mut patterns = [permission.on.as_str()].into_iter().chain(permission.name.as_deref());
    patterns.any(|pattern| matches_glob(pattern, resource) || matches_glob(pattern, name))
}

/// The name that a resource is deployed under, out of its ARN or its queue's URL: never a part that whoever calls may choose
/// freely, such as an object's key.
fn own_name(resource: &str) -> &str {
    if let Some(inside) = resource.strip_prefix("arn:").and_then(|arn| arn.splitn(5, ':').nth(4)) {
        let mut parts = inside.split(['/', ':']);
        let first = parts.next().unwrap_or(inside);
        return match first {
            "table" | "stream" | "function" | "key" | "secret" | "stateMachine" | "event-bus" | "log-group" => {
                parts.next().unwrap_or(first)
            }
            _ => first,
        };
    }
    match resource.split_once("://") {
        // `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`
        Some((_, address)) => address.rsplit('/').next().unwrap_or(address),
        None => resource,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_policies() {
        for (pattern, text, expected) in [
            ("s3:Get*", "s3:GetObject", true),
            ("s3:get*", "s3:GetObject", true),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xxaxxb", true),
            ("*a*b", "xxaxx", false),
            ("dynamodb:PutItem", "dynamodb:PutItems", false),
        ] {
            assert_eq!(matches_glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_key_that_looks_like_a_permitted_name_is_no_resource() {
        let on = |on: &str| PermissionFence { allow: Some("s3:GetObject".into()), on: on.into(), ..Default::default() };
        assert!(names(&on("catalog"), "arn:aws:s3:::catalog/2024/list.csv"));
        assert!(!names(&on("catalog"), "arn:aws:s3:::evil/2024/catalog"));
        assert!(names(&on("Orders"), "arn:aws:dynamodb:eu-west-1:1:table/Orders/index/by-mail"));
        assert!(names(&on("Jobs"), "https://sqs.eu-west-1.amazonaws.com/1/Jobs"));
        assert!(names(&on("Paid"), "arn:aws:sns:eu-west-1:1:Paid"));
    }
}
