//! `ringfence waf explain`: one rule in SecLang, with what its authors wrote above it, taken apart for a reader.

use super::{Rules, read};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Most lines of comment above a rule that are shown.
const MAX_COMMENT: usize = 40;
/// Most lines of a rule, with its chain.
const MAX_RULE: usize = 400;

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The rule's number, as verdicts and logs tell it.
    id: u32,
    /// The rules: files, or a folder.
    #[arg(long, required = true, value_name = "PATH")]
    rules: Vec<PathBuf>,
}

impl Explain {
    pub(super) fn run(self) -> anyhow::Result<(String, u8)> {
        let (set, _) = Rules::find(&self.rules)?.compile_with(&[]);
        let Some((file, line)) = set.place(self.id) else {
            anyhow::bail!("there is no rule {} in what was given to --rules", self.id);
        };
        let text = read(Path::new(file))?;
        let lines: Vec<&str> = text.lines().collect();
        let start = (line as usize).saturating_sub(1);
        let rule = logical(&lines, start);
        let mut out = format!("rule {}  {file}:{line}\n", self.id);
        let joined = rule.join("\n");
        if let Some(message) = quoted(&joined, "msg:'") {
            let _ = writeln!(out, "\n  {message}");
        }
        for (name, value) in [
            ("severity", quoted(&joined, "severity:'")),
            ("paranoia level", quoted(&joined, "tag:'paranoia-level/")),
            ("attack", quoted(&joined, "tag:'attack-")),
            ("phase", after(&joined, "phase:")),
            ("looks at", joined.split_whitespace().nth(1).map(str::to_owned)),
            ("after", Some(transformations(&joined)).filter(|list| !list.is_empty())),
            ("data", quoted(&joined, "logdata:'")),
        ] {
            if let Some(value) = value {
                let _ = writeln!(out, "  {name:15} {value}");
            }
        }
        let above = lines.get(..start).unwrap_or_default();
        let comment: Vec<&str> =
            above.iter().rev().take_while(|line| line.trim_start().starts_with('#')).copied().collect();
        if comment.iter().any(|line| line.trim() != "#") {
            out.push('\n');
            for line in comment.iter().rev().skip(comment.len().saturating_sub(MAX_COMMENT)) {
                let _ = writeln!(out, "{line}");
            }
        }
        out.push('\n');
        for line in rule {
            let _ = writeln!(out, "{line}");
        }
        Ok((out, 0))
    }
}

/// The lines of the rule that begins at `start`, and of those it is chained with.
fn logical<'a>(lines: &[&'a str], start: usize) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut at = start;
    while found.len() < MAX_RULE {
        let from = found.len();
        while let Some(line) = lines.get(at) {
            at += 1;
            found.push(*line);
            if !line.trim_end().ends_with('\\') || found.len() >= MAX_RULE {
                break;
            }
        }
        let chained =
            found.iter().skip(from).any(|line| line.split([',', '"', '\\']).any(|action| action.trim() == "chain"));
        // Blank lines may stand between the links of a chain.
        while chained && lines.get(at).is_some_and(|line| line.trim().is_empty()) {
            at += 1;
        }
        if !chained || lines.get(at).is_none() {
            break;
        }
    }
    found
}

/// What stands between `mark` and the next quote.
fn quoted(text: &str, mark: &str) -> Option<String> {
    let rest = text.split_once(mark)?.1;
    Some(rest.split('\'').next().unwrap_or_default().to_owned())
}

/// The word behind `mark`.
fn after(text: &str, mark: &str) -> Option<String> {
    let rest = text.split_once(mark)?.1;
    let word: String = rest.chars().take_while(|character| character.is_alphanumeric()).collect();
    (!word.is_empty()).then_some(word)
}

fn transformations(text: &str) -> String {
    let actions = text.split([',', '"', '\\', '\n']).filter_map(|action| action.trim().strip_prefix("t:"));
    let mut list: Vec<&str> = Vec::new();
    for action in actions.filter(|action| *action != "none") {
        if !list.contains(&action) {
            list.push(action);
        }
    }
    list.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chained_rule_is_shown_whole_with_what_is_written_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        let rules = "SecRule ARGS \"@rx x\" \"id:6,phase:2,pass\"\n\n# Two of a kind:\n# together they are bad.\nSecRule ARGS:a|!ARGS:b \"@rx one\" \\\n    \"id:7,phase:2,deny,t:none,t:lowercase,\\\n    msg:'a pair',\\\n    severity:'CRITICAL',\\\n    chain\"\n    SecRule ARGS:c \"@rx two\" \"t:none\"\n\nSecRule ARGS \"@rx y\" \"id:8,phase:2,pass\"\n";
        std::fs::write(&path, rules).unwrap();
        let explain = |id| Explain { id, rules: vec![path.clone()] }.run();
        let (text, code) = explain(7).unwrap();
        assert_eq!(code, 0);
        for said in [
            "a.conf:5",
            "a pair",
            "severity        CRITICAL",
            "looks at        ARGS:a|!ARGS:b",
            "lowercase",
            "# together they are bad.",
            "@rx two",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("id:8") && !text.contains("id:6"), "{text}");
        assert!(explain(9).unwrap_err().to_string().contains("no rule 9"));
    }
}
