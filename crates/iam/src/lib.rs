//! The engine for AWS permissions: what policies say, what functions need, and what lies between the two.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arn;
pub mod condition;
pub mod document;
mod effective;
mod escalation;
pub mod evaluate;
mod excess;
mod need;
pub mod pattern;
mod platform;
pub mod render;

pub use effective::{Ability, Grant, Permissions, effective};
pub use escalation::{Escalation, Reach, Step, escalations};
pub use evaluate::{Decision, Policies, Request, Verdict, evaluate};
pub use excess::{Excess, excess};
pub use need::{Need, PlatformNeed, Policy, Unresolved, least_privilege};
pub use pattern::Pattern;
