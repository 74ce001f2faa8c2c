//! IAM actions: which exist, what kind of access each gives, and whether a policy can limit it to a resource.

use crate::table::{Row, Table};

const ACTIONS: Table = Table::new(include_str!("../data/actions.txt"));
const RESOURCE_TYPES: Table = Table::new(include_str!("../data/resource_types.txt"));

/// What an action lets its holder do, as the service authorization reference classifies it, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Sees which resources exist.
    List,
    /// Reads what is in them.
    Read,
    /// Changes tags only.
    Tagging,
    /// Creates, changes or deletes.
    Write,
    /// Changes who may do what.
    Permissions,
}

impl Access {
    fn of(letters: &str) -> Option<Self> {
        letters
            .chars()
            .filter_map(|letter| match letter {
                'L' => Some(Self::List),
                'R' => Some(Self::Read),
                'T' => Some(Self::Tagging),
                'W' => Some(Self::Write),
                'P' => Some(Self::Permissions),
                _ => None,
            })
            .max()
    }

    /// Whether nothing changes through it.
    #[must_use]
    pub fn read_only(self) -> bool {
        matches!(self, Self::List | Self::Read)
    }
}

/// An action that exists, such as `dynamodb:PutItem`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Action(Row);

impl std::fmt::Debug for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Action").field(&self.name()).finish()
    }
}

/// A type of resource an action can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Its name in the service, such as `table`; [`resource_arn`] has its ARN.
    pub name: &'static str,
    /// Whether every call of the action names one.
    pub required: bool,
}

impl Action {
    /// The action with its service prefix, spelled as AWS spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.key()
    }

    /// The most powerful kind of access it gives.
    #[must_use]
    pub fn access(self) -> Access {
        // The generator refuses a line without a level.
        Access::of(self.0.column(1)).unwrap_or(Access::Permissions)
    }

    /// Whether a policy can limit it to resources; if not, `Resource: "*"` is the only possibility.
    #[must_use]
    pub fn resource_level(self) -> bool {
        !self.0.column(2).is_empty()
    }

    /// The types of resources a policy can limit it to.
    pub fn resource_types(self) -> impl Iterator<Item = ResourceType> {
        self.0.list(2).map(|text| ResourceType { name: text.trim_end_matches('*'), required: text.ends_with('*') })
    }

    /// Actions the caller may need beside it for the call to succeed, such as `iam:PassRole`; by what the arguments ask.
    pub fn dependent_actions(self) -> impl Iterator<Item = &'static str> {
        self.0.list(3)
    }
}

/// The action of this name, in any letter case as in a policy: `dynamodb:PutItem`.
#[must_use]
pub fn action(name: &str) -> Option<Action> {
    ACTIONS.find(name).map(Action)
}

/// The actions a policy's pattern reaches: `s3:Get*`, `*:Describe?pc*`, `*`. Letter case doesn't count.
pub fn actions_matching(pattern: &str) -> impl Iterator<Item = Action> {
    let literal = pattern.find(['*', '?']).map_or(pattern, |end| &pattern[..end]);
    ACTIONS.starting_with(literal).filter(move |row| matches(pattern.as_bytes(), row.key().as_bytes())).map(Action)
}

/// Whether the service with this IAM prefix has an action of this name: `("s3", "GetObject")`.
#[must_use]
pub fn service_has_action(prefix: &str, name: &str) -> bool {
    action(&format!("{prefix}:{name}")).is_some()
}

/// The ARN pattern of a resource type of the service with this IAM prefix, with `${Partition}` and the like as
/// variables: `("sqs", "queue")` is `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`.
#[must_use]
pub fn resource_arn(prefix: &str, resource_type: &str) -> Option<&'static str> {
    RESOURCE_TYPES.find(&format!("{prefix}:{resource_type}")).map(|row| row.column(1))
}

/// Whether `text` matches `pattern`, where `*` stands for any characters and `?` for one. Steps back only to the last
/// star, so the time is at most the product of the lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut last_star = None;
    while let Some(byte) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                at_pattern += 1;
                last_star = Some((at_pattern, at_text));
            }
            Some(expected) if *expected == b'?' || expected.eq_ignore_ascii_case(byte) => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((after_star, taken)) = last_star else { return false };
                at_pattern = after_star;
                at_text = taken + 1;
                last_star = Some((after_star, at_text));
            }
        }
    }
    pattern[at_pattern..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_says_its_access_and_whether_a_resource_limits_it() {
        let put = action("dynamodb:putitem").unwrap();
        assert_eq!(put.name(), "dynamodb:PutItem");
        assert_eq!(put.access(), Access::Write);
        assert!(put.resource_level());
        assert!(put.resource_types().any(|kind| kind.name == "table"));
        assert_eq!(action("s3:ListAllMyBuckets").unwrap().access(), Access::List);
        assert!(!action("s3:ListAllMyBuckets").unwrap().resource_level());
        assert!(!action("xray:PutTraceSegments").unwrap().resource_level());
        assert_eq!(action("iam:PutRolePolicy").unwrap().access(), Access::Permissions);
        let dependent: Vec<_> = action("lambda:CreateFunction").unwrap().dependent_actions().collect();
        assert!(dependent.contains(&"iam:PassRole"), "{dependent:?}");
    }

    #[test]
    fn unknown_actions_are_not_invented() {
        for name in ["", "s3", "s3:", "s3:FetchObject", "lambda:Invoke", "nosuch:GetObject", "s3:Get*"] {
            assert!(action(name).is_none(), "{name}");
        }
        assert!(service_has_action("S3", "getobject"));
        assert!(!service_has_action("s3", "HeadObject"));
    }

    #[test]
    fn patterns_reach_what_a_policy_would() {
        let names: Vec<_> = actions_matching("S3:getobjectt*").map(Action::name).collect();
        assert_eq!(names, ["s3:GetObjectTagging", "s3:GetObjectTorrent"]);
        assert_eq!(actions_matching("sqs:SendMessage").count(), 1);
        assert_eq!(actions_matching("nosuch:*").count(), 0);
        assert!(actions_matching("s*:PutObject").any(|action| action.name() == "s3:PutObject"));
        assert!(actions_matching("dynamodb:?et*em").any(|action| action.name() == "dynamodb:GetItem"));
        assert!(actions_matching("*").count() > 15_000);
        assert!(actions_matching("s3:*").all(|action| action.name().starts_with("s3:")));
    }

    #[test]
    fn a_resource_type_has_its_arn() {
        assert_eq!(resource_arn("sqs", "queue"), Some("arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"));
        assert_eq!(resource_arn("sqs", "table"), None);
    }

    #[test]
    fn a_hostile_pattern_ends_in_time() {
        let pattern = "*a".repeat(200);
        assert_eq!(actions_matching(&pattern).count(), 0);
    }
}
