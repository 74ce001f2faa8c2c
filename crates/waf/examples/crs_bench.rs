//! What a transaction costs: `crs_bench RULES CORPUS [SECONDS|nCOUNT] [SCENARIO...]`.
//!
//! `RULES` is a folder with `crs-setup.conf.example` and `rules/`, or a compiled set; `CORPUS` holds a folder per scenario with raw
//! requests (`*.http`) and a `response.http`. With `nCOUNT` that many transactions are run, so that a counter of
//! instructions can take the difference of two runs. `RINGFENCE_PARANOIA` is the level, 1 when not said.

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs, hint};

use waf::seclang::{BASE, Connection, RuleSet, Transaction};

struct Message {
    line: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

fn message(path: &Path) -> Message {
    let raw = fs::read(path).expect("the corpus is readable");
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("a message has a header");
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().as_bytes().to_vec();
    let field = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header field has a colon");
        (name.as_bytes().to_vec(), value.trim().as_bytes().to_vec())
    };
    Message { line, headers: lines.map(field).collect(), body: raw[end + 4..].to_vec() }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the folder is readable").filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn compile(folder: &Path, level: &str) -> RuleSet {
    let read = |path: &Path| fs::read_to_string(path).expect("the rules are readable");
    let mut files = vec![
        ("base".to_string(), BASE.to_string()),
        ("setup".to_string(), read(&folder.join("crs-setup.conf.example"))),
        (
            "level".to_string(),
            format!(
                "SecAction \"id:1000001,phase:1,nolog,pass,setvar:tx.blocking_paranoia_level={level},setvar:tx.detection_paranoia_level={level}\""
            ),
        ),
    ];
    for path in sorted(&folder.join("rules")).iter().filter(|path| path.extension().is_some_and(|kind| kind == "conf"))
    {
        files.push((path.display().to_string(), read(path)));
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (set, diagnostics) = RuleSet::compile(&files, &|name| fs::read_to_string(folder.join("rules").join(name)).ok());
    diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
    set
}

const CONNECTION: Connection<'static> =
    Connection { remote_address: "192.0.2.10", remote_port: 40_000, server_address: "192.0.2.1", server_port: 80 };

fn one(transaction: &mut Transaction<'_>, request: &Message, response: &Message) -> bool {
    transaction.reset(CONNECTION);
    transaction.request_line(&request.line);
    for (name, value) in &request.headers {
        transaction.request_header(name, value);
    }
    let mut blocked = transaction.process_request_headers().is_some();
    if !blocked {
        transaction.request_body(&request.body);
        blocked = transaction.process_request_body().is_some();
    }
    if !blocked {
        transaction.response_line(b"HTTP/1.1", 200);
        for (name, value) in &response.headers {
            transaction.response_header(name, value);
        }
        blocked = transaction.process_response_headers().is_some();
    }
    if !blocked {
        transaction.response_body(&response.body);
        blocked = transaction.process_response_body().is_some();
    }
    transaction.process_logging();
    blocked
}

/// Resident memory of this process in KiB; 0 where the system doesn't tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [rules, corpus, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: crs_bench RULES CORPUS [SECONDS|nCOUNT] [SCENARIO...]");
        std::process::exit(2);
    };
    let (budget, wanted) = rest.split_first().map_or(("1", &[][..]), |(first, rest)| (first.as_str(), rest));
    let count = budget.strip_prefix('n').and_then(|count| count.parse::<usize>().ok());
    let seconds: f64 = budget.parse().unwrap_or(f64::MAX);
    let level = env::var("RINGFENCE_PARANOIA").unwrap_or_else(|_| "1".into());
    let before = resident();
    let start = Instant::now();
    let set = if Path::new(rules).is_file() {
        RuleSet::from_compiled(&fs::read(rules).expect("the rules are readable")).expect("the rules are whole")
    } else {
        compile(Path::new(rules), &level)
    };
    println!(
        "{{\"rules\":{},\"load_ms\":{:.1},\"rss_kb_before\":{before},\"rss_kb_after\":{}}}",
        set.len(),
        start.elapsed().as_secs_f64() * 1e3,
        resident()
    );
    if let Some(path) = env::var_os("RINGFENCE_COMPILE") {
        fs::write(path, set.to_compiled().expect("rules can be written")).expect("the file is writable");
    }
    let mut transaction = Transaction::new(&set, CONNECTION);
    for folder in sorted(Path::new(corpus)) {
        let scenario = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !folder.is_dir() || (!wanted.is_empty() && !wanted.contains(&scenario)) {
            continue;
        }
        let response = message(&folder.join("response.http"));
        let requests: Vec<Message> =
            sorted(&folder).iter().filter(|path| !path.ends_with("response.http")).map(|path| message(path)).collect();
        for request in requests.iter().chain(&requests) {
            one(&mut transaction, request, &response);
        }
        let start = Instant::now();
        let (mut runs, mut blocked) = (0, 0);
        let mut times = Vec::new();
        while count.map_or_else(|| start.elapsed().as_secs_f64() < seconds, |count| runs < count) {
            let before = Instant::now();
            blocked += usize::from(hint::black_box(one(&mut transaction, &requests[runs % requests.len()], &response)));
            times.push(before.elapsed().as_secs_f64() * 1e6);
            runs += 1;
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
        println!(
            "{{\"scenario\":\"{scenario}\",\"tx\":{runs},\"blocked\":{blocked},\"p50_us\":{:.1},\"p99_us\":{:.1},\"matched\":{},\"rss_kb\":{}}}",
            at(0.5),
            at(0.99),
            transaction.matched().len(),
            resident()
        );
        if env::var_os("RINGFENCE_SHOW").is_some() {
            transaction.matched().iter().filter(|rule| rule.logged).for_each(|rule| println!("  {rule:?}"));
        }
    }
}
