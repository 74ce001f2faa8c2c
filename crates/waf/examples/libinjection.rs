//! Prints what the engine's own reading of SQL and markup says of values, to be compared with the original's:
//! `libinjection FILE`, where each value stands behind its length (four bytes, little-endian). A line has the
//! fingerprint, or `-`, and whether it is cross-site scripting.

use std::io::Write as _;

use waf::libinjection::{sqli, xss};

fn main() {
    let path = std::env::args().nth(1).expect("a file of values is named");
    let data = std::fs::read(path).expect("the file is readable");
    let mut rest = data.as_slice();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (value, tail) = tail.split_at((u32::from_le_bytes(*length) as usize).min(tail.len()));
        let found = sqli(value);
        let shown = found.as_ref().map_or(&b"-"[..], |found| found.as_bytes());
        out.write_all(shown).and_then(|()| writeln!(out, " {}", u8::from(xss(value)))).expect("the output is writable");
        rest = tail;
    }
}
