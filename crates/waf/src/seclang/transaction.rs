//! A transaction: what is known of a request and its response, and how it gets there.
//!
//! All bytes lie in one arena; a value and everything made of it is a span. What a value looks like after a chain of
//! transformations, and which operators could match it, is worked out once, when the first rule asks.

mod values;
mod variables;

use super::action::{Processor, Switch};
use super::body::{json, multipart, xml};
use super::bytes::{ByteSet, Span};
use super::compile::{NONE, RuleSet};
use super::store::{Collections, Record};
use super::transform;
use super::variable::{STORES, Store, Variable};

/// Most bytes that a transaction's values and what is made of them may take.
const MAX_ARENA: usize = 256 << 20;
/// Most values.
const MAX_CONTENTS: usize = 1 << 20;
/// Most variables that rules may set beyond those they name.
const MAX_OWN: usize = 10_000;
/// Most header fields or cookies that are looked at.
const MAX_FIELDS: usize = 1000;
/// Most bytes that the paths of a JSON body's leaves may have together: so many, ...
const PATHS: usize = 64 << 10;
/// ... and so many for each byte of the body. Deep values repeat their path in every leaf.
const PATHS_PER_BYTE: usize = 8;

/// A text, and what has been found out about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    pub(crate) span: Span,
    pub(crate) bytes: ByteSet,
    /// Where its bits are, [`NONE`] before the scan.
    pub(crate) bits: u32,
    /// The content whose bits are good for this one, too.
    like: u32,
    /// Where its row of transformed contents is, [`NONE`] before the first.
    row: u32,
}

/// A named value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) name: Span,
    /// The name as a content.
    pub(crate) name_content: u32,
    pub(crate) content: u32,
}

/// A transaction variable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Own {
    #[default]
    Unset,
    Number(i64),
    Text(Vec<u8>),
}

impl Own {
    pub(crate) fn from_text(text: &[u8]) -> Own {
        // Only what reads back the same is kept as a number.
        let plain = matches!(text, [b'0'] | [b'1'..=b'9', ..]) && text.len() < 18;
        if plain && text.iter().all(u8::is_ascii_digit) {
            Own::Number(super::bytes::integer(text))
        } else {
            Own::Text(text.to_vec())
        }
    }

    pub(crate) fn number(&self) -> i64 {
        match self {
            Own::Unset => 0,
            Own::Number(number) => *number,
            Own::Text(text) => super::bytes::integer(text),
        }
    }

    pub(crate) fn append(&self, out: &mut Vec<u8>) {
        match self {
            Own::Unset => {}
            Own::Number(number) => {
                use std::io::Write;
                // Writing to a vector can't fail.
                let _ = write!(out, "{number}");
            }
            Own::Text(text) => out.extend_from_slice(text),
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        *self != Own::Unset
    }
}

/// The name of a matched item.
#[derive(Debug, Clone, Default)]
pub(crate) enum Name {
    #[default]
    None,
    Span(Span),
    Slot(u32),
    Text(Vec<u8>),
}

/// A matched value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Content(u32),
    Text(Vec<u8>),
    Number(i64),
}

/// What a rule matched.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) variable: Variable,
    pub(crate) name: Name,
    pub(crate) value: Value,
}

/// A union over the values of a store at a node: which bytes occur, which operators could match.
#[derive(Debug, Clone, Default)]
pub(crate) struct Union {
    pub(crate) epoch: u64,
    pub(crate) bytes: ByteSet,
    pub(crate) bits: Vec<u64>,
    /// What each item is at the node, [`NONE`] for those too short for any rule.
    pub(crate) contents: Vec<u32>,
    /// At the root: the items that some chain changes, and the union of the others.
    pub(crate) lively: Vec<u32>,
    pub(crate) inert_bytes: ByteSet,
    pub(crate) inert_bits: Vec<u64>,
}

/// The addresses of a connection, as text; empty when unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connection<'a> {
    /// The client's address.
    pub remote_address: &'a str,
    /// The client's port.
    pub remote_port: u16,
    /// Our address.
    pub server_address: &'a str,
    /// Our port.
    pub server_port: u16,
}

/// One request and its response on their way through a [`RuleSet`].
///
/// Feed it in the order of the protocol; each `process_...` runs a phase and says when the transaction must be stopped.
pub struct Transaction<'r> {
    pub(crate) set: &'r RuleSet,
    pub(crate) arena: Vec<u8>,
    pub(crate) contents: Vec<Content>,
    pub(crate) bits: Vec<u64>,
    rows: Vec<u32>,
    scratch: Vec<u8>,
    pub(crate) stores: [Vec<Item>; STORES],
    pub(crate) tx: Vec<Own>,
    /// Names of transaction variables that the rules made up as they ran, numbered after those they name.
    pub(crate) extra_names: Vec<Vec<u8>>,
    pub(crate) environment: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) persistent: Vec<(Variable, Vec<u8>, Record)>,
    pub(crate) persistence: Option<&'r dyn Collections>,
    pub(crate) session: Vec<u8>,
    pub(crate) user: Vec<u8>,
    pub(crate) now: u64,
    pub(crate) engine: Switch,
    pub(crate) request_body_access: bool,
    pub(crate) response_body_access: bool,
    pub(crate) processor: Option<Processor>,
    pub(crate) force_request_body: bool,
    request_body: Vec<u8>,
    pub(crate) request_body_length: usize,
    response_body: Vec<u8>,
    pub(crate) form: multipart::Form,
    pub(crate) body_error: Option<&'static str>,
    pub(crate) url_encoding_error: bool,
    pub(crate) inbound_error: bool,
    pub(crate) outbound_error: bool,
    pub(crate) exceeded: bool,
    pub(crate) epoch: u64,
    /// Unions over whole stores at a node, and where they are: by node, store and part.
    pub(crate) store_unions: Vec<Union>,
    store_places: Vec<u32>,
    /// Which union answers for a node, store and part, and in which epoch that was found.
    store_answers: Vec<(u64, u32)>,
    pub(crate) removed: Vec<u64>,
    pub(crate) removed_targets: Vec<(&'r [u64], &'r [super::variable::Target])>,
    pub(crate) current: Option<Found>,
    pub(crate) matched_vars: Vec<Found>,
    pub(crate) previous_vars: Vec<Found>,
    pub(crate) captured: super::operator::Captured,
    pub(crate) running: u32,
    pub(crate) highest_severity: u8,
    pub(crate) allowed: Option<super::action::Scope>,
    pub(crate) report: Vec<super::evaluate::MatchedRule>,
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transaction({} values, {} matches)", self.contents.len(), self.report.len())
    }
}

impl<'r> Transaction<'r> {
    /// A transaction that nothing is known of yet.
    pub fn new(set: &'r RuleSet, connection: Connection<'_>) -> Self {
        let settings = &set.settings;
        let mut transaction = Transaction {
            set,
            arena: Vec::with_capacity(8192),
            contents: Vec::with_capacity(128),
            bits: Vec::with_capacity(1024),
            rows: Vec::new(),
            scratch: Vec::with_capacity(512),
            stores: std::array::from_fn(|_| Vec::new()),
            tx: vec![Own::Unset; set.names.len()],
            extra_names: Vec::new(),
            environment: Vec::new(),
            persistent: Vec::new(),
            persistence: None,
            session: Vec::new(),
            user: Vec::new(),
            now: 0,
            engine: settings.engine,
            request_body_access: settings.request_body,
            response_body_access: settings.response_body,
            processor: None,
            force_request_body: false,
            request_body: Vec::new(),
            request_body_length: 0,
            response_body: Vec::new(),
            form: multipart::Form::default(),
            body_error: None,
            url_encoding_error: false,
            inbound_error: false,
            outbound_error: false,
            exceeded: false,
            epoch: 1,
            store_unions: Vec::new(),
            store_places: vec![NONE; set.nodes.len() * STORES * 2],
            store_answers: vec![(0, 0); set.nodes.len() * STORES * 2],
            removed: Vec::new(),
            removed_targets: Vec::new(),
            current: None,
            matched_vars: Vec::new(),
            previous_vars: Vec::new(),
            captured: Vec::new(),
            running: NONE,
            highest_severity: 255,
            allowed: None,
            report: Vec::new(),
        };
        transaction.connection(connection);
        transaction
    }

    /// Forgets everything about the last request and keeps the memory, for the next one.
    pub fn reset(&mut self, connection: Connection<'_>) {
        self.arena.clear();
        self.contents.clear();
        self.bits.clear();
        self.rows.clear();
        self.stores.iter_mut().for_each(Vec::clear);
        self.tx.truncate(self.set.names.len());
        self.tx.fill(Own::Unset);
        self.extra_names.clear();
        self.environment.clear();
        self.persistent.clear();
        self.session.clear();
        self.user.clear();
        self.engine = self.set.settings.engine;
        self.request_body_access = self.set.settings.request_body;
        self.response_body_access = self.set.settings.response_body;
        self.processor = None;
        self.force_request_body = false;
        self.request_body.clear();
        self.request_body_length = 0;
        self.response_body.clear();
        self.form = multipart::Form::default();
        self.body_error = None;
        self.url_encoding_error = false;
        self.inbound_error = false;
        self.outbound_error = false;
        self.exceeded = false;
        // Older unions are told by their epoch.
        self.epoch += 1;
        self.removed.clear();
        self.removed_targets.clear();
        self.current = None;
        self.matched_vars.clear();
        self.previous_vars.clear();
        self.captured.clear();
        self.running = NONE;
        self.highest_severity = 255;
        self.allowed = None;
        self.report.clear();
        self.connection(connection);
    }

    fn connection(&mut self, connection: Connection<'_>) {
        self.set_single(Store::RemoteAddr, connection.remote_address.as_bytes());
        self.set_single(Store::RemoteHost, connection.remote_address.as_bytes());
        self.set_single(Store::RemotePort, connection.remote_port.to_string().as_bytes());
        self.set_single(Store::ServerAddr, connection.server_address.as_bytes());
        self.set_single(Store::ServerPort, connection.server_port.to_string().as_bytes());
    }

    /// Gives the transaction collections that outlive it, and the time in seconds since 1970 (0: unknown).
    pub fn remember_in(&mut self, collections: &'r dyn Collections, now: u64) {
        self.persistence = Some(collections);
        self.now = now;
    }

    /// An id that no other transaction has; rules sample by it.
    pub fn unique_id(&mut self, id: &[u8]) {
        self.set_single(Store::UniqueId, id);
    }

    /// The request line as it was sent, without its line break.
    pub fn request_line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (method, rest) = split_at_byte(line, b' ');
        let (uri, protocol) = match memchr::memrchr(b' ', rest) {
            Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default()),
            None => (rest, &b""[..]),
        };
        self.set_single(Store::RequestLine, line);
        self.set_single(Store::RequestMethod, method);
        self.set_single(Store::RequestUriRaw, uri);
        self.set_single(Store::RequestProtocol, protocol);
        let local = match super::bytes::find(uri, b"://") {
            Some(scheme) if scheme > 0 && !uri.starts_with(b"/") => {
                let after = uri.get(scheme + 3..).unwrap_or_default();
                let path = after.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
                path.and_then(|path| after.get(path..)).unwrap_or(b"/")
            }
            _ => uri,
        };
        self.set_single(Store::RequestUri, local);
        let (path, query) = split_at_byte(local, b'?');
        let mut decoded = Vec::with_capacity(path.len());
        percent_decode(path, &mut decoded);
        self.set_single(Store::RequestFilename, &decoded);
        let basename = decoded.iter().rposition(|byte| matches!(byte, b'/' | b'\\')).map_or(0, |slash| slash + 1);
        self.set_single(Store::RequestBasename, decoded.get(basename..).unwrap_or_default());
        self.set_single(Store::PathInfo, &decoded);
        self.set_single(Store::QueryString, query);
        if !query.is_empty() {
            self.arguments(Store::ArgsGet, query);
        }
    }

    /// A header field of the request, in the order they came.
    pub fn request_header(&mut self, name: &[u8], value: &[u8]) {
        if self.stores[Store::RequestHeaders as usize].len() >= MAX_FIELDS {
            self.exceeded = true;
            return;
        }
        self.add(Store::RequestHeaders, name, value);
        if name.eq_ignore_ascii_case(b"cookie") {
            for pair in value.split(|byte| *byte == b';') {
                let pair = pair.trim_ascii_start();
                if pair.is_empty() || self.stores[Store::RequestCookies as usize].len() >= MAX_FIELDS {
                    continue;
                }
                let (name, value) = split_at_byte(pair, b'=');
                self.add(Store::RequestCookies, name, value);
            }
        } else if name.eq_ignore_ascii_case(b"host") {
            let host =
                value.iter().position(|byte| *byte == b':').and_then(|colon| value.get(..colon)).unwrap_or(value);
            self.set_single(Store::ServerName, host);
        }
    }

    /// The end of the request's header: decides how a body would be read.
    pub(crate) fn header_complete(&mut self) {
        let content_type = self.first(Store::RequestHeaders, b"content-type").unwrap_or_default().to_ascii_lowercase();
        if content_type.starts_with(b"application/x-www-form-urlencoded") {
            self.processor = Some(Processor::UrlEncoded);
        } else if content_type.starts_with(b"multipart/form-data") {
            self.processor = Some(Processor::Multipart);
        }
    }

    /// A piece of the request's body. Beyond the limit it is dropped, and the phase says what becomes of that.
    pub fn request_body(&mut self, piece: &[u8]) {
        self.request_body_length = self.request_body_length.saturating_add(piece.len());
        if !self.request_body_access {
            return;
        }
        let room = self.set.settings.request_body_limit.saturating_sub(self.request_body.len());
        self.inbound_error |= piece.len() > room;
        self.request_body.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    /// Reads the body with the processor that was chosen; `false` when it is longer than allowed.
    pub(crate) fn read_request_body(&mut self) -> bool {
        let body = std::mem::take(&mut self.request_body);
        let settings = &self.set.settings;
        let long = self.inbound_error
            || (self.processor != Some(Processor::Multipart) && body.len() > settings.request_body_no_files_limit);
        if long {
            self.inbound_error = true;
            if settings.reject_long_request {
                self.request_body = body;
                return false;
            }
        }
        match self.processor {
            _ if body.is_empty() => {}
            Some(Processor::UrlEncoded) => {
                self.set_single(Store::RequestBody, &body);
                self.arguments(Store::ArgsPost, &body);
            }
            Some(Processor::Json) => {
                let mut left = settings.arguments;
                let depth = settings.json_depth;
                let mut names = PATHS + PATHS_PER_BYTE * body.len();
                let result = json::read(&body, depth, &mut |name, value| {
                    match names.checked_sub(name.len()) {
                        Some(rest) => names = rest,
                        None => {
                            self.exceeded = true;
                            return false;
                        }
                    }
                    self.add(Store::ArgsPost, name, value);
                    left = left.saturating_sub(1);
                    left > 0 && !self.exceeded
                });
                self.body_error = result.err();
            }
            Some(Processor::Xml) => {
                let document = xml::read(&body);
                self.body_error = document.error;
                if !document.text.is_empty() {
                    self.add(Store::XmlText, b"", &document.text);
                }
                for attribute in &document.attributes {
                    self.add(Store::XmlAttributes, b"", attribute);
                }
            }
            Some(Processor::Multipart) => {
                let content_type = self.first(Store::RequestHeaders, b"content-type").unwrap_or_default().to_vec();
                let mut form = multipart::read(&content_type, &body, settings.file_limit);
                self.body_error = form.error;
                for part in std::mem::take(&mut form.parts) {
                    self.form_part(part);
                }
                self.form = form;
            }
            None if self.force_request_body => self.set_single(Store::RequestBody, &body),
            None => {}
        }
        self.request_body = body;
        true
    }

    fn form_part(&mut self, part: multipart::Part) {
        for header in &part.headers {
            self.add(Store::PartHeaders, &part.name, header);
        }
        self.add(Store::PartNames, b"", &part.name);
        match part.filename {
            Some(filename) => {
                self.add(Store::Files, &part.name, &filename);
                self.add(Store::PartFilenames, &part.name, &filename);
                self.add(Store::FilesSizes, &part.name, part.content.len().to_string().as_bytes());
                self.add(Store::FilesContent, &part.name, &part.content);
            }
            None => self.add(Store::ArgsPost, &part.name, &part.content),
        }
    }

    /// The response's protocol (`HTTP/1.1`) and status.
    pub fn response_line(&mut self, protocol: &[u8], status: u16) {
        self.set_single(Store::ResponseProtocol, protocol);
        self.set_single(Store::ResponseStatus, status.to_string().as_bytes());
        let line = [protocol, b" ", status.to_string().as_bytes()].concat();
        self.set_single(Store::StatusLine, &line);
    }

    /// A header field of the response.
    pub fn response_header(&mut self, name: &[u8], value: &[u8]) {
        if self.stores[Store::ResponseHeaders as usize].len() >= MAX_FIELDS {
            return;
        }
        self.add(Store::ResponseHeaders, name, value);
        if name.eq_ignore_ascii_case(b"content-type") {
            let kind = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            self.set_single(Store::ResponseContentType, kind);
        }
    }

    /// Whether the response's body is of a kind that rules look at; otherwise it need not be handed over.
    pub fn wants_response_body(&self) -> bool {
        let kind = self.first(Store::ResponseContentType, b"").unwrap_or_default();
        self.response_body_access
            && self.engine != Switch::Off
            && self.set.settings.response_types.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted.as_bytes()))
    }

    /// A piece of the response's body; beyond the limit it is not looked at.
    pub fn response_body(&mut self, piece: &[u8]) {
        if !self.wants_response_body() {
            return;
        }
        let room = self.set.settings.response_body_limit.saturating_sub(self.response_body.len());
        self.outbound_error |= piece.len() > room;
        self.response_body.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    pub(crate) fn read_response_body(&mut self) {
        let body = std::mem::take(&mut self.response_body);
        if !body.is_empty() {
            self.set_single(Store::ResponseBody, &body);
        }
        self.response_body = body;
    }

    /// Splits form data into names and values and decodes both.
    fn arguments(&mut self, store: Store, text: &[u8]) {
        let mut name = Vec::new();
        let mut value = Vec::new();
        for pair in text.split(|byte| *byte == self.set.settings.separator) {
            if pair.is_empty() {
                continue;
            }
            if self.stores[store as usize].len() >= self.set.settings.arguments {
                self.body_error = Some("too many arguments");
                break;
            }
            let (raw_name, raw_value) = split_at_byte(pair, b'=');
            name.clear();
            value.clear();
            let invalid = transform::url_decode(raw_name, &mut name) + transform::url_decode(raw_value, &mut value);
            self.url_encoding_error |= invalid > 0;
            self.add(store, &name, &value);
        }
    }

    /// A parameter of the path, as a router found it.
    pub fn path_parameter(&mut self, name: &[u8], value: &[u8]) {
        self.add(Store::ArgsPath, name, value);
    }
}

/// What stands before and after the first `byte`.
fn split_at_byte(text: &[u8], byte: u8) -> (&[u8], &[u8]) {
    match memchr::memchr(byte, text) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => (text, b""),
    }
}

/// Decodes `%HH` and leaves `+` alone, as in paths.
fn percent_decode(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let pair =
            text.get(at + 1).copied().and_then(transform::hex).zip(text.get(at + 2).copied().and_then(transform::hex));
        match pair.filter(|_| byte == b'%') {
            Some((high, low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
}
