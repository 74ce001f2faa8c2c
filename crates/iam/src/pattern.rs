//! Patterns of policies (`s3:Get*`, `arn:aws:s3:::reports/*`) as sets of texts: what is in them, which contains which, which overlap.
//!
//! A pattern may hold what only deployment knows. A *name* of the template (`${Table}`) stands for itself: no text equals it, and only a
//! star covers it. An *open* part (`${AWS::Region}`, a parameter) has one value that isn't known: a star or the same part covers it, and it
//! may overlap with anything.

use graph::{Part, Value};
use std::collections::{HashSet, VecDeque};

/// Patterns are cut here; AWS allows far less in one policy.
const MAX_TOKENS: usize = 4_096;
/// States a comparison may visit before it says "not covered".
const MAX_STATES: usize = 4_000;
/// Tokens a comparison may look at before it says "not covered": room for two ARNs as long as AWS takes them.
const MAX_STEPS: usize = 8_000_000;
/// Pairs of tokens beyond which two patterns count as overlapping.
const MAX_CELLS: usize = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    /// This character.
    Character(char),
    /// `?`.
    One,
    /// `*`.
    Many,
    /// `*` in one of the first five segments of an ARN, which it can't leave: anything without a colon.
    Within,
    /// A name that only deployment makes up.
    Name(String),
    /// A value that deployment gives, by what gives it.
    Open(String),
}

/// A pattern of actions or ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    tokens: Vec<Token>,
}

impl Pattern {
    /// A pattern of actions; letter case doesn't count.
    pub fn action(text: &str) -> Self {
        Self::of(text.chars().map(|character| wildcard(character.to_ascii_lowercase())))
    }

    /// A pattern of ARNs; letter case counts.
    pub fn arn(text: &str) -> Self {
        Self::of(text.chars().map(wildcard))
    }

    /// A text in which stars stand for themselves.
    pub(crate) fn literal(text: &str) -> Self {
        Self::of(text.chars().map(Token::Character))
    }

    /// A pattern of ARNs as a template has it. What can't be told at all may be anything.
    pub fn value(value: &Value) -> Self {
        let mut tokens = Vec::new();
        for part in value.parts() {
            match part {
                Part::Text(text) => tokens.extend(text.chars().map(wildcard)),
                Part::Ref(name) => tokens.push(Token::Name(name.clone())),
                Part::Attribute(name, attribute) => tokens.push(Token::Name(format!("{name}.{attribute}"))),
                Part::Parameter(name) | Part::Pseudo(name) => tokens.push(Token::Open(name.clone())),
                Part::Unknown(why) => tokens.push(Token::Open(format!("?{why}"))),
            }
        }
        Self::of(tokens.into_iter())
    }

    fn of(tokens: impl Iterator<Item = Token>) -> Self {
        let mut kept: Vec<Token> = Vec::new();
        for token in tokens.take(MAX_TOKENS) {
            if token != Token::Many || kept.last() != Some(&Token::Many) {
                kept.push(token);
            }
        }
        let colon = Token::Character(':');
        let arn = kept.starts_with(&['a', 'r', 'n', ':'].map(Token::Character));
        // An ARN that is cut short by a star (`arn:aws:s3*`) is read as the text it is.
        if let Some((last, _)) = kept.iter().enumerate().filter(|(_, token)| **token == colon).nth(4).filter(|_| arn) {
            kept.iter_mut().take(last).filter(|token| **token == Token::Many).for_each(|token| *token = Token::Within);
        }
        Self { tokens: kept }
    }

    /// Whether a text is in the set.
    pub fn matches(&self, text: &str) -> bool {
        self.covers(&Self::of(text.chars().map(Token::Character)))
    }

    /// Whether everything in `other` is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        covers_any(std::slice::from_ref(self), other)
    }

    /// Whether some text may be in both. Two patterns of thousands of characters may.
    pub fn intersects(&self, other: &Self) -> bool {
        let (left, right) = (&self.tokens, &other.tokens);
        if left.len().saturating_mul(right.len()) > MAX_CELLS {
            return true;
        }
        // row[j]: whether what was read of `left` and the first `j` tokens of `right` can be the same text.
        let mut row = vec![false; right.len() + 1];
        if let Some(first) = row.first_mut() {
            *first = true;
        }
        close(&mut row, right);
        for token in left {
            let mut next = vec![false; right.len() + 1];
            for at in 0..=right.len() {
                let reached = row.get(at).copied().unwrap_or(false);
                if reached && free(token) {
                    set(&mut next, at);
                }
                let Some(theirs) = right.get(at) else { continue };
                // A star of theirs may go on after taking this token.
                if reached && takes(theirs, token) {
                    set(&mut next, at);
                }
                if reached && meets(token, theirs) {
                    set(&mut next, at + 1);
                }
                // A star of ours takes their token, and may go on.
                if takes(token, theirs) && (reached || next.get(at).copied().unwrap_or(false)) {
                    set(&mut next, at + 1);
                }
            }
            close(&mut next, right);
            row = next;
        }
        row.last().copied().unwrap_or(false)
    }

    /// The pattern without an ARN's region and account; whole where it is no ARN.
    pub(crate) fn without_place(&self) -> Vec<String> {
        let mut fields: Vec<String> = vec![String::new()];
        for token in &self.tokens {
            if *token == Token::Character(':') && fields.len() < 6 {
                fields.push(String::new());
            } else if let Some(field) = fields.last_mut() {
                field.push_str(&format!("{token:?}"));
            }
        }
        if fields.len() == 6 {
            fields.drain(3..5);
        }
        fields
    }

    /// Whether it is `*` alone.
    pub fn is_everything(&self) -> bool {
        self.tokens == [Token::Many]
    }

    /// Whether it holds a name of the template.
    pub(crate) fn has_name(&self) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::Name(_)))
    }

    /// Whether it holds a star or question mark.
    pub fn has_wildcard(&self) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::Many | Token::Within | Token::One))
    }
}

fn wildcard(character: char) -> Token {
    match character {
        '*' => Token::Many,
        '?' => Token::One,
        character => Token::Character(character),
    }
}

/// Whether a token may stand for any text when two patterns are laid over each other.
fn free(token: &Token) -> bool {
    matches!(token, Token::Many | Token::Within | Token::Open(_))
}

/// Whether a token that may stand for any text may stand for this one, too.
fn takes(wide: &Token, other: &Token) -> bool {
    match wide {
        Token::Many => true,
        Token::Within => *other != Token::Character(':'),
        // Regions, accounts and partitions hold no colon; what a parameter holds isn't known.
        // An account is digits: what is in the account `aws` is AWS's own.
        Token::Open(name) => match other {
            Token::Character(letter) if name == "AWS::AccountId" => letter.is_ascii_digit(),
            other => !name.starts_with("AWS::") || *other != Token::Character(':'),
        },
        _ => false,
    }
}

fn meets(left: &Token, right: &Token) -> bool {
    match (left, right) {
        (Token::One, Token::Character(_) | Token::One) | (Token::Character(_), Token::One) => true,
        (left, right) => left == right,
    }
}

fn set(row: &mut [bool], at: usize) {
    if let Some(cell) = row.get_mut(at) {
        *cell = true;
    }
}

/// A star may stand for nothing.
fn close(row: &mut [bool], tokens: &[Token]) {
    for (at, token) in tokens.iter().enumerate() {
        if free(token) && row.get(at).copied().unwrap_or(false) {
            set(row, at + 1);
        }
    }
}

/// Whether everything in `narrow` is in one or another of `wide`, even where no single one holds all of it.
///
/// Runs the set of states that `wide` can be in along `narrow`. Where `narrow` leaves a character open, one that no pattern writes
/// out is the hardest to cover, so that one and the colon decide for all. A comparison that grows out of bounds counts as "no".
pub fn covers_any(wide: &[Pattern], narrow: &Pattern) -> bool {
    // Most patterns of a policy begin otherwise, and have nothing in common with this one.
    let wide: Vec<&Pattern> = wide.iter().filter(|pattern| begin_alike(pattern, narrow)).collect();
    if wide.is_empty() {
        return false;
    }
    let starts: Vec<usize> = wide
        .iter()
        .scan(0, |next, pattern| {
            let start = *next;
            *next += pattern.tokens.len() + 1;
            Some(start)
        })
        .collect();
    let states: Vec<Option<&Token>> =
        wide.iter().flat_map(|pattern| pattern.tokens.iter().map(Some).chain([None])).collect();
    let machine = Machine { states: &states };
    let mut first = vec![false; states.len()];
    starts.iter().for_each(|start| set(&mut first, *start));
    machine.close(&mut first);
    let mut queue = VecDeque::from([(0_usize, first)]);
    let mut seen: HashSet<(usize, Vec<bool>)> = HashSet::new();
    let mut steps = 0;
    while let Some((at, current)) = queue.pop_front() {
        steps += states.len();
        if seen.len() > MAX_STATES || steps > MAX_STEPS || !current.contains(&true) {
            return false;
        }
        let nexts = match narrow.tokens.get(at) {
            None if !machine.accepts(&current) => return false,
            None => Vec::new(),
            Some(Token::Many) => {
                let (other, colon) = (machine.step(&current, None), machine.step(&current, Some(&COLON)));
                vec![(at, other), (at, colon), (at + 1, current)]
            }
            Some(Token::Within) => vec![(at, machine.step(&current, None)), (at + 1, current)],
            Some(Token::One) => {
                vec![(at + 1, machine.step(&current, None)), (at + 1, machine.step(&current, Some(&COLON)))]
            }
            Some(token) => vec![(at + 1, machine.step(&current, Some(token)))],
        };
        for next in nexts {
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    true
}

/// Whether what is written out at the beginning of both is the same as far as both go.
fn begin_alike(left: &Pattern, right: &Pattern) -> bool {
    let pairs = left.tokens.iter().zip(&right.tokens);
    for pair in pairs {
        match pair {
            (Token::Character(one), Token::Character(other)) if one != other => return false,
            (Token::Character(_), Token::Character(_)) => {}
            _ => return true,
        }
    }
    true
}

/// The one character that some stars don't take.
const COLON: Token = Token::Character(':');

/// The patterns as one automaton: a state per token, and one behind each pattern's last.
struct Machine<'a> {
    states: &'a [Option<&'a Token>],
}

impl Machine<'_> {
    fn close(&self, current: &mut [bool]) {
        for (at, token) in self.states.iter().enumerate() {
            if matches!(token, Some(Token::Many | Token::Within)) && current.get(at).copied().unwrap_or(false) {
                set(current, at + 1);
            }
        }
    }

    fn accepts(&self, current: &[bool]) -> bool {
        self.states.iter().zip(current).any(|(token, reached)| *reached && token.is_none())
    }

    /// After one more token; none for a character that no pattern writes out.
    fn step(&self, current: &[bool], token: Option<&Token>) -> Vec<bool> {
        let mut next = vec![false; current.len()];
        for (at, (own, reached)) in self.states.iter().zip(current).enumerate() {
            if !reached {
                continue;
            }
            match (own, token) {
                (Some(Token::Many), _) => set(&mut next, at),
                (Some(Token::Within), token) if token != Some(&COLON) => set(&mut next, at),
                (Some(Token::One), None | Some(Token::Character(_))) => set(&mut next, at + 1),
                (Some(own), Some(token)) if *own == token => set(&mut next, at + 1),
                _ => {}
            }
        }
        self.close(&mut next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_thousands_of_stars_are_given_up_rather_than_compared_for_seconds() {
        let (one, two) = ("?*".repeat(3_000), "*?".repeat(3_000));
        assert!(!covers_any(&[Pattern::arn(&one)], &Pattern::arn(&format!("{two}a"))));
        assert!(Pattern::arn(&one).intersects(&Pattern::arn(&two)));
        // As long as AWS lets an ARN be, the answer is still worked out.
        let (wide, narrow) =
            (format!("arn:aws:s3:::{}*", "a".repeat(2_000)), format!("arn:aws:s3:::{}", "a".repeat(2_030)));
        assert!(Pattern::arn(&wide).covers(&Pattern::arn(&narrow)));
    }

    /// All texts of `a`, `b` up to a length.
    fn texts(length: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..length {
            let until = all.len();
            for at in from..until {
                let text = all[at].clone();
                all.push(format!("{text}a"));
                all.push(format!("{text}b"));
            }
            from = until;
        }
        all
    }

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some('*'), _) => naive(&pattern[1..], text) || (!text.is_empty() && naive(pattern, &text[1..])),
            (Some('?'), Some(_)) => naive(&pattern[1..], &text[1..]),
            (Some(own), Some(theirs)) if own == theirs => naive(&pattern[1..], &text[1..]),
            _ => false,
        }
    }

    /// A small generator of our own, so that a failure can be repeated.
    fn random(seed: &mut u64, below: u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    }

    fn any_pattern(seed: &mut u64) -> String {
        let length = random(seed, 6);
        (0..length).map(|_| ['a', 'b', '*', '?'][usize::try_from(random(seed, 4)).unwrap()]).collect()
    }

    #[test]
    fn the_algebra_agrees_with_trying_every_text() {
        // With two letters and a third that no pattern writes, every difference between such short patterns shows within
        // nine characters.
        let mut all = texts(9);
        let with_other: Vec<String> =
            all.iter().filter(|text| text.len() < 8).map(|text| text.replace('b', "z")).collect();
        all.extend(with_other);
        let all: Vec<Vec<char>> = all.iter().map(|text| text.chars().collect()).collect();
        let mut seed = 42;
        for _ in 0..1_500 {
            let (left, right) = (any_pattern(&mut seed), any_pattern(&mut seed));
            let (one, other) = (Pattern::arn(&left), Pattern::arn(&right));
            let (l, r): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
            let in_left: Vec<bool> = all.iter().map(|text| naive(&l, text)).collect();
            let in_right: Vec<bool> = all.iter().map(|text| naive(&r, text)).collect();
            let covers = in_left.iter().zip(&in_right).all(|(left, right)| *left || !*right);
            let meets = in_left.iter().zip(&in_right).any(|(left, right)| *left && *right);
            assert_eq!(one.covers(&other), covers, "{left} covers {right}");
            assert_eq!(one.intersects(&other), meets, "{left} meets {right}");
            for (text, inside) in all.iter().zip(&in_left).step_by(37) {
                assert_eq!(one.matches(&text.iter().collect::<String>()), *inside, "{left} on {text:?}");
            }
        }
    }

    #[test]
    fn actions_forget_letter_case_and_arns_keep_it() {
        assert!(Pattern::action("S3:getobject*").matches("s3:getobjecttagging"));
        assert!(Pattern::action("s3:Get*").covers(&Pattern::action("S3:GETOBJECT")));
        assert!(!Pattern::arn("arn:aws:s3:::Reports").covers(&Pattern::arn("arn:aws:s3:::reports")));
    }

    #[test]
    fn several_patterns_together_cover_what_none_does_alone() {
        let wide = [Pattern::arn("a"), Pattern::arn("?*a"), Pattern::arn("")];
        assert!(covers_any(&[Pattern::arn("?*"), Pattern::arn("")], &Pattern::arn("*")));
        assert!(covers_any(&wide, &Pattern::arn("*a")));
        assert!(!covers_any(&wide, &Pattern::arn("*")));
    }

    #[test]
    fn names_of_the_template_are_covered_by_stars_and_by_themselves_only() {
        let arn = |name: &str| {
            let mut value = Value::text("arn:aws:s3:::");
            value.push(Part::Ref(name.into()));
            Pattern::value(&value)
        };
        assert!(Pattern::arn("arn:aws:s3:::*").covers(&arn("Reports")));
        assert!(arn("Reports").covers(&arn("Reports")) && !arn("Reports").covers(&arn("Invoices")));
        assert!(
            !arn("Reports").intersects(&arn("Invoices")) && !arn("Reports").intersects(&Pattern::arn("arn:aws:s3:::x"))
        );
        let mut region = Value::text("arn:aws:sqs:");
        region.push(Part::Pseudo("AWS::Region".into()));
        region.push(Part::Text(":1:q".into()));
        assert!(Pattern::value(&region).intersects(&Pattern::arn("arn:aws:sqs:eu-west-1:1:q")));
        assert!(!Pattern::value(&region).covers(&Pattern::arn("arn:aws:sqs:eu-west-1:1:q")));
    }

    #[test]
    fn a_star_stays_within_its_segment_of_an_arn() {
        let users = Pattern::arn("arn:aws:iam::*:user/*");
        assert!(users.matches("arn:aws:iam::1:user/a:b"));
        assert!(!users.matches("arn:aws:iam::1:role/x:user/a"));
        assert!(!users.intersects(&Pattern::arn("arn:aws:iam::*:role/x")));
        assert!(!Pattern::arn("arn:aws:sqs:*:q").intersects(&Pattern::arn("arn:aws:sqs:r:1:p")));
        assert!(Pattern::arn("arn:*:sqs:*:*:*").covers(&Pattern::arn("arn:aws:sqs:r:?:q*")));
        assert!(!Pattern::arn("arn:*:sqs:*:*:x*").covers(&Pattern::arn("arn:aws:sqs:r:*")));
        assert!(Pattern::arn("*").covers(&users) && !users.covers(&Pattern::arn("*")));
    }

    #[test]
    fn hostile_patterns_end() {
        let stars = Pattern::arn(&"*a".repeat(800));
        assert!(stars.intersects(&stars));
        let _ = stars.covers(&Pattern::arn(&"a*?".repeat(200)));
        assert!(!stars.matches(&"b".repeat(3_000)));
    }
}
