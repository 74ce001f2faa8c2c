//! The engine for AWS permissions: what policies say, what functions need, and what lies between the two.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod condition;
pub mod document;
pub mod evaluate;
pub mod pattern;

pub use evaluate::{Decision, Policies, Request, Verdict, evaluate};
pub use pattern::Pattern;
