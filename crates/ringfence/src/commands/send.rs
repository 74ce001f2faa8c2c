//! `ringfence send`: one event for a function of the running `up`, and what the guard and the function made of it.

use super::exit;
use super::up::plain;
use crate::terminal;
use anyhow::Context;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Sends one event to a function of a running `ringfence up`, and tells the verdict and the answer.
///
/// The event goes as it is, JSON or not: what can't be read is for the guard to refuse.
/// Exits with 0 when it passed, 1 when it was refused, set aside or dropped, and 2 when it could not be sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The function, by its name in the template.
    function: String,
    /// The event, as its platform delivers it; `-` for standard input.
    event: PathBuf,
    /// The folder of the application that runs.
    #[arg(long, value_name = "PATH", default_value = ".")]
    app: PathBuf,
    /// Doesn't wait for the function's answer.
    #[arg(long = "async")]
    asynchronous: bool,
}

/// How to reach a running `up`.
struct Door {
    url: String,
    token: String,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let door = find(&args.app)?;
    let mut event = Vec::new();
    if args.event == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut event).context("can't read the event from standard input")?;
    } else {
        event = std::fs::read(&args.event).with_context(|| format!("can't read `{}`", args.event.display()))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sending = gateway::door::send(&door.url, &door.token, &args.function, event.into(), args.asynchronous);
    let told = runtime.block_on(sending).map_err(|error| match error {
        gateway::door::SendError::NotRunning(_) => {
            anyhow::anyhow!("`ringfence up` doesn't run in `{}` any more", args.app.display())
        }
        other => other.into(),
    })?;

    let mut text = match (told.verdict.as_str(), &told.observed) {
        (_, Some(_)) => "passed; block mode would have refused it".to_owned(),
        ("unknown", _) => "no verdict came from the guard".to_owned(),
        (verdict, None) => verdict.replace('-', " "),
    };
    if let Some(incident) = &told.incident {
        text += &format!("  {}", plain(incident));
    }
    text.push('\n');
    let matches: Vec<serde_json::Value> =
        told.matches.as_deref().and_then(|matches| serde_json::from_str(matches).ok()).unwrap_or_default();
    if matches.is_empty()
        && let Some(reason) = &told.reason
    {
        text += &format!("  {}\n", plain(reason));
    }
    for found in &matches {
        let field = |name: &str| plain(found.get(name).and_then(serde_json::Value::as_str).unwrap_or(""));
        text += &format!("  {} in {}", field("rule"), field("field"));
        if !field("excerpt").is_empty() {
            text += &format!(": {}", field("excerpt"));
        }
        text.push('\n');
        if !field("message").is_empty() {
            text += &format!("    {}\n", field("message"));
        }
    }
    terminal::say(text.trim_end());
    if !args.asynchronous {
        // The answer alone goes to standard output, so that it can be piped on.
        let answer = String::from_utf8_lossy(&told.payload).into_owned();
        if told.failed {
            terminal::say("the function failed:");
        }
        terminal::print(&(answer.trim_end().to_owned() + "\n"))?;
    }
    Ok(match told.verdict.as_str() {
        "passed" => ExitCode::SUCCESS,
        "unknown" => ExitCode::from(exit::FAILED),
        _ => ExitCode::from(exit::FOUND),
    })
}

/// Finds the running `up` of the folder, or of one it lies in.
fn find(app: &Path) -> anyhow::Result<Door> {
    let folder = app.canonicalize().with_context(|| format!("can't open `{}`", app.display()))?;
    let facts = folder.ancestors().map(|folder| folder.join(".ringfence/up.json")).find(|facts| facts.is_file());
    let facts = facts.with_context(|| {
        format!("`ringfence up` doesn't run in `{}`; start it there, or name the folder with --app", app.display())
    })?;
    let text = std::fs::read_to_string(&facts).with_context(|| format!("can't read `{}`", facts.display()))?;
    let json: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("`{}` is damaged", facts.display()))?;
    let field = |name: &str| {
        let value = json.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        value.with_context(|| format!("`{}` has no `{name}`", facts.display()))
    };
    Ok(Door { url: field("door")?, token: field("token")? })
}
