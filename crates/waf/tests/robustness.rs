//! What nobody sends by mistake: huge, deep, broken and mutated texts. Nothing panics, work stays in proportion.

#![allow(clippy::unwrap_used)]

use std::fs;

use serde_json::{Value, json};
use waf::{Context, Engine, FieldKind, Limit, LimitExceeded, Limits, Match, Sink, Work, refuses};

fn walk(text: &str, limits: &Limits) -> (Result<Work, LimitExceeded>, Vec<Match>) {
    let mut matches = Vec::new();
    let result = Engine::shared().walk_text("x", text, limits, &|_| Context::default(), &mut matches);
    (result, matches)
}

#[test]
fn a_megabyte_of_anything_costs_a_few_passes() {
    const SIZE: usize = 1 << 20;
    for piece in [
        "'",
        "(",
        "\"",
        "`",
        "%",
        "%25",
        "&",
        "&lt;",
        "&#",
        "\\",
        "\\u0041",
        "/",
        "../",
        ";",
        "|",
        "$(",
        "${",
        "{{",
        "<",
        "<a ",
        "<!--",
        "/*",
        "/**/",
        "--",
        " or ",
        "or 1=1 x",
        "||1=1 x",
        "' or a is ",
        "a=",
        "k=eyJ;",
        "k={\"a\":",
        "; k=%7b",
        "\\\\a.b\\c",
        "\np0\n",
        "x ../",
        "a=b;$c",
        "\u{80}",
        "or 1=",
        "union select ",
        "://",
        "http://a@",
        "http://",
        "a=b&",
        "=",
        "*)(",
        "\n",
        "\r\nid",
        "\0",
        "ab=%2",
        "QUFB",
        "[",
        "{\"a\":",
        "$IFS",
        "__proto__",
        "select ",
        "case when ",
        "\u{ff07}",
        "javascript:",
        "cat ",
        "; cat ",
        "| ",
        "eval(",
        "c\n",
        "O:8:\"a\":",
    ] {
        let text: String = piece.repeat(SIZE / piece.len());
        match walk(&text, &Limits::default()).0 {
            Ok(work) => assert!(work.bytes <= 6 * SIZE, "{piece:?}: {work:?}"),
            Err(exceeded) => {
                assert!(matches!(exceeded.which, Limit::Bytes | Limit::Depth | Limit::Leaves), "{piece:?}: {exceeded}")
            }
        }
    }
}

#[test]
fn encodings_inside_encodings_end_at_a_limit() {
    let mut text = "<script>".to_owned();
    for _ in 0..60 {
        text = text.replace('%', "%25").replace('<', "%3C");
    }
    let (result, _) = walk(&text, &Limits::default());
    assert_eq!(result.unwrap_err().which, Limit::Depth);

    let mut json = "1".to_owned();
    for _ in 0..10 {
        json = Value::String(json).to_string();
    }
    let work = walk(&json, &Limits::default()).0.unwrap();
    assert!(work.decodings >= 9, "{work:?}");
}

#[test]
fn deep_json_is_refused_and_not_overlooked() {
    let deep = |depth: usize| format!("{}\"<script>\"{}", "[".repeat(depth), "]".repeat(depth));
    let (result, matches) = walk(&deep(20), &Limits::default());
    assert!(result.is_ok() && refuses(&matches));
    for depth in [32, 200, 100_000] {
        let (result, _) = walk(&deep(depth), &Limits::default());
        assert_eq!(result.unwrap_err().which, Limit::Depth, "{depth}");
    }
}

#[test]
fn each_limit_holds_just_over_and_not_just_under() {
    let run = |value: &Value, limits: Limits| {
        Engine::shared().walk("x", value, &limits, &|_| Context::default(), &mut Vec::new())
    };
    let nested = json!({"a": {"b": {"c": "x"}}});
    assert!(run(&nested, Limits { max_depth: 3, ..Limits::default() }).is_ok());
    let error = run(&nested, Limits { max_depth: 2, ..Limits::default() }).unwrap_err();
    assert_eq!((error.which, error.path.as_str()), (Limit::Depth, "x.a.b"));
    assert_eq!(error.to_string(), "the event exceeds `max_depth` at `x.a.b`");

    // Two keys and two values, four bytes.
    let flat = json!({"a": "b", "c": "d"});
    assert_eq!(
        run(&flat, Limits { max_leaves: 4, max_bytes: 4, ..Limits::default() }),
        Ok(Work { leaves: 4, bytes: 4, decodings: 0 })
    );
    assert_eq!(run(&flat, Limits { max_leaves: 3, ..Limits::default() }).unwrap_err().which, Limit::Leaves);
    assert_eq!(run(&flat, Limits { max_bytes: 3, ..Limits::default() }).unwrap_err().path, "x.c");

    let wrapped = json!(["%41", "%42"]);
    assert!(run(&wrapped, Limits { max_decodings: 2, ..Limits::default() }).is_ok());
    let error = run(&wrapped, Limits { max_decodings: 1, ..Limits::default() }).unwrap_err();
    assert_eq!((error.which, error.path.as_str()), (Limit::Decodings, "x[1]"));
}

#[test]
fn what_was_found_before_a_limit_stays() {
    let mut matches = Vec::new();
    let value = json!(["<script>alert(1)</script>", "a".repeat(100)]);
    let limits = Limits { max_bytes: 60, ..Limits::default() };
    assert!(Engine::shared().walk("x", &value, &limits, &|_| Context::default(), &mut matches).is_err());
    assert!(refuses(&matches));
}

#[test]
fn a_key_written_twice_hides_nothing() {
    let (result, matches) = walk(r#"{"a":"<script>alert(1)</script>","a":"fine"}"#, &Limits::default());
    assert!(result.is_ok());
    assert!(refuses(&matches));
    assert_eq!(matches[0].field, "x|json.a");
}

#[test]
fn paths_say_where_and_through_what() {
    let value = json!({"Records": [{"body": "{\"items\":[{\"cmd\":\"eyJhIjoiOyBjYXQgL2V0Yy9wYXNzd2QifQ==\"}]}", "odd key": "../../etc/passwd"}]});
    let mut matches = Vec::new();
    Engine::shared().walk("event", &value, &Limits::default(), &|_| Context::default(), &mut matches).unwrap();
    let fields: Vec<&str> = matches.iter().map(|found| found.field.as_str()).collect();
    assert!(fields.contains(&"event.Records[0].body|json.items[0].cmd|base64|json.a"), "{fields:?}");
    assert!(fields.contains(&"event.Records[0][\"odd key\"]"), "{fields:?}");
}

#[test]
fn forms_are_taken_apart_where_told() {
    let mut matches = Vec::new();
    let form = |_: &str| Context::of(FieldKind::Form);
    Engine::shared()
        .walk_text("body", "name=x&q=1%27+OR+%271%27%3D%271", &Limits::default(), &form, &mut matches)
        .unwrap();
    assert!(matches.iter().any(|found| found.field == "body|form.q" && found.rule == "sql-tautology"), "{matches:#?}");
}

/// Numbers that look random and are the same each time.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

#[test]
fn mutated_and_random_texts_are_judged_without_a_panic() {
    let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/hostile.txt")).unwrap();
    let seeds: Vec<&str> = file.lines().collect();
    let contexts = [
        Context::default(),
        Context::of(FieldKind::Url),
        Context::of(FieldKind::FreeText),
        Context::of(FieldKind::Form),
        Context::default().as_key(),
        Context::default().reaching(Sink::Shell).reaching(Sink::Url).reaching(Sink::Html),
    ];
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    let mut spoke = 0;
    for round in 0..3000 {
        let mut bytes = match round % 3 {
            0 => (0..random.below(200)).map(|_| random.next() as u8).collect(),
            _ => seeds[random.below(seeds.len())].as_bytes().to_vec(),
        };
        for _ in 0..random.below(6) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.insert(at.min(bytes.len()), random.next() as u8),
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 if !bytes.is_empty() => bytes[at] = b"'\"%\\&{}[]$`<>\0\xc3\xa9"[random.below(16)],
                _ => {
                    let other = seeds[random.below(seeds.len())].as_bytes();
                    let cut = random.below(other.len());
                    bytes.extend_from_slice(&other[cut..]);
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let context = contexts[random.below(contexts.len())];
        let mut matches = Vec::new();
        let work = Engine::shared().walk_text("x", &text, &Limits::default(), &|_| context, &mut matches).unwrap();
        assert!(work.bytes <= 200 * text.len() + 64, "{text:?}: {work:?}");
        for found in &matches {
            spoke += 1;
            assert!(found.excerpt.chars().count() <= 80 && !found.excerpt.chars().any(char::is_control), "{found:?}");
        }
    }
    assert!(spoke > 1000, "mutated attacks are still attacks: {spoke}");
}
