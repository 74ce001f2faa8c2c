//! HTML, cut into tokens as browsers old and new cut it, from one of five places where a value may stand.

/// Types of tokens, as far as they matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    TagOpen,
    TagEnd,
    AttributeName,
    AttributeValue,
    Comment,
    Doctype,
}

/// Where a value starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags.
    Text,
    /// In a tag.
    Tag,
    /// In an attribute's value with these quotes.
    Quoted(u8),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    TagOpen,
    TagNameClose,
    SelfClosing,
    BeforeName,
    AfterName,
    BeforeValue,
    Quoted(u8),
    AfterQuoted,
    End,
}

/// Reads a value token by token.
pub(super) struct Tokens<'a> {
    value: &'a [u8],
    at: usize,
    closing: bool,
    state: State,
}

/// A token's type and where its text lies.
pub(super) type Found<'a> = (Kind, &'a [u8], usize);

/// White space, and the zero byte that some browsers skip.
fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0)
}

impl<'a> Tokens<'a> {
    pub(super) fn new(value: &'a [u8], place: Place) -> Self {
        let state = match place {
            Place::Text => State::Data,
            Place::Tag => State::BeforeName,
            Place::Quoted(quote) => State::Quoted(quote),
        };
        Tokens { value, at: 0, closing: false, state }
    }

    fn byte(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.value.get(self.at..).unwrap_or_default()
    }

    /// The token from here to `end`; reading goes on at `next` in `state`.
    fn token(&mut self, kind: Kind, end: usize, next: usize, state: State) -> Option<Found<'a>> {
        let start = self.at;
        self.at = next;
        self.state = state;
        Some((kind, self.value.get(start..end).unwrap_or_default(), start))
    }

    fn skip_white(&mut self) -> Option<u8> {
        self.at += self.rest().iter().take_while(|byte| is_white(**byte)).count();
        self.byte()
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Found<'a>> {
        let end = self.value.len();
        loop {
            match self.state {
                State::End => return None,
                State::Data => match memchr::memchr(b'<', self.rest()) {
                    None if self.rest().is_empty() => return None,
                    None => return self.token(Kind::Text, end, end, State::End),
                    Some(0) => {
                        self.at += 1;
                        self.state = State::TagOpen;
                    }
                    Some(length) => {
                        return self.token(Kind::Text, self.at + length, self.at + length + 1, State::TagOpen);
                    }
                },
                State::TagOpen => match self.byte()? {
                    b'!' => {
                        self.at += 1;
                        return self.declaration();
                    }
                    b'/' => {
                        self.at += 1;
                        self.closing = true;
                        match self.byte()? {
                            b'>' => self.state = State::Data,
                            byte if byte.is_ascii_alphabetic() => return self.tag_name(),
                            _ => {
                                self.closing = false;
                                return self.comment_until(b">");
                            }
                        }
                    }
                    b'?' => {
                        self.at += 1;
                        return self.comment_until(b">");
                    }
                    // A comment to old browsers.
                    b'%' => {
                        self.at += 1;
                        return self.comment_until(b"%>");
                    }
                    byte if byte.is_ascii_alphabetic() || byte == 0 => return self.tag_name(),
                    _ => return self.token(Kind::Text, self.at, self.at, State::Data),
                },
                State::TagNameClose => {
                    self.closing = false;
                    let next = self.at + 1;
                    return self.token(Kind::TagEnd, next, next, if next < end { State::Data } else { State::End });
                }
                State::SelfClosing => {
                    if self.byte()? == b'>' {
                        let next = self.at + 1;
                        return self.token(Kind::TagEnd, next, next, State::Data);
                    }
                    self.state = State::BeforeName;
                }
                State::BeforeName => match self.skip_white()? {
                    b'/' => {
                        self.at += 1;
                        if self.byte()? == b'>' {
                            self.state = State::SelfClosing;
                        }
                    }
                    b'>' => {
                        let next = self.at + 1;
                        return self.token(Kind::TagEnd, next, next, State::Data);
                    }
                    _ => return self.attribute_name(),
                },
                State::AfterName => match self.skip_white()? {
                    b'/' => {
                        self.at += 1;
                        self.state = State::SelfClosing;
                    }
                    b'=' => {
                        self.at += 1;
                        self.state = State::BeforeValue;
                    }
                    b'>' => self.state = State::TagNameClose,
                    _ => return self.attribute_name(),
                },
                State::BeforeValue => match self.skip_white()? {
                    quote @ (b'"' | b'\'' | b'`') => self.state = State::Quoted(quote),
                    _ => {
                        let length = self.rest().iter().position(|byte| is_white(*byte) || *byte == b'>');
                        let Some(stop) = length.map(|length| self.at + length) else {
                            return self.token(Kind::AttributeValue, end, end, State::End);
                        };
                        if self.value.get(stop) == Some(&b'>') {
                            return self.token(Kind::AttributeValue, stop, stop, State::TagNameClose);
                        }
                        return self.token(Kind::AttributeValue, stop, stop + 1, State::BeforeName);
                    }
                },
                State::Quoted(quote) => {
                    // The opening quote; a value that starts inside of one has none.
                    self.at += usize::from(self.at > 0);
                    return match memchr::memchr(quote, self.rest()) {
                        None => self.token(Kind::AttributeValue, end, end, State::End),
                        Some(length) => {
                            let stop = self.at + length;
                            self.token(Kind::AttributeValue, stop, stop + 1, State::AfterQuoted)
                        }
                    };
                }
                State::AfterQuoted => match self.byte()? {
                    b'/' => {
                        self.at += 1;
                        self.state = State::SelfClosing;
                    }
                    b'>' => {
                        let next = self.at + 1;
                        return self.token(Kind::TagEnd, next, next, State::Data);
                    }
                    _ => self.state = State::BeforeName,
                },
            }
        }
    }

    fn tag_name(&mut self) -> Option<Found<'a>> {
        let stops = |byte: &u8| *byte != 0 && (is_white(*byte) || matches!(byte, b'/' | b'>'));
        let Some(length) = self.rest().iter().position(stops) else {
            let end = self.value.len();
            return self.token(Kind::TagOpen, end, end, State::End);
        };
        let stop = self.at + length;
        match self.value.get(stop) {
            Some(b'/') => self.token(Kind::TagOpen, stop, stop + 1, State::SelfClosing),
            Some(b'>') if self.closing => {
                self.closing = false;
                self.token(Kind::TagEnd, stop, stop + 1, State::Data)
            }
            Some(b'>') => self.token(Kind::TagOpen, stop, stop, State::TagNameClose),
            _ => self.token(Kind::TagOpen, stop, stop + 1, State::BeforeName),
        }
    }

    fn attribute_name(&mut self) -> Option<Found<'a>> {
        let stops = |byte: &u8| is_white(*byte) || matches!(byte, b'/' | b'=' | b'>');
        // Whatever the first byte is, it belongs to the name.
        let Some(length) = self.rest().get(1..).unwrap_or_default().iter().position(stops) else {
            let end = self.value.len();
            return self.token(Kind::AttributeName, end, end, State::End);
        };
        let stop = self.at + 1 + length;
        match self.value.get(stop) {
            Some(b'/') => self.token(Kind::AttributeName, stop, stop + 1, State::SelfClosing),
            Some(b'=') => self.token(Kind::AttributeName, stop, stop + 1, State::BeforeValue),
            Some(b'>') => self.token(Kind::AttributeName, stop, stop, State::TagNameClose),
            _ => self.token(Kind::AttributeName, stop, stop + 1, State::AfterName),
        }
    }

    fn declaration(&mut self) -> Option<Found<'a>> {
        let rest = self.rest();
        if rest.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"DOCTYPE")) {
            return self.token(Kind::Doctype, self.value.len(), self.value.len(), State::End);
        }
        if rest.starts_with(b"[CDATA[") {
            self.at += 7;
            return match memchr::memmem::find(self.rest(), b"]]>") {
                Some(length) => self.token(Kind::Text, self.at + length, self.at + length + 3, State::Data),
                None => self.token(Kind::Text, self.value.len(), self.value.len(), State::End),
            };
        }
        if rest.starts_with(b"--") {
            self.at += 2;
            return self.comment();
        }
        self.comment_until(b">")
    }

    fn comment_until(&mut self, close: &[u8]) -> Option<Found<'a>> {
        match memchr::memmem::find(self.rest(), close) {
            Some(length) => self.token(Kind::Comment, self.at + length, self.at + length + close.len(), State::Data),
            None => self.token(Kind::Comment, self.value.len(), self.value.len(), State::End),
        }
    }

    /// A comment ends at `-->` and `-!>`, with zero bytes after the first dash.
    fn comment(&mut self) -> Option<Found<'a>> {
        let end = self.value.len();
        let mut from = self.at;
        loop {
            let dash = self.value.get(from..).and_then(|rest| memchr::memchr(b'-', rest)).map(|length| from + length);
            let Some(dash) = dash.filter(|dash| dash + 3 <= end) else { break };
            let after = self.value.get(dash + 1..).unwrap_or_default();
            let zeros = after.iter().take_while(|byte| **byte == 0).count();
            match after.get(zeros..) {
                Some([b'-' | b'!', b'>', ..]) => {
                    return self.token(Kind::Comment, dash, dash + zeros + 3, State::Data);
                }
                // Nothing more can come behind these.
                Some([] | [b'-' | b'!']) | None => break,
                // The next dash lies behind the zero bytes.
                _ => from = dash + 1 + zeros,
            }
        }
        self.token(Kind::Comment, end, end, State::End)
    }
}
