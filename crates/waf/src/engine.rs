//! One text against all rules.
//!
//! Leaves the unwrapping of encoded texts to [`crate::walk`]; here a text is looked at as it stands and in the few
//! spellings that its readers take for the same thing (comments in a query, quotes in a command line).

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::canonical;
use crate::context::{Context, FieldKind};
use crate::prefilter::{self, Candidates, Classes, Prefilter};
use crate::rules::{self, Hit, Pattern, RuleInfo, Scope, Subject, Test};
use crate::verdict::{Match, excerpt};

/// The compiled rules. Build once, share freely: inspecting needs no lock.
pub struct Engine {
    prefilter: Prefilter,
    patterns: Vec<Pattern>,
    infos: Vec<&'static RuleInfo>,
    expressions: Vec<OnceLock<Regex>>,
    /// Patterns that need no literal, by the scope that makes them run.
    unconditional: Vec<usize>,
    keys: Vec<usize>,
}

/// More matches than this in one report tell a reader nothing more.
const MAX_MATCHES: usize = 256;

impl Engine {
    /// Builds the prefilter over all rules. Regular expressions are compiled when a text first needs them.
    pub fn new() -> Engine {
        let (mut patterns, mut infos) = (Vec::new(), Vec::new());
        for rule in rules::all() {
            for pattern in rule.patterns {
                patterns.push(*pattern);
                infos.push(&rule.info);
            }
        }
        let numbers = |wanted: fn(&Pattern) -> bool| {
            patterns.iter().enumerate().filter(|(_, pattern)| wanted(pattern)).map(|(index, _)| index).collect()
        };
        Engine {
            prefilter: Prefilter::new(&patterns),
            unconditional: numbers(|pattern| pattern.literals.is_empty()),
            keys: numbers(|pattern| pattern.scope == Scope::Keys),
            expressions: patterns.iter().map(|_| OnceLock::new()).collect(),
            patterns,
            infos,
        }
    }

    /// The engine all of a process can share, built at first use.
    pub fn shared() -> &'static Engine {
        static SHARED: OnceLock<Engine> = OnceLock::new();
        SHARED.get_or_init(Engine::new)
    }

    /// Compiles every expression now, for a program that would rather start slower than answer its first odd event slower.
    pub fn warm(&self) {
        for (index, pattern) in self.patterns.iter().enumerate() {
            if let Test::Expression(source) = pattern.test {
                self.expression(index, source);
            }
        }
    }

    /// Inspects one text as it stands (no decoding: that is [`Engine::walk`]'s) and adds what it finds to `matches`.
    pub fn inspect(&self, field_path: &str, text: &str, context: Context, matches: &mut Vec<Match>) {
        self.inspect_classified(field_path, text, Classes::of(text), context, matches);
    }

    pub(crate) fn inspect_classified(
        &self,
        field: &str,
        text: &str,
        classes: Classes,
        context: Context,
        matches: &mut Vec<Match>,
    ) {
        self.inspect_form(field, text, classes, context, u32::MAX, matches);
        if context.kind == FieldKind::Envelope || classes.is_plain() {
            return;
        }
        for form in canonical::forms(text, classes) {
            self.inspect_form(field, &form.text, Classes::of(&form.text), context, form.families, matches);
        }
    }

    fn inspect_form(
        &self,
        field: &str,
        text: &str,
        classes: Classes,
        context: Context,
        families: u32,
        matches: &mut Vec<Match>,
    ) {
        let mut candidates: Candidates = prefilter::NONE;
        let mut any = self.prefilter.search(text, classes, &mut candidates);
        if !context.reaches.is_empty() || context.kind == FieldKind::Url {
            for &index in &self.unconditional {
                any = true;
                set(&mut candidates, index);
            }
        }
        if context.key {
            any = true;
            self.keys.iter().for_each(|&index| set(&mut candidates, index));
        }
        if !any {
            return;
        }
        let subject = Subject { text, context };
        for index in prefilter::members(candidates) {
            let (Some(pattern), Some(info)) = (self.patterns.get(index), self.infos.get(index)) else { continue };
            if families & info.family.bit() == 0 {
                continue;
            }
            let in_scope = match pattern.scope {
                Scope::Everywhere => true,
                Scope::Keys => context.key,
                Scope::Sink(sink) => context.reaches.contains(sink),
            };
            if !in_scope {
                continue;
            }
            let Some(hit) = self.test(index, pattern, &subject) else { continue };
            // What stands between a document's fences is quoted, whatever the field is.
            let fenced = pattern.prose && context.kind == FieldKind::Unknown && in_fence(text, hit.range.start);
            let kind = if fenced { FieldKind::FreeText } else { context.kind };
            if let Some(confidence) = pattern.weigh(info.family, hit.confidence, Context { kind, ..context }) {
                // Who quotes a command quotes its path, too: what prose may hold is told once.
                let quoted = kind == FieldKind::FreeText && confidence == crate::Confidence::Hint;
                if quoted && matches.iter().rev().take(64).any(|other| other.family == info.family) {
                    continue;
                }
                let found = Match {
                    rule: info.id,
                    family: info.family,
                    severity: info.severity,
                    confidence,
                    field: field.to_owned(),
                    excerpt: excerpt(text.as_bytes(), hit.range),
                    message: info.message,
                    cwe: info.cwe,
                };
                record(found, matches);
            }
        }
    }

    fn test(&self, index: usize, pattern: &Pattern, subject: &Subject<'_>) -> Option<Hit> {
        match pattern.test {
            Test::Expression(source) => {
                let found = self.expression(index, source)?.find(subject.text.as_bytes())?;
                Some(Hit { range: found.range(), confidence: pattern.confidence })
            }
            Test::Word => pattern
                .literals
                .contains(&subject.text)
                .then_some(Hit { range: 0..subject.text.len(), confidence: pattern.confidence }),
            Test::Analyser(run) => run(subject),
        }
    }

    fn expression(&self, index: usize, source: &str) -> Option<&Regex> {
        Some(self.expressions.get(index)?.get_or_init(|| compile(source)))
    }
}

impl Default for Engine {
    fn default() -> Engine {
        Engine::new()
    }
}

/// Compiles an expression of the rule tables: bytes, any case, `.` matching line breaks.
pub(crate) fn compile(source: &str) -> Regex {
    RegexBuilder::new(source)
        .unicode(false)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .build()
        .expect("a rule's expression is well formed: a test compiles each of them")
}

/// Whether `at` lies in a fenced block of a Markdown document: three backticks at the start of a line before it, and again
/// behind it.
fn in_fence(text: &str, at: usize) -> bool {
    let Some(before) = text.get(..at) else { return false };
    let fences = |part: &str| part.lines().filter(|line| line.trim_start().starts_with("```")).count();
    if !before.contains("```") || fences(before) % 2 == 0 {
        return false;
    }
    text.get(at..).is_some_and(|after| {
        after.contains("\n") && after.lines().skip(1).any(|line| line.trim_start().starts_with("```"))
    })
}

fn set(candidates: &mut Candidates, index: usize) {
    if let Some(word) = candidates.get_mut(index / 64) {
        *word |= 1 << (index % 64);
    }
}

/// Keeps one match per rule and field, the surest.
pub(crate) fn record(found: Match, matches: &mut Vec<Match>) {
    let full = matches.len() >= MAX_MATCHES;
    let same = matches.iter_mut().rev().take(64).find(|other| other.rule == found.rule && other.field == found.field);
    match same {
        Some(other) if found.confidence > other.confidence => *other = found,
        Some(_) => {}
        None if !full => matches.push(found),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Confidence, Family};
    use crate::verdict::refuses;

    fn inspect(text: &str, context: Context) -> Vec<Match> {
        let mut matches = Vec::new();
        Engine::shared().inspect("body.name", text, context, &mut matches);
        matches
    }

    #[test]
    fn every_expression_compiles_and_every_rule_is_documented() {
        Engine::new().warm();
        let mut names: Vec<&str> = rules::rules().iter().map(|info| info.id).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "two rules share a name");
        for info in rules::rules() {
            assert!(info.message.len() > 20 && info.why.len() > 40 && info.cwe > 0, "{} says too little", info.id);
        }
    }

    #[test]
    fn no_expression_matches_a_text_without_one_of_its_literals() {
        let mut texts: Vec<String> = rules::rules().iter().map(|info| info.example.to_owned()).collect();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        for file in std::fs::read_dir(folder).unwrap() {
            let file = std::fs::read_to_string(file.unwrap().path()).unwrap();
            texts.extend(file.lines().map(|line| line.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")));
        }
        let lower: Vec<String> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
        let mut missed = Vec::new();
        for rule in rules::all() {
            let mut seen = vec![(false, false); texts.len()];
            for pattern in rule.patterns.iter().filter(|pattern| !pattern.literals.is_empty()) {
                let Test::Expression(source) = pattern.test else { continue };
                let literals = pattern.literals.iter().map(|literal| literal.to_ascii_lowercase());
                let (expression, literals) = (compile(source), aho_corasick::AhoCorasick::new(literals).unwrap());
                for ((text, lower), (hidden, told)) in texts.iter().zip(&lower).zip(&mut seen) {
                    if expression.is_match(text.as_bytes()) {
                        *(if literals.is_match(lower) { told } else { hidden }) = true;
                    }
                }
            }
            let hidden = texts.iter().zip(seen).filter(|(_, (hidden, told))| *hidden && !told);
            missed.extend(hidden.map(|(text, _)| format!("{}: {text}", rule.info.id)));
        }
        assert!(missed.is_empty(), "{}", missed.join("\n"));
    }

    #[test]
    fn every_example_makes_its_rule_speak() {
        for info in rules::rules() {
            let kinds = [Context::default(), Context::default().as_key(), Context::of(FieldKind::Header)];
            let sinks = [
                crate::Sink::Shell,
                crate::Sink::Sql,
                crate::Sink::Path,
                crate::Sink::Url,
                crate::Sink::Html,
                crate::Sink::Code,
                crate::Sink::Model,
            ];
            let contexts = kinds.into_iter().chain(sinks.into_iter().map(|sink| Context::default().reaching(sink)));
            let spoke = contexts.into_iter().any(|context| {
                let value = serde_json::Value::String(info.example.into());
                let mut matches = inspect(info.example, context);
                let _ = Engine::shared().walk("x", &value, &crate::Limits::default(), &|_| context, &mut matches);
                matches.iter().any(|found| found.rule == info.id)
            });
            assert!(spoke, "{}: its own example does not match it: {}", info.id, info.example);
        }
    }

    #[test]
    fn a_match_names_rule_field_and_bytes() {
        let matches = inspect("x' OR '1'='1", Context::default());
        let found = matches.iter().find(|found| found.rule == "sql-tautology").unwrap();
        assert_eq!((found.family, found.field.as_str(), found.cwe), (Family::Sql, "body.name", 89));
        assert!(found.excerpt.contains("OR '1'='1"), "{}", found.excerpt);
        assert!(found.confidence >= Confidence::Likely && refuses(&matches));
    }

    #[test]
    fn what_a_field_reaches_moves_the_bar() {
        for (text, sink) in [
            ("report (final).pdf", crate::Sink::Shell),
            ("/srv/data", crate::Sink::Path),
            ("10.0.0.7:8080/admin", crate::Sink::Url),
            ("<b>hi", crate::Sink::Html),
            ("open('x')", crate::Sink::Code),
            ("5; commit", crate::Sink::Sql),
        ] {
            assert!(!refuses(&inspect(text, Context::default())), "{text} anywhere");
            assert!(refuses(&inspect(text, Context::default().reaching(sink))), "{text} at {sink:?}");
        }
        let code_in_prose = "the page says `rm -rf /tmp/x` and then process.env.HOME is empty";
        assert!(!refuses(&inspect(code_in_prose, Context::of(FieldKind::Envelope))));
    }
}
