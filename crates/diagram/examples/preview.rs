//! Draws a made-up application of as many functions as asked for: `preview 80 > map.html`.

use graph::{
    Application, Authorization, Code, Effect, Function, Identity, Origin, Part, Provider, Resource, ResourceKind,
    Statement, Trigger, TriggerKind, Value,
};
use source::{FileId, Span};

fn main() {
    let count = std::env::args().nth(1).and_then(|number| number.parse().ok()).unwrap_or(80);
    let application = application(count);
    println!(
        "<!doctype html><meta charset=utf-8><title>Preview</title><style>body{{background:var(--diagram-paper)}}{}</style>{}",
        diagram::css(),
        diagram::svg(&application, &diagram::Options::default())
    );
}

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn reference(name: &str) -> Value {
    Value::part(Part::Ref(name.into()))
}

/// Every third function stands behind an API, the others behind queues, streams, clocks and each other.
fn application(count: usize) -> Application {
    let mut application = Application {
        name: "preview".into(),
        template: FileId(0),
        provider: Provider::Aws,
        format: graph::Format::Sam,
        functions: Vec::new(),
        triggers: Vec::new(),
        identities: Vec::new(),
        resources: Vec::new(),
    };
    let mut resource = |name: String, kind, resource_type: &str| {
        application.resources.push(Resource {
            name,
            resource_type: resource_type.into(),
            kind,
            span: span(),
            deployed_name: None,
            properties: serde_json::Value::Null,
            property_spans: Vec::new(),
            policy: Vec::new(),
        });
    };
    resource("ShopApi".into(), ResourceKind::Api, "AWS::Serverless::HttpApi");
    resource("PartnerApi".into(), ResourceKind::Api, "AWS::Serverless::Api");
    for index in 0..count.div_ceil(8) {
        resource(format!("Table{index}"), ResourceKind::Table, "AWS::DynamoDB::Table");
        resource(format!("WorkQueue{index}"), ResourceKind::Queue, "AWS::SQS::Queue");
        resource(format!("Uploads{index}"), ResourceKind::Bucket, "AWS::S3::Bucket");
    }
    for index in 0..count {
        let name = format!("Function{index}HandlesOrders");
        let group = index / 8;
        let (kind, source, method, path, authorization, filter) = match index % 8 {
            0 => (
                TriggerKind::HttpApi,
                Some(reference("ShopApi")),
                Some("POST"),
                Some("/orders"),
                Authorization::None,
                None,
            ),
            1 => (
                TriggerKind::HttpApi,
                Some(reference("ShopApi")),
                Some("GET"),
                Some("/orders/{id}/items"),
                Authorization::Jwt("Staff".into()),
                None,
            ),
            2 => (
                TriggerKind::RestApi,
                Some(reference("PartnerApi")),
                Some("ANY"),
                Some("/partner/{proxy+}"),
                Authorization::ApiKey,
                None,
            ),
            3 | 4 => {
                (TriggerKind::Sqs, Some(reference(&format!("WorkQueue{group}"))), None, None, Authorization::None, None)
            }
            5 => (TriggerKind::S3, Some(reference(&format!("Uploads{group}"))), None, None, Authorization::None, None),
            6 => (TriggerKind::Schedule, None, None, None, Authorization::None, Some("cron(15 2 * * ? *)")),
            _ => (
                TriggerKind::DynamodbStream,
                Some(reference(&format!("Table{group}"))),
                None,
                None,
                Authorization::None,
                None,
            ),
        };
        application.triggers.push(Trigger {
            function: name.clone(),
            name: format!("Event{index}"),
            authorization: (kind.is_http()).then_some(authorization),
            kind,
            source,
            method: method.map(str::to_owned),
            path: path.map(str::to_owned),
            body_schema: None,
            report_batch_item_failures: false,
            filter: filter.map(str::to_owned),
            span: span(),
        });
        let mut touches = vec![reference(&format!("Table{group}"))];
        if index % 8 < 2 {
            touches.push(reference(&format!("WorkQueue{group}")));
        }
        if index % 8 == 3 {
            touches.push(reference(&format!("Uploads{group}")));
        }
        application.identities.push(Identity {
            name: format!("{name}Role"),
            kind: graph::IdentityKind::Role,
            deployed_name: None,
            groups: Vec::new(),
            span: span(),
            generated: true,
            statements: vec![Statement {
                effect: Effect::Allow,
                actions: vec!["dynamodb:PutItem".into(), "sqs:SendMessage".into()],
                not_actions: false,
                resources: if index % 11 == 4 { vec![Value::text("*")] } else { touches },
                not_resources: false,
                principals: Vec::new(),
                condition: None,
                origin: Origin::Inline,
                span: span(),
            }],
            trusted: Vec::new(),
            trust: Vec::new(),
            boundary: None,
            unresolved_policies: Vec::new(),
        });
        application.functions.push(Function {
            name: name.clone(),
            resource_type: "AWS::Serverless::Function".into(),
            span: span(),
            deployed_name: None,
            runtime: Some(graph::Setting { value: "python3.12".into(), span: span() }),
            handler: None,
            code: Code::Unknown,
            environment: Vec::new(),
            identity: Some(format!("{name}Role")),
            role: None,
            url: None,
            timeout: None,
            memory: None,
            layers: Vec::new(),
            in_vpc: false,
            reserved_concurrency: None,
            dead_letter: None,
            architecture: None,
            tracing: None,
            log_group: None,
            behaviour: None,
        });
    }
    application
}
