//! Injection inspection: values in, matches out.
//!
//! The engine reads the strings of an event before a function does and says which of them would be *commands* to
//! somebody downstream: a database, a shell, a template engine, a browser, a deserialiser, a metadata service. It has
//! no clock, no sockets and no files; the guard decides what becomes of a match.
//!
//! - [`engine`] inspects one text. A multi-pattern scan over the literals each rule needs decides which regular
//!   expressions run at all, so an honest text costs one pass. Expressions are compiled at first need or by
//!   [`Engine::warm`]; all of them run in linear time.
//! - [`walk`] visits every string and object key of an event, however it is wrapped: JSON in JSON, base64,
//!   percent-encoding, HTML entities, escapes, forms, XML documents. It works within [`Limits`] and fails with [`LimitExceeded`].
//! - [`seclang`] runs rules written in SecLang, such as the OWASP Core Rule Set, over HTTP transactions.
//! - [`decode`] holds the wrappings; [`rules`] the rules, a file per family, each with its own documentation.
//!
//! Deliberately absent: decompression (a reader's work: it knows which field is gzip), the Core Rule Set itself (users
//! bring the version they want), its rules over the leaves of events, and knowledge of what an event looks like (the
//! caller says so through [`Context`]).
//!
//! What it misses: injections written in the target's ordinary words with no mark of their own (`UNION SELECT secret`
//! without any list or table is only a hint, `7 OR 1` passes), placeholders that are no more than a name, whatever the
//! template binds to it (`${applicationScope}`, `%(password)s`; only names of secrets below known roots are refused),
//! shares of an office's own network (`\\files\x`) and other hosts without a scheme (`//203.0.113.9/x`), encodings
//! inside prose other than those listed, public names that resolve to private addresses, serialised objects cut off
//! before they name anything, and text that is dangerous only after the function's own concatenation.
//! What it refuses although some send it honestly: a value that begins with one step out of its folder
//! (`../images/x.png`; behind words or inside a link it is a hint) or has one in its middle (`https://x/a/../b`), an
//! address of this machine where the field is not known to be a header, and markup in prose, which some page will show.
//! Code, commands and statements between a document's fences count as in prose, and a whole SELECT in a sentence is a hint:
//! say what a field reaches where that is too kind.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod canonical;
pub mod context;
pub mod decode;
pub mod engine;
mod host;
pub mod libinjection;
mod markup;
mod prefilter;
pub mod rules;
pub mod seclang;
pub mod verdict;
pub mod walk;

pub use context::{Context, FieldKind, Sink, Sinks};
pub use engine::Engine;
pub use rules::{Confidence, Family, RuleInfo, Severity, rules};
pub use verdict::{Match, refuses};
pub use walk::{Limit, LimitExceeded, Limits, Work};
