//! Looking words and fingerprints up in the tables.

use super::tables::{FINGERPRINTS, SLOTS, WORDS};

/// Longest word in the table, and most of a token that is looked at.
pub(super) const MAX_WORD: usize = 31;

/// The type of a word, an operator or a phrase, in any case; 0 when nobody knows it.
pub(super) fn word(text: &[u8]) -> u8 {
    if text.is_empty() || text.len() > MAX_WORD {
        return 0;
    }
    let mut at = hash(text) as usize % SLOTS.len();
    // The table is half empty, so that a run of taken slots is short.
    while let Some(&slot @ 1..) = SLOTS.get(at) {
        match WORDS.get(usize::from(slot) - 1) {
            Some((word, kind)) if word.as_bytes().eq_ignore_ascii_case(text) => return *kind,
            _ => at = (at + 1) % SLOTS.len(),
        }
    }
    0
}

/// FNV-1a over the text in capitals. `cargo xtask gen` lays the slots out by the same sum.
fn hash(text: &[u8]) -> u32 {
    let sum = text
        .iter()
        .fold(0x811c_9dc5u32, |sum, byte| (sum ^ u32::from(byte.to_ascii_uppercase())).wrapping_mul(0x0100_0193));
    sum ^ sum >> 15
}

/// Whether the types of a value's tokens are those of an attack.
pub(super) fn is_attack(kinds: &[u8]) -> bool {
    // Six bits for each: capitals and marks stand in the first 64 places after the space, braces where brackets would.
    let key = kinds.iter().fold(0u32, |key, kind| {
        let capital = if *kind >= 0x60 { kind - 0x20 } else { *kind };
        key << 6 | u32::from(capital.wrapping_sub(0x20) & 0x3f)
    });
    !kinds.is_empty() && FINGERPRINTS.binary_search(&key).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_where_the_generator_put_it() {
        for (known, kind) in WORDS {
            assert_eq!(word(known.as_bytes()), kind, "{known}");
            assert_eq!(word(known.to_ascii_lowercase().as_bytes()), kind, "{known}");
        }
        for unknown in ["", "kettle", "selec", "select ", "SELECTS", "this word is longer than any that is known"] {
            assert_eq!(word(unknown.as_bytes()), 0, "{unknown}");
        }
        assert!(SLOTS.iter().filter(|slot| **slot == 0).count() * 2 > SLOTS.len(), "the table is half empty");
    }

    #[test]
    fn fingerprints_are_sorted_and_found() {
        assert!(FINGERPRINTS.windows(2).all(|pair| pair[0] < pair[1]));
        for (kinds, attack) in
            [("s&1c", true), ("nUEvc", true), ("X", true), ("n", false), ("s", false), ("1,1,1", false), ("", false)]
        {
            assert_eq!(is_attack(kinds.as_bytes()), attack, "{kinds}");
        }
    }
}
