//! The framework's variables: `${self:custom.x}`, `${opt:stage, 'dev'}`, `${file(./x.yml):key}` and the like, put in where
//! they stand, as far as the repository decides them.
//!
//! What only a deployment knows (`${ssm:…}`, `${cf:…}`, `${env:X}` without a default) becomes a parameter without a default,
//! so that it stays a hole with a name.

use super::tree;
use crate::READER;
use crate::files::Files;
use crate::normalize::text_node;
use findings::{Diagnostic, Level};
use source::{Entry, Node, NodeKind, Span};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// How deep variables may lead into each other.
const MAX_DEPTH: usize = 100;
/// The most nodes that putting variables in may make.
const MAX_NODES: usize = 400_000;
/// The longest text that putting variables in may make, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// What a variable is.
enum Found {
    /// Something that is written somewhere.
    Node(Node),
    /// A name that only deployment knows the value of.
    Hole(String),
}

/// The variables of one service.
pub(super) struct Variables<'a, 'files> {
    root: Rc<Node>,
    folder: String,
    files: &'a mut Files<'files>,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// Names that stay holes.
    pub(super) holes: BTreeSet<String>,
    loaded: HashMap<String, Option<Rc<Node>>>,
    /// Whole variables that were put in, by their text.
    known: HashMap<String, Option<Rc<Node>>>,
    open: HashSet<String>,
    missing: HashSet<String>,
    stage: Option<String>,
    room: usize,
    /// Whether `#{AWS::Region}` means what `${AWS::Region}` does within a `Fn::Sub` (serverless-pseudo-parameters).
    pseudo: bool,
}

impl<'a, 'files> Variables<'a, 'files> {
    /// The variables of the service whose file's tree is `root`.
    pub(super) fn new(
        root: Node,
        folder: &str,
        files: &'a mut Files<'files>,
        diagnostics: &'a mut Vec<Diagnostic>,
    ) -> Self {
        let plugins = root.get("plugins").map_or(&[][..], |plugins| plugins.get("modules").unwrap_or(plugins).items());
        let pseudo = plugins.iter().filter_map(Node::scalar).any(|plugin| plugin.ends_with("pseudo-parameters"));
        Self {
            pseudo,
            root: Rc::new(root),
            folder: folder.to_string(),
            files,
            diagnostics,
            holes: BTreeSet::new(),
            loaded: HashMap::new(),
            known: HashMap::new(),
            open: HashSet::new(),
            missing: HashSet::new(),
            stage: None,
            room: MAX_NODES,
        }
    }

    /// The whole service with its variables put in.
    pub(super) fn service(&mut self) -> Node {
        let root = Rc::clone(&self.root);
        let node = self.expand(&root, false, 0);
        if self.room == 0 {
            let message = format!("the variables of this service make more than {MAX_NODES} nodes");
            self.diagnostics.push(
                Diagnostic::at(Level::Error, READER, root.entries().first().map_or(root.span, |e| e.key_span), message)
                    .help("what comes after them is left out"),
            );
        }
        node
    }

    /// The stage that a plain deployment goes to.
    pub(super) fn stage(&mut self) -> String {
        if let Some(stage) = &self.stage {
            return stage.clone();
        }
        // Until it is known it is the framework's default, also within itself.
        self.stage = Some("dev".to_string());
        let found = self.lookup("provider.stage", 0).and_then(|node| node.scalar().map(str::to_string));
        let stage = found.filter(|stage| !stage.is_empty()).unwrap_or_else(|| "dev".to_string());
        self.stage = Some(stage.clone());
        // What was looked up meanwhile may have seen the default.
        self.known.clear();
        stage
    }

    /// The tree with every variable in it put in. `substituted` where the text is a `Fn::Sub`'s.
    fn expand(&mut self, node: &Node, substituted: bool, depth: usize) -> Node {
        if self.room == 0 || depth > 300 {
            return Node::null(node.span);
        }
        self.room -= 1;
        let substituted = substituted || node.tag.as_deref() == Some("Sub");
        let kind = match &node.kind {
            NodeKind::Scalar { text, plain } if text.contains("${") || self.pseudo && text.contains("#{") => {
                return self.scalar(node, text, *plain, substituted, depth);
            }
            NodeKind::Scalar { .. } => node.kind.clone(),
            NodeKind::Sequence(items) => NodeKind::Sequence(
                items
                    .iter()
                    .enumerate()
                    // Of `Fn::Sub: [text, values]` only the text is one.
                    .map(|(index, item)| self.expand(item, substituted && index == 0, depth + 1))
                    .collect(),
            ),
            NodeKind::Mapping(entries) => NodeKind::Mapping(
                entries
                    .iter()
                    .map(|entry| Entry {
                        key: entry.key.clone(),
                        key_span: entry.key_span,
                        value: self.expand(&entry.value, entry.key == "Fn::Sub", depth + 1),
                    })
                    .collect(),
            ),
        };
        Node { span: node.span, tag: node.tag.clone(), kind }
    }

    fn scalar(&mut self, node: &Node, text: &str, plain: bool, substituted: bool, depth: usize) -> Node {
        let pieces = pieces(text);
        if let [Piece::Variable(variable)] = pieces.as_slice()
            && let Some(found) = self.whole(variable, depth)
        {
            let mut found = (*found).clone();
            let weight = found.count();
            if weight > self.room {
                self.room = 0;
                return Node::null(node.span);
            }
            self.room -= weight;
            // A value is looked for where it is used; an object where it is written.
            if matches!(found.kind, NodeKind::Scalar { .. }) {
                found.span = node.span;
            } else if let Some(text) = single_substitution(&found) {
                found = match substituted {
                    true => text_node(text, node.span),
                    false => tree::substitution(text, node.span),
                };
            }
            if node.tag.is_some() {
                found.tag.clone_from(&node.tag);
            }
            return found;
        }
        // Text with what only deployment knows in it is what `Fn::Sub` is for.
        let mut out = String::new();
        let mut holes = false;
        for piece in pieces {
            let variable = match piece {
                Piece::Text(text) if self.pseudo && text.contains("#{") => {
                    holes = true;
                    let text = if substituted { text.to_string() } else { text.replace("${", "${!") };
                    out.push_str(&text.replace("#{", "${"));
                    continue;
                }
                Piece::Text(text) if substituted => {
                    out.push_str(text);
                    continue;
                }
                Piece::Text(text) => {
                    out.push_str(&text.replace("${", "${!"));
                    continue;
                }
                Piece::Variable(variable) => variable,
            };
            match self.variable(variable, depth + 1) {
                Found::Node(found) => match found.scalar() {
                    Some(text) if substituted => out.push_str(text),
                    Some(text) => out.push_str(&text.replace("${", "${!")),
                    None => match single_substitution(&found) {
                        Some(text) => {
                            holes = true;
                            out.push_str(text);
                        }
                        None => {
                            holes = true;
                            out.push_str(&format!("${{{}}}", self.hole(variable)));
                        }
                    },
                },
                Found::Hole(name) => {
                    holes = true;
                    out.push_str(&format!("${{{name}}}"));
                }
            }
            if out.len() > MAX_TEXT {
                return Node::null(node.span);
            }
        }
        if substituted {
            return Node { span: node.span, tag: node.tag.clone(), kind: NodeKind::Scalar { text: out, plain } };
        }
        if holes {
            return tree::substitution(&out, node.span);
        }
        let text = out.replace("${!", "${");
        Node { span: node.span, tag: node.tag.clone(), kind: NodeKind::Scalar { text, plain } }
    }

    /// What a variable that is all of a text gives; none where it is a hole.
    fn whole(&mut self, variable: &str, depth: usize) -> Option<Rc<Node>> {
        if let Some(known) = self.known.get(variable) {
            return known.clone();
        }
        let found = match self.variable(variable, depth + 1) {
            Found::Node(node) => Some(Rc::new(node)),
            Found::Hole(_) => None,
        };
        // A value that was cut short for its depth isn't the value.
        if depth < MAX_DEPTH / 2 && self.open.is_empty() {
            self.known.insert(variable.to_string(), found.clone());
        }
        found
    }

    fn hole(&mut self, name: &str) -> String {
        // The name stands between `${` and `}` of a substitution.
        let name: String = name.chars().map(|c| if matches!(c, '$' | '{' | '}' | '!') { '_' } else { c }).collect();
        let name = name.trim().to_string();
        self.holes.insert(name.clone());
        name
    }

    /// One variable: the first of its sources that gives something.
    fn variable(&mut self, variable: &str, depth: usize) -> Found {
        if depth > MAX_DEPTH || self.room == 0 {
            return Found::Hole(self.hole(variable));
        }
        self.room -= 1;
        let sources = sources(variable);
        for source in &sources {
            let source = source.trim();
            if let Some(literal) = literal(source) {
                return Found::Node(literal);
            }
            // `${self:custom.${opt:stage, 'dev'}.x}`: what stands inside comes first.
            let source = match self.inner(source, depth) {
                Some(source) => source,
                None => return Found::Hole(self.hole(variable)),
            };
            if let Some(found) = self.source(&source, depth) {
                return found;
            }
        }
        let only = sources.first().map_or("", |source| source.trim());
        match only {
            // The framework has defaults for both.
            "self:provider.stage" | "opt:stage" => Found::Node(text_node(self.stage(), self.root.span)),
            "self:provider.region" | "opt:region" => {
                let region = self.lookup("provider.region", depth + 1);
                Found::Node(region.unwrap_or_else(|| tree::substitution("${AWS::Region}", self.root.span)))
            }
            _ => Found::Hole(self.hole(only)),
        }
    }

    /// A source with the variables in it put in; none where one of them is a hole.
    fn inner(&mut self, source: &str, depth: usize) -> Option<String> {
        if !source.contains("${") {
            return Some(source.to_string());
        }
        let mut out = String::new();
        for piece in pieces(source) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(variable) => match self.variable(variable, depth + 1) {
                    Found::Node(node) => out.push_str(node.scalar()?),
                    Found::Hole(_) => return None,
                },
            }
        }
        (out.len() <= MAX_TEXT).then_some(out)
    }

    /// What one source gives; none where the next one counts.
    fn source(&mut self, source: &str, depth: usize) -> Option<Found> {
        let hole = |this: &mut Self| Some(Found::Hole(this.hole(source)));
        if let Some(rest) = source.strip_prefix("file(") {
            return self.file(rest, source, depth);
        }
        if let Some(rest) = source.strip_prefix("strToBool(") {
            let text = rest.trim_end_matches(')').trim().trim_matches(['\'', '"']).to_ascii_lowercase();
            let flag = matches!(text.as_str(), "true" | "1");
            let kind = NodeKind::Scalar { text: flag.to_string(), plain: true };
            return Some(Found::Node(Node { span: self.root.span, tag: None, kind }));
        }
        let (kind, address) = source.split_once(':').unwrap_or((source, ""));
        // Sources with arguments (`ssm(eu-west-1):`) are all outside of the repository.
        match kind.split('(').next().unwrap_or(kind) {
            "self" => self.lookup(address, depth).map(Found::Node),
            "opt" | "env" => None,
            "sls" if address == "stage" => Some(Found::Node(text_node(self.stage(), self.root.span))),
            "construct" => match super::lift::variable(&self.root, address) {
                Some(node) => Some(Found::Node(node)),
                None => hole(self),
            },
            "aws" => match address {
                "region" => Some(Found::Node(tree::substitution("${AWS::Region}", self.root.span))),
                "accountId" => Some(Found::Node(tree::substitution("${AWS::AccountId}", self.root.span))),
                _ => hole(self),
            },
            "param" => {
                let stage = self.stage();
                [
                    format!("params.{stage}.{address}"),
                    format!("stages.{stage}.params.{address}"),
                    format!("params.default.{address}"),
                    format!("stages.default.params.{address}"),
                ]
                .iter()
                .find_map(|path| self.lookup(path, depth))
                .map(Found::Node)
            }
            _ => hole(self),
        }
    }

    /// What stands at a path of the service.
    fn lookup(&mut self, path: &str, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH || !self.open.insert(path.to_string()) {
            return None;
        }
        let segments: Vec<&str> = path.split('.').filter(|segment| !segment.is_empty()).collect();
        let root = Rc::clone(&self.root);
        let mut found = self.walk(&root, &segments, depth);
        self.open.remove(path);
        // `service` may be an object with its name.
        if path == "service"
            && let Some(name) = found.as_ref().and_then(|service| service.get("name"))
        {
            found = Some(name.clone());
        }
        found
    }

    fn walk(&mut self, from: &Rc<Node>, segments: &[&str], depth: usize) -> Option<Node> {
        let mut node: &Node = from;
        for (index, segment) in segments.iter().enumerate() {
            if let NodeKind::Scalar { text, .. } = &node.kind {
                // The object is elsewhere: `custom: ${file(custom.yml)}`.
                let pieces = pieces(text);
                let [Piece::Variable(variable)] = pieces.as_slice() else { return None };
                let inner = self.whole(variable, depth + 1)?;
                return self.walk(&inner, segments.get(index..)?, depth + 1);
            }
            node = match node.get(segment) {
                Some(next) => next,
                None => node.items().get(segment.parse::<usize>().ok()?)?,
            };
        }
        let found = self.expand(node, false, depth + 1);
        (!found.is_null()).then_some(found)
    }

    /// `file(path)` or `file(path):key`.
    fn file(&mut self, rest: &str, source: &str, depth: usize) -> Option<Found> {
        let Some(end) = rest.rfind(')') else { return Some(Found::Hole(self.hole(source))) };
        let path = rest.get(..end)?.trim().trim_matches(['\'', '"']).to_string();
        let address = rest.get(end + 1..).unwrap_or("").trim().trim_start_matches(':');
        // What a program gives isn't in the repository; the framework runs it.
        if [".js", ".cjs", ".mjs", ".ts"].iter().any(|end| path.ends_with(end)) {
            return Some(Found::Hole(self.hole(source)));
        }
        let known = self.loaded.get(&path).cloned();
        let content = match known {
            Some(content) => content,
            None => {
                let content = self.open_file(&path);
                self.loaded.insert(path.clone(), content.clone());
                content
            }
        };
        let Some(content) = content else {
            if self.missing.insert(path.clone()) {
                let message = format!("`{path}` isn't here to be put in");
                self.diagnostics.push(
                    Diagnostic::at(Level::Note, READER, Span::new(self.root.span.file, 0, 0), message)
                        .help("what it holds is missing from what is said about this service"),
                );
            }
            return None;
        };
        let segments: Vec<&str> = address.split('.').filter(|segment| !segment.is_empty()).collect();
        let open = format!("file({path}):{address}");
        if depth > MAX_DEPTH || !self.open.insert(open.clone()) {
            return None;
        }
        let found = self.walk(&content, &segments, depth + 1);
        self.open.remove(&open);
        found.map(Found::Node)
    }

    fn open_file(&mut self, path: &str) -> Option<Rc<Node>> {
        let (file, full) = self.files.load(&self.folder, path)?;
        let extension = full.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        if !matches!(extension.as_str(), "yml" | "yaml" | "json") {
            let text = self.files.text(file).trim_end().to_string();
            return Some(Rc::new(text_node(text, Span::new(file, 0, 0))));
        }
        let document = self.files.document(file);
        self.diagnostics.extend(document.complaints.into_iter().map(crate::complaint));
        Some(Rc::new(document.root))
    }
}

/// The text of a node that is nothing but a `Fn::Sub` of text.
fn single_substitution(node: &Node) -> Option<&str> {
    match node.entries() {
        [entry] if entry.key == "Fn::Sub" => entry.value.scalar(),
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// Text cut into variables and what stands between them. `${AWS::Region}` and `${Name}` are CloudFormation's and stay text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("${")).map(|found| at + found) {
        let escaped = text.get(..start).is_some_and(|before| before.ends_with('\\'));
        let Some(end) = closing(text, start + 2) else { break };
        let content = text.get(start + 2..end).unwrap_or("");
        if escaped || !is_variable(content) {
            at = start + 2;
            continue;
        }
        if from < start {
            out.extend(text.get(from..start).map(Piece::Text));
        }
        out.push(Piece::Variable(content));
        from = end + 1;
        at = from;
    }
    if from < text.len() {
        out.extend(text.get(from..).map(Piece::Text));
    }
    out
}

/// Where the brace closes that opened before `from`.
fn closing(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 1_usize;
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        // Variables are short; text that never closes is no variable.
        if at - from > 4_096 {
            return None;
        }
        at += 1;
    }
    None
}

/// Whether what stands between the braces is the framework's: a source's name in lower case, then `:` or `(`.
fn is_variable(content: &str) -> bool {
    let content = content.trim_start();
    let length = content.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let starts = content.starts_with(|first: char| first.is_ascii_lowercase());
    match content.as_bytes().get(length) {
        Some(b'(') => starts && length > 0,
        Some(b':') => starts && length > 0 && content.as_bytes().get(length + 1) != Some(&b':'),
        _ => false,
    }
}

/// A variable cut at the commas between its sources.
fn sources(variable: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut from, mut depth, mut quote) = (0, 0_usize, None);
    for (at, byte) in variable.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'{' | b'(') => depth += 1,
            (None, b'}' | b')') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                out.extend(variable.get(from..at));
                from = at + 1;
            }
            _ => {}
        }
    }
    out.extend(variable.get(from..));
    out
}

/// A literal among the sources: text in quotes, a number, a truth value, null.
fn literal(source: &str) -> Option<Node> {
    let scalar = |text: &str, plain| {
        let kind = NodeKind::Scalar { text: text.to_string(), plain };
        Some(Node { span: Span::new(source::FileId(0), 0, 0), tag: None, kind })
    };
    for quote in ['\'', '"'] {
        if let Some(text) = source.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            // `"${self:custom.x}"` in quotes is text with a variable in it, which `inner` puts in.
            return if text.contains("${") { None } else { scalar(text, false) };
        }
    }
    match source {
        "true" | "false" | "null" => scalar(source, true),
        _ if !source.is_empty() && source.parse::<f64>().is_ok() => scalar(source, true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_own_holes_are_no_variables() {
        let text = "arn:${AWS::Partition}:x/${Table}-${self:custom.${opt:stage, 'dev'}.name, 'a,b'}-${aws:region}";
        let found: Vec<Piece<'_>> = pieces(text);
        assert_eq!(
            found,
            [
                Piece::Text("arn:${AWS::Partition}:x/${Table}-"),
                Piece::Variable("self:custom.${opt:stage, 'dev'}.name, 'a,b'"),
                Piece::Text("-"),
                Piece::Variable("aws:region"),
            ]
        );
        assert_eq!(
            sources("self:custom.${opt:stage, 'dev'}.name, 'a,b'"),
            ["self:custom.${opt:stage, 'dev'}.name", " 'a,b'"]
        );
        assert_eq!(sources("file(a, b.yml):x, 3"), ["file(a, b.yml):x", " 3"]);
        assert!(!is_variable("cognito-identity.amazonaws.com:sub"));
        assert!(!is_variable("Foo:bar"));
    }
}
