//! What can go wrong with a lake, in the caller's terms.

use std::path::PathBuf;
use std::time::Duration;

/// Why the lake couldn't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to read in this folder.
    #[error(
        "no lake in `{}`: nothing has been recorded there yet", .0.display()
    )]
    Missing(PathBuf),
    /// The folder or the file in it can't be made or opened.
    #[error("can't open the lake `{}`: {reason}", path.display())]
    Open {
        /// The lake's file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A later version of Ringfence made it.
    #[error(
        "the lake `{}` has layout {found}, and this version reads up to {known}: update ringfence", path.display()
    )]
    Newer {
        /// The lake's file.
        path: PathBuf,
        /// Its layout's number.
        found: i64,
        /// The highest number this version knows.
        known: i64,
    },
    /// Records weren't stored, none of the batch; a later try may succeed.
    #[error("can't store records: {0}")]
    Append(String),
    /// Old records couldn't be removed.
    #[error("can't remove old records: {0}")]
    Retention(String),
    /// The question isn't SQL this lake understands.
    #[error("{0}")]
    Sql(String),
    /// The question would change something, or reach out of the lake.
    #[error("the lake is read-only for queries: {0} isn't allowed")]
    ReadOnly(String),
    /// The question took too long.
    #[error("the query was stopped after {:.1} s: narrow it, for example by time or function", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The answer grew too large.
    #[error("the answer is larger than {0} bytes: select fewer columns or rows")]
    TooLarge(usize),
    /// Reading failed on the way.
    #[error("can't read the lake: {0}")]
    Read(String),
}
