//! Regular expressions: SecLang's dialect rewritten for the `regex` family, compiled when first needed.

use std::sync::OnceLock;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::backtrack::BoundedBacktracker;
use regex_automata::nfa::thompson::{self, pikevm::PikeVM};
use regex_automata::util::captures::Captures;
use regex_automata::util::pool::Pool;
use regex_automata::{HalfMatch, Input};
use regex_syntax::hir::Hir;

use super::need::{Need, need};

/// A regular expression over bytes, kept as text and compiled when it is first needed: most never are.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Pattern {
    text: Box<str>,
    /// Kept until the rules are planned.
    #[serde(skip)]
    need: Option<Box<Need>>,
    #[serde(skip)]
    engine: OnceLock<Option<Box<Engine>>>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}

/// Deepest nesting of groups a pattern may have.
const MAX_NESTING: u32 = 120;
/// Largest compiled program of one pattern, in bytes.
const MAX_PROGRAM: usize = 16 << 20;
/// Most memory for the states of one pattern that were worked out so far, in bytes.
const MAX_STATES: usize = 1 << 20;
/// Where the beginning of a match is looked for first: so many bytes before its end.
const NEAR: usize = 2048;

/// A compiled pattern: states are worked out as texts need them, and groups by a slower machine over the same program.
/// A machine that runs backwards would find the beginning of a match faster, and double the memory.
struct Engine {
    forward: DFA,
    caches: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>,
    groups: BoundedBacktracker,
    /// For texts that the other would need too much memory for.
    patient: PikeVM,
}

impl Engine {
    fn new(text: &str) -> Option<Engine> {
        let hir = parse(text).ok()?;
        let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(MAX_PROGRAM));
        let program = thompson::Compiler::new().configure(config).build_from_hir(&hir).ok()?;
        let config = DFA::config()
            .cache_capacity(MAX_STATES)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(8))
            .minimum_bytes_per_state(Some(16));
        let forward = DFA::builder().configure(config).build_from_nfa(program.clone()).ok()?;
        let groups = BoundedBacktracker::new_from_nfa(program.clone()).ok()?;
        let patient = PikeVM::new_from_nfa(program).ok()?;
        let dfa = forward.clone();
        Some(Engine { forward, caches: Pool::new(Box::new(move || dfa.create_cache())), groups, patient })
    }

    /// Where the leftmost match ends, or with `earliest` any.
    fn end(&self, text: &[u8], earliest: bool) -> Option<usize> {
        let input = Input::new(text).earliest(earliest);
        let mut cache = self.caches.get();
        match self.forward.try_search_fwd(&mut cache, &input) {
            Ok(found) => found.map(|found: HalfMatch| found.offset()),
            // Too many states for their memory: the other machine needs none.
            Err(_) => {
                drop(cache);
                self.patient.find(&mut self.patient.create_cache(), text).map(|found| found.end())
            }
        }
    }
}

impl Pattern {
    /// Reads a pattern; says in a word what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Pattern, String> {
        let text = rewrite(text);
        parse(&text)?;
        Ok(Pattern { text: text.into(), need: None, engine: OnceLock::new() })
    }

    /// Reads a pattern, and works out what a text must hold for it to match.
    pub(crate) fn with_need(text: &str) -> Result<Pattern, String> {
        let text = rewrite(text);
        let hir = parse(&text)?;
        Ok(Pattern { text: text.into(), need: Some(Box::new(need(&hir))), engine: OnceLock::new() })
    }

    pub(crate) fn take_need(&mut self) -> Need {
        self.need.take().map(|need| *need).unwrap_or_default()
    }

    fn engine(&self) -> Option<&Engine> {
        self.engine.get_or_init(|| Engine::new(&self.text).map(Box::new)).as_deref()
    }

    /// Compiles now; `false` when the pattern is too large, and would match nothing.
    pub(crate) fn warm(&self) -> bool {
        self.engine().is_some()
    }

    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.engine().is_some_and(|engine| engine.end(text, true).is_some())
    }

    /// The places of the leftmost match and its groups.
    pub(crate) fn captures(&self, text: &[u8]) -> Option<Captures> {
        let engine = self.engine()?;
        let end = engine.end(text, false)?;
        let mut captures = engine.groups.create_captures();
        let near = end.saturating_sub(NEAR.min(engine.groups.max_haystack_len()));
        let input = Input::new(text).range(near..end);
        let tried = engine.groups.try_captures(&mut engine.groups.create_cache(), input, &mut captures);
        if tried.is_ok() && captures.is_match() {
            return Some(captures);
        }
        // It begins further to the left.
        engine.patient.captures(&mut engine.patient.create_cache(), Input::new(text).range(..end), &mut captures);
        captures.is_match().then_some(captures)
    }
}

fn parse(text: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .dot_matches_new_line(true)
        .nest_limit(MAX_NESTING)
        .build();
    parser.parse(text).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "not a regular expression".to_string(),
    })
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
}
