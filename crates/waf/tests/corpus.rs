//! What the engine says to texts people write and to texts attackers write.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use waf::{Context, Engine, FieldKind, Limits, Match, refuses};

fn corpus(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The kind of field a group of texts is named after, if it is.
fn kind(group: &str) -> Option<FieldKind> {
    serde_json::from_value(serde_json::Value::String(group.into())).ok()
}

/// The texts of a corpus file with the group each stands in.
fn texts(file: &str) -> Vec<(String, String)> {
    let mut group = String::new();
    let mut texts = Vec::new();
    for (number, line) in file.lines().enumerate() {
        if let Some(name) = line.strip_prefix("## ").filter(|_| !line.contains("\\n")) {
            name.clone_into(&mut group);
        } else if number > 0 && !line.is_empty() {
            texts.push((group.clone(), unescape(line)));
        }
    }
    texts
}

fn unescape(line: &str) -> String {
    let mut out = String::new();
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some('e') => out.push('\u{1b}'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

fn inspect(text: &str, context: Context) -> Vec<Match> {
    let mut matches = Vec::new();
    Engine::shared()
        .walk_text("body", text, &Limits::default(), &|_| context, &mut matches)
        .expect("a short text is within the limits");
    matches
}

fn family(found: &Match) -> String {
    serde_json::to_value(found.family).unwrap().as_str().unwrap_or_default().to_owned()
}

fn let_through(file: &str, context: Context, per_family: bool) -> Vec<String> {
    let mut missed = Vec::new();
    for (group, text) in texts(&corpus(file)) {
        let matches = inspect(&text, kind(&group).map_or(context, Context::of));
        if !refuses(&matches) {
            missed.push(format!("[{group}] {text:?} let through"));
        } else if per_family && !matches.iter().any(|found| family(found) == group) {
            let said: Vec<_> = matches.iter().map(|found| found.rule).collect();
            missed.push(format!("[{group}] {text:?} refused only as {said:?}"));
        }
    }
    missed
}

fn refused(file: &str, context: Context) -> Vec<String> {
    let mut missed = Vec::new();
    for (group, text) in texts(&corpus(file)) {
        let matches = inspect(&text, kind(&group).map_or(context, Context::of));
        if refuses(&matches) {
            let said: Vec<_> = matches.iter().map(|found| (found.rule, &found.field, &found.excerpt)).collect();
            missed.push(format!("[{group}] {text:?} refused: {said:?}"));
        }
    }
    missed
}

fn none(missed: Vec<String>) {
    assert!(missed.is_empty(), "{} texts judged wrongly:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn hostile_texts_are_refused_under_their_family() {
    assert!(texts(&corpus("hostile.txt")).len() >= 250);
    none(let_through("hostile.txt", Context::default(), true));
    none(let_through("hostile_blind.txt", Context::default(), false));
    none(let_through("hostile_evasions.txt", Context::default(), false));
    none(let_through("hostile_collections.txt", Context::default(), false));
    none(let_through("hostile_fresh.txt", Context::default(), false));
    none(let_through("hostile_third.txt", Context::default(), false));
    none(let_through("hostile_fourth.txt", Context::default(), false));
}

#[test]
fn honest_texts_pass() {
    assert!(texts(&corpus("honest.txt")).len() >= 300);
    none(refused("honest.txt", Context::default()));
    none(refused("honest_blind.txt", Context::default()));
    none(refused("honest_near_misses.txt", Context::default()));
    none(refused("honest_everyday.txt", Context::default()));
    none(refused("honest_fresh.txt", Context::default()));
    none(refused("honest_third.txt", Context::default()));
    none(refused("honest_fourth.txt", Context::default()));
}

#[test]
fn honest_texts_pass_as_prose_and_as_headers() {
    none(refused("honest.txt", Context::of(FieldKind::FreeText)));
    let one_line: Vec<_> = refused("honest.txt", Context::of(FieldKind::Header))
        .into_iter()
        .filter(|miss| !miss.contains("header-injection"))
        .collect();
    none(one_line);
}

#[test]
fn prose_may_quote_code_and_may_not_break_out() {
    let prose = Context::of(FieldKind::FreeText);
    for quoted in [
        "after `cd /tmp && rm -rf ./cache; cat /etc/hosts` it says permission denied",
        "SELECT name FROM users WHERE id = 7 OR 1 = 1 returns every row, as expected",
        "our log is full of ../../../etc/passwd and /proc/self/environ",
        "const fs = require('fs'); console.log(process.env.HOME)",
    ] {
        let matches = inspect(quoted, prose);
        assert!(!refuses(&matches), "{quoted}: {matches:#?}");
        assert!(refuses(&inspect(quoted, Context::default())), "{quoted}: refused where prose is not expected");
    }
    for attack in [
        "lovely' OR '1'='1' --",
        "nice <script>alert(1)</script>",
        "${jndi:ldap://203.0.113.5/a}",
        "x' OR a IS NOT NULL --",
    ] {
        assert!(refuses(&inspect(attack, prose)), "{attack}");
    }
}

#[test]
fn a_value_behind_a_name_is_unwrapped_and_its_place_told() {
    // {"a":"1' OR '1'='1"}
    let wrapped = "eyJhIjoiMScgT1IgJzEnPScxIn0=";
    for text in [
        format!("preferences={wrapped}"),
        format!("sid=7; preferences={wrapped}; lang=en"),
        format!("v=1; preferences=\"{wrapped}\""),
        format!("sid=7; preferences={}", wrapped.replace('=', "%3D")),
    ] {
        for kind in [FieldKind::Unknown, FieldKind::Header, FieldKind::FreeText, FieldKind::Url, FieldKind::ObjectKey] {
            let matches = inspect(&text, Context::of(kind));
            assert!(refuses(&matches), "{text}");
            assert!(
                matches.iter().all(|found| found.field.ends_with("|pair.preferences|base64|json.a")),
                "{matches:#?}"
            );
        }
        assert!(refuses(&inspect(&text, Context::of(FieldKind::Form))), "{text}");
    }
}

#[test]
fn texts_of_a_document_are_seen_from_their_beginning() {
    for (text, field) in [
        ("<order><name>=cmd|' /C calc'!A0</name></order>", "body|xml.name"),
        ("<order state=\"{&quot;$ne&quot;:1}\"/>", "body|xml.state|json.$ne"),
        ("<o><blob>gASVHwAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAJpZJSFlFKULg==</blob></o>", "body|xml.blob|base64"),
    ] {
        let matches = inspect(text, Context::default());
        assert!(refuses(&matches), "{text}");
        assert!(matches.iter().any(|found| found.field == field), "{text}: {matches:#?}");
    }
    assert!(!refuses(&inspect("<order><name>O&apos;Brien</name><note>5 &lt; 7</note></order>", Context::default())));
}

#[test]
fn where_the_next_page_is_named_no_host_hides() {
    let refused = |event: serde_json::Value| {
        let mut matches = Vec::new();
        Engine::shared().walk("query", &event, &Limits::default(), &|_| Context::default(), &mut matches).unwrap();
        refuses(&matches)
    };
    for hostile in ["//evil.example", "/\\evil.example/x", "https:evil.example", "https://shop.example@evil.example/"] {
        assert!(refused(serde_json::json!({ "returnUrl": hostile })), "{hostile}");
    }
    for honest in ["/account?tab=1", "https://app.example.com/cb?x=1", "orders/7", "/"] {
        assert!(!refused(serde_json::json!({ "returnUrl": honest })), "{honest}");
    }
    assert!(!refused(serde_json::json!({ "image": "//images.example.com/a.png" })), "an asset's address");
}

#[test]
fn honest_events_pass_even_where_nothing_is_known_of_them() {
    let events: Vec<serde_json::Value> = serde_json::from_str(&corpus("envelopes.json")).unwrap();
    assert!(events.len() >= 10);
    for event in &events {
        let mut matches = Vec::new();
        let work =
            Engine::shared().walk("event", event, &Limits::default(), &|_| Context::default(), &mut matches).unwrap();
        assert!(!refuses(&matches), "{event}\n{matches:#?}");
        assert!(work.leaves > 4 && work.bytes > 100, "{work:?}");
    }
}

#[test]
fn hostile_texts_are_refused_in_every_field_of_an_event() {
    let events: Vec<serde_json::Value> = serde_json::from_str(&corpus("envelopes.json")).unwrap();
    let hostile = [
        "' OR '1'='1",
        "x; cat /etc/passwd",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "http://169.254.169.254/latest",
    ];
    for event in &events {
        for (turn, attack) in hostile.iter().enumerate() {
            let mut wrapped = serde_json::json!({ "inner": attack }).to_string();
            for _ in 0..turn {
                wrapped = serde_json::Value::String(wrapped).to_string();
            }
            let mut event = event.clone();
            event["added"] = serde_json::json!([{ "deep": { "deeper": wrapped } }]);
            let mut matches = Vec::new();
            Engine::shared().walk("event", &event, &Limits::default(), &|_| Context::default(), &mut matches).unwrap();
            assert!(refuses(&matches), "{attack} in {turn} layers");
            assert!(
                matches.iter().all(|found| found.field.starts_with("event.added[0].deep.deeper|json")),
                "{matches:#?}"
            );
        }
    }
}
