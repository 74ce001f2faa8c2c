//! What the caller knows of a field: what it is meant to hold and where its value ends up.
//!
//! The engine works without any of it ([`Context::default`]). Knowing more moves the bar both ways: prose may quote
//! code, an envelope written by the platform may look odd, a value that reaches a shell may hold no metacharacter.

use crate::rules::Family;

/// What a field is meant to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// Text written by a person, possibly of many lines, possibly about computers. What people quote when they ask for
    /// help (commands, paths, source code, queries, placeholders) is no more than a hint here, told once per family; a
    /// value left by its own quote, scripts for browsers, lookups and serialised objects are refused as anywhere.
    FreeText,
    /// A name, key or number that stands for something; never a line break, never markup.
    Identifier,
    /// The name of an object in a bucket.
    ObjectKey,
    /// An address; its host counts even where the scheme is left out.
    Url,
    /// The value of a protocol header.
    Header,
    /// Written by the platform, not by the sender: only certain rules speak.
    Envelope,
    /// An `application/x-www-form-urlencoded` text: pairs are taken apart and inspected one by one.
    Form,
    /// Nothing is known.
    #[default]
    Unknown,
}

/// Somewhere a value can end up as a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sink {
    /// A shell's command line.
    Shell,
    /// The text of a query.
    Sql,
    /// A path in a file system.
    Path,
    /// An address the function connects to.
    Url,
    /// A page or mail somebody's browser shows.
    Html,
    /// An evaluator or a template engine.
    Code,
    /// The prompt of a language model.
    Model,
}

impl Sink {
    const ALL: [Sink; 7] = [Sink::Shell, Sink::Sql, Sink::Path, Sink::Url, Sink::Html, Sink::Code, Sink::Model];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of [`Sink`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sinks(u8);

impl Sinks {
    /// No sink at all.
    pub const NONE: Sinks = Sinks(0);

    /// This set with `sink` added.
    #[must_use]
    pub const fn with(self, sink: Sink) -> Sinks {
        Sinks(self.0 | sink.bit())
    }

    /// Whether `sink` is in the set.
    pub const fn contains(self, sink: Sink) -> bool {
        self.0 & sink.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The sinks of the set, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Sink> {
        Sink::ALL.into_iter().filter(move |sink| self.contains(*sink))
    }
}

impl FromIterator<Sink> for Sinks {
    fn from_iter<I: IntoIterator<Item = Sink>>(sinks: I) -> Sinks {
        sinks.into_iter().fold(Sinks::NONE, Sinks::with)
    }
}

/// What is known of a field before its text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context {
    /// What the field is meant to hold.
    pub kind: FieldKind,
    /// Where its value ends up, as far as the application's source tells.
    pub reaches: Sinks,
    /// Whether the text is the key of an object rather than a value. The walk sets it.
    pub key: bool,
}

impl Context {
    /// A value of a known kind whose way is unknown.
    pub const fn of(kind: FieldKind) -> Context {
        Context { kind, reaches: Sinks::NONE, key: false }
    }

    /// The same field, known to reach `sink`.
    #[must_use]
    pub const fn reaching(mut self, sink: Sink) -> Context {
        self.reaches = self.reaches.with(sink);
        self
    }

    /// The same field's keys.
    #[must_use]
    pub const fn as_key(mut self) -> Context {
        self.key = true;
        self
    }

    /// Whether the field reaches a sink that `family` attacks.
    pub(crate) fn exposed_to(self, family: Family) -> bool {
        let sink = match family {
            Family::Sql => Sink::Sql,
            Family::Shell => Sink::Shell,
            Family::Path => Sink::Path,
            Family::Ssrf => Sink::Url,
            Family::Xss => Sink::Html,
            Family::Code | Family::Template => Sink::Code,
            Family::Prompt => Sink::Model,
            _ => return false,
        };
        self.reaches.contains(sink)
    }
}
