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
//!   percent-encoding, HTML entities, escapes, forms. It works within [`Limits`] and fails with [`LimitExceeded`].
//! - [`decode`] holds the wrappings; [`rules`] the rules, a file per family, each with its own documentation.
//!
//! Deliberately absent: SecLang and the Core Rule Set (a later addition beside `rules`), decompression (a reader's
//! work: it knows which field is gzip), multipart parsing, and knowledge of what an event looks like (the caller
//! says so through [`Context`]).
//!
//! What it misses: injections written in the target's ordinary words with no mark of their own (`UNION SELECT secret`
//! without any list or table is only a hint, `1 or 1 like 1` passes), placeholders that name an object of the
//! template (`{{settings.KEY}}`), shares (`\\host\share`), encodings inside prose other than those listed, public
//! names that resolve to private addresses, and text that is dangerous only after the function's own concatenation.
//! What it refuses although some send it honestly: relative links (`../images/x.png`) where the field is not known to
//! be prose.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod canonical;
pub mod context;
pub mod decode;
pub mod engine;
mod host;
mod prefilter;
pub mod rules;
pub mod verdict;
pub mod walk;

pub use context::{Context, FieldKind, Sink, Sinks};
pub use engine::Engine;
pub use rules::{Confidence, Family, RuleInfo, Severity, rules};
pub use verdict::{Match, refuses};
pub use walk::{Limit, LimitExceeded, Limits, Work};
