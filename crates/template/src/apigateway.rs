//! Plain API Gateway resources: the resource and method tree of REST APIs, routes and integrations of HTTP and WebSocket APIs.

use crate::functions::trigger;
use crate::model::{Block, Template};
use crate::reader::Reader;
use crate::sam_api::user_pool;
use graph::{Authorization, Schema, TriggerKind, Value};
use source::Node;
use std::collections::HashMap;

/// How deep a path of resources is followed; a cycle ends there.
const MAX_PATH: usize = 64;

impl Reader<'_, '_> {
    /// Reads methods, routes and the authorizers' functions.
    pub(crate) fn read_apigateway(&mut self) {
        let template = self.template.clone();
        for block in template.of_type("AWS::ApiGateway::Method") {
            self.read_method(&template, block);
        }
        self.read_routes(&template);
        for block in &template.blocks {
            let (property, api) = match block.resource_type.as_str() {
                "AWS::ApiGateway::Authorizer" => ("AuthorizerUri", "RestApiId"),
                "AWS::ApiGatewayV2::Authorizer" => ("AuthorizerUri", "ApiId"),
                _ => continue,
            };
            let function = block.get(property).and_then(|uri| self.names.function_of(&template.value(uri)));
            let api = block.get(api).map(|api| template.value(api));
            if let (Some(function), Some(api)) = (function, api.as_ref().and_then(Value::resource)) {
                self.add_authorizer(&function, api, &block.name, block.name_span);
            }
        }
    }

    fn read_method(&mut self, template: &Template, block: &Block) {
        let Some(uri) = block.at(&["Integration", "Uri"]) else { return };
        let Some(function) = self.names.function_of(&template.value(uri)) else { return };
        let text = |name: &str| block.get(name).and_then(|node| template.text(node));
        let authorizer = block.get("AuthorizerId").map(|id| template.value(id));
        let mut authorization = match text("AuthorizationType").as_deref() {
            None | Some("NONE") => Authorization::None,
            Some("AWS_IAM") => Authorization::Iam,
            Some(kind) => rest_authorizer(template, kind, authorizer.as_ref()),
        };
        if authorization == Authorization::None
            && block.get("ApiKeyRequired").and_then(|flag| template.flag(flag)) == Some(true)
        {
            authorization = Authorization::ApiKey;
        }
        let mut made = trigger(&function, &block.name, TriggerKind::RestApi, block.name_span);
        made.source = block.get("RestApiId").map(|api| template.value(api));
        made.method = Some(text("HttpMethod").map_or_else(|| "ANY".into(), |method| method.to_ascii_uppercase()));
        made.path =
            Some(block.get("ResourceId").map_or_else(|| "/".into(), |id| resource_path(template, &template.value(id))));
        made.authorization = Some(authorization);
        made.body_schema = method_schema(template, block);
        self.trigger(made);
    }

    fn read_routes(&mut self, template: &Template) {
        // What a WebSocket API asks at `$connect` holds for all messages of the connection.
        let connections: HashMap<String, Authorization> = template
            .of_type("AWS::ApiGatewayV2::Route")
            .filter(|block| block.get("RouteKey").and_then(|key| template.text(key)).as_deref() == Some("$connect"))
            .filter_map(|block| Some((api_of(template, block)?, route_authorization(template, block))))
            .collect();
        for block in template.of_type("AWS::ApiGatewayV2::Route") {
            let Some(target) = block.get("Target").map(|target| template.value(target)) else { continue };
            let uri = target
                .resources()
                .filter_map(|name| template.block(name))
                .find(|block| block.resource_type == "AWS::ApiGatewayV2::Integration")
                .and_then(|integration| integration.get("IntegrationUri"));
            let Some(function) = uri.and_then(|uri| self.names.function_of(&template.value(uri))) else { continue };
            let key = block.get("RouteKey").map(|key| template.value(key).to_string()).unwrap_or_default();
            let api = api_of(template, block);
            let websocket = api
                .as_deref()
                .and_then(|name| template.block(name))
                .and_then(|api| api.get("ProtocolType"))
                .and_then(|kind| template.text(kind))
                .is_some_and(|kind| kind == "WEBSOCKET");
            let kind = if websocket { TriggerKind::WebSocket } else { TriggerKind::HttpApi };
            let mut authorization = route_authorization(template, block);
            if websocket && let Some(connection) = api.and_then(|api| connections.get(&api)) {
                authorization = connection.clone();
            }
            let mut made = trigger(&function, &block.name, kind, block.name_span);
            made.source = block.get("ApiId").map(|api| template.value(api));
            made.authorization = Some(authorization);
            (made.method, made.path) = route(&key, websocket);
            self.trigger(made);
        }
        for block in template.of_type("AWS::ApiGatewayV2::Api") {
            let Some(function) = block.get("Target").and_then(|target| self.names.function_of(&template.value(target)))
            else {
                continue;
            };
            let key = block.get("RouteKey").map_or_else(|| "$default".into(), |key| template.value(key).to_string());
            let span = block.properties.entry("Target").map_or(block.name_span, |entry| entry.key_span);
            let mut made = trigger(&function, &block.name, TriggerKind::HttpApi, span);
            made.source = Some(Value::part(graph::Part::Ref(block.name.clone())));
            made.authorization = Some(Authorization::None);
            (made.method, made.path) = route(&key, false);
            self.trigger(made);
        }
    }
}

/// Method and path of a route key: `POST /orders`, `$default`, or a WebSocket's action.
fn route(key: &str, websocket: bool) -> (Option<String>, Option<String>) {
    match key.split_once(' ') {
        Some((method, path)) if !websocket => (Some(method.to_ascii_uppercase()), Some(path.trim().to_string())),
        _ if websocket => (None, Some(key.to_string())),
        _ => (Some("ANY".into()), Some(key.to_string())),
    }
}

fn api_of(template: &Template, block: &Block) -> Option<String> {
    template.value(block.get("ApiId")?).resource().map(str::to_string)
}

fn route_authorization(template: &Template, block: &Block) -> Authorization {
    let authorizer = block.get("AuthorizerId").map(|id| template.value(id));
    let named = authorizer.as_ref().and_then(Value::resource).and_then(|name| template.block(name));
    let name =
        named.map_or_else(|| authorizer.as_ref().map(Value::to_string).unwrap_or_default(), |block| block.name.clone());
    match block.get("AuthorizationType").and_then(|kind| template.text(kind)).as_deref() {
        None | Some("NONE") => Authorization::None,
        Some("AWS_IAM") => Authorization::Iam,
        Some("JWT") => Authorization::Jwt(name),
        Some("CUSTOM") => Authorization::Lambda(name),
        Some(other) => Authorization::Unknown(other.to_string()),
    }
}

/// How a REST API's authorizer of a kind tells callers apart.
pub(crate) fn rest_authorizer(template: &Template, kind: &str, authorizer: Option<&Value>) -> Authorization {
    let block = authorizer.and_then(Value::resource).and_then(|name| template.block(name));
    let Some(block) = block else {
        let name = authorizer.map_or_else(|| kind.to_string(), Value::to_string);
        return match kind {
            "COGNITO_USER_POOLS" => Authorization::Cognito(name),
            "CUSTOM" => Authorization::Lambda(name),
            _ => Authorization::Unknown(name),
        };
    };
    match kind {
        "COGNITO_USER_POOLS" => {
            let arns = block.get("ProviderARNs").map(|arns| template.values(arns)).unwrap_or_default();
            let arns: Vec<Value> = arns.into_iter().map(|arn| arn.value).collect();
            Authorization::Cognito(user_pool(&arns, &block.name))
        }
        "CUSTOM" => Authorization::Lambda(block.name.clone()),
        _ => Authorization::Unknown(block.name.clone()),
    }
}

/// The path of an `AWS::ApiGateway::Resource`, from the root down.
fn resource_path(template: &Template, id: &Value) -> String {
    let mut parts = Vec::new();
    let mut at = id.clone();
    for _ in 0..MAX_PATH {
        let Some(block) = at.resource().and_then(|name| template.block(name)) else { break };
        if block.resource_type != "AWS::ApiGateway::Resource" {
            break;
        }
        parts.push(block.get("PathPart").map(|part| template.value(part).to_string()).unwrap_or_default());
        match block.get("ParentId") {
            Some(parent) => at = template.value(parent),
            None => break,
        }
    }
    parts.reverse();
    format!("/{}", parts.join("/"))
}

/// The model that a request validator holds bodies to.
fn method_schema(template: &Template, block: &Block) -> Option<Schema> {
    let validator = template.value(block.get("RequestValidatorId")?);
    let validator = template.block(validator.resource()?)?;
    if validator.get("ValidateRequestBody").and_then(|flag| template.flag(flag)) != Some(true) {
        return None;
    }
    let models = block.get("RequestModels")?;
    let model = models.get("application/json").or_else(|| models.entries().first().map(|entry| &entry.value))?;
    let named = template.value(model);
    let model = match named.resource() {
        Some(name) => template.block(name)?,
        None => template
            .of_type("AWS::ApiGateway::Model")
            .find(|model| model.get("Name").is_some_and(|name| template.value(name) == named))?,
    };
    let schema = model.get("Schema")?;
    Some(Schema { name: model.name.clone(), schema: schema_json(template, schema)?, span: schema.span })
}

/// A model's schema, which may be written as JSON text.
fn schema_json(template: &Template, schema: &Node) -> Option<serde_json::Value> {
    match template.text_setting(schema) {
        Some(text) if !schema.is_mapping() => serde_json::from_str(&text.value).ok(),
        _ => Some(schema.to_json()),
    }
}
