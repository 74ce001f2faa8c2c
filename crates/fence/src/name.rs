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
    let last = resource.rsplit(['/', ':']).next().unwrap_or(resource);
    let candidates = [permission.on.as_str()].into_iter().chain(permission.name.as_deref());
    candidates.into_iter().any(|pattern| {
        matches_glob(pattern, resource)
            || matches_glob(pattern, last)
            || arn_table(resource).is_some_and(|name| matches_glob(pattern, name))
    })
}

/// The name inside an ARN whose resource part goes on behind it (`table/Orders/index/x`, `bucket/key`).
fn arn_table(arn: &str) -> Option<&str> {
    let resource = arn.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
    let mut parts = resource.split('/');
    let first = parts.next()?;
    match first {
        "table" | "stream" | "function" => parts.next(),
        _ => Some(first),
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
}
