//! Versions and ranges of Maven, by the order that its reference of the project object model tells: tokens between dots,
//! hyphens and changes from digits to letters; qualifiers with a meaning of their own; trailing nothings cut.

use super::{Intervals, Scheme};
use std::cmp::Ordering;
use std::ops::Bound;

/// The Maven scheme.
pub(crate) struct Maven;

/// The longest text that is taken for a version, in bytes.
const MAX_TEXT: usize = 512;

/// A version as its tokens.
#[derive(Debug, Clone)]
pub(crate) struct Version(Vec<Token>);

#[derive(Debug, Clone)]
struct Token {
    /// Whether a hyphen (or a change between digits and letters) stands before it rather than a dot.
    hyphen: bool,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Digits without leading zeros, so that length and then text give the order of any size of number.
    Number(String),
    /// What a word means among its kind, then the word itself.
    Word(u8, String),
}

/// The rank of a release, which an absent word is as well.
const RELEASE: u8 = 5;

/// The rank of a word; `followed` where a digit comes right after it, which short forms need.
fn rank(word: &str, followed: bool) -> u8 {
    match word {
        "alpha" => 0,
        "a" if followed => 0,
        "beta" => 1,
        "b" if followed => 1,
        "milestone" => 2,
        "m" if followed => 2,
        "rc" | "cr" => 3,
        "snapshot" => 4,
        "" | "ga" | "final" | "release" => RELEASE,
        "sp" => 6,
        _ => 7,
    }
}

impl Version {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let spelt = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        if text.is_empty() || text.len() > MAX_TEXT || !text.chars().all(spelt) {
            return None;
        }
        let mut tokens: Vec<Token> = Vec::new();
        let (mut hyphen, mut current) = (false, String::new());
        let push = |tokens: &mut Vec<Token>, hyphen: bool, text: &str, followed: bool| {
            let digits = text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit());
            let kind = if digits {
                Kind::Number(text.trim_start_matches('0').to_string())
            } else {
                let word = text.to_ascii_lowercase();
                let rank = rank(&word, followed);
                // Words of one meaning are equal, however they are spelt.
                Kind::Word(rank, if rank == 7 { word } else { String::new() })
            };
            tokens.push(Token { hyphen, kind });
        };
        for letter in text.chars() {
            let separator = matches!(letter, '.' | '-' | '_');
            let turns = current.chars().last().is_some_and(|last| last.is_ascii_digit() != letter.is_ascii_digit());
            if separator {
                push(&mut tokens, hyphen, &current, false);
                current.clear();
                hyphen = letter != '.';
            } else if turns {
                push(&mut tokens, hyphen, &current, letter.is_ascii_digit());
                current.clear();
                hyphen = true;
                current.push(letter);
            } else {
                current.push(letter);
            }
        }
        push(&mut tokens, hyphen, &current, false);
        // Nothings are cut at the end, and before every hyphen.
        let mut at = tokens.len();
        while at > 0 {
            let mut end = at;
            while end > 1 && tokens.get(end - 1).is_some_and(Token::is_nothing) {
                end -= 1;
            }
            tokens.drain(end..at);
            // On to the stretch before the hyphen that opens this one.
            at = (1..end).rev().find(|index| tokens.get(*index).is_some_and(|token| token.hyphen)).unwrap_or(0);
        }
        Some(Self(tokens))
    }
}

impl Token {
    fn is_nothing(&self) -> bool {
        match &self.kind {
            Kind::Number(digits) => digits.is_empty(),
            Kind::Word(rank, _) => *rank == RELEASE,
        }
    }

    /// What stands against this token where the other version has none.
    fn absent(&self) -> Token {
        let kind = match &self.kind {
            Kind::Number(_) => Kind::Number(String::new()),
            Kind::Word(..) => Kind::Word(RELEASE, String::new()),
        };
        Token { hyphen: self.hyphen, kind }
    }

    /// Words come before numbers behind a hyphen, and those before numbers behind a dot.
    fn class(&self) -> u8 {
        match (&self.kind, self.hyphen) {
            (Kind::Word(..), _) => 0,
            (Kind::Number(_), true) => 1,
            (Kind::Number(_), false) => 2,
        }
    }

    fn order(&self, other: &Token) -> Ordering {
        match (&self.kind, &other.kind) {
            (Kind::Number(left), Kind::Number(right)) if self.hyphen == other.hyphen => {
                left.len().cmp(&right.len()).then_with(|| left.cmp(right))
            }
            (Kind::Word(left, left_text), Kind::Word(right, right_text)) => {
                left.cmp(right).then_with(|| left_text.cmp(right_text))
            }
            _ => self.class().cmp(&other.class()),
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.0.len().max(other.0.len());
        for at in 0..length {
            let order = match (self.0.get(at), other.0.get(at)) {
                (Some(left), Some(right)) => left.order(right),
                (Some(left), None) => left.order(&left.absent()),
                (None, Some(right)) => right.absent().order(right),
                (None, None) => Ordering::Equal,
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl Scheme for Maven {
    type Version = Version;

    fn version(text: &str) -> Option<Version> {
        Version::read(text)
    }

    fn range(text: &str) -> Option<Intervals<Version>> {
        let text = text.trim();
        match text {
            "" | "LATEST" | "RELEASE" => Some(Intervals::all()),
            _ if text.starts_with(['[', '(']) => interval_notation::<Self>(text),
            // Gradle's prefix: `1.2.+`.
            _ if text == "+" => Some(Intervals::all()),
            _ if text.ends_with(".+") => {
                let prefix = text.trim_end_matches('+').trim_end_matches('.');
                let (head, last) = prefix.rsplit_once('.').map_or((None, prefix), |(head, last)| (Some(head), last));
                let next = last.parse::<u64>().ok()?.saturating_add(1);
                let upper = head.map_or(next.to_string(), |head| format!("{head}.{next}"));
                let bounds = (Self::version(prefix)?, Self::version(&format!("{upper}-alpha"))?);
                Some(Intervals::between(Bound::Included(bounds.0), Bound::Excluded(bounds.1)))
            }
            _ => Self::version(text).map(Intervals::one),
        }
    }

    fn key(name: &str) -> String {
        name.trim().to_string()
    }
}

/// `[1.0,2.0)`, `(,1.0],[1.2,)`, `[1.0]`: how Maven and NuGet write sets of versions.
pub(super) fn interval_notation<S: Scheme>(text: &str) -> Option<Intervals<S::Version>> {
    if text.len() > MAX_TEXT * 4 {
        return None;
    }
    let mut set = Intervals::none();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let opens_closed = match rest.chars().next()? {
            '[' => true,
            '(' => false,
            _ => return None,
        };
        let end = rest.find([']', ')'])?;
        let closes_closed = rest.get(end..)?.starts_with(']');
        let inner = rest.get(1..end)?;
        rest = rest.get(end + 1..)?.trim_start().trim_start_matches(',').trim_start();
        let bound = |text: &str, closed: bool| -> Option<Bound<S::Version>> {
            match (text.trim(), closed) {
                ("", _) => Some(Bound::Unbounded),
                (text, true) => S::version(text).map(Bound::Included),
                (text, false) => S::version(text).map(Bound::Excluded),
            }
        };
        let part = match inner.split_once(',') {
            Some((low, high)) => Intervals::between(bound(low, opens_closed)?, bound(high, closes_closed)?),
            None => Intervals::one(S::version(inner)?),
        };
        set = set.union(&part);
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_reference() {
        let rising = [
            "0.9",
            "1.0-alpha-1",
            "1.0-alpha-2",
            "1.0-alpha-10",
            "1.0-beta-1",
            "1.0-milestone-1",
            "1.0-rc1",
            "1.0-SNAPSHOT",
            "1.0",
            "1.0-sp",
            "1.0-abc",
            "1.0-1",
            "1.0.1",
            "1.2",
            "1.10",
            "2.9.10.8",
            "2.10.0",
            "20040616",
        ];
        for pair in rising.windows(2) {
            let (left, right) = (Maven::version(pair[0]).unwrap(), Maven::version(pair[1]).unwrap());
            assert!(left < right, "{pair:?} {left:?} {right:?}");
        }
        for (left, right) in [
            ("1", "1.0.0"),
            ("1.0-ga", "1.0"),
            ("1.0.Final", "1"),
            ("1.0.RELEASE", "1.0"),
            ("1-a1", "1-alpha-1"),
            ("1.0-cr2", "1.0-RC2"),
            ("1.0-0-alpha", "1-alpha"),
        ] {
            assert_eq!(Maven::version(left), Maven::version(right), "{left} {right}");
        }
        assert!(Maven::version("5.3.18") > Maven::version("5.3.9"));
        assert!(Maven::version("31.1-jre") > Maven::version("31.0.1-jre"));
        for nonsense in ["", "${project.version}", "a b"] {
            assert_eq!(Maven::version(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn ranges() {
        let allows =
            |range: &str, version: &str| Maven::range(range).unwrap().contains(&Maven::version(version).unwrap());
        assert!(allows("[1.0,2.0)", "1.5") && !allows("[1.0,2.0)", "2.0"));
        assert!(allows("(,1.0],[1.2,)", "1.2") && !allows("(,1.0],[1.2,)", "1.1"));
        assert!(allows("1.2.+", "1.2.9") && !allows("1.2.+", "1.3"));
        assert!(allows("1.5", "1.5.0") && !allows("1.5", "1.6"));
        assert!(Maven::range("[1.0").is_none() && Maven::range("[]x").is_none());
    }
}
