//! Every string and key of an event, however deep and however wrapped, within limits.
//!
//! The walk reads JSON values and JSON texts through one visitor, so that keys written twice and objects inside strings
//! are seen like any other. Work is bounded by [`Limits`]; what does not fit is refused by an error, never skipped.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::context::{Context, FieldKind};
use crate::decode::{self, Decoded};
use crate::engine::Engine;
use crate::markup;
use crate::prefilter::Classes;
use crate::rules;
use crate::verdict::Match;

/// How much of an event the walk is ready to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Containers and decoded layers inside each other. Default 32; at most 100 are honoured.
    pub max_depth: usize,
    /// Bytes of text inspected, decoded layers included. Default 16 MiB: twice the largest event of any platform.
    pub max_bytes: usize,
    /// Strings, keys, numbers, booleans and nulls. Default 200 000.
    pub max_leaves: usize,
    /// Layers taken off. Default 20 000.
    pub max_decodings: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { max_depth: 32, max_bytes: 16 << 20, max_leaves: 200_000, max_decodings: 20_000 }
    }
}

/// Which limit an event exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// [`Limits::max_depth`].
    Depth,
    /// [`Limits::max_bytes`].
    Bytes,
    /// [`Limits::max_leaves`].
    Leaves,
    /// [`Limits::max_decodings`].
    Decodings,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Depth => "max_depth",
            Limit::Bytes => "max_bytes",
            Limit::Leaves => "max_leaves",
            Limit::Decodings => "max_decodings",
        })
    }
}

/// An event too large or too deep to be inspected whole; a guard that fails closed refuses it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LimitExceeded {
    /// The limit.
    pub which: Limit,
    /// Where the walk was, at most some hundred bytes of it.
    pub path: String,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the event exceeds `{}` at `{}`", self.which, self.path)
    }
}

impl std::error::Error for LimitExceeded {}

/// What a walk did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Work {
    /// Strings, keys, numbers, booleans and nulls visited.
    pub leaves: usize,
    /// Bytes of text inspected.
    pub bytes: usize,
    /// Layers taken off.
    pub decodings: usize,
}

impl Engine {
    /// Inspects every string and key of `value`. `contexts` is asked for what is known of each path (a key has the
    /// path of its value). What was found before a limit was met stays in `matches`.
    ///
    /// # Errors
    /// [`LimitExceeded`] when the value, with everything wrapped in it, is more than `limits` allow.
    pub fn walk(
        &self,
        root_path: &str,
        value: &Value,
        limits: &Limits,
        contexts: &dyn Fn(&str) -> Context,
        matches: &mut Vec<Match>,
    ) -> Result<Work, LimitExceeded> {
        let mut walk = Walk::new(self, root_path, limits, contexts, matches);
        // The visitor fails only where a limit was met, which is kept aside.
        let _ = Node { walk: &mut walk, depth: 0 }.deserialize(value);
        walk.finish()
    }

    /// As [`Engine::walk`], and tells `listener` of every text at every layer with its path: whoever has rules of its own hears
    /// what was unwrapped. Layers that rules of the web take off themselves (percent, entities, escapes) are left to them.
    ///
    /// # Errors
    /// [`LimitExceeded`], as with [`Engine::walk`].
    pub fn walk_telling<'a>(
        &'a self,
        root_path: &str,
        value: &Value,
        limits: &Limits,
        contexts: &'a dyn Fn(&str) -> Context,
        matches: &'a mut Vec<Match>,
        listener: &'a mut Listener<'a>,
    ) -> Result<Work, LimitExceeded> {
        let mut walk = Walk { listener: Some(listener), ..Walk::new(self, root_path, limits, contexts, matches) };
        let _ = Node { walk: &mut walk, depth: 0 }.deserialize(value);
        walk.finish()
    }

    /// Inspects one text and all its layers, as [`Engine::walk`] does for the strings of a value.
    ///
    /// # Errors
    /// [`LimitExceeded`] when the text, with everything wrapped in it, is more than `limits` allow.
    pub fn walk_text(
        &self,
        root_path: &str,
        text: &str,
        limits: &Limits,
        contexts: &dyn Fn(&str) -> Context,
        matches: &mut Vec<Match>,
    ) -> Result<Work, LimitExceeded> {
        let mut walk = Walk::new(self, root_path, limits, contexts, matches);
        let _ = walk.leaf(text, false, 0);
        walk.finish()
    }
}

/// Who is told path and text of everything that is unwrapped.
pub type Listener<'a> = dyn FnMut(&str, &str) + 'a;

/// A limit was met; [`Walk::exceeded`] says which.
struct Stop;

struct Walk<'a> {
    engine: &'a Engine,
    limits: Limits,
    contexts: &'a dyn Fn(&str) -> Context,
    matches: &'a mut Vec<Match>,
    listener: Option<&'a mut Listener<'a>>,
    path: String,
    work: Work,
    exceeded: Option<LimitExceeded>,
}

/// Serde's own recursion is bounded at 128 containers; the walk stops before.
const DEEPEST: usize = 100;
const PATH_SHOWN: usize = 400;

impl<'a> Walk<'a> {
    fn new(
        engine: &'a Engine,
        root: &str,
        limits: &Limits,
        contexts: &'a dyn Fn(&str) -> Context,
        matches: &'a mut Vec<Match>,
    ) -> Walk<'a> {
        let limits = Limits { max_depth: limits.max_depth.min(DEEPEST), ..*limits };
        let (path, work) = (root.to_owned(), Work::default());
        Walk { engine, limits, contexts, matches, listener: None, path, work, exceeded: None }
    }

    fn finish(self) -> Result<Work, LimitExceeded> {
        match self.exceeded {
            Some(exceeded) => Err(exceeded),
            None => Ok(self.work),
        }
    }

    fn exceed(&mut self, which: Limit) -> Stop {
        let mut path = self.path.clone();
        if path.len() > PATH_SHOWN {
            let cut = (0..=PATH_SHOWN).rev().find(|at| path.is_char_boundary(*at)).unwrap_or(0);
            path.truncate(cut);
            path.push('…');
        }
        self.exceeded.get_or_insert(LimitExceeded { which, path });
        Stop
    }

    fn count_leaf(&mut self) -> Result<(), Stop> {
        self.work.leaves += 1;
        if self.work.leaves > self.limits.max_leaves { Err(self.exceed(Limit::Leaves)) } else { Ok(()) }
    }

    fn enter(&mut self, depth: usize) -> Result<usize, Stop> {
        if depth >= self.limits.max_depth { Err(self.exceed(Limit::Depth)) } else { Ok(depth + 1) }
    }

    /// Runs `inside` with `suffix` at the end of the path.
    fn within<T>(&mut self, suffix: fmt::Arguments<'_>, inside: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        let _ = self.path.write_fmt(suffix);
        let result = inside(self);
        self.path.truncate(length);
        result
    }

    fn leaf(&mut self, text: &str, key: bool, depth: usize) -> Result<(), Stop> {
        self.count_leaf()?;
        self.layer(text, key, depth, "")
    }

    /// One text at one layer: inspects it, then whatever is wrapped in it.
    fn layer(&mut self, text: &str, key: bool, depth: usize, came_from: &'static str) -> Result<(), Stop> {
        self.work.bytes = self.work.bytes.saturating_add(text.len());
        if self.work.bytes > self.limits.max_bytes {
            return Err(self.exceed(Limit::Bytes));
        }
        let mut context = (self.contexts)(&self.path);
        context.key |= key;
        let classes = Classes::of(text);
        if context.kind == FieldKind::Form && came_from.is_empty() && !key {
            return self.form(text, depth);
        }
        if self.json(text, depth)? {
            return Ok(());
        }
        // A key is heard as the name of its value.
        if let Some(listener) = &mut self.listener
            && !key
            && !matches!(came_from, "percent" | "html" | "unescape")
            && context.kind != FieldKind::Envelope
        {
            listener(&self.path, text);
        }
        self.engine.inspect_classified(&self.path, text, classes, context, self.matches);
        if let Some(kind) = ["@type", "$type", "@class"].iter().find(|kind| !key && self.path.ends_with(**kind)) {
            // Which class is built is said by key and value together.
            let pair = format!("\"{kind}\":\"{text}\"");
            self.engine.inspect(&self.path, &pair, context, self.matches);
        }
        if !key && !classes.is_word() && text.len() < 4096 && rules::is_redirect_target(&self.path) {
            let pair = format!("redirect:{text}");
            self.engine.inspect(&self.path, &pair, context, self.matches);
        }
        if !key && let Some(leaves) = markup::leaves(text) {
            return self.document(&leaves, depth);
        }
        self.encoded(text, classes, key, depth)?;
        if classes.percent() {
            self.unwrapped(decode::percent(text), "percent", key, depth)?;
        }
        if classes.ampersand() {
            self.unwrapped(decode::html(text), "html", key, depth)?;
        }
        if classes.backslash() {
            self.unwrapped(decode::escapes(text), "unescape", key, depth)?;
        }
        if classes.equals() && !key {
            // Percent-decoding has already shown everything that a form without `+` and `&` would.
            let part = decode::form_part(text).filter(|part| part.contains(['+', '&']) || text.contains('?'));
            if let Some(part) = part.filter(|_| came_from != "form") {
                return self.form(part, depth);
            }
            return self.pairs(text, depth);
        }
        Ok(())
    }

    /// The values of an XML document, once it has been inspected as a whole.
    fn document(&mut self, leaves: &[(&str, Cow<'_, str>)], depth: usize) -> Result<(), Stop> {
        let depth = self.taken_off(depth)?;
        let whole = self.matches.len();
        for (name, value) in leaves {
            self.within(format_args!("|xml{}", Step(name)), |walk| {
                walk.count_leaf()?;
                walk.layer(value, false, depth, "xml")
            })?;
        }
        // What the whole hinted at is not told again by its part.
        let hinted: Vec<&str> = self.matches.iter().take(whole).map(|found| found.rule).collect();
        if !hinted.is_empty() {
            let mut at = 0;
            self.matches.retain(|found| {
                at += 1;
                at <= whole || found.confidence > rules::Confidence::Hint || !hinted.contains(&found.rule)
            });
        }
        Ok(())
    }

    /// `k=v; k2=v2` wherever it stands: the text itself has been inspected, what its values wrap has not.
    fn pairs(&mut self, text: &str, depth: usize) -> Result<(), Stop> {
        for (name, value) in decode::wrapped_values(text) {
            self.within(format_args!("|pair{}", Step(name)), |walk| {
                if walk.json(&value, depth)? {
                    return Ok(());
                }
                walk.encoded(&value, Classes::of(&value), false, depth)
            })?;
        }
        Ok(())
    }

    fn unwrapped(&mut self, text: Option<String>, layer: &'static str, key: bool, depth: usize) -> Result<(), Stop> {
        let Some(text) = text else { return Ok(()) };
        let depth = self.taken_off(depth)?;
        self.within(format_args!("|{layer}"), |walk| walk.layer(&text, key, depth, layer))
    }

    fn taken_off(&mut self, depth: usize) -> Result<usize, Stop> {
        self.work.decodings += 1;
        if self.work.decodings > self.limits.max_decodings {
            return Err(self.exceed(Limit::Decodings));
        }
        self.enter(depth)
    }

    fn encoded(&mut self, text: &str, classes: Classes, key: bool, depth: usize) -> Result<(), Stop> {
        if text.len() < decode::MIN_BASE64 {
            return Ok(());
        }
        if let Some(bytes) = classes.wide().then(|| decode::latin(text)).flatten() {
            return self.binary(&bytes, "bytes", depth);
        }
        if (classes.is_plain() || text.starts_with("Bearer "))
            && let Some(parts) = decode::token(text)
        {
            let depth = self.taken_off(depth)?;
            // What a header asks of its reader is said by all of it together, and by a signature that isn't there.
            let unsigned = if text.trim_end().ends_with('.') { " unsigned" } else { "" };
            let header = format!("jwt:{}{unsigned}", parts.first().map_or("", |header| header.trim()));
            let context = (self.contexts)(&self.path);
            self.within(format_args!("|token"), |walk| {
                walk.engine.inspect(&walk.path, &header, context, walk.matches);
            });
            for part in parts {
                self.within(format_args!("|token"), |walk| walk.layer(&part, false, depth, "token"))?;
            }
            return Ok(());
        }
        if let Some(bytes) = classes.is_word().then(|| decode::hexadecimal(text)).flatten() {
            return self.binary(&bytes, "hex", depth);
        }
        match decode::base64(text) {
            None => Ok(()),
            Some(Decoded::Text(text)) => self.unwrapped(Some(text), "base64", key, depth),
            Some(Decoded::Binary(bytes)) => self.binary(&bytes, "base64", depth),
        }
    }

    fn binary(&mut self, bytes: &[u8], layer: &str, depth: usize) -> Result<(), Stop> {
        self.taken_off(depth)?;
        self.work.bytes = self.work.bytes.saturating_add(bytes.len());
        if self.work.bytes > self.limits.max_bytes {
            return Err(self.exceed(Limit::Bytes));
        }
        let context = (self.contexts)(&self.path);
        self.within(format_args!("|{layer}"), |walk| {
            rules::binary_payload(&walk.path, bytes, context, walk.matches);
        });
        Ok(())
    }

    fn form(&mut self, text: &str, depth: usize) -> Result<(), Stop> {
        let Some(pairs) = decode::form(text) else { return self.layer(text, false, depth, "form") };
        let depth = self.taken_off(depth)?;
        for (name, value) in pairs {
            self.within(format_args!("|form{}", Step(&name)), |walk| {
                walk.count_leaf()?;
                walk.layer(&name, true, depth, "form")?;
                walk.leaf_of_form(&value, depth)
            })?;
        }
        Ok(())
    }

    fn leaf_of_form(&mut self, value: &str, depth: usize) -> Result<(), Stop> {
        self.count_leaf()?;
        self.layer(value, false, depth, "form")
    }

    /// Reads `text` as JSON if that is what it is, and says whether it was.
    fn json(&mut self, text: &str, depth: usize) -> Result<bool, Stop> {
        let trimmed = text.trim();
        let opens =
            matches!(
                (trimmed.as_bytes().first(), trimmed.as_bytes().last()),
                (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']'))
            ) || (trimmed.len() > 2 && trimmed.starts_with('"') && trimmed.ends_with('"') && trimmed.contains('\\'));
        if !opens || serde_json::from_str::<IgnoredAny>(trimmed).is_err() {
            return Ok(false);
        }
        let depth = self.taken_off(depth)?;
        self.within(format_args!("|json"), |walk| {
            let mut reader = serde_json::Deserializer::from_str(trimmed);
            match (Node { walk, depth }).deserialize(&mut reader) {
                Ok(()) => Ok(true),
                Err(_) if walk.exceeded.is_some() => Err(Stop),
                // Well-formed, yet not readable as values (a lone surrogate, a number out of range): text like any other.
                Err(_) => Ok(false),
            }
        })
    }
}

/// One value of a document, visited rather than built.
struct Node<'w, 'a> {
    walk: &'w mut Walk<'a>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn stopped<E: serde::de::Error>(_: Stop) -> E {
    E::custom("a limit was met")
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.walk.count_leaf().map_err(stopped)
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.walk.count_leaf().map_err(stopped)
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.walk.count_leaf().map_err(stopped)
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.walk.count_leaf().map_err(stopped)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.walk.count_leaf().map_err(stopped)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        self.walk.leaf(text, false, self.depth).map_err(stopped)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Node { walk, depth } = self;
        let depth = walk.enter(depth).map_err(stopped)?;
        let mut index = 0_usize;
        loop {
            let item = walk.within(format_args!("[{index}]"), |walk| items.next_element_seed(Node { walk, depth }))?;
            if item.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Node { walk, depth } = self;
        let depth = walk.enter(depth).map_err(stopped)?;
        while let Some(name) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            walk.within(format_args!("{}", Step(&name)), |walk| {
                walk.leaf(&name, true, depth).map_err(stopped)?;
                entries.next_value_seed(Node { walk, depth })
            })?;
        }
        Ok(())
    }
}

/// A key as it stands in a path: `.name`, or `["odd name"]`, cut when long.
struct Step<'a>(&'a str);

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        let name = self.0;
        let simple = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'@');
        if !name.is_empty() && name.len() <= SHOWN && name.bytes().all(simple) {
            return write!(f, ".{name}");
        }
        f.write_str("[\"")?;
        for character in name.chars().take(SHOWN) {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                other if other.is_control() => write!(f, "{}", other.escape_unicode())?,
                other => f.write_char(other)?,
            }
        }
        f.write_str(if name.chars().nth(SHOWN).is_some() { "…\"]" } else { "\"]" })
    }
}
