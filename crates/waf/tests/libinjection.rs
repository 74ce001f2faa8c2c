//! The engine's own reading of SQL and markup beside what the original said of the same values.

#![allow(clippy::unwrap_used)]

use waf::libinjection::{sqli, xss};

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match tail.strip_prefix(b"x").filter(|_| *first == b'\\') {
            Some(digits) => {
                out.push(u8::from_str_radix(std::str::from_utf8(&digits[..2]).unwrap(), 16).unwrap());
                rest = &digits[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

#[test]
fn agrees_with_the_original() {
    let mut count = 0;
    for line in include_str!("corpus/libinjection.txt").lines().filter(|line| !line.starts_with("# ")) {
        let mut parts = line.splitn(3, ' ');
        let (fingerprint, markup, value) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let value = unescape(value);
        let found = sqli(&value);
        let found = found.as_ref().map_or(&b"-"[..], |found| found.as_bytes());
        assert_eq!(String::from_utf8_lossy(found), fingerprint, "{line}");
        assert_eq!(xss(&value), markup == "1", "{line}");
        count += 1;
    }
    assert!(count > 250);
}
