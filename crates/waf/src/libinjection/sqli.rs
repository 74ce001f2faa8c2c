//! SQL injection: a value's tokens are folded until at most five are left, whose types are its fingerprint.
//!
//! A value is read as it is, as the inside of a string in single quotes, and of one in double quotes, because that is
//! where applications put it.

use super::tokens::{Reading, Token, Tokens, kind};
use super::words::{MAX_WORD, is_attack, word};

/// Most tokens of a fingerprint.
const MOST: usize = 5;

/// The types of the tokens that gave a value away, such as `s&1c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    kinds: [u8; MOST],
    length: u8,
}

impl Fingerprint {
    /// One letter for each token.
    pub fn as_bytes(&self) -> &[u8] {
        self.kinds.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// The fingerprint of a value that is SQL injection, `None` for others.
pub fn sqli(value: &[u8]) -> Option<Fingerprint> {
    let quotes = |quote: u8| memchr::memchr(quote, value).is_some();
    let ways: [(u8, bool); 3] = [(0, true), (b'\'', quotes(b'\'')), (b'"', quotes(b'"'))];
    for (quote, worth) in ways {
        if !worth || value.is_empty() {
            continue;
        }
        // Double quotes are MySQL's; the others are read as MySQL does where that makes a difference.
        let mut state = State::read(value, Reading { quote, mysql: quote == b'"' });
        if let Some(found) = state.verdict() {
            return Some(found);
        }
        if quote != b'"' && state.tokens.ambiguous {
            state = State::read(value, Reading { quote, mysql: true });
            if let Some(found) = state.verdict() {
                return Some(found);
            }
        }
    }
    None
}

/// Where folding goes on.
enum Step {
    /// Nothing more to fold from here on.
    Advance,
    /// Look again: from the start, from one token before, or from here.
    Restart,
    Back,
    Again,
    /// What can't be read for certain.
    Evil,
}

struct State<'a> {
    value: &'a [u8],
    tokens: Tokens<'a>,
    line: [Token; MOST + 3],
    /// Tokens in `line`.
    count: usize,
    /// Those of them that are done with.
    left: usize,
    last_comment: Option<Token>,
    more: bool,
    kinds: [u8; MOST],
    length: usize,
}

impl<'a> State<'a> {
    fn read(value: &'a [u8], reading: Reading) -> State<'a> {
        let mut state = State {
            value,
            tokens: Tokens::new(value, reading),
            line: [Token::default(); MOST + 3],
            count: 0,
            left: 0,
            last_comment: None,
            more: true,
            kinds: [0; MOST],
            length: 0,
        };
        state.fold();
        state.fingerprint();
        state
    }

    fn kind(&self, at: usize) -> u8 {
        self.line.get(at).map_or(kind::NONE, |token| token.kind)
    }

    fn text(&self, at: usize) -> &[u8] {
        self.line.get(at).map_or(b"", |token| token.text(self.value))
    }

    fn says(&self, at: usize, words: &[&str]) -> bool {
        let text = self.text(at);
        words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()))
    }

    fn is_unary(&self, at: usize) -> bool {
        self.kind(at) == kind::OPERATOR && is_unary(self.text(at))
    }

    fn is_arithmetic(&self, at: usize) -> bool {
        self.kind(at) == kind::OPERATOR && matches!(self.text(at), [b'*' | b'/' | b'-' | b'+' | b'%'])
    }

    fn set_kind(&mut self, at: usize, kind: u8) {
        if let Some(token) = self.line.get_mut(at) {
            token.kind = kind;
        }
    }

    fn copy(&mut self, to: usize, from: usize) {
        if let (Some(token), true) = (self.line.get(from).copied(), to < self.line.len()) {
            self.line[to] = token;
        }
    }

    /// Reads on until `wanted` tokens are there that are not done with.
    fn fill(&mut self, wanted: usize) {
        while self.more && self.count <= MOST && self.count - self.left < wanted {
            match self.tokens.next() {
                None => self.more = false,
                Some(token) if token.kind == kind::COMMENT => self.last_comment = Some(token),
                Some(token) => {
                    self.last_comment = None;
                    if let Some(place) = self.line.get_mut(self.count) {
                        *place = token;
                    }
                    self.count += 1;
                }
            }
        }
    }

    fn fold(&mut self) {
        // What an expression starts with says nothing.
        loop {
            let Some(token) = self.tokens.next() else { return };
            let idle = matches!(token.kind, kind::COMMENT | kind::OPEN | kind::SQL_TYPE)
                || (token.kind == kind::OPERATOR && is_unary(token.text(self.value)));
            if !idle {
                self.line[0] = token;
                self.count = 1;
                break;
            }
        }
        loop {
            if self.count >= MOST && self.is_plain_expression() {
                if self.count > MOST {
                    self.copy(1, MOST);
                    self.count = 2;
                } else {
                    self.count = 1;
                }
                self.left = 0;
            }
            if !self.more || self.left >= MOST {
                self.left = self.count;
                break;
            }
            self.fill(2);
            if self.count - self.left < 2 {
                self.left = self.count;
                continue;
            }
            let mut step = self.fold_two();
            if matches!(step, Step::Advance) {
                self.fill(3);
                if self.count - self.left < 3 {
                    self.left = self.count;
                    continue;
                }
                step = self.fold_three();
            }
            match step {
                Step::Advance => self.left += 1,
                Step::Restart => self.left = 0,
                Step::Back => self.left = self.left.saturating_sub(1),
                Step::Again => {}
                Step::Evil => {
                    // Even when it is the sixth token, which others only help to understand.
                    self.line[0] = Token::default();
                    self.line[0].kind = kind::EVIL;
                    self.length = 1;
                    return;
                }
            }
        }
        if let Some(comment) = self.last_comment.filter(|_| self.left < MOST) {
            self.line[self.left] = comment;
            self.left += 1;
        }
        self.length = self.left.min(MOST);
    }

    /// Five tokens that are arithmetic or a list, and no more than one value.
    fn is_plain_expression(&self) -> bool {
        use kind::{BARE_WORD, CLOSE, COMMA, NUMBER, OPEN, OPERATOR};
        let [a, b, c, d, e] = std::array::from_fn(|at| self.kind(at));
        matches!(
            (a, b, c, d, e),
            (NUMBER, OPERATOR | COMMA, OPEN, NUMBER, CLOSE)
                | (BARE_WORD, OPERATOR, OPEN, BARE_WORD | NUMBER, CLOSE)
                | (NUMBER, CLOSE, COMMA, OPEN, NUMBER)
                | (BARE_WORD, CLOSE, OPERATOR, OPEN, BARE_WORD)
        )
    }

    fn fold_two(&mut self) -> Step {
        use kind as k;
        let left = self.left;
        let next = left + 1;
        let (first, second) = (self.kind(left), self.kind(next));
        match (first, second) {
            (k::STRING, k::STRING) | (k::SEMICOLON, k::SEMICOLON) => {
                self.count -= 1;
                return Step::Again;
            }
            (k::OPERATOR | k::LOGIC, _) if second == k::SQL_TYPE || self.is_unary(next) => {
                self.count -= 1;
                return Step::Restart;
            }
            (k::OPEN, _) if self.is_unary(next) => {
                self.count -= 1;
                return Step::Back;
            }
            _ => {}
        }
        if self.join_words() {
            self.count -= 1;
            return Step::Back;
        }
        match (first, second) {
            (k::SEMICOLON, k::FUNCTION)
                if self.text(next).get(..2).is_some_and(|text| text.eq_ignore_ascii_case(b"IF")) =>
            {
                // Behind a semicolon it is Transact-SQL's statement.
                self.set_kind(next, k::TSQL);
                Step::Again
            }
            (k::BARE_WORD | k::VARIABLE, k::OPEN) if self.says(left, &CALLABLE) => {
                self.set_kind(left, k::FUNCTION);
                Step::Again
            }
            (k::KEYWORD, _) if self.says(left, &["IN", "NOT IN"]) => {
                self.set_kind(left, if second == k::OPEN { k::OPERATOR } else { k::BARE_WORD });
                Step::Again
            }
            (k::OPERATOR, _) if self.says(left, &["LIKE", "NOT LIKE"]) => {
                if second == k::OPEN {
                    self.set_kind(left, k::FUNCTION);
                }
                Step::Advance
            }
            (k::SQL_TYPE, k::BARE_WORD | k::NUMBER | k::SQL_TYPE | k::OPEN | k::FUNCTION | k::VARIABLE | k::STRING) => {
                self.copy(left, next);
                self.count -= 1;
                Step::Restart
            }
            (k::COLLATE, k::BARE_WORD) => {
                // Collations are too many to be listed; they are told by their underscore.
                let text = self.text(next).split(|byte| *byte == 0).next().unwrap_or_default();
                if text.contains(&b'_') {
                    self.set_kind(next, k::SQL_TYPE);
                    self.left = 0;
                }
                Step::Advance
            }
            (k::BACKSLASH, _) => {
                if self.is_arithmetic(next) {
                    // Transact-SQL reads `\%1` as `0 % 1`, ...
                    self.set_kind(left, k::NUMBER);
                } else {
                    // ... and `\1` as `1`.
                    self.copy(left, next);
                    self.count -= 1;
                }
                Step::Restart
            }
            (k::OPEN, k::OPEN) | (k::CLOSE, k::CLOSE) => {
                self.count -= 1;
                Step::Restart
            }
            (k::OPEN_BRACE, k::BARE_WORD) => {
                if self.text(next).is_empty() {
                    return Step::Evil;
                }
                // `{name expression}` is its expression.
                self.count -= 2;
                Step::Restart
            }
            (_, k::CLOSE_BRACE) => {
                self.count -= 1;
                Step::Restart
            }
            _ => Step::Advance,
        }
    }

    fn fold_three(&mut self) -> Step {
        use kind as k;
        let left = self.left;
        let (first, second, third) = (self.kind(left), self.kind(left + 1), self.kind(left + 2));
        let value = |kind: u8| matches!(kind, k::BARE_WORD | k::NUMBER | k::VARIABLE | k::STRING);
        match (first, second, third) {
            (k::NUMBER, k::OPERATOR, k::NUMBER) => self.drop_two(),
            (k::OPERATOR, _, k::OPERATOR) if second != k::OPEN => self.drop_two(),
            (k::LOGIC, _, k::LOGIC) => self.drop_two(),
            (k::VARIABLE, k::OPERATOR, k::VARIABLE | k::NUMBER | k::BARE_WORD) => self.drop_two(),
            (k::BARE_WORD | k::NUMBER, k::OPERATOR, k::NUMBER | k::BARE_WORD) => self.drop_two(),
            (_, k::OPERATOR, k::SQL_TYPE) if value(first) && self.text(left + 1) == b"::" => self.drop_two(),
            (_, k::COMMA, _) if value(first) && value(third) => self.drop_two(),
            (k::EXPRESSION | k::GROUP | k::COMMA, _, k::OPEN) if self.is_unary(left + 1) => self.drop_middle(),
            (k::KEYWORD | k::EXPRESSION | k::GROUP, _, _)
                if (value(third) || third == k::FUNCTION) && self.is_unary(left + 1) =>
            {
                self.drop_middle()
            }
            (k::COMMA, _, _) if value(third) && self.is_unary(left + 1) => {
                // `1,-1` is `1`: what stands before the comma is looked at once more.
                self.copy(left + 1, left + 2);
                self.count = self.count.saturating_sub(3);
                Step::Restart
            }
            (k::COMMA, _, k::FUNCTION) if self.is_unary(left + 1) => self.drop_middle(),
            (k::BARE_WORD, k::DOT, k::BARE_WORD) => self.drop_two(),
            (k::EXPRESSION, k::DOT, k::BARE_WORD) => self.drop_middle(),
            (k::FUNCTION, k::OPEN, _) if third != k::CLOSE && self.says(left, &["USER"]) => {
                // It is a function only without arguments.
                self.set_kind(left, k::BARE_WORD);
                Step::Advance
            }
            _ => Step::Advance,
        }
    }

    fn drop_two(&mut self) -> Step {
        self.count -= 2;
        Step::Restart
    }

    fn drop_middle(&mut self) -> Step {
        self.copy(self.left + 1, self.left + 2);
        self.count -= 1;
        Step::Restart
    }

    /// Makes a phrase of two words, where the table has it: `UNION ALL`.
    fn join_words(&mut self) -> bool {
        use kind as k;
        let (first, second) = (self.kind(self.left), self.kind(self.left + 1));
        let joins = |kind: u8| {
            matches!(
                kind,
                k::KEYWORD
                    | k::BARE_WORD
                    | k::OPERATOR
                    | k::UNION
                    | k::FUNCTION
                    | k::EXPRESSION
                    | k::TSQL
                    | k::SQL_TYPE
            )
        };
        if !joins(first) || !(joins(second) || second == k::LOGIC) {
            return false;
        }
        let (before, after) = (self.text(self.left), self.text(self.left + 1));
        let length = before.len() + after.len() + 1;
        let mut phrase = [b' '; MAX_WORD];
        if length > MAX_WORD {
            return false;
        }
        phrase[..before.len()].copy_from_slice(before);
        phrase[before.len() + 1..length].copy_from_slice(after);
        let known = word(&phrase[..length]);
        if known == k::NONE {
            return false;
        }
        self.line[self.left].join(phrase, length, known);
        true
    }

    fn fingerprint(&mut self) {
        if self.length > 2 {
            let last = &mut self.line[self.length - 1];
            // An open backtick at the end is a comment to PHP's readers of MySQL.
            if last.kind == kind::BARE_WORD && last.opened == b'`' && last.len() == 0 && last.closed == 0 {
                last.kind = kind::COMMENT;
            }
        }
        for (kind, token) in self.kinds.iter_mut().zip(&self.line).take(self.length) {
            *kind = token.kind;
        }
        if self.kinds.iter().take(self.length).any(|kind| *kind == kind::EVIL) {
            self.kinds = [kind::EVIL, 0, 0, 0, 0];
            self.length = 1;
        }
    }

    fn verdict(&self) -> Option<Fingerprint> {
        let kinds = self.kinds.get(..self.length).unwrap_or_default();
        (is_attack(kinds) && !self.is_honest(kinds))
            .then_some(Fingerprint { kinds: self.kinds, length: self.length as u8 })
    }

    /// Fingerprints that honest values have, too, told apart by what was folded.
    fn is_honest(&self, kinds: &[u8]) -> bool {
        use kind as k;
        if kinds.len() > 1
            && kinds.last() == Some(&k::COMMENT)
            && memchr::memmem::find(self.value, b"sp_password").is_some()
        {
            // A word that keeps statements out of logs.
            return false;
        }
        let tokens = self.tokens.count;
        let comment = self.text(1);
        match *kinds {
            [_, k::UNION] => tokens == 2,
            [_, _] if comment.first() == Some(&b'#') => true,
            [k::BARE_WORD, k::COMMENT] if comment.first() != Some(&b'/') => true,
            [k::NUMBER, k::COMMENT] if comment.first() == Some(&b'/') => false,
            [k::NUMBER, k::COMMENT] => {
                // `1234--` is an attack, `1234-ABC--` is an identifier.
                let length = self.line[0].len();
                let after = self.value.get(length).copied().unwrap_or(0);
                let then = self.value.get(length + 1).copied();
                let attack = tokens > 2
                    || !matches!(after, 33..=127)
                    || (after == b'/' && then == Some(b'*'))
                    || (after == b'-' && then == Some(b'-'));
                !attack
            }
            [_, _] => comment.len() > 2 && comment.first() == Some(&b'-'),
            [k::STRING, k::OPERATOR | k::LOGIC, k::STRING] => {
                // `...foo' + 'bar...`: the strings are what lies around the quotes.
                let (first, third) = (&self.line[0], &self.line[2]);
                !(first.opened == 0 && third.closed == 0 && first.closed == third.opened)
            }
            [k::STRING, k::LOGIC, k::BARE_WORD]
            | [k::BARE_WORD, k::LOGIC, k::NUMBER]
            | [k::NUMBER, k::LOGIC, k::NUMBER | k::VARIABLE | k::STRING] => tokens == 3,
            [_, k::KEYWORD, _] => {
                let phrase = self.text(1);
                phrase.len() < 5 || !phrase.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"INTO"))
            }
            _ => false,
        }
    }
}

fn is_unary(text: &[u8]) -> bool {
    matches!(text, [b'+' | b'-' | b'!' | b'~'] | b"!!") || text.eq_ignore_ascii_case(b"NOT")
}

/// Words that are functions where a parenthesis follows them.
const CALLABLE: [&str; 11] = [
    "USER_ID",
    "USER_NAME",
    "DATABASE",
    "PASSWORD",
    "USER",
    "CURRENT_USER",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn print(value: &str) -> Option<String> {
        sqli(value.as_bytes()).map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned())
    }

    #[test]
    fn attacks_have_fingerprints() {
        let cases = [
            ("1' OR '1'='1", "s&sos"),
            ("1 UNION SELECT password FROM users", "1UEnk"),
            ("-1 union all select 1,2,3--", "1UE1c"),
            ("' or 1=1 -- ", "s&1c"),
            ("\" or 1=1 -- ", "s&1c"),
            ("1; DROP TABLE users", "1;Tnn"),
            ("1/*!00000union*/select 1", "X"),
            ("1 AND 1=1", "1&1"),
            ("x' AND SLEEP(5) AND 'a'='a", "s&f(1"),
        ];
        for (value, fingerprint) in cases {
            assert_eq!(print(value).as_deref(), Some(fingerprint), "{value}");
        }
    }

    #[test]
    fn honest_values_have_none() {
        for value in [
            "",
            "kettle",
            "O'Brien",
            "Select specialty hospital",
            "green tea, two pots",
            "1-2-3",
            "2026-11-24",
            "Rock & Roll",
            "it's 5 o'clock",
            "a -- b",
            "#1 in sales",
            "$1,000.00",
            "user@example.com",
            "C:\\temp",
        ] {
            assert_eq!(print(value), None, "{value}");
        }
    }
}
