//! SecLang, the rule language of ModSecurity and the OWASP Core Rule Set.
//!
//! Rules are compiled to a plan and run over a [`Transaction`]: bytes in, matched rules and interventions out. There
//! is no socket, no file and no clock; the caller reads, and says what time it is when rules want to remember.
//!
//! ```
//! use waf::seclang::{BASE, Connection, RuleSet, Transaction};
//!
//! let rules = r#"SecRule ARGS "@rx (?i)<script" "id:1,phase:2,deny,status:403,t:none,t:urlDecodeUni,msg:'markup'""#;
//! let (rules, complaints) = RuleSet::compile(&[("base", BASE), ("mine.conf", rules)], &|_| None);
//! assert!(complaints.is_empty());
//! let mut transaction = Transaction::new(&rules, Connection::default());
//! transaction.request_line(b"GET /?q=%3Cscript HTTP/1.1");
//! transaction.request_header(b"Host", b"shop.example");
//! assert_eq!(transaction.process_request_headers(), None);
//! assert_eq!(transaction.process_request_body().map(|intervention| intervention.status), Some(403));
//! assert_eq!(transaction.matched()[0].field, b"ARGS:q");
//! ```
//!
//! Why it is fast: an honest request should reach no regular expression.
//! - From each operator's argument the compiler works out what a value *must* hold to match: one of some literals, a
//!   byte of some sets, a length. One small automaton holds the cores of all literals of all rules; each value is scanned
//!   once, and what was found is united over each store of values.
//! - A value that a transformation doesn't change is not copied, and most are not; chains that begin alike are worked
//!   out once, for all rules, and stop where what is left is too short to match. The case of letters doesn't matter to
//!   the scan, so lower-casing costs no scan either.
//! - Macros are expanded for rules that matched; regular expressions are compiled when first needed, to automata whose
//!   states are worked out as texts need them.
//!
//! A set can be compiled ahead ([`RuleSet::to_compiled`]) and read back in a few milliseconds.
//!
//! Deliberately absent, and told by a diagnostic where a rule asks for it: `@rbl`, `@geoLookup`, `@gsbLookup`,
//! `@inspectFile`, `@fuzzyHash`, `@validateDTD`, `@validateSchema`, `@validateHash` and `@rsub`; `exec` and `proxy`; Lua;
//! XPath beyond `/*` and `//@*`; look-around and back-references in regular expressions. Audit logging is the caller's,
//! from [`Transaction::matched`]. Removals and updates of targets apply to all rules, wherever they stand.
//! `SecUnicodeMapFile` is ignored: the US-ASCII code page is built in.
//!
//! Not yet here: the cost of each rule (`--profile`), and fuzz targets. Memory of compiled expressions has a limit for
//! each (1 MiB of states), and none for all of them together.
//!
//! Choices where engines differ: `REQUEST_BODY` holds URL-encoded bodies and, with `ctl:forceRequestBodyVariable`, those
//! no processor reads; JSON values are named `json.a.array_0.b`, and an array comes once more under its own name with
//! the number of its items; `MATCHED_VARS` is what the rule before in the chain matched; a chain's message is expanded
//! when all of it has matched. Limits: 1,000 header fields, cookies and (unless set) arguments, 65,536 rules, 64
//! transformations a rule, 256 MiB of values a transaction; what exceeds them is refused with 413 or 400.

mod action;
mod body;
mod bytes;
mod compile;
mod digest;
mod evaluate;
mod need;
mod operator;
mod ordinary;
mod pattern;
pub mod regression;
mod scan;
mod store;
mod syntax;
mod template;
mod transaction;
mod transform;
mod variable;

pub use action::Switch;
pub use compile::{CompiledError, RuleSet};
pub use evaluate::{Intervention, MatchedRule};
pub use store::{Collections, Entry, MemoryCollections, Record};
pub use syntax::{Diagnostic, Level};
pub use transaction::{Connection, Transaction};

/// What every set needs before its rules: which content types are read as JSON or XML, and what a malformed body means.
///
/// Rule sets bring neither; servers keep this in a file of their own.
pub const BASE: &str = include_str!("base.conf");
