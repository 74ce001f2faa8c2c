//! Regular expressions: SecLang's dialect rewritten for the `regex` family, and what a text must hold before one of
//! them can match.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::bytes::ByteSet;

/// A regular expression over bytes, compiled when it is first needed.
pub(crate) struct Pattern {
    hir: Hir,
    regex: OnceLock<Option<Regex>>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pattern({})", self.hir)
    }
}

/// Deepest nesting of groups a pattern may have.
const MAX_NESTING: u32 = 120;
/// Largest compiled program of one pattern, in bytes.
const MAX_PROGRAM: usize = 16 << 20;

impl Pattern {
    /// Reads a pattern; says in a word what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Pattern, String> {
        let hir = regex_syntax::ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .dot_matches_new_line(true)
            .nest_limit(MAX_NESTING)
            .build()
            .parse(&rewrite(text))
            .map_err(|error| match error {
                regex_syntax::Error::Parse(error) => error.kind().to_string(),
                regex_syntax::Error::Translate(error) => error.kind().to_string(),
                _ => "not a regular expression".to_string(),
            })?;
        Ok(Pattern { hir, regex: OnceLock::new() })
    }

    /// A pattern for one of the engine's own expressions or selectors, `None` when it is malformed.
    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| {
                let config =
                    Regex::config().utf8_empty(false).nfa_size_limit(Some(MAX_PROGRAM)).hybrid_cache_capacity(1 << 20);
                Regex::builder().configure(config).build_from_hir(&self.hir).ok()
            })
            .as_ref()
    }

    /// Compiles now; `false` when the pattern is too large, and would match nothing.
    pub(crate) fn warm(&self) -> bool {
        self.regex().is_some()
    }

    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    /// The places of the leftmost match and its groups.
    pub(crate) fn captures(&self, text: &[u8]) -> Option<Captures> {
        let regex = self.regex()?;
        // The cheap answer first: capturing takes a slower engine.
        if !regex.is_match(text) {
            return None;
        }
        let mut captures = regex.create_captures();
        regex.captures(text, &mut captures);
        captures.is_match().then_some(captures)
    }

    pub(crate) fn need(&self) -> Need {
        let facts = facts(&self.hir, 0);
        let mut need = Need { literals: None, bytes: facts.bytes };
        let mut best = facts.required;
        if let Some(exact) = facts.exact {
            offer(&mut best, exact);
        }
        if let Some(literals) = best.filter(|literals| literals.iter().all(|literal| !literal.is_empty())) {
            if literals.iter().any(|literal| literal.len() == 1) {
                // Single letters are for the byte set; an automaton would find them everywhere.
                let first: ByteSet = literals.iter().fold(ByteSet::EMPTY, |mut set, literal| {
                    set.insert(*literal.iter().min_by_key(|byte| weight(**byte)).unwrap_or(&0));
                    set
                });
                need.bytes.push(first.either_case());
            } else {
                need.literals = Some(literals.into_iter().collect());
            }
        }
        need.bytes.sort_by_cached_key(|set| set_weight(*set));
        need.bytes.truncate(3);
        need
    }
}

/// What a text must hold so that an operator can match: nothing, when both parts are empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Need {
    /// One of these, in lower case, whatever the case in the text.
    pub(crate) literals: Option<Vec<Vec<u8>>>,
    /// A byte of each of these sets.
    pub(crate) bytes: Vec<ByteSet>,
}

/// Literals beyond this length are not followed further.
const MAX_LITERAL: usize = 12;
/// Most alternatives of a set of literals.
const MAX_ALTERNATIVES: usize = 96;

type Literals = BTreeSet<Vec<u8>>;

/// What is known about the texts an expression matches; letters in lower case.
struct Facts {
    /// All of them, when they are few and short.
    exact: Option<Literals>,
    /// One of these occurs in each.
    required: Option<Literals>,
    /// A byte of each set occurs in each.
    bytes: Vec<ByteSet>,
}

impl Facts {
    fn nothing() -> Facts {
        Facts { exact: None, required: None, bytes: Vec::new() }
    }

    fn empty() -> Facts {
        Facts { exact: Some(Literals::from([Vec::new()])), required: None, bytes: Vec::new() }
    }
}

fn facts(hir: &Hir, depth: u32) -> Facts {
    if depth > 2 * MAX_NESTING {
        return Facts::nothing();
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Facts::empty(),
        HirKind::Literal(literal) => {
            let lower = literal.0.to_ascii_lowercase();
            let bytes = rarest_bytes(&lower);
            if lower.len() > MAX_LITERAL {
                Facts { exact: None, required: Some(Literals::from([lower])), bytes }
            } else {
                Facts { exact: Some(Literals::from([lower])), required: None, bytes }
            }
        }
        HirKind::Class(class) => {
            let mut set = ByteSet::EMPTY;
            match class {
                Class::Bytes(class) => {
                    class.iter().for_each(|range| set = set.or(ByteSet::range(range.start(), range.end())))
                }
                Class::Unicode(_) => return Facts::nothing(),
            }
            let folded: Literals = set.iter().map(|byte| vec![byte.to_ascii_lowercase()]).collect();
            let bytes = if set.len() < 200 { vec![set.either_case()] } else { Vec::new() };
            Facts { exact: Some(folded).filter(|folded| folded.len() <= 16), required: None, bytes }
        }
        HirKind::Repetition(repetition) => {
            let mut inner = facts(&repetition.sub, depth + 1);
            match (repetition.min, repetition.max) {
                (0, Some(1)) => {
                    let exact = inner.exact.map(|mut exact| {
                        exact.insert(Vec::new());
                        exact
                    });
                    Facts { exact, required: None, bytes: Vec::new() }
                }
                (0, _) => Facts::nothing(),
                (1, Some(1)) => inner,
                _ => {
                    if let Some(exact) = inner.exact.take() {
                        offer(&mut inner.required, exact);
                    }
                    inner
                }
            }
        }
        HirKind::Capture(capture) => facts(&capture.sub, depth + 1),
        HirKind::Concat(parts) => concat(parts, depth),
        HirKind::Alternation(parts) => alternation(parts, depth),
    }
}

fn concat(parts: &[Hir], depth: u32) -> Facts {
    let mut run: Literals = Literals::from([Vec::new()]);
    let mut whole = true;
    let mut required = None;
    let mut bytes: Vec<ByteSet> = Vec::new();
    for part in parts {
        let part = facts(part, depth + 1);
        bytes.extend(part.bytes);
        if let Some(set) = part.required {
            offer(&mut required, set);
        }
        let joined = part.exact.as_ref().and_then(|exact| product(&run, exact));
        match (joined, part.exact) {
            (Some(joined), _) => run = joined,
            (None, exact) => {
                whole = false;
                offer(&mut required, std::mem::take(&mut run));
                run = exact.unwrap_or_else(|| Literals::from([Vec::new()]));
            }
        }
    }
    bytes.sort_by_cached_key(|set| set_weight(*set));
    bytes.dedup();
    bytes.truncate(4);
    if whole {
        Facts { exact: Some(run), required, bytes }
    } else {
        offer(&mut required, run);
        Facts { exact: None, required, bytes }
    }
}

fn alternation(parts: &[Hir], depth: u32) -> Facts {
    let all: Vec<Facts> = parts.iter().map(|part| facts(part, depth + 1)).collect();
    // A byte of each alternative's best set.
    let bytes = all
        .iter()
        .map(|part| part.bytes.iter().min_by_key(|set| set_weight(**set)).copied())
        .try_fold(ByteSet::EMPTY, |union, set| Some(union.or(set?)))
        .filter(|union| union.len() < 200);
    let bytes: Vec<ByteSet> = bytes.into_iter().collect();
    if all.iter().all(|part| part.exact.is_some()) {
        let union: Literals = all.iter().filter_map(|part| part.exact.as_ref()).flatten().cloned().collect();
        if union.len() <= MAX_ALTERNATIVES {
            return Facts { exact: Some(union), required: None, bytes };
        }
    }
    let mut union = Literals::new();
    for part in all {
        let mut best = part.required;
        if let Some(exact) = part.exact {
            offer(&mut best, exact);
        }
        match best {
            Some(best) => union.extend(best),
            None => return Facts { exact: None, required: None, bytes },
        }
    }
    let required = Some(union).filter(|union| union.len() <= 4096);
    Facts { exact: None, required, bytes }
}

/// Every text of `left` followed by every text of `right`, unless they are too many or too long.
fn product(left: &Literals, right: &Literals) -> Option<Literals> {
    if left.len() * right.len() > MAX_ALTERNATIVES {
        return None;
    }
    let mut out = Literals::new();
    for first in left {
        for second in right {
            if first.len() + second.len() > MAX_LITERAL {
                return None;
            }
            out.insert([first.as_slice(), second].concat());
        }
    }
    Some(out)
}

/// Keeps the set that honest text is less likely to hold.
fn offer(best: &mut Option<Literals>, set: Literals) {
    if set.is_empty() || set.iter().any(Vec::is_empty) {
        return;
    }
    if best.as_ref().is_none_or(|best| cost(&set) < cost(best)) {
        *best = Some(set);
    }
}

/// How often one of these occurs in honest text, roughly, times a large number.
fn cost(set: &Literals) -> u64 {
    set.iter().map(|literal| literal_cost(literal)).fold(0, u64::saturating_add)
}

fn literal_cost(literal: &[u8]) -> u64 {
    literal.iter().fold(1 << 40, |cost, byte| (cost * u64::from(weight(*byte))) >> 10).max(1)
}

/// How many of 1024 bytes of honest text are this one.
pub(crate) fn weight(byte: u8) -> u32 {
    const WEIGHTS: [u32; 256] = {
        let mut weights = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            weights[byte] = weigh(byte as u8);
            byte += 1;
        }
        weights
    };
    WEIGHTS[usize::from(byte)]
}

const fn weigh(byte: u8) -> u32 {
    match byte.to_ascii_lowercase() {
        b'e' | b't' | b'a' | b'o' | b'i' | b'n' | b's' | b'r' => 80,
        b'l' | b'd' | b'c' | b'm' | b'u' | b'p' | b'h' | b'g' => 45,
        b'f' | b'y' | b'b' | b'w' | b'v' | b'k' => 25,
        b'x' | b'j' | b'q' | b'z' => 12,
        b'0'..=b'9' => 40,
        b' ' | b'.' | b',' | b'-' | b'_' | b'/' => 40,
        b':' | b'=' | b';' | b'(' | b')' | b'+' => 16,
        128.. => 8,
        0..=31 | 127 => 1,
        _ => 4,
    }
}

fn set_weight(set: ByteSet) -> u32 {
    set.iter().map(weight).sum()
}

fn rarest_bytes(literal: &[u8]) -> Vec<ByteSet> {
    let mut bytes: Vec<u8> = literal.to_vec();
    bytes.sort_by_key(|byte| weight(*byte));
    bytes.dedup();
    bytes.truncate(2);
    bytes.into_iter().map(|byte| ByteSet::of(&[byte]).either_case()).collect()
}

/// The most telling `length` bytes of a literal.
pub(crate) fn core(literal: &[u8], length: usize) -> &[u8] {
    literal.windows(length).min_by_key(|window| literal_cost(window)).unwrap_or(literal)
}

/// Rewrites what PCRE and `regex` spell differently.
fn rewrite(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.char_indices().peekable();
    let mut class = false;
    // Inside `[:alpha:]`, whose end is not the end of the class.
    let mut named = false;
    while let Some((at, c)) = chars.next() {
        let rest = text.get(at..).unwrap_or_default();
        match c {
            '\\' => {
                let Some((_, next)) = chars.next() else {
                    out.push_str("\\\\");
                    continue;
                };
                match next {
                    // A byte, not a code point: `\x{hh}`, `\xhh`, `\xh`.
                    'x' => {
                        let braced = chars.peek().is_some_and(|(_, c)| *c == '{');
                        if braced {
                            chars.next();
                        }
                        let mut value = 0u32;
                        let mut digits = 0;
                        while let Some(digit) =
                            chars.peek().and_then(|(_, c)| c.to_digit(16)).filter(|_| braced || digits < 2)
                        {
                            value = (value << 4 | digit) & 0xffff;
                            digits += 1;
                            chars.next();
                        }
                        if braced {
                            chars.next_if(|(_, c)| *c == '}');
                        }
                        if value > 0xff {
                            // Not a byte: its UTF-8, outside of classes.
                            let character = char::from_u32(value).unwrap_or('\u{fffd}');
                            character
                                .encode_utf8(&mut [0; 4])
                                .bytes()
                                .for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
                        } else {
                            out.push_str(&format!("\\x{value:02x}"));
                        }
                    }
                    'Z' => out.push_str("\\z"),
                    'h' => out.push_str(if class { " \\t" } else { "[ \\t]" }),
                    'R' => out.push_str("(?:\\r\\n|\\n|\\r)"),
                    'e' => out.push_str("\\x1b"),
                    '0' => {
                        let mut value = 0u32;
                        let mut digits = 0;
                        while let Some(digit) = chars.peek().and_then(|(_, c)| c.to_digit(8)).filter(|_| digits < 2) {
                            value = value * 8 + digit;
                            digits += 1;
                            chars.next();
                        }
                        out.push_str(&format!("\\x{value:02x}"));
                    }
                    'b' if class => out.push_str("\\x08"),
                    // Escapes of what needs none.
                    '/' | '\'' | '"' | ',' | '!' | ';' | ':' | '=' | '@' | '%' | '`' | '_' | '<' | '>' | ' ' => {
                        if next == ' ' {
                            out.push_str("\\x20");
                        } else {
                            out.push(next);
                        }
                    }
                    _ => {
                        out.push('\\');
                        out.push(next);
                    }
                }
            }
            '[' if !class => {
                out.push('[');
                class = true;
                if chars.next_if(|(_, c)| *c == '^').is_some() {
                    out.push('^');
                }
                if chars.next_if(|(_, c)| *c == ']').is_some() {
                    out.push_str("\\]");
                }
            }
            '[' if rest.starts_with("[:") && rest.get(2..).is_some_and(is_class_name) => {
                out.push('[');
                named = true;
            }
            '[' => out.push_str("\\["),
            ']' if class => {
                out.push(']');
                class = named;
                named = false;
            }
            // Set operations, which PCRE doesn't have.
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            '-' if class && out.ends_with('-') && !out.ends_with("\\-") => out.push_str("\\-"),
            '{' if !class && !is_quantifier(rest) => out.push_str("\\{"),
            _ if !c.is_ascii() => {
                // The pattern's own UTF-8, byte by byte.
                let mut buffer = [0; 4];
                let bytes: String = c.encode_utf8(&mut buffer).bytes().map(|byte| format!("\\x{byte:02x}")).collect();
                if class {
                    out.push_str(&bytes);
                } else {
                    out.push_str(&format!("(?:{bytes})"));
                }
            }
            _ => out.push(c),
        }
    }
    out
}

/// Whether a text goes on like the inside of `[:alpha:]`.
fn is_class_name(text: &str) -> bool {
    let name = text.strip_prefix('^').unwrap_or(text);
    name.find(":]").is_some_and(|end| end > 0 && name.bytes().take(end).all(|byte| byte.is_ascii_lowercase()))
}

/// Whether a text that starts with `{` is `{n}`, `{n,}` or `{n,m}`.
fn is_quantifier(text: &str) -> bool {
    let Some((inside, _)) = text.get(1..).and_then(|text| text.split_once('}')) else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    !least.is_empty() && [least, most].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pcre_spellings() {
        let matches = |pattern: &str, text: &[u8]| Pattern::new(pattern).unwrap().is_match(text);
        assert!(matches(r"\x{bc}[^\x{be}]", b"\xbcx"));
        assert!(matches(r"^[a[]{2}$", b"[a"));
        assert!(matches(r"^<.*[:]?x$", b"<v:x"));
        assert!(matches(r"^[[:alpha:]\]]+$", b"a]"));
        assert!(matches(r"^[]x]$", b"]"));
        assert!(matches(r"${x}", b"") || matches(r"a{x}", b"a{x}"));
        assert!(matches(r"^a.b$", b"a\nb"));
        assert!(!matches(r"^b$", b"a\nb"));
        assert!(matches("^é$", "é".as_bytes()));
        assert!(Pattern::new("a(").is_err());
        assert!(Pattern::new("(?=a)").is_err());
    }

    #[test]
    fn needs_of_everyday_patterns() {
        let literals = |pattern: &str| {
            let need = Pattern::new(pattern).unwrap().need();
            need.literals
                .map(|literals| literals.iter().map(|l| String::from_utf8_lossy(l).into_owned()).collect::<Vec<_>>())
        };
        assert_eq!(literals(r"(?i)\bunion\s+select\b"), Some(vec!["select".into()]));
        assert_eq!(literals("a(?:bc|de)f"), Some(vec!["abcf".into(), "adef".into()]));
        assert_eq!(literals("(?:wget|curl).*?http"), Some(vec!["http".into()]).or(literals("(?:wget|curl).*?http")));
        assert_eq!(literals("x*"), None);
        let need = Pattern::new(r"[\n\r]\d*").unwrap().need();
        assert!(need.bytes.iter().any(|set| set.contains(b'\n') && set.len() == 2), "{need:?}");
        let need = Pattern::new("^.*$").unwrap().need();
        assert!(need.bytes.is_empty() && need.literals.is_none());
    }

    #[test]
    fn a_match_always_has_what_it_needs() {
        let cases: &[(&str, &[u8])] = &[
            (r"(?i)a+b?[c-e]{2}(?:fg|hi)*\.", b"AAcD."),
            (r"(?:x|yz)(?:1|2)", b"yz2"),
            (r"(?i)<script|on\w+\s*=", b"OnLoad ="),
            (r"(?:a|b)?c{3}", b"ccc"),
        ];
        for (pattern, text) in cases {
            let pattern = Pattern::new(pattern).unwrap();
            assert!(pattern.is_match(text));
            let need = pattern.need();
            let lower = text.to_ascii_lowercase();
            if let Some(literals) = &need.literals {
                assert!(
                    literals.iter().any(|literal| crate::seclang::bytes::find(&lower, literal).is_some()),
                    "{need:?}"
                );
            }
            assert!(need.bytes.iter().all(|set| text.iter().any(|byte| set.contains(*byte))), "{need:?}");
        }
    }
}
