//! The engine for AWS permissions: what policies say, what functions need, and what lies between the two.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arn;
pub mod condition;
pub mod document;
pub mod evaluate;
mod need;
pub mod pattern;
mod platform;
pub mod render;

pub use evaluate::{Decision, Policies, Request, Verdict, evaluate};
pub use need::{Need, PlatformNeed, Policy, Unresolved, least_privilege};
pub use pattern::Pattern;
