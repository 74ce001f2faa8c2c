//! Reads texts and tells what the rules say of each: `cargo run -p waf --example try_line [-- refused|passed] < lines.txt`.
//!
//! The lines are those of the corpora: `## name` begins a group, which is judged as the field kind it is named after,
//! any other as unknown, header and prose. With `refused` or `passed` only the texts are shown that are judged so where
//! the kind is unknown, or the group's; the last line counts them.

use std::io::BufRead as _;

use waf::{Context, Engine, FieldKind, Limits};

fn main() {
    let engine = Engine::new();
    let wanted = std::env::args().nth(1);
    let (mut kinds, mut shown, mut count) = (ALL.to_vec(), 0_u32, 0_u32);
    for (number, line) in std::io::stdin().lock().lines().map_while(Result::ok).enumerate() {
        if let Some(name) = line.strip_prefix("## ") {
            let named = serde_json::from_value(serde_json::Value::String(name.into()));
            kinds = named.map_or_else(|_| ALL.to_vec(), |kind| vec![kind]);
            continue;
        }
        // A corpus begins with a sentence about itself.
        if line.is_empty() || (number == 0 && wanted.is_some()) {
            continue;
        }
        count += 1;
        let text = unescaped(&line);
        for (index, kind) in kinds.iter().enumerate() {
            let mut matches = Vec::new();
            let walked = engine.walk_text("x", &text, &Limits::default(), &|_| Context::of(*kind), &mut matches);
            let refused = walked.is_err() || waf::refuses(&matches);
            if index > 0 && wanted.is_some() || wanted.as_deref().is_some_and(|wanted| (wanted == "refused") != refused)
            {
                continue;
            }
            shown += 1;
            let said: Vec<_> = matches.iter().map(|found| (found.rule, found.confidence, &found.field)).collect();
            println!("{} {kind:?} {line} {said:?}", if refused { "refused" } else { "passed " });
        }
    }
    println!("{shown} of {count}");
}

const ALL: [FieldKind; 3] = [FieldKind::Unknown, FieldKind::Header, FieldKind::FreeText];

/// The escapes of the corpora; any other backslash is one.
fn unescaped(line: &str) -> String {
    let mut out = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let escaped = (character == '\\').then(|| characters.next()).flatten();
        match escaped {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some('e') => out.push('\u{1b}'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => out.push(character),
        }
    }
    out
}
