//! `missing-ownership-check`: a record that the caller names and nobody asks whose it is.

use crate::flow::{exposed, invokers, resource_of, who_writes};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{AccessKind, Application, Exposure, Function, RecordAccess, TriggerKind, words};

const INFO: AuditInfo = AuditInfo {
    id: "missing-ownership-check",
    title: "A record that the caller names and nobody asks whose it is",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[639, 862],
    docs: r##"A record of a table, an object of a bucket or a row of a database is read, changed or deleted by an identifier from the
request, and neither does the verified caller narrow the operation (as a part of the key, in a condition), nor is the caller
compared with what the record says. High where other code of the application keeps the same records apart by caller; medium
where names say that the records are somebody's (orders, profiles, messages, invoices); low where nothing says so. A function
that others invoke is told where the table's key, or other code, has an owner that this access leaves out.

## Why it matters
Whoever changes the identifier in the address sees, changes or removes what belongs to others.

## Remediation
Make the caller part of the key, or compare before going on.

```python
sub = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
table.delete_item(Key={"owner": sub, "id": event["pathParameters"]["id"]})
```

## When it doesn't fire
Not where the caller's verified identity is part of the key or of a condition, not where it is compared with something in the
same function or around it, and not for records that names say are everyone's (products, articles, settings of a page).
"##,
};

pub(super) struct MissingOwnershipCheck;

/// Words in names of what is somebody's.
const PERSONAL: &[&str] = &[
    "order",
    "user",
    "account",
    "profile",
    "customer",
    "invoice",
    "payment",
    "message",
    "inbox",
    "note",
    "document",
    "cart",
    "basket",
    "booking",
    "reservation",
    "ticket",
    "subscription",
    "wallet",
    "address",
    "patient",
    "medical",
    "health",
    "chat",
    "conversation",
    "receipt",
    "transaction",
    "claim",
    "policy",
    "loan",
    "member",
    "employee",
    "salary",
    "private",
    "diary",
    "device",
    "todo",
    "task",
    "file",
    "upload",
    "photo",
    "record",
    "report",
    "statement",
    "contract",
    "appointment",
    "deposit",
    "favorite",
    "favourite",
    "wishlist",
    "session",
    "vault",
    "secret",
    "prescription",
    "shipment",
    "delivery",
    "expense",
];

/// Words in names of what is everyone's.
const SHARED: &[&str] = &[
    "product",
    "catalog",
    "catalogue",
    "article",
    "post",
    "blog",
    "news",
    "page",
    "public",
    "category",
    "categories",
    "tag",
    "city",
    "country",
    "currency",
    "config",
    "setting",
    "template",
    "menu",
    "movie",
    "book",
    "recipe",
    "event",
    "asset",
    "static",
    "translation",
    "store",
    "shop",
    "stock",
    "inventory",
    "price",
    "feature",
    "short",
    "link",
    "url",
    "weather",
    "image",
    "thumbnail",
    "lookup",
    "counter",
    "metric",
    "course",
    "song",
    "game",
    "leaderboard",
    "cache",
];

impl Audit for MissingOwnershipCheck {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let Some(behaviour) = &function.behaviour else { return };
        let application = context.application();
        let http = is_called(application, function);
        let mut told = std::collections::BTreeSet::new();
        // The same line may run with and without the caller: one way without is enough.
        for access in &behaviour.accesses {
            let Some((severity, why)) = weigh(application, function, access, http) else { continue };
            if !told.insert(access.span) {
                continue;
            }
            report(function, access, severity, why, context);
        }
    }
}

/// Whether somebody outside calls the function and waits for the answer.
pub(super) fn is_called(application: &Application, function: &Function) -> bool {
    function.url.is_some()
        || application
            .triggers_of(&function.name)
            .any(|trigger| trigger.kind.is_http() || matches!(trigger.kind, TriggerKind::AppSync | TriggerKind::Alexa))
}

/// Whether a route or a name is of signing in, where there is no caller yet.
pub(super) fn signs_in(application: &Application, function: &Function) -> bool {
    let words = [
        "login", "signin", "sign-in", "signup", "sign-up", "register", "auth", "token", "password", "forgot", "reset",
        "verify", "confirm", "activate", "otp", "session", "webhook",
    ];
    let says = |name: &str| {
        let name = name.to_ascii_lowercase();
        words.iter().any(|word| name.contains(word))
    };
    // One route of many says nothing of the others.
    const FEW: usize = 3;
    let routes: Vec<bool> =
        application.triggers_of(&function.name).filter_map(|trigger| trigger.path.as_deref()).map(says).collect();
    let signing = routes.iter().filter(|signs| **signs).count();
    says(&function.name) || signing > 0 && (routes.len() <= FEW || signing * 2 > routes.len())
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn weigh(
    application: &Application,
    function: &Function,
    access: &RecordAccess,
    http: bool,
) -> Option<(Severity, &'static str)> {
    if access.of_caller || access.compared {
        return None;
    }
    // Nothing here starts it, so whatever does may hand on anything.
    let nobody = !http && application.exposure(function) == Exposure::None;
    let chosen: Vec<_> = access
        .key
        .iter()
        .filter(|part| {
            part.sources.iter().any(|source| {
                !source.to_ascii_lowercase().contains("authorization")
                    && who_writes(application, function, source)
                        .is_some_and(|who| nobody || who >= Exposure::Authenticated)
            })
        })
        .collect();
    if chosen.is_empty() {
        return None;
    }
    let resource = resource_of(application, function, &access.target);
    let owned = resource.as_deref().is_some_and(|resource| is_owned(application, resource, access));
    if !http {
        // What an invoker hands over as the caller counts as one.
        let names_owner = |part: &graph::KeyPart| {
            words::is_identity(&part.name) || part.sources.iter().any(|source| words::is_identity(last(source)))
        };
        if access.key.iter().any(names_owner) || !owned || access.kind == AccessKind::Write || access.service == "s3" {
            return None;
        }
        let called =
            invokers(application, function).iter().any(|other| exposed(application, other) >= Exposure::Authenticated);
        return Some((if called { Severity::Medium } else { Severity::Low }, "other code asks for the owner as well"));
    }
    // Who names somebody else is told by `identity-from-caller`, unless it stands in the path.
    let in_path = |source: &String| {
        source.starts_with("pathParameters") || source.starts_with("path") || source.starts_with("rawPath")
    };
    let identity = chosen
        .iter()
        .any(|part| part.sources.iter().any(|source| words::is_identity(last(source)) && !in_path(source)));
    if identity && access.kind != AccessKind::Write {
        return None;
    }
    if signs_in(application, function) {
        return None;
    }
    if access.kind == AccessKind::Write {
        // New records are only found by what is their key.
        let overwrites = !access.conditional
            && access.service == "dynamodb"
            && chosen.iter().any(|part| is_key(application, resource.as_deref(), &part.name));
        let taken = access.service == "s3";
        return (overwrites || taken).then_some((Severity::Low, "a record of this key may be somebody else's already"));
    }
    if access.operation == "HeadObject" {
        return None;
    }
    let told: String = [
        resource.clone().unwrap_or_default(),
        access.key.iter().map(|part| part.name.clone()).collect::<Vec<_>>().join(" "),
        application
            .triggers_of(&function.name)
            .filter_map(|trigger| trigger.path.as_deref())
            .map(|path| named_in(path, &chosen))
            .collect::<Vec<_>>()
            .join(" "),
    ]
    .join(" ")
    .to_ascii_lowercase();
    let personal = PERSONAL.iter().any(|word| told.contains(word));
    let shared = SHARED.iter().any(|word| told.contains(word));
    match (owned, personal, shared) {
        (true, _, _) => Some((Severity::High, "other code keeps these records apart by their owner")),
        (_, true, false) => Some((Severity::Medium, "by its name it belongs to somebody")),
        (_, true, true) | (_, false, false) => {
            Some((Severity::Low, "if it belongs to somebody, others get it as well"))
        }
        (_, false, true) => None,
    }
}

/// The part of a route that says what is chosen: where that stands in the route, its own name and what comes before.
fn named_in(path: &str, chosen: &[&graph::KeyPart]) -> String {
    let segments: Vec<&str> = path.split('/').collect();
    let sources = || chosen.iter().flat_map(|part| &part.sources);
    let at: Vec<usize> = segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| {
            let name = segment.trim_start_matches(['{', ':', '<']).trim_end_matches(['}', '>', '+']);
            segment.starts_with(['{', ':', '<'])
                && sources().any(|source| source.strip_prefix("pathParameters.") == Some(name))
        })
        .map(|(at, _)| at)
        .collect();
    if at.is_empty() {
        return path.to_string();
    }
    // Other parameters say nothing of this one.
    let before = |at: usize| segments.iter().take(at).filter(|segment| !segment.starts_with(['{', ':', '<']));
    at.iter().flat_map(|at| before(*at).chain(segments.get(*at))).copied().collect::<Vec<_>>().join("/")
}

/// Whether something of the application keeps the records of a resource apart by owner.
fn is_owned(application: &Application, resource: &str, access: &RecordAccess) -> bool {
    let by_schema = application
        .resource(resource)
        .and_then(|resource| resource.property("KeySchema"))
        .and_then(|keys| keys.as_array())
        .is_some_and(|keys| keys.iter().filter_map(|key| key.get("AttributeName")?.as_str()).any(words::is_identity));
    by_schema
        || application.functions.iter().any(|other| {
            let accesses = other.behaviour.iter().flat_map(|behaviour| &behaviour.accesses);
            accesses.filter(|one| one.span != access.span).any(|one| {
                // What is new may only say who made it.
                let named = one.key.iter().any(|part| words::is_identity(&part.name));
                (one.of_caller && (one.kind != AccessKind::Write || named) || named && one.kind != AccessKind::Write)
                    && resource_of(application, other, &one.target).as_deref() == Some(resource)
            })
        })
}

fn is_key(application: &Application, resource: Option<&str>, name: &str) -> bool {
    let keys = resource.and_then(|name| application.resource(name)).and_then(|resource| resource.property("KeySchema"));
    match keys.and_then(|keys| keys.as_array()) {
        Some(keys) => keys.iter().filter_map(|key| key.get("AttributeName")?.as_str()).any(|key| key == name),
        None => matches!(name, "id" | "pk" | "PK"),
    }
}

fn report(function: &Function, access: &RecordAccess, severity: Severity, why: &str, context: &mut Context<'_>) {
    let does = match access.kind {
        AccessKind::Read => "reads",
        AccessKind::Write => "writes",
        AccessKind::Change => "changes",
        AccessKind::Delete => "deletes",
    };
    let source = access.key.iter().flat_map(|part| &part.sources).next().cloned().unwrap_or_default();
    let title =
        format!("`{}` {does} whatever record the caller names (`{source}`), without asking whose it is", function.name);
    let mut report = context
        .report(access.span, title)
        .severity(severity)
        .confidence(if severity >= Severity::Medium { Confidence::Medium } else { Confidence::Low })
        .function(&function.name)
        .primary(why);
    for (index, step) in access.steps.iter().enumerate() {
        let message = if index == 0 { format!("`{source}` {}", step.what) } else { format!("it {}", step.what) };
        report = report.related(step.span, message.clone()).step(step.span, message);
    }
    report.step(access.span, "this acts on the record it names").remediation(
        "make the verified caller (`requestContext.authorizer`) part of the key or of a condition, or compare it with the record's owner before going on",
    );
}
