//! The tables of libinjection for the firewall: which words SQL knows, the fingerprints of attacks, and the tags,
//! attributes and events that run scripts. The package is a port whose tables were drawn from the original's source.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use super::Output;
use super::packages::Packages;

/// Where the tables go, from `crates/facts/data`: they are code, so that nothing is built at start.
const TARGET: &str = "../../waf/src/libinjection/tables.rs";
/// Slots of the hash table of words; more than twice as many as there are words.
const SLOTS: usize = 4096;

pub(crate) fn generate(packages: &Packages, output: &mut Output) -> Result<()> {
    let read = |inside: &str| {
        let path = packages.path("libinjection", inside);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    let (sql, markup) = (read("src/sqli/generated_data.rs")?, read("src/xss/blacklists.rs")?);
    let mut words = Vec::new();
    let mut fingerprints = BTreeSet::new();
    for found in Regex::new(r#"Keyword \{ word: "((?:[^"\\]|\\.)*)", token_type: b'(\\?.)' \}"#)?.captures_iter(&sql) {
        let (word, kind) = (found[1].replace("\\\\", "\\").replace("\\\"", "\""), found[2].replace("\\\\", "\\"));
        if kind == "F" {
            let kinds = word.strip_prefix('0').with_context(|| format!("{word} is no fingerprint"))?;
            ensure!((1..=5).contains(&kinds.len()), "{word} has an odd length");
            fingerprints.insert(key(kinds));
        } else {
            ensure!(word.len() <= 31 && word.is_ascii() && kind.len() == 1, "{word} can't be looked up");
            words.push((word, kind));
        }
    }
    words.sort();
    ensure!(words.len() > 900 && words.len() * 2 < SLOTS && fingerprints.len() > 8000, "the package has changed");
    let names = |table: &str| -> Result<Vec<Vec<String>>> {
        let start = markup.find(&format!("pub const {table}:")).with_context(|| format!("no table {table}"))?;
        let body = markup[start..].split("];").next().unwrap_or_default();
        let row = Regex::new(r#""([A-Z:-]+)"(?:, atype: AttributeType::(\w+))?"#)?;
        let rows: Vec<Vec<String>> = row
            .captures_iter(body)
            .map(|row| row.iter().skip(1).flatten().map(|text| text.as_str().to_string()).collect())
            .collect();
        ensure!(!rows.is_empty(), "{table} is empty");
        Ok(rows)
    };

    let mut text = String::from(
        "//! Tables of libinjection (BSD-3-Clause, see LICENSE beside this file). Written by `cargo xtask gen`; don't edit.\n\n\
         use super::xss::Attribute;\n\n",
    );
    let w = &mut text;
    // Writing to a string can't fail.
    let _ = writeln!(w, "/// Words, operators and phrases of SQL in capitals, each with its type.");
    let _ = writeln!(w, "pub(super) static WORDS: [(&str, u8); {}] = [", words.len());
    for chunk in words.chunks(6) {
        let line: Vec<String> =
            chunk.iter().map(|(word, kind)| format!("({word:?}, b'{}')", kind.escape_default())).collect();
        let _ = writeln!(w, "    {},", line.join(", "));
    }
    let _ = writeln!(w, "];\n\n/// A hash table over [`WORDS`]: 0 is free, others are one more than a place in it.");
    let _ = writeln!(w, "pub(super) static SLOTS: [u16; {SLOTS}] = [");
    for chunk in slots(&words).chunks(32) {
        let line: Vec<String> = chunk.iter().map(u16::to_string).collect();
        let _ = writeln!(w, "    {},", line.join(","));
    }
    let _ = writeln!(w, "];\n\n/// The types of the tokens of attacks, six bits each, in ascending order.");
    let _ = writeln!(w, "pub(super) static FINGERPRINTS: [u32; {}] = [", fingerprints.len());
    for chunk in fingerprints.iter().collect::<Vec<_>>().chunks(16) {
        let line: Vec<String> = chunk.iter().map(|key| format!("0x{key:x}")).collect();
        let _ = writeln!(w, "    {},", line.join(","));
    }
    let _ = writeln!(w, "];");
    let list = |w: &mut String, doc: &str, name: &str, rows: &[Vec<String>]| {
        let _ = writeln!(w, "\n/// {doc}\npub(super) static {name}: [&str; {}] = [", rows.len());
        for chunk in rows.chunks(6) {
            let line: Vec<String> = chunk.iter().map(|row| format!("{:?}", row[0])).collect();
            let _ = writeln!(w, "    {},", line.join(", "));
        }
        let _ = writeln!(w, "];");
    };
    let mut events = names("BLACK_ATTR_EVENTS")?;
    events.sort();
    events.dedup();
    // An event that another one begins with says it all.
    let all: Vec<String> = events.iter().map(|row| row[0].clone()).collect();
    events.retain(|row| !all.iter().any(|other| *other != row[0] && row[0].starts_with(other.as_str())));
    list(w, "Events, as attributes name them behind their `on`; none begins with another.", "EVENTS", &events);
    list(w, "Tags that run scripts or load what does.", "TAGS", &names("BLACK_TAGS")?);
    let attributes = names("BLACK_ATTRS")?;
    let _ = writeln!(
        w,
        "\n/// Attributes, with what their values can do.\npub(super) static ATTRIBUTES: [(&str, Attribute); {}] = [",
        attributes.len()
    );
    for row in &attributes {
        let meaning = match row.get(1).map(String::as_str) {
            Some("Black") => "Harmful",
            Some("AttrUrl") => "Address",
            Some("Style") => "Style",
            Some("AttrIndirect") => "Indirect",
            other => anyhow::bail!("unknown kind of attribute {other:?}"),
        };
        let _ = writeln!(w, "    ({:?}, Attribute::{meaning}),", row[0]);
    }
    let _ = writeln!(w, "];");
    output.bytes(TARGET, text.into_bytes());
    Ok(())
}

/// A fingerprint as the firewall's lookup computes it.
fn key(kinds: &str) -> u32 {
    kinds.bytes().fold(0, |key, kind| {
        let capital = if kind >= 0x60 { kind - 0x20 } else { kind };
        key << 6 | u32::from(capital.wrapping_sub(0x20) & 0x3f)
    })
}

/// The hash table, laid out as the firewall looks it up.
fn slots(words: &[(String, String)]) -> Vec<u16> {
    let mut slots = vec![0u16; SLOTS];
    for (number, (word, _)) in words.iter().enumerate() {
        let sum = word.bytes().fold(0x811c_9dc5u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let mut at = (sum ^ sum >> 15) as usize % SLOTS;
        while slots[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        slots[at] = number as u16 + 1;
    }
    slots
}
