//! `ringfence scan` and what it shares with `map` and `fence`: from a path to the graph, and from the graph to reports.
//!
//! [`load`] walks the path, reads every template and the code behind it; [`report`] runs the audits and honours what people
//! decided to allow; [`render`] is the one place where findings become text. Nothing here prints or exits.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod allow;
mod attack;
mod audit;
mod baseline;
mod callers;
mod dependencies;
mod excerpt;
mod files;
mod fingerprint;
mod load;
pub mod map;
pub mod own;
mod progress;
pub mod render;
mod rules;
mod secrets;

pub use audit::{Report, report, report_with_rules};
pub use baseline::{Baseline, Comparison};
pub use load::{LoadError, Loaded, Options, fence_path, load};
pub use progress::{Counts, Progress, Stage};
pub use rules::{Rules, RulesError};
