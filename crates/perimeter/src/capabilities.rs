//! Privileges of a superuser that are no function's business, given up.
//!
//! A function that runs as root in a container still has to read and write its own files; nothing else of being root is left to it.
//! Without this a superuser could read other processes' memory past Landlock.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// What being the owner of one's files takes.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID);

/// Gives up all others, for good where no privileges can be gained any more.
pub(crate) fn give_up() -> Result<(), String> {
    let failed = |error: rustix::io::Errno| format!("capabilities can't be given up: {error}");
    let now = capabilities(None).map_err(failed)?;
    let less = CapabilitySets {
        effective: now.effective & KEPT,
        permitted: now.permitted & KEPT,
        inheritable: CapabilitySet::empty(),
    };
    if less == now { Ok(()) } else { set_capabilities(None, less).map_err(failed) }
}
