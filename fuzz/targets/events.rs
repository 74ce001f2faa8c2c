#![no_main]
//! Events of every kind: decoded, their bodies read, and records taken out.

use events::{Limits, TriggerKind, decode, unwrapped};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let hints = [None, Some(TriggerKind::Sqs), Some(TriggerKind::HttpApi)];
    for hint in hints {
        let Ok(event) = decode(input, hint, &limits) else { return };
        assert!(!event.records.is_empty(), "an event has at least one record");
        for record in &event.records {
            if let Ok((_, body)) = record.body.read(&record.parts, limits.max_depth) {
                let _ = unwrapped(&body, limits.max_depth);
            }
            let _ = record.source_names().count();
        }
        let _ = event.source_names().count();
        for indices in [&[][..], &[0], &[1], &[0, 2]] {
            let Some(left) = event.without(input, indices) else { continue };
            let kept: Vec<_> = event.records.iter().filter(|record| !indices.contains(&record.index)).collect();
            if kept.is_empty() {
                continue;
            }
            // What is left is the same event with the other records in it, in their order.
            let again = decode(&left, hint, &limits).expect("what is left can be decoded");
            assert_eq!(again.records.len(), kept.len(), "{}", String::from_utf8_lossy(&left));
            for (again, kept) in again.records.iter().zip(kept) {
                assert_eq!((&again.id, &again.source), (&kept.id, &kept.source));
                assert_eq!(again.parts.len(), kept.parts.len());
            }
        }
    }
});
