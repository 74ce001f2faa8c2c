//! The engine for AWS permissions: what policies say, what functions need, and what lies between the two.
//!
//! - [`pattern`]: wildcards as sets of texts, with names that only deployment knows; [`condition`]: conditions in three values;
//!   [`evaluate()`]: the decision over identity, resource, boundary, session and service control policies.
//! - [`effective`] and [`Permissions`]: what an identity may do after all.
//! - [`least_privilege`]: what a function's code and platform need, with the lines that need it; [`render`]: the same as IAM, SAM or
//!   Terraform; [`excess`]: what is granted beyond it.
//! - [`escalations`]: how an identity makes itself stronger; [`access()`]: what it may do to what matters.
//!
//! Everything here is values in, values out. Facts about actions and resource types come from the crate `facts`.
//!
//! Deliberately absent: dates in conditions and policy variables (both leave a condition open), what a service does on the caller's
//! behalf after a call apart from the use of customers' keys and objects that machine learning services fetch, objects' keys and tables' attributes as limits (a policy for
//! `bucket/prefix/*` isn't derived), and what only a live account tells.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
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

pub use access::{Access, Matter, Verb, access};
pub use effective::{Ability, Grant, Permissions, effective};
pub use escalation::{Escalation, Reach, Situation, Step, escalations};
pub use evaluate::{Decision, Policies, Request, Verdict, evaluate};
pub use excess::{Excess, excess};
pub use need::{Need, PlatformNeed, Policy, Unresolved, least_privilege};
pub use pattern::Pattern;
