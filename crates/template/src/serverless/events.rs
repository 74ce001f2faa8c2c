//! Events of functions as triggers, with what APIs ask of their callers.

use super::service::{Function, Service, alphanumeric};
use super::sources::{Event, HTTP_API, REST_API, WEBSOCKET_API, events, is_kinesis, properties_or};
use crate::apigateway::rest_authorizer;
use crate::events::{shown_json, shown_list};
use crate::functions::trigger;
use crate::normalize::intrinsic;
use crate::reader::Reader;
use crate::resources::reference;
use findings::{Level, near_miss};
use graph::{Authorization, Part, Schema, Trigger, TriggerKind, Value};
use source::Node;
use std::collections::HashMap;

/// The framework's event types.
const TYPES: [&str; 26] = [
    "http",
    "httpApi",
    "websocket",
    "s3",
    "schedule",
    "sns",
    "sqs",
    "stream",
    "msk",
    "kafka",
    "activemq",
    "rabbitmq",
    "alexaSkill",
    "alexaSmartHome",
    "iot",
    "iotFleetProvisioning",
    "cloudwatchEvent",
    "cloudwatchLog",
    "cognitoUserPool",
    "alb",
    "eventBridge",
    "cloudFront",
    "s3Batch",
    "documentDb",
    "ses",
    "appSync",
];

/// Adds the triggers of all functions.
pub(super) fn read(reader: &mut Reader<'_, '_>, service: &Service) {
    // What a WebSocket API asks at `$connect` holds for all messages of the connection.
    let mut connection = Authorization::None;
    for function in &service.functions {
        for event in events(&function.node).iter().filter(|event| event.kind == "websocket") {
            let route = event.properties.get("route").unwrap_or(&event.properties);
            if route.scalar() == Some("$connect")
                && let Some(authorizer) = event.properties.get("authorizer")
            {
                connection = rest_authorization(reader, service, authorizer, WEBSOCKET_API);
            }
        }
    }
    for function in &service.functions {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for event in events(&function.node) {
            let number = seen.entry(event.kind.clone()).or_default();
            *number += 1;
            let name = if *number == 1 { event.kind.clone() } else { format!("{}{number}", event.kind) };
            read_event(reader, service, function, &event, &name, &connection);
        }
    }
    read_appsync(reader, service);
}

fn read_event(
    reader: &mut Reader<'_, '_>,
    service: &Service,
    function: &Function,
    event: &Event,
    name: &str,
    connection: &Authorization,
) {
    let template = reader.template.clone();
    let properties = &event.properties;
    let scalar = properties.scalar().filter(|_| !properties.is_null()).map(|_| properties);
    let own = |name: &str| properties.get(name).filter(|node| !node.is_null());
    let text = |name: &str| own(name).map(|node| template.value(node).to_string());
    let new = |kind| trigger(&function.id, name, kind, event.span);
    let arn = || properties_or(properties, scalar, "arn");
    let patterns = || own("filterPatterns").map(shown_json);
    let made = match event.kind.as_str() {
        "http" => return read_http(reader, service, function, event, name),
        "httpApi" => return read_http_api(reader, service, function, event, name),
        "websocket" => {
            let route = scalar.or_else(|| own("route")).map(|route| template.value(route).to_string());
            let api = service.provider(&["apiGateway", "websocketApiId"]).map(|id| template.value(id));
            Trigger {
                source: Some(api.unwrap_or_else(|| reference(WEBSOCKET_API))),
                path: Some(route.unwrap_or_else(|| "$default".to_string())),
                authorization: Some(connection.clone()),
                ..new(TriggerKind::WebSocket)
            }
        }
        "s3" => {
            let bucket = scalar.or_else(|| own("bucket"));
            let source = bucket.map(|bucket| {
                let value = template.value(bucket);
                made_or_named(reader, service, &value, "S3Bucket")
            });
            let kind = text("event").unwrap_or_else(|| "s3:ObjectCreated:*".to_string());
            let filter = match own("rules") {
                Some(rules) => format!("{kind} {}", shown_json(rules)),
                None => kind,
            };
            Trigger { source, filter: Some(filter), ..new(TriggerKind::S3) }
        }
        "sqs" => Trigger {
            source: arn().map(|arn| source(reader, &arn)),
            filter: patterns(),
            report_batch_item_failures: text("functionResponseType").as_deref() == Some("ReportBatchItemFailures"),
            ..new(TriggerKind::Sqs)
        },
        "sns" => {
            let topic = scalar
                .or_else(|| intrinsic(properties).map(|_| properties))
                .or_else(|| own("arn"))
                .or_else(|| own("topicName"));
            let source = topic.map(|topic| made_or_named(reader, service, &template.value(topic), "SNSTopic"));
            Trigger { source, filter: own("filterPolicy").map(shown_json), ..new(TriggerKind::Sns) }
        }
        "stream" => {
            let arn = arn();
            let kinesis = arn.as_ref().is_some_and(|arn| is_kinesis(properties, arn));
            Trigger {
                source: arn.map(|arn| source(reader, &arn)),
                filter: patterns(),
                report_batch_item_failures: text("functionResponseType").as_deref() == Some("ReportBatchItemFailures"),
                ..new(if kinesis { TriggerKind::Kinesis } else { TriggerKind::DynamodbStream })
            }
        }
        "msk" => {
            Trigger { source: arn().map(|arn| source(reader, &arn)), filter: text("topic"), ..new(TriggerKind::Kafka) }
        }
        "kafka" => Trigger {
            source: own("bootstrapServers")
                .and_then(|servers| template.values(servers).into_iter().next())
                .map(|server| server.value),
            filter: text("topic"),
            ..new(TriggerKind::Kafka)
        },
        "activemq" | "rabbitmq" => {
            Trigger { source: arn().map(|arn| source(reader, &arn)), filter: text("queue"), ..new(TriggerKind::Mq) }
        }
        "documentDb" => Trigger { source: text("cluster").map(Value::text), ..new(TriggerKind::DocumentDb) },
        "schedule" => {
            let rate = scalar.or_else(|| own("rate"));
            let filter = rate.map(|rate| shown_list(&template, rate));
            Trigger { filter, ..new(TriggerKind::Schedule) }
        }
        "eventBridge" => {
            if let Some(schedule) = own("schedule") {
                let filter = Some(template.value(schedule).to_string());
                reader.trigger(Trigger { filter, ..new(TriggerKind::Schedule) });
                if own("pattern").is_none() {
                    return;
                }
            }
            let source = own("eventBus").map(|bus| source(reader, bus));
            Trigger { source, filter: own("pattern").map(shown_json), ..new(TriggerKind::EventBridge) }
        }
        "cloudwatchEvent" => Trigger { filter: own("event").map(shown_json), ..new(TriggerKind::EventBridge) },
        "cloudwatchLog" => {
            let group = scalar.or_else(|| own("logGroup"));
            let group = group.and_then(|group| template.values(group).into_iter().next());
            Trigger {
                source: group.map(|group| named(reader, &group.value)),
                filter: text("filter"),
                ..new(TriggerKind::Logs)
            }
        }
        "iot" => Trigger { filter: text("sql"), ..new(TriggerKind::Iot) },
        "iotFleetProvisioning" => Trigger { filter: Some("fleet provisioning".into()), ..new(TriggerKind::Iot) },
        "alexaSkill" | "alexaSmartHome" => {
            let skill = scalar.or_else(|| own("appId"));
            Trigger { source: skill.map(|skill| template.value(skill)), ..new(TriggerKind::Alexa) }
        }
        "cognitoUserPool" => {
            let source =
                own("pool").map(|pool| made_or_named(reader, service, &template.value(pool), "CognitoUserPool"));
            Trigger { source, filter: text("trigger"), ..new(TriggerKind::Cognito) }
        }
        "alb" => read_alb(reader, service, event, new(TriggerKind::LoadBalancer)),
        "cloudFront" => {
            Trigger { filter: text("eventType"), path: text("pathPattern"), ..new(TriggerKind::CloudFront) }
        }
        other => {
            let help = match near_miss(other, TYPES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "what the function is handed isn't known".to_string(),
            };
            reader.report(Level::Warning, event.span, format!("unknown event type `{other}`"), help);
            Trigger { filter: Some(other.to_string()), ..new(TriggerKind::Other) }
        }
    };
    if own("enabled").and_then(Node::as_bool) == Some(false) && matches!(made.kind, TriggerKind::Schedule) {
        return;
    }
    reader.trigger(made);
}

/// What a value of an event names: a resource of the service where one bears the name.
fn named(reader: &Reader<'_, '_>, value: &Value) -> Value {
    if value.resources().next().is_some() {
        return value.clone();
    }
    reader.resource_named(value).map_or_else(|| value.clone(), |name| reference(&name))
}

fn source(reader: &Reader<'_, '_>, node: &Node) -> Value {
    named(reader, &reader.template.value(node))
}

/// As [`named`], where the framework may have made the resource under a name of its own.
fn made_or_named(reader: &Reader<'_, '_>, service: &Service, value: &Value, prefix: &str) -> Value {
    let made = value.as_text().map(|text| format!("{prefix}{}", alphanumeric(text)));
    match made.filter(|made| service.has(made)) {
        Some(made) => reference(&made),
        None => named(reader, value),
    }
}

/// Method and path of a route: `GET orders`, or under names of their own.
fn route(reader: &Reader<'_, '_>, properties: &Node) -> (String, String) {
    let shown = |node: &Node| reader.template.value(node).to_string();
    let (method, path) = match properties.scalar().filter(|_| !properties.is_null()) {
        Some(_) => {
            let text = shown(properties);
            match text.trim().split_once(char::is_whitespace) {
                Some((method, path)) => (method.to_string(), path.trim().to_string()),
                None => ("*".to_string(), text.trim().to_string()),
            }
        }
        None => (
            properties.get("method").map_or_else(|| "*".to_string(), shown),
            properties.get("path").map_or_else(|| "*".to_string(), shown),
        ),
    };
    let method = match method.to_ascii_uppercase().as_str() {
        "*" | "ANY" | "" => "ANY".to_string(),
        method => method.to_string(),
    };
    let path = match path.as_str() {
        "*" => path,
        path if path.starts_with('/') => path.to_string(),
        path => format!("/{path}"),
    };
    (method, path)
}

fn read_http(reader: &mut Reader<'_, '_>, service: &Service, function: &Function, event: &Event, name: &str) {
    let properties = &event.properties;
    let (method, path) = route(reader, properties);
    let mut authorization = match properties.get("authorizer").filter(|node| !node.is_null()) {
        Some(authorizer) => rest_authorization(reader, service, authorizer, REST_API),
        None => Authorization::None,
    };
    let private = properties.get("private").and_then(|flag| reader.template.flag(flag)) == Some(true);
    if private && authorization == Authorization::None {
        authorization = Authorization::ApiKey;
    }
    let api = service.provider(&["apiGateway", "restApiId"]).map(|id| reader.template.value(id));
    reader.trigger(Trigger {
        source: Some(api.unwrap_or_else(|| reference(REST_API))),
        method: Some(method),
        path: Some(if path == "*" { "/".to_string() } else { path }),
        authorization: Some(authorization),
        body_schema: body_schema(service, properties),
        ..trigger(&function.id, name, TriggerKind::RestApi, event.span)
    });
}

/// The schema that API Gateway holds bodies to, which the framework turns on with it.
fn body_schema(service: &Service, properties: &Node) -> Option<Schema> {
    let request = properties.get("request")?;
    let schemas = request.get("schemas").or_else(|| request.get("schema"))?;
    let written = schemas.get("application/json").or_else(|| schemas.entries().first().map(|entry| &entry.value))?;
    let (name, schema) = match written.scalar() {
        Some(name) => {
            let shared = service.provider(&["apiGateway", "request", "schemas", name])?;
            (name.to_string(), shared.get("schema").unwrap_or(shared))
        }
        None => {
            let name = written.get("name").filter(|_| written.get("schema").is_some()).and_then(Node::scalar);
            (name.unwrap_or("application/json").to_string(), written.get("schema").unwrap_or(written))
        }
    };
    schema.is_mapping().then(|| Schema { name, schema: schema.to_json(), span: schema.span })
}

/// What `authorizer` of a REST or WebSocket route asks for.
fn rest_authorization(reader: &mut Reader<'_, '_>, service: &Service, node: &Node, api: &str) -> Authorization {
    let template = reader.template.clone();
    let text = |name: &str| node.get(name).map(|node| template.value(node).to_string());
    let by_arn = |reader: &mut Reader<'_, '_>, value: &Value| {
        let shown = value.to_string();
        let pool = value.resources().find(|name| template.type_of(name) == Some("AWS::Cognito::UserPool"));
        if let Some(pool) = pool {
            return Authorization::Cognito(pool.to_string());
        }
        if shown.contains(":cognito-idp:") {
            let pool = reader.resource_named(value);
            return Authorization::Cognito(pool.unwrap_or_else(|| last(&shown).to_string()));
        }
        match reader.names.function_of(value) {
            Some(function) => {
                let name = service.functions.iter().find(|known| known.id == function).map(|known| known.key.clone());
                let name = name.unwrap_or_else(|| function.clone());
                reader.add_authorizer(&function, api, &name, node.span);
                Authorization::Lambda(name)
            }
            None if shown.contains(":function:") => Authorization::Lambda(last(&shown).to_string()),
            None => Authorization::Unknown(shown),
        }
    };
    if intrinsic(node).is_some() {
        let value = template.value(node);
        return by_arn(reader, &value);
    }
    if node.scalar().is_some() {
        let value = template.value(node);
        let name = value.to_string();
        return match name.as_str() {
            _ if name.eq_ignore_ascii_case("aws_iam") => Authorization::Iam,
            _ if name.contains(':') => by_arn(reader, &value),
            _ => by_name(reader, service, &name, node, api),
        };
    }
    let kind = text("type").unwrap_or_default().to_ascii_uppercase();
    if kind == "AWS_IAM" {
        return Authorization::Iam;
    }
    if let Some(id) = node.get("authorizerId") {
        let value = template.value(id);
        let kind = if kind == "REQUEST" || kind == "TOKEN" || kind.is_empty() { "CUSTOM" } else { kind.as_str() };
        // The authorizer's own block says more than the route does.
        let written = value.resource().and_then(|name| template.block(name)).and_then(|block| block.get("Type"));
        let kind = match written.and_then(|kind| template.text(kind)).as_deref() {
            Some("COGNITO_USER_POOLS") => "COGNITO_USER_POOLS",
            _ => kind,
        };
        return rest_authorizer(&template, kind, Some(&value));
    }
    if let Some(arn) = node.get("arn") {
        let value = template.value(arn);
        return match by_arn(reader, &value) {
            Authorization::Unknown(shown) if kind == "COGNITO_USER_POOLS" => Authorization::Cognito(shown),
            // An ARN that only deployment knows is a function's, since pools say what they are.
            Authorization::Unknown(shown) => Authorization::Lambda(text("name").unwrap_or(shown)),
            known => known,
        };
    }
    match text("name") {
        Some(name) => by_name(reader, service, &name, node, api),
        None => Authorization::Unknown(kind),
    }
}

/// An authorizer that is a function of the service.
fn by_name(reader: &mut Reader<'_, '_>, service: &Service, name: &str, node: &Node, api: &str) -> Authorization {
    match service.function(name) {
        Some(function) => {
            let id = function.id.clone();
            reader.add_authorizer(&id, api, name, node.span);
            Authorization::Lambda(name.to_string())
        }
        None => {
            let keys = service.functions.iter().map(|function| function.key.as_str());
            let help = match near_miss(name, keys) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "an authorizer names a function of the service, or has an `arn`".to_string(),
            };
            reader.report(Level::Warning, node.span, format!("there is no function `{name}` to authorize"), help);
            Authorization::Unknown(name.to_string())
        }
    }
}

/// What stands behind the last `:` or `/`.
fn last(shown: &str) -> &str {
    shown.rsplit([':', '/']).next().unwrap_or(shown)
}

fn read_http_api(reader: &mut Reader<'_, '_>, service: &Service, function: &Function, event: &Event, name: &str) {
    let properties = &event.properties;
    let (method, path) = route(reader, properties);
    let path = if path == "*" || path == "/*" { "$default".to_string() } else { path };
    let authorization = match properties.get("authorizer").filter(|node| !node.is_null()) {
        Some(authorizer) => http_authorization(reader, service, authorizer),
        None => Authorization::None,
    };
    let api = service.provider(&["httpApi", "id"]).map(|id| reader.template.value(id));
    reader.trigger(Trigger {
        source: Some(api.unwrap_or_else(|| reference(HTTP_API))),
        method: Some(method),
        path: Some(path),
        authorization: Some(authorization),
        ..trigger(&function.id, name, TriggerKind::HttpApi, event.span)
    });
}

/// What `authorizer` of an HTTP API's route asks for.
fn http_authorization(reader: &mut Reader<'_, '_>, service: &Service, node: &Node) -> Authorization {
    let template = reader.template.clone();
    let text = |name: &str| node.get(name).map(|node| template.value(node).to_string());
    let name = match node.scalar() {
        Some(name) => name.to_string(),
        None => match (text("name"), text("type").as_deref()) {
            (_, Some("aws_iam")) => return Authorization::Iam,
            (Some(name), _) => name,
            (None, kind) => {
                let id = text("id").unwrap_or_default();
                return match kind {
                    Some("request") => Authorization::Lambda(id),
                    _ => Authorization::Jwt(id),
                };
            }
        },
    };
    if name.eq_ignore_ascii_case("aws_iam") {
        return Authorization::Iam;
    }
    let Some(declared) = service.provider(&["httpApi", "authorizers", &name]) else {
        let known = service.provider(&["httpApi", "authorizers"]).map_or(&[][..], Node::entries);
        let help = match near_miss(&name, known.iter().map(|entry| entry.key.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "declare it under `provider.httpApi.authorizers`".to_string(),
        };
        reader.report(Level::Warning, node.span, format!("the HTTP API has no authorizer `{name}`"), help);
        return Authorization::Unknown(name);
    };
    match declared.get("type").and_then(Node::scalar) {
        Some("request") => {
            let function = match declared.get("functionName").and_then(Node::scalar) {
                Some(key) => service.function(key).map(|function| function.id.clone()),
                None => declared.get("functionArn").and_then(|arn| reader.names.function_of(&template.value(arn))),
            };
            if let Some(function) = function {
                reader.add_authorizer(&function, HTTP_API, &name, declared.span);
            }
            Authorization::Lambda(name)
        }
        Some("aws_iam") => Authorization::Iam,
        _ => Authorization::Jwt(name),
    }
}

fn read_alb(reader: &mut Reader<'_, '_>, service: &Service, event: &Event, made: Trigger) -> Trigger {
    let template = reader.template.clone();
    let properties = &event.properties;
    let condition = |name: &str| properties.at(&["conditions", name]).map(|node| shown_list(&template, node));
    let authorizer = properties.get("authorizer").and_then(|node| node.one_or_many().first()).and_then(Node::scalar);
    let authorization = match authorizer {
        None => Authorization::None,
        Some(name) => match service.provider(&["alb", "authorizers", name, "type"]).and_then(Node::scalar) {
            Some("cognito") => Authorization::Cognito(name.to_string()),
            Some("oidc" | "jwt") => Authorization::Jwt(name.to_string()),
            _ => Authorization::Unknown(name.to_string()),
        },
    };
    Trigger {
        source: properties.get("listenerArn").map(|arn| template.value(arn)),
        method: Some(condition("method").map_or_else(|| "ANY".to_string(), |method| method.to_ascii_uppercase())),
        path: Some(condition("path").unwrap_or_else(|| "/*".to_string())),
        authorization: Some(authorization),
        ..made
    }
}

/// serverless-appsync-plugin: data sources that are functions.
fn read_appsync(reader: &mut Reader<'_, '_>, service: &Service) {
    let template = reader.template.clone();
    let written = service.root.get("appSync").or_else(|| service.root.at(&["custom", "appSync"]));
    for api in written.map_or(&[][..], Node::one_or_many) {
        let name = api.get("name").and_then(Node::scalar).unwrap_or("GraphQlApi").to_string();
        let kind = api.at(&["authentication", "type"]).or_else(|| api.get("authenticationType"));
        let authorization = match kind.and_then(Node::scalar) {
            None | Some("API_KEY") => Authorization::ApiKey,
            Some("AWS_IAM") => Authorization::Iam,
            Some("AMAZON_COGNITO_USER_POOLS") => Authorization::Cognito(name.clone()),
            Some("OPENID_CONNECT") => Authorization::Jwt(name.clone()),
            Some("AWS_LAMBDA") => Authorization::Lambda(name.clone()),
            Some(_) => Authorization::Unknown(name.clone()),
        };
        // Written as an object by name, as a list with names, or as a list of such objects.
        let mut found: Vec<(String, source::Span, &Node)> = Vec::new();
        for group in api.get("dataSources").map_or(&[][..], Node::one_or_many) {
            if let Some(own) = group.get("type").and(group.get("name")).and_then(Node::scalar) {
                found.push((own.to_string(), group.span, group));
                continue;
            }
            found.extend(group.entries().iter().map(|entry| (entry.key.clone(), entry.key_span, &entry.value)));
        }
        for (source_name, span, data_source) in found {
            if data_source.get("type").and_then(Node::scalar) != Some("AWS_LAMBDA") {
                continue;
            }
            let named = data_source.at(&["config", "functionName"]).and_then(Node::scalar);
            let inline = data_source.at(&["config", "function", "handler"]);
            let function = match named {
                Some(key) => service.function(key).map(|function| function.id.clone()),
                None => ["functionArn", "lambdaFunctionArn"]
                    .iter()
                    .find_map(|name| data_source.at(&["config", name]))
                    .and_then(|arn| reader.names.function_of(&template.value(arn))),
            };
            match function {
                Some(function) => reader.trigger(Trigger {
                    source: Some(Value::part(Part::Unknown(format!("AppSync API {name}")))),
                    authorization: Some(authorization.clone()),
                    ..trigger(&function, &source_name, TriggerKind::AppSync, span)
                }),
                None if inline.is_some() => reader.report(
                    Level::Note,
                    span,
                    format!("the function of data source `{source_name}` isn't read"),
                    "declare it under `functions` and name it here",
                ),
                None => {}
            }
        }
    }
}
