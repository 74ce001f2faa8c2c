//! One pass over a value that says which operators could match it.
//!
//! All literals that any operator needs stand in one automaton, whatever the transformation in front of the operator:
//! most values come out of most transformations unchanged, so one pass serves all of them. Letters are compared without
//! case, so that lower-casing doesn't need a pass of its own.

use aho_corasick::automaton::Automaton as _;
use aho_corasick::{Anchored, MatchKind, StartKind, dfa};

use super::bytes::ByteSet;
use super::pattern::core;

/// Literals are cut to this many bytes: more hardly tells more, and the automaton stays small.
const CORE: usize = 4;

/// The automaton over all operators' literals.
pub(crate) struct Scanner {
    automaton: Option<dfa::DFA>,
    /// For each literal the operators that asked for it.
    owners: Vec<Vec<u32>>,
    /// 64-bit words that a set of operators takes.
    words: usize,
}

impl Scanner {
    /// Builds the automaton from each operator's literals, by its number.
    pub(crate) fn new(needs: &[(u32, &[Vec<u8>])], operators: usize) -> Scanner {
        let mut literals: Vec<(Vec<u8>, u32)> = needs
            .iter()
            .flat_map(|(operator, literals)| literals.iter().map(move |literal| (literal, *operator)))
            .map(|(literal, operator)| {
                (core(&literal.to_ascii_lowercase(), CORE.min(literal.len())).to_vec(), operator)
            })
            .collect();
        literals.sort();
        literals.dedup();
        let mut words: Vec<Vec<u8>> = Vec::new();
        let mut owners: Vec<Vec<u32>> = Vec::new();
        for (literal, operator) in literals {
            if words.last() != Some(&literal) {
                words.push(literal);
                owners.push(Vec::new());
            }
            if let Some(last) = owners.last_mut() {
                last.push(operator);
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
        Scanner { automaton, owners, words: operators.div_ceil(64) }
    }

    /// 64-bit words of a set of operators.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    pub(crate) fn memory(&self) -> usize {
        self.automaton.as_ref().map_or(0, |automaton| automaton.memory_usage())
            + self.owners.iter().map(|owners| owners.len() * 4 + 24).sum::<usize>()
    }

    /// Whether every operator that has literals has them in the automaton.
    pub(crate) fn works(&self) -> bool {
        self.automaton.is_some() || self.owners.is_empty()
    }

    /// Sets the bits of the operators whose literals occur in `text`.
    pub(crate) fn scan(&self, text: &[u8], bits: &mut [u64]) {
        let Some(automaton) = &self.automaton else { return };
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return };
        for &byte in text {
            state = automaton.next_state(Anchored::No, state, byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for index in 0..automaton.match_len(state) {
                    let literal = automaton.match_pattern(state, index).as_usize();
                    for &operator in self.owners.get(literal).map_or(&[][..], Vec::as_slice) {
                        if let Some(word) = bits.get_mut(operator as usize / 64) {
                            *word |= 1 << (operator % 64);
                        }
                    }
                }
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
