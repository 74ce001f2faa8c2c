//! Regular expressions: SecLang's dialect rewritten for the `regex` family, compiled when first needed.

use std::sync::OnceLock;

use regex_automata::meta::Regex;
use regex_automata::util::captures::Captures;
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
    regex: OnceLock<Option<Box<Regex>>>,
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

impl Pattern {
    /// Reads a pattern; says in a word what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Pattern, String> {
        let text = rewrite(text);
        parse(&text)?;
        Ok(Pattern { text: text.into(), need: None, regex: OnceLock::new() })
    }

    /// Reads a pattern, and works out what a text must hold for it to match.
    pub(crate) fn with_need(text: &str) -> Result<Pattern, String> {
        let text = rewrite(text);
        let hir = parse(&text)?;
        Ok(Pattern { text: text.into(), need: Some(Box::new(need(&hir))), regex: OnceLock::new() })
    }

    pub(crate) fn take_need(&mut self) -> Need {
        self.need.take().map(|need| *need).unwrap_or_default()
    }

    fn regex(&self) -> Option<&Regex> {
        self.regex
            .get_or_init(|| {
                let config =
                    Regex::config().utf8_empty(false).nfa_size_limit(Some(MAX_PROGRAM)).hybrid_cache_capacity(1 << 20);
                let hir = parse(&self.text).ok()?;
                Regex::builder().configure(config).build_from_hir(&hir).ok().map(Box::new)
            })
            .as_deref()
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
