//! One pass over a value that says which operators could match it.
//!
//! All literals that any operator needs stand in one automaton, whatever the transformation in front of the operator:
//! most values come out of most transformations unchanged, so one pass serves all of them. Letters are compared without
//! case, so that lower-casing doesn't need a pass of its own.

use aho_corasick::automaton::Automaton as _;
use aho_corasick::{Anchored, MatchKind, StartKind, dfa};

use super::bytes::ByteSet;
use super::pattern::core;

/// The automaton looks for this much of a literal; the rest is compared where that was found.
const CORE: usize = 4;

/// The automaton over all operators' literals.
pub(crate) struct Scanner {
    automaton: Option<dfa::DFA>,
    /// For each core the literals it stands for.
    cores: Vec<Vec<Literal>>,
    /// 64-bit words that a set of operators takes.
    words: usize,
}

/// A literal in lower case.
struct Literal {
    text: Vec<u8>,
    /// Bytes of it that stand before the end of its core.
    before: usize,
    /// The operators that asked for it.
    owners: Vec<u32>,
}

impl Scanner {
    /// Builds the automaton from each operator's literals, by its number.
    pub(crate) fn new(needs: &[(u32, &[Vec<u8>])], operators: usize) -> Scanner {
        let mut literals: Vec<(&[u8], Vec<u8>, u32)> = Vec::new();
        for (operator, texts) in needs {
            for text in *texts {
                literals.push((core(text, CORE.min(text.len())), text.to_ascii_lowercase(), *operator));
            }
        }
        literals.sort();
        literals.dedup();
        let mut words: Vec<&[u8]> = Vec::new();
        let mut cores: Vec<Vec<Literal>> = Vec::new();
        for (core, text, operator) in literals {
            if words.last() != Some(&core) {
                words.push(core);
                cores.push(Vec::new());
            }
            let Some(list) = cores.last_mut() else { continue };
            match list.last_mut() {
                Some(last) if last.text == text => last.owners.push(operator),
                _ => {
                    let start = super::bytes::find(&text, &core.to_ascii_lowercase()).unwrap_or(0);
                    list.push(Literal { before: start + core.len(), text, owners: vec![operator] });
                }
            }
        }
        let automaton = dfa::Builder::new()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .ascii_case_insensitive(true)
            .prefilter(false)
            .build(&words)
            .ok()
            .filter(|_| !words.is_empty());
        Scanner { automaton, cores, words: operators.div_ceil(64) }
    }

    /// 64-bit words of a set of operators.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    pub(crate) fn memory(&self) -> usize {
        let literals = self.cores.iter().flatten().map(|literal| literal.text.len() + literal.owners.len() * 4 + 56);
        self.automaton.as_ref().map_or(0, |automaton| automaton.memory_usage()) + literals.sum::<usize>()
    }

    /// Whether every operator that has literals has them in the automaton.
    pub(crate) fn works(&self) -> bool {
        self.automaton.is_some() || self.cores.is_empty()
    }

    /// Sets the bits of the operators whose literals occur in `text`.
    pub(crate) fn scan(&self, text: &[u8], bits: &mut [u64]) {
        let Some(automaton) = &self.automaton else { return };
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return };
        for (at, &byte) in text.iter().enumerate() {
            state = automaton.next_state(Anchored::No, state, byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for index in 0..automaton.match_len(state) {
                    let core = automaton.match_pattern(state, index).as_usize();
                    for literal in self.cores.get(core).map_or(&[][..], Vec::as_slice) {
                        literal.mark(text, at + 1, bits);
                    }
                }
            }
        }
    }
}

impl Literal {
    /// Sets the bits of the owners when the literal stands where its core was found, which ends at `end`.
    fn mark(&self, text: &[u8], end: usize, bits: &mut [u64]) {
        let place = |owner: u32| (owner as usize / 64, 1u64 << (owner % 64));
        let known = |owner: &u32| bits.get(place(*owner).0).is_some_and(|word| word & place(*owner).1 != 0);
        if self.owners.iter().all(known) {
            return;
        }
        let Some(start) = end.checked_sub(self.before) else { return };
        if !text.get(start..start + self.text.len()).is_some_and(|found| found.eq_ignore_ascii_case(&self.text)) {
            return;
        }
        for owner in &self.owners {
            let (word, bit) = place(*owner);
            if let Some(word) = bits.get_mut(word) {
                *word |= bit;
            }
        }
    }
}

/// The bytes that occur in a text.
pub(crate) fn bytes_of(text: &[u8]) -> ByteSet {
    let mut set = ByteSet::EMPTY;
    for &byte in text {
        set.insert(byte);
    }
    set
}
