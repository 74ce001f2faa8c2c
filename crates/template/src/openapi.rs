//! OpenAPI and Swagger documents of APIs, inline or in a file: routes that name functions, who may call them, and the body
//! they demand.

use crate::functions::trigger;
use crate::model::{Block, Template};
use crate::normalize::normalize;
use crate::reader::Reader;
use crate::sam_api::user_pool;
use findings::Level;
use graph::{Authorization, Part, Schema, TriggerKind, Value};
use serde_json::{Map, Value as Json};
use source::{Entry, Node};
use std::collections::HashMap;

const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "x-amazon-apigateway-any-method"];

impl Reader<'_, '_> {
    /// Reads the API definitions of the template.
    pub(crate) fn read_openapi(&mut self) {
        let template = self.template.clone();
        for block in &template.blocks {
            let (body, uri, rest) = match block.resource_type.as_str() {
                "AWS::Serverless::Api" => ("DefinitionBody", "DefinitionUri", true),
                "AWS::Serverless::HttpApi" => ("DefinitionBody", "DefinitionUri", false),
                "AWS::ApiGateway::RestApi" => ("Body", "BodyS3Location", true),
                "AWS::ApiGatewayV2::Api" => ("Body", "BodyS3Location", false),
                _ => continue,
            };
            if let Some(document) = block.get(body).filter(|document| document.get("paths").is_some()) {
                self.read_document(&template, block, document, rest);
            } else if let Some(location) = block.get(uri).filter(|location| !location.is_null()) {
                let written = template.value(location);
                let loaded = written.as_text().and_then(|path| self.files.load(&template.folder, path));
                let Some((file, _)) = loaded else {
                    let shown = if location.is_mapping() && crate::normalize::intrinsic(location).is_none() {
                        "in a bucket".to_string()
                    } else {
                        format!("`{written}`")
                    };
                    let message = format!("the definition of `{}` ({shown}) is not here", block.name);
                    self.report(Level::Note, location.span, message, "its routes are missing from what is said");
                    continue;
                };
                let document = self.files.document(file);
                self.diagnostics.extend(document.complaints.into_iter().map(crate::complaint));
                let document = normalize(document.root, self.diagnostics);
                if let Some(document) = template.resolve(&document) {
                    self.read_document(&template, block, &document, rest);
                }
            }
        }
    }

    fn read_document(&mut self, template: &Template, block: &Block, document: &Node, rest: bool) {
        let kind = if rest { TriggerKind::RestApi } else { TriggerKind::HttpApi };
        // Routes that SAM events have already made are only completed here.
        let mut known: HashMap<(String, String), Vec<usize>> = HashMap::new();
        for (at, trigger) in self.application.triggers.iter().enumerate() {
            if let (Some(method), Some(path)) = (&trigger.method, &trigger.path)
                && trigger.source.as_ref().and_then(Value::resource) == Some(block.name.as_str())
            {
                known.entry((method.clone(), path.clone())).or_default().push(at);
            }
        }
        let Some(paths) = document.get("paths") else { return };
        for path in paths.entries() {
            for operation in path.value.entries() {
                let method = operation.key.to_ascii_lowercase();
                if !METHODS.contains(&method.as_str()) {
                    continue;
                }
                let method = match method.as_str() {
                    "x-amazon-apigateway-any-method" => "ANY".to_string(),
                    method => method.to_ascii_uppercase(),
                };
                let body_schema = if rest { body_schema(document, &operation.value) } else { None };
                let integration = integration(document, &operation.value)
                    .and_then(|integration| integration.get("uri"))
                    .and_then(|uri| self.names.function_of(&template.value(uri)));
                let existing = known.get(&(method.clone(), path.key.clone())).cloned().unwrap_or_default();
                let mut made_by_event = false;
                // An event without `Auth` leaves the route as its definition has it.
                let defined = (!existing.is_empty() && says_who(document, &operation.value))
                    .then(|| self.operation_authorization(template, block, document, &operation.value, &method));
                for at in existing {
                    if let Some(trigger) = self.application.triggers.get_mut(at) {
                        trigger.body_schema = trigger.body_schema.take().or_else(|| body_schema.clone());
                        if matches!(trigger.authorization, None | Some(Authorization::None)) && defined.is_some() {
                            trigger.authorization = defined.clone();
                        }
                        made_by_event |= integration.as_deref().is_none_or(|function| function == trigger.function);
                    }
                }
                let Some(function) = integration.filter(|_| !made_by_event) else { continue };
                let authorization = self.operation_authorization(template, block, document, &operation.value, &method);
                let name = operation.value.get("operationId").and_then(Node::as_str).unwrap_or(&block.name).to_string();
                let mut made = trigger(&function, &name, kind, operation.key_span);
                made.source = Some(Value::part(Part::Ref(block.name.clone())));
                made.authorization = Some(authorization);
                made.method = Some(method);
                made.path = Some(path.key.clone());
                made.body_schema = body_schema;
                self.trigger(made);
            }
        }
        for scheme in schemes(document) {
            let uri = scheme.value.at(&["x-amazon-apigateway-authorizer", "authorizerUri"]);
            if let Some(function) = uri.and_then(|uri| self.names.function_of(&template.value(uri))) {
                self.add_authorizer(&function, &block.name, &scheme.key, scheme.key_span);
            }
        }
    }

    fn operation_authorization(
        &mut self,
        template: &Template,
        block: &Block,
        document: &Node,
        operation: &Node,
        method: &str,
    ) -> Authorization {
        if let Some(kind) = operation.at(&["x-amazon-apigateway-auth", "type"]).and_then(Node::as_str) {
            match kind.to_ascii_uppercase().as_str() {
                "AWS_IAM" => return Authorization::Iam,
                "NONE" => return Authorization::None,
                _ => {}
            }
        }
        let security = operation.get("security").or_else(|| document.get("security"));
        let Some(security) = security.filter(|security| security.is_sequence()) else {
            return self.apis.api(&block.name).map_or(Authorization::None, |api| api.default_authorization(method));
        };
        let mut strongest: Option<Authorization> = None;
        for requirement in security.items() {
            // All schemes of one requirement hold together; an API key beside an authorizer adds nothing.
            let mut met = Authorization::None;
            for scheme in requirement.entries() {
                let found = self.scheme(template, block, document, &scheme.key);
                if !matches!(found, Authorization::ApiKey) || met == Authorization::None {
                    met = found;
                }
            }
            // API Gateway doesn't offer alternatives: an API key listed beside an authorizer is asked for as well.
            if strongest.as_ref().is_none_or(|known| known.exposure() > met.exposure()) {
                strongest = Some(met);
            }
        }
        strongest.unwrap_or(Authorization::None)
    }

    fn scheme(&self, template: &Template, block: &Block, document: &Node, name: &str) -> Authorization {
        let Some(scheme) = schemes(document).find(|scheme| scheme.key == name) else {
            if let Some(found) = self.apis.api(&block.name).and_then(|api| api.authorizers.get(name)) {
                return found.clone();
            }
            return match name.to_ascii_lowercase().replace(['-', '_'], "").as_str() {
                "sigv4" | "awsiam" | "iam" => Authorization::Iam,
                "apikey" => Authorization::ApiKey,
                _ => Authorization::Unknown(name.to_string()),
            };
        };
        let auth_type = scheme.value.get("x-amazon-apigateway-authtype").and_then(Node::as_str).unwrap_or("");
        if auth_type.eq_ignore_ascii_case("awsSigv4") {
            return Authorization::Iam;
        }
        let Some(authorizer) = scheme.value.get("x-amazon-apigateway-authorizer") else {
            let named = self.apis.api(&block.name).and_then(|api| api.authorizers.get(name));
            return match (named, scheme.value.get("type").and_then(Node::as_str)) {
                (Some(found), _) => found.clone(),
                (None, Some("apiKey")) => Authorization::ApiKey,
                _ => Authorization::Unknown(name.to_string()),
            };
        };
        let kind = authorizer.get("type").and_then(|kind| template.text(kind)).unwrap_or_default();
        match kind.to_ascii_lowercase().as_str() {
            "cognito_user_pools" => {
                let arns: Vec<Value> = authorizer
                    .get("providerARNs")
                    .map(|arns| template.values(arns).into_iter().map(|arn| arn.value).collect())
                    .unwrap_or_default();
                Authorization::Cognito(user_pool(&arns, name))
            }
            "token" | "request" => Authorization::Lambda(name.to_string()),
            "jwt" => Authorization::Jwt(name.to_string()),
            _ if authorizer.get("jwtConfiguration").is_some() => Authorization::Jwt(name.to_string()),
            _ if authorizer.get("authorizerUri").is_some() => Authorization::Lambda(name.to_string()),
            _ => Authorization::Unknown(name.to_string()),
        }
    }
}

/// The security schemes of a document, OpenAPI's or Swagger's.
fn schemes(document: &Node) -> impl Iterator<Item = &Entry> {
    let swagger = document.get("securityDefinitions").map_or(&[][..], Node::entries);
    let openapi = document.at(&["components", "securitySchemes"]).map_or(&[][..], Node::entries);
    swagger.iter().chain(openapi)
}

/// Does the document itself say who may call an operation?
fn says_who(document: &Node, operation: &Node) -> bool {
    operation.at(&["x-amazon-apigateway-auth", "type"]).is_some()
        || operation.get("security").or_else(|| document.get("security")).is_some_and(Node::is_sequence)
}

/// The integration of an operation, which may be a reference to one shared in `components`.
fn integration<'a>(document: &'a Node, operation: &'a Node) -> Option<&'a Node> {
    let integration = operation.get("x-amazon-apigateway-integration")?;
    match integration.get("$ref").and_then(Node::as_str) {
        Some(reference) => pointer(document, reference),
        None => Some(integration),
    }
}

/// What `#/a/b` points at.
fn pointer<'a>(document: &'a Node, reference: &str) -> Option<&'a Node> {
    reference
        .strip_prefix("#/")?
        .split('/')
        .try_fold(document, |node, key| node.get(&key.replace("~1", "/").replace("~0", "~")))
}

/// The schema of an operation's body, where a request validator enforces it.
fn body_schema(document: &Node, operation: &Node) -> Option<Schema> {
    let validator = operation
        .get("x-amazon-apigateway-request-validator")
        .or_else(|| document.get("x-amazon-apigateway-request-validator"))?
        .as_str()?;
    let validated = document.at(&["x-amazon-apigateway-request-validators", validator, "validateRequestBody"]);
    if validated.and_then(Node::as_bool) != Some(true) {
        return None;
    }
    let content = operation.at(&["requestBody"]).map(|body| match body.get("$ref").and_then(Node::as_str) {
        Some(reference) => pointer(document, reference).unwrap_or(body),
        None => body,
    });
    let schema = match content.and_then(|body| body.get("content")) {
        Some(content) => {
            let media =
                content.get("application/json").or_else(|| content.entries().first().map(|entry| &entry.value))?;
            media.get("schema")?
        }
        None => {
            let parameters = operation.get("parameters").map_or(&[][..], Node::items);
            let body =
                parameters.iter().find(|parameter| parameter.get("in").and_then(Node::as_str) == Some("body"))?;
            body.get("schema")?
        }
    };
    Some(standalone(document, schema))
}

/// A schema of a document by itself: what it refers to comes along under `$defs`.
fn standalone(document: &Node, schema: &Node) -> Schema {
    let (mut name, mut span) = ("body".to_string(), schema.span);
    let mut root = schema;
    // A schema that is nothing but a reference is the model it names.
    for _ in 0..8 {
        let Some(reference) = root.get("$ref").and_then(Node::as_str) else { break };
        let Some(target) = pointer(document, reference) else { break };
        name = reference.rsplit('/').next().unwrap_or(reference).to_string();
        span = target.span;
        root = target;
    }
    let mut definitions = Map::new();
    let mut wanted = Vec::new();
    let mut json = root.to_json();
    rewrite(&mut json, &mut wanted, 0);
    while let Some(reference) = wanted.pop() {
        let name = definition_name(&reference);
        if definitions.contains_key(&name) {
            continue;
        }
        let mut definition = pointer(document, &reference).map_or(Json::Bool(true), Node::to_json);
        definitions.insert(name.clone(), Json::Null);
        rewrite(&mut definition, &mut wanted, 0);
        definitions.insert(name, definition);
    }
    if !definitions.is_empty()
        && let Json::Object(members) = &mut json
    {
        members.insert("$defs".into(), Json::Object(definitions));
    }
    Schema { name, schema: json, span }
}

fn definition_name(reference: &str) -> String {
    reference.rsplit('/').next().unwrap_or(reference).to_string()
}

/// Points references at `$defs`, and collects them.
fn rewrite(schema: &mut Json, wanted: &mut Vec<String>, depth: usize) {
    if depth > 128 {
        return;
    }
    match schema {
        Json::Array(items) => items.iter_mut().for_each(|item| rewrite(item, wanted, depth + 1)),
        Json::Object(members) => {
            if let Some(Json::String(reference)) = members.get_mut("$ref")
                && reference.starts_with("#/")
                && !reference.starts_with("#/$defs/")
            {
                wanted.push(reference.clone());
                *reference = format!("#/$defs/{}", definition_name(reference));
            }
            members.values_mut().for_each(|member| rewrite(member, wanted, depth + 1));
        }
        _ => {}
    }
}
