//! Whole pictures: applications as someone could have written them, and what must be true of how they are drawn.

use crate::picture::{Kind, Picture};
use crate::{Options, accesses, dot, json, mermaid, svg};
use graph::{
    Application, Authorization, Behaviour, CallTarget, CloudCall, Code, Effect, FlowKind, Function, Identity, Origin,
    Part, Provider, Resource, ResourceKind, Setting, Statement, Trigger, TriggerKind, Value,
};
use source::{FileId, SourceFile, Sources, Span};
use std::collections::BTreeSet;

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn empty() -> Application {
    Application {
        name: "shop".into(),
        template: FileId(0),
        provider: Provider::Aws,
        format: graph::Format::Sam,
        functions: Vec::new(),
        triggers: Vec::new(),
        identities: Vec::new(),
        resources: Vec::new(),
    }
}

fn reference(name: &str) -> Value {
    Value::part(Part::Ref(name.into()))
}

fn resource(application: &mut Application, name: &str, kind: ResourceKind, deployed: Option<&str>) {
    application.resources.push(Resource {
        name: name.into(),
        resource_type: "AWS::Some::Thing".into(),
        kind,
        span: span(),
        deployed_name: deployed.map(Value::text),
        properties: serde_json::Value::Null,
        property_spans: Vec::new(),
        policy: Vec::new(),
    });
}

/// A function that runs as `role` (made if it isn't there).
fn function(application: &mut Application, name: &str, role: &str) {
    if application.identity(role).is_none() {
        application.identities.push(Identity {
            name: role.into(),
            kind: graph::IdentityKind::Role,
            deployed_name: None,
            groups: Vec::new(),
            span: span(),
            generated: role.starts_with(name),
            statements: Vec::new(),
            trusted: Vec::new(),
            trust: Vec::new(),
            boundary: None,
            unresolved_policies: Vec::new(),
        });
    }
    application.functions.push(Function {
        name: name.into(),
        resource_type: "AWS::Serverless::Function".into(),
        span: span(),
        deployed_name: None,
        runtime: Some(Setting { value: "python3.12".into(), span: span() }),
        handler: None,
        code: Code::Unknown,
        environment: Vec::new(),
        identity: Some(role.into()),
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

fn allow(application: &mut Application, role: &str, action: &str, on: Vec<Value>) {
    let identity = application.identities.iter_mut().find(|identity| identity.name == role).unwrap();
    identity.statements.push(Statement {
        effect: Effect::Allow,
        actions: vec![action.into()],
        not_actions: false,
        resources: on,
        not_resources: false,
        principals: Vec::new(),
        condition: None,
        origin: Origin::Inline,
        span: span(),
    });
}

fn trigger(application: &mut Application, function: &str, kind: TriggerKind, source: Option<Value>) {
    let name = format!("Event{}", application.triggers.len());
    application.triggers.push(Trigger {
        function: function.into(),
        name,
        kind,
        source,
        authorization: None,
        method: None,
        path: None,
        body_schema: None,
        report_batch_item_failures: false,
        filter: None,
        span: span(),
    });
}

fn route(application: &mut Application, function: &str, path: &str, authorization: Authorization) {
    trigger(application, function, TriggerKind::HttpApi, Some(reference("Api")));
    let trigger = application.triggers.last_mut().unwrap();
    trigger.authorization = Some(authorization);
    trigger.method = Some("GET".into());
    trigger.path = Some(path.into());
}

/// A shop: an API, a queue that one function writes and another reads, a table with a stream, a clock.
fn shop() -> Application {
    let mut application = empty();
    resource(&mut application, "Api", ResourceKind::Api, None);
    resource(&mut application, "Paid", ResourceKind::Queue, None);
    resource(&mut application, "Orders", ResourceKind::Table, None);
    function(&mut application, "Take", "TakeRole");
    function(&mut application, "Charge", "ChargeRole");
    function(&mut application, "Notify", "NotifyRole");
    route(&mut application, "Take", "/orders", Authorization::None);
    trigger(&mut application, "Charge", TriggerKind::Sqs, Some(reference("Paid")));
    trigger(&mut application, "Notify", TriggerKind::DynamodbStream, Some(reference("Orders")));
    allow(&mut application, "TakeRole", "sqs:SendMessage", vec![reference("Paid")]);
    allow(&mut application, "ChargeRole", "dynamodb:PutItem", vec![reference("Orders")]);
    allow(&mut application, "NotifyRole", "dynamodb:GetItem", vec![reference("Orders")]);
    application
}

/// As many functions as asked for, each wired to pseudo-random others.
fn large(count: usize) -> Application {
    let mut application = empty();
    resource(&mut application, "Api", ResourceKind::Api, None);
    for index in 0..count / 4 + 1 {
        resource(&mut application, &format!("Queue{index}"), ResourceKind::Queue, None);
        resource(&mut application, &format!("Table{index}"), ResourceKind::Table, None);
    }
    let mut state = 11_usize;
    let mut next = |most: usize| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345) % (1 << 31);
        (state >> 8) % most
    };
    for index in 0..count {
        let name = format!("Function{index}");
        let role = if index % 5 == 0 { "SharedRole".to_owned() } else { format!("{name}Role") };
        function(&mut application, &name, &role);
        let queue = format!("Queue{}", next(count / 4 + 1));
        match index % 4 {
            0 => route(&mut application, &name, &format!("/path{index}"), Authorization::None),
            1 => route(&mut application, &name, &format!("/path{index}"), Authorization::Iam),
            2 => trigger(&mut application, &name, TriggerKind::Sqs, Some(reference(&queue))),
            _ => trigger(&mut application, &name, TriggerKind::Schedule, None),
        }
        let on = vec![
            reference(&format!("Queue{}", next(count / 4 + 1))),
            reference(&format!("Table{}", next(count / 4 + 1))),
            reference(&format!("Function{}", next(index + 1))),
        ];
        allow(&mut application, &role, "x:Do", on);
    }
    application
}

/// Whether a line or a chain of lines through boxes that stand for no function or resource leads from one name to another.
fn leads(picture: &Picture, from: &str, to: &str) -> bool {
    let named = |index: usize, name: &str| {
        picture.nodes[index].name == name && matches!(picture.nodes[index].kind, Kind::Function | Kind::Resource(_))
    };
    let mut waiting: Vec<usize> = (0..picture.nodes.len()).filter(|&index| named(index, from)).collect();
    let mut seen = BTreeSet::new();
    while let Some(node) = waiting.pop() {
        for edge in &picture.edges {
            let ends = [(edge.from, edge.to, true), (edge.to, edge.from, edge.both)];
            for (_, to_index, _) in ends.into_iter().filter(|(from, _, there)| *from == node && *there) {
                if named(to_index, to) {
                    return true;
                }
                let between = matches!(picture.nodes[to_index].kind, Kind::Entry(_) | Kind::Role | Kind::Source(_));
                if between && seen.insert(to_index) {
                    waiting.push(to_index);
                }
            }
        }
    }
    false
}

/// Left, top, right and bottom of every box of a drawing.
fn boxes(svg: &str) -> Vec<[f64; 4]> {
    let number = |text: &str, name: &str| {
        let start = text.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
        text[start..].split('"').next().unwrap().parse::<f64>().unwrap()
    };
    svg.split("<rect class=\"box\"")
        .skip(1)
        .map(|text| {
            let (x, y) = (number(text, "x"), number(text, "y"));
            [x, y, x + number(text, "width"), y + number(text, "height")]
        })
        .collect()
}

#[test]
fn every_flow_of_an_application_is_drawn() {
    for application in [shop(), large(1), large(40), large(80)] {
        let picture = Picture::of(&application);
        let flows = application.flows();
        assert!(!flows.is_empty());
        for flow in flows {
            let outside = application.resource(&flow.from).is_none() && application.function(&flow.from).is_none();
            let drawn = if outside {
                let to = picture.function_index(&flow.to).unwrap();
                picture.edges.iter().any(|edge| edge.to == to && edge.kind == FlowKind::Triggers)
            } else {
                leads(&picture, &flow.from, &flow.to)
            };
            assert!(drawn, "{} -> {} of {} functions", flow.from, flow.to, application.functions.len());
        }
    }
}

#[test]
fn boxes_never_overlap_and_stay_on_the_page() {
    for count in [1, 2, 7, 33, 80] {
        let drawing = svg(&large(count), &Options::default());
        let boxes = boxes(&drawing);
        assert!(boxes.len() > count);
        let size: Vec<f64> = drawing
            .split("viewBox=\"0 0 ")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .split(' ')
            .map(|n| n.parse().unwrap())
            .collect();
        for (index, a) in boxes.iter().enumerate() {
            assert!(a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= size[0] && a[3] <= size[1], "{a:?} of {size:?}");
            for b in &boxes[index + 1..] {
                assert!(
                    a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1],
                    "{count} functions: {a:?} and {b:?}"
                );
            }
        }
        assert_eq!(drawing, svg(&large(count), &Options::default()));
    }
}

#[test]
fn a_queue_stands_between_who_writes_it_and_who_it_starts() {
    let drawing = svg(&shop(), &Options::default());
    let left = |name: &str| {
        let text = drawing.split(&format!("data-node=\"{name}\"")).nth(1).unwrap();
        boxes(text)[0][0]
    };
    assert!(left("Internet") < left("Api") && left("Api") < left("Take"));
    assert!(left("Take") < left("Paid") && left("Paid") < left("Charge") && left("Charge") < left("Orders"));
}

#[test]
fn the_shop_in_mermaid() {
    assert_eq!(
        mermaid(&shop()),
        r#"flowchart LR
  n0["Take<br>python3.12 · own role"]:::public
  n1["Charge<br>python3.12 · own role"]:::fed
  n2["Notify<br>python3.12 · own role"]:::fed
  n3(["Internet<br>anyone"]):::public
  n4[("Api<br>API")]
  n5("GET /orders"):::public
  n6[("Paid<br>queue")]
  n7[("Orders<br>table")]
  n3 ==> n4
  n4 ==> n5
  n5 ==> n0
  n6 --> n1
  n7 <--> n2
  n0 -.-> n6
  n1 -.-> n7
  classDef public stroke:#c7361f,stroke-width:2px
  classDef authenticated stroke:#b9770e
  classDef fed stroke:#2b6cb0
  classDef internal stroke:#3f7f6b
"#
    );
}

#[test]
fn a_function_named_like_markup_stays_a_name() {
    let hostile = "</title><script>alert(1)</script>\"'`]; click n0 \"javascript:x\"\u{202e}";
    let mut application = shop();
    application.name = hostile.into();
    function(&mut application, hostile, "HostileRole");
    route(&mut application, hostile, hostile, Authorization::Lambda(hostile.into()));
    resource(&mut application, &format!("{hostile}2"), ResourceKind::Table, None);
    allow(&mut application, "HostileRole", hostile, vec![reference(&format!("{hostile}2"))]);
    fn link(name: &str) -> String {
        format!("/f?{name}")
    }
    let options = Options { link: Some(link), prefix: "\"><script>".into(), ..Options::default() };
    let drawing = svg(&application, &options);
    assert!(drawing.contains("&lt;/title&gt;&lt;script&gt;"));
    assert!(!drawing.contains("<script") && !drawing.contains('\u{202e}'), "{drawing}");
    // Outside of tags and attributes there is no stray quote or bracket: every `<` opens one of the elements that are drawn.
    for tag in drawing.split('<').skip(1) {
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphabetic).collect();
        let known = ["svg", "title", "g", "path", "rect", "text", "circle", "a"];
        assert!(known.contains(&name.as_str()), "<{tag}");
        assert_eq!(tag.split('>').next().unwrap().matches('"').count() % 2, 0, "<{tag}");
    }
    for line in mermaid(&application).lines() {
        assert!(!line.contains("<script") && line.matches('"').count() % 2 == 0, "{line}");
        assert!(!line.trim_start().starts_with("click"), "{line}");
    }
    let graph = dot(&application);
    assert!(!graph.replace("\\\\", "").replace("\\\"", "").contains("click n0 \""), "{graph}");
}

#[test]
fn resources_are_found_by_the_names_they_are_deployed_under() {
    let mut application = empty();
    resource(&mut application, "OrdersTable", ResourceKind::Table, Some("SHOP-ORDERS"));
    resource(&mut application, "OrdersBucket", ResourceKind::Bucket, Some("SHOP-ORDERS"));
    function(&mut application, "Front", "FrontRole");
    function(&mut application, "Back", "BackRole");
    application.functions[1].deployed_name = Some("shop-back".into());
    let mut arn = Value::text("arn:");
    arn.push(Part::Pseudo("AWS::Partition".into()));
    arn.push(Part::Text(":dynamodb:".into()));
    arn.push(Part::Pseudo("AWS::Region".into()));
    arn.push(Part::Text(":1:table/SHOP-ORDERS/index/*".into()));
    allow(&mut application, "BackRole", "dynamodb:Query", vec![arn]);
    // Nothing says which function it may invoke; its code does.
    allow(&mut application, "FrontRole", "lambda:InvokeFunction", vec![Value::text("*")]);
    application.functions[0].behaviour = Some(Behaviour {
        calls: vec![CloudCall {
            service: "lambda".into(),
            operation: "Invoke".into(),
            actions: Vec::new(),
            index: None,
            target: CallTarget::Literal("shop-back".into()),
            span: span(),
        }],
        ..Behaviour::default()
    });
    let found: Vec<_> =
        accesses(&application).into_iter().map(|access| (access.function, access.target, access.granted)).collect();
    assert_eq!(found, [("Front".into(), "Back".into(), false), ("Back".into(), "OrdersTable".into(), true)]);
    let picture = Picture::of(&application);
    assert!(leads(&picture, "Front", "Back") && leads(&picture, "Back", "OrdersTable"));
    assert!(picture.nodes[picture.function_index("Front").unwrap()].wide);
}

#[test]
fn what_is_allowed_but_not_in_the_code_is_told_apart() {
    let mut application = shop();
    application.functions[0].behaviour = Some(Behaviour::default());
    let picture = Picture::of(&application);
    let take = picture.function_index("Take").unwrap();
    let line = picture.edges.iter().find(|edge| edge.from == take).unwrap();
    assert!(line.unused);
    assert!(svg(&application, &Options::default()).contains("Allowed, but not seen in its code"));
}

#[test]
fn a_role_of_many_functions_stands_once_instead_of_all_its_lines() {
    let mut application = empty();
    for index in 0..4 {
        resource(&mut application, &format!("Table{index}"), ResourceKind::Table, None);
        function(&mut application, &format!("Function{index}"), "OneRole");
    }
    allow(&mut application, "OneRole", "dynamodb:*", (0..4).map(|index| reference(&format!("Table{index}"))).collect());
    let picture = Picture::of(&application);
    assert_eq!(picture.edges.len(), 8);
    assert!(picture.nodes.iter().any(|node| node.kind == Kind::Role && node.name == "OneRole"));
}

#[test]
fn json_names_every_node_once_and_every_edge_has_both_ends() {
    let mut sources = Sources::new();
    sources.add(SourceFile::new("template.yaml", "x"));
    let value = json(&large(30), &sources);
    let nodes = value["nodes"].as_array().unwrap();
    let ids: BTreeSet<&str> = nodes.iter().map(|node| node["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), nodes.len());
    let edges = value["edges"].as_array().unwrap();
    assert!(edges.len() > 60);
    for edge in edges {
        assert!(ids.contains(edge["from"].as_str().unwrap()) && ids.contains(edge["to"].as_str().unwrap()), "{edge}");
        assert_eq!(edge["place"]["path"], "template.yaml");
    }
}

#[test]
fn a_template_beyond_all_measure_is_cut_and_says_so() {
    let drawing = svg(&large(1_600), &Options::default());
    assert!(drawing.contains("more boxes and lines are not drawn"));
    assert_eq!(boxes(&drawing).len(), 1_500);
}
