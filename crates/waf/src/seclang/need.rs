//! What a text must hold before a regular expression can match it: some literal, some bytes, some length.
//!
//! The better this is known, the fewer values reach the expression. Patterns against evasion allow quotes and the like
//! between the letters of a word: a text that they match has the plain word, or one of those marks.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::bytes::ByteSet;
use super::ordinary::{self, weight};

/// What a text must hold so that an operator can match: nothing, when all is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Need {
    /// One of these, in lower case, whatever the case in the text, ...
    pub(crate) literals: Option<Vec<Vec<u8>>>,
    /// ... or one of these bytes instead.
    pub(crate) either: ByteSet,
    /// A byte of each of these sets.
    pub(crate) bytes: Vec<ByteSet>,
    /// So many bytes.
    pub(crate) length: usize,
}

/// Literals beyond this length are not followed further.
const MAX_LITERAL: usize = 12;
/// Most alternatives of a set of literals.
const MAX_ALTERNATIVES: usize = 96;
/// Most literals that one pattern may need one of.
const MAX_LITERALS: usize = 4096;
/// How common the marks between letters may be, at most, for words to be followed across them.
const MAX_ESCAPE: u32 = 64;

/// Literals, or a byte that stands for all that is none of them.
#[derive(Debug, Clone, Default)]
struct Texts {
    literals: BTreeSet<Vec<u8>>,
    escape: ByteSet,
}

impl Texts {
    fn empty() -> Texts {
        Texts { literals: BTreeSet::from([Vec::new()]), escape: ByteSet::EMPTY }
    }

    /// Every text of one followed by every text of the other, unless they are too many or too long.
    fn followed_by(&self, other: &Texts) -> Option<Texts> {
        if self.literals.len() * other.literals.len() > MAX_ALTERNATIVES {
            return None;
        }
        let escape = self.escape.or(other.escape);
        if escape != self.escape && set_weight(escape) > MAX_ESCAPE {
            return None;
        }
        let mut literals = BTreeSet::new();
        for first in &self.literals {
            for second in &other.literals {
                if first.len() + second.len() > MAX_LITERAL {
                    return None;
                }
                literals.insert([first.as_slice(), second].concat());
            }
        }
        Some(Texts { literals, escape })
    }

    /// How often one of these occurs in honest text, roughly, times a large number.
    fn cost(&self) -> u64 {
        let literals = self.literals.iter().map(|literal| ordinary::cost(literal)).fold(0, u64::saturating_add);
        literals.saturating_add(u64::from(set_weight(self.escape)) << 30)
    }
}

/// What is known about the texts an expression matches; letters in lower case.
#[derive(Default)]
struct Facts {
    /// Each is one of these, or holds a byte of the escape.
    exact: Option<Texts>,
    /// One of these occurs in each, or a byte of the escape.
    required: Option<Texts>,
    /// A byte of each set occurs in each.
    bytes: Vec<ByteSet>,
}

impl Facts {
    fn exact(texts: Texts) -> Facts {
        Facts { exact: Some(texts), ..Facts::default() }
    }

    /// The set of bytes that honest text has least of.
    fn rarest(&self) -> Option<ByteSet> {
        self.bytes.iter().min_by_key(|set| set_weight(**set)).copied()
    }
}

/// What a text must hold for an expression to match it.
pub(crate) fn need(hir: &Hir) -> Need {
    let facts = facts(hir, 0);
    let mut best = facts.required;
    if let Some(exact) = facts.exact {
        offer(&mut best, exact);
    }
    let mut need = Need { bytes: facts.bytes, length: hir.properties().minimum_len().unwrap_or(0), ..Need::default() };
    if let Some(texts) = best {
        let (short, long): (Vec<Vec<u8>>, Vec<Vec<u8>>) = texts.literals.into_iter().partition(|text| text.len() < 2);
        // Single letters are for the set; an automaton would find them everywhere.
        let either = short.iter().flatten().fold(texts.escape, |mut set, byte| {
            set.insert(*byte);
            set
        });
        let either = either.either_case();
        if long.is_empty() {
            need.bytes.push(either);
        } else if set_weight(either) <= 2 * MAX_ESCAPE {
            need.literals = Some(long);
            need.either = either;
        }
    }
    need.bytes.sort_by_cached_key(|set| set_weight(*set));
    need.bytes.dedup();
    need.bytes.truncate(3);
    need
}

/// What a text must hold to have one of these words in it, in whatever case.
pub(crate) fn need_of_words(words: &[Vec<u8>]) -> Need {
    let lower: Vec<Vec<u8>> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
    if lower.iter().any(Vec::is_empty) || lower.is_empty() {
        return Need::default();
    }
    let length = lower.iter().map(Vec::len).min().unwrap_or(0);
    let (short, long): (Vec<Vec<u8>>, Vec<Vec<u8>>) = lower.into_iter().partition(|word| word.len() < 2);
    let either = ByteSet::of(&short.concat()).either_case();
    if long.is_empty() {
        return Need { bytes: vec![either], length, ..Need::default() };
    }
    Need { literals: Some(long), either, bytes: Vec::new(), length }
}

fn facts(hir: &Hir, depth: u32) -> Facts {
    if depth > 200 {
        return Facts::default();
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Facts::exact(Texts::empty()),
        HirKind::Literal(literal) => {
            let lower = literal.0.to_ascii_lowercase();
            let bytes = rarest_bytes(&lower);
            let long = lower.len() > MAX_LITERAL;
            let texts = Some(Texts { literals: BTreeSet::from([lower]), escape: ByteSet::EMPTY });
            if long {
                Facts { required: texts, bytes, ..Facts::default() }
            } else {
                Facts { exact: texts, bytes, ..Facts::default() }
            }
        }
        HirKind::Class(class) => {
            let Class::Bytes(class) = class else { return Facts::default() };
            let mut set = ByteSet::EMPTY;
            class.iter().for_each(|range| set = set.or(ByteSet::range(range.start(), range.end())));
            let letters: BTreeSet<Vec<u8>> = set.iter().map(|byte| vec![byte.to_ascii_lowercase()]).collect();
            let bytes = if set.len() < 200 { vec![set.either_case()] } else { Vec::new() };
            let exact = Some(Texts { literals: letters, escape: ByteSet::EMPTY });
            Facts { exact: exact.filter(|texts| texts.literals.len() <= 16), bytes, ..Facts::default() }
        }
        HirKind::Repetition(repetition) => {
            let mut inner = facts(&repetition.sub, depth + 1);
            match (repetition.min, repetition.max) {
                (0, most) => {
                    // A word that may be missing stands there whole or not at all.
                    let word = inner.exact.as_ref().is_some_and(|texts| {
                        texts.escape == ByteSet::EMPTY && texts.literals.iter().all(|text| text.len() > 1)
                    });
                    if let (Some(1), true, Some(mut texts)) = (most, word, inner.exact.clone()) {
                        texts.literals.insert(Vec::new());
                        return Facts::exact(texts);
                    }
                    // Nothing, or what can't do without one of these bytes.
                    let marks = inner.rarest().filter(|set| {
                        set_weight(*set) <= MAX_ESCAPE && !set.iter().any(|byte| byte.is_ascii_alphanumeric())
                    });
                    if let Some(escape) = marks {
                        return Facts::exact(Texts { escape, ..Texts::empty() });
                    }
                    let once = inner.exact.take().filter(|_| most == Some(1)).map(|mut texts| {
                        texts.literals.insert(Vec::new());
                        texts
                    });
                    Facts { exact: once, ..Facts::default() }
                }
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
    let mut run = Texts::empty();
    let mut whole = true;
    let mut required = None;
    let mut bytes: Vec<ByteSet> = Vec::new();
    for part in parts {
        let part = facts(part, depth + 1);
        bytes.extend(part.bytes);
        if let Some(texts) = part.required {
            offer(&mut required, texts);
        }
        let joined = part.exact.as_ref().and_then(|exact| run.followed_by(exact));
        match (joined, part.exact) {
            (Some(joined), _) => {
                // Words so far may tell more than longer ones that marks can stand for.
                if joined.escape != run.escape && run.literals.iter().all(|text| text.len() > 2) {
                    offer(&mut required, run);
                }
                run = joined;
            }
            (None, exact) => {
                whole = false;
                offer(&mut required, std::mem::take(&mut run));
                run = exact.unwrap_or_else(Texts::empty);
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
        .map(Facts::rarest)
        .try_fold(ByteSet::EMPTY, |union, set| Some(union.or(set?)))
        .filter(|union| union.len() < 200);
    let bytes: Vec<ByteSet> = bytes.into_iter().collect();
    if all.iter().all(|part| part.exact.is_some()) {
        let mut union = Texts::default();
        for exact in all.iter().filter_map(|part| part.exact.as_ref()) {
            union.literals.extend(exact.literals.iter().cloned());
            union.escape = union.escape.or(exact.escape);
        }
        if union.literals.len() <= MAX_ALTERNATIVES && set_weight(union.escape) <= MAX_ESCAPE {
            return Facts { exact: Some(union), required: None, bytes };
        }
    }
    let mut union = Texts::default();
    let mut bests: Vec<(Option<Texts>, Option<ByteSet>)> = Vec::with_capacity(all.len());
    for part in all {
        let rarest = part.rarest();
        let mut best = part.required;
        if let Some(exact) = part.exact {
            offer(&mut best, exact);
        }
        bests.push((best, rarest));
    }
    // Marks that stand for words of several alternatives are looked for anyway: they are no reason against the words.
    let (mut once, mut shared) = (ByteSet::EMPTY, ByteSet::EMPTY);
    for best in bests.iter().filter_map(|(best, _)| best.as_ref()) {
        shared = shared.or(best.escape.minus(best.escape.minus(once)));
        once = once.or(best.escape);
    }
    for (best, rarest) in bests {
        // Bytes serve where there is no literal.
        let instead = rarest.map(|escape| Texts { literals: BTreeSet::new(), escape });
        let best = match (best, instead) {
            (Some(best), Some(bytes)) => {
                let own = Texts { literals: best.literals.clone(), escape: best.escape.minus(shared) };
                if bytes.cost() < own.cost() { Some(bytes) } else { Some(best) }
            }
            (mut best, instead) => {
                instead.into_iter().for_each(|bytes| offer(&mut best, bytes));
                best
            }
        };
        match best {
            Some(best) => {
                union.literals.extend(best.literals);
                union.escape = union.escape.or(best.escape);
            }
            None => return Facts { bytes, ..Facts::default() },
        }
    }
    let required = Some(union).filter(|union| union.literals.len() <= MAX_LITERALS);
    Facts { exact: None, required, bytes }
}

/// Keeps the set that honest text is less likely to hold.
fn offer(best: &mut Option<Texts>, texts: Texts) {
    let nothing = texts.literals.is_empty() && texts.escape == ByteSet::EMPTY;
    if nothing || texts.literals.iter().any(Vec::is_empty) {
        return;
    }
    if best.as_ref().is_none_or(|best| texts.cost() < best.cost()) {
        *best = Some(texts);
    }
}

/// How many of 1024 bytes of honest text are in the set.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Need {
        let parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        need(&{ parser }.parse(pattern).unwrap())
    }

    fn literals(pattern: &str) -> Option<Vec<String>> {
        let literals = of(pattern).literals?;
        Some(literals.iter().map(|literal| String::from_utf8_lossy(literal).into_owned()).collect())
    }

    #[test]
    fn needs_of_everyday_patterns() {
        assert_eq!(literals(r"(?i)\bunion\s+select\b"), Some(vec!["union".into()]));
        assert_eq!(literals("a(?:bc|de)f"), Some(vec!["abcf".into(), "adef".into()]));
        assert_eq!(literals("(?:wget|curl).*?http"), Some(vec!["curl".into(), "wget".into()]));
        assert_eq!(literals("x*"), None);
        let need = of(r"[\n\r]\d*");
        assert!(need.bytes.iter().any(|set| set.contains(b'\n') && set.len() == 2), "{need:?}");
        let need = of("^.*$");
        assert!(need.bytes.is_empty() && need.literals.is_none());
    }

    #[test]
    fn marks_between_letters_stand_for_the_word_they_hide() {
        let need = of(r#"(?i)w["'\\]*g["'\\]*(?:\$[a-z]*)?e["'\\]*t"#);
        assert_eq!(need.literals, Some(vec![b"wget".to_vec()]));
        assert!(b"\"'\\$".iter().all(|mark| need.either.contains(*mark)) && need.either.len() == 4, "{need:?}");
        let need = of(r#"["'`]\s*!|\bdatabase\(|information_schema"#);
        assert_eq!(need.literals, Some(vec![b"database(".to_vec(), b"information_schema".to_vec()]));
        assert!(need.either.contains(b'!') || need.either.contains(b'`'), "{need:?}");
    }

    #[test]
    fn a_match_always_has_what_it_needs() {
        let cases: &[(&str, &str)] = &[
            (r"(?i)a+b?[c-e]{2}(?:fg|hi)*\.", "AAcD."),
            (r"(?:x|yz)(?:1|2)", "yz2"),
            (r"(?i)<script|on\w+\s*=", "OnLoad ="),
            (r"(?:a|b)?c{3}", "ccc"),
            (r#"(?i)w["']*g["']*e["']*t"#, "W'g\"\"et"),
            (r#"(?i)w["']*g["']*e["']*t"#, "wGet"),
            (r"(?:'|x\d|yes)z?", "x7"),
        ];
        for (pattern, text) in cases {
            let need = of(pattern);
            let lower = text.to_ascii_lowercase();
            if let Some(literals) = &need.literals {
                let held =
                    literals.iter().any(|literal| crate::seclang::bytes::find(lower.as_bytes(), literal).is_some());
                assert!(held || text.bytes().any(|byte| need.either.contains(byte)), "{pattern} {text} {need:?}");
            }
            assert!(need.bytes.iter().all(|set| text.bytes().any(|byte| set.contains(byte))), "{pattern} {need:?}");
            assert!(need.length <= text.len());
        }
    }
}
