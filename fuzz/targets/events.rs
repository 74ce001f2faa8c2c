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
            if indices.is_empty() {
                assert_eq!(left, input, "nothing is taken out, nothing changes");
            }
            // An event without its records may be none at all; that it is JSON still holds.
            let again = serde_json::from_slice::<serde_json::Value>(&left);
            assert!(again.is_ok(), "what is left is JSON: {}", String::from_utf8_lossy(&left));
        }
    }
});
