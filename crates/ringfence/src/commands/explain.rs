//! `ringfence explain`: an audit or a rule of the firewall, in full.

use crate::terminal;
use findings::near_miss;
use std::fmt::Write;
use std::process::ExitCode;

/// Explains an audit or a rule of the firewall: what it finds, why it matters, what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Id of an audit or rule, as reports show it.
    #[arg(required_unless_present = "list")]
    id: Option<String>,
    /// Lists all ids.
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    let Some(id) = args.id.filter(|_| !args.list) else {
        for audit in audits::audits() {
            let info = audit.info();
            writeln!(text, "{:28} {:9} {}", info.id, info.severity, info.title)?;
        }
        for rule in waf::rules() {
            writeln!(text, "{:28} {:9} {}", rule.id, "rule", rule.message)?;
        }
        terminal::print(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(info) = audits::info(&id) {
        let cwe: Vec<String> = info.cwe.iter().map(|cwe| format!("CWE-{cwe}")).collect();
        writeln!(text, "{}  (audit, {}, since {}{})\n", info.id, info.severity, info.since, with(&cwe.join(", ")))?;
        writeln!(text, "{}", info.docs.trim())?;
    } else if let Some(rule) = waf::rules().iter().find(|rule| rule.id == id) {
        writeln!(text, "{}  (rule of the firewall, {:?}, CWE-{})\n", rule.id, rule.family, rule.cwe)?;
        writeln!(
            text,
            "{}.\n\n{}\n\nA text that makes it speak:\n\n    {}",
            rule.message,
            rule.why.trim(),
            rule.example
        )?;
    } else {
        let known = audits::audits().iter().map(|audit| audit.info().id).chain(waf::rules().iter().map(|rule| rule.id));
        match near_miss(&id, known) {
            Some(near) => anyhow::bail!("there is no audit or rule `{id}`; did you mean `{near}`?"),
            None => anyhow::bail!("there is no audit or rule `{id}`; `ringfence explain --list` lists them"),
        }
    }
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn with(cwe: &str) -> String {
    if cwe.is_empty() { String::new() } else { format!(", {cwe}") }
}
