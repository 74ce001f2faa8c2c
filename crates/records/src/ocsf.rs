//! Records in the terms of the Open Cybersecurity Schema Framework, version [`VERSION`].
//!
//! | record | class | activity |
//! |---|---|---|
//! | verdict | Detection Finding 2004 | Create |
//! | invocation over HTTP | HTTP Activity 4002 | the method |
//! | any other invocation | API Activity 6003 | Other (Invoke) |
//! | function error | Application Error 6008 | General Error |
//! | started, stopped | Application Lifecycle 6002 | Start, Stop |
//! | cloud call | API Activity 6003 | by the action's verb |
//! | egress | Network Activity 4001 | Open, Refuse |
//! | log | Base Event 0 | Other |
//!
//! What the schema has no place for stands under `unmapped`. The function is always `unmapped.function`, the record's
//! type `unmapped.type`, and the invocation `metadata.correlation_uid`.
//!
//! Deliberately absent: the `cloud` profile (a record doesn't know its account or region), and validation against the schema.

use crate::{
    Action, Body, CloudCall, Egress, FunctionError, HttpSummary, Invocation, Log, Match, Outcome, Record, Started,
    Stopped, Verdict,
};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// The version of the schema the events are written in.
pub const VERSION: &str = "1.6.0";

const SUCCESS: u8 = 1;
const FAILURE: u8 = 2;

/// The class a record becomes: its `class_uid` and its caption.
pub const fn class_of(body: &Body) -> (u32, &'static str) {
    match body {
        Body::Verdict(_) => (2004, "Detection Finding"),
        Body::Invocation(invocation) if invocation.http.is_some() => (4002, "HTTP Activity"),
        Body::Invocation(_) | Body::CloudCall(_) => (6003, "API Activity"),
        Body::FunctionError(_) => (6008, "Application Error"),
        Body::Started(_) | Body::Stopped(_) => (6002, "Application Lifecycle"),
        Body::Egress(_) => (4001, "Network Activity"),
        Body::Log(_) => (0, "Base Event"),
    }
}

/// The schema's `severity_id` and its caption for a word as rules use it; a word nobody knows is `Unknown`.
pub fn severity(word: &str) -> (u8, &'static str) {
    match word.to_ascii_lowercase().as_str() {
        "informational" | "info" | "notice" | "none" => (1, "Informational"),
        "low" => (2, "Low"),
        "medium" | "warning" | "moderate" => (3, "Medium"),
        "high" | "error" => (4, "High"),
        "critical" | "emergency" | "alert" => (5, "Critical"),
        "fatal" => (6, "Fatal"),
        _ => (0, "Unknown"),
    }
}

/// How grave the record is, as `severity_id` and caption: for a verdict its gravest match, and never less than medium when something was stopped.
pub fn severity_of(body: &Body) -> (u8, &'static str) {
    let word = match body {
        Body::Verdict(verdict) => {
            let gravest =
                verdict.matches.iter().map(|one| severity(&one.severity)).max().unwrap_or((1, "Informational"));
            return if verdict.action == Action::Pass { gravest } else { gravest.max((3, "Medium")) };
        }
        Body::Invocation(invocation) => match invocation.outcome {
            Outcome::Ok => "informational",
            Outcome::Error | Outcome::Refused => "low",
            Outcome::Timeout | Outcome::Crashed => "medium",
        },
        Body::FunctionError(_) => "medium",
        Body::Stopped(stopped) if stopped.exit_code.is_some_and(|code| code != 0) => "low",
        Body::CloudCall(CloudCall { in_fence: true, .. }) | Body::Egress(Egress { in_fence: true, .. }) => {
            "informational"
        }
        // Outside the fence and let through is worse than outside and held.
        Body::CloudCall(CloudCall { allowed: true, .. }) | Body::Egress(Egress { allowed: true, .. }) => "high",
        Body::CloudCall(_) | Body::Egress(_) => "medium",
        Body::Started(_) | Body::Stopped(_) | Body::Log(_) => "informational",
    };
    severity(word)
}

/// The record as one OCSF event.
pub fn to_ocsf(record: &Record) -> Value {
    let (class_uid, class_name) = class_of(&record.body);
    let category_uid = class_uid / 1000;
    let (severity_id, severity_name) = severity_of(&record.body);
    let mut event = Event { fields: Map::new(), unmapped: Map::new() };
    event.unmapped("type", record.body.type_name());
    event.unmapped("function", record.function.as_str());
    // The key order below is what a person reads first.
    event.set("time", record.time);
    event.set("class_uid", class_uid);
    event.set("class_name", class_name);
    event.set("category_uid", category_uid);
    event.set("category_name", category_name(category_uid));
    event.set("severity_id", severity_id);
    event.set("severity", severity_name);

    let (activity_id, activity_name) = match &record.body {
        Body::Started(started) => event.started(record, started),
        Body::Stopped(stopped) => event.stopped(record, stopped),
        Body::Invocation(invocation) => event.invocation(record, invocation),
        Body::Verdict(verdict) => event.verdict(record, verdict),
        Body::FunctionError(error) => event.function_error(record, error),
        Body::Log(log) => event.log(log),
        Body::CloudCall(call) => event.cloud_call(record, call),
        Body::Egress(egress) => event.egress(record, egress),
    };
    event.set("activity_id", activity_id);
    event.set("activity_name", activity_name);
    event.set("type_uid", class_uid * 100 + activity_id);
    event.set("type_name", format!("{class_name}: {activity_name}"));

    let mut metadata = json!({
        "version": VERSION,
        "product": {"name": "Ringfence", "vendor_name": "Ringfence", "version": env!("CARGO_PKG_VERSION")},
    });
    if event.fields.contains_key("action_id") {
        metadata["profiles"] = json!(["security_control"]);
    }
    if let Some(request_id) = &record.request_id {
        metadata["correlation_uid"] = json!(request_id);
    }
    event.set("metadata", metadata);
    let Event { mut fields, unmapped } = event;
    fields.insert("unmapped".to_owned(), Value::Object(unmapped));
    Value::Object(fields)
}

const fn category_name(category_uid: u32) -> &'static str {
    match category_uid {
        2 => "Findings",
        4 => "Network Activity",
        6 => "Application Activity",
        _ => "Uncategorized",
    }
}

/// An event under construction.
struct Event {
    fields: Map<String, Value>,
    unmapped: Map<String, Value>,
}

/// An activity's id within its class, and its caption.
type Activity = (u32, &'static str);

impl Event {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    fn unmapped(&mut self, name: &str, value: impl Into<Value>) {
        self.unmapped.insert(name.to_owned(), value.into());
    }

    fn status(&mut self, id: u8, detail: &str) {
        self.set("status_id", id);
        self.set("status", if id == SUCCESS { "Success" } else { "Failure" });
        if !detail.is_empty() {
            self.set("status_detail", detail);
        }
    }

    /// The security control profile: what a control did, and what came of it.
    fn control(&mut self, action: (u8, &str), disposition: (u8, &str)) {
        self.set("action_id", action.0);
        self.set("action", action.1);
        self.set("disposition_id", disposition.0);
        self.set("disposition", disposition.1);
    }

    fn started(&mut self, record: &Record, started: &Started) -> Activity {
        self.set("app", application(record));
        self.set("message", format!("{} started, tier {}", record.function, started.tier));
        self.status(SUCCESS, "");
        if let Some(pid) = started.pid {
            self.set("actor", json!({"process": {"pid": pid}}));
        }
        self.unmapped("runtime", started.runtime.as_str());
        self.unmapped("tier", started.tier.as_str());
        self.unmapped("init_us", started.init_us);
        (3, "Start")
    }

    fn stopped(&mut self, record: &Record, stopped: &Stopped) -> Activity {
        self.set("app", application(record));
        self.set("message", format!("{} stopped: {}", record.function, stopped.reason));
        let clean = stopped.exit_code.is_none_or(|code| code == 0);
        self.status(if clean { SUCCESS } else { FAILURE }, &stopped.reason);
        if let Some(code) = stopped.exit_code {
            self.set("status_code", code.to_string());
        }
        (4, "Stop")
    }

    fn invocation(&mut self, record: &Record, invocation: &Invocation) -> Activity {
        // The schema's `duration` is in milliseconds.
        self.set("duration", invocation.duration_us / 1000);
        let id = if invocation.outcome == Outcome::Ok { SUCCESS } else { FAILURE };
        self.status(id, invocation.outcome.as_str());
        let source = invocation.source.as_deref().unwrap_or(&invocation.trigger);
        self.set("src_endpoint", endpoint(source));
        self.unmapped("trigger", invocation.trigger.as_str());
        self.unmapped("outcome", invocation.outcome.as_str());
        self.unmapped("duration_us", invocation.duration_us);
        self.unmapped("guard_us", invocation.guard_us);
        self.unmapped("cold", invocation.cold);
        let Some(http) = &invocation.http else {
            self.set("actor", json!({"invoked_by": invocation.trigger}));
            let mut api = json!({"operation": "Invoke", "service": {"name": "function"}});
            if let Some(request_id) = &record.request_id {
                api["request"] = json!({"uid": request_id});
            }
            self.set("api", api);
            self.set("resources", resources(record));
            self.unmapped("bytes_in", invocation.bytes_in);
            self.unmapped("bytes_out", invocation.bytes_out);
            return (99, "Invoke");
        };
        self.set("dst_endpoint", json!({"svc_name": record.function}));
        self.set(
            "http_request",
            json!({"http_method": http.method, "url": {"path": http.path}, "length": invocation.bytes_in}),
        );
        self.set("http_response", json!({"code": http.status, "length": invocation.bytes_out}));
        self.set("http_status", http.status);
        self.set("message", format!("{} {} {}", http.method, http.path, http.status));
        http_activity(http)
    }

    fn verdict(&mut self, record: &Record, verdict: &Verdict) -> Activity {
        match verdict.action {
            Action::Pass => self.control((1, "Allowed"), (1, "Allowed")),
            Action::Refuse => self.control((2, "Denied"), (2, "Blocked")),
            Action::SetAside => self.control((2, "Denied"), (3, "Quarantined")),
            Action::Drop => self.control((2, "Denied"), (6, "Dropped")),
            Action::WouldRefuse => self.control((3, "Observed"), (15, "Detected")),
        }
        self.set("is_alert", verdict.action != Action::Pass);
        self.set("message", verdict.reason.as_str());
        self.set("status_id", 1);
        self.set("status", "New");

        let first = verdict.matches.first();
        let title = first.map_or(verdict.reason.as_str(), |one| one.message.as_str());
        let uid = verdict.incident.clone().unwrap_or_else(|| {
            let request = record.request_id.as_deref().unwrap_or_default();
            format!("{}/{}/{request}", record.function, record.time)
        });
        let mut info = json!({"uid": uid, "title": title, "created_time": record.time});
        if let Some(one) = first {
            info["analytic"] =
                json!({"uid": one.rule, "name": one.message, "category": one.family, "type_id": 1, "type": "Rule"});
        }
        let mut families: Vec<&str> = verdict.matches.iter().map(|one| one.family.as_str()).collect();
        families.sort_unstable();
        families.dedup();
        if !families.is_empty() {
            info["types"] = json!(families);
        }
        self.set("finding_info", info);

        let source = verdict.source.as_deref().unwrap_or(&verdict.trigger);
        let evidence = |one: &Match| {
            json!({
                "name": one.field,
                "data": {"field": one.field, "excerpt": one.excerpt, "rule": one.rule},
                "src_endpoint": endpoint(source),
            })
        };
        if !verdict.matches.is_empty() {
            let evidences: Vec<Value> = verdict.matches.iter().map(evidence).collect();
            self.set("evidences", evidences);
            let weaknesses: Vec<Value> = verdict
                .matches
                .iter()
                .filter_map(|one| Some(json!({"cwe": {"uid": format!("CWE-{}", one.cwe?)}, "title": one.message})))
                .collect();
            if !weaknesses.is_empty() {
                self.set("vulnerabilities", weaknesses);
            }
        }
        self.set("resources", resources(record));
        let observable = |name: &str, value: &str| match value.parse::<IpAddr>() {
            Ok(_) => json!({"name": name, "type_id": 2, "type": "IP Address", "value": value}),
            Err(_) => json!({"name": name, "type_id": 10, "type": "Resource UID", "value": value}),
        };
        let mut observables = vec![observable("resources[].uid", &record.function)];
        if let Some(source) = &verdict.source {
            observables.push(observable("evidences[].src_endpoint", source));
        }
        self.set("observables", observables);

        self.unmapped("trigger", verdict.trigger.as_str());
        self.unmapped("mode", verdict.mode.as_str());
        self.unmapped("action", verdict.action.as_str());
        if let Some(incident) = &verdict.incident {
            self.unmapped("incident", incident.as_str());
        }
        self.unmapped("records_total", verdict.records_total);
        self.unmapped("records_refused", verdict.records_refused);
        self.unmapped("matches", json!(verdict.matches));
        (1, "Create")
    }

    fn function_error(&mut self, record: &Record, error: &FunctionError) -> Activity {
        self.set("message", format!("{}: {}", error.kind, error.message));
        self.status(FAILURE, "");
        self.set("status_code", error.kind.as_str());
        self.unmapped("app", application(record));
        self.unmapped("kind", error.kind.as_str());
        self.unmapped("trace", json!(error.trace));
        (1, "General Error")
    }

    fn log(&mut self, log: &Log) -> Activity {
        self.set("message", log.line.as_str());
        self.unmapped("stream", log.stream.as_str());
        (99, "Log")
    }

    fn cloud_call(&mut self, record: &Record, call: &CloudCall) -> Activity {
        let operation = call.action.rsplit(':').next().unwrap_or_default();
        let reached = call.allowed && call.status.is_none_or(|status| status < 400);
        self.status(if reached { SUCCESS } else { FAILURE }, call.because.as_deref().unwrap_or_default());
        if call.allowed {
            self.control((1, "Allowed"), (1, "Allowed"));
        } else {
            self.control((2, "Denied"), (2, "Blocked"));
        }
        let mut api = json!({"operation": operation, "service": {"name": call.service}});
        if let Some(status) = call.status {
            api["response"] = json!({"code": status});
            self.set("status_code", status.to_string());
        }
        self.set("api", api);
        self.set("actor", json!({"app_name": record.function}));
        self.set("src_endpoint", json!({"svc_name": record.function}));
        self.set("dst_endpoint", json!({"svc_name": call.service}));
        if let Some(resource) = &call.resource {
            self.set("resources", json!([{"uid": resource, "name": resource, "type": call.service}]));
        }
        self.set("message", call.action.as_str());
        self.unmapped("allowed", call.allowed);
        self.unmapped("in_fence", call.in_fence);
        cloud_activity(operation)
    }

    fn egress(&mut self, record: &Record, egress: &Egress) -> Activity {
        let mut to = endpoint(&egress.host);
        // A name that goes out is a host's, whatever an incoming source may be.
        if let Some(name) = to.as_object_mut().and_then(|fields| fields.remove("name")) {
            to["hostname"] = name;
        }
        to["port"] = json!(egress.port);
        self.set("dst_endpoint", to);
        self.set("src_endpoint", json!({"svc_name": record.function}));
        self.set("message", format!("{}:{}", egress.host, egress.port));
        self.unmapped("allowed", egress.allowed);
        self.unmapped("in_fence", egress.in_fence);
        let because = egress.because.as_deref().unwrap_or_default();
        if egress.allowed {
            self.status(SUCCESS, because);
            self.control((1, "Allowed"), (1, "Allowed"));
            (1, "Open")
        } else {
            self.status(FAILURE, because);
            self.control((2, "Denied"), (2, "Blocked"));
            (5, "Refuse")
        }
    }
}

fn application(record: &Record) -> Value {
    json!({"name": record.function})
}

fn resources(record: &Record) -> Value {
    json!([{"uid": record.function, "name": record.function, "type": "function"}])
}

/// Where something came from or went: an address when it is one, else a name.
fn endpoint(source: &str) -> Value {
    match source.parse::<IpAddr>() {
        Ok(_) => json!({"ip": source}),
        Err(_) => json!({"name": source}),
    }
}

fn http_activity(http: &HttpSummary) -> Activity {
    match http.method.to_ascii_uppercase().as_str() {
        "CONNECT" => (1, "Connect"),
        "DELETE" => (2, "Delete"),
        "GET" => (3, "Get"),
        "HEAD" => (4, "Head"),
        "OPTIONS" => (5, "Options"),
        "POST" => (6, "Post"),
        "PUT" => (7, "Put"),
        "TRACE" => (8, "Trace"),
        "PATCH" => (9, "Patch"),
        _ => (99, "Other"),
    }
}

/// What a cloud action does, told by the verb its name begins with.
fn cloud_activity(operation: &str) -> Activity {
    const CREATE: &[&str] = &["Create", "Put", "Publish", "Send", "Start", "Run", "BatchWrite"];
    const READ: &[&str] =
        &["Get", "List", "Describe", "Query", "Scan", "BatchGet", "Head", "Receive", "Select", "Decrypt", "Search"];
    const UPDATE: &[&str] = &["Update", "Modify", "Set", "Change", "Tag", "Untag", "Attach", "Detach"];
    const DELETE: &[&str] = &["Delete", "Remove", "Terminate", "Purge", "BatchDelete"];
    let begins = |verbs: &[&str]| verbs.iter().any(|verb| operation.starts_with(verb));
    if begins(CREATE) {
        (1, "Create")
    } else if begins(READ) {
        (2, "Read")
    } else if begins(UPDATE) {
        (3, "Update")
    } else if begins(DELETE) {
        (4, "Delete")
    } else {
        (99, "Other")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;

    const NOON: i64 = 1_767_268_800_000;

    fn required(event: &Value) {
        for field in ["class_uid", "category_uid", "activity_id", "type_uid", "severity_id", "time"] {
            assert!(event[field].is_i64() || event[field].is_u64(), "{field} in {event}");
        }
        assert_eq!(
            event["type_uid"].as_u64().unwrap(),
            event["class_uid"].as_u64().unwrap() * 100 + event["activity_id"].as_u64().unwrap()
        );
        assert_eq!(event["category_uid"].as_u64().unwrap(), event["class_uid"].as_u64().unwrap() / 1000);
        assert_eq!(event["metadata"]["version"], "1.6.0");
        assert_eq!(event["metadata"]["product"]["name"], "Ringfence");
    }

    fn injection(action: Action) -> Record {
        Record::new(
            NOON,
            "CreateOrder",
            Verdict {
                mode: Mode::Block,
                action,
                trigger: "http".into(),
                incident: Some("rf-1".into()),
                reason: "SQL injection in `body.note`".into(),
                matches: vec![Match {
                    rule: "sql-tautology".into(),
                    family: "sql-injection".into(),
                    severity: "critical".into(),
                    field: "body.note".into(),
                    excerpt: "' OR 1=1 --".into(),
                    message: "a condition that is always true".into(),
                    cwe: Some(89),
                }],
                records_total: 1,
                records_refused: 1,
                source: Some("203.0.113.9".into()),
            },
        )
        .with_request_id("r-1")
    }

    #[test]
    fn a_refused_injection_is_a_blocked_critical_detection_with_its_evidence() {
        let event = to_ocsf(&injection(Action::Refuse));
        required(&event);
        assert_eq!(event["class_uid"], 2004);
        assert_eq!(event["type_uid"], 200_401);
        assert_eq!(event["severity"], "Critical");
        assert_eq!(event["disposition"], "Blocked");
        assert_eq!(event["finding_info"]["uid"], "rf-1");
        assert_eq!(event["finding_info"]["analytic"]["uid"], "sql-tautology");
        assert_eq!(event["evidences"][0]["data"]["excerpt"], "' OR 1=1 --");
        assert_eq!(event["evidences"][0]["src_endpoint"]["ip"], "203.0.113.9");
        assert_eq!(event["vulnerabilities"][0]["cwe"]["uid"], "CWE-89");
        assert_eq!(event["observables"][1]["type_id"], 2);
        assert_eq!(event["metadata"]["correlation_uid"], "r-1");
        assert_eq!(event["metadata"]["profiles"][0], "security_control");
        assert_eq!(event["unmapped"]["function"], "CreateOrder");
    }

    #[test]
    fn observe_mode_is_detected_not_blocked() {
        let event = to_ocsf(&injection(Action::WouldRefuse));
        assert_eq!(event["action"], "Observed");
        assert_eq!(event["disposition"], "Detected");
        assert_eq!(event["is_alert"], true);
    }

    #[test]
    fn a_refusal_without_a_match_is_still_of_medium_severity() {
        let mut record = injection(Action::Refuse);
        if let Body::Verdict(verdict) = &mut record.body {
            verdict.matches.clear();
            verdict.reason = "the event is not JSON".into();
        }
        let event = to_ocsf(&record);
        assert_eq!(event["severity_id"], 3);
        assert_eq!(event["finding_info"]["title"], "the event is not JSON");
        assert!(event.get("evidences").is_none());
    }

    #[test]
    fn http_and_queue_invocations_are_different_classes() {
        let mut invocation = Invocation {
            trigger: "sqs".into(),
            outcome: Outcome::Crashed,
            duration_us: 12_345,
            guard_us: 60,
            bytes_in: 3,
            bytes_out: 0,
            cold: false,
            source: None,
            http: None,
        };
        let event = to_ocsf(&Record::new(NOON, "F", invocation.clone()));
        required(&event);
        assert_eq!(event["type_uid"], 600_399);
        assert_eq!(event["actor"]["invoked_by"], "sqs");
        assert_eq!(event["duration"], 12);
        assert_eq!(event["status"], "Failure");

        invocation.http = Some(HttpSummary { method: "delete".into(), path: "/orders/1".into(), status: 502 });
        let event = to_ocsf(&Record::new(NOON, "F", invocation));
        required(&event);
        assert_eq!(event["type_uid"], 400_202);
        assert_eq!(event["http_response"]["code"], 502);
    }

    #[test]
    fn the_rest_have_their_classes_and_required_objects() {
        let event = to_ocsf(&Record::new(NOON, "F", Started::default()));
        required(&event);
        assert_eq!((&event["type_uid"], &event["app"]["name"]), (&json!(600_203), &json!("F")));

        let event = to_ocsf(&Record::new(NOON, "F", Stopped { reason: "crashed".into(), exit_code: Some(1) }));
        required(&event);
        assert_eq!(event["status"], "Failure");

        let event =
            to_ocsf(&Record::new(NOON, "F", FunctionError { kind: "KeyError".into(), ..FunctionError::default() }));
        required(&event);
        assert_eq!(event["type_uid"], 600_801);

        let event = to_ocsf(&Record::new(NOON, "F", Log::default()));
        required(&event);
        assert_eq!(event["type_uid"], 99);

        let call = |action: &str, allowed| CloudCall {
            service: "s3".into(),
            action: action.into(),
            allowed,
            resource: Some("b".into()),
            ..CloudCall::default()
        };
        let event = to_ocsf(&Record::new(NOON, "F", call("s3:DeleteObject", false)));
        required(&event);
        assert_eq!(event["type_uid"], 600_304);
        assert_eq!(event["api"]["operation"], "DeleteObject");
        assert_eq!(event["severity"], "Medium");
        assert_eq!(to_ocsf(&Record::new(NOON, "F", call("s3:GetObject", true)))["severity"], "High");

        let egress =
            |host: &str, allowed| Egress { host: host.into(), port: 443, allowed, in_fence: false, because: None };
        let event = to_ocsf(&Record::new(NOON, "F", egress("2001:db8::1", false)));
        required(&event);
        assert_eq!(event["type_uid"], 400_105);
        assert_eq!(event["dst_endpoint"], json!({"ip": "2001:db8::1", "port": 443}));
        let event = to_ocsf(&Record::new(NOON, "F", egress("api.stripe.com", true)));
        assert_eq!(event["dst_endpoint"]["hostname"], "api.stripe.com");
    }
}
