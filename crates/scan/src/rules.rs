//! A team's own rules, in Rego over the graph: each entry of a `deny` set becomes a finding (`docs/reference/rules.md`).
//!
//! Rules are read and parsed before anything is scanned, so that a mistake in one is told at once, with its place. They see the estate
//! as JSON and nothing else: no files, no network, no clock. Their time is bounded, and so is how much they find.
//!
//! Deliberately absent: data files beside the rules, OPA bundles, and tests of rules (`opa test` runs those).

mod input;

use crate::Loaded;
use crate::excerpt::line_start;
use findings::{Confidence, Diagnostic, Finding, Label, Level, Severity, near_miss};
use regorus::Engine;
use regorus::utils::limits::ExecutionTimerConfig;
use source::{Sources, Span};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long all rules together may take over an estate.
const MAX_TIME: Duration = Duration::from_secs(20);
/// Rule files at most.
const MAX_FILES: usize = 200;
/// Bytes of a rule file at most.
const MAX_BYTES: u64 = 1 << 20;
/// Folders below each other at most.
const MAX_DEPTH: usize = 8;
/// Findings of all rules at most.
const MAX_FINDINGS: usize = 10_000;
/// Ids of rules at most.
const MAX_IDS: usize = 1_000;
/// Characters of a message at most.
const MAX_MESSAGE: usize = 1_000;

/// Rules that were read and parsed.
pub struct Rules {
    engine: Engine,
    /// The packages, as paths of data: `data.team.lambda`.
    packages: Vec<String>,
    /// Every text in the rules that has the form of an id: what comments in the source may allow.
    ids: BTreeSet<String>,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Rules").field("packages", &self.packages).finish_non_exhaustive()
    }
}

/// Why rules can't be used.
#[derive(Debug)]
pub enum RulesError {
    /// The folder or a file in it can't be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// There is no `.rego` file.
    Empty(PathBuf),
    /// There are too many, or one is too large.
    TooMuch(String),
    /// A file is no Rego, or not the form that is asked for: `file:line:column: what`.
    Broken(String),
}

impl std::fmt::Display for RulesError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { path, .. } => write!(formatter, "can't read the rules in `{}`", path.display()),
            Self::Empty(path) => write!(formatter, "there is no `.rego` file in `{}`", path.display()),
            Self::TooMuch(what) | Self::Broken(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for RulesError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Rules {
    /// Reads every `.rego` file of a folder (tests, `*_test.rego`, left out), or one file.
    ///
    /// # Errors
    /// Where something can't be read, isn't Rego, or has no `deny`.
    pub fn read(path: &Path) -> Result<Self, RulesError> {
        let unreadable = |path: &Path, source| RulesError::Unreadable { path: path.to_path_buf(), source };
        let mut files = Vec::new();
        match std::fs::metadata(path).map_err(|source| unreadable(path, source))?.is_dir() {
            true => gather(path, 0, &mut files).map_err(|source| unreadable(path, source))?,
            false => files.push(path.to_path_buf()),
        }
        files.sort();
        match files.len() {
            0 => return Err(RulesError::Empty(path.to_path_buf())),
            count if count > MAX_FILES => {
                return Err(RulesError::TooMuch(format!(
                    "{count} files of rules, more than the {MAX_FILES} that are read"
                )));
            }
            _ => {}
        }
        let mut texts = Vec::new();
        for file in files {
            let size = std::fs::metadata(&file).map_err(|source| unreadable(&file, source))?.len();
            if size > MAX_BYTES {
                let what = format!(
                    "`{}` is larger than the {MAX_BYTES} bytes that are read of a file of rules",
                    file.display()
                );
                return Err(RulesError::TooMuch(what));
            }
            let text = std::fs::read_to_string(&file).map_err(|source| unreadable(&file, source))?;
            texts.push((file.display().to_string(), text));
        }
        Self::parse(&texts)
    }

    /// Parses rules: pairs of a name and its text.
    ///
    /// # Errors
    /// Where one isn't Rego, or none has a `deny`.
    pub fn parse(files: &[(String, String)]) -> Result<Self, RulesError> {
        let mut engine = Engine::new();
        engine.set_rego_v0(false);
        engine.set_execution_timer_config(limit(MAX_TIME));
        let mut packages = BTreeSet::new();
        let mut ids = BTreeSet::new();
        let broken = |error: &dyn std::fmt::Display| RulesError::Broken(told(&error.to_string()));
        for (name, text) in files {
            let package = engine.add_policy(name.clone(), text.clone()).map_err(|error| broken(&error))?;
            packages.insert(package);
            ids.extend(text.split('"').filter(|part| is_id(part)).map(str::to_string).take(MAX_IDS));
        }
        // Only now are names resolved: on an empty estate, whose rules all find nothing.
        let mut trial = engine.clone();
        trial.set_input(regorus::Value::new_object());
        let mut usable = Vec::new();
        for package in packages {
            match trial.eval_rule(format!("{package}.deny")) {
                Ok(_) => usable.push(package),
                Err(error) if error.to_string().contains("not a valid rule path") => {}
                Err(error) => return Err(broken(&error)),
            }
        }
        if usable.is_empty() {
            let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            let what = format!("{}: no rule `deny contains {{…}} if {{…}}`", names.join(", "));
            return Err(RulesError::Broken(what));
        }
        Ok(Self { engine, packages: usable, ids })
    }

    /// The texts in the rules that may be their ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().take(MAX_IDS).map(String::as_str)
    }

    /// What the rules find in an estate. `known` are the audits' findings, `secrets` places whose text is handed to nobody.
    pub(crate) fn findings(
        &self,
        loaded: &Loaded,
        known: &[Finding],
        secrets: &[Span],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Finding> {
        let mut engine = self.engine.clone();
        let mut complain = |message: String| diagnostics.push(Diagnostic::general(Level::Error, "rules", message));
        match serde_json::from_value::<regorus::Value>(input::input(loaded, known, secrets)) {
            Ok(value) => engine.set_input(value),
            Err(error) => {
                complain(format!("the rules could not be run: {error}"));
                return Vec::new();
            }
        }
        let mut findings = Vec::new();
        let mut names: Vec<&'static str> = Vec::new();
        let started = Instant::now();
        for package in &self.packages {
            engine.set_execution_timer_config(limit(MAX_TIME.saturating_sub(started.elapsed())));
            let denied = match engine.eval_rule(format!("{package}.deny")) {
                Ok(denied) => denied,
                Err(_) if started.elapsed() >= MAX_TIME => {
                    let seconds = MAX_TIME.as_secs();
                    complain(format!("the rules take longer than {seconds} seconds; `{package}` isn't through"));
                    continue;
                }
                Err(error) => {
                    complain(told(&error.to_string()));
                    continue;
                }
            };
            let entries = match serde_json::to_value(&denied) {
                Ok(serde_json::Value::Array(entries)) => entries,
                // Undefined: a rule that is no set and doesn't hold.
                Ok(serde_json::Value::String(text)) if text == "<undefined>" => continue,
                _ => {
                    complain(format!("`{package}.deny` is no set: write `deny contains {{…}} if {{…}}`"));
                    continue;
                }
            };
            for entry in entries {
                if findings.len() == MAX_FINDINGS {
                    complain(format!("the rules find more than {MAX_FINDINGS} things; the rest is left out"));
                    return findings;
                }
                match finding(loaded, &entry, &mut names) {
                    Ok(found) => findings.push(found),
                    Err(why) => complain(format!("an entry of `{package}.deny` {why}")),
                }
            }
        }
        findings
    }
}

/// The time that rules may take; it is looked at now and then.
fn limit(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit, check_interval: NonZeroU32::MIN.saturating_add(999) }
}

fn gather(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if files.len() > MAX_FILES {
            break;
        }
        if path.is_dir() && !path.is_symlink() && depth < MAX_DEPTH {
            gather(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rego")
            && !path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_test"))
            && path.is_file()
        {
            files.push(path);
        }
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    (3..=64).contains(&text.len())
        && text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// An error of the engine as `file:line:column: what`: its first place and its last words.
fn told(error: &str) -> String {
    let place = error.lines().find_map(|line| line.trim().strip_prefix("--> ")).map(str::trim);
    let what = error.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(error).trim();
    let what = what.strip_prefix("error: ").unwrap_or(what);
    match place {
        Some(place) => format!("{place}: {what}"),
        None => what.to_string(),
    }
}

/// One entry as a finding; or why it is none, to be read after "an entry of `deny`".
fn finding(loaded: &Loaded, entry: &serde_json::Value, names: &mut Vec<&'static str>) -> Result<Finding, String> {
    const KEYS: [&str; 9] =
        ["id", "severity", "msg", "function", "resource", "identity", "location", "cwe", "remediation"];
    let object = entry.as_object().ok_or("is no object: `{\"id\": …, \"severity\": …, \"msg\": …}`")?;
    if let Some(stranger) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let hint = near_miss(stranger, KEYS).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("has `{stranger}`, which means nothing{hint}"));
    }
    let text = |key: &str| object.get(key).and_then(serde_json::Value::as_str);
    let id = text("id").ok_or("has no `id`")?;
    if !is_id(id) {
        return Err(format!("has the id `{id}`: lower-case letters, digits and hyphens, 3 to 64 of them"));
    }
    if crate::own::all().any(|info| info.id == id) {
        return Err(format!("has the id `{id}`, which is an audit's"));
    }
    let title = text("msg").filter(|title| !title.trim().is_empty()).ok_or_else(|| format!("({id}) has no `msg`"))?;
    let severity = match object.get("severity") {
        None => Severity::Medium,
        Some(severity) => Severity::ALL
            .into_iter()
            .find(|known| Some(known.name()) == severity.as_str())
            .ok_or_else(|| format!("({id}) has a severity other than info, low, medium, high, critical"))?,
    };
    let cwe = match object.get("cwe") {
        None => Vec::new(),
        Some(list) => serde_json::from_value(list.clone())
            .map_err(|_| format!("({id}) has a `cwe` that is no list of numbers"))?,
    };
    let (span, function) = target(loaded, object, id)?;
    // Ids live as long as the program, as those of audits do; there are no more of them than the bound says.
    let id = match names.iter().find(|known| **known == id) {
        Some(known) => known,
        None if names.len() >= MAX_IDS => return Err(format!("is of the {MAX_IDS}th id and later")),
        None => {
            let leaked: &'static str = Box::leak(id.to_string().into_boxed_str());
            names.push(leaked);
            leaked
        }
    };
    Ok(Finding {
        id,
        severity,
        confidence: Confidence::High,
        title: title.trim().chars().take(MAX_MESSAGE).collect(),
        function,
        cwe,
        primary: Label { span, message: String::new() },
        related: Vec::new(),
        trace: Vec::new(),
        remediation: text("remediation").unwrap_or("a rule of your own finds this").chars().take(MAX_MESSAGE).collect(),
    })
}

/// Where a finding stands, and the function it concerns. A node is given by its name, or as the object that the input has of it, which
/// tells apart those of the same name in several applications.
fn target(
    loaded: &Loaded,
    entry: &serde_json::Map<String, serde_json::Value>,
    id: &str,
) -> Result<(Span, Option<String>), String> {
    let mut node: Option<(Span, Option<String>)> = None;
    for kind in ["function", "resource", "identity"] {
        let Some(given) = entry.get(kind).filter(|given| !given.is_null()) else { continue };
        let (name, template) = match given {
            serde_json::Value::String(name) => (name.as_str(), None),
            given => match given.get("name").and_then(serde_json::Value::as_str) {
                Some(name) => (name, given.get("template").and_then(serde_json::Value::as_str)),
                None => return Err(format!("({id}) has a `{kind}` that is neither a name nor one of the input's")),
            },
        };
        let sources = &loaded.sources;
        let mut spans: Vec<Span> = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        for application in &loaded.estate.applications {
            let path = sources.get(application.template).map_or("", source::SourceFile::path);
            let nodes: Vec<(&str, Span)> = match kind {
                "function" => application.functions.iter().map(|one| (one.name.as_str(), one.span)).collect(),
                "resource" => application.resources.iter().map(|one| (one.name.as_str(), one.span)).collect(),
                _ => application.identities.iter().map(|one| (one.name.as_str(), one.span)).collect(),
            };
            names.extend(nodes.iter().map(|(name, _)| *name));
            if template.is_none_or(|template| template == path) {
                spans.extend(nodes.iter().filter(|(known, _)| *known == name).map(|(_, span)| *span));
            }
        }
        let span = match spans.as_slice() {
            [span] => *span,
            [] => {
                let hint = near_miss(name, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(format!("({id}) names the {kind} `{name}`, which isn't there{hint}"));
            }
            _ => {
                return Err(format!(
                    "({id}) names the {kind} `{name}`, of which there are {}: give the object of the input rather than its name",
                    spans.len()
                ));
            }
        };
        if node.is_none() {
            node = Some((span, (kind == "function").then(|| name.to_string())));
        }
    }
    let place = entry.get("location").filter(|place| !place.is_null());
    let place = place.map(|place| {
        at(&loaded.sources, place).ok_or_else(|| format!("({id}) has a `location` that is none of the input's"))
    });
    match (place.transpose()?, node) {
        (Some(span), node) => Ok((span, node.and_then(|(_, function)| function))),
        (None, Some(node)) => Ok(node),
        (None, None) => {
            Err(format!("({id}) says neither which `function`, `resource` or `identity` nor which `location`"))
        }
    }
}

/// The rest of the line that a location of the input begins at.
fn at(sources: &Sources, place: &serde_json::Value) -> Option<Span> {
    let number = |key: &str| place.get(key)?.as_u64().and_then(|number| u32::try_from(number).ok());
    let (line, column) = (number("line")?, number("column").unwrap_or(1));
    let (id, file) = sources.find(place.get("file")?.as_str()?)?;
    let text = file.line(line)?;
    let skip = text.char_indices().nth(column.saturating_sub(1) as usize).map_or(text.len(), |(at, _)| at);
    let start = line_start(file, line);
    Some(Span::new(id, start + skip, start + text.trim_end().len().max(skip)))
}
