#![no_main]
//! Versions and their ranges: the first byte chooses the ecosystem, then come lines. The order of versions is an order.

use deps::Ecosystem;
use libfuzzer_sys::fuzz_target;
use std::cmp::Ordering;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Some(first) = text.chars().next() else { return };
    let ecosystem = Ecosystem::ALL[first as usize % Ecosystem::ALL.len()];
    let mut lines = text[first.len_utf8()..].lines();
    let (one, two, three) =
        (lines.next().unwrap_or_default(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let range = lines.next().unwrap_or(three);
    let compare = |left: &str, right: &str| ecosystem.compare(left, right);
    if let Some(order) = compare(one, one) {
        assert_eq!(order, Ordering::Equal, "{one:?} equals itself");
    }
    if let Some(order) = compare(one, two) {
        assert_eq!(compare(two, one), Some(order.reverse()), "{one:?} and {two:?} compare the same both ways");
        if let Some(next) = compare(two, three)
            && order == next
        {
            assert_eq!(compare(one, three), Some(order), "the order of {one:?}, {two:?} and {three:?} carries over");
        }
    }
    let _ = ecosystem.allows(range, one);
    let _ = ecosystem.key(one);
});
