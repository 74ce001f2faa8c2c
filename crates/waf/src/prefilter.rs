//! What must be in a text before a pattern is worth running.
//!
//! One pass over the bytes says which classes occur; for texts of plain words only the few patterns that match plain
//! words are looked for. One pass of an automaton over the rest finds the literals, and with them the candidates.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::rules::{Pattern, Scope};

/// The kinds of bytes a text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Classes(u16);

impl Classes {
    const ALNUM: u16 = 1;
    const DASH: u16 = 1 << 1;
    /// Space and ` _.,:@+=`-like marks of honest words, numbers and names.
    const MARK: u16 = 1 << 2;
    const PERCENT: u16 = 1 << 3;
    const AMPERSAND: u16 = 1 << 4;
    const BACKSLASH: u16 = 1 << 5;
    const WIDE: u16 = 1 << 6;
    const CONTROL: u16 = 1 << 7;
    const QUOTE: u16 = 1 << 8;
    const STAR: u16 = 1 << 9;
    const DOLLAR: u16 = 1 << 10;
    const EQUALS: u16 = 1 << 11;
    const OTHER: u16 = 1 << 12;

    const TABLE: [u16; 256] = Classes::table();

    const fn table() -> [u16; 256] {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => Classes::ALNUM,
                b'-' => Classes::DASH,
                b' ' | b'_' | b'.' | b',' | b':' | b'@' | b'+' => Classes::MARK,
                b'%' => Classes::PERCENT,
                b'&' => Classes::AMPERSAND,
                b'\\' => Classes::BACKSLASH,
                128.. => Classes::WIDE,
                0..=31 | 127 => Classes::CONTROL,
                b'\'' | b'"' | b'`' => Classes::QUOTE,
                b'*' => Classes::STAR,
                b'$' => Classes::DOLLAR,
                b'=' => Classes::EQUALS,
                _ => Classes::OTHER,
            };
            byte += 1;
        }
        table
    }

    pub(crate) fn of(text: &str) -> Classes {
        Classes(text.bytes().fold(0, |seen, byte| seen | Classes::TABLE[usize::from(byte)]))
    }

    fn has(self, class: u16) -> bool {
        self.0 & class != 0
    }

    /// Letters, digits and dashes: identifiers, dates, nothing anybody could inject with.
    pub(crate) fn is_word(self) -> bool {
        self.0 & !(Classes::ALNUM | Classes::DASH) == 0
    }

    /// Words, numbers and the commonest punctuation.
    pub(crate) fn is_plain(self) -> bool {
        self.0 & !(Classes::ALNUM | Classes::DASH | Classes::MARK) == 0
    }

    pub(crate) fn percent(self) -> bool {
        self.has(Classes::PERCENT)
    }

    pub(crate) fn ampersand(self) -> bool {
        self.has(Classes::AMPERSAND)
    }

    pub(crate) fn backslash(self) -> bool {
        self.has(Classes::BACKSLASH)
    }

    pub(crate) fn wide(self) -> bool {
        self.has(Classes::WIDE)
    }

    pub(crate) fn control(self) -> bool {
        self.has(Classes::CONTROL)
    }

    pub(crate) fn star(self) -> bool {
        self.has(Classes::STAR)
    }

    pub(crate) fn equals(self) -> bool {
        self.has(Classes::EQUALS)
    }

    /// Whether something a shell would take away from a word occurs.
    pub(crate) fn shell_quoting(self) -> bool {
        self.has(Classes::QUOTE | Classes::BACKSLASH | Classes::DOLLAR)
    }
}

/// A set of patterns, by their number.
pub(crate) type Candidates = [u64; WORDS];
const WORDS: usize = 6;

/// The automata over all patterns' literals.
pub(crate) struct Prefilter {
    plain: Automaton,
    full: Automaton,
}

impl Prefilter {
    pub(crate) fn new(patterns: &[Pattern]) -> Prefilter {
        assert!(patterns.len() <= WORDS * 64, "the candidate set holds {} patterns", WORDS * 64);
        Prefilter { plain: Automaton::new(patterns, |pattern| pattern.plain), full: Automaton::new(patterns, |_| true) }
    }

    /// Adds to `candidates` the patterns one of whose literals occurs in `text`.
    pub(crate) fn search(&self, text: &str, classes: Classes, candidates: &mut Candidates) -> bool {
        if classes.is_word() {
            return false;
        }
        if classes.is_plain() { self.plain.search(text, candidates) } else { self.full.search(text, candidates) }
    }
}

struct Automaton {
    literals: AhoCorasick,
    /// The patterns that asked for each literal.
    patterns: Vec<Candidates>,
}

impl Automaton {
    fn new(patterns: &[Pattern], wanted: impl Fn(&Pattern) -> bool) -> Automaton {
        let mut pairs: Vec<(String, usize)> = patterns
            .iter()
            .enumerate()
            .filter(|(_, pattern)| pattern.scope != Scope::Keys && wanted(pattern))
            .flat_map(|(index, pattern)| {
                pattern.literals.iter().map(move |literal| (literal.to_ascii_lowercase(), index))
            })
            .collect();
        pairs.sort();
        let mut literals: Vec<String> = Vec::new();
        let mut sets: Vec<Candidates> = Vec::new();
        for (literal, index) in pairs {
            if literals.last() != Some(&literal) {
                literals.push(literal);
                sets.push([0; WORDS]);
            }
            if let Some(word) = sets.last_mut().and_then(|set| set.get_mut(index / 64)) {
                *word |= 1 << (index % 64);
            }
        }
        let literals = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(&literals)
            .expect("the rules' literals are few and short, far below the automaton's limits");
        Automaton { literals, patterns: sets }
    }

    fn search(&self, text: &str, candidates: &mut Candidates) -> bool {
        let mut any = false;
        for found in self.literals.find_overlapping_iter(text) {
            if let Some(set) = self.patterns.get(found.pattern().as_usize()) {
                any = true;
                for (word, bits) in candidates.iter_mut().zip(set) {
                    *word |= bits;
                }
            }
        }
        any
    }
}

/// The numbers in a set, ascending.
pub(crate) fn members(candidates: Candidates) -> impl Iterator<Item = usize> {
    candidates.into_iter().enumerate().flat_map(|(word, mut bits)| {
        std::iter::from_fn(move || {
            if bits == 0 {
                return None;
            }
            let bit = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            Some(word * 64 + bit)
        })
    })
}

pub(crate) const NONE: Candidates = [0; WORDS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_everyday_values() {
        assert!(Classes::of("9f1c2d3e-aaaa-4bbb-8ccc-0123456789ab").is_word());
        assert!(Classes::of("2026-07-24T10:11:12.345+02:00").is_plain());
        assert!(!Classes::of("O'Brien").is_plain());
        assert!(Classes::of("50%").percent() && !Classes::of("50").percent());
    }

    #[test]
    fn members_are_what_was_set() {
        let mut set = NONE;
        set[0] = 0b101;
        set[2] = 1 << 63;
        assert_eq!(members(set).collect::<Vec<_>>(), [0, 2, 191]);
    }
}
