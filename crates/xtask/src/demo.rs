//! `cargo xtask demo`: the whole loop on the example, as a newcomer sees it.
//!
//! Builds, starts a stand-in for AWS, scans the example, writes its fence, runs its functions behind the guard, plays honest
//! and hostile traffic, prints what was let through and what was stopped and why, and leaves the console open.

use crate::http;
use crate::setup::{self, say};
use anyhow::{Context, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Ends when the traffic has been played, with 0 only if every honest event passed and every hostile one was stopped.
    #[arg(long)]
    pub(crate) once: bool,
    /// Uses the programs as `cargo build` made them, without building for release.
    #[arg(long)]
    pub(crate) dev: bool,
    /// Lets everything through unguarded and shows what the attacks then do (those that stay on this machine).
    #[arg(long)]
    pub(crate) unguarded: bool,
}

/// Whether servers run that end by themselves at Ctrl-C.
static CHILDREN: AtomicBool = AtomicBool::new(false);

/// The stand-in for AWS.
const MOTO: &str = "moto[server]==5.2.5";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let started = Instant::now();
    // While children run, they answer Ctrl-C and this process sees them off; before that it ends at once.
    ctrlc::set_handler(|| {
        if !CHILDREN.load(Ordering::SeqCst) {
            std::process::exit(130);
        }
    })?;
    setup::tools(&[&setup::C_COMPILER, &setup::PYTHON, &setup::NODE, &setup::NPM])?;
    let programs = if arguments.dev { setup::target().join("debug") } else { setup::build_release()? };
    let ringfence = programs.join("ringfence");
    let work = setup::target().join("demo");
    let application = work.join("orders");
    copy(&setup::root().join("examples/orders"), &application)?;
    let _ = fs::remove_file(application.join("fence.yaml"));

    say("ringfence scan orders");
    let report = work.join("scan.txt");
    // Exit code 1 says that there are findings, which there are.
    let status =
        Command::new(&ringfence).args(["scan", "orders", "--output"]).arg(&report).current_dir(&work).status()?;
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("`ringfence scan` ended with {status}");
    }
    show_report(&fs::read_to_string(&report)?, &report);

    say("ringfence map orders --format html");
    let map = work.join("map.html");
    setup::run(
        Command::new(&ringfence).args(["map", "orders", "--format", "html", "--output"]).arg(&map).current_dir(&work),
    )?;
    println!("   open {}", map.display());

    say("ringfence fence orders");
    setup::run(Command::new(&ringfence).args(["fence", "orders"]).current_dir(&work))?;
    let fence = fs::read_to_string(application.join("fence.yaml"))?;
    let excerpt = fence.lines().skip_while(|line| !line.starts_with("  ChargeOrder:")).take(20);
    for line in excerpt.take_while(|line| line.starts_with("   ") || line.starts_with("  ChargeOrder:")) {
        println!("   {line}");
    }

    let python = setup::python(&work.join("python"), &[MOTO])?;
    let aws_port = free_port()?;
    say(&format!("starting moto, a stand-in for AWS, on 127.0.0.1:{aws_port}"));
    let log = fs::File::create(work.join("moto.log"))?;
    CHILDREN.store(true, Ordering::SeqCst);
    let moto = Command::new(&python)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &aws_port.to_string()])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("can't start moto")?;
    let _moto = Stopping(moto);
    wait_for(Duration::from_secs(90), || TcpStream::connect(("127.0.0.1", aws_port)).is_ok().then_some(()))
        .with_context(|| format!("moto did not start; see {}", work.join("moto.log").display()))?;

    let endpoint = format!("http://127.0.0.1:{aws_port}");
    let mode = if arguments.unguarded { "off" } else { "block" };
    say(&format!("ringfence up orders --mode {mode} --aws-endpoint {endpoint}"));
    let facts = application.join(".ringfence/up.json");
    // Records of an earlier demonstration would be counted with this one's.
    let _ = fs::remove_dir_all(application.join(".ringfence/lake"));
    let _ = fs::remove_file(&facts);
    let up = Command::new(&ringfence)
        .args(["up", "orders", "--no-open", "--mode", mode, "--aws-endpoint", &endpoint])
        // Nothing of the demonstration leaves this machine: with no payment host, charges stay pending.
        .args(["--env", "PAYMENTS_URL="])
        .current_dir(&work)
        .stdin(Stdio::null())
        .spawn()
        .context("can't start `ringfence up`")?;
    let mut up = Stopping(up);
    // The first time installs what the functions import.
    let facts = wait_for(Duration::from_secs(600), || {
        if up.0.try_wait().ok().flatten().is_some() {
            return Some(None);
        }
        let facts: Value = serde_json::from_str(&fs::read_to_string(&facts).ok()?).ok()?;
        Some(Some(facts))
    })
    .flatten()
    .context("`ringfence up` did not get ready")?;
    let door = Door { gateway: text(&facts, "gateway")?, door: text(&facts, "door")?, token: text(&facts, "token")? };
    let console = text(&facts, "console")?;

    let played = if arguments.unguarded { play_unguarded(&door)? } else { play(&door)? };
    if !arguments.unguarded {
        ask(&ringfence, &application)?;
    }
    println!();
    say(&format!("{} s from the start to here", started.elapsed().as_secs()));
    println!("   scan     {}", report.display());
    println!("   map      {}", map.display());
    println!("   fence    {}", application.join("fence.yaml").display());
    println!("   console  {console}");
    if arguments.once {
        up.stop()?;
        if !played {
            bail!("not every honest event passed, or not every hostile one was stopped");
        }
        return Ok(());
    }
    say("the console stays open; Ctrl-C ends everything");
    // Ctrl-C reaches `up` as well, being of the same group: it stops by itself, and this process outlives it.
    let _ = up.0.wait();
    Ok(())
}

/// The lines of the report that fit a screen: the numbers, the first findings, the sum.
fn show_report(report: &str, path: &Path) {
    let paragraphs: Vec<&str> = report.split("\n\n").collect();
    for paragraph in paragraphs.iter().take(3) {
        println!("{paragraph}\n");
    }
    if paragraphs.len() > 4 {
        println!("   ... and the rest in {}\n", path.display());
    }
    if let Some(last) = paragraphs.last() {
        println!("{}", last.trim_end());
    }
}

/// Where to send traffic.
struct Door {
    gateway: String,
    door: String,
    token: String,
}

/// One event of the example's traffic.
struct Case {
    trigger: String,
    name: String,
    hostile: bool,
    about: String,
    content: Value,
}

/// What came of one event.
struct Outcome {
    verdict: String,
    answer: String,
}

impl Outcome {
    /// Whether it ended as it should: an honest event is served, a hostile one stopped.
    fn right(&self, hostile: bool) -> bool {
        if hostile {
            matches!(self.verdict.as_str(), "refused" | "set-aside" | "dropped")
        } else {
            self.verdict == "passed"
        }
    }
}

impl Door {
    fn send(&self, case: &Case) -> anyhow::Result<Outcome> {
        let answer = match case.content.get("request") {
            Some(request) => {
                let field = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or("");
                let mut target = field("path").to_string();
                if !field("query").is_empty() {
                    target = format!("{target}?{}", field("query"));
                }
                let headers: Vec<(String, String)> = request
                    .get("headers")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_string()))
                    .collect();
                let body = match request.get("body") {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::String(text)) => text.clone().into_bytes(),
                    Some(json) => serde_json::to_vec(json)?,
                };
                http::request(&self.gateway, field("method"), &target, &headers, &body)?
            }
            None => {
                let function =
                    case.content.get("function").and_then(Value::as_str).context("the case names no function")?;
                let event = serde_json::to_vec(case.content.get("event").context("the case has no event")?)?;
                let headers = [
                    ("authorization".to_string(), format!("Bearer {}", self.token)),
                    ("content-type".to_string(), "application/json".to_string()),
                ];
                http::request(&self.door, "POST", &format!("/invoke/{function}"), &headers, &event)?
            }
        };
        let incident = answer.header("x-ringfence-incident").map(str::to_string).or_else(|| {
            serde_json::from_str::<Value>(&answer.body).ok()?.get("incident")?.as_str().map(str::to_string)
        });
        let verdict = match answer.header("x-ringfence-verdict") {
            Some(verdict) => verdict.to_string(),
            None if answer.status == 403 && incident.is_some() => "refused".into(),
            None if case.content.get("request").is_some() => "passed".into(),
            None => bail!("the door answered {} without a verdict: {}", answer.status, answer.body),
        };
        // An event that brings its function down has not been served, whoever let it through.
        let failed = answer.status >= 500
            || serde_json::from_str::<Value>(&answer.body).is_ok_and(|answer| answer.get("errorType").is_some());
        let verdict = if failed && verdict == "passed" { "failed".into() } else { verdict };
        Ok(Outcome { verdict, answer: answer.body })
    }
}

fn cases() -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    let traffic = setup::root().join("examples/orders/traffic");
    for trigger in names(&traffic)? {
        for hostile in [false, true] {
            let folder = traffic.join(&trigger).join(if hostile { "hostile" } else { "honest" });
            for name in names(&folder)? {
                let path = folder.join(&name);
                let content: Value =
                    serde_json::from_str(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
                let about = content.get("about").and_then(Value::as_str).unwrap_or("").to_string();
                cases.push(Case { trigger: trigger.clone(), name, hostile, about, content });
            }
        }
    }
    // Honest requests over HTTP make the orders that the others speak about.
    cases.sort_by_key(|case| (case.hostile, case.trigger != "http", case.trigger.clone(), case.name.clone()));
    Ok(cases)
}

fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Plays all traffic and prints the outcome; whether all of it ended as it should.
fn play(door: &Door) -> anyhow::Result<bool> {
    say("playing honest and hostile traffic; each line below is the guard's, with rule, field and what it saw there");
    let cases = cases()?;
    let mut tally: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let outcome = door.send(case)?;
        let row = tally.entry(&case.trigger).or_default();
        let offset = if case.hostile { 2 } else { 0 };
        row[offset + 1] += 1;
        if outcome.right(case.hostile) {
            row[offset] += 1;
        } else {
            wrong.push((case, outcome));
            continue;
        }
    }
    println!("\n   {:16} {:>15} {:>15}", "trigger", "honest passed", "hostile stopped");
    for (trigger, [passed, honest, stopped, hostile]) in &tally {
        println!("   {trigger:16} {:>15} {:>15}", format!("{passed} of {honest}"), format!("{stopped} of {hostile}"));
    }
    let sum = |index: usize| tally.values().map(|row| row[index]).sum::<usize>();
    println!("   {:16} {:>15} {:>15}", "all", format!("{} of {}", sum(0), sum(1)), format!("{} of {}", sum(2), sum(3)));
    for (case, outcome) in &wrong {
        let expected = if case.hostile { "should have been stopped" } else { "should have passed" };
        println!(
            "   WRONG: {}/{} {expected}, was {}: {}",
            case.trigger,
            case.name,
            outcome.verdict,
            shorten(&outcome.answer, 300)
        );
    }
    Ok(wrong.is_empty())
}

/// Plays the hostile events that leave a visible mark without leaving this machine, with nobody in front.
fn play_unguarded(door: &Door) -> anyhow::Result<bool> {
    say("playing what leaves a mark, with no guard in front");
    let marks = || -> Vec<PathBuf> {
        let entries = fs::read_dir("/tmp").into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        entries
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ringfence-pwned-")))
            .collect()
    };
    for mark in marks() {
        fs::remove_file(mark)?;
    }
    let mut effects = 0;
    for case in cases()?.iter().filter(|case| case.content.to_string().contains("ringfence-pwned-")) {
        let outcome = door.send(case)?;
        for mark in marks() {
            effects += 1;
            println!("   {}/{}: {} wrote {}", case.trigger, case.name, shorten(&case.about, 60), mark.display());
            fs::remove_file(mark)?;
        }
        if outcome.right(true) {
            bail!("something stopped {}/{} though no guard stands in front", case.trigger, case.name);
        }
    }
    println!("   {effects} attacks left their mark; with the guard none of them reaches a function");
    Ok(effects > 0)
}

/// What the records say about it, asked in SQL.
fn ask(ringfence: &Path, application: &Path) -> anyhow::Result<()> {
    let question = "SELECT trigger, rule, field, count(*) AS times FROM verdicts WHERE action <> 'pass' GROUP BY 1, 2 ORDER BY times DESC, 1, 2 LIMIT 12";
    println!();
    say(&format!("ringfence hunt \"{question}\""));
    setup::run(Command::new(ringfence).args(["hunt", question, "--data"]).arg(application))
}

fn text(facts: &Value, key: &str) -> anyhow::Result<String> {
    facts.get(key).and_then(Value::as_str).map(str::to_string).with_context(|| format!("up.json has no `{key}`"))
}

fn shorten(text: &str, most: usize) -> String {
    let flat: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if flat.chars().count() <= most { flat } else { flat.chars().take(most - 1).chain(['\u{2026}']).collect() }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Tries until something is there or the time is over.
fn wait_for<T>(limit: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(there) = attempt() {
            return Some(there);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

/// A process that ends with us.
struct Stopping(Child);

impl Stopping {
    /// Asks it to end, and waits until it has.
    fn stop(&mut self) -> anyhow::Result<()> {
        if self.0.try_wait()?.is_some() {
            return Ok(());
        }
        // The standard library only knows SIGKILL, which would leave the functions behind.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        let ended = wait_for(Duration::from_secs(15), || self.0.try_wait().ok().flatten());
        if ended.is_none() {
            self.0.kill()?;
            self.0.wait()?;
            bail!("a process did not end when asked (kill: {asked:?})");
        }
        Ok(())
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        // On the way out of an error there is nothing more to say about it.
        let _ = self.stop();
    }
}

/// Copies the application, leaving what earlier runs installed below the copy.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
