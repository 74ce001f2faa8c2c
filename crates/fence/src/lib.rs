//! The fence: the contract of each function. What may come in, what it may do, what may go out.
//!
//! [`derive`] works one out of the graph, [`read`] reads `fence.yaml`, [`update`] brings a file up to date without touching
//! what people wrote into it, [`difference`] tells in words how two differ. The guard holds it; that is elsewhere.
//!
//! A line belongs to Ringfence when its `because` names a place in the source (`src/app.py:31`), and to whoever wrote it
//! otherwise: re-deriving replaces the first kind and keeps the second.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod derivation;
mod diff;
mod file;
mod model;
mod name;

pub use derivation::{callers, derive};
pub use diff::{Change, difference};
#[cfg(feature = "schema")]
pub use file::schema;
pub use file::{Reading, Update, read, update};
pub use model::{
    Body, EventFence, Fence, FileFence, FunctionFence, InputFence, InputKind, Mode, NetworkFence, Perimeter,
    PermissionFence, ProcessFence, ProcessWord, Processes, Reach, Tier, Unresolved,
};
pub use name::matches_glob;
