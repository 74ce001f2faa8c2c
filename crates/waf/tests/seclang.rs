//! Rules someone could have written, requests someone could have sent, and what the engine says to them.

#![allow(clippy::unwrap_used)]

use waf::seclang::{
    BASE, Collections, CompiledError, Connection, Intervention, Level, MemoryCollections, RuleSet, Transaction,
};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

fn compile(rules: &str) -> RuleSet {
    let words = |name: &str| (name == "words.data").then(|| "# scanners\nnikto\nsqlmap\n".to_string());
    let (set, diagnostics) = RuleSet::compile(&[("base", BASE), ("rules.conf", rules)], &words);
    let told: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    set
}

/// The complaints about some rules, as lines.
fn complaints(rules: &str) -> Vec<String> {
    let (_, diagnostics) = RuleSet::compile(&[("r.conf", rules)], &|_| None);
    diagnostics.iter().map(ToString::to_string).collect()
}

struct Outcome {
    stopped: Option<Intervention>,
    /// Ids with the field and data of each match that is to be logged.
    matched: Vec<(u32, String, String)>,
    score: String,
}

impl Outcome {
    fn ids(&self) -> Vec<u32> {
        self.matched.iter().map(|(id, ..)| *id).collect()
    }
}

fn run(set: &RuleSet, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
    let mut transaction = Transaction::new(set, Connection { remote_address: "192.0.2.7", ..Connection::default() });
    drive(&mut transaction, line, headers, body)
}

fn drive(transaction: &mut Transaction<'_>, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome {
    transaction.request_line(line.as_bytes());
    for (name, value) in headers {
        transaction.request_header(name.as_bytes(), value.as_bytes());
    }
    let mut stopped = transaction.process_request_headers();
    if stopped.is_none() {
        transaction.request_body(body);
        stopped = transaction.process_request_body();
    }
    if stopped.is_none() {
        transaction.response_line(b"HTTP/1.1", 200);
        transaction.response_header(b"Content-Type", b"text/html; charset=utf-8");
        stopped = transaction.process_response_headers();
    }
    if stopped.is_none() {
        transaction.response_body(b"<h1>It works</h1>");
        stopped = transaction.process_response_body();
    }
    transaction.process_logging();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let logged = transaction.matched().iter().filter(|rule| rule.logged);
    let matched = logged.map(|rule| (rule.id, text(&rule.field), text(&rule.data))).collect();
    let score = transaction.variable("score").map(|score| text(&score)).unwrap_or_default();
    Outcome { stopped, matched, score }
}

fn get(set: &RuleSet, uri: &str) -> Outcome {
    run(set, &format!("GET {uri} HTTP/1.1"), &[("Host", "shop.example")], b"")
}

#[test]
fn a_match_names_field_and_data() {
    let set = compile(
        r#"SecRule ARGS|ARGS_NAMES "@rx (?i)(union)\s+(select)" "id:1,phase:2,deny,status:406,capture,t:none,t:urlDecodeUni,\
            msg:'SQL: %{TX.2}',logdata:'%{TX.1} in %{MATCHED_VAR_NAME}: %{MATCHED_VAR}'""#,
    );
    let outcome = get(&set, "/items?id=1%2520UNION%2520SELECT");
    assert_eq!(outcome.stopped.map(|stopped| (stopped.rule, stopped.status)), Some((1, 406)));
    assert_eq!(outcome.matched, [(1, "ARGS:id".into(), "UNION in ARGS:id: 1 UNION SELECT".into())]);
    assert!(get(&set, "/items?id=reunion").stopped.is_none());
}

#[test]
fn scores_add_up_for_each_value_that_matches() {
    let set = compile(
        r#"SecAction "id:1,phase:1,pass,nolog,setvar:tx.critical=5"
           SecRule ARGS "@contains <" "id:2,phase:2,pass,nolog,setvar:'tx.score=+%{tx.critical}'"
           SecRule TX:score "@ge 10" "id:3,phase:2,deny,status:403,log,msg:'too much: %{tx.score}'""#,
    );
    assert_eq!(get(&set, "/?a=%3c&b=x").score, "5");
    let outcome = get(&set, "/?a=%3c&b=%3c&c=%3c");
    assert_eq!(outcome.score, "15");
    assert_eq!(outcome.stopped.map(|stopped| stopped.rule), Some(3));
}

#[test]
fn selectors_exclusions_and_counts() {
    let set = compile(
        r#"SecRule ARGS|!ARGS:/^note_/|!ARGS:free "@rx [<>]" "id:1,phase:2,pass,log"
           SecRule REQUEST_HEADERS:x-token "!@rx ^[a-f0-9]{8}$" "id:2,phase:1,pass,log"
           SecRule &REQUEST_HEADERS:Host "@gt 1" "id:3,phase:1,pass,log"
           SecRule &ARGS:/^a/ "@eq 2" "id:4,phase:2,pass,log"
           SecRule REQUEST_COOKIES_NAMES "@streq session" "id:5,phase:1,pass,log""#,
    );
    assert_eq!(get(&set, "/?note_1=%3c&free=%3c").ids(), [0u32; 0]);
    assert_eq!(get(&set, "/?a1=%3c&A2=x").ids(), [1, 4]);
    let headers = [("Host", "a"), ("Host", "b"), ("X-Token", "zz"), ("Cookie", "theme=dark; session=1")];
    assert_eq!(run(&set, "GET / HTTP/1.1", &headers, b"").ids(), [2, 3, 5]);
}

#[test]
fn chains_match_as_a_whole_and_hand_on_what_matched() {
    let set = compile(
        r#"SecRule ARGS "@rx ^/" "id:1,phase:2,deny,status:403,log,chain,logdata:'%{MATCHED_VAR_NAME}'"
             SecRule MATCHED_VARS "@contains .." "chain"
               SecRule MATCHED_VARS "@endsWith passwd" "setvar:tx.score=+1""#,
    );
    assert!(get(&set, "/?a=/x/..&b=/etc/passwd").stopped.is_none());
    let outcome = get(&set, "/?a=x&b=/../etc/passwd");
    assert_eq!((outcome.ids(), outcome.score.as_str()), (vec![1], "1"));
    assert_eq!(outcome.matched[0].2, "ARGS:b");
}

#[test]
fn markers_are_skipped_to_and_rules_are_removed() {
    let set = compile(
        r#"SecRule REQUEST_URI "@beginsWith /health" "id:1,phase:1,pass,nolog,skipAfter:END"
           SecAction "id:2,phase:1,pass,log"
           SecMarker END
           SecRule REQUEST_URI "@beginsWith /upload" "id:3,phase:1,pass,nolog,ctl:ruleRemoveByTag=attack-sql"
           SecRule REQUEST_URI "@beginsWith /editor" "id:4,phase:1,pass,nolog,ctl:ruleRemoveTargetById=5;ARGS:html"
           SecRule ARGS "@rx <" "id:5,phase:2,pass,log,tag:'attack-xss'"
           SecRule ARGS "@rx '" "id:6,phase:2,pass,log,tag:'attack-sql'"
           SecRule ARGS "@rx x" "id:7,phase:2,pass,log"
           SecRule ARGS "@rx ^y" "id:8,phase:2,pass,log"
           SecRuleRemoveById 7
           SecRuleUpdateTargetById 8 "!ARGS:skip"
           SecRuleUpdateActionById 8 "deny,status:418""#,
    );
    assert_eq!(get(&set, "/health").ids(), [0u32; 0]);
    assert_eq!(get(&set, "/?q=x%3c'").ids(), [2, 5, 6]);
    assert_eq!(get(&set, "/upload?q=%3c'").ids(), [2, 5]);
    assert_eq!(get(&set, "/editor?html=%3c&skip=y").ids(), [2]);
    assert_eq!(get(&set, "/?q=y").stopped.map(|stopped| stopped.status), Some(418));
}

#[test]
fn bodies_are_read_by_their_kind() {
    let set = compile(
        r#"SecRule ARGS "@streq evil" "id:1,phase:2,pass,log"
           SecRule XML:/*|XML://@* "@contains evil" "id:2,phase:2,pass,log"
           SecRule FILES "@endsWith .php" "id:3,phase:2,pass,log"
           SecRule MULTIPART_PART_HEADERS "@rx (?i)^content-transfer-encoding" "id:4,phase:2,pass,log"
           SecRule REQUEST_BODY "@contains evil" "id:5,phase:2,pass,log""#,
    );
    let post = |headers: &[(&str, &str)], body: &str| run(&set, "POST / HTTP/1.1", headers, body.as_bytes());
    let fields =
        |outcome: Outcome| outcome.matched.iter().map(|(id, field, _)| format!("{id} {field}")).collect::<Vec<_>>();
    assert_eq!(fields(post(&[FORM], "a=1&b=e%76il")), ["1 ARGS:b"]);
    assert_eq!(fields(post(&[JSON], r#"{"a":{"b":["x","evil"]}}"#)), ["1 ARGS:json.a.b.array_1"]);
    let xml = ("Content-Type", "text/xml");
    assert_eq!(fields(post(&[xml], "<a b='evil'>x<c>ev<!-- -->il</c></a>")), ["2 XML", "2 XML"]);
    let multipart = ("Content-Type", "multipart/form-data; boundary=b");
    let part = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\nevil\r\n--b--\r\n";
    assert_eq!(fields(post(&[multipart], part)), ["3 FILES:f", "4 MULTIPART_PART_HEADERS:f"]);
    assert_eq!(fields(post(&[FORM], "evil")), ["5 REQUEST_BODY"]);
}

#[test]
fn a_body_that_cannot_be_read_is_refused() {
    let set = compile("");
    for (headers, body) in [
        ([JSON], "{\"a\":"),
        ([("Content-Type", "application/xml")], "<a><b></a>"),
        ([("Content-Type", "multipart/form-data; boundary=b")], "--b\r\nx"),
    ] {
        let outcome = run(&set, "POST / HTTP/1.1", &headers, body.as_bytes());
        assert_eq!(outcome.stopped.map(|stopped| stopped.status), Some(400), "{body}");
    }
    let long = vec![b'a'; 131_073];
    let outcome = run(&set, "POST / HTTP/1.1", &[FORM], &long);
    assert_eq!(outcome.stopped.map(|stopped| stopped.status), Some(413), "one byte over the limit");
    assert!(run(&set, "POST / HTTP/1.1", &[FORM], &long[1..]).stopped.is_none(), "at the limit");
}

#[test]
fn every_step_is_asked_with_multi_match() {
    let set = compile(
        r#"SecRule ARGS "@rx ^%3c$" "id:1,phase:2,pass,log,t:none,t:urlDecode,multiMatch"
           SecRule ARGS "@rx ^%3c$" "id:2,phase:2,pass,log,t:none,t:urlDecode""#,
    );
    assert_eq!(get(&set, "/?a=%253c").ids(), [1]);
}

#[test]
fn letters_in_either_case_reach_the_pattern_their_chain_makes() {
    let set = compile(
        r#"SecRule ARGS "@rx ^select$" "id:1,phase:2,pass,log,t:none,t:lowercase"
           SecRule ARGS "@rx ^SELECT$" "id:2,phase:2,pass,log,t:none"
           SecRule ARGS "@rx ^SELECT$" "id:3,phase:2,pass,log,t:none,t:lowercase"
           SecRule ARGS "@pm select" "id:4,phase:2,pass,log,t:none"
           SecRule ARGS "@rx ^cat /etc$" "id:5,phase:2,pass,log,t:none,t:cmdLine""#,
    );
    assert_eq!(get(&set, "/?a=SELECT").ids(), [1, 2, 4]);
    assert_eq!(get(&set, "/?a=c%5Eat%20%22/ETC%22").ids(), [0u32; 0]);
    assert_eq!(get(&set, "/?a=C%5Eat,%20%20etc").ids(), [0u32; 0]);
    let outcome = get(
        &compile(r#"SecRule ARGS "@rx ^cat/etc$" "id:5,phase:2,pass,log,t:none,t:cmdLine""#),
        "/?a=C%5EAT%20%22/ETC%22",
    );
    assert_eq!(outcome.ids(), [5]);
}

#[test]
fn detection_only_and_allow_let_pass() {
    let deny = r#"SecRule ARGS "@rx x" "id:2,phase:2,deny,log""#;
    let outcome = get(&compile(&format!("SecRuleEngine DetectionOnly\n{deny}")), "/?a=x");
    assert_eq!((outcome.ids(), outcome.stopped), (vec![2], None));
    let allow = r#"SecRule REMOTE_ADDR "@ipMatch 192.0.2.0/24" "id:1,phase:1,allow,nolog""#;
    let outcome = get(&compile(&format!("{allow}\n{deny}")), "/?a=x");
    assert_eq!((outcome.ids(), outcome.stopped), (vec![], None));
    assert_eq!(get(&compile(&format!("SecRuleEngine Off\n{deny}")), "/?a=x").ids(), [0u32; 0]);
}

#[test]
fn defaults_say_what_block_means() {
    let set = compile(
        "SecDefaultAction \"phase:2,log,deny,status:451\"\nSecRule ARGS \"@pmFromFile words.data\" \"id:1,phase:2,block\"",
    );
    assert_eq!(get(&set, "/?tool=SQLMap").stopped.map(|stopped| stopped.status), Some(451));
    assert!(get(&set, "/?tool=scanners").stopped.is_none(), "comments in word lists are no words");
}

#[test]
fn responses_are_read_when_their_kind_is_wanted() {
    let rule = r#"SecRule RESPONSE_BODY "@contains it works" "id:1,phase:4,deny,status:502,log,t:none,t:lowercase""#;
    assert_eq!(get(&compile(rule), "/").stopped.map(|stopped| stopped.status), Some(502));
    let other = format!("SecResponseBodyMimeType text/plain\n{rule}");
    assert!(get(&compile(&other), "/").stopped.is_none());
}

#[test]
fn collections_remember_across_transactions() {
    let set = compile(
        r#"SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:ip.hits=+1,expirevar:ip.hits=60"
           SecRule IP:hits "@gt 2" "id:2,phase:1,deny,status:429,log""#,
    );
    let store = MemoryCollections::new(10);
    let visit = |now| {
        let mut transaction =
            Transaction::new(&set, Connection { remote_address: "192.0.2.7", ..Connection::default() });
        transaction.remember_in(&store, now);
        drive(&mut transaction, "GET / HTTP/1.1", &[], b"").stopped.map(|stopped| stopped.status)
    };
    assert_eq!([visit(1000), visit(1001), visit(1002)], [None, None, Some(429)]);
    assert_eq!(visit(1100), None, "forgotten after a minute");
    assert_eq!(store.read("ip", b"192.0.2.7")[&b"hits"[..]].value, b"1");
}

#[test]
fn a_transaction_can_be_used_again() {
    let set = compile(
        r#"SecRule ARGS "@rx x" "id:1,phase:2,pass,log,setvar:tx.score=+1,setvar:tx.of_%{MATCHED_VAR_NAME}=1"
           SecRule REQUEST_URI "@contains off" "id:2,phase:1,pass,nolog,ctl:ruleRemoveById=1""#,
    );
    let mut transaction = Transaction::new(&set, Connection::default());
    for _ in 0..3 {
        for (uri, ids, score) in [("/?a=x", vec![1], "1"), ("/off?a=x", vec![], ""), ("/?a=y", vec![], "")] {
            transaction.reset(Connection::default());
            let outcome = drive(&mut transaction, &format!("GET {uri} HTTP/1.1"), &[], b"");
            assert_eq!((outcome.ids(), outcome.score.as_str()), (ids, score), "{uri}");
        }
    }
}

#[test]
fn mistakes_are_told_where_they_stand() {
    assert_eq!(
        complaints("SecRule ARGS \"@rx a\" \\\n    \"id:1,phase:9\""),
        ["r.conf:2:17: error: `9` is no phase: 1 to 5"]
    );
    assert_eq!(complaints("\nSecRule ARG \"@rx a\" \"id:1\""), ["r.conf:2:9: error: unknown variable `ARG`"]);
    assert_eq!(complaints("SecRule ARGS \"@rxx a\" \"id:1\""), ["r.conf:1:15: error: unknown operator `@rxx`"]);
    assert_eq!(complaints("SecRule ARGS|XML:/a/b \"@rx a\" \"id:1\"").len(), 1);
    assert_eq!(
        complaints("SecRule ARGS \"@rx a\" \"id:1,t:rot13\""),
        ["r.conf:1:30: error: unknown transformation `rot13`"]
    );
    assert_eq!(complaints("SecRule ARGS \"@rx a\" \"phase:1\""), ["r.conf:1:1: error: the rule has no id"]);
    assert!(complaints("SecAction \"id:1\"\nSecAction \"id:1\"")[0].contains("there is a rule 1 already, at line 1"));
    assert!(complaints("SecRule ARGS \"@rx a\" \"id:1,chain\"")[0].contains("ends inside a chain"));
    assert!(complaints("SecRule ARGS \"@rx a\" \"id:1,chain\"\nSecMarker x")[0].contains("stands inside a chain"));
    assert!(complaints("SecRule ARGS \"@rx a \"id:1\"").iter().any(|line| line.contains("error")));
    assert!(complaints("SecRule ARGS \"@pmFromFile none.data\" \"id:1\"")[0].contains("there is no file `none.data`"));
    assert_eq!(complaints("SecFoo On"), ["r.conf:1:1: error: unknown directive `SecFoo`"]);
    assert_eq!(complaints("SecRuleEngine Maybe").len(), 1);
    let (set, diagnostics) = RuleSet::compile(
        &[("r.conf", "SecAction \"id:1,phase:1,skipAfter:NOWHERE\"\nSecAction \"id:2,msg:'%{nope.x}'\"")],
        &|_| None,
    );
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.level == Level::Warning) && diagnostics.len() == 2);
    assert_eq!(set.ids().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_broken_link_takes_its_chain_with_it() {
    let rules = "SecRule ARGS \"@rx a\" \"id:1,phase:2,deny,chain\"\n  SecRule ARGS \"@rx (\" \"chain\"\n  SecRule ARGS \"@rx b\"\nSecRule ARGS \"@rx a\" \"id:2,phase:2,pass,log\"";
    let (set, diagnostics) = RuleSet::compile(&[("r.conf", rules)], &|_| None);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(get(&set, "/?q=a").ids(), [2]);
}

#[test]
fn rule_sets_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&compile(""));
}

#[test]
fn a_rule_has_a_limited_number_of_transformations() {
    let rule = |count: usize| format!("SecRule ARGS \"@rx a\" \"id:1,phase:2,pass,log{}\"", ",t:trim".repeat(count));
    assert_eq!(complaints(&rule(64)), [""; 0]);
    assert_eq!(complaints(&rule(65)), ["r.conf:1:1: error: the rule has more than 64 transformations"]);
}

#[test]
fn includes_are_resolved_and_bounded() {
    let resolve = |name: &str| match name {
        "a.conf" => Some("SecAction \"id:1,phase:1,pass,log\"\nInclude b.conf".to_string()),
        "b.conf" => Some("Include b.conf".to_string()),
        _ => None,
    };
    let (set, diagnostics) = RuleSet::compile(&[("r.conf", "Include a.conf")], &resolve);
    assert!(diagnostics.iter().any(|diagnostic| diagnostic.message.contains("too deeply")));
    assert_eq!(get(&set, "/").ids(), [1]);
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Tears at a text: bytes changed, pieces cut, doubled and moved.
fn mutate(text: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut out = text.to_vec();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(out.len());
        match numbers.below(5) {
            0 if !out.is_empty() => out[at] = numbers.below(256) as u8,
            1 => out.truncate(at),
            2 => {
                let piece = out[at..out.len().min(at + 20)].to_vec();
                let to = numbers.below(out.len());
                out.splice(to..to, piece);
            }
            3 => out.insert(at, b"\"'\\%&|<>{}[]()*+?:;=,\0\r\n\xff/"[numbers.below(26)]),
            _ => {
                let end = out.len().min(at + 5);
                out.drain(at..end);
            }
        }
    }
    out
}

const EVERYTHING: &str = r#"
SecDefaultAction "phase:2,log,deny,status:403"
SecRule ARGS|ARGS_NAMES|!ARGS:/^x/|REQUEST_COOKIES|FILES|XML:/*|XML://@*|MULTIPART_PART_HEADERS "@rx (?i)(a[^b]{2,5}|<\w+>)\x{e9}?" \
    "id:1,phase:2,block,capture,multiMatch,t:none,t:urlDecodeUni,t:htmlEntityDecode,t:jsDecode,t:cssDecode,t:base64Decode,\
    t:cmdLine,t:normalizePathWin,t:replaceComments,t:removeNulls,msg:'%{TX.0} %{MATCHED_VAR}',setvar:'tx.a_%{MATCHED_VAR_NAME}=+1'"
SecRule TX:/^a_/|ARGS "@within %{TX.1} b" "id:2,phase:2,pass,t:sqlHexDecode,t:escapeSeqDecode,t:utf8toUnicode,t:sha1,t:hexEncode,chain"
    SecRule MATCHED_VARS "@validateByteRange 1-5,9,32-126" "t:trim,t:compressWhitespace,ctl:ruleRemoveTargetByTag=x;ARGS:y"
SecRule ARGS|REQUEST_URI|REQUEST_BODY "@detectSQLi" "id:3,phase:2,pass,t:urlDecodeUni"
SecRule ARGS|REQUEST_HEADERS|REQUEST_BODY "@detectXSS" "id:4,phase:2,pass,t:urlDecodeUni,t:removeComments"
SecRule &ARGS "@ge 3" "id:5,phase:2,pass,setenv:'x=%{ARGS.a}',initcol:ip=%{REMOTE_ADDR},skipAfter:END"
SecMarker END
SecRuleUpdateTargetById 1 "!ARGS:z"
"#;

#[test]
fn torn_requests_panic_nowhere() {
    let set = compile(EVERYTHING);
    let requests: [(&str, &str, &str); 5] = [
        (
            "POST /a/../b?x=1&a=%u0041%zz&b=<b>+1'%20or%201=1--",
            "application/x-www-form-urlencoded",
            "a=%3cscript%3e&b=0x4142&c=\\u0041\\x41\\101&d=PHNjcmlwdD4=",
        ),
        (
            "POST /?a=/*x*/ HTTP/1.1",
            "application/json",
            r#"{"a":[1,"\u00e9\ud83d\ude00",{"b":null}],"c":-1.5e3,"d":"<svg onload=x>"}"#,
        ),
        (
            "POST / HTTP/1.1",
            "application/xml",
            "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a b='&lt;&#x41;'>t<![CDATA[x]]><c/><!-- d --></a>",
        ),
        (
            "POST / HTTP/1.1",
            "multipart/form-data; boundary=\"b0\"",
            "--b0\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x\\\"y\"\r\nContent-Type: text/plain\r\n folded\r\n\r\n1\r\n--b0--\r\n",
        ),
        ("GET http://h:80/a%2fb;c?d=%00&&=&e HTTP/1.1", "text/plain", "1' UNION/**/SELECT 1,2 -- "),
    ];
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut transaction = Transaction::new(&set, Connection::default());
    for round in 0..3000 {
        let (line, kind, body) = requests[round % requests.len()];
        transaction.reset(Connection::default());
        transaction.request_line(&mutate(line.as_bytes(), &mut numbers));
        let kind = if round % 3 == 0 { mutate(kind.as_bytes(), &mut numbers) } else { kind.as_bytes().to_vec() };
        transaction.request_header(b"Content-Type", &kind);
        transaction.request_header(b"Cookie", &mutate(b"a=1; b=%41; c", &mut numbers));
        transaction.process_request_headers();
        transaction.request_body(&mutate(body.as_bytes(), &mut numbers));
        transaction.process_request_body();
        transaction.process_logging();
        assert!(!transaction.limit_exceeded());
    }
}

#[test]
fn torn_rules_panic_nowhere() {
    let mut numbers = Numbers(7);
    for _ in 0..1500 {
        let rules = String::from_utf8_lossy(&mutate(EVERYTHING.as_bytes(), &mut numbers)).into_owned();
        let (set, _) = RuleSet::compile(&[("r.conf", &rules)], &|_| None);
        run(&set, "GET /?a=%3cb%3e HTTP/1.1", &[("Cookie", "a=1")], b"");
    }
}

#[test]
fn more_than_can_be_looked_at_is_refused() {
    let set = compile(r#"SecRule ARGS "@rx x" "id:1,phase:2,pass""#);
    let headers: Vec<(String, String)> = (0..1001).map(|number| (format!("h{number}"), "v".into())).collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(run(&set, "GET / HTTP/1.1", &headers, b"").stopped.map(|stopped| stopped.status), Some(413));
    assert!(run(&set, "GET / HTTP/1.1", &headers[1..], b"").stopped.is_none());
    let arguments = |count: usize| "a=1&".repeat(count);
    assert!(run(&set, "POST / HTTP/1.1", &[FORM], arguments(1000).as_bytes()).stopped.is_none());
    assert_eq!(
        run(&set, "POST / HTTP/1.1", &[FORM], arguments(1001).as_bytes()).stopped.map(|stopped| stopped.status),
        Some(400)
    );
    // Arrays have a leaf at each level, with its whole path: as deep as this they are refused for that alone.
    let deep = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(run(&set, "POST / HTTP/1.1", &[JSON], deep(512).as_bytes()).stopped.is_none());
    assert!(run(&set, "POST / HTTP/1.1", &[JSON], deep(513).as_bytes()).stopped.is_some());
}

#[test]
fn leaves_that_repeat_a_long_path_too_often_are_refused() {
    let set = compile("SecRuleEngine On\n");
    let nested = |depth: usize, leaves: usize| {
        let leaves: Vec<String> = (0..leaves).map(|leaf| format!("\"{leaf}\":1")).collect();
        format!("{}{{{}}}{}", "{\"item\":".repeat(depth), leaves.join(","), "}".repeat(depth))
    };
    let stopped = |body: String| run(&set, "POST / HTTP/1.1", &[JSON], body.as_bytes()).stopped;
    assert_eq!(stopped(nested(200, 20)), None);
    assert_eq!(stopped(nested(8, 900)), None);
    assert_eq!(stopped(nested(200, 900)).map(|stopped| stopped.status), Some(400));
    assert_eq!(stopped(format!("{}{}", "[".repeat(500), "]".repeat(500))).map(|stopped| stopped.status), Some(400));
}

#[test]
fn compiled_rules_say_what_their_text_says() {
    let set = compile(EVERYTHING);
    let compiled = RuleSet::from_compiled(&set.to_compiled().unwrap()).unwrap();
    for uri in ["/?a=%3cb%3e", "/x?a=sqlmap&b=../etc", "/"] {
        let (text, form) = (get(&set, uri), get(&compiled, uri));
        assert_eq!((text.matched, text.stopped, text.score), (form.matched, form.stopped, form.score), "{uri}");
    }
    assert_eq!(compiled.place(1), set.place(1));
}

#[test]
fn damaged_rules_are_refused() {
    let bytes = compile(EVERYTHING).to_compiled().unwrap();
    let refused = |bytes: &[u8]| RuleSet::from_compiled(bytes).err();
    assert_eq!(refused(b"SecRuleEngine On"), Some(CompiledError::Foreign));
    assert_eq!(refused(&bytes[..bytes.len() - 1]), Some(CompiledError::Damaged));
    let mut other = bytes.clone();
    other[9] ^= 1;
    assert_eq!(refused(&other), Some(CompiledError::Version));
    let mut torn = bytes.clone();
    torn[bytes.len() / 2] ^= 64;
    assert_eq!(refused(&torn), Some(CompiledError::Damaged));
}

/// The checksum that a file has behind its first sixteen bytes, so that a forger's file is believed to be whole.
fn forge(bytes: &mut [u8]) {
    let (head, form) = bytes.split_at_mut(24);
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let (words, rest) = form.as_chunks::<8>();
    let sum = words.iter().fold(form.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let sum = rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)));
    head[16..].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn forged_rules_panic_nowhere() {
    let bytes = compile(EVERYTHING).to_compiled().unwrap();
    let mut numbers = Numbers(0x5eed);
    let mut accepted = 0;
    for _ in 0..3000 {
        let mut forged = mutate(&bytes, &mut numbers);
        if forged.len() < 24 {
            continue;
        }
        forged[..16].copy_from_slice(&bytes[..16]);
        forge(&mut forged);
        if let Ok(set) = RuleSet::from_compiled(&forged) {
            accepted += 1;
            get(&set, "/?a=%3cb%3e&b=sqlmap");
        }
    }
    assert!(accepted > 0, "some forgeries are harmless");
}
