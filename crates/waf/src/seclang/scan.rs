//! One pass over a value that says which operators could match it.
//!
//! All literals that any operator needs stand in one automaton, whatever the transformation in front of the operator:
//! most values come out of most transformations unchanged, so one pass serves all of them. Letters are compared without
//! case, so that lower-casing doesn't need a pass of its own.
//!
//! The automaton knows only a few telling bytes of each literal, its core; what stands around a core that was found is
//! compared afterwards, eight bytes at a time. That keeps it small, and honest text rarely gets that far.

use std::borrow::Cow;

use super::bytes::ByteSet;
use super::ordinary::core;

/// The automaton looks for at most this much of a literal.
const CORE: usize = 4;
/// Most states of the automaton, whose numbers are 16 bits wide.
const MAX_STATES: usize = 1 << 16;

/// A literal in lower case, with the operators that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Literal {
    pub(crate) text: Vec<u8>,
    pub(crate) owners: Vec<u16>,
}

/// The automaton over all operators' literals.
#[derive(Default)]
pub(crate) struct Scanner {
    /// The class of each byte; 0 for those in no core.
    classes: Vec<u8>,
    /// Classes there are.
    stride: usize,
    /// The next state, by state and class.
    table: Vec<u16>,
    /// States from here on end a core.
    matching: u16,
    /// For each of them where its literals begin in `hits`; one more at the end.
    starts: Vec<u32>,
    hits: Vec<u16>,
    entries: Vec<Entry>,
    texts: Vec<u8>,
    /// Words of a set of operators, and bits in them.
    marks: Vec<(u16, u64)>,
    /// 64-bit words that a set of operators takes.
    words: usize,
    /// There are more literals than fit: the scanner knows none of them.
    overflow: bool,
}

/// A literal, as it is compared where its core was found.
#[derive(Default)]
struct Entry {
    /// Up to eight bytes that end with the core, and up to eight behind it; how many they are.
    left: u64,
    right: u64,
    left_length: u8,
    right_length: u8,
    /// How many words its owners are in.
    count: u16,
    /// Where these are in `marks`.
    marks: u32,
    /// Where its text is.
    text: u32,
    /// Its length.
    length: u16,
    /// Bytes of it up to the end of its core.
    before: u16,
}

/// The parts of a [`Scanner`] that the rest can be made of.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Packed<'a> {
    words: u32,
    texts: &'a [u8],
    /// Length, bytes up to the end of the core, number of marks.
    entries: Vec<(u16, u16, u16)>,
    marks: Cow<'a, [(u16, u64)]>,
}

/// Makes all letters among eight bytes small ones.
fn lower(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Per byte, bit 7 says: at least `A`; more than `Z`. Bytes beyond ASCII are left alone.
    let low = bytes & (ONES * 0x7f);
    let from_a = low + ONES * (0x80 - b'A' as u64);
    let beyond_z = low + ONES * (0x7f - b'Z' as u64);
    let letters = (from_a & !beyond_z & !bytes) & (ONES * 0x80);
    bytes | letters >> 2
}

/// The eight bytes before `end`; zeros stand for what is before the text.
fn eight_before(text: &[u8], end: usize) -> u64 {
    match end.checked_sub(8).and_then(|start| text.get(start..end)?.first_chunk::<8>()) {
        Some(window) => u64::from_be_bytes(*window),
        None => text.get(..end).unwrap_or_default().iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
    }
}

/// The eight bytes from `start` on; zeros stand for what is behind the text.
fn eight_from(text: &[u8], start: usize) -> u64 {
    let rest = text.get(start..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(window) => u64::from_be_bytes(*window),
        None => rest.iter().rev().fold(0, |value, byte| value >> 8 | u64::from(*byte) << 56),
    }
}

/// Whether the last `length` bytes of two words are the same.
fn same_end(one: u64, other: u64, length: u8) -> bool {
    (one ^ other).trailing_zeros() >= 8 * u32::from(length)
}

/// Whether the first `length` bytes of two words are the same.
fn same_start(one: u64, other: u64, length: u8) -> bool {
    (one ^ other).leading_zeros() >= 8 * u32::from(length)
}

impl Scanner {
    /// Builds the automaton over literals for so many operators.
    pub(crate) fn new(literals: &[Literal], operators: usize) -> Scanner {
        let empty = Scanner { words: operators.div_ceil(64), ..Scanner::default() };
        if literals.is_empty() {
            return empty;
        }
        let overflow = Scanner { overflow: true, words: operators.div_ceil(64), ..Scanner::default() };
        if literals.len() > usize::from(u16::MAX) || operators > usize::from(u16::MAX) {
            return overflow;
        }
        let mut scanner = empty;
        for literal in literals {
            let core = core(&literal.text, CORE.min(literal.text.len()));
            let start = super::bytes::find(&literal.text, core).unwrap_or(0);
            let from = scanner.marks.len();
            let mut owners = literal.owners.clone();
            owners.sort_unstable();
            for owner in owners {
                let (word, bit) = (owner / 64, 1u64 << (owner % 64));
                match scanner.marks.get_mut(from..).and_then(<[(u16, u64)]>::last_mut) {
                    Some((last, bits)) if *last == word => *bits |= bit,
                    _ => scanner.marks.push((word, bit)),
                }
            }
            scanner.entries.push(Entry {
                count: (scanner.marks.len() - from) as u16,
                marks: from as u32,
                text: scanner.texts.len() as u32,
                length: literal.text.len().min(usize::from(u16::MAX)) as u16,
                before: (start + core.len()) as u16,
                ..Entry::default()
            });
            scanner.texts.extend_from_slice(literal.text.get(..usize::from(u16::MAX)).unwrap_or(&literal.text));
        }
        if scanner.build() { scanner } else { overflow }
    }

    /// Makes everything out of the literals. `false` when there are too many, or they contradict each other.
    fn build(&mut self) -> bool {
        let texts = std::mem::take(&mut self.texts);
        let mut cores: Vec<&[u8]> = Vec::with_capacity(self.entries.len());
        for entry in &mut self.entries {
            let Some(text) = texts.get(entry.text as usize..entry.text as usize + usize::from(entry.length)) else {
                return false;
            };
            let before = usize::from(entry.before);
            let (Some(first), Some(behind)) = (text.get(..before), text.get(before..)) else { return false };
            let core = first.get(before.saturating_sub(CORE)..).unwrap_or_default();
            if core.is_empty() {
                return false;
            }
            cores.push(core);
            entry.left = eight_before(text, before);
            entry.right = eight_from(text, before);
            entry.left_length = before.min(8) as u8;
            entry.right_length = behind.len().min(8) as u8;
        }
        self.classes = vec![0; 256];
        self.stride = 0;
        for byte in cores.iter().flat_map(|core| core.iter()) {
            if self.classes[usize::from(*byte)] == 0 {
                self.stride = (self.stride + 1).min(255);
                self.classes[usize::from(*byte)] = self.stride as u8;
            }
        }
        self.stride += 1;
        for byte in b'a'..=b'z' {
            self.classes[usize::from(byte.to_ascii_uppercase())] = self.classes[usize::from(byte)];
        }
        let built = self.automaton(&cores);
        self.texts = texts;
        built
    }

    /// What the automaton is made of, to be kept in a file.
    pub(crate) fn pack(&self) -> Packed<'_> {
        let entries = self.entries.iter().map(|entry| (entry.length, entry.before, entry.count)).collect();
        Packed { words: self.words as u32, texts: &self.texts, entries, marks: Cow::Borrowed(&self.marks) }
    }

    /// The automaton that [`Scanner::pack`] was asked for; `None` when the parts don't fit together.
    pub(crate) fn unpack(packed: Packed<'_>) -> Option<Scanner> {
        let words = packed.words as usize;
        if words > 1024 || packed.entries.len() > usize::from(u16::MAX) {
            return None;
        }
        let mut scanner = Scanner { words, ..Scanner::default() };
        let (mut text, mut marks) = (0u32, 0u32);
        for (length, before, count) in packed.entries {
            scanner.entries.push(Entry { text, length, before, count, marks, ..Entry::default() });
            text = text.checked_add(u32::from(length))?;
            marks = marks.checked_add(u32::from(count))?;
        }
        scanner.texts = packed.texts.to_vec();
        scanner.marks = packed.marks.into_owned();
        (scanner.entries.is_empty() || scanner.build()).then_some(scanner)
    }

    /// Fills the table: a tree of all cores, in which every missing step leads where the longest end of what was read
    /// leads. `false` when there are too many states.
    fn automaton(&mut self, cores: &[&[u8]]) -> bool {
        let stride = self.stride;
        // The tree, breadth first: children's numbers follow their parents'.
        let mut children: Vec<u16> = vec![0; stride];
        let mut own: Vec<Vec<u16>> = vec![Vec::new()];
        let mut places: Vec<u16> = vec![0; cores.len()];
        // For each state the row and class that lead to it.
        let mut steps: Vec<(u16, u8)> = vec![(0, 0)];
        for depth in 0..CORE {
            for (number, core) in cores.iter().enumerate() {
                let Some(byte) = core.get(depth) else { continue };
                let class = self.classes[usize::from(*byte)];
                let at = usize::from(places[number]) * stride + usize::from(class);
                if children[at] == 0 {
                    if own.len() >= MAX_STATES {
                        return false;
                    }
                    children[at] = own.len() as u16;
                    children.resize(children.len() + stride, 0);
                    own.push(Vec::new());
                    steps.push((places[number], class));
                }
                places[number] = children[at];
                if depth + 1 == core.len() {
                    own[usize::from(places[number])].push(number as u16);
                }
            }
        }
        let states = own.len();
        let mut fail = vec![0u16; states];
        for state in 1..states {
            let (parent, class) = steps[state];
            // Where the byte leads from the end that is one shorter.
            let other = match parent {
                0 => 0,
                _ => children[usize::from(fail[usize::from(parent)]) * stride + usize::from(class)],
            };
            fail[state] = other;
            if !own[usize::from(other)].is_empty() {
                let ends = own[usize::from(other)].clone();
                own[state].extend(ends);
            }
            let (before, rest) = children.split_at_mut(state * stride);
            let inherited = &before[usize::from(other) * stride..usize::from(other) * stride + stride];
            for (child, inherited) in rest[..stride].iter_mut().zip(inherited) {
                *child = if *child == 0 { *inherited } else { *child };
            }
        }
        // States that end something get the highest numbers.
        let quiet = own.iter().filter(|list| list.is_empty()).count();
        let mut names = vec![0u16; states];
        let (mut low, mut high) = (0, quiet);
        for (state, list) in own.iter().enumerate() {
            let place = if list.is_empty() { &mut low } else { &mut high };
            names[state] = *place as u16;
            *place += 1;
        }
        self.matching = quiet.min(usize::from(u16::MAX)) as u16;
        self.table = vec![0; states * stride];
        self.starts = Vec::with_capacity(states - quiet + 1);
        for (state, list) in own.iter().enumerate() {
            let to = usize::from(names[state]) * stride;
            for class in 0..stride {
                self.table[to + class] = names[usize::from(children[state * stride + class])];
            }
            if !list.is_empty() {
                self.starts.push(self.hits.len() as u32);
                self.hits.extend_from_slice(list);
            }
        }
        self.starts.push(self.hits.len() as u32);
        true
    }

    /// 64-bit words of a set of operators.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    pub(crate) fn memory(&self) -> usize {
        (self.table.len() + self.hits.len()) * 2
            + self.marks.len() * size_of::<(u16, u64)>()
            + self.starts.len() * 4
            + self.entries.len() * size_of::<Entry>()
            + self.texts.len()
    }

    /// Whether every operator that has literals has them in the automaton.
    pub(crate) fn works(&self) -> bool {
        !self.overflow
    }

    /// Sets the bits of the operators whose literals occur in `text`.
    pub(crate) fn scan(&self, text: &[u8], bits: &mut [u64]) {
        let Some(classes) = self.classes.first_chunk::<256>() else { return };
        let (table, stride, matching) = (self.table.as_slice(), self.stride as u32, self.matching);
        let step = |state: u16, byte: u8| {
            let place = u32::from(state) * stride + u32::from(classes[usize::from(byte)]);
            table.get(place as usize).copied().unwrap_or(0)
        };
        // States that have nothing new to tell, each in one of a few places.
        let mut told = [u16::MAX; 64];
        let mut hit = |state: u16, end: usize| {
            let state = state - matching;
            let place = &mut told[usize::from(state % 64)];
            if *place != state && self.found(state, text, end, bits) {
                *place = state;
            }
        };
        let mut state = 0u16;
        let (fours, rest) = text.as_chunks::<4>();
        let mut at = 0;
        for four in fours {
            let states = {
                let first = step(state, four[0]);
                let second = step(first, four[1]);
                let third = step(second, four[2]);
                [first, second, third, step(third, four[3])]
            };
            state = states[3];
            // Mostly none of them ends a core.
            if states.iter().any(|state| *state >= matching) {
                for (behind, state) in states.into_iter().enumerate() {
                    if state >= matching {
                        hit(state, at + behind + 1);
                    }
                }
            }
            at += 4;
        }
        for &byte in rest {
            state = step(state, byte);
            at += 1;
            if state >= matching {
                hit(state, at);
            }
        }
    }

    /// Cores end at `end`: whose literals stand there? Whether all of them have been found by now.
    #[inline(never)]
    fn found(&self, state: u16, text: &[u8], end: usize, bits: &mut [u64]) -> bool {
        let mut left = None;
        let mut right = None;
        let state = usize::from(state);
        let (Some(&from), Some(&to)) = (self.starts.get(state), self.starts.get(state + 1)) else {
            return true;
        };
        let mut all = true;
        for &number in self.hits.get(from as usize..to as usize).unwrap_or_default() {
            let Some(entry) = self.entries.get(usize::from(number)) else { continue };
            let marks = entry.marks as usize..entry.marks as usize + usize::from(entry.count);
            let marks = self.marks.get(marks).unwrap_or_default();
            // Nothing new to be learnt from finding it again.
            let known =
                |(word, mark): &(u16, u64)| bits.get(usize::from(*word)).is_none_or(|word| word & mark == *mark);
            if marks.iter().all(known) {
                continue;
            }
            let mut found = false;
            let left = *left.get_or_insert_with(|| lower(eight_before(text, end)));
            if same_end(left, entry.left, entry.left_length) {
                let right = *right.get_or_insert_with(|| lower(eight_from(text, end)));
                if same_start(right, entry.right, entry.right_length)
                    && end >= usize::from(entry.before)
                    && end + usize::from(entry.right_length) <= text.len()
                    && (entry.length <= u16::from(entry.left_length) + u16::from(entry.right_length)
                        || self.stands(entry, text, end))
                {
                    found = true;
                    for (word, mark) in marks {
                        if let Some(word) = bits.get_mut(usize::from(*word)) {
                            *word |= mark;
                        }
                    }
                }
            }
            all &= found;
        }
        all
    }

    /// Whether the whole literal stands where its core was found.
    fn stands(&self, entry: &Entry, text: &[u8], end: usize) -> bool {
        let length = usize::from(entry.length);
        let literal = self.texts.get(entry.text as usize..entry.text as usize + length).unwrap_or_default();
        end.checked_sub(usize::from(entry.before))
            .and_then(|start| text.get(start..start + length))
            .is_some_and(|found| found.eq_ignore_ascii_case(literal))
    }
}

/// The bytes that occur in a text.
pub(crate) fn bytes_of(text: &[u8]) -> ByteSet {
    // Marks in a table cost less for each byte, and more at the end.
    if text.len() > 160 {
        let mut seen = [0u8; 256];
        for &byte in text {
            seen[usize::from(byte)] = 1;
        }
        return ByteSet::marked(&seen);
    }
    let mut set = ByteSet::EMPTY;
    for &byte in text {
        set.insert(byte);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(literals: &[&str], text: &str) -> Vec<usize> {
        let literals: Vec<Literal> = literals
            .iter()
            .enumerate()
            .map(|(number, text)| Literal { text: text.as_bytes().to_vec(), owners: vec![number as u16] })
            .collect();
        let scanner = Scanner::new(&literals, literals.len());
        let mut bits = vec![0; scanner.words()];
        scanner.scan(text.as_bytes(), &mut bits);
        (0..literals.len()).filter(|number| bits[number / 64] >> (number % 64) & 1 == 1).collect()
    }

    #[test]
    fn literals_are_found_wherever_they_stand_in_either_case() {
        let literals = ["union", "on", "select", "xp_cmdshell", "<?", "ion s", "\u{e9}t\u{e9}"];
        assert_eq!(found(&literals, "UNION SELECT"), [0, 1, 2, 5]);
        assert_eq!(found(&literals, "on"), [1]);
        assert_eq!(found(&literals, "exec XP_cmdSHELL"), [3]);
        assert_eq!(found(&literals, "xp_cmdshel <"), [0usize; 0]);
        assert_eq!(found(&literals, "un\u{69}o n <\u{3f} \u{e9}t\u{e9}"), [4, 6]);
        assert_eq!(found(&literals, ""), [0usize; 0]);
        assert_eq!(found(&[], "x"), [0usize; 0]);
    }

    #[test]
    fn every_literal_is_found_in_itself_and_agrees_with_a_plain_search() {
        let words = ["a1", "ab", "abc", "abcd", "bcd", "cdabcdab", "dabc", "[@z", "`{", "aaaa", "aaab", "\u{7f}\u{80}"];
        let texts = ["abcdabcdab", "xABCDABCDABx", "aaaaab", "A1", "[@Z", "`{", "@{", "\u{7f}\u{80}", "zzz"];
        for text in words.iter().chain(&texts) {
            let expected: Vec<usize> = (0..words.len())
                .filter(|word| text.to_ascii_lowercase().contains(&words[*word].to_ascii_lowercase()))
                .collect();
            assert_eq!(found(&words, text), expected, "{text}");
        }
    }
}
