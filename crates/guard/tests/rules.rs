//! Rules in SecLang over the texts of events.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use fence::{EventFence, FunctionFence};
use guard::{Action, Decision, Inspector};
use records::Mode;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use waf::seclang::{BASE, RuleSet};

const RULES: &str = r#"
SecRule &REQUEST_HEADERS:Host "@eq 0" "id:1,phase:1,deny,log,msg:'no host'"
SecRule ARGS "@rx (?i)forbidden\s+fruit" "id:2,phase:2,deny,log,t:none,t:urlDecodeUni,severity:CRITICAL,msg:'fruit',logdata:'%{MATCHED_VAR}'"
SecRule ARGS_NAMES "@contains apple" "id:3,phase:2,pass,log,severity:WARNING,msg:'apple'"
"#;

fn inspect(body: &str) -> Decision {
    let (rules, complaints) = RuleSet::compile(&[("base", BASE), ("mine", RULES)], &|_| None);
    assert!(complaints.is_empty(), "{complaints:?}");
    let events = vec![EventFence { source: "kinesis".into(), ..EventFence::default() }];
    let function = FunctionFence { events, ..FunctionFence::default() };
    let inspector = Inspector::new(&function, &BTreeMap::new(), Mode::Block).unwrap().with_rules(Arc::new(rules));
    let record = |body: &str| {
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
                "data": base64::engine::general_purpose::STANDARD.encode(body), "approximateArrivalTimestamp": 1545084650.987,
            },
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
            "eventName": "aws:kinesis:record", "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role", "awsRegion": "us-east-2",
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
        })
    };
    inspector.inspect(json!({ "Records": [record("{\"a\":1}"), record(body)] }).to_string().as_bytes())
}

#[test]
fn a_rule_sees_a_text_however_it_is_wrapped_and_names_its_path() {
    let decision = inspect(&json!({ "basket": [{ "name": "forbidden%20fruit" }] }).to_string());
    assert_eq!(decision.action, Action::SetAside { indices: vec![1] }, "{:?}", decision.verdict);
    let found = &decision.verdict.matches[0];
    assert_eq!((found.rule.as_str(), found.severity.as_str()), ("seclang-2", "critical"));
    assert!(found.field.ends_with(".basket[0].name"), "{}", found.field);
}

#[test]
fn rules_about_requests_have_nothing_to_say_of_events_and_honest_ones_pass() {
    let decision = inspect(&json!({ "basket": [{ "name": "pears" }] }).to_string());
    assert_eq!(decision.action, Action::Pass, "{:?}", decision.verdict);
    assert!(decision.verdict.matches.is_empty());
}

#[test]
fn what_only_logs_is_told_and_refuses_nothing() {
    let decision = inspect(&json!({ "apples": "two" }).to_string());
    assert_eq!(decision.action, Action::Pass);
    assert_eq!(decision.verdict.matches[0].rule, "seclang-3");
}
