//! From text to tree. A parser of our own because the text comes from strangers: nesting is bounded, every step is linear, and
//! a mistake costs the attribute or block it is in, not the file. What the tree means is left to `evaluate`.

use crate::syntax::{Attribute, Block, Body, Expr, ExprKind, For, Operator, Piece, Step};
use source::{Complaint, FileId, Span};

/// How deep blocks, brackets and templates may nest.
pub(crate) const MAX_DEPTH: usize = 48;
/// How many mistakes of one file are told.
pub(crate) const MAX_COMPLAINTS: usize = 16;
/// How many operators of one precedence, or steps of one path, may follow each other.
const MAX_CHAIN: usize = 512;

/// Blocks that stand at the top of a file, so that one in the first column shows that a brace before it is missing.
const TOP: [&str; 11] = [
    "resource",
    "data",
    "module",
    "variable",
    "locals",
    "output",
    "provider",
    "terraform",
    "moved",
    "import",
    "removed",
];

/// A mistake: where, and what was expected.
pub(crate) struct Mistake {
    pub(crate) at: usize,
    pub(crate) message: String,
}

pub(crate) type Parsed<T> = Result<T, Mistake>;

/// Reads a file.
pub(crate) fn parse(file: FileId, text: &str) -> (Body, Vec<Complaint>) {
    let mut parser = Parser::new(file, text);
    if text.starts_with('\u{feff}') {
        parser.at = '\u{feff}'.len_utf8();
    }
    let body = parser.body(0);
    (body, parser.complaints)
}

/// Reads text as a template, as `templatefile` does; its expressions have their places in `file`.
pub(crate) fn parse_template(file: FileId, text: &str) -> Result<Vec<Piece>, Complaint> {
    let mut parser = Parser::new(file, text);
    parser.template(text.len(), false, 0, 0).map_err(|mistake| parser.complaint(mistake))
}

/// Reads an expression or, in JSON configurations, the text of a template.
pub(crate) struct Parser<'a> {
    pub(crate) file: FileId,
    pub(crate) text: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    /// Line breaks are white space.
    pub(crate) wide: bool,
    complaints: Vec<Complaint>,
}

impl<'a> Parser<'a> {
    fn new(file: FileId, text: &'a str) -> Self {
        Self { file, text, bytes: text.as_bytes(), at: 0, wide: false, complaints: Vec::new() }
    }

    pub(crate) fn span(&self, start: usize) -> Span {
        Span::new(self.file, start, self.at)
    }

    fn complaint(&self, mistake: Mistake) -> Complaint {
        let at = mistake.at.min(self.bytes.len());
        let length = self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        Complaint { span: Span::new(self.file, at, at + length), message: mistake.message, help: None }
    }

    fn complain(&mut self, mistake: Mistake, help: &str) {
        if self.complaints.len() < MAX_COMPLAINTS {
            let mut complaint = self.complaint(mistake);
            complaint.help = Some(help.to_string());
            self.complaints.push(complaint);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn starts(&self, text: &str) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let found = self.starts(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(crate) fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { self.fail(format!("expected `{text}`")) }
    }

    pub(crate) fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Mistake { at: self.at, message: message.into() })
    }

    /// Passes over spaces and comments, line breaks too where `lines`.
    pub(crate) fn space(&mut self, lines: bool) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if lines => self.at += 1,
                b'#' => self.line_end(),
                b'/' if self.starts("//") => self.line_end(),
                b'/' if self.starts("/*") => {
                    let rest = self.text.get(self.at + 2..).unwrap_or("");
                    self.at = rest.find("*/").map_or(self.bytes.len(), |end| self.at + 2 + end + 2);
                }
                _ => break,
            }
        }
    }

    pub(crate) fn gap(&mut self) {
        let wide = self.wide;
        self.space(wide);
    }

    fn line_end(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    pub(crate) fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let first = rest.chars().next()?;
        if !(first.is_alphabetic() || first == '_') {
            return None;
        }
        let end = rest
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '-'))
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end)
    }

    /// Whether a block that belongs to the top of a file begins here, in the first column.
    fn at_top_block(&self) -> bool {
        if self.at > 0 && self.bytes.get(self.at - 1) != Some(&b'\n') {
            return false;
        }
        let rest = self.text.get(self.at..).unwrap_or("");
        TOP.iter().any(|word| {
            rest.strip_prefix(word).is_some_and(|after| {
                let line = after.lines().next().unwrap_or("").trim();
                after.starts_with([' ', '\t', '{']) && (line.starts_with('"') || line.starts_with('{'))
            })
        })
    }

    fn body(&mut self, depth: usize) -> Body {
        let mut body = Body::default();
        loop {
            self.wide = false;
            self.space(true);
            match self.peek() {
                None => break,
                Some(b'}') if depth > 0 => break,
                Some(b'}') => {
                    let mistake = Mistake { at: self.at, message: "a brace closes nothing".into() };
                    self.complain(mistake, "is one missing, or one too many, before it?");
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            if depth > 0 && self.at_top_block() {
                break;
            }
            let before = self.at;
            if let Err(mistake) = self.item(&mut body, depth) {
                let at = mistake.at;
                self.complain(mistake, "what stands there is passed over, the rest is read");
                self.at = at.max(before).max(self.at.min(at));
                self.recover(depth);
                if self.at <= before {
                    self.at = before + 1;
                    while !self.text.is_char_boundary(self.at) {
                        self.at += 1;
                    }
                }
            }
        }
        body
    }

    /// Goes to where reading may go on after a mistake: the next line, at the top of a file the next block.
    fn recover(&mut self, depth: usize) {
        loop {
            self.line_end();
            if self.at >= self.bytes.len() {
                return;
            }
            self.at += 1;
            if depth > 0 || self.at_top_block() {
                return;
            }
        }
    }

    fn item(&mut self, body: &mut Body, depth: usize) -> Parsed<()> {
        let start = self.at;
        let quoted = self.peek() == Some(b'"');
        let name = if quoted {
            self.label()?
        } else {
            match self.identifier() {
                Some(name) => name.to_string(),
                None => return self.fail("expected an attribute or a block"),
            }
        };
        let name_span = self.span(start);
        self.space(false);
        if self.peek() == Some(b'=') && !self.starts("==") {
            self.at += 1;
            self.space(false);
            let value = self.expression(depth)?;
            self.space(false);
            match self.peek() {
                None | Some(b'\n' | b'}' | b',') => {}
                Some(_) => return self.fail(format!("unexpected text after the value of `{name}`")),
            }
            // A comma belongs to JSON or an object, but what is meant is plain.
            self.eat(",");
            body.attributes.push(Attribute { name, name_span, value });
            return Ok(());
        }
        let mut labels = Vec::new();
        let mut head_end = self.at;
        loop {
            match self.peek() {
                Some(b'{') => break,
                Some(b'"') => labels.push(self.label()?),
                _ => match self.identifier() {
                    Some(label) => labels.push(label.to_string()),
                    None => return self.fail(format!("expected `=` or `{{` after `{name}`")),
                },
            }
            head_end = self.at;
            self.space(false);
        }
        if depth >= MAX_DEPTH {
            return self.fail("nested too deep");
        }
        self.at += 1;
        let inner = self.body(depth + 1);
        if !self.eat("}") {
            let mistake = Mistake { at: start, message: format!("the block `{name}` is not closed") };
            self.complain(mistake, "add a `}`");
        }
        let head = Span::new(self.file, start, head_end.max(start + name.len()));
        body.blocks.push(Block { kind: name, labels, head, span: self.span(start), body: inner });
        Ok(())
    }

    /// A quoted label or key without templates.
    fn label(&mut self) -> Parsed<String> {
        let start = self.at;
        self.expect("\"")?;
        let mut text = String::new();
        while let Some(letter) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            self.at += letter.len_utf8();
            match letter {
                '"' => return Ok(text),
                '\n' => break,
                '\\' => {
                    if let Some(next) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
                        self.at += next.len_utf8();
                        text.push(next);
                    }
                }
                letter => text.push(letter),
            }
        }
        Err(Mistake { at: start, message: "a quoted name is not closed".into() })
    }

    pub(crate) fn expression(&mut self, depth: usize) -> Parsed<Expr> {
        if depth >= MAX_DEPTH {
            return self.fail("nested too deep");
        }
        let start = self.at;
        let condition = self.operators(depth, 0)?;
        let before = self.at;
        self.gap();
        if !self.eat("?") {
            self.at = before;
            return Ok(condition);
        }
        self.gap();
        let then = self.expression(depth + 1)?;
        self.gap();
        self.expect(":")?;
        self.gap();
        let otherwise = self.expression(depth + 1)?;
        Ok(Expr { span: self.span(start), kind: ExprKind::Conditional(Box::new((condition, then, otherwise))) })
    }

    fn operator(&mut self, level: usize) -> Option<Operator> {
        const LEVELS: [&[(&str, Operator)]; 6] = [
            &[("||", Operator::Or)],
            &[("&&", Operator::And)],
            &[("==", Operator::Equal), ("!=", Operator::Different)],
            &[
                ("<=", Operator::LessOrEqual),
                (">=", Operator::GreaterOrEqual),
                ("<", Operator::Less),
                (">", Operator::Greater),
            ],
            &[("+", Operator::Add), ("-", Operator::Subtract)],
            &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
        ];
        let found = LEVELS.get(level)?.iter().find(|(text, _)| self.starts(text))?;
        self.at += found.0.len();
        Some(found.1)
    }

    fn operators(&mut self, depth: usize, level: usize) -> Parsed<Expr> {
        if level > 5 {
            return self.unary(depth);
        }
        let start = self.at;
        let first = self.operators(depth, level + 1)?;
        let mut rest = Vec::new();
        loop {
            let before = self.at;
            self.gap();
            let Some(operator) = self.operator(level) else {
                self.at = before;
                break;
            };
            if rest.len() >= MAX_CHAIN {
                return self.fail("too many operators in a row");
            }
            self.gap();
            rest.push((operator, self.operators(depth, level + 1)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr { span: self.span(start), kind: ExprKind::Binary(Box::new(first), rest) })
    }

    fn unary(&mut self, depth: usize) -> Parsed<Expr> {
        let start = self.at;
        let operator = match self.peek() {
            Some(b'!') if !self.starts("!=") => Operator::Not,
            Some(b'-') => Operator::Subtract,
            _ => return self.path(depth),
        };
        if depth >= MAX_DEPTH {
            return self.fail("nested too deep");
        }
        self.at += 1;
        self.gap();
        let operand = self.unary(depth + 1)?;
        Ok(Expr { span: self.span(start), kind: ExprKind::Unary(operator, Box::new(operand)) })
    }

    fn path(&mut self, depth: usize) -> Parsed<Expr> {
        let start = self.at;
        let base = self.primary(depth)?;
        let mut steps = Vec::new();
        loop {
            let before = self.at;
            self.gap();
            if steps.len() >= MAX_CHAIN {
                return self.fail("too many steps in a row");
            }
            if self.peek() == Some(b'[') && (self.wide || before == self.at) {
                self.at += 1;
                let wide = std::mem::replace(&mut self.wide, true);
                self.gap();
                if self.eat("*") {
                    steps.push(Step::Splat);
                } else {
                    steps.push(Step::Index(self.expression(depth + 1)?));
                }
                self.gap();
                self.expect("]")?;
                self.wide = wide;
            } else if self.peek() == Some(b'.') && !self.starts("...") {
                self.at += 1;
                self.gap();
                let from = self.at;
                if self.eat("*") {
                    steps.push(Step::Splat);
                } else if let Some(name) = self.identifier() {
                    steps.push(Step::Attribute(name.to_string()));
                } else {
                    let digits =
                        self.bytes.get(self.at..).unwrap_or(&[]).iter().take_while(|byte| byte.is_ascii_digit());
                    self.at += digits.count();
                    match self.text.get(from..self.at).unwrap_or("").parse::<u32>() {
                        Ok(number) => steps.push(Step::Index(Expr {
                            span: self.span(from),
                            kind: ExprKind::Number(f64::from(number)),
                        })),
                        Err(_) => return self.fail("expected a name after `.`"),
                    }
                }
            } else {
                self.at = before;
                break;
            }
        }
        if steps.is_empty() {
            return Ok(base);
        }
        Ok(Expr { span: self.span(start), kind: ExprKind::Path(Box::new(base), steps) })
    }

    fn primary(&mut self, depth: usize) -> Parsed<Expr> {
        if depth >= MAX_DEPTH {
            return self.fail("nested too deep");
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => self.quoted(depth)?,
            Some(b'<') if self.starts("<<") => self.heredoc(depth)?,
            Some(b'(') => {
                self.at += 1;
                let wide = std::mem::replace(&mut self.wide, true);
                self.gap();
                let inner = self.expression(depth + 1)?;
                self.gap();
                self.wide = wide;
                self.expect(")")?;
                return Ok(Expr { span: self.span(start), kind: inner.kind });
            }
            Some(b'[') => self.list(depth)?,
            Some(b'{') => self.object(depth)?,
            Some(byte) if byte.is_ascii_digit() => self.number()?,
            _ => {
                let Some(name) = self.identifier() else { return self.fail("expected a value") };
                // `provider::aws::function(…)`.
                while self.starts("::") {
                    self.at += 2;
                    if self.identifier().is_none() {
                        return self.fail("expected a name after `::`");
                    }
                }
                let full = self.text.get(start..self.at).unwrap_or(name);
                let before = self.at;
                self.gap();
                if self.peek() == Some(b'(') {
                    let (arguments, spread) = self.arguments(depth)?;
                    ExprKind::Call(full.to_string(), arguments, spread)
                } else {
                    self.at = before;
                    match full {
                        "null" => ExprKind::Null,
                        "true" => ExprKind::Bool(true),
                        "false" => ExprKind::Bool(false),
                        name => ExprKind::Variable(name.to_string()),
                    }
                }
            }
        };
        Ok(Expr { span: self.span(start), kind })
    }

    fn number(&mut self) -> Parsed<ExprKind> {
        let start = self.at;
        let mut last = 0;
        while let Some(byte) = self.peek() {
            let fraction = byte == b'.' && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
            let sign = matches!(byte, b'+' | b'-') && matches!(last, b'e' | b'E');
            if !(byte.is_ascii_digit() || fraction || sign || matches!(byte, b'e' | b'E')) {
                break;
            }
            last = byte;
            self.at += 1;
        }
        match self.text.get(start..self.at).unwrap_or("").parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(ExprKind::Number(number)),
            _ => Err(Mistake { at: start, message: "not a number".into() }),
        }
    }

    fn arguments(&mut self, depth: usize) -> Parsed<(Vec<Expr>, bool)> {
        self.expect("(")?;
        let wide = std::mem::replace(&mut self.wide, true);
        let mut arguments = Vec::new();
        let mut spread = false;
        loop {
            self.gap();
            if self.eat(")") {
                break;
            }
            arguments.push(self.expression(depth + 1)?);
            self.gap();
            spread |= self.eat("...");
            self.gap();
            if !self.eat(",") {
                self.expect(")")?;
                break;
            }
        }
        self.wide = wide;
        Ok((arguments, spread))
    }

    fn list(&mut self, depth: usize) -> Parsed<ExprKind> {
        self.expect("[")?;
        let wide = std::mem::replace(&mut self.wide, true);
        self.gap();
        if let Some(looped) = self.for_expression(depth, b']')? {
            self.wide = wide;
            return Ok(looped);
        }
        let mut items = Vec::new();
        loop {
            self.gap();
            if self.eat("]") {
                break;
            }
            items.push(self.expression(depth + 1)?);
            self.gap();
            if !self.eat(",") {
                self.expect("]")?;
                break;
            }
        }
        self.wide = wide;
        Ok(ExprKind::List(items))
    }

    fn object(&mut self, depth: usize) -> Parsed<ExprKind> {
        self.expect("{")?;
        let wide = std::mem::replace(&mut self.wide, true);
        self.gap();
        if let Some(looped) = self.for_expression(depth, b'}')? {
            self.wide = wide;
            return Ok(looped);
        }
        let mut entries = Vec::new();
        loop {
            self.wide = true;
            self.gap();
            if self.eat("}") {
                break;
            }
            self.wide = false;
            let key = self.expression(depth + 1)?;
            self.space(true);
            if !self.eat("=") && !self.eat(":") {
                return self.fail("expected `=` after a key");
            }
            self.space(true);
            let value = self.expression(depth + 1)?;
            entries.push((key, value));
            self.space(false);
            match self.peek() {
                Some(b',' | b'\n') => self.at += 1,
                Some(b'}') => {}
                _ => return self.fail("expected `,`, a new line or `}`"),
            }
        }
        self.wide = wide;
        Ok(ExprKind::Object(entries))
    }

    /// What follows an opening bracket, if it is a loop.
    fn for_expression(&mut self, depth: usize, close: u8) -> Parsed<Option<ExprKind>> {
        let start = self.at;
        if self.identifier() != Some("for") || !self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at = start;
            return Ok(None);
        }
        self.gap();
        let Some(first) = self.identifier() else {
            self.at = start;
            return Ok(None);
        };
        let (key_name, value_name) = self.loop_names(first)?;
        let collection = self.expression(depth + 1)?;
        self.gap();
        self.expect(":")?;
        self.gap();
        let mut key = None;
        let mut value = self.expression(depth + 1)?;
        self.gap();
        if close == b'}' {
            self.expect("=>")?;
            self.gap();
            key = Some(std::mem::replace(&mut value, self.expression(depth + 1)?));
            self.gap();
        }
        let group = self.eat("...");
        self.gap();
        let mut condition = None;
        let before = self.at;
        if self.identifier() == Some("if") {
            self.gap();
            condition = Some(self.expression(depth + 1)?);
            self.gap();
        } else {
            self.at = before;
        }
        self.expect(if close == b'}' { "}" } else { "]" })?;
        let looped = For { key_name, value_name, collection, key, value, condition, group };
        Ok(Some(ExprKind::For(Box::new(looped))))
    }

    /// `, v in` after the first name of a loop.
    pub(crate) fn loop_names(&mut self, first: &str) -> Parsed<(Option<String>, String)> {
        self.gap();
        let mut names = (None, first.to_string());
        if self.eat(",") {
            self.gap();
            match self.identifier() {
                Some(second) => names = (Some(first.to_string()), second.to_string()),
                None => return self.fail("expected a name"),
            }
            self.gap();
        }
        if self.identifier() != Some("in") {
            return self.fail("expected `in`");
        }
        self.gap();
        Ok(names)
    }
}
