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
        for info in ::scan::own::all() {
            writeln!(text, "{:28} {:9} {}", info.id, info.severity, info.title)?;
        }
        for rule in waf::rules() {
            writeln!(text, "{:28} {:9} {}", rule.id, "rule", rule.message)?;
        }
        for (id, message) in guard::RULES {
            writeln!(text, "{id:28} {:9} {message}", "guard")?;
        }
        terminal::print(&text)?;
        return Ok(ExitCode::SUCCESS);
    };
    // Some weaknesses have one name where the source shows them and where an event tries them: then both are told.
    let mut parts: Vec<String> = Vec::new();
    if let Some(info) = audits::info(&id).or_else(|| ::scan::own::info(&id)) {
        let cwe: Vec<String> = info.cwe.iter().map(|cwe| format!("CWE-{cwe}")).collect();
        let title = format!("{}  (audit, {}, since {}{})", info.id, info.severity, info.since, with(&cwe.join(", ")));
        let risks: String = findings::owasp(info.cwe)
            .iter()
            .map(|risk| format!("{}: {} {}\n", risk.list(), risk.id, risk.name))
            .collect();
        let risks = if risks.is_empty() { risks } else { format!("\n{risks}") };
        parts.push(format!("{title}\n{risks}\n{}\n", info.docs.trim()));
    }
    if let Some(rule) = waf::rules().iter().find(|rule| rule.id == id) {
        parts.push(format!(
            "{}  (rule of the firewall, {:?}, CWE-{})\n\n{}.\n\n{}\n\nA text that makes it speak:\n\n    {}\n",
            rule.id,
            rule.family,
            rule.cwe,
            rule.message,
            rule.why.trim(),
            rule.example
        ));
    }
    if let Some((id, message)) = guard::RULES.iter().find(|(known, _)| *known == id) {
        parts.push(format!(
            "{id}  (rule of the guard)\n\n{message}.\n\nIt holds the function's lines in `fence.yaml`; `ringfence inspect` tells what such an event meets there.\n"
        ));
    }
    if parts.is_empty() {
        let audits = ::scan::own::all().map(|info| info.id);
        let known = audits.chain(waf::rules().iter().map(|rule| rule.id)).chain(guard::RULES.iter().map(|(id, _)| *id));
        match near_miss(&id, known) {
            Some(near) => anyhow::bail!("there is no audit or rule `{id}`; did you mean `{near}`?"),
            None => anyhow::bail!("there is no audit or rule `{id}`; `ringfence explain --list` lists them"),
        }
    }
    text.push_str(&parts.join("\n"));
    terminal::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn with(cwe: &str) -> String {
    if cwe.is_empty() { String::new() } else { format!(", {cwe}") }
}
