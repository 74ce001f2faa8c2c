//! Who stands in front of a trigger: a computed property of each entry point.

use serde::Serialize;
use std::fmt;

/// How an HTTP entry point tells its callers apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// Not at all.
    None,
    /// An API key, which counts callers rather than authenticating them.
    ApiKey,
    /// AWS signatures.
    Iam,
    /// A Cognito user pool, by its name in the template.
    Cognito(String),
    /// A JWT issuer (HTTP APIs), by the authorizer's name.
    Jwt(String),
    /// A Lambda authorizer, by its name.
    Lambda(String),
    /// Something named that couldn't be resolved.
    Unknown(String),
}

/// From where a function can be reached, the widest of its triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exposure {
    /// Nothing in the application triggers it.
    None,
    /// Only the platform's own clock or services of this account.
    Internal,
    /// Messages, objects or records whose content others put there (queue, bucket, topic, stream, device, mail).
    Fed,
    /// Callers that authenticate.
    Authenticated,
    /// Anyone.
    Public,
}

impl Exposure {
    /// The kebab-case name used in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Internal => "internal",
            Self::Fed => "fed",
            Self::Authenticated => "authenticated",
            Self::Public => "public",
        }
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl Authorization {
    /// What it makes of an entry point that carries it.
    pub fn exposure(&self) -> Exposure {
        match self {
            // An API key is shared by all clients and visible in them: it keeps nobody out.
            Self::None | Self::ApiKey => Exposure::Public,
            _ => Exposure::Authenticated,
        }
    }
}

impl fmt::Display for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::ApiKey => formatter.write_str("API key"),
            Self::Iam => formatter.write_str("IAM"),
            Self::Cognito(name) => write!(formatter, "Cognito {name}"),
            Self::Jwt(name) => write!(formatter, "JWT {name}"),
            Self::Lambda(name) => write!(formatter, "Lambda authorizer {name}"),
            Self::Unknown(name) => write!(formatter, "unresolved {name}"),
        }
    }
}
