//! Operators: what a rule asks of a value.

use std::net::IpAddr;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;

use super::bytes::{self, ByteSet};
use super::need::{Need, need_of_words};
use super::pattern::Pattern;
use super::template::Template;

/// A comparison of two integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(crate) fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

/// A comparison of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Relation {
    Equals,
    Contains,
    ContainsWord,
    BeginsWith,
    EndsWith,
    /// The value is part of the argument.
    Within,
}

/// An operator with its argument.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) enum Operator {
    Regex(Pattern),
    /// A regular expression with macros in it, compiled at each use.
    RegexTemplate(Template),
    Words(Words),
    Number(Comparison, Template),
    Text(Relation, Template),
    /// Matches a value with one of these bytes.
    Bytes(ByteSet),
    UrlEncoding,
    Utf8,
    Address(Vec<Network>),
    Sqli,
    Xss,
    /// Digits that are the number they look like.
    Digits(Scheme, Pattern),
    Always,
    Never,
}

/// What a number must satisfy to be one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Scheme {
    /// Payment cards.
    Card,
    /// Social security numbers of the United States.
    Ssn,
    /// Tax numbers of Brazil.
    Cpf,
    /// Social insurance numbers of Austria.
    Svnr,
}

impl Scheme {
    fn accepts(self, text: &[u8]) -> bool {
        let digits: Vec<u32> =
            text.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0')).collect();
        let same = digits.windows(2).all(|pair| pair[0] == pair[1]);
        let weighed = |weights: &[u32]| digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum::<u32>();
        match self {
            Scheme::Card => luhn(&digits),
            Scheme::Ssn => {
                let [a, b, c, d, e, f, g, h, i] = digits.as_slice() else { return false };
                let area = a * 100 + b * 10 + c;
                let run = digits.windows(2).all(|pair| pair[1] == pair[0] + 1);
                !(same || run || area == 0 || area == 666 || area >= 900 || d + e == 0 || f + g + h + i == 0)
            }
            Scheme::Cpf => {
                let check = |sum: u32| if sum % 11 < 2 { 0 } else { 11 - sum % 11 };
                let first = check(weighed(&[10, 9, 8, 7, 6, 5, 4, 3, 2]));
                let second = check(weighed(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
                digits.len() == 11 && !same && digits[9] == first && digits[10] == second
            }
            Scheme::Svnr => {
                // The fourth digit checks the others.
                digits.len() == 10 && !same && weighed(&[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == digits[3]
            }
        }
    }
}

/// Longest regular expression that is made from macros, in bytes.
const MAX_MADE_PATTERN: usize = 1024;

/// A set of words to look for, without case.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Words {
    words: Vec<Vec<u8>>,
    #[serde(skip)]
    automaton: OnceLock<Option<AhoCorasick>>,
}

impl Words {
    pub(crate) fn new(words: Vec<Vec<u8>>) -> Words {
        Words { words, automaton: OnceLock::new() }
    }

    fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        let automaton =
            self.automaton.get_or_init(|| AhoCorasick::builder().ascii_case_insensitive(true).build(&self.words).ok());
        automaton.as_ref()?.find(text).map(|found| (found.start(), found.end()))
    }
}

/// An address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Network {
    address: u128,
    bits: u32,
}

impl Network {
    fn new(text: &str) -> Option<Network> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(most);
        (length <= most).then(|| Network { address: wide(address), bits: 128 - most + length })
    }

    fn holds(self, address: u128) -> bool {
        let rest = 128u32.saturating_sub(self.bits);
        (self.address ^ address).checked_shr(rest).unwrap_or(0) == 0
    }
}

/// IPv4 addresses as their mapped IPv6 ones.
fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_ipv6_mapped()),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// What an operator found, for `capture`.
pub(crate) type Captured = Vec<Option<Vec<u8>>>;

impl Operator {
    /// Builds the operator `name` (without the `@`); `file` finds the text of a word list.
    pub(crate) fn new(
        name: &str,
        argument: &str,
        template: impl FnOnce() -> Template,
        file: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Operator, String> {
        let number = Operator::Number;
        Ok(match name.to_ascii_lowercase().as_str() {
            // Rules that want to look at every value write it this way.
            "rx" if argument == "^.*$" => Operator::Always,
            "rx" if argument.contains("%{") => Operator::RegexTemplate(template()),
            "rx" | "rxglobal" => Operator::Regex(
                Pattern::with_need(argument).map_err(|error| format!("not a regular expression here: {error}"))?,
            ),
            "pm" => Operator::Words(Words::new(phrases(argument))),
            "pmf" | "pmfromfile" => {
                let mut words = Vec::new();
                for name in argument.split_whitespace() {
                    let text = file(name).ok_or_else(|| format!("there is no file `{name}`"))?;
                    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
                    words.extend(lines.map(|line| line.as_bytes().to_vec()));
                }
                Operator::Words(Words::new(words))
            }
            "eq" => number(Comparison::Equal, template()),
            "lt" => number(Comparison::Less, template()),
            "le" => number(Comparison::LessOrEqual, template()),
            "gt" => number(Comparison::Greater, template()),
            "ge" => number(Comparison::GreaterOrEqual, template()),
            "streq" => Operator::Text(Relation::Equals, template()),
            "contains" | "strmatch" => Operator::Text(Relation::Contains, template()),
            "containsword" => Operator::Text(Relation::ContainsWord, template()),
            "beginswith" => Operator::Text(Relation::BeginsWith, template()),
            "endswith" => Operator::Text(Relation::EndsWith, template()),
            "within" => Operator::Text(Relation::Within, template()),
            "validatebyterange" => Operator::Bytes(ByteSet::ALL.minus(byte_ranges(argument)?)),
            "validateurlencoding" => Operator::UrlEncoding,
            "validateutf8encoding" => Operator::Utf8,
            "ipmatch" => Operator::Address(networks(argument.split([',', ' ']))?),
            "ipmatchf" | "ipmatchfromfile" => {
                let text = file(argument.trim()).ok_or_else(|| format!("there is no file `{argument}`"))?;
                Operator::Address(networks(text.lines().filter(|line| !line.trim_start().starts_with('#')))?)
            }
            "detectsqli" => Operator::Sqli,
            "detectxss" => Operator::Xss,
            "verifycc" | "verifyssn" | "verifycpf" | "verifysvnr" => {
                let scheme = match name.to_ascii_lowercase().as_str() {
                    "verifyssn" => Scheme::Ssn,
                    "verifycpf" => Scheme::Cpf,
                    "verifysvnr" => Scheme::Svnr,
                    _ => Scheme::Card,
                };
                let pattern = Pattern::with_need(argument);
                Operator::Digits(scheme, pattern.map_err(|error| format!("not a regular expression here: {error}"))?)
            }
            "unconditionalmatch" => Operator::Always,
            "nomatch" => Operator::Never,
            "rbl" | "geolookup" | "gsblookup" | "inspectfile" | "fuzzyhash" | "validatedtd" | "validateschema"
            | "validatehash" | "rsub" => {
                return Err(format!("the operator `@{name}` is not supported"));
            }
            _ => return Err(format!("unknown operator `@{name}`")),
        })
    }

    /// What a value must hold to match; nothing for operators that have to look for themselves.
    pub(crate) fn need(&mut self) -> Need {
        match self {
            Operator::Regex(pattern) | Operator::Digits(_, pattern) => pattern.take_need(),
            Operator::Words(words) => need_of_words(&words.words),
            Operator::Text(
                Relation::Equals | Relation::Contains | Relation::BeginsWith | Relation::EndsWith,
                argument,
            ) => match argument.literal() {
                Some(literal) if !literal.is_empty() => need_of_words(&[literal.to_vec()]),
                _ => Need::default(),
            },
            Operator::Bytes(set) => Need { bytes: vec![set.either_case()], length: 1, ..Need::default() },
            Operator::UrlEncoding => Need { bytes: vec![ByteSet::of(b"%")], length: 1, ..Need::default() },
            Operator::Utf8 => Need { bytes: vec![ByteSet::range(128, 255)], length: 1, ..Need::default() },
            // A tag, or an attribute with a value: nothing else is markup.
            Operator::Xss => Need { bytes: vec![ByteSet::of(b"<=")], length: 4, ..Need::default() },
            // One word or number is one token, and no fingerprint is that short.
            Operator::Sqli => Need { bytes: vec![ByteSet::ALL.minus(WORD)], length: 1, ..Need::default() },
            _ => Need::default(),
        }
    }

    /// Whether a rule can be told apart from its neighbours by [`Operator::need`].
    pub(crate) fn warm(&self) -> bool {
        match self {
            Operator::Regex(pattern) | Operator::Digits(_, pattern) => pattern.warm(),
            Operator::Words(words) => {
                words.find(b"");
                true
            }
            _ => true,
        }
    }

    /// Asks the operator. `argument` expands a template; with `captured`, what was found goes there.
    pub(crate) fn run(
        &self,
        value: &[u8],
        argument: &dyn Fn(&Template) -> Vec<u8>,
        captured: Option<&mut Captured>,
    ) -> bool {
        match self {
            Operator::Regex(pattern) => regex(pattern, value, captured),
            Operator::RegexTemplate(template) => {
                let text = argument(template);
                // What a client may have a part in is not compiled at any length.
                if text.len() > MAX_MADE_PATTERN {
                    return false;
                }
                match Pattern::new(&String::from_utf8_lossy(&text)) {
                    Ok(pattern) => regex(&pattern, value, captured),
                    Err(_) => false,
                }
            }
            Operator::Words(words) => match words.find(value) {
                Some((start, end)) => capture(captured, value.get(start..end)),
                None => false,
            },
            Operator::Number(comparison, template) => {
                let right = match template.literal() {
                    Some(literal) => bytes::integer(literal),
                    None => bytes::integer(&argument(template)),
                };
                comparison.holds(bytes::integer(value), right)
            }
            Operator::Text(relation, template) => {
                let expanded;
                let argument = match template.literal() {
                    Some(literal) => literal,
                    None => {
                        expanded = argument(template);
                        &expanded
                    }
                };
                relation.holds(value, argument) && capture(captured, Some(value))
            }
            Operator::Bytes(set) => value.iter().any(|byte| set.contains(*byte)),
            Operator::UrlEncoding => invalid_url_encoding(value),
            Operator::Utf8 => std::str::from_utf8(value).is_err(),
            Operator::Address(networks) => {
                let address = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse::<IpAddr>().ok());
                address.is_some_and(|address| networks.iter().any(|network| network.holds(wide(address))))
            }
            Operator::Sqli => sqli(value, captured),
            Operator::Xss => crate::libinjection::xss(value) && capture(captured, Some(value)),
            Operator::Digits(scheme, pattern) => {
                let Some(captures) = pattern.captures(value) else { return false };
                let found = captures.get_match().and_then(|span| value.get(span.range())).unwrap_or_default();
                scheme.accepts(found) && capture(captured, Some(found))
            }
            Operator::Always => capture(captured, Some(value)),
            Operator::Never => false,
        }
    }
}

const WORD: ByteSet =
    ByteSet::range(b'a', b'z').or(ByteSet::range(b'A', b'Z')).or(ByteSet::range(b'0', b'9')).or(ByteSet::of(b"_"));

fn capture(captured: Option<&mut Captured>, found: Option<&[u8]>) -> bool {
    if let Some(captured) = captured {
        captured.clear();
        captured.push(found.map(<[u8]>::to_vec));
    }
    true
}

fn regex(pattern: &Pattern, value: &[u8], captured: Option<&mut Captured>) -> bool {
    let Some(captured) = captured else { return pattern.is_match(value) };
    let Some(captures) = pattern.captures(value) else { return false };
    captured.clear();
    captured.extend(
        captures.iter().take(10).map(|group| group.and_then(|group| value.get(group.range())).map(<[u8]>::to_vec)),
    );
    true
}

fn sqli(value: &[u8], captured: Option<&mut Captured>) -> bool {
    if is_one_token(value) {
        return false;
    }
    crate::libinjection::sqli(value).is_some_and(|fingerprint| capture(captured, Some(fingerprint.as_bytes())))
}

/// A name or a decimal number: a single token, whatever the dialect.
fn is_one_token(value: &[u8]) -> bool {
    const DOTTED: ByteSet = WORD.or(ByteSet::of(b"."));
    match value.first() {
        None => true,
        Some(b'0'..=b'9') => {
            let dots = value.iter().filter(|byte| **byte == b'.').count();
            dots < 2 && value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        }
        // The paths of JSON values: what stands before a dot would only matter if it were a keyword.
        Some(b'j') if value.starts_with(b"json.") => value.iter().all(|byte| DOTTED.contains(*byte)),
        Some(_) => value.iter().all(|byte| WORD.contains(*byte)),
    }
}

impl Relation {
    fn holds(self, value: &[u8], argument: &[u8]) -> bool {
        match self {
            Relation::Equals => value == argument,
            Relation::Contains => bytes::find(value, argument).is_some(),
            Relation::BeginsWith => value.starts_with(argument),
            Relation::EndsWith => value.ends_with(argument),
            Relation::Within => bytes::find(argument, value).is_some(),
            Relation::ContainsWord => {
                let word = |byte: Option<&u8>| byte.is_some_and(|byte| WORD.contains(*byte));
                argument.is_empty()
                    || memchr::memmem::find_iter(value, argument).any(|at| {
                        !word(at.checked_sub(1).and_then(|before| value.get(before)))
                            && !word(value.get(at + argument.len()))
                    })
            }
        }
    }
}

/// The words of `@pm`: separated by spaces, with `|41 42|` for bytes.
fn phrases(argument: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    let mut rest = argument;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let hex = after.split_once('|').filter(|_| c == '|').and_then(|(inside, tail)| {
            let bytes: Option<Vec<u8>> =
                inside.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).ok()).collect();
            bytes.filter(|bytes| !bytes.is_empty()).map(|bytes| (bytes, tail))
        });
        if let Some((bytes, tail)) = hex {
            word.extend(bytes);
            rest = tail;
            continue;
        }
        if c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = after;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn byte_ranges(argument: &str) -> Result<ByteSet, String> {
    let mut set = ByteSet::EMPTY;
    for part in argument.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.trim().parse::<u8>(), last.trim().parse::<u8>()) {
            (Ok(first), Ok(last)) if first <= last => set = set.or(ByteSet::range(first, last)),
            _ => return Err(format!("`{part}` is no range of bytes")),
        }
    }
    Ok(set)
}

fn networks<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Vec<Network>, String> {
    parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| Network::new(part).ok_or_else(|| format!("`{part}` is no address or network")))
        .collect()
}

fn invalid_url_encoding(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).any(|at| {
        let digit = |offset: usize| value.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        !(digit(1) && digit(2))
    })
}

fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    digits.len() >= 12 && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seclang::template::Names;

    fn matches(name: &str, argument: &str, value: &[u8]) -> bool {
        let template = || Template::new(argument, &mut Names::default()).0;
        let operator = Operator::new(name, argument, template, &|_| None).unwrap();
        operator.run(value, &|_| Vec::new(), None)
    }

    #[test]
    fn each_operator_says_yes_and_no() {
        let cases: &[(&str, &str, &[u8], &[u8])] = &[
            ("rx", r"(?i)^a\d+", b"A12", b"b1"),
            ("pm", "curl wget|20 2f|x", b"a WGET /x", b"wgetx"),
            ("eq", "5", b"5x", b"6"),
            ("ge", "-2", b"-2", b"-3"),
            ("streq", "abc", b"abc", b"ABC"),
            ("within", "GET POST", b"POST", b"PUT"),
            ("endsWith", ".pdf", b"x.pdf", b".pdfx"),
            ("containsWord", "or", b"1 or 2", b"order"),
            ("validateByteRange", "32-126", b"a\0", b"a~"),
            ("validateUrlEncoding", "", b"%zz", b"%41+"),
            ("validateUtf8Encoding", "", b"\xc0\xaf", "é".as_bytes()),
            ("ipMatch", "10.0.0.0/8,::1", b"10.9.8.7", b"11.0.0.1"),
            ("ipMatch", "10.0.0.0/8,::1", b"::1", b"::2"),
            ("detectSQLi", "", b"1' OR '1'='1", b"O'Brien"),
            ("detectXSS", "", b"<script>alert(1)</script>", b"2 < 3"),
            ("verifySSN", r"\d{3}-?\d{2}-?\d{4}", b"219-09-9998", b"666-09-9998"),
            ("verifyCPF", r"[\d.-]{11,14}", b"529.982.247-25", b"529.982.247-26"),
            ("verifySVNR", r"\d{4} ?\d{6}", b"1237 010180", b"1238 010180"),
            ("verifyCC", r"\d{13,16}", b"4111111111111111", b"4111111111111112"),
        ];
        for (name, argument, yes, no) in cases {
            assert!(matches(name, argument, yes), "@{name} {argument}");
            assert!(!matches(name, argument, no), "not @{name} {argument}");
        }
    }

    #[test]
    fn arguments_nobody_can_read_are_refused() {
        for (name, argument) in
            [("ipMatch", "10.0.0.0/33"), ("validateByteRange", "5-x"), ("rx", "a("), ("rbl", "x"), ("what", "")]
        {
            assert!(Operator::new(name, argument, Template::default, &|_| None).is_err(), "@{name} {argument}");
        }
    }
}
