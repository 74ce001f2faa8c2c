//! Readers of request bodies, one file each.

pub(crate) mod json;
pub(crate) mod multipart;
pub(crate) mod xml;
