//! Ways around the inspection that once worked, or that someone will try: each is an event as an outsider can make it.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use fence::{Body, EventFence, FunctionFence};
use guard::{Action, Inspector};
use records::Mode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn fixture(name: &str) -> Value {
    let path = format!("{}/../events/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn inspector(events: Vec<EventFence>) -> Inspector {
    let schemas = BTreeMap::from([(
        "Order".to_owned(),
        json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "pattern": "^ord-[0-9]+$"}}}),
    )]);
    Inspector::new(&FunctionFence { events, ..FunctionFence::default() }, &schemas, Mode::Block).unwrap()
}

fn line(source: &str) -> EventFence {
    EventFence { source: source.into(), ..EventFence::default() }
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A request with a body of these bytes, as API Gateway hands over what isn't text.
fn request(content_type: &str, body: &[u8]) -> Value {
    let mut event = fixture("http-api");
    event["headers"]["content-type"] = content_type.into();
    event["body"] = base64(body).into();
    event["isBase64Encoded"] = true.into();
    event
}

fn passes(kind: &str, event: &Value) -> bool {
    let decision = inspector(vec![line(kind)]).inspect(event.to_string().as_bytes());
    decision.action == Action::Pass
}

const SQL: &str = "x' UNION SELECT card, 1 FROM customers -- ";

#[test]
fn a_boundary_inside_an_attack_does_not_cut_it_in_two() {
    // A boundary counts at the beginning of a line only, and who reads the body as JSON doesn't know any.
    let cut = "x' UNION/*--cut*/SELECT card, 1 FROM/*--cut*/customers -- ";
    let json = json!({"note": cut}).to_string();
    assert!(!passes("http-api", &request("multipart/form-data; boundary=\"cut*/\"", json.as_bytes())));
    let form = format!("--cut*/\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n{cut}\r\n--cut*/--\r\n");
    assert!(!passes("http-api", &request("multipart/form-data; boundary=\"cut*/\"", form.as_bytes())));
    // Readers that want `\r\n` before a boundary read on where others stop, and `--b` is a comment to a database.
    let form = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx' UNION\n--b\nSELECT card, 1\n--b\nFROM customers -- \r\n--b--\r\n";
    assert!(!passes("http-api", &request("multipart/form-data; boundary=b", form.as_bytes())));
    // An honest upload still passes.
    let form = "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nUnion of painters--buyers\r\n--b--\r\n";
    assert!(passes("http-api", &request("multipart/form-data; boundary=b", form.as_bytes())));
}

#[test]
fn a_second_gzip_member_is_read_like_the_first() {
    let member = |text: &str| {
        let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        out.extend(miniz(text.as_bytes()));
        out.extend([0; 8]);
        out
    };
    let honest = member("{\"note\":\"hello\"}");
    assert!(passes("kinesis", &kinesis(&honest)));
    let hostile = [member("{\"note\":\""), member(&format!("{SQL}\"}}"))].concat();
    assert!(!passes("kinesis", &kinesis(&hostile)));
}

/// A deflate stream that stores its text as it is.
fn miniz(text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes()[..], text].concat()
}

fn kinesis(data: &[u8]) -> Value {
    let mut event = fixture("kinesis");
    for record in event["Records"].as_array_mut().unwrap() {
        record["kinesis"]["data"] = base64(data).into();
    }
    event
}

#[test]
fn zeros_behind_a_text_do_not_make_it_another() {
    let padded = [SQL.as_bytes(), &[0; 40]].concat();
    assert!(!passes("kinesis", &kinesis(&padded)));
    // And a wide text whose characters are mostly not Latin is still one to whoever looks at its first bytes.
    let wide: Vec<u8> = format!("{{\"a\":\"{}\",\"b\":\"{SQL}\"}}", "語".repeat(60))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(!passes("kinesis", &kinesis(&wide)));
}

#[test]
fn a_mark_before_json_changes_nothing() {
    let text = format!("\u{feff}{}", json!({"note": base64(SQL.as_bytes())}));
    assert!(!passes("kinesis", &kinesis(text.as_bytes())));
}

#[test]
fn character_sets_that_turn_letters_into_others_are_refused() {
    for charset in
        ["utf-7", "\"UTF-7\"", "utf7", "unicode-1-1-utf-7", "ibm037", "cp500", "unicode_escape", "hz", "iso-2022-jp"]
    {
        let event = request(&format!("application/json ; Charset={charset}"), b"{}");
        assert!(!passes("http-api", &event), "{charset}");
    }
    for charset in ["utf-8", "UTF-8", "\"utf8\"", "iso-8859-1", "windows-1252", "us-ascii", "Shift_JIS", "gbk"] {
        let event = request(&format!("application/json; charset={charset}"), b"{}");
        assert!(passes("http-api", &event), "{charset}");
    }
}

#[test]
fn a_field_of_an_upload_is_decoded_as_its_reader_decodes_it() {
    let form = |encoding: &str, content: &str| {
        let text = format!(
            "--b\r\nContent-Disposition: form-data; name=\"note\"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{content}\r\n--b--\r\n"
        );
        request("multipart/form-data; boundary=b", text.as_bytes())
    };
    assert!(!passes("http-api", &form("quoted-printable", "x=27 UNION SELECT card, 1 =46ROM customers -- ")));
    // Readers skip what isn't base64.
    let loose: String = base64(SQL.as_bytes()).chars().flat_map(|letter| [letter, '!']).collect();
    assert!(!passes("http-api", &form("base64", &loose)));
    assert!(!passes("http-api", &form("base64", &base64(b";id>/x|"))));
    assert!(passes("http-api", &form("8bit", "hello")));
    assert!(passes("http-api", &form("base64", &base64(b"hello there"))));
}

#[test]
fn what_claims_to_be_a_form_is_read_as_a_whole_too() {
    let mut event = fixture("http-api");
    event["headers"]["content-type"] = "application/x-www-form-urlencoded".into();
    event["body"] = "x' OR 'a'='a' -- ".into();
    event["isBase64Encoded"] = false.into();
    assert!(!passes("http-api", &event));
    event["body"] = "name=Ann+Lee&note=that%27s+it&city=K%C3%B6ln".into();
    assert!(passes("http-api", &event));
}

#[test]
fn short_binary_attributes_are_decoded() {
    let mut event = fixture("sqs");
    event["Records"][0]["messageAttributes"] = json!({"command": {"dataType": "Binary", "binaryValue": base64(b"$(id)"), "stringListValues": [], "binaryListValues": []}});
    assert!(!passes("sqs", &event));
    let mut event = fixture("sns");
    event["Records"][0]["Sns"]["MessageAttributes"] = json!({"command": {"Type": "Binary", "Value": base64(b"$(id)")}});
    assert!(!passes("sns", &event));
}

#[test]
fn every_record_of_a_batch_has_to_come_from_a_listed_source() {
    let mut event = fixture("sqs");
    let mut other = event["Records"][0].clone();
    other["eventSourceARN"] = "arn:aws:sqs:eu-central-1:123456789012:another".into();
    event["Records"].as_array_mut().unwrap().push(other);
    let total = event["Records"].as_array().unwrap().len();
    let named = EventFence { name: Some("shop-OrderPaid-*".into()), ..line("sqs") };
    let decision = inspector(vec![named]).inspect(event.to_string().as_bytes());
    assert_eq!(decision.action, Action::SetAside { indices: vec![total - 1] });
}

#[test]
fn only_a_whole_envelope_on_a_queue_is_unwrapped() {
    let with_schema = |kind: &str| EventFence { body: Some(Body::reference("Order")), ..line(kind) };
    // The function reads `id`, which the schema never saw.
    let smuggled = json!({"detail-type": "x", "source": "y", "id": "admin", "detail": {"id": "ord-1"}}).to_string();
    let mut event = fixture("http-api");
    event["body"] = smuggled.clone().into();
    event["isBase64Encoded"] = false.into();
    assert_ne!(inspector(vec![with_schema("http-api")]).inspect(event.to_string().as_bytes()).action, Action::Pass);
    let mut event = fixture("sqs");
    event["Records"][0]["body"] = smuggled.into();
    assert_ne!(inspector(vec![with_schema("sqs")]).inspect(event.to_string().as_bytes()).action, Action::Pass);
}

#[test]
fn a_thousand_times_the_same_hint_is_kept_a_few_times() {
    // One hint alone refuses nothing, and so may be written as often as there is room.
    let note = "please union select secret";
    let list: Vec<&str> = vec![note; 60_000];
    let mut event = fixture("http-api");
    event["body"] = json!({"notes": list}).to_string().into();
    event["isBase64Encoded"] = false.into();
    let text = event.to_string();
    let inspector = inspector(vec![line("http-api")]);
    let decision = inspector.inspect(text.as_bytes());
    assert_eq!(decision.verdict.matches.len(), 32, "{:?}", decision.verdict.matches.first());
}

#[test]
fn nothing_hides_behind_more_hints_than_are_kept() {
    let body = |hints: usize, last: &str| {
        let mut list = vec!["please union select secret"; hints];
        list.push(last);
        let mut event = fixture("http-api");
        event["body"] = json!({"notes": list}).to_string().into();
        event["isBase64Encoded"] = false.into();
        event
    };
    assert!(passes("http-api", &body(1, "hello")));
    assert!(passes("http-api", &body(100, "hello")), "one hint, however often, is one hint");
    for hints in [0, 1, 100, 255, 256, 257, 300, 1000] {
        assert!(!passes("http-api", &body(hints, SQL)), "behind {hints} hints");
        // Not where the fence lets the hints' own rule speak in vain either.
        let allowing = EventFence { allow: vec!["sql-union".into()], ..line("http-api") };
        let event = body(hints, "; cat /etc/passwd").to_string();
        assert_eq!(inspector(vec![allowing]).inspect(event.as_bytes()).action, Action::Refuse, "behind {hints} hints");
    }
}

#[test]
fn a_record_that_takes_all_the_work_takes_it_from_no_other() {
    let mut event = fixture("sqs");
    let honest = event["Records"][0].clone();
    let mut hungry = honest.clone();
    let wrapped: Vec<String> = (0..30_000).map(|number| base64(format!("hello there {number}").as_bytes())).collect();
    hungry["body"] = json!(wrapped).to_string().into();
    event["Records"] = json!([hungry, honest.clone(), honest]);
    let decision = inspector(vec![line("sqs")]).inspect(event.to_string().as_bytes());
    assert_eq!(decision.action, Action::SetAside { indices: vec![0] }, "{}", decision.verdict.reason);
}

#[test]
fn an_item_as_deep_as_a_table_takes_it_does_not_stop_the_stream() {
    let mut event = fixture("dynamodb-stream");
    let deep = (0..32).fold(json!({"S": "x"}), |inner, _| json!({"M": {"a": inner}}));
    event["Records"][0]["dynamodb"]["NewImage"]["deep"] = deep;
    assert!(passes("dynamodb-stream", &event));
}

#[test]
fn names_of_the_platform_never_lead_out_of_a_folder() {
    let mut event = fixture("sqs");
    event["Records"][0]["messageId"] = "../../etc/passwd".into();
    assert!(!passes("sqs", &event));
}
