//! Where an attacker stands: who can hand a function its input, from the widest of its triggers to whoever may fill what feeds it.

use findings::{Finding, PathStep, Severity};
use graph::{Application, Authorization, Exposure, Function, TriggerKind, UrlAuth, Value};
use source::Span;

/// A way in.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) exposure: Exposure,
    /// "anyone", "a signed-in user".
    pub(super) who: String,
    /// What the function is handed.
    pub(super) kind: TriggerKind,
    /// Whether it is plain HTTP without anything in front.
    pub(super) open: bool,
    pub(super) step: PathStep,
}

/// Everyone who can hand a function its input, the widest first.
pub(super) fn entries(application: &Application, function: &Function, findings: &[Finding]) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    for trigger in application.triggers_of(&function.name) {
        let exposure = trigger.exposure();
        if exposure < Exposure::Fed {
            continue;
        }
        let source = trigger.source.as_ref().and_then(|value| named(application, value));
        let (exposure, who, what, node) = match (exposure, source) {
            (Exposure::Public, _) => (exposure, "anyone".to_string(), public(trigger.kind, &trigger.label()), None),
            (Exposure::Authenticated, _) => {
                let who = signed_in(trigger.authorization.as_ref());
                (exposure, who.to_string(), format!("calls `{}`", trigger.label()), None)
            }
            (_, Some(source)) if open_to_all(findings, source) => (
                Exposure::Public,
                "anyone".to_string(),
                format!("{} `{source}`, which is open to all", fills(trigger.kind)),
                Some(source),
            ),
            (_, Some(source)) => (
                exposure,
                format!("whoever may write to `{source}`"),
                format!("{} it", fills(trigger.kind)),
                Some(source),
            ),
            (_, None) => (
                exposure,
                whoever(trigger.kind).to_string(),
                format!("sends it what `{}` waits for", function.name),
                None,
            ),
        };
        let step = PathStep {
            what: format!("{who} {what}, which starts `{}`", function.name),
            node: Some(node.map_or_else(|| function.name.clone(), str::to_string)),
            span: Some(trigger.span),
            finding: None,
        };
        let open = exposure == Exposure::Public && trigger.kind.is_http();
        found.push(Entry { exposure, who, kind: trigger.kind, open, step });
    }
    if let Some(url) = &function.url
        && !found.iter().any(|entry| entry.kind == TriggerKind::FunctionUrl)
    {
        let (exposure, who) = match url.auth {
            UrlAuth::None => (Exposure::Public, "anyone"),
            UrlAuth::Iam | UrlAuth::Unknown => (Exposure::Authenticated, "somebody with credentials of AWS"),
        };
        found.push(entry(exposure, who, TriggerKind::FunctionUrl, url.span, &function.name));
    }
    found.sort_by_key(|entry| std::cmp::Reverse(entry.exposure));
    found
}

fn entry(exposure: Exposure, who: &str, kind: TriggerKind, span: Span, function: &str) -> Entry {
    let step = PathStep {
        what: format!("{who} calls the URL of `{function}`"),
        node: Some(function.to_string()),
        span: Some(span),
        finding: None,
    };
    Entry { exposure, who: who.to_string(), kind, open: exposure == Exposure::Public, step }
}

fn public(kind: TriggerKind, label: &str) -> String {
    match kind {
        TriggerKind::Cognito => "signs up".to_string(),
        TriggerKind::Email => "sends a mail".to_string(),
        TriggerKind::Alexa => "speaks to the skill".to_string(),
        TriggerKind::CloudFront => "asks the distribution for a page".to_string(),
        _ => format!("calls `{label}`"),
    }
}

fn signed_in(authorization: Option<&Authorization>) -> &'static str {
    match authorization {
        Some(Authorization::Iam) => "somebody with credentials of AWS",
        Some(Authorization::Cognito(_) | Authorization::Jwt(_)) => "a signed-in user",
        _ => "a caller whom the authorizer lets in",
    }
}

fn fills(kind: TriggerKind) -> &'static str {
    match kind {
        TriggerKind::S3 => "puts an object into",
        TriggerKind::Sqs => "sends a message to",
        TriggerKind::Sns | TriggerKind::Iot => "publishes to",
        TriggerKind::EventBridge => "puts an event on",
        _ => "writes to",
    }
}

fn whoever(kind: TriggerKind) -> &'static str {
    match kind {
        TriggerKind::Iot => "a device",
        TriggerKind::EventBridge => "whoever may put events on the bus",
        TriggerKind::Logs => "whoever can write a line of the log",
        TriggerKind::Kafka | TriggerKind::Mq => "a producer",
        _ => "whoever may feed it",
    }
}

/// The resource of the template that a value means.
pub(super) fn named<'a>(application: &'a Application, value: &Value) -> Option<&'a str> {
    if let Some(resource) = value.resources().find_map(|name| application.resource(name)) {
        return Some(&resource.name);
    }
    let text = value.to_string();
    let last = text.rsplit([':', '/']).next().filter(|last| !last.is_empty() && !last.contains("${"))?;
    application
        .resources
        .iter()
        .find(|resource| resource.deployed_name.as_ref().and_then(Value::as_text) == Some(last))
        .map(|resource| resource.name.as_str())
}

/// Whether an audit found that anyone can fill a resource.
fn open_to_all(findings: &[Finding], resource: &str) -> bool {
    let quoted = format!("`{resource}`");
    findings.iter().any(|finding| {
        matches!(finding.id, "public-bucket" | "public-resource-policy")
            && finding.severity >= Severity::High
            && finding.title.contains(&quoted)
            && ["Put", "Send", "Publish", "Write", "*", "write"].iter().any(|word| finding.title.contains(word))
    })
}
