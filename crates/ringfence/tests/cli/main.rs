//! The program as a person runs it: real files in, what it prints and its exit code out.

#![allow(clippy::unwrap_used)]

mod bad_input;
mod deps;
mod fence;
mod fix;
mod map;
mod policy;
mod project;
mod scan;

use project::project;
