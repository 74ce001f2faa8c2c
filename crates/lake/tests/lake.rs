//! The lake as its users meet it: storing, asking, dying in the middle.
#![allow(clippy::unwrap_used)]

use lake::{Cell, Error, FILE, Lake, Limits, Reader};
use records::{
    Action, CloudCall, Egress, FunctionError, HttpSummary, Invocation, Log, Match, Mode, Outcome, Record, Started,
    Stopped, Verdict,
};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

const NOON: i64 = 1_767_268_800_000;

fn verdict(matches: Vec<Match>) -> Record {
    Record::new(
        NOON,
        "CreateOrder",
        Verdict {
            mode: Mode::Block,
            action: Action::Refuse,
            trigger: "http".into(),
            incident: Some("rf-1".into()),
            reason: "injection".into(),
            matches,
            records_total: 1,
            records_refused: 1,
            source: Some("203.0.113.9".into()),
        },
    )
    .with_request_id("r-1")
}

fn matched(rule: &str, severity: &str) -> Match {
    Match {
        rule: rule.into(),
        family: "sql-injection".into(),
        severity: severity.into(),
        field: "body.note".into(),
        excerpt: "'; DROP TABLE events; --\u{0}\n".into(),
        message: "always true".into(),
        cwe: Some(89),
    }
}

fn everything() -> Vec<Record> {
    vec![
        Record::new(
            NOON - 5,
            "CreateOrder",
            Started { runtime: "python3.13".into(), tier: "user-space".into(), pid: Some(3), init_us: 80_000 },
        ),
        verdict(vec![matched("small", "low"), matched("big", "critical"), matched("big-too", "critical")]),
        Record::new(
            NOON + 1,
            "CreateOrder",
            Invocation {
                trigger: "http".into(),
                outcome: Outcome::Refused,
                duration_us: 900,
                guard_us: 70,
                bytes_in: 100,
                bytes_out: 60,
                cold: true,
                source: Some("203.0.113.9".into()),
                http: Some(HttpSummary { method: "POST".into(), path: "/orders".into(), status: 403 }),
            },
        )
        .with_request_id("r-1"),
        Record::new(
            NOON + 2,
            "CreateOrder",
            FunctionError { kind: "KeyError".into(), message: "'id'".into(), trace: vec!["app.py:3".into()] },
        ),
        Record::new(
            NOON + 3,
            "CreateOrder",
            CloudCall {
                service: "s3".into(),
                action: "s3:DeleteObject".into(),
                resource: Some("bucket/x".into()),
                allowed: false,
                in_fence: false,
                status: None,
                because: Some("not in the fence".into()),
            },
        ),
        Record::new(
            NOON + 4,
            "ChargeCard",
            Egress { host: "203.0.113.66".into(), port: 4444, allowed: false, in_fence: false, because: None },
        ),
        Record::new(NOON + 5, "ChargeCard", Log { stream: "stderr".into(), line: "hello".into() }),
        Record::new(NOON + 6, "ChargeCard", Stopped { reason: "crashed".into(), exit_code: Some(139) }),
    ]
}

fn filled() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(&folder.path().join("made/on/the/way")).unwrap();
    lake.append(&everything()).unwrap();
    (folder, lake)
}

fn text(lake: &Lake, sql: &str) -> Vec<String> {
    let table = lake.query(sql, &Limits::default()).unwrap();
    table.rows.iter().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")).collect()
}

fn problem(lake: &Lake, sql: &str) -> String {
    lake.query(sql, &Limits::default()).unwrap_err().to_string()
}

#[test]
fn each_kind_of_record_is_found_under_its_columns() {
    let (_folder, lake) = filled();
    assert_eq!(
        text(&lake, "SELECT time, function, trigger, action, rule, severity, incident, source FROM verdicts"),
        ["2026-01-01T12:00:00.000Z|CreateOrder|http|refuse|big|critical|rf-1|203.0.113.9"]
    );
    assert_eq!(
        text(&lake, "SELECT position, rule, severity, cwe, action FROM matches ORDER BY position"),
        ["0|small|low|89|refuse", "1|big|critical|89|refuse", "2|big-too|critical|89|refuse"]
    );
    assert_eq!(
        text(&lake, "SELECT outcome, duration_us, guard_us, method, path, status, cold FROM invocations"),
        ["refused|900|70|POST|/orders|403|1"]
    );
    assert_eq!(text(&lake, "SELECT kind, message FROM errors"), ["KeyError|'id'"]);
    assert_eq!(
        text(&lake, "SELECT service, api_action, resource, allowed, in_fence, reason FROM cloud_calls"),
        ["s3|s3:DeleteObject|bucket/x|0|0|not in the fence"]
    );
    assert_eq!(text(&lake, "SELECT host, port, allowed FROM egress"), ["203.0.113.66|4444|0"]);
    assert_eq!(text(&lake, "SELECT kind, message FROM logs"), ["stderr|hello"]);
    assert_eq!(text(&lake, "SELECT reason, status FROM events WHERE type = 'stopped'"), ["crashed|139"]);
    assert_eq!(text(&lake, "SELECT ocsf->>'$.unmapped.tier' FROM events WHERE type = 'started'"), ["user-space"]);
    assert_eq!(
        text(&lake, "SELECT count(*) FROM events WHERE json_valid(ocsf) AND ocsf->>'class_uid' = class_uid"),
        ["8"]
    );
}

#[test]
fn hostile_bytes_come_back_as_they_went_in() {
    let (_folder, lake) = filled();
    let table = lake.query("SELECT excerpt FROM verdicts", &Limits::default()).unwrap();
    assert_eq!(table.cell(0, "excerpt"), Some(&Cell::from("'; DROP TABLE events; --\u{0}\n")));
    let mut record = verdict(vec![]);
    record.function = "x' OR '1'='1".into();
    lake.append(&[record]).unwrap();
    let table = lake
        .query_with("SELECT count(*) FROM events WHERE function = ?1", &["x' OR '1'='1".into()], &Limits::default())
        .unwrap();
    assert_eq!(table.rows, [[Cell::Integer(1)]]);
}

#[test]
fn the_documented_schema_is_the_one_that_answers() {
    let (_folder, lake) = filled();
    for table in lake.schema() {
        let answer = lake.query(&format!("SELECT * FROM {}", table.name), &Limits::default()).unwrap();
        let documented: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(answer.columns, documented, "{}", table.name);
    }
}

#[test]
fn a_wrong_name_gets_the_near_miss() {
    let (_folder, lake) = filled();
    assert_eq!(problem(&lake, "SELECT fucntion FROM events"), "no such column: `fucntion`; did you mean `function`?");
    assert_eq!(
        problem(&lake, "SELECT e.client_ip FROM events e"),
        "no such column: `e.client_ip`; did you mean `source`?"
    );
    assert_eq!(problem(&lake, "SELECT * FROM verdict"), "no such table: `verdict`; did you mean `verdicts`?");
    assert_eq!(problem(&lake, "SELECT port FROM verdicts"), "no such column: `port`; it is in `events`, `egress`");
    assert_eq!(
        problem(&lake, "SELECT * FROM events WHERE action = \"quetzal\""),
        "no such column: `quetzal`; text stands in 'single quotes'"
    );
    assert!(problem(&lake, "SELECT * FROM zebras").contains("there are events, verdicts"));
    assert!(problem(&lake, "SELEC 1").contains("syntax error"));
    assert!(problem(&lake, "  ; ").contains("there is no query"));
    assert!(problem(&lake, "SELECT 1; SELECT 2").contains("one query at a time"));
    assert_eq!(text(&lake, "SELECT 1 -- and a remark;"), ["1"]);
}

#[test]
fn nothing_but_reading_is_let_through() {
    let (folder, lake) = filled();
    let outside = folder.path().join("outside.db");
    let outside = outside.display();
    for (sql, what) in [
        ("DELETE FROM events".to_owned(), "DELETE"),
        ("INSERT INTO events (time) VALUES ('x')".to_owned(), "INSERT"),
        ("UPDATE events SET function = 'x'".to_owned(), "UPDATE"),
        ("DROP TABLE events".to_owned(), "isn't allowed"),
        ("CREATE TEMP TABLE t (x)".to_owned(), "isn't allowed"),
        (format!("ATTACH '{outside}' AS o"), "ATTACH"),
        (format!("VACUUM INTO '{outside}'"), "isn't allowed"),
        ("PRAGMA journal_mode = DELETE".to_owned(), "PRAGMA journal_mode"),
        ("PRAGMA writable_schema = 1".to_owned(), "PRAGMA writable_schema"),
        ("BEGIN IMMEDIATE".to_owned(), "a transaction"),
        ("WITH x AS (SELECT 1) DELETE FROM events".to_owned(), "DELETE"),
        ("EXPLAIN DELETE FROM events".to_owned(), "DELETE"),
        ("SELECT load_extension('/tmp/x.so')".to_owned(), "load_extension"),
    ] {
        let said = problem(&lake, &sql);
        assert!(said.contains(what), "{sql}: {said}");
    }
    assert!(!folder.path().join("outside.db").exists());
    assert_eq!(text(&lake, "SELECT count(*) FROM events"), ["8"]);
}

#[test]
fn a_query_that_would_never_end_is_stopped() {
    let (_folder, lake) = filled();
    let limits = Limits { time: Duration::from_millis(100), ..Limits::default() };
    let error = lake
        .query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", &limits)
        .unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
    assert_eq!(text(&lake, "SELECT 1"), ["1"]);
}

#[test]
fn a_large_answer_is_cut_at_its_rows_and_refused_at_its_bytes() {
    let (_folder, lake) = filled();
    let limits = Limits { rows: 8, ..Limits::default() };
    assert!(!lake.query("SELECT * FROM events", &limits).unwrap().truncated);
    let limits = Limits { rows: 7, ..Limits::default() };
    let table = lake.query("SELECT * FROM events", &limits).unwrap();
    assert!(table.truncated && table.rows.len() == 7);
    let limits = Limits { bytes: 1000, ..Limits::default() };
    assert!(matches!(lake.query("SELECT hex(zeroblob(501))", &limits), Err(Error::TooLarge(1000))));
    assert!(matches!(lake.query("SELECT zeroblob(1000000000)", &Limits::default()), Err(Error::TooLarge(_))));
}

#[test]
fn reading_where_nothing_was_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let said = Reader::open(folder.path()).unwrap_err().to_string();
    assert!(said.contains("nothing has been recorded there yet"), "{said}");
    assert!(!folder.path().join(FILE).exists());
    std::fs::write(folder.path().join(FILE), "this is a shopping list, and not a short one").unwrap();
    assert!(matches!(Lake::open(folder.path()), Err(Error::Open { .. })));
    assert!(matches!(Reader::open(folder.path()), Err(Error::Open { .. })));
    assert!(matches!(Lake::open(&folder.path().join(FILE)), Err(Error::Open { .. })));
}

#[test]
fn old_records_go_with_their_matches_and_new_ones_stay() {
    let (_folder, lake) = filled();
    assert_eq!(lake.remove_before(NOON + 1).unwrap(), 2);
    assert_eq!(text(&lake, "SELECT count(*) FROM events"), ["6"]);
    assert_eq!(text(&lake, "SELECT count(*) FROM match_rows"), ["0"]);
    assert_eq!(lake.remove_before(NOON + 1).unwrap(), 0);
    let many: Vec<Record> = (0..11_000).map(|at| Record::new(at, "F", Log::default())).collect();
    lake.append(&many).unwrap();
    assert_eq!(lake.remove_before(NOON).unwrap(), 11_000);
}

#[test]
fn it_opens_again_with_everything_in_it() {
    let (folder, lake) = filled();
    drop(lake);
    let lake = Lake::open(&folder.path().join("made/on/the/way")).unwrap();
    lake.append(&everything()).unwrap();
    assert_eq!(text(&lake, "SELECT count(*) FROM events"), ["16"]);
}

/// Not a test by itself: the process that `a_killed_writer_loses_nothing_it_acknowledged` and
/// `another_process_asks_while_one_writes` start. It acknowledges each batch of seven on a line.
#[test]
fn writer_process() {
    let Ok(folder) = std::env::var("LAKE_TEST_FOLDER") else {
        return;
    };
    let lake = Lake::open(folder.as_ref()).unwrap();
    for batch in 0..20_000_i64 {
        let records: Vec<Record> =
            (0..7).map(|_| Record::new(batch, "F", Log { stream: "stdout".into(), line: "x".repeat(500) })).collect();
        lake.append(&records).unwrap();
        println!("\nacknowledged {batch}");
    }
}

fn start_writer(folder: &std::path::Path) -> (std::process::Child, impl Iterator<Item = i64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer_process", "--nocapture"])
        .env("LAKE_TEST_FOLDER", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok());
    (child, acknowledged)
}

#[test]
fn a_killed_writer_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = 0;
    for round in 1..=4 {
        let (mut child, mut acknowledged) = start_writer(folder.path());
        // Killed with SIGKILL at a different moment each round; what it still said before it died counts too.
        let mut seen = acknowledged.by_ref().take(round * 13).count();
        child.kill().unwrap();
        child.wait().unwrap();
        seen += acknowledged.count();
        expected += seen * 7;
        let lake = Lake::open(folder.path()).unwrap();
        let stored: usize = text(&lake, "SELECT count(*) FROM events")[0].parse().unwrap();
        assert!(stored >= expected, "{expected} were acknowledged, {stored} are there");
        assert_eq!(
            text(&lake, "SELECT count(*) FROM (SELECT 1 FROM events GROUP BY time_ms HAVING count(*) % 7 <> 0)"),
            ["0"],
            "no half batch"
        );
        // One batch may have been stored just before it could be acknowledged.
        assert!(stored <= expected + 7);
        expected = stored;
    }
}

#[test]
fn another_process_asks_while_one_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, mut acknowledged) = start_writer(folder.path());
    assert_eq!(acknowledged.next(), Some(0));
    let reader = Reader::open(folder.path()).unwrap();
    for _ in 0..20 {
        let batch = acknowledged.next().unwrap();
        let table = reader.query("SELECT count(*) FROM events", &Limits::default()).unwrap();
        let stored = table.rows[0][0].as_i64().unwrap();
        assert!(stored >= (batch + 1) * 7 && stored % 7 == 0, "{stored} after batch {batch}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_log_cut_short_by_a_power_failure_leaves_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).unwrap();
    for at in 0..20 {
        let batch: Vec<Record> =
            (0..7).map(|_| Record::new(at, "F", Log { stream: "stdout".into(), line: "x".repeat(500) })).collect();
        lake.append(&batch).unwrap();
    }
    let wal = std::fs::read(folder.path().join("lake.db-wal")).unwrap();
    let base = std::fs::read(folder.path().join(FILE)).unwrap();
    for part in 1..10 {
        let copy = tempfile::tempdir().unwrap();
        std::fs::write(copy.path().join(FILE), &base).unwrap();
        std::fs::write(copy.path().join("lake.db-wal"), &wal[..wal.len() * part / 10]).unwrap();
        let lake = Lake::open(copy.path()).unwrap();
        let stored: usize = text(&lake, "SELECT count(*) FROM events")[0].parse().unwrap();
        assert!(stored.is_multiple_of(7) && stored < 140, "{stored}");
        lake.append(&everything()).unwrap();
    }
}
