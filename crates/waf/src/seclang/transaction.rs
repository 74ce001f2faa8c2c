//! A transaction: what is known of a request and its response, and how it gets there.
//!
//! All bytes lie in one arena; a value and everything made of it is a span. What a value looks like after a chain of
//! transformations, and which operators could match it, is worked out once, when the first rule asks.

use super::action::{Processor, Switch};
use super::body::{json, multipart, xml};
use super::bytes::{ByteSet, Span};
use super::compile::{NONE, RuleSet};
use super::scan::bytes_of;
use super::store::{Collections, Record};
use super::template::{Piece, Template};
use super::transform::{self, Transformation};
use super::variable::{Kind, Part, STORES, Store, Variable};

/// Most bytes that a transaction's values and what is made of them may take.
const MAX_ARENA: usize = 256 << 20;
/// Most values.
const MAX_CONTENTS: usize = 1 << 20;
/// Most variables that rules may set beyond those they name.
const MAX_OWN: usize = 10_000;
/// Most header fields or cookies that are looked at.
const MAX_FIELDS: usize = 1000;

/// A text, and what has been found out about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    pub(crate) span: Span,
    pub(crate) bytes: ByteSet,
    /// Where its bits are, [`NONE`] before the scan.
    bits: u32,
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

/// A union over the values of a group or store: which bytes occur, which operators could match.
#[derive(Debug, Clone, Default)]
pub(crate) struct Union {
    pub(crate) epoch: u64,
    pub(crate) bytes: ByteSet,
    pub(crate) bits: Vec<u64>,
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
    bits: Vec<u64>,
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
    pub(crate) unions: Vec<Union>,
    /// Unions over whole stores at a node, and where they are: by node, store and part.
    store_unions: Vec<Union>,
    store_places: Vec<u32>,
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
            unions: vec![Union::default(); set.groups.len()],
            store_unions: Vec::new(),
            store_places: vec![NONE; set.nodes.len() * STORES * 2],
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
                let result = json::read(&body, depth, &mut |name, value| {
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

    fn span(&mut self, text: &[u8]) -> Span {
        if self.arena.len() + text.len() > MAX_ARENA {
            self.exceeded = true;
            return Span::default();
        }
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(text);
        Span { start, end: self.arena.len() as u32 }
    }

    fn content(&mut self, span: Span) -> u32 {
        if self.contents.len() >= MAX_CONTENTS {
            self.exceeded = true;
            return 0;
        }
        let bytes = bytes_of(span.of(&self.arena));
        self.contents.push(Content { span, bytes, bits: NONE, like: NONE, row: NONE });
        self.contents.len() as u32 - 1
    }

    fn add(&mut self, store: Store, name: &[u8], value: &[u8]) {
        let name = self.span(name);
        let name_content = if name.len() > 0 { self.content(name) } else { NONE };
        let span = self.span(value);
        let content = self.content(span);
        let name_content = if name_content == NONE { self.empty() } else { name_content };
        self.stores[store as usize].push(Item { name, name_content, content });
    }

    /// The empty text as a content: the first one.
    fn empty(&mut self) -> u32 {
        match self.contents.first() {
            Some(first) if first.span.len() == 0 => 0,
            _ => self.content(Span::default()),
        }
    }

    fn set_single(&mut self, store: Store, value: &[u8]) {
        let span = self.span(value);
        let content = self.content(span);
        let items = &mut self.stores[store as usize];
        items.clear();
        items.push(Item { name: Span::default(), name_content: content, content });
    }

    /// The first value in a store with this name.
    pub(crate) fn first(&self, store: Store, name: &[u8]) -> Option<&[u8]> {
        let items = &self.stores[store as usize];
        let item = items.iter().find(|item| item.name.of(&self.arena).eq_ignore_ascii_case(name))?;
        Some(self.text(item.content))
    }

    pub(crate) fn text(&self, content: u32) -> &[u8] {
        self.contents.get(content as usize).map_or(&[], |content| content.span.of(&self.arena))
    }

    fn bytes(&self, content: u32) -> ByteSet {
        self.contents.get(content as usize).map_or(ByteSet::EMPTY, |content| content.bytes)
    }

    /// What a content is at a node of the tree of transformations.
    pub(crate) fn derive(&mut self, content: u32, node: u32) -> u32 {
        let set = self.set;
        let Some(step) = set.nodes.get(node as usize) else { return content };
        let Some(transformation) = step.transformation else { return content };
        if !self.bytes(content).meets(step.touches) && step.touches != ByteSet::ALL {
            return content;
        }
        let Some(origin) = self.contents.get_mut(content as usize) else { return content };
        let mut row = origin.row;
        if row == NONE {
            row = self.rows.len() as u32;
            origin.row = row;
            self.rows.resize(self.rows.len() + set.nodes.len(), NONE);
        }
        let place = row as usize + node as usize;
        match self.rows.get(place) {
            Some(&NONE) | None => {}
            Some(&known) => return known,
        }
        let parent = self.derive(content, step.parent);
        let derived = self.transform(parent, transformation);
        if let Some(entry) = self.rows.get_mut(place) {
            *entry = derived;
        }
        derived
    }

    fn transform(&mut self, content: u32, transformation: Transformation) -> u32 {
        let touches = transformation.touches();
        if touches != ByteSet::ALL && !self.bytes(content).meets(touches) {
            return content;
        }
        let mut out = std::mem::take(&mut self.scratch);
        let input = self.text(content);
        transformation.apply(input, &mut out);
        let derived = if out == input {
            content
        } else {
            let cased = out.eq_ignore_ascii_case(input);
            let span = self.span(&out);
            let derived = self.content(span);
            if let Some(new) = self.contents.get_mut(derived as usize).filter(|_| cased) {
                new.like = content;
            }
            derived
        };
        self.scratch = out;
        derived
    }

    /// The content that says which operators could match at a node: the case of letters doesn't matter for that.
    pub(crate) fn scannable(&mut self, content: u32, node: u32) -> u32 {
        match self.set.nodes.get(node as usize) {
            Some(step)
                if step.touches_beyond_case == ByteSet::ALL || self.bytes(content).meets(step.touches_beyond_case) =>
            {
                self.derive(content, node)
            }
            _ => content,
        }
    }

    /// Where the bits of a content are; scans it when that has not been done.
    fn scanned(&mut self, content: u32) -> usize {
        let mut origin = content;
        for _ in 0..8 {
            match self.contents.get(origin as usize) {
                Some(other) if other.like != NONE => origin = other.like,
                _ => break,
            }
        }
        let Some(known) = self.contents.get_mut(origin as usize) else { return usize::MAX };
        if known.bits == NONE {
            known.bits = self.bits.len() as u32;
            let start = self.bits.len();
            self.bits.resize(start + self.set.scanner.words(), 0);
            let text = known.span.of(&self.arena);
            self.set.scanner.scan(text, self.bits.get_mut(start..).unwrap_or_default());
            return start;
        }
        known.bits as usize
    }

    /// Whether a content could match an operator with these needs.
    pub(crate) fn worth(&mut self, content: u32, scan: u32, needs: &[ByteSet]) -> bool {
        let bytes = self.bytes(content);
        if !needs.iter().all(|need| bytes.meets(*need)) {
            return false;
        }
        if scan == NONE {
            return true;
        }
        let start = self.scanned(content);
        self.bits.get(start + scan as usize / 64).is_some_and(|word| word >> (scan % 64) & 1 == 1)
    }

    /// Whether any value of a group could match.
    pub(crate) fn group_worth(&mut self, group: u32, scan: u32, needs: &[ByteSet]) -> bool {
        let Some(union) = self.unions.get_mut(group as usize) else { return true };
        if union.epoch != self.epoch {
            let mut union = std::mem::take(union);
            self.unite(group, &mut union);
            if let Some(place) = self.unions.get_mut(group as usize) {
                *place = union;
            }
        }
        let Some(union) = self.unions.get(group as usize) else { return true };
        needs.iter().all(|need| union.bytes.meets(*need))
            && (scan == NONE || union.bits.get(scan as usize / 64).is_some_and(|word| word >> (scan % 64) & 1 == 1))
    }

    fn unite(&mut self, group: u32, union: &mut Union) {
        union.epoch = self.epoch;
        union.bytes = ByteSet::EMPTY;
        union.bits.clear();
        union.bits.resize(self.set.scanner.words(), 0);
        let set = self.set;
        let Some(rule) = set.groups.get(group as usize).and_then(|rule| set.rules.get(*rule as usize)) else { return };
        for target in &rule.targets {
            let Kind::Stored(stores, part) = target.variable.kind() else { continue };
            let whole = matches!(target.selector, super::variable::Selector::All);
            for store in stores {
                if self.stores[*store as usize].is_empty() {
                    continue;
                }
                if whole {
                    for &node in &rule.nodes {
                        let place = self.unite_store(*store, part, node);
                        if let Some(of_store) = self.store_unions.get(place) {
                            union.bytes = union.bytes.or(of_store.bytes);
                            for (sum, word) in union.bits.iter_mut().zip(&of_store.bits) {
                                *sum |= word;
                            }
                        }
                    }
                    continue;
                }
                for at in 0..self.stores[*store as usize].len() {
                    let item = self.stores[*store as usize][at];
                    if !target.selector.takes(item.name.of(&self.arena)) {
                        continue;
                    }
                    let content = if part == Part::Value { item.content } else { item.name_content };
                    for &node in &rule.nodes {
                        let content = self.scannable(content, node);
                        self.unite_content(content, union);
                    }
                }
            }
        }
    }

    fn unite_content(&mut self, content: u32, union: &mut Union) {
        union.bytes = union.bytes.or(self.bytes(content));
        let start = self.scanned(content);
        for (sum, word) in union.bits.iter_mut().zip(self.bits.get(start..).unwrap_or_default()) {
            *sum |= word;
        }
    }

    /// Whether any value of a store could match a rule.
    pub(crate) fn store_worth(&mut self, store: Store, part: Part, rule: &super::compile::Rule) -> bool {
        let (scan, needs) = (rule.scan, &rule.bytes);
        if scan == NONE && needs.is_empty() {
            return true;
        }
        rule.nodes.iter().any(|&node| {
            let place = self.unite_store(store, part, node);
            self.store_unions.get(place).is_none_or(|union| {
                needs.iter().all(|need| union.bytes.meets(*need))
                    && (scan == NONE
                        || union.bits.get(scan as usize / 64).is_some_and(|word| word >> (scan % 64) & 1 == 1))
            })
        })
    }

    /// The union over a whole store at a node: its place among the unions.
    fn unite_store(&mut self, store: Store, part: Part, node: u32) -> usize {
        // Where no value would be changed, the root's union is the one.
        let mut node = node;
        if node != 0 {
            let root = self.unite_store(store, part, 0);
            let (Some(step), Some(root)) = (self.set.nodes.get(node as usize), self.store_unions.get(root)) else {
                return root;
            };
            if step.touches_beyond_case != ByteSet::ALL && !root.bytes.meets(step.touches_beyond_case) {
                node = 0;
            }
        }
        let number = (node as usize * STORES + store as usize) * 2 + part as usize;
        let mut place = self.store_places.get(number).copied().unwrap_or(0);
        if place == NONE {
            place = self.store_unions.len() as u32;
            self.store_places[number] = place;
            self.store_unions.push(Union::default());
        }
        let place = place as usize;
        if self.store_unions.get(place).is_none_or(|union| union.epoch == self.epoch) {
            return place;
        }
        let mut union = std::mem::take(&mut self.store_unions[place]);
        union.epoch = self.epoch;
        union.bits.clear();
        if node == 0 {
            union.bytes = ByteSet::EMPTY;
            union.bits.resize(self.set.scanner.words(), 0);
        } else {
            // What the values are before serves as a first guess: only those that change are looked at.
            let root = self.unite_store(store, part, 0);
            if let Some(root) = self.store_unions.get(root) {
                union.bytes = root.bytes;
                union.bits.extend_from_slice(&root.bits);
            }
        }
        for at in 0..self.stores[store as usize].len() {
            let item = self.stores[store as usize][at];
            let content = if part == Part::Value { item.content } else { item.name_content };
            let scannable = self.scannable(content, node);
            if node == 0 || scannable != content {
                self.unite_content(scannable, &mut union);
            }
        }
        self.store_unions[place] = union;
        place
    }

    /// The number of a transaction variable, made up if need be.
    pub(crate) fn slot(&mut self, name: &[u8]) -> Option<u32> {
        let lower = name.to_ascii_lowercase();
        if let Some(number) = self.set.names.find(&lower) {
            return Some(number);
        }
        let base = self.set.names.len();
        if let Some(at) = self.extra_names.iter().position(|known| *known == lower) {
            return Some((base + at) as u32);
        }
        if self.extra_names.len() >= MAX_OWN {
            self.exceeded = true;
            return None;
        }
        self.extra_names.push(lower);
        self.tx.push(Own::Unset);
        Some((base + self.extra_names.len() - 1) as u32)
    }

    pub(crate) fn slot_name(&self, slot: u32) -> &[u8] {
        let base = self.set.names.len();
        match self.set.names.name(slot) {
            Some(name) => name,
            None => {
                (slot as usize).checked_sub(base).and_then(|at| self.extra_names.get(at)).map_or(b"", Vec::as_slice)
            }
        }
    }

    /// A text with its macros replaced.
    pub(crate) fn expand(&self, template: &Template) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &template.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text),
                Piece::Slot(slot) => {
                    if let Some(own) = self.tx.get(*slot as usize) {
                        own.append(&mut out);
                    }
                }
                Piece::Variable(variable, selector) => self.append_variable(*variable, selector, &mut out),
            }
        }
        out
    }

    fn append_variable(&self, variable: Variable, selector: &[u8], out: &mut Vec<u8>) {
        match variable.kind() {
            Kind::Stored(stores, part) => {
                for store in stores {
                    let items = &self.stores[*store as usize];
                    let wanted =
                        |item: &&Item| selector.is_empty() || item.name.of(&self.arena).eq_ignore_ascii_case(selector);
                    if let Some(item) = items.iter().find(wanted) {
                        out.extend_from_slice(self.text(if part == Part::Value {
                            item.content
                        } else {
                            item.name_content
                        }));
                        return;
                    }
                }
            }
            Kind::Computed => match variable {
                Variable::MatchedVar => {
                    if let Some(found) = &self.current {
                        self.append_value(&found.value, out);
                    }
                }
                Variable::MatchedVarName => {
                    if let Some(found) = &self.current {
                        self.append_name(found, out);
                    }
                }
                Variable::Rule => {
                    let rule = self.set.rules.get(self.running as usize);
                    match selector {
                        b"id" => out.extend(
                            rule.and_then(|rule| rule.actions.id).map(|id| id.to_string()).unwrap_or_default().bytes(),
                        ),
                        b"severity" => {
                            out.extend(
                                rule.and_then(|rule| rule.actions.severity)
                                    .map(|s| s.to_string())
                                    .unwrap_or_default()
                                    .bytes(),
                            );
                        }
                        _ => {}
                    }
                }
                _ => {
                    if let Some(value) = self.computed(variable) {
                        out.extend_from_slice(&value);
                    }
                }
            },
            Kind::Own => match variable {
                Variable::Env => {
                    if let Some((_, value)) =
                        self.environment.iter().find(|(name, _)| name.eq_ignore_ascii_case(selector))
                    {
                        out.extend_from_slice(value);
                    }
                }
                Variable::Tx => {}
                _ => {
                    let record = self.persistent.iter().find(|(collection, ..)| *collection == variable);
                    if let Some(entry) = record.and_then(|(_, _, record)| record.get(selector)) {
                        out.extend_from_slice(&entry.value);
                    }
                }
            },
            Kind::Absent => {}
        }
    }

    pub(crate) fn append_value(&self, value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Content(content) => out.extend_from_slice(self.text(*content)),
            Value::Text(text) => out.extend_from_slice(text),
            Value::Number(number) => Own::Number(*number).append(out),
        }
    }

    pub(crate) fn append_name(&self, found: &Found, out: &mut Vec<u8>) {
        let variable = if found.variable == Variable::XmlAttributes { "XML" } else { found.variable.name() };
        out.extend_from_slice(variable.as_bytes());
        let name = match &found.name {
            Name::None => b"",
            Name::Span(span) => span.of(&self.arena),
            Name::Slot(slot) => self.slot_name(*slot),
            Name::Text(text) => text,
        };
        if !name.is_empty() {
            out.push(b':');
            out.extend_from_slice(name);
        }
    }

    /// The value of a variable that is worked out when it is asked for.
    pub(crate) fn computed(&self, variable: Variable) -> Option<Vec<u8>> {
        use Variable as V;
        let total = |stores: &[Store], names: bool| -> usize {
            stores
                .iter()
                .flat_map(|store| &self.stores[*store as usize])
                .map(|item| self.text(item.content).len() + if names { item.name.len() } else { 0 })
                .sum()
        };
        let flag = |flag: bool| usize::from(flag);
        let form = &self.form;
        let day = self.now / 86_400;
        let number = match variable {
            V::ArgsCombinedSize => total(&[Store::ArgsGet, Store::ArgsPost, Store::ArgsPath], true),
            V::FilesCombinedSize => total(&[Store::FilesContent], false),
            V::RequestBodyLength => self.request_body_length,
            V::FullRequestLength => {
                total(&[Store::RequestLine, Store::RequestHeaders], true) + self.request_body_length
            }
            V::FullRequest => {
                let mut out = self.first(Store::RequestLine, b"").unwrap_or_default().to_vec();
                for item in &self.stores[Store::RequestHeaders as usize] {
                    for part in [b"\r\n", item.name.of(&self.arena), b": ", self.text(item.content)] {
                        out.extend_from_slice(part);
                    }
                }
                out.extend_from_slice(b"\r\n\r\n");
                out.extend_from_slice(&self.request_body);
                return Some(out);
            }
            V::HighestSeverity => usize::from(self.highest_severity),
            V::InboundDataError => flag(self.inbound_error),
            V::OutboundDataError => flag(self.outbound_error),
            V::ReqbodyError => flag(self.body_error.is_some()),
            V::ReqbodyErrorMsg => return Some(self.body_error.unwrap_or_default().into()),
            V::ReqbodyProcessor => return Some(self.processor.map_or("", Processor::name).into()),
            V::UrlencodedError => flag(self.url_encoding_error),
            V::ResponseContentLength => self.response_body.len(),
            V::MultipartBoundaryQuoted => flag(form.boundary_quoted),
            V::MultipartBoundaryWhitespace => flag(form.boundary_whitespace),
            V::MultipartCrlfLfLines => flag(form.crlf_lines && form.lf_line),
            V::MultipartDataAfter => flag(form.data_after),
            V::MultipartDataBefore => flag(form.data_before),
            V::MultipartFileLimitExceeded => flag(form.file_limit_exceeded),
            V::MultipartHeaderFolding => flag(form.header_folding),
            V::MultipartInvalidHeaderFolding => flag(form.invalid_header_folding),
            V::MultipartInvalidPart => flag(form.invalid_part),
            V::MultipartInvalidQuoting => flag(form.invalid_quoting),
            V::MultipartLfLine => flag(form.lf_line),
            V::MultipartMissingSemicolon => flag(form.missing_semicolon),
            V::MultipartStrictError => flag(form.strict_error()),
            V::MultipartUnmatchedBoundary => flag(form.unmatched_boundary),
            V::SessionId => return Some(self.session.clone()),
            V::UserId => return Some(self.user.clone()),
            V::Duration => 0,
            V::TimeEpoch => self.now as usize,
            V::TimeHour => (self.now / 3600 % 24) as usize,
            V::TimeMin => (self.now / 60 % 60) as usize,
            V::TimeSec => (self.now % 60) as usize,
            // 1970 began on a Thursday; Sunday is 0.
            V::TimeWday => ((day + 4) % 7) as usize,
            V::Time => {
                let (hour, minute, second) = (self.now / 3600 % 24, self.now / 60 % 60, self.now % 60);
                return Some(format!("{hour:02}:{minute:02}:{second:02}").into_bytes());
            }
            V::TimeDay => civil(day).2 as usize,
            // January is 0.
            V::TimeMon => civil(day).1 as usize - 1,
            V::TimeYear => civil(day).0 as usize,
            _ => return None,
        };
        Some(number.to_string().into_bytes())
    }
}

/// Year, month (from 1) and day (from 1) of a day since 1970.
fn civil(day: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that leap days come last; an era is 400 of them.
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_month)
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
