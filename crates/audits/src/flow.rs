//! For audits of flows: which parts of an event somebody hostile writes, by what triggers the function, and the common form
//! of their findings.
//!
//! What is read from a store counts as written by the functions of the application that fill it, and the trace begins there.
//!
//! Deliberately absent: who exactly may write to a queue, bucket or table; that somebody else than the function's own team can
//! is taken for granted there, and weighs less than an open route.

use crate::context::{less, listed};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, CallTarget, Exposure, Function, Sink, TaintFlow, Trigger, TriggerKind, UrlAuth};
use source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// How much a sink gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Runs what the caller likes.
    Heavy,
    /// Reads or changes what the caller likes.
    Middle,
    /// Needs something else to be of use.
    Light,
    /// Worth knowing.
    Trifle,
}

/// What an audit of flows says.
pub(crate) struct Story {
    pub(crate) info: &'static AuditInfo,
    pub(crate) sinks: &'static [(Sink, Weight)],
    /// What is made, before "in `Function`": "a shell command".
    pub(crate) thing: &'static str,
    /// At the place itself: "a shell reads this".
    pub(crate) primary: &'static str,
    pub(crate) remediation: &'static str,
    /// Once for each function rather than for each place, and only where somebody else than the team feeds it.
    pub(crate) once: bool,
}

/// An audit that is a story.
pub(crate) struct FlowAudit(pub(crate) Story);

impl Audit for FlowAudit {
    fn info(&self) -> &'static AuditInfo {
        self.0.info
    }

    fn application(&self, application: &Application, context: &mut Context<'_>) {
        let mut told = BTreeSet::new();
        for function in &application.functions {
            tell(&self.0, function, &mut told, context);
        }
    }
}

/// Who writes a part of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Writer {
    exposure: Exposure,
    who: &'static str,
    confidence: Confidence,
}

/// The flows that end at one place.
struct Place<'a> {
    flow: &'a TaintFlow,
    writer: Writer,
    weight: Weight,
    sources: BTreeSet<String>,
    /// What happened in another function before, with the name of that function.
    before: Option<(&'a Function, &'a TaintFlow)>,
}

/// Reports a function's flows; of stories that are told once, those whose place wasn't `told` yet.
fn tell(story: &Story, function: &Function, told: &mut BTreeSet<Span>, context: &mut Context<'_>) {
    let Some(behaviour) = &function.behaviour else { return };
    let mut places: BTreeMap<Span, Place<'_>> = BTreeMap::new();
    for flow in &behaviour.flows {
        let Some((_, weight)) = story.sinks.iter().find(|(sink, _)| *sink == flow.sink) else { continue };
        let application = context.application();
        let (writer, before) = match &flow.from {
            // The object that a notification names is the uploader's.
            Some(from) if from.service == "s3" && from.target == CallTarget::Event => {
                let uploaded = application.triggers_of(&function.name).any(|trigger| trigger.kind == TriggerKind::S3);
                if !uploaded {
                    continue;
                }
                (Writer { exposure: Exposure::Fed, who: "the uploader", confidence: Confidence::Medium }, None)
            }
            Some(from) => match filled(application, function, from) {
                // What went through a store needs somebody else to take it out again.
                Some((writer, other, flow)) => {
                    (Writer { exposure: writer.exposure.min(Exposure::Fed), ..writer }, Some((other, flow)))
                }
                None => continue,
            },
            None => match writer(application, function, &flow.source) {
                Some(writer) => {
                    let before = match writer.exposure {
                        Exposure::Fed => fed_by(application, function, &flow.source),
                        _ => None,
                    };
                    (writer, before)
                }
                None => continue,
            },
        };
        let weight = match flow.sink {
            Sink::PrivateLog => &private_weight(behaviour, &flow.source),
            // The function that invokes says so, after whatever it asked.
            Sink::Identity if writer.who == INVOKER => &Weight::Trifle,
            _ => weight,
        };
        // A step of a workflow is told by the workflow which resource is meant.
        if flow.sink == Sink::CloudResource && writer.exposure < Exposure::Fed {
            continue;
        }
        if story.once && (writer.exposure < Exposure::Fed || told.contains(&flow.span)) {
            continue;
        }
        let named = named(application, function, flow);
        let found = Place { flow, writer, weight: *weight, sources: BTreeSet::from([named.clone()]), before };
        match places.get_mut(&flow.span) {
            Some(place) => {
                place.sources.insert(named);
                let rank = |place: &Place<'_>| {
                    (severity(place), place.writer.confidence, place.flow.certain, place.flow.steps.len())
                };
                if rank(&found) > rank(place) {
                    (place.flow, place.writer, place.weight) = (found.flow, found.writer, found.weight);
                    place.before = found.before;
                }
            }
            None => {
                places.insert(flow.span, found);
            }
        }
    }
    let mut others: Vec<Span> = Vec::new();
    if story.once {
        told.extend(places.keys());
        let first = places.pop_first();
        others = std::mem::take(&mut places).into_keys().collect();
        places.extend(first);
    }
    for (span, place) in places {
        let flow = place.flow;
        let (thing, primary, cwe): (_, _, &[u16]) = match flow.sink {
            Sink::Process => {
                ("an argument of a program", "the program takes this for an option if it looks like one", &[88])
            }
            Sink::ResponseHeader => ("a header of a response", "this goes into a header as it is", &[113]),
            _ => (story.thing, story.primary, story.info.cwe),
        };
        let title = format!(
            "{} in `{}` is made of {}, which {} writes",
            thing,
            function.name,
            listed(place.sources.iter().map(String::as_str)),
            place.writer.who
        );
        let confidence = if flow.certain { place.writer.confidence } else { less(place.writer.confidence) };
        let mut report = context
            .report(span, title)
            .severity(severity(&place))
            .confidence(confidence)
            .function(&function.name)
            .cwe(cwe)
            .primary(primary);
        if let Some((other, first)) = place.before {
            for (index, step) in first.steps.iter().enumerate() {
                let message = match index {
                    0 => format!("in `{}`, `{}` {}", other.name, shown(&first.source), step.what),
                    _ => format!("it {}", step.what),
                };
                report = report.related(step.span, message.clone()).step(step.span, message);
            }
            report = report.related(first.span, format!("`{}` stores it here", other.name));
            report = report.step(first.span, "it is put where others read it");
        }
        for (index, step) in flow.steps.iter().enumerate() {
            let message = match index {
                0 if flow.from.is_some() => format!("it {}", step.what),
                0 => format!("`{}` {}", shown(&flow.source), step.what),
                _ => format!("it {}", step.what),
            };
            report = report.related(step.span, message.clone()).step(step.span, message);
        }
        report = report.step(span, primary);
        for other in others.iter().take(8) {
            report = report.related(*other, "and here");
        }
        report.remediation(story.remediation);
    }
}

/// What a flow begins with, for people.
fn named(application: &Application, function: &Function, flow: &TaintFlow) -> String {
    match &flow.from {
        None => shown(&flow.source).to_string(),
        Some(from) => {
            let store = resource_of(application, function, &from.target).unwrap_or_else(|| from.service.clone());
            match &from.attribute {
                Some(attribute) => format!("{store}: {attribute}"),
                None => store,
            }
        }
    }
}

/// How much it matters that this is in the log.
fn private_weight(behaviour: &graph::Behaviour, source: &str) -> Weight {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_string();
    if graph::words::is_private(&last(source)) {
        return Weight::Light;
    }
    let below =
        |path: &str| source.is_empty() || path.strip_prefix(source).is_some_and(|rest| rest.starts_with(['.', '[']));
    let reads =
        behaviour.event_fields.iter().any(|field| below(&field.path) && graph::words::is_private(&last(&field.path)));
    if reads { Weight::Light } else { Weight::Trifle }
}

/// The name of what a call acts on: a resource of the application, or what it is called.
pub(crate) fn resource_of(application: &Application, function: &Function, target: &CallTarget) -> Option<String> {
    let value = target.resolve(&function.environment)?;
    if let Some(name) = value.resource() {
        return Some(name.to_string());
    }
    let text = value.to_string();
    let last = text.rsplit([':', '/']).next().unwrap_or(&text);
    let found = application.resources.iter().find(|resource| {
        let deployed = resource.deployed_name.as_ref().map(ToString::to_string);
        resource.name == text
            || deployed.as_deref().is_some_and(|name| name == text || !name.is_empty() && name == last)
    });
    Some(found.map_or(text.clone(), |resource| resource.name.clone())).filter(|name| !name.is_empty() && name != "?")
}

/// Flows that put something into a store.
pub(crate) fn fillings(function: &Function) -> impl Iterator<Item = (&TaintFlow, &graph::StoreAccess)> {
    let flows = function.behaviour.iter().flat_map(|behaviour| &behaviour.flows);
    flows.filter_map(|flow| Some((flow, flow.into.as_ref()?)))
}

/// Who fills what is read from a store: the widest of those that callers reach.
fn filled<'a>(
    application: &'a Application,
    function: &Function,
    from: &graph::StoreAccess,
) -> Option<(Writer, &'a Function, &'a TaintFlow)> {
    let store = resource_of(application, function, &from.target)?;
    let mut found: Option<(Writer, &Function, &TaintFlow)> = None;
    for other in &application.functions {
        for (flow, into) in fillings(other) {
            let same_part = match (&from.attribute, &into.attribute) {
                (Some(read), Some(written)) => read == written,
                _ => true,
            };
            if into.service != from.service
                || !same_part
                || resource_of(application, other, &into.target).as_ref() != Some(&store)
            {
                continue;
            }
            let Some(writer) = writer(application, other, &flow.source) else { continue };
            if writer.exposure >= Exposure::Fed && found.is_none_or(|(known, ..)| known.exposure < writer.exposure) {
                found = Some((Writer { confidence: less(writer.confidence), ..writer }, other, flow));
            }
        }
    }
    found
}

/// What another function put where a trigger of this one takes it from.
fn fed_by<'a>(
    application: &'a Application,
    function: &Function,
    source: &str,
) -> Option<(&'a Function, &'a TaintFlow)> {
    let sources: Vec<&str> =
        application.triggers_of(&function.name).filter_map(|trigger| trigger.source.as_ref()?.resource()).collect();
    let last = source.rsplit('.').next().unwrap_or(source);
    let mut candidates = application.functions.iter().filter(|other| other.name != function.name).flat_map(|other| {
        fillings(other).filter_map(move |(flow, into)| {
            let store = resource_of(application, other, &into.target)?;
            Some((other, flow, store))
        })
    });
    let mut first = None;
    for (other, flow, store) in candidates.by_ref().filter(|(_, _, store)| sources.contains(&store.as_str())) {
        let _ = store;
        if writer(application, other, &flow.source).is_none_or(|writer| writer.exposure < Exposure::Fed) {
            continue;
        }
        if flow.source.rsplit('.').next() == Some(last) {
            return Some((other, flow));
        }
        first = first.or(Some((other, flow)));
    }
    first
}

/// Who writes what a function that others invoke is handed.
const INVOKER: &str = "a caller of the function that invokes it";

/// From where a function is reached, its URL included.
pub(crate) fn exposed(application: &Application, function: &Function) -> Exposure {
    application.exposure(function)
}

/// Functions of the application that invoke this one.
pub(crate) fn invokers<'a>(application: &'a Application, function: &Function) -> Vec<&'a Function> {
    application.functions.iter().filter(|other| other.name != function.name && invokes(other, function)).collect()
}

fn shown(source: &str) -> &str {
    if source.is_empty() { "event" } else { source }
}

fn severity(place: &Place<'_>) -> Severity {
    use Severity::{Critical, High, Low, Medium};
    match (place.weight, place.writer.exposure) {
        (Weight::Trifle, _) | (_, Exposure::None) => Low,
        (Weight::Heavy, Exposure::Public) => Critical,
        (Weight::Heavy, Exposure::Authenticated | Exposure::Fed)
        | (Weight::Middle, Exposure::Public | Exposure::Authenticated) => High,
        (Weight::Heavy, Exposure::Internal)
        | (Weight::Middle, Exposure::Fed)
        | (Weight::Light, Exposure::Public | Exposure::Authenticated) => Medium,
        (Weight::Middle | Weight::Light, _) => Low,
    }
}

/// From where this part of the function's event is written, if somebody hostile does.
pub(crate) fn who_writes(application: &Application, function: &Function, source: &str) -> Option<Exposure> {
    writer(application, function, source).map(|writer| writer.exposure)
}

/// Who writes this part of the function's event, the widest of its triggers; none where only the platform or the team does.
fn writer(application: &Application, function: &Function, source: &str) -> Option<Writer> {
    let mut found: Option<Writer> = None;
    let take = |found: &mut Option<Writer>, one: Option<Writer>| {
        if let Some(one) = one
            && found.is_none_or(|found| found.exposure < one.exposure)
        {
            *found = Some(one);
        }
    };
    let mut any = false;
    for trigger in application.triggers_of(&function.name) {
        any = true;
        take(&mut found, by_trigger(trigger, source));
    }
    if let Some(url) = &function.url {
        any = true;
        let exposure = if url.auth == UrlAuth::None { Exposure::Public } else { Exposure::Authenticated };
        take(&mut found, http(source, exposure).filter(|_| !is_host(source)));
    }
    // What another function makes of its own callers' input has none of the forms that triggers deliver.
    if found.is_none() && root(source) != "Records" {
        let invoked = by_invocation(application, function);
        any |= invoked.is_some();
        found = invoked;
    }
    if found.is_none() && !any && function.behaviour.is_some() {
        // Nothing in the template starts it, so whatever does is somewhere else.
        found = Some(by_identity(application, function).unwrap_or(Writer {
            exposure: Exposure::None,
            who: "whoever invokes it",
            confidence: Confidence::Low,
        }));
    }
    found
}

/// Whether a function invokes another one, as far as its code tells.
fn invokes(other: &Function, function: &Function) -> bool {
    let named = |text: &str| {
        text == function.name
            || text.rsplit([':', '/']).next() == Some(function.name.as_str())
            || function.deployed_name.as_ref().is_some_and(|name| {
                let name = name.to_string();
                !name.is_empty() && (text == name || text.rsplit(':').next() == Some(name.as_str()))
            })
    };
    let Some(behaviour) = &other.behaviour else { return false };
    let mut calls =
        behaviour.calls.iter().filter(|call| call.service == "lambda" && call.operation.starts_with("Invoke"));
    calls.any(|call| match &call.target {
        CallTarget::Literal(text) => named(text),
        target => target
            .resolve(&other.environment)
            .is_some_and(|value| value.resource() == Some(function.name.as_str()) || named(&value.to_string())),
    })
}

/// Users, and roles that others than services take, that are given the right to invoke just this function.
fn by_identity(application: &Application, function: &Function) -> Option<Writer> {
    let invokes = |statement: &graph::Statement| {
        statement.effect == graph::Effect::Allow
            && !statement.not_actions
            && statement.actions.iter().any(|action| {
                let action = action.to_ascii_lowercase();
                matches!(action.as_str(), "lambda:invokefunction" | "lambda:invoke*" | "lambda:*")
            })
            && statement.resources.iter().any(|resource| resource.resource() == Some(function.name.as_str()))
    };
    let by_services =
        |value: &graph::Value| value.to_string().split('.').next_back().is_some_and(|end| end.starts_with("com"));
    application
        .identities
        .iter()
        .filter(|identity| !application.functions.iter().any(|one| one.identity.as_deref() == Some(&identity.name)))
        .filter(|identity| identity.kind != graph::IdentityKind::Role || !identity.trusted.iter().all(by_services))
        .any(|identity| identity.statements.iter().any(invokes))
        .then_some(Writer {
            exposure: Exposure::Fed,
            who: "whoever has the right to invoke it",
            confidence: Confidence::Medium,
        })
}

/// Another function that invokes this one may hand on what its own callers wrote.
fn by_invocation(application: &Application, function: &Function) -> Option<Writer> {
    let widest = invokers(application, function).into_iter().map(|other| application.exposure(other)).max();
    let exposure = widest.filter(|exposure| *exposure >= Exposure::Fed)?.min(Exposure::Authenticated);
    Some(Writer { exposure, who: INVOKER, confidence: Confidence::Medium })
}

fn http(source: &str, exposure: Exposure) -> Option<Writer> {
    const PLATFORM: [&str; 10] = [
        "requestContext",
        "httpMethod",
        "isBase64Encoded",
        "stageVariables",
        "resource",
        "version",
        "routeKey",
        "apiId",
        "identity",
        "info",
    ];
    const CALLER: [&str; 11] = [
        "body",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "rawQueryString",
        "pathParameters",
        "path",
        "rawPath",
        "headers",
        "multiValueHeaders",
        "cookies",
        "arguments",
    ];
    let root = root(source);
    if PLATFORM.contains(&root) {
        return None;
    }
    // With a mapping the event has whatever form the mapping gives it.
    let confidence = if CALLER.contains(&root) { Confidence::High } else { Confidence::Medium };
    let who = if exposure == Exposure::Public { "anyone" } else { "the caller" };
    Some(Writer { exposure, who, confidence })
}

/// Whether a source is the name that the caller reached the platform under.
fn is_host(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    matches!(source.trim_end_matches("[]"), "headers.host" | "multivalueheaders.host")
}

fn root(source: &str) -> &str {
    source.split(['.', '[']).next().unwrap_or(source)
}

/// Who writes this part of what the trigger delivers.
fn by_trigger(trigger: &Trigger, source: &str) -> Option<Writer> {
    // The name of a notification's bucket is the platform's, in whatever envelope it comes, and so is the address that
    // S3 Object Lambda gives.
    if ["s3.bucket.name", "s3.bucket.arn", "getObjectContext.inputS3Url", "detail.bucket.name"]
        .iter()
        .any(|end| source.ends_with(end))
    {
        return None;
    }
    let fed = |who: &'static str| Some(Writer { exposure: trigger.exposure(), who, confidence: Confidence::High });
    let below = |paths: &[&str]| {
        paths.iter().any(|path| {
            // The whole of the event, or of the record, has it as well.
            source.is_empty()
                || path.starts_with(source)
                || source.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    // A gateway is only reached under names that it was given.
    if trigger.kind.is_http() && trigger.kind != TriggerKind::LoadBalancer && is_host(source) {
        return None;
    }
    match trigger.kind {
        TriggerKind::RestApi
        | TriggerKind::HttpApi
        | TriggerKind::WebSocket
        | TriggerKind::LoadBalancer
        | TriggerKind::FunctionUrl
        | TriggerKind::AppSync => http(source, trigger.exposure()),
        TriggerKind::Sqs if below(&["Records[].body", "Records[].messageAttributes"]) => fed("the sender"),
        TriggerKind::Sns
            if below(&["Records[].Sns.Message", "Records[].Sns.Subject", "Records[].Sns.MessageAttributes"]) =>
        {
            fed("the publisher")
        }
        TriggerKind::S3 if below(&["Records[].s3.object.key", "detail.object.key"]) => fed("the uploader"),
        TriggerKind::DynamodbStream if below(&["Records[].dynamodb"]) => fed("whoever fills the table"),
        TriggerKind::Kinesis if below(&["Records[].kinesis.data", "Records[].kinesis.partitionKey"]) => {
            fed("the producer")
        }
        TriggerKind::Firehose if below(&["records[].data"]) => fed("the producer"),
        TriggerKind::Kafka | TriggerKind::Mq | TriggerKind::DocumentDb
            if !matches!(root(source), "eventSource" | "eventSourceArn" | "bootstrapServers") =>
        {
            fed("the producer")
        }
        TriggerKind::Iot => fed("the device"),
        TriggerKind::EventBridge => {
            let written = match from_aws(trigger) {
                true => below(&["detail.object.key"]),
                false => below(&["detail", "detail-type", "resources", "time", "source"]),
            };
            if written { fed("whoever puts the event on the bus") } else { None }
        }
        TriggerKind::Cognito if below(&["request", "userName"]) => fed("whoever signs up"),
        TriggerKind::Email if below(&["Records[].ses.mail", "Records[].ses.receipt"]) => fed("the sender"),
        TriggerKind::Logs => fed("whoever can write a line of the log"),
        TriggerKind::Alexa if below(&["request"]) => fed("the speaker"),
        TriggerKind::CloudFront if below(&["Records[].cf.request"]) => fed("anyone"),
        TriggerKind::StepFunctions | TriggerKind::Function => {
            Some(Writer { exposure: Exposure::Internal, who: "whatever starts it", confidence: Confidence::Low })
        }
        TriggerKind::Other => {
            Some(Writer { exposure: Exposure::Fed, who: "whatever starts it", confidence: Confidence::Low })
        }
        _ => None,
    }
}

/// Whether a rule takes only events that AWS services write.
pub(crate) fn from_aws(trigger: &Trigger) -> bool {
    let Some(filter) = &trigger.filter else { return false };
    let Ok(pattern) = serde_json::from_str::<serde_json::Value>(filter) else {
        return filter.contains("\"aws.") || filter.contains("'aws.");
    };
    pattern.get("source").and_then(serde_json::Value::as_array).is_some_and(|sources| {
        !sources.is_empty()
            && sources.iter().all(|source| {
                let prefix = source.get("prefix").and_then(serde_json::Value::as_str);
                source.as_str().or(prefix).is_some_and(|name| name.starts_with("aws."))
            })
    })
}

#[cfg(test)]
mod tests {
    use crate::Input;
    use crate::testing::{TODAY, application, lines_of};
    use code::{Files, Language};
    use source::Sources;

    struct One(&'static str, &'static str);

    impl Files for One {
        fn read(&self, path: &str) -> Option<String> {
            (path == self.0).then(|| self.1.to_string())
        }
        fn exists(&self, path: &str) -> bool {
            path == self.0
        }
        fn list(&self, _: &str) -> Vec<String> {
            vec![self.0.to_string()]
        }
    }

    /// What one audit says of a function with these events and this code.
    fn found(id: &str, events: &str, file: &'static str, code: &'static str) -> Vec<String> {
        found_beside(id, events, "", file, code)
    }

    /// The same with another resource, on one line, beside it.
    fn found_beside(id: &str, events: &str, other: &str, file: &'static str, code: &'static str) -> Vec<String> {
        let template = format!(
            r#"
            Transform: AWS::Serverless-2016-10-31
            Resources:
              In: {{ Type: AWS::S3::Bucket }}
              {other}
              Work:
                Type: AWS::Serverless::Function
                Properties:
                  Runtime: python3.14
                  Handler: app.handler
                  CodeUri: .
                  Events: {{ {events} }}
            "#
        );
        let (mut sources, mut application): (Sources, _) = application(&template);
        let language = if file.ends_with(".py") { Language::Python } else { Language::JavaScript };
        let reading = code::read_handler(&One(file, code), &mut sources, "", "app.handler", language);
        assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
        application.functions[0].behaviour = reading.behaviour;
        lines_of(id, &Input { application: &application, sources: &sources, fence: None, settings: &[], today: TODAY })
    }

    const OPEN: &str = "Any: { Type: HttpApi }";
    const CLOCK: &str = "Clock: { Type: Schedule, Properties: { Schedule: rate(1 day) } }";
    const UPLOAD: &str = "New: { Type: S3, Properties: { Bucket: !Ref In, Events: s3:ObjectCreated:* } }";
    const BUS: &str = "Bus: { Type: EventBridgeRule, Properties: { Pattern: { source: [shop.stock] } } }";
    const EC2: &str = "Ec2: { Type: EventBridgeRule, Properties: { Pattern: { source: [aws.ec2] } } }";

    #[test]
    fn who_writes_the_field_decides() {
        let code = "import os\ndef handler(event, context):\n    os.system('wc ' + event['detail']['file'])\n";
        let bus = found("shell-injection", BUS, "app.py", code);
        assert!(
            matches!(bus.as_slice(), [one] if one.starts_with("high/high 3:") && one.contains("`detail.file`")),
            "{bus:?}"
        );
        assert!(found("shell-injection", EC2, "app.py", code).is_empty());
        assert!(found("shell-injection", CLOCK, "app.py", code).is_empty());
        let nobody = found("shell-injection", "", "app.py", code);
        assert!(matches!(nobody.as_slice(), [one] if one.starts_with("low/low 3:")), "{nobody:?}");
    }

    #[test]
    fn users_with_the_right_to_invoke_a_function_write_its_event() {
        let code = "import os\ndef handler(event, context):\n    os.system('wc ' + event['file'])\n";
        let user = |resource: &str| {
            format!(
                "Clerk: {{ Type: AWS::IAM::User, Properties: {{ Policies: [{{ PolicyName: p, PolicyDocument: {{ Statement: \
                 [{{ Effect: Allow, Action: 'lambda:InvokeFunction', Resource: {resource} }}] }} }}] }} }}"
            )
        };
        let named = found_beside("shell-injection", "", &user("!GetAtt Work.Arn"), "app.py", code);
        assert!(matches!(named.as_slice(), [one] if one.starts_with("high/medium 3:")), "{named:?}");
        let other = found_beside("shell-injection", "", &user("!Sub '${In.Arn}:x'"), "app.py", code);
        assert!(matches!(other.as_slice(), [one] if one.starts_with("low/low 3:")), "{other:?}");
    }

    #[test]
    fn the_name_that_a_gateway_is_reached_under_is_its_own() {
        let code = "import requests\ndef handler(event, context):\n    requests.get('https://' + event['headers']['Host'] + '/x')\n";
        assert!(found("server-side-request-forgery", OPEN, "app.py", code).is_empty());
        let code = "import requests\ndef handler(event, context):\n    requests.get('https://' + event['headers']['x-forwarded-host'] + '/x')\n";
        assert_eq!(found("server-side-request-forgery", OPEN, "app.py", code).len(), 1);
    }

    #[test]
    fn the_parameter_of_a_route_that_chooses_is_what_counts() {
        let code = r#"import boto3
table = boto3.resource("dynamodb").Table("things")
def handler(event, context):
    kind = event["pathParameters"]["kind"]
    return {"statusCode": 200, "body": str(table.get_item(Key={"pk": kind}))}
"#;
        let route = |path: &str| format!("Any: {{ Type: HttpApi, Properties: {{ Method: GET, Path: '{path}' }} }}");
        let before = found("missing-ownership-check", &route("/{kind}/{customer}"), "app.py", code);
        assert!(matches!(before.as_slice(), [one] if one.starts_with("low/low")), "{before:?}");
        let after = found("missing-ownership-check", &route("/customers/{kind}"), "app.py", code);
        assert!(matches!(after.as_slice(), [one] if one.starts_with("medium/medium")), "{after:?}");
    }

    #[test]
    fn code_that_verifies_tokens_is_in_the_authorizers_place() {
        let route = "Any: { Type: HttpApi, Properties: { Method: POST, Path: /orders } }";
        let code = r#"import jwt, os
def handler(event, context):
    claims = jwt.decode(event["headers"]["authorization"], os.environ["KEY"], algorithms=["HS256"])
    return {"statusCode": 200, "body": claims["sub"]}
"#;
        let verified = found("unauthenticated-endpoint", route, "app.py", code);
        assert!(matches!(verified.as_slice(), [one] if one.starts_with("low/low")), "{verified:?}");
        let code = r#"import jwt, os
def handler(event, context):
    claims = jwt.decode(event["headers"]["authorization"], options={"verify_signature": False})
    return {"statusCode": 200, "body": claims["sub"]}
"#;
        let looked_at = found("unauthenticated-endpoint", route, "app.py", code);
        assert!(matches!(looked_at.as_slice(), [one] if !one.starts_with("low/")), "{looked_at:?}");
    }

    #[test]
    fn a_web_hook_that_reads_nothing_believes_nothing() {
        let route = "Any: { Type: HttpApi, Properties: { Method: POST, Path: /webhook } }";
        let code = "def handler(event, context):\n    return register(event['headers']['Host'])\n";
        assert!(found("unverified-webhook", route, "app.py", code).is_empty());
        let code = "import json\ndef handler(event, context):\n    return act(json.loads(event['body']))\n";
        assert_eq!(found("unverified-webhook", route, "app.py", code).len(), 1);
    }

    #[test]
    fn the_platforms_own_fields_are_nobodys_injection() {
        let code =
            "import os\ndef handler(event, context):\n    os.system('echo ' + event['requestContext']['requestId'])\n";
        assert!(found("shell-injection", OPEN, "app.py", code).is_empty());
        let code = r#"import boto3
s3 = boto3.client("s3")
def handler(event, context):
    new = event["Records"][0]["s3"]
    s3.get_object(Bucket=new["bucket"]["name"], Key=new["object"]["key"])
    open("/tmp/" + new["object"]["key"])
    open("/tmp/" + new["object"]["key"].replace("/", "-"))
"#;
        assert!(found("caller-chosen-resource", UPLOAD, "app.py", code).is_empty());
        let path = found("path-traversal", UPLOAD, "app.py", code);
        assert!(matches!(path.as_slice(), [one] if one.starts_with("medium/high 6:")), "{path:?}");
    }

    #[test]
    fn each_sink_has_its_audit() {
        let code = r#"import json, pickle, base64, sqlite3, boto3, jinja2, requests
def handler(event, context):
    body = json.loads(event["body"])
    eval(body["formula"])
    pickle.loads(base64.b64decode(event["cookies"][0]))
    sqlite3.connect("/tmp/db").execute("SELECT * FROM t WHERE name = '%s'" % body["name"])
    jinja2.Template(body["text"]).render()
    requests.get(body["url"])
    boto3.resource("dynamodb").Table(body["table"]).scan(FilterExpression="a = " + body["a"])
    print("for " + body["name"])
    return {"statusCode": 200, "headers": {"Content-Type": "text/html"}, "body": f"<p>{body['name']}</p>"}
"#;
        for (id, start) in [
            ("code-injection", "critical/high 4:"),
            ("unsafe-deserialization", "critical/high 5:"),
            ("sql-injection", "high/high 6:"),
            ("template-injection", "high/high 7:"),
            ("server-side-request-forgery", "high/high 8:"),
            ("caller-chosen-resource", "medium/high 9:"),
            ("nosql-injection", "medium/high 9:"),
            ("log-injection", "low/high 10:"),
            ("cross-site-scripting", "medium/high 11:"),
        ] {
            let said = found(id, OPEN, "app.py", code);
            assert!(matches!(said.as_slice(), [one] if one.starts_with(start)), "{id}: {said:?}");
        }
    }

    #[test]
    fn javascript_is_told_as_well() {
        let code = r#"import { exec } from "child_process";
export const handler = async (event) => {
  const url = event.queryStringParameters.url;
  const line = `curl ${url}`;
  exec(line);
};
"#;
        let shell = found("shell-injection", OPEN, "app.mjs", code);
        assert!(matches!(shell.as_slice(), [one] if one.starts_with("critical/high 5:")), "{shell:?}");
    }

    #[test]
    fn habits_weigh_by_who_reaches_the_function() {
        let code = r#"import jwt, traceback
def handler(event, context):
    try:
        return jwt.decode(event["headers"]["authorization"], options={"verify_signature": False})
    except ValueError:
        return {"statusCode": 400, "body": traceback.format_exc()}
"#;
        let says = |id: &str, events: &str| found(id, events, "app.py", code).concat();
        assert!(says("unverified-token", OPEN).starts_with("high/medium 4:"));
        assert!(says("unverified-token", CLOCK).starts_with("medium/medium 4:"));
        assert!(
            says("stack-trace-in-response", OPEN).starts_with("medium/high 6:"),
            "{}",
            says("stack-trace-in-response", OPEN)
        );
        assert!(says("stack-trace-in-response", CLOCK).starts_with("low/high 6:"));
    }
}
