//! Sets of bytes, and spans into a transaction's arena.

/// A set of byte values.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(crate) const EMPTY: ByteSet = ByteSet([0; 4]);
    pub(crate) const ALL: ByteSet = ByteSet([u64::MAX; 4]);

    pub(crate) const fn of(bytes: &[u8]) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        let mut at = 0;
        while at < bytes.len() {
            set.0[(bytes[at] >> 6) as usize] |= 1 << (bytes[at] & 63);
            at += 1;
        }
        set
    }

    pub(crate) const fn range(first: u8, last: u8) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        let mut byte = first as usize;
        while byte <= last as usize {
            set.0[byte >> 6] |= 1 << (byte & 63);
            byte += 1;
        }
        set
    }

    pub(crate) const fn or(self, other: ByteSet) -> ByteSet {
        ByteSet([self.0[0] | other.0[0], self.0[1] | other.0[1], self.0[2] | other.0[2], self.0[3] | other.0[3]])
    }

    pub(crate) const fn minus(self, other: ByteSet) -> ByteSet {
        ByteSet([self.0[0] & !other.0[0], self.0[1] & !other.0[1], self.0[2] & !other.0[2], self.0[3] & !other.0[3]])
    }

    /// The bytes whose place in the table is not 0.
    pub(crate) fn marked(table: &[u8; 256]) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        for (word, marks) in set.0.iter_mut().zip(table.chunks_exact(64)) {
            for (at, mark) in marks.iter().enumerate() {
                *word |= u64::from(*mark != 0) << at;
            }
        }
        set
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) fn contains(self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(crate) fn meets(self, other: ByteSet) -> bool {
        (self.0[0] & other.0[0]) | (self.0[1] & other.0[1]) | (self.0[2] & other.0[2]) | (self.0[3] & other.0[3]) != 0
    }

    pub(crate) fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().zip([0u8, 64, 128, 192]).flat_map(|(mut word, base)| {
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as u8)?;
                word &= word - 1;
                Some(base + bit)
            })
        })
    }

    /// The set with both cases of every letter that is in it.
    pub(crate) fn either_case(self) -> ByteSet {
        // `A` to `Z` are bits 1 to 26 of the second word, `a` to `z` stand 32 further up.
        const UPPER: u64 = 0x07ff_fffe;
        let mut out = self;
        out.0[1] |= (self.0[1] & UPPER) << 32 | (self.0[1] >> 32) & UPPER;
        out
    }
}

impl std::fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ByteSet({})", self.len())
    }
}

/// A range of a transaction's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn of(self, arena: &[u8]) -> &[u8] {
        arena.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    pub(crate) fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }
}

/// The places in `text` where `word` begins; the empty word is everywhere.
pub(crate) fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, word)
}

/// The integer a value starts with, as C's `atoi` reads it: 0 when there is none.
pub(crate) fn integer(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let mut number: i64 = 0;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        number = number.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    if negative { -number } else { number }
}
