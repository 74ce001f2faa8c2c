#![no_main]
//! Wildcards as sets of texts: three lines are patterns, and a text that is tried on them. The laws of sets hold.

use iam::Pattern;
use iam::pattern::covers_any;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if text.len() > 2_000 {
        return;
    }
    let mut lines = text.lines();
    let (one, two, three) =
        (lines.next().unwrap_or_default(), lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    for make in [Pattern::arn, Pattern::action] {
        let (left, right) = (make(one), make(two));
        assert_eq!(left.intersects(&right), right.intersects(&left), "{one:?} and {two:?} meet both ways");
        let both = left.matches(three) && right.matches(three);
        assert!(!both || left.intersects(&right), "{three:?} is in {one:?} and in {two:?}");
        if left.covers(&right) {
            assert!(left.intersects(&right), "{one:?} covers {two:?}, which is never empty");
            assert!(!right.matches(three) || left.matches(three), "{three:?} is in {two:?}, so in {one:?}");
            // A comparison that grows out of bounds may say "no": long patterns may do that.
            let more = covers_any(&[left.clone(), make(three)], &right);
            assert!(more || text.len() > 40, "more patterns cover no less");
        }
    }
});
