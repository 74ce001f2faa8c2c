//! SAM's APIs, explicit and implicit: who may call them when an event says nothing itself.

use crate::functions::trigger;
use crate::globals;
use crate::model::Template;
use crate::reader::{Names, Reader};
use findings::{Level, near_miss};
use graph::{Authorization, Part, Schema, TriggerKind, Value};
use source::{FileId, Node, NodeKind, Span};
use std::collections::HashMap;

/// The API that SAM makes for `Api` events that name none.
pub(crate) const IMPLICIT_REST: &str = "ServerlessRestApi";
/// The API that SAM makes for `HttpApi` events that name none.
pub(crate) const IMPLICIT_HTTP: &str = "ServerlessHttpApi";

/// What an API says about its callers.
#[derive(Debug, Clone)]
pub(crate) struct SamApi {
    pub(crate) default: Option<String>,
    pub(crate) authorizers: HashMap<String, Authorization>,
    api_key_required: bool,
    preflight: bool,
    pub(crate) models: HashMap<String, Schema>,
}

/// A function that decides who may call an API.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizerFunction {
    pub(crate) function: String,
    pub(crate) api: String,
    pub(crate) authorizer: String,
    pub(crate) span: Span,
}

/// All APIs of SAM's types in a template.
#[derive(Debug, Clone, Default)]
pub(crate) struct SamApis {
    apis: HashMap<String, SamApi>,
    pub(crate) functions: Vec<AuthorizerFunction>,
}

impl SamApis {
    /// Reads them from a template.
    pub(crate) fn read(template: &Template, names: &Names) -> Self {
        let mut apis = SamApis::default();
        for block in &template.blocks {
            if matches!(block.resource_type.as_str(), "AWS::Serverless::Api" | "AWS::Serverless::HttpApi") {
                apis.add(template, names, &block.name, &block.properties);
            }
        }
        for (name, resource_type) in
            [(IMPLICIT_REST, "AWS::Serverless::Api"), (IMPLICIT_HTTP, "AWS::Serverless::HttpApi")]
        {
            if !apis.apis.contains_key(name) {
                let properties = template.resolve(&implicit_properties(template, resource_type));
                if let Some(properties) = properties {
                    apis.add(template, names, name, &properties);
                }
            }
        }
        apis
    }

    /// The API of a logical id.
    pub(crate) fn api(&self, name: &str) -> Option<&SamApi> {
        self.apis.get(name)
    }

    fn add(&mut self, template: &Template, names: &Names, name: &str, properties: &Node) {
        let empty = Node::null(properties.span);
        let auth = properties.get("Auth").unwrap_or(&empty);
        let flag = |key: &str| auth.get(key).and_then(|node| template.flag(node));
        let mut authorizers = HashMap::new();
        for entry in auth.get("Authorizers").map_or(&[][..], Node::entries) {
            let authorizer = &entry.value;
            let found = if let Some(pool) = authorizer.get("UserPoolArn") {
                Authorization::Cognito(user_pool(
                    &template.values(pool).into_iter().map(|arn| arn.value).collect::<Vec<_>>(),
                    &entry.key,
                ))
            } else if let Some(arn) = authorizer.get("FunctionArn") {
                if let Some(function) = names.function_of(&template.value(arn)) {
                    self.functions.push(AuthorizerFunction {
                        function,
                        api: name.to_string(),
                        authorizer: entry.key.clone(),
                        span: entry.key_span,
                    });
                }
                Authorization::Lambda(entry.key.clone())
            } else if authorizer.get("JwtConfiguration").is_some() || authorizer.get("OpenIdConnectUrl").is_some() {
                Authorization::Jwt(entry.key.clone())
            } else {
                Authorization::Unknown(entry.key.clone())
            };
            authorizers.insert(entry.key.clone(), found);
        }
        let models = properties.get("Models").map_or(&[][..], Node::entries);
        let models = models
            .iter()
            .map(|entry| {
                let schema = Schema { name: entry.key.clone(), schema: entry.value.to_json(), span: entry.key_span };
                (entry.key.clone(), schema)
            })
            .collect();
        let api = SamApi {
            default: auth.get("DefaultAuthorizer").and_then(|node| template.text(node)),
            authorizers,
            api_key_required: flag("ApiKeyRequired") == Some(true),
            preflight: flag("AddDefaultAuthorizerToCorsPreflight") != Some(false),
            models,
        };
        self.apis.insert(name.to_string(), api);
    }
}

impl SamApi {
    /// The authorizer of a name as written in `Authorizer` or `DefaultAuthorizer`.
    pub(crate) fn authorizer(&self, name: &str) -> Authorization {
        match name {
            "NONE" => Authorization::None,
            "AWS_IAM" => Authorization::Iam,
            name => self.authorizers.get(name).cloned().unwrap_or_else(|| Authorization::Unknown(name.to_string())),
        }
    }

    /// What the API asks of callers where nothing more specific is said.
    pub(crate) fn default_authorization(&self, method: &str) -> Authorization {
        let default = self.default.as_deref().filter(|_| self.preflight || method != "OPTIONS");
        match default.map(|name| self.authorizer(name)) {
            None | Some(Authorization::None) if self.api_key_required => Authorization::ApiKey,
            Some(authorization) => authorization,
            None => Authorization::None,
        }
    }
}

impl Reader<'_, '_> {
    /// What an event's route asks of its callers.
    pub(crate) fn route_authorization(&mut self, api: &str, auth: Option<&Node>, method: &str) -> Authorization {
        let template = self.template.clone();
        let known = self.apis.api(api).cloned();
        let named = auth.and_then(|auth| auth.get("Authorizer"));
        let api_key = auth.and_then(|auth| auth.get("ApiKeyRequired")).and_then(|node| template.flag(node));
        let authorization = match (named.and_then(|node| Some((node, template.text(node)?))), &known) {
            (Some((node, name)), Some(known)) => {
                let found = known.authorizer(&name);
                if matches!(&found, Authorization::Unknown(_)) && !known.authorizers.contains_key(&name) {
                    let near = near_miss(&name, known.authorizers.keys().map(String::as_str));
                    let help = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "declare it under `Auth: Authorizers:` of the API".to_string(),
                    };
                    self.report(Level::Warning, node.span, format!("`{api}` has no authorizer `{name}`"), help);
                }
                found
            }
            (Some((_, name)), None) => match name.as_str() {
                "NONE" => Authorization::None,
                "AWS_IAM" => Authorization::Iam,
                _ => Authorization::Unknown(name),
            },
            (None, Some(known)) => known.default_authorization(method),
            (None, None) => Authorization::None,
        };
        match (authorization, api_key, known.is_some_and(|known| known.api_key_required)) {
            (Authorization::None, Some(true), _) | (Authorization::None, None, true) => Authorization::ApiKey,
            (Authorization::ApiKey, Some(false), _) => Authorization::None,
            (authorization, _, _) => authorization,
        }
    }

    /// An authorizer function is started by every call, with what the caller sent.
    pub(crate) fn add_authorizer_triggers(&mut self) {
        for found in std::mem::take(&mut self.apis.functions) {
            self.add_authorizer(&found.function, &found.api, &found.authorizer, found.span);
        }
    }

    /// Adds the trigger of an authorizer function.
    pub(crate) fn add_authorizer(&mut self, function: &str, api: &str, authorizer: &str, span: Span) {
        let known = self.application.triggers.iter().any(|known| {
            known.function == function && known.name == authorizer && known.filter.as_deref() == Some("authorizer")
        });
        if known {
            return;
        }
        let mut added = trigger(function, authorizer, TriggerKind::Other, span);
        added.source = Some(Value::part(Part::Ref(api.to_string())));
        added.filter = Some("authorizer".into());
        self.trigger(added);
    }
}

/// The properties that an implicit API gets from `Globals`.
pub(crate) fn implicit_properties(template: &Template, resource_type: &str) -> Node {
    let span = template.globals.as_ref().map_or(Span::new(FileId(0), 0, 0), |globals| globals.span);
    let own = Node { span, tag: None, kind: NodeKind::Mapping(Vec::new()) };
    globals::merged(template.globals.as_ref(), resource_type, own, None)
}

/// The user pool that ARNs name, else the authorizer's own name.
pub(crate) fn user_pool(arns: &[Value], authorizer: &str) -> String {
    arns.iter().find_map(|arn| arn.resources().next().map(str::to_string)).unwrap_or_else(|| authorizer.to_string())
}
