//! SQL, cut into tokens as tolerantly as all databases together.

use super::words::{MAX_WORD, word};

/// Types of tokens, each by the letter that stands for it in a fingerprint.
pub(super) mod kind {
    pub(in super::super) const NONE: u8 = 0;
    pub(in super::super) const KEYWORD: u8 = b'k';
    pub(in super::super) const UNION: u8 = b'U';
    pub(in super::super) const GROUP: u8 = b'B';
    pub(in super::super) const EXPRESSION: u8 = b'E';
    pub(in super::super) const SQL_TYPE: u8 = b't';
    pub(in super::super) const FUNCTION: u8 = b'f';
    pub(in super::super) const BARE_WORD: u8 = b'n';
    pub(in super::super) const NUMBER: u8 = b'1';
    pub(in super::super) const VARIABLE: u8 = b'v';
    pub(in super::super) const STRING: u8 = b's';
    pub(in super::super) const OPERATOR: u8 = b'o';
    pub(in super::super) const LOGIC: u8 = b'&';
    pub(in super::super) const COMMENT: u8 = b'c';
    pub(in super::super) const COLLATE: u8 = b'A';
    pub(in super::super) const OPEN: u8 = b'(';
    pub(in super::super) const CLOSE: u8 = b')';
    pub(in super::super) const OPEN_BRACE: u8 = b'{';
    pub(in super::super) const CLOSE_BRACE: u8 = b'}';
    pub(in super::super) const DOT: u8 = b'.';
    pub(in super::super) const COMMA: u8 = b',';
    pub(in super::super) const COLON: u8 = b':';
    pub(in super::super) const SEMICOLON: u8 = b';';
    pub(in super::super) const TSQL: u8 = b'T';
    pub(in super::super) const UNKNOWN: u8 = b'?';
    /// What databases read so differently that no honest value has it.
    pub(in super::super) const EVIL: u8 = b'X';
    pub(in super::super) const BACKSLASH: u8 = b'\\';
}

/// A token.
#[derive(Clone, Copy, Default)]
pub(super) struct Token {
    pub(super) kind: u8,
    /// The quotes of a string as they were found, 0 where there was none.
    pub(super) opened: u8,
    pub(super) closed: u8,
    /// Length of the text, at most [`MAX_WORD`].
    length: u8,
    start: u32,
    /// The text of words that were joined; others stand in the value.
    joined: Option<[u8; MAX_WORD]>,
}

impl Token {
    fn new(kind: u8, start: usize, length: usize) -> Token {
        Token { kind, start: start as u32, length: length.min(MAX_WORD) as u8, ..Token::default() }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.length)
    }

    pub(super) fn text<'a>(&'a self, value: &'a [u8]) -> &'a [u8] {
        match &self.joined {
            Some(text) => text.get(..self.len()).unwrap_or_default(),
            None => {
                let start = self.start as usize;
                value.get(start..start + self.len()).unwrap_or_default()
            }
        }
    }

    /// Makes the token one word of two.
    pub(super) fn join(&mut self, text: [u8; MAX_WORD], length: usize, kind: u8) {
        *self = Token { kind, start: self.start, length: length as u8, joined: Some(text), ..Token::default() };
    }
}

/// How a value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The quote inside of which the value starts, 0 for none.
    pub(super) quote: u8,
    /// `#` starts a comment, and `--` only before white space.
    pub(super) mysql: bool,
}

/// Reads a value token by token.
pub(super) struct Tokens<'a> {
    value: &'a [u8],
    reading: Reading,
    at: usize,
    /// Tokens so far.
    pub(super) count: u32,
    /// Whether MySQL would read it differently.
    pub(super) ambiguous: bool,
}

/// What a byte starts.
#[derive(Clone, Copy)]
enum Start {
    White,
    Word,
    Number,
    Quote,
    Tick,
    Itself,
    Operator,
    /// An operator of one byte or two.
    Operators,
    Hash,
    Dash,
    Slash,
    Backslash,
    Variable,
    Money,
    Bracket,
    Other,
    Binary,
    Hexadecimal,
    Escaped,
    National,
    Oracle,
    Unicode,
}

const STARTS: [Start; 256] = {
    let mut starts = [Start::Word; 256];
    let mut byte = 0;
    while byte < 256 {
        starts[byte] = match byte as u8 {
            0..=32 | 127 | 160 => Start::White,
            b'0'..=b'9' | b'.' => Start::Number,
            b'"' | b'\'' => Start::Quote,
            b'`' => Start::Tick,
            b'(' | b')' | b',' | b';' | b'{' | b'}' => Start::Itself,
            b'%' | b'+' | b'^' | b'~' => Start::Operator,
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => Start::Operators,
            b'#' => Start::Hash,
            b'-' => Start::Dash,
            b'/' => Start::Slash,
            b'\\' => Start::Backslash,
            b'@' => Start::Variable,
            b'$' => Start::Money,
            b'[' => Start::Bracket,
            b'?' | b']' => Start::Other,
            b'B' | b'b' => Start::Binary,
            b'X' | b'x' => Start::Hexadecimal,
            b'E' | b'e' => Start::Escaped,
            b'N' | b'n' => Start::National,
            b'Q' | b'q' => Start::Oracle,
            b'U' | b'u' => Start::Unicode,
            _ => Start::Word,
        };
        byte += 1;
    }
    starts
};

/// Classes of bytes, one bit each.
mod class {
    pub(super) const WORD_END: u8 = 1;
    pub(super) const VARIABLE_END: u8 = 2;
    pub(super) const BINARY: u8 = 4;
    pub(super) const HEX: u8 = 8;
    pub(super) const AMOUNT: u8 = 16;
    pub(super) const LETTER: u8 = 32;
    pub(super) const WHITE: u8 = 64;
    /// What may end the part of a word that is looked up by itself.
    pub(super) const PART: u8 = 128;
}

const CLASSES: [u8; 256] = {
    let mut classes = [0u8; 256];
    let mut byte = 0usize;
    while byte < 256 {
        let c = byte as u8;
        let mut bits = 0;
        let space = matches!(c, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
        let mark = matches!(
            c,
            b'<' | b'>'
                | b':'
                | b'\\'
                | b'?'
                | b'='
                | b'@'
                | b'!'
                | b'#'
                | b'~'
                | b'+'
                | b'-'
                | b'*'
                | b'/'
                | b'&'
                | b'|'
                | b'^'
                | b'%'
                | b'('
                | b')'
                | b','
                | b'\''
                | b';'
                | b'"'
        );
        if space || mark || matches!(c, 0 | 0xa0 | b'[' | b']' | b'{' | b'}') {
            bits |= class::WORD_END;
        }
        if space || mark || matches!(c, 0 | b'`') {
            bits |= class::VARIABLE_END;
        }
        // A zero byte belongs to every run.
        if matches!(c, 0 | b'0' | b'1') {
            bits |= class::BINARY;
        }
        if c == 0 || c.is_ascii_hexdigit() {
            bits |= class::HEX;
        }
        if matches!(c, 0 | b'0'..=b'9' | b'.' | b',') {
            bits |= class::AMOUNT;
        }
        if c == 0 || c.is_ascii_alphabetic() {
            bits |= class::LETTER;
        }
        if space || matches!(c, 0 | 0xa0) {
            bits |= class::WHITE;
        }
        if matches!(c, b'.' | b'`') {
            bits |= class::PART;
        }
        classes[byte] = bits;
        byte += 1;
    }
    classes
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

impl<'a> Tokens<'a> {
    pub(super) fn new(value: &'a [u8], reading: Reading) -> Self {
        Tokens { value, reading, at: 0, count: 0, ambiguous: false }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.value.get(at).copied()
    }

    fn rest(&self, at: usize) -> &'a [u8] {
        self.value.get(at..).unwrap_or_default()
    }

    /// Length of the run of bytes of a class at `at`.
    fn run(&self, at: usize, wanted: u8) -> usize {
        self.rest(at).iter().take_while(|byte| is(**byte, wanted)).count()
    }

    fn run_until(&self, at: usize, unwanted: u8) -> usize {
        self.rest(at).iter().take_while(|byte| !is(**byte, unwanted)).count()
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Token> {
        if self.value.is_empty() {
            return None;
        }
        if self.at == 0 && self.reading.quote != 0 {
            self.count += 1;
            return Some(self.string(0, self.reading.quote, 0));
        }
        loop {
            let at = self.at;
            let byte = self.byte(at)?;
            let token = match STARTS[usize::from(byte)] {
                Start::White => {
                    self.at += 1;
                    continue;
                }
                Start::Word => self.word(),
                Start::Number => self.number(),
                Start::Quote => self.string(at, byte, 1),
                Start::Tick => self.tick(at),
                Start::Itself => self.single(byte),
                Start::Operator => self.single(kind::OPERATOR),
                Start::Operators => self.operators(byte),
                Start::Hash => {
                    self.ambiguous = true;
                    if self.reading.mysql { self.line_comment() } else { self.single(kind::OPERATOR) }
                }
                Start::Dash => self.dash(),
                Start::Slash => self.slash(),
                Start::Backslash if self.byte(at + 1) == Some(b'N') => self.take(kind::NUMBER, 2),
                Start::Backslash => self.single(kind::BACKSLASH),
                Start::Variable => self.variable(),
                Start::Money => self.money(),
                Start::Bracket => {
                    let length = memchr::memchr(b']', self.rest(at)).map_or(self.value.len() - at, |end| end + 1);
                    self.take(kind::BARE_WORD, length)
                }
                Start::Other => self.single(kind::UNKNOWN),
                Start::Binary => self.digits(class::BINARY),
                Start::Hexadecimal => self.digits(class::HEX),
                Start::Escaped => self.escaped(),
                Start::National => {
                    if at + 2 < self.value.len() && self.byte(at + 1) == Some(b'\'') {
                        self.escaped()
                    } else {
                        self.oracle(1)
                    }
                }
                Start::Oracle => self.oracle(0),
                Start::Unicode => self.unicode(),
            };
            if token.kind != kind::NONE {
                self.count += 1;
                return Some(token);
            }
        }
    }

    /// A token of the next `length` bytes.
    fn take(&mut self, kind: u8, length: usize) -> Token {
        let start = self.at;
        self.at += length;
        Token::new(kind, start, length)
    }

    fn single(&mut self, kind: u8) -> Token {
        self.take(kind, 1)
    }

    fn line_comment(&mut self) -> Token {
        let start = self.at;
        match memchr::memchr(b'\n', self.rest(start)) {
            Some(length) => {
                self.at += length + 1;
                Token::new(kind::COMMENT, start, length)
            }
            None => self.take(kind::COMMENT, self.value.len() - start),
        }
    }

    fn dash(&mut self) -> Token {
        let double = self.byte(self.at + 1) == Some(b'-');
        match self.byte(self.at + 2) {
            Some(after) if double && is(after, class::WHITE) => self.line_comment(),
            None if double => self.line_comment(),
            _ if double && !self.reading.mysql => {
                self.ambiguous = true;
                self.line_comment()
            }
            _ => self.single(kind::OPERATOR),
        }
    }

    fn slash(&mut self) -> Token {
        let start = self.at;
        if self.byte(start + 1) != Some(b'*') {
            return self.single(kind::OPERATOR);
        }
        let inside = self.rest(start + 2);
        let end = memchr::memmem::find(inside, b"*/");
        // Nested comments, which only some databases know, and those that MySQL runs.
        let nested = end
            .is_some_and(|end| inside.get(..end + 1).is_some_and(|text| memchr::memmem::find(text, b"/*").is_some()));
        let evil = nested || inside.first() == Some(&b'!');
        let length = end.map_or(self.value.len() - start, |end| end + 4);
        self.take(if evil { kind::EVIL } else { kind::COMMENT }, length)
    }

    fn operators(&mut self, first: u8) -> Token {
        let Some(pair) = self.value.get(self.at..self.at + 2) else { return self.single(kind::OPERATOR) };
        if self.rest(self.at).starts_with(b"<=>") {
            return self.take(kind::OPERATOR, 3);
        }
        match word(pair) {
            0 => self.single(if first == b':' { kind::COLON } else { kind::OPERATOR }),
            known => self.take(known, 2),
        }
    }

    /// A string that starts at `start`, `skip` bytes before its text.
    fn string(&mut self, start: usize, quote: u8, skip: usize) -> Token {
        let text = start + skip;
        let mut from = text;
        let end = loop {
            let Some(end) = memchr::memchr(quote, self.rest(from)).map(|end| from + end) else { break None };
            let before = self.value.get(text..end).unwrap_or_default();
            let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
            if backslashes % 2 == 1 {
                from = end + 1;
            } else if self.byte(end + 1) == Some(quote) {
                from = end + 2;
            } else {
                break Some(end);
            }
        };
        self.at = end.map_or(self.value.len(), |end| end + 1);
        let mut token = Token::new(kind::STRING, text, end.unwrap_or(self.value.len()).saturating_sub(text));
        token.opened = if skip > 0 { quote } else { 0 };
        token.closed = if end.is_some() { quote } else { 0 };
        token
    }

    /// A string with quotes of two bytes: from `text` to `closing`.
    fn quoted(&mut self, text: usize, closing: &[u8], mark: u8) -> Token {
        let end = memchr::memmem::find(self.rest(text), closing);
        let length = end.unwrap_or(self.value.len().saturating_sub(text));
        self.at = end.map_or(self.value.len(), |end| text + end + closing.len());
        let mut token = Token::new(kind::STRING, text, length);
        token.opened = mark;
        token.closed = if end.is_some() { mark } else { 0 };
        token
    }

    /// `E'...'`, `N'...'`.
    fn escaped(&mut self) -> Token {
        if self.at + 2 >= self.value.len() || self.byte(self.at + 1) != Some(b'\'') {
            return self.word();
        }
        self.string(self.at, b'\'', 2)
    }

    /// `U&'...'`.
    fn unicode(&mut self) -> Token {
        if !self.rest(self.at + 1).starts_with(b"&'") {
            return self.word();
        }
        let mut token = self.string(self.at + 2, b'\'', 1);
        token.opened = b'u';
        if token.closed == b'\'' {
            token.closed = b'u';
        }
        token
    }

    /// `q'[...]'`, `nq'(...)'`.
    fn oracle(&mut self, skip: usize) -> Token {
        let at = self.at + skip;
        let open = match self.rest(at) {
            [b'q' | b'Q', b'\'', open, ..] => *open,
            _ => return self.word(),
        };
        let close = match open {
            0..=32 | 128.. => return self.word(),
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            other => other,
        };
        self.quoted(at + 3, &[close, b'\''], b'q')
    }

    /// `b'01'`, `x'ff'`.
    fn digits(&mut self, wanted: u8) -> Token {
        let at = self.at;
        if at + 2 >= self.value.len() || self.byte(at + 1) != Some(b'\'') {
            return self.word();
        }
        let length = self.run(at + 2, wanted);
        if self.byte(at + 2 + length) != Some(b'\'') {
            return self.word();
        }
        self.take(kind::NUMBER, length + 3)
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let length = self.run_until(start, class::WORD_END);
        let text = self.value.get(start..start + length).unwrap_or_default();
        let shown = text.get(..MAX_WORD).unwrap_or(text);
        // `SELECT.1` and SELECT`column` are two tokens.
        for (at, byte) in shown.iter().enumerate() {
            if is(*byte, class::PART) {
                let found = word(text.get(..at).unwrap_or_default());
                if found != kind::NONE && found != kind::BARE_WORD {
                    return self.take(found, at);
                }
            }
        }
        let found = if length <= MAX_WORD { word(text) } else { kind::NONE };
        self.take(if found == kind::NONE { kind::BARE_WORD } else { found }, length)
    }

    /// A name in backticks, which may be a function's.
    fn tick(&mut self, at: usize) -> Token {
        let mut token = self.string(at, b'`', 1);
        let function = word(token.text(self.value)) == kind::FUNCTION;
        token.kind = if function { kind::FUNCTION } else { kind::BARE_WORD };
        token
    }

    fn variable(&mut self) -> Token {
        let mut at = self.at + 1;
        if self.byte(at) == Some(b'@') {
            at += 1;
        }
        match self.byte(at) {
            Some(quote @ (b'`' | b'\'' | b'"')) => {
                let mut token = if quote == b'`' { self.tick(at) } else { self.string(at, quote, 1) };
                token.kind = kind::VARIABLE;
                token
            }
            _ => {
                self.at = at;
                self.take(kind::VARIABLE, self.run_until(at, class::VARIABLE_END))
            }
        }
    }

    /// `$1,000.00`, `$$ text $$`, `$tag$ text $tag$`.
    fn money(&mut self) -> Token {
        let at = self.at;
        if at + 1 == self.value.len() {
            return self.single(kind::BARE_WORD);
        }
        match self.run(at + 1, class::AMOUNT) {
            0 if self.byte(at + 1) == Some(b'$') => self.quoted(at + 2, b"$$", b'$'),
            0 => {
                let length = self.run(at + 1, class::LETTER);
                if length == 0 || self.byte(at + 1 + length) != Some(b'$') {
                    return self.single(kind::BARE_WORD);
                }
                let tag = self.value.get(at..at + length + 2).unwrap_or_default();
                self.quoted(at + length + 2, tag, b'$')
            }
            1 if self.byte(at + 1) == Some(b'.') => self.word(),
            length => self.take(kind::NUMBER, length + 1),
        }
    }

    fn number(&mut self) -> Token {
        let start = self.at;
        let wanted = match self.rest(start) {
            [b'0', b'x' | b'X', ..] => Some(class::HEX),
            [b'0', b'b' | b'B', ..] => Some(class::BINARY),
            _ => None,
        };
        if let Some(wanted) = wanted {
            return match self.run(start + 2, wanted) {
                0 => self.take(kind::BARE_WORD, 2),
                length => self.take(kind::NUMBER, length + 2),
            };
        }
        let digits = |at: usize| self.rest(at).iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = start + digits(start);
        if self.byte(at) == Some(b'.') {
            at += 1;
            at += digits(at);
            if at - start == 1 {
                return self.single(kind::DOT);
            }
        }
        // `1234.e` is a word.
        let mut word = false;
        if matches!(self.byte(at), Some(b'e' | b'E')) {
            at += 1;
            if matches!(self.byte(at), Some(b'+' | b'-')) {
                at += 1;
            }
            let exponent = digits(at);
            word = exponent == 0;
            at += exponent;
        }
        // Oracle's suffixes, and `1fUNION`.
        if matches!(self.byte(at), Some(b'd' | b'D' | b'f' | b'F')) {
            let ends = match self.byte(at + 1) {
                None | Some(b';' | b'u' | b'U') => true,
                Some(after) => is(after, class::WHITE),
            };
            at += usize::from(ends);
        }
        self.take(if word { kind::BARE_WORD } else { kind::NUMBER }, at - start)
    }
}
