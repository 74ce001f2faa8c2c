//! Is a value a fragment of SQL, or markup that runs scripts? What `@detectSQLi` and `@detectXSS` ask.
//!
//! The method and its tables are libinjection's (BSD-3-Clause, see LICENSE beside this file): a value is read as a tolerant database or
//! browser would read it, and what comes out is compared with known attacks. The code is written anew, without
//! allocation and without `unsafe`; results are held against the original's, which leaves these differences:
//! - a byte 0xFF before an attribute's name is a character like any other; the original takes it for the end of the
//!   value where `char` is signed;
//! - nothing behind the end of the value is ever looked at.
//!
//! [`tables`] is drawn by `cargo xtask gen` from a published package. Deliberately absent: the original's callbacks,
//! statistics and bindings.

mod html;
mod sqli;
#[rustfmt::skip]
mod tables;
mod tokens;
mod words;
mod xss;

pub use sqli::{Fingerprint, sqli};
pub use xss::xss;
