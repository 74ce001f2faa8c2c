//! `ringfence waf`: rule files for the firewall's SecLang engine, checked and tested.
//!
//! It finds and reads the files; what they mean is the engine's business. Running a server for tests is not its work:
//! requests go through the engine in this process.

mod explain;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;
use source::{Document, FileId, Node, NodeKind};
use waf::seclang::{BASE, Diagnostic, Level, RuleSet, regression};

/// Checks and tests rules written in SecLang, such as the OWASP Core Rule Set.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Reads rules and tells every mistake with its line and column.
    Check(Check),
    /// Compiles rules to one file that loads in milliseconds and needs no other.
    Compile(Compile),
    /// Tells what a rule looks for, with its source and what its authors say of it.
    Explain(explain::Explain),
    /// Runs regression tests of rules: YAML files with requests and the rules that must match them.
    Test(Test),
}

#[derive(Debug, clap::Args)]
struct Check {
    /// Rule files, or folders of them: a folder with `rules/` is read as a rule set with its setup file and plugins.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Compile {
    /// Rule files, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The file to write.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Paranoia level to set, 1 to 4; as the rules' setup has it when not given.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=4))]
    paranoia: Option<u8>,
}

#[derive(Debug, clap::Args)]
struct Test {
    /// Folder with the tests, or a single file.
    #[arg(value_name = "PATH")]
    tests: PathBuf,
    /// The rules: files, or a folder.
    #[arg(long, required = true, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// Paranoia level to test at.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=4))]
    paranoia: u8,
    /// Only tests whose name begins with this, `942` or `942100-3`.
    #[arg(long, default_value = "", value_name = "PREFIX")]
    only: String,
    /// Most failures to show.
    #[arg(long, default_value_t = 20)]
    show: usize,
    /// Prints each test's outcome as a line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When files can't be read.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (text, code) = match args.command {
        Command::Check(check) => check.run()?,
        Command::Compile(compile) => compile.run()?,
        Command::Explain(explain) => explain.run()?,
        Command::Test(test) => test.run()?,
    };
    crate::terminal::print(&text)?;
    Ok(ExitCode::from(code))
}

impl Check {
    fn run(self) -> anyhow::Result<(String, u8)> {
        let rules = Rules::find(&self.paths)?;
        let start = Instant::now();
        let (set, mut diagnostics) = rules.compile(None);
        // A pattern can be well-formed and still too large to be compiled.
        for id in set.warm() {
            let (file, line) = set.place(id).unwrap_or(("", 0));
            let message = format!("the pattern of rule {id} is too large");
            diagnostics.push(Diagnostic { file: file.into(), line, column: 1, level: Level::Error, message });
        }
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
        let mut text: String = diagnostics.iter().map(|diagnostic| format!("{diagnostic}\n")).collect();
        let milliseconds = start.elapsed().as_millis();
        text += &format!(
            "{} rules in {} files, {errors} errors, {} warnings ({milliseconds} ms)\n",
            set.len(),
            rules.files.len(),
            diagnostics.len() - errors
        );
        Ok((text, u8::from(errors > 0)))
    }
}

impl Compile {
    fn run(self) -> anyhow::Result<(String, u8)> {
        let rules = Rules::find(&self.paths)?;
        let level = self.paranoia.map(paranoia_setting);
        let (set, diagnostics) = rules.compile_with(level.as_slice());
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
        let mut text: String = diagnostics.iter().map(|diagnostic| format!("{diagnostic}\n")).collect();
        if errors > 0 {
            // Rules that are left out would be missed by nobody until it matters.
            text += &format!("nothing was written: {errors} errors\n");
            return Ok((text, 1));
        }
        let bytes = set.to_compiled()?;
        fs::write(&self.output, &bytes).with_context(|| format!("can't write `{}`", self.output.display()))?;
        text += &format!(
            "{} rules compiled to {} ({} KiB)\n",
            set.len(),
            self.output.display(),
            bytes.len().div_ceil(1024)
        );
        Ok((text, 0))
    }
}

impl Test {
    fn run(self) -> anyhow::Result<(String, u8)> {
        let (set, diagnostics) = Rules::find(&self.rules)?.compile(Some(self.paranoia));
        let mut text = String::new();
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error) {
            text += &format!("{diagnostic}\n");
        }
        let mut files = Vec::new();
        collect(&self.tests, &["yaml", "yml"], &mut files)?;
        let (mut passed, mut total, mut shown) = (0, 0, 0);
        for path in files {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let content = read(&path)?;
            let document = Document::yaml(FileId(0), &content);
            let cases = regression::cases(&value(&document.root), &stem);
            let cases = cases.map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
            for case in cases.iter().filter(|case| case.name.starts_with(&self.only)) {
                let outcome = regression::run(&set, case);
                total += 1;
                passed += usize::from(outcome.failure.is_none());
                if self.json {
                    let line = serde_json::json!({
                        "test": case.name,
                        "passed": outcome.failure.is_none(),
                        "failure": outcome.failure,
                        "matched": outcome.matched,
                    });
                    text += &format!("{line}\n");
                } else if let Some(failure) = outcome.failure {
                    shown += 1;
                    if shown <= self.show {
                        text += &format!("failed {}: {failure}; matched {:?}\n", case.name, outcome.matched);
                    }
                }
            }
        }
        anyhow::ensure!(total > 0, "there are no tests under `{}`", self.tests.display());
        if shown > self.show {
            text += &format!("and {} more\n", shown - self.show);
        }
        if !self.json {
            text += &format!("{passed} of {total} tests passed\n");
        }
        Ok((text, u8::from(passed < total)))
    }
}

/// Rule files in the order they are read, and where the word lists they name may be.
pub(crate) struct Rules {
    files: Vec<(PathBuf, String)>,
    folders: Vec<PathBuf>,
    /// How many of the files come before the rules themselves.
    setup: usize,
}

impl Rules {
    /// The rules of files and folders, with setup and plugins where they have some.
    pub(crate) fn find(paths: &[PathBuf]) -> anyhow::Result<Rules> {
        let mut order: Vec<PathBuf> = Vec::new();
        let mut setup = 0;
        for path in paths {
            if !path.is_dir() {
                order.push(path.clone());
                continue;
            }
            let rules = path.join("rules");
            let rules = if rules.is_dir() { rules } else { path.clone() };
            // The setup stands in the folder itself or above its rules; an example serves where there is no other.
            let names = ["crs-setup.conf", "crs-setup.conf.example"];
            let places = [Some(path.as_path()), rules.parent()];
            let found = places
                .iter()
                .flatten()
                .flat_map(|place| names.map(|name| place.join(name)))
                .find(|path| path.is_file());
            if let Some(found) = found {
                order.insert(setup, found);
                setup += 1;
            }
            let mut plugins = Vec::new();
            if path.join("plugins").is_dir() {
                collect(&path.join("plugins"), &["conf"], &mut plugins)?;
            }
            let named = |end: &str| -> Vec<PathBuf> {
                plugins.iter().filter(|path| path.to_string_lossy().ends_with(end)).cloned().collect()
            };
            order.extend(named("-config.conf"));
            order.extend(named("-before.conf"));
            let mut own = Vec::new();
            collect(&rules, &["conf"], &mut own)?;
            order.extend(own.into_iter().filter(|path| !order.contains(path)).collect::<Vec<_>>());
            order.extend(named("-after.conf"));
        }
        let mut folders: Vec<PathBuf> = order.iter().filter_map(|path| path.parent()).map(Path::to_path_buf).collect();
        folders.sort();
        folders.dedup();
        let files =
            order.into_iter().map(|path| Ok((path.clone(), read(&path)?))).collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::ensure!(!files.is_empty(), "there are no rule files (`*.conf`)");
        Ok(Rules { files, folders, setup })
    }

    /// Compiles the rules; with a paranoia level, set up for tests.
    fn compile(&self, level: Option<u8>) -> (RuleSet, Vec<Diagnostic>) {
        let setup = level.map(|level| ("(test setup)".to_string(), regression::setup(level)));
        self.compile_with(setup.as_slice())
    }

    /// Compiles the rules with more settings, which stand behind the rules' own setup: names for messages, and texts.
    pub(crate) fn compile_with(&self, settings: &[(String, String)]) -> (RuleSet, Vec<Diagnostic>) {
        let mut files: Vec<(String, String)> = vec![("(base)".into(), BASE.into())];
        for (at, (path, text)) in self.files.iter().enumerate() {
            if at == self.setup {
                files.extend_from_slice(settings);
            }
            files.push((path.display().to_string(), text.clone()));
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        RuleSet::compile(&files, &|name| {
            self.folders.iter().find_map(|folder| fs::read_to_string(folder.join(name)).ok())
        })
    }
}

/// The setting of a paranoia level, for what rules are compiled with.
pub(crate) fn paranoia_setting(level: u8) -> (String, String) {
    let text = format!(
        "SecAction \"id:1000000,phase:1,nolog,pass,t:none,setvar:tx.blocking_paranoia_level={level},\
         setvar:tx.detection_paranoia_level={level}\"\n"
    );
    ("(--paranoia)".to_owned(), text)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("can't read `{}`", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Deepest folder that is looked into.
const MAX_DEPTH: u32 = 16;

/// The files with one of these extensions, in the order of their names.
fn collect(path: &Path, extensions: &[&str], out: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    fn walk(path: &Path, extensions: &[&str], depth: u32, out: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        if !path.is_dir() {
            let wanted = path.extension().and_then(|extension| extension.to_str());
            if depth == 0 || wanted.is_some_and(|extension| extensions.contains(&extension)) {
                out.push(path.to_path_buf());
            }
            return Ok(());
        }
        anyhow::ensure!(depth < MAX_DEPTH, "`{}` is nested too deeply", path.display());
        let entries = fs::read_dir(path).with_context(|| format!("can't read `{}`", path.display()))?;
        let mut entries: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        entries.sort();
        entries.iter().try_for_each(|entry| walk(entry, extensions, depth + 1, out))
    }
    walk(path, extensions, 0, out)
}

/// A YAML document with every scalar as a string, as tests are read.
fn value(node: &Node) -> Value {
    match &node.kind {
        NodeKind::Scalar { text, .. } => Value::String(text.clone()),
        NodeKind::Sequence(items) => Value::Array(items.iter().map(value).collect()),
        NodeKind::Mapping(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.clone(), value(&entry.value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn outcome(line: &[&str]) -> (String, u8) {
        let args = <Line as clap::Parser>::parse_from([&["waf"], line].concat()).args;
        match args.command {
            Command::Check(check) => check.run().unwrap(),
            Command::Compile(compile) => compile.run().unwrap(),
            Command::Explain(explain) => explain.run().unwrap(),
            Command::Test(test) => test.run().unwrap(),
        }
    }

    #[test]
    fn rules_are_checked_and_their_tests_run() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(place("rules")).unwrap();
        fs::write(place("rules/words.data"), "# tools\nsqlmap\n").unwrap();
        let rule = "SecRule REQUEST_HEADERS:User-Agent \"@pmFromFile words.data\" \"id:7,phase:1,deny,log\"\n";
        fs::write(place("rules/a.conf"), rule).unwrap();
        let (text, code) = outcome(&["check", &place("")]);
        assert!(text.starts_with("6 rules in 1 files, 0 errors, 0 warnings"), "{text}");
        assert_eq!(code, 0);

        let test = "rule_id: 7\ntests:\n  - test_id: 1\n    stages:\n      - input:\n          headers: { Host: h, User-Agent: SQLMap }\n        output:\n          log: { expect_ids: [7] }\n  - test_id: 2\n    stages:\n      - input:\n          headers: { Host: h, User-Agent: curl }\n        output:\n          log: { expect_ids: [7] }\n";
        fs::write(place("7.yaml"), test).unwrap();
        let (text, code) = outcome(&["test", &place("7.yaml"), "--rules", &place("")]);
        assert!(text.contains("failed 7-2: rule 7 must match") && text.ends_with("1 of 2 tests passed\n"), "{text}");
        assert_eq!(code, 1);

        let (text, code) = outcome(&["compile", &place(""), "--output", &place("rules.bin")]);
        assert!(text.starts_with("6 rules compiled to ") && code == 0, "{text}");
        let set = RuleSet::from_compiled(&fs::read(place("rules.bin")).unwrap()).unwrap();
        assert_eq!(set.len(), 6);

        fs::write(place("rules/b.conf"), "SecRule ARGS \"@rx (\" \"id:8\"\nSecMakrer x\n").unwrap();
        let (text, code) = outcome(&["check", &place("")]);
        assert!(
            text.contains("b.conf:1:15: error: not a regular expression") && text.contains("b.conf:2:1: error"),
            "{text}"
        );
        assert_eq!(code, 1);
    }
}
