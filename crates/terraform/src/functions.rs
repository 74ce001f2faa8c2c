//! Terraform's functions, as far as their result can be told. Text with holes goes through those that work on text piece by
//! piece; every other function of something unknown is unknown.

use crate::datum::{Chunk, Datum, Field, Kind, MAX_TEXT, number_text, push};
use crate::evaluate::{Evaluator, Scope, entries, equal, set};
use crate::files::local_path;
use crate::parse::parse_template;
use crate::syntax::Expr;
use base64::Engine;
use graph::Part;
use sha2::Digest;
use source::Span;
use std::rc::Rc;

/// The longest list that a function makes by itself.
const MAX_ITEMS: usize = 10_000;
/// How deep lists are flattened.
const MAX_FLATTEN: usize = 32;

impl Evaluator<'_, '_> {
    pub(crate) fn call(
        &mut self,
        name: &str,
        arguments: &[Expr],
        spread: bool,
        span: Span,
        scope: &mut Scope,
    ) -> Datum {
        let name = name.strip_prefix("core::").unwrap_or(name);
        // The functions that don't need all of their arguments to have a value.
        match name {
            "try" => {
                let mut last = Datum::unknown(span, "try");
                for argument in arguments {
                    last = self.value(argument, scope);
                    if !last.is_unknown() {
                        break;
                    }
                }
                return last;
            }
            "can" => {
                let known = arguments.first().is_some_and(|argument| !self.value(argument, scope).is_unknown());
                return if known { Datum::new(span, Kind::Bool(true)) } else { Datum::unknown(span, "can") };
            }
            _ => {}
        }
        let mut values: Vec<Datum> = arguments.iter().map(|argument| self.value(argument, scope)).collect();
        if spread && let Some(last) = values.pop() {
            match last.kind {
                Kind::List(items) => values.extend(items),
                kind => values.push(Datum::new(last.span, kind)),
            }
        }
        let made = self.function(name, &values, span, scope);
        let made = made.unwrap_or_else(|| Datum::unknown(span, format!("{name}()")));
        if self.spend(made.weight()) { made } else { Datum::unknown(span, "too large") }
    }

    fn function(&mut self, name: &str, values: &[Datum], span: Span, scope: &mut Scope) -> Option<Datum> {
        let first = values.first();
        let text = |text: String| Some(Datum::text(span, text));
        let new = |kind: Kind| Some(Datum::new(span, kind));
        match name {
            "jsonencode" => new(Kind::Json(Box::new(first?.clone()))),
            "yamlencode" => new(Kind::Json(Box::new(first?.clone()))),
            "jsondecode" | "yamldecode" => first?.document().map(|found| Datum { span, ..found }),
            "file" | "filebase64" => {
                let file = self.open(first?)?;
                let length = self.files.text(file).len();
                let content = self.files.text(file).to_string();
                if content.len() > MAX_TEXT {
                    return None;
                }
                new(Kind::Text(vec![Chunk::Known(content, Span::new(file, 0, length))]))
            }
            "fileexists" => new(Kind::Bool(self.open(first?).is_some())),
            "templatefile" => {
                let file = self.open(first?)?;
                let content = self.files.text(file).to_string();
                let pieces = parse_template(file, &content).ok()?;
                self.fill(&pieces, values.get(1), span, scope)
            }
            "templatestring" => None,
            "fileset" => self.file_set(first?, values.get(1)?, span),
            "abspath" | "pathexpand" | "sensitive" | "nonsensitive" | "ephemeralasnull" => first.cloned(),
            "basename" => text(first?.as_text()?.rsplit('/').next().unwrap_or("").to_string()),
            "dirname" => {
                let path = first?.as_text()?;
                text(path.rsplit_once('/').map_or(".".to_string(), |(folder, _)| folder.to_string()))
            }
            "format" => self.format(first?, values.get(1..)?, span),
            "formatlist" => {
                let length = values.iter().skip(1).filter_map(|value| match &value.kind {
                    Kind::List(items) => Some(items.len()),
                    _ => None,
                });
                let length = length.max()?;
                let items: Option<Vec<Datum>> = (0..length)
                    .map(|at| {
                        let row: Option<Vec<Datum>> = values
                            .iter()
                            .skip(1)
                            .map(|value| match &value.kind {
                                Kind::List(items) => items.get(at).cloned(),
                                _ => Some(value.clone()),
                            })
                            .collect();
                        self.format(first?, &row?, span)
                    })
                    .collect();
                new(Kind::List(items?))
            }
            "join" => {
                let delimiter = first?.chunks();
                let mut chunks = Vec::new();
                let mut any = false;
                for list in values.get(1..)? {
                    let Kind::List(items) = &list.kind else { return None };
                    for item in items {
                        if any {
                            chunks.extend(delimiter.iter().cloned());
                        }
                        any = true;
                        chunks.extend(item.chunks());
                        if chunks.len() > MAX_ITEMS {
                            return None;
                        }
                    }
                }
                new(Kind::Text(chunks))
            }
            "split" => {
                let delimiter = first?.as_text().filter(|delimiter| !delimiter.is_empty())?;
                let parts = split(&values.get(1)?.chunks(), &delimiter)?;
                new(Kind::List(parts.into_iter().map(|chunks| Datum::new(span, Kind::Text(chunks))).collect()))
            }
            "lower" => map_text(first?, span, |text| text.to_lowercase()),
            "upper" => map_text(first?, span, |text| text.to_uppercase()),
            "title" => text(title(&first?.as_text()?)),
            "trimspace" => map_ends(first?, span, |letter| letter.is_whitespace(), true, true),
            "chomp" => map_ends(first?, span, |letter| matches!(letter, '\n' | '\r'), false, true),
            "trim" => {
                let letters = values.get(1)?.as_text()?;
                map_ends(first?, span, |letter| letters.contains(letter), true, true)
            }
            "trimprefix" => {
                let prefix = values.get(1)?.as_text()?;
                let mut chunks = first?.chunks();
                if let Some(Chunk::Known(text, _)) = chunks.first_mut()
                    && let Some(rest) = text.strip_prefix(&prefix)
                {
                    *text = rest.to_string();
                }
                new(Kind::Text(chunks))
            }
            "trimsuffix" => {
                let suffix = values.get(1)?.as_text()?;
                let mut chunks = first?.chunks();
                if let Some(Chunk::Known(text, _)) = chunks.last_mut()
                    && let Some(rest) = text.strip_suffix(&suffix)
                {
                    *text = rest.to_string();
                }
                new(Kind::Text(chunks))
            }
            "replace" => {
                let (from, to) = (values.get(1)?.as_text()?, values.get(2)?.as_text()?);
                // A pattern between slashes is a regular expression, which isn't read here.
                if from.is_empty() || (from.len() > 1 && from.starts_with('/') && from.ends_with('/')) {
                    return None;
                }
                let found = |chunk: &Chunk| match chunk {
                    Chunk::Known(text, _) => text.matches(from.as_str()).count(),
                    Chunk::Hole(..) => 0,
                };
                let times: usize = first?.chunks().iter().map(found).sum();
                if times.saturating_mul(to.len()) > MAX_TEXT {
                    return None;
                }
                map_text(first?, span, |text| text.replace(&from, &to))
            }
            "substr" => {
                let whole: Vec<char> = first?.as_text()?.chars().collect();
                let from = values.get(1)?.as_number()?;
                let length = values.get(2)?.as_number()?;
                let from = if from < 0.0 { (whole.len() as f64 + from).max(0.0) } else { from } as usize;
                let rest = whole.get(from.min(whole.len())..).unwrap_or(&[]);
                let count = if length < 0.0 { rest.len() } else { (length as usize).min(rest.len()) };
                text(rest.iter().take(count).collect())
            }
            "startswith" => new(Kind::Bool(first?.as_text()?.starts_with(&values.get(1)?.as_text()?))),
            "endswith" => new(Kind::Bool(first?.as_text()?.ends_with(&values.get(1)?.as_text()?))),
            "strcontains" => new(Kind::Bool(first?.as_text()?.contains(&values.get(1)?.as_text()?))),
            "base64encode" => text(base64::engine::general_purpose::STANDARD.encode(first?.as_text()?)),
            "base64decode" => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(first?.as_text()?).ok()?;
                text(String::from_utf8(bytes).ok()?)
            }
            "sha256" => {
                let digest = sha2::Sha256::digest(first?.as_text()?);
                text(digest.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            "tostring" => match &first?.kind {
                Kind::Number(_) | Kind::Bool(_) => text(first?.as_text()?),
                _ => first.cloned(),
            },
            "tonumber" => new(Kind::Number(first?.as_number()?)),
            "tobool" => new(Kind::Bool(first?.as_bool()?)),
            "tolist" | "tomap" | "toobject" => first.cloned(),
            "toset" | "distinct" | "compact" | "setunion" | "concat" => {
                let mut items: Vec<Datum> = Vec::new();
                for value in values {
                    match &value.kind {
                        Kind::List(list) => items.extend(list.iter().cloned()),
                        Kind::Object(fields) => items.extend(fields.iter().map(|field| field.value.clone())),
                        Kind::Null => {}
                        // What the rest holds is still worth knowing.
                        _ if name == "concat" && values.len() > 1 => items.push(value.clone()),
                        _ => return None,
                    }
                }
                if name == "compact" {
                    items.retain(|item| !item.is_null() && item.as_text().as_deref() != Some(""));
                }
                if name != "concat" && name != "compact" {
                    items = unique(items);
                }
                new(Kind::List(items))
            }
            "setsubtract" => {
                let removed = values.get(1)?.items();
                let kept =
                    first?.items().iter().filter(|item| !removed.iter().any(|other| equal(item, other) == Some(true)));
                new(Kind::List(kept.cloned().collect()))
            }
            "setintersection" => {
                let others = values.get(1..)?;
                let kept = first?.items().iter().filter(|item| {
                    others.iter().all(|list| list.items().iter().any(|other| equal(item, other) == Some(true)))
                });
                new(Kind::List(kept.cloned().collect()))
            }
            "setproduct" => {
                let mut rows: Vec<Vec<Datum>> = vec![Vec::new()];
                for value in values {
                    let Kind::List(items) = &value.kind else { return None };
                    if rows.len().saturating_mul(items.len()) > MAX_ITEMS {
                        return None;
                    }
                    rows = rows
                        .iter()
                        .flat_map(|row| {
                            items.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect())
                        })
                        .collect();
                }
                new(Kind::List(rows.into_iter().map(|row| Datum::new(span, Kind::List(row))).collect()))
            }
            "flatten" => {
                let mut items = Vec::new();
                flatten(first?, &mut items, 0);
                new(Kind::List(items))
            }
            "merge" => {
                let mut fields: Vec<Field> = Vec::new();
                for value in values {
                    match &value.kind {
                        Kind::Object(more) => {
                            for field in more {
                                set(&mut fields, field.clone());
                            }
                        }
                        Kind::Null => {}
                        // What isn't known may add to the rest, and the rest still counts.
                        _ if values.len() > 1 => {}
                        _ => return None,
                    }
                }
                new(Kind::Object(fields))
            }
            "lookup" => {
                let key = values.get(1)?.as_text();
                match (&first?.kind, key) {
                    (Kind::Object(fields), Some(key)) => fields
                        .iter()
                        .find(|field| field.key == key)
                        .map(|field| field.value.clone())
                        .or_else(|| values.get(2).cloned()),
                    _ => None,
                }
            }
            "keys" => match &first?.kind {
                Kind::Object(fields) => {
                    let mut keys: Vec<(String, Span)> =
                        fields.iter().map(|field| (field.key.clone(), field.key_span)).collect();
                    keys.sort();
                    new(Kind::List(keys.into_iter().map(|(key, span)| Datum::text(span, key)).collect()))
                }
                _ => None,
            },
            "values" => match &first?.kind {
                Kind::Object(fields) => {
                    let mut fields: Vec<&Field> = fields.iter().collect();
                    fields.sort_by(|left, right| left.key.cmp(&right.key));
                    new(Kind::List(fields.into_iter().map(|field| field.value.clone()).collect()))
                }
                _ => None,
            },
            "zipmap" => {
                let (keys, values) = (first?, values.get(1)?);
                let (Kind::List(keys), Kind::List(values)) = (&keys.kind, &values.kind) else { return None };
                let mut fields = Vec::new();
                for (key, value) in keys.iter().zip(values) {
                    set(&mut fields, Field { key: key.shown(), key_span: key.span, value: value.clone() });
                }
                new(Kind::Object(fields))
            }
            "element" => match &first?.kind {
                Kind::List(items) if !items.is_empty() => {
                    items.get(values.get(1)?.as_index().unwrap_or(0) % items.len()).cloned()
                }
                _ => None,
            },
            "one" => match &first?.kind {
                Kind::List(items) => match items.as_slice() {
                    [] => new(Kind::Null),
                    [one] => Some(one.clone()),
                    _ => None,
                },
                Kind::Null => new(Kind::Null),
                _ => first.cloned(),
            },
            "index" => {
                let wanted = values.get(1)?;
                let at = first?.items().iter().position(|item| equal(item, wanted) == Some(true))?;
                new(Kind::Number(at as f64))
            }
            "slice" => {
                let Kind::List(items) = &first?.kind else { return None };
                let (from, to) = (values.get(1)?.as_index()?, values.get(2)?.as_index()?);
                new(Kind::List(items.get(from..to.min(items.len()))?.to_vec()))
            }
            "reverse" => match &first?.kind {
                Kind::List(items) => new(Kind::List(items.iter().rev().cloned().collect())),
                _ => None,
            },
            "sort" => {
                let mut items = first?.items().to_vec();
                items.sort_by_cached_key(Datum::shown);
                new(Kind::List(items))
            }
            "chunklist" => {
                let size = values.get(1)?.as_index().filter(|size| *size > 0)?;
                let chunks = first?.items().chunks(size).map(|chunk| Datum::new(span, Kind::List(chunk.to_vec())));
                new(Kind::List(chunks.collect()))
            }
            "range" => {
                let numbers: Option<Vec<f64>> = values.iter().map(Datum::as_number).collect();
                let (from, to, step) = match numbers?.as_slice() {
                    [to] => (0.0, *to, 1.0),
                    [from, to] => (*from, *to, 1.0),
                    [from, to, step] if *step != 0.0 => (*from, *to, *step),
                    _ => return None,
                };
                let count = ((to - from) / step).ceil();
                if !(0.0..=MAX_ITEMS as f64).contains(&count) {
                    return None;
                }
                let items = (0..count as usize).map(|at| Datum::new(span, Kind::Number(from + step * at as f64)));
                new(Kind::List(items.collect()))
            }
            "length" => match &first?.kind {
                Kind::List(items) => new(Kind::Number(items.len() as f64)),
                Kind::Object(fields) => new(Kind::Number(fields.len() as f64)),
                Kind::Null => None,
                _ => new(Kind::Number(first?.as_text()?.chars().count() as f64)),
            },
            "contains" => {
                let wanted = values.get(1)?;
                let mut open = false;
                for item in first?.items() {
                    match equal(item, wanted) {
                        Some(true) => return new(Kind::Bool(true)),
                        Some(false) => {}
                        None => open = true,
                    }
                }
                if open || first?.is_unknown() { None } else { new(Kind::Bool(false)) }
            }
            "coalesce" | "coalescelist" => {
                let empty = |value: &Datum| match &value.kind {
                    Kind::Null => true,
                    Kind::List(items) => items.is_empty(),
                    Kind::Text(_) => value.as_text().as_deref() == Some(""),
                    _ => false,
                };
                values.iter().find(|value| !empty(value)).cloned()
            }
            "alltrue" | "anytrue" => {
                let flags: Option<Vec<bool>> = first?.items().iter().map(Datum::as_bool).collect();
                let flags = flags?;
                new(Kind::Bool(if name == "alltrue" {
                    flags.iter().all(|flag| *flag)
                } else {
                    flags.iter().any(|flag| *flag)
                }))
            }
            "max" | "min" => {
                let numbers: Option<Vec<f64>> = values.iter().map(Datum::as_number).collect();
                let best = numbers?.into_iter().reduce(if name == "max" { f64::max } else { f64::min })?;
                new(Kind::Number(best))
            }
            "floor" => new(Kind::Number(first?.as_number()?.floor())),
            "ceil" => new(Kind::Number(first?.as_number()?.ceil())),
            "abs" => new(Kind::Number(first?.as_number()?.abs())),
            "provider::aws::arn_build" => {
                let mut chunks = vec![Chunk::Known("arn".into(), span)];
                for value in values {
                    chunks.push(Chunk::Known(":".into(), span));
                    chunks.extend(value.chunks());
                }
                new(Kind::Text(chunks))
            }
            _ => None,
        }
    }

    /// The file that a value names, as seen from where Terraform runs.
    fn open(&mut self, path: &Datum) -> Option<source::FileId> {
        let path = self.resolve(&path.as_text()?)?;
        self.files.load(&path)
    }

    /// A path as written, relative to what is scanned.
    pub(crate) fn resolve(&self, written: &str) -> Option<String> {
        let root = &self.modules.first()?.folder.path;
        local_path(root, written)
    }

    fn fill(
        &mut self,
        pieces: &[crate::syntax::Piece],
        variables: Option<&Datum>,
        span: Span,
        scope: &Scope,
    ) -> Option<Datum> {
        let mut names = Vec::new();
        for (key, value) in entries(variables.unwrap_or(&Datum::new(span, Kind::Object(Vec::new()))))? {
            names.push((key.as_text()?, Rc::new(value)));
        }
        if self.depth > 120 {
            return None;
        }
        self.depth += 8;
        let mut inner = Scope { module: scope.module, closed: true, names, ..Scope::default() };
        let filled = self.template(pieces, span, &mut inner);
        self.depth -= 8;
        Some(filled)
    }

    fn file_set(&mut self, folder: &Datum, pattern: &Datum, span: Span) -> Option<Datum> {
        let folder = self.resolve(&folder.as_text()?)?;
        let pattern = pattern.as_text()?;
        // Only patterns of one folder: what lies deeper would take a walk.
        let (before, last) = pattern.rsplit_once('/').map_or(("", pattern.as_str()), |(before, last)| (before, last));
        if before.contains('*') || last.contains("**") || last.contains(['{', '[']) {
            return None;
        }
        let full = local_path(&folder, if before.is_empty() { "." } else { before })?;
        let names = self.files.list(&full);
        let matched = names
            .into_iter()
            .filter(|name| matches(last, name))
            .take(MAX_ITEMS)
            .map(|name| Datum::text(span, if before.is_empty() { name } else { format!("{before}/{name}") }));
        Some(Datum::new(span, Kind::List(matched.collect())))
    }

    fn format(&mut self, pattern: &Datum, values: &[Datum], span: Span) -> Option<Datum> {
        let mut chunks = Vec::new();
        let mut values = values.iter();
        for chunk in pattern.chunks() {
            let Chunk::Known(text, place) = chunk else {
                chunks.push(chunk);
                continue;
            };
            let mut rest = text.as_str();
            while let Some(at) = rest.find('%') {
                push(&mut chunks, Chunk::Known(rest[..at].to_string(), place));
                rest = &rest[at + 1..];
                let end = rest.find(|letter: char| letter.is_ascii_alphabetic() || letter == '%')?;
                let (flags, verb) = (&rest[..end], rest[end..].chars().next()?);
                rest = &rest[end + verb.len_utf8()..];
                match verb {
                    '%' => push(&mut chunks, Chunk::Known("%".into(), place)),
                    's' | 'v' => chunks.extend(values.next()?.chunks()),
                    'q' => {
                        chunks.push(Chunk::Known("\"".into(), place));
                        chunks.extend(values.next()?.chunks());
                        chunks.push(Chunk::Known("\"".into(), place));
                    }
                    'd' => {
                        let value = values.next()?;
                        match value.as_number() {
                            Some(number) => {
                                let shown = number_text(number.trunc());
                                let width = flags.trim_start_matches('0').parse::<usize>().unwrap_or(0).min(64);
                                let padded = if flags.starts_with('0') {
                                    format!("{shown:0>width$}")
                                } else {
                                    format!("{shown:>width$}")
                                };
                                push(&mut chunks, Chunk::Known(padded, place));
                            }
                            None => chunks.extend(value.chunks()),
                        }
                    }
                    'x' => push(&mut chunks, Chunk::Known(format!("{:x}", values.next()?.as_index()?), place)),
                    't' => chunks.extend(values.next()?.chunks()),
                    _ => chunks.push(Chunk::Hole(Part::Unknown("a formatted number".into()), values.next()?.span)),
                }
            }
            push(&mut chunks, Chunk::Known(rest.to_string(), place));
        }
        Some(Datum::new(span, Kind::Text(chunks)))
    }
}

fn map_text(value: &Datum, span: Span, change: impl Fn(&str) -> String) -> Option<Datum> {
    if value.is_unknown() || matches!(value.kind, Kind::List(_) | Kind::Object(_)) {
        return None;
    }
    let chunks = value.chunks().into_iter().map(|chunk| match chunk {
        Chunk::Known(text, place) => Chunk::Known(change(&text), place),
        hole => hole,
    });
    Some(Datum::new(span, Kind::Text(chunks.collect())))
}

fn map_ends(value: &Datum, span: Span, wanted: impl Fn(char) -> bool, start: bool, end: bool) -> Option<Datum> {
    if value.is_unknown() {
        return None;
    }
    let mut chunks = value.chunks();
    if start && let Some(Chunk::Known(text, _)) = chunks.first_mut() {
        *text = text.trim_start_matches(&wanted).to_string();
    }
    if end && let Some(Chunk::Known(text, _)) = chunks.last_mut() {
        *text = text.trim_end_matches(&wanted).to_string();
    }
    Some(Datum::new(span, Kind::Text(chunks)))
}

/// Text cut at a delimiter; none where a hole may hold delimiters that matter, as an ARN or URL does.
fn split(chunks: &[Chunk], delimiter: &str) -> Option<Vec<Vec<Chunk>>> {
    let mut parts = vec![Vec::new()];
    for chunk in chunks {
        match chunk {
            Chunk::Known(text, span) => {
                for (at, piece) in text.split(delimiter).enumerate() {
                    if at > 0 {
                        parts.push(Vec::new());
                    }
                    if let Some(last) = parts.last_mut() {
                        push(last, Chunk::Known(piece.to_string(), *span));
                    }
                    if parts.len() > MAX_ITEMS {
                        return None;
                    }
                }
            }
            Chunk::Hole(Part::Pseudo(_) | Part::Parameter(_), _) => parts.last_mut()?.push(chunk.clone()),
            Chunk::Hole(Part::Ref(_), _) if delimiter != ":" => parts.last_mut()?.push(chunk.clone()),
            Chunk::Hole(..) => return None,
        }
    }
    Some(parts)
}

fn unique(items: Vec<Datum>) -> Vec<Datum> {
    let mut seen = std::collections::HashSet::new();
    items.into_iter().filter(|item| !matches!(item.kind, Kind::Text(_)) || seen.insert(item.shown())).collect()
}

fn flatten(value: &Datum, out: &mut Vec<Datum>, depth: usize) {
    match &value.kind {
        Kind::List(items) if depth < MAX_FLATTEN => items.iter().for_each(|item| flatten(item, out, depth + 1)),
        _ => out.push(value.clone()),
    }
}

fn title(text: &str) -> String {
    let mut start = true;
    text.chars()
        .map(|letter| {
            let made = if start { letter.to_ascii_uppercase() } else { letter };
            start = letter.is_whitespace();
            made
        })
        .collect()
}

/// Whether a name matches a pattern with `*` and `?`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(letter) if *letter == '?' || Some(letter) == name.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match &mut star {
                Some((star_at, star_from)) => {
                    *star_from += 1;
                    at = *star_at + 1;
                    from = *star_from;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_none_or(|rest| rest.iter().all(|letter| *letter == '*'))
}
