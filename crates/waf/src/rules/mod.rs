//! The rules: what each family of injection looks like, a file per family.
//!
//! A rule is an identity with documentation and a few [`Pattern`]s. A pattern names literals, one of which must occur
//! for it to match; the prefilter looks for all of them in one pass. Adding a rule means adding an entry to a
//! family's `RULES`.

use std::ops::Range;
use std::sync::OnceLock;

use crate::context::{Context, Sink};

mod code;
mod deserialization;
mod formula;
mod graphql;
mod ldap;
mod log_forging;
mod nosql;
mod path;
mod prompt;
mod prototype_pollution;
mod redirect;
mod scanner;
mod shell;
mod sinks;
mod sql;
mod ssrf;
mod template;
mod token;
mod xpath;
mod xss;
mod xxe;

pub(crate) use deserialization::binary as binary_payload;
pub(crate) use redirect::is_target as is_redirect_target;

/// What an injection attacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Queries: SQL in its dialects, PartiQL.
    Sql,
    /// Command lines.
    Shell,
    /// File names that leave their folder or name what nobody should.
    Path,
    /// Template and expression languages, log lookups.
    Template,
    /// Query operators of document stores, DynamoDB expressions.
    #[serde(rename = "nosql")]
    NoSql,
    /// Scripts in pages.
    Xss,
    /// Serialised objects that run code when read.
    Deserialization,
    /// XML that reads files or addresses.
    Xxe,
    /// Addresses inside the function's own network.
    Ssrf,
    /// JavaScript, Python, PHP, Java for an evaluator.
    Code,
    /// Directory filters.
    Ldap,
    /// Line breaks that forge headers or log records.
    LogForging,
    /// Keys that reach an object's prototype or class.
    PrototypePollution,
    /// Documents for a GraphQL server.
    #[serde(rename = "graphql")]
    GraphQl,
    /// Tokens that ask not to be checked.
    Token,
    /// Instructions to a language model; only where a field is known to reach one.
    Prompt,
    /// Expressions over XML documents.
    #[serde(rename = "xpath")]
    XPath,
    /// Formulas for a spreadsheet.
    Formula,
    /// Hosts written like paths where the next page is named.
    Redirect,
    /// Scanners that give their name.
    Scanner,
}

impl Family {
    /// Every family, in the order of their declaration.
    pub const ALL: [Family; 20] = [
        Family::Sql,
        Family::Shell,
        Family::Path,
        Family::Template,
        Family::NoSql,
        Family::Xss,
        Family::Deserialization,
        Family::Xxe,
        Family::Ssrf,
        Family::Code,
        Family::Ldap,
        Family::LogForging,
        Family::PrototypePollution,
        Family::GraphQl,
        Family::Token,
        Family::Prompt,
        Family::XPath,
        Family::Formula,
        Family::Redirect,
        Family::Scanner,
    ];

    pub(crate) const fn bit(self) -> u32 {
        1 << self as u16
    }
}

/// How bad it is if the injection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// A nuisance.
    Low,
    /// Something is learnt or changed that should not be.
    Medium,
    /// Data of others is read or written.
    High,
    /// The sender's code runs.
    Critical,
}

/// How sure a rule is of what it saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Odd, but an honest sender may have written it. Two of a family refuse.
    Hint,
    /// An honest sender would hardly write it.
    Likely,
    /// Nothing but an attack looks like this.
    Certain,
}

/// A rule's identity and documentation.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct RuleInfo {
    /// Its name, stable across releases.
    pub id: &'static str,
    /// What is attacked.
    pub family: Family,
    /// How bad it is if it works.
    pub severity: Severity,
    /// The number of the weakness in the Common Weakness Enumeration.
    pub cwe: u16,
    /// What a match means, in plain words.
    pub message: &'static str,
    /// Why it matters and when it speaks.
    pub why: &'static str,
    /// A text that makes it speak.
    pub example: &'static str,
}

/// Every rule's documentation, by family.
pub fn rules() -> &'static [RuleInfo] {
    static INFOS: OnceLock<Vec<RuleInfo>> = OnceLock::new();
    INFOS.get_or_init(|| all().map(|rule| rule.info).collect())
}

/// A rule with what makes it speak.
pub(crate) struct Rule {
    pub(crate) info: RuleInfo,
    pub(crate) patterns: &'static [Pattern],
}

/// One shape a rule recognises.
#[derive(Clone, Copy)]
pub(crate) struct Pattern {
    /// One of these occurs (in any case) in every text that matches. Empty: run wherever the scope allows.
    pub(crate) literals: &'static [&'static str],
    pub(crate) test: Test,
    pub(crate) confidence: Confidence,
    pub(crate) scope: Scope,
    /// In prose this is only a hint: people write about it.
    pub(crate) prose: bool,
    /// Matches texts made of letters, digits, spaces and ` _.,:@+-` alone, where other patterns are not even tried.
    pub(crate) plain: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Test {
    /// A regular expression over bytes, case-insensitive, `.` matching line breaks.
    Expression(&'static str),
    /// The whole key, in its own case.
    Word,
    /// Code, where an expression cannot tell honest from hostile.
    Analyser(fn(&Subject<'_>) -> Option<Hit>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Everywhere,
    /// Object keys only.
    Keys,
    /// Only where the field is known to reach this sink.
    Sink(Sink),
}

/// A text under inspection.
pub(crate) struct Subject<'a> {
    pub(crate) text: &'a str,
    pub(crate) context: Context,
}

/// Where an analyser found something, and how sure it is.
pub(crate) struct Hit {
    pub(crate) range: Range<usize>,
    pub(crate) confidence: Confidence,
}

impl Pattern {
    const fn new(literals: &'static [&'static str], test: Test, confidence: Confidence) -> Pattern {
        Pattern { literals, test, confidence, scope: Scope::Everywhere, prose: false, plain: false }
    }

    const fn prose(mut self) -> Pattern {
        self.prose = true;
        self
    }

    const fn plain(mut self) -> Pattern {
        self.plain = true;
        self
    }

    /// How sure a match is in `context`; none where it should stay silent.
    pub(crate) fn weigh(&self, family: Family, found: Confidence, context: Context) -> Option<Confidence> {
        use crate::context::FieldKind;
        if context.kind == FieldKind::Envelope {
            return (found == Confidence::Certain && !self.prose).then_some(found);
        }
        if context.exposed_to(family) {
            return Some(found.max(Confidence::Likely));
        }
        if self.prose && context.kind == FieldKind::FreeText {
            return Some(Confidence::Hint);
        }
        Some(found)
    }
}

const fn certain(literals: &'static [&'static str], expression: &'static str) -> Pattern {
    Pattern::new(literals, Test::Expression(expression), Confidence::Certain)
}

const fn likely(literals: &'static [&'static str], expression: &'static str) -> Pattern {
    Pattern::new(literals, Test::Expression(expression), Confidence::Likely)
}

const fn hint(literals: &'static [&'static str], expression: &'static str) -> Pattern {
    Pattern::new(literals, Test::Expression(expression), Confidence::Hint)
}

const fn analyser(literals: &'static [&'static str], run: fn(&Subject<'_>) -> Option<Hit>) -> Pattern {
    Pattern::new(literals, Test::Analyser(run), Confidence::Likely)
}

const fn key(names: &'static [&'static str], confidence: Confidence) -> Pattern {
    Pattern { scope: Scope::Keys, plain: true, ..Pattern::new(names, Test::Word, confidence) }
}

const fn at_sink(sink: Sink, expression: &'static str) -> Pattern {
    Pattern {
        scope: Scope::Sink(sink),
        plain: true,
        ..Pattern::new(&[], Test::Expression(expression), Confidence::Likely)
    }
}

/// Every rule, family by family.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    [
        sql::RULES,
        shell::RULES,
        path::RULES,
        template::RULES,
        nosql::RULES,
        xss::RULES,
        deserialization::RULES,
        xxe::RULES,
        ssrf::RULES,
        code::RULES,
        ldap::RULES,
        log_forging::RULES,
        prototype_pollution::RULES,
        graphql::RULES,
        token::RULES,
        prompt::RULES,
        xpath::RULES,
        formula::RULES,
        redirect::RULES,
        scanner::RULES,
        sinks::RULES,
    ]
    .into_iter()
    .flatten()
}
