//! What a function needs: the least policy with which its code and its platform work, every statement with the lines that need it.

use crate::Pattern;
use crate::arn::{Named, Namer, all_of, by_name, canonical, kind};
use crate::evaluate::names_action;
use crate::platform;
use graph::{Application, Behaviour, CallTarget, CloudCall, Effect, Function, Part, ResourceKind, TriggerKind, Value};
use source::{Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// Actions that may be on an index of a table.
const READS_INDEXES: &[&str] = &["dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect"];

/// Actions that are authorised on resources of several types in one call (service authorization reference; there the same mark also
/// stands for types of which a call names one).
const TOGETHER: &[(&str, &[&str])] = &[
    ("rds:CreateDBSnapshot", &["db", "snapshot"]),
    ("rds:CreateDBClusterSnapshot", &["cluster", "cluster-snapshot"]),
    ("rds:RestoreDBInstanceFromDBSnapshot", &["db", "snapshot"]),
    ("rds:CopyDBSnapshot", &["snapshot"]),
    ("batch:SubmitJob", &["job-definition", "job-queue"]),
    ("ssm:SendCommand", &["document", "instance"]),
];

/// How a call's variable is known.
const SPELLED: &str = "taken to be the one whose variable the call spells out";

/// The least policy of one function.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// What its code needs.
    pub statements: Vec<Need>,
    /// What the platform needs to run it: logs, polling, network, traces.
    pub platform: Vec<PlatformNeed>,
    /// What couldn't be told.
    pub unresolved: Vec<Unresolved>,
    /// Whether its code was read at all.
    pub code_read: bool,
}

/// Actions on resources, and where the code asks for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// `service:Action`, sorted.
    pub actions: Vec<String>,
    /// ARN patterns as a template would write them; `*` alone where a policy can't limit the actions.
    pub resources: Vec<Value>,
    /// The lines that need it, in the order of the source.
    pub because: Vec<Span>,
}

/// Actions that the platform needs in the function's name.
#[derive(Debug, Clone, PartialEq)]
pub struct PlatformNeed {
    /// What for: `logs`, `polling of Orders`, `VPC access`.
    pub label: String,
    /// The actions and resources, with the place in the template that asks for them.
    pub need: Need,
    /// Whether SAM adds this to a role it generates by itself.
    pub added_by_sam: bool,
}

/// Something that couldn't be told, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Unresolved {
    /// The actions it is about; empty where even those aren't known.
    pub actions: Vec<String>,
    /// Why.
    pub why: String,
    /// Where.
    pub span: Option<Span>,
}

/// Resources to the actions on them, each with its lines.
#[derive(Default)]
struct Wanted {
    by_action: BTreeMap<String, BTreeMap<String, (Value, BTreeSet<Span>)>>,
    unresolved: BTreeMap<(String, Span), BTreeSet<String>>,
}

impl Wanted {
    fn add(&mut self, action: &str, resource: Value, span: Span) {
        let shown = resource.to_string();
        let entry = self.by_action.entry(action.to_string()).or_default().entry(shown);
        entry.or_insert_with(|| (resource, BTreeSet::new())).1.insert(span);
    }

    fn doubt(&mut self, action: &str, why: String, span: Span) {
        self.unresolved.entry((why, span)).or_default().insert(action.to_string());
    }

    /// One statement per set of resources.
    fn statements(self) -> (Vec<Need>, Vec<Unresolved>) {
        let mut grouped: BTreeMap<Vec<String>, Need> = BTreeMap::new();
        for (action, mut resources) in self.by_action {
            if let Some((everything, mut spans)) = resources.remove("*") {
                // Beside everything the rest says nothing.
                spans.extend(resources.values().flat_map(|(_, spans)| spans.iter().copied()));
                resources = BTreeMap::from([("*".to_string(), (everything, spans))]);
            }
            let key: Vec<String> = resources.keys().cloned().collect();
            let need = grouped.entry(key).or_insert_with(|| Need {
                actions: Vec::new(),
                resources: resources.values().map(|(value, _)| value.clone()).collect(),
                because: Vec::new(),
            });
            need.actions.push(action);
            need.because.extend(resources.into_values().flat_map(|(_, spans)| spans));
        }
        let mut statements: Vec<Need> = grouped.into_values().collect();
        for need in &mut statements {
            need.because.sort();
            need.because.dedup();
        }
        let unresolved = self
            .unresolved
            .into_iter()
            .map(|((why, span), actions)| Unresolved { actions: actions.into_iter().collect(), why, span: Some(span) })
            .collect();
        (statements, unresolved)
    }
}

/// Works out the least policy of a function from what its code calls and what its template sets up.
pub fn least_privilege(application: &Application, function: &Function, sources: &Sources) -> Policy {
    let mut policy = Policy { platform: platform::needs(application, function), ..Policy::default() };
    let Some(behaviour) = &function.behaviour else {
        policy.unresolved.push(Unresolved {
            actions: Vec::new(),
            why: "its code wasn't read, so what it calls isn't known".into(),
            span: Some(function.handler.as_ref().map_or(function.span, |handler| handler.span)),
        });
        return policy;
    };
    policy.code_read = true;
    let derivation = Derivation { application, function, behaviour, sources, namer: Namer { application } };
    let mut wanted = Wanted::default();
    for call in &behaviour.calls {
        derivation.call(call, &mut wanted);
    }
    (policy.statements, policy.unresolved) = wanted.statements();
    policy
}

struct Derivation<'a> {
    application: &'a Application,
    function: &'a Function,
    behaviour: &'a Behaviour,
    sources: &'a Sources,
    namer: Namer<'a>,
}

impl Derivation<'_> {
    fn call(&self, call: &CloudCall, wanted: &mut Wanted) {
        if call.actions.is_empty() {
            // Calls that aren't signed need nothing.
            let known = facts::service_by_boto3(&call.service)
                .and_then(|service| service.operation(&call.operation))
                .and_then(facts::Operation::actions);
            if known.is_none() {
                let why = format!("the published data doesn't tell what {}.{} needs", call.service, call.operation);
                wanted.unresolved.entry((why, call.span)).or_default();
            }
            return;
        }
        for name in &call.actions {
            self.action(name, call, wanted);
        }
    }

    fn action(&self, name: &str, call: &CloudCall, wanted: &mut Wanted) {
        let prefix = name.split(':').next().unwrap_or_default();
        let Some(action) = facts::action(name) else {
            wanted.add(name, Value::text("*"), call.span);
            wanted.doubt(name, format!("`{name}` isn't among the published actions"), call.span);
            return;
        };
        let Some(kind) = kind(action) else {
            wanted.add(name, Value::text("*"), call.span);
            return;
        };
        for resource in self.resources(name, prefix, kind, call, wanted) {
            self.add(name, action, prefix, kind, resource, call, wanted);
        }
        // Where an action takes several things at once, the others are left open: a snapshot beside its database.
        let others = TOGETHER.iter().find(|(action, _)| *action == name).map_or(&[][..], |(_, kinds)| *kinds);
        for other in others.iter().filter(|other| **other != kind) {
            wanted.add(name, all_of(prefix, other), call.span);
        }
        if name == "ecs:RunTask" {
            self.roles_of_task(call, wanted);
        }
    }

    /// Running a task hands on the roles that its definition names.
    fn roles_of_task(&self, call: &CloudCall, wanted: &mut Wanted) {
        let Some(definition) = call.target.resolve(&self.function.environment) else { return };
        let named = definition.resource().and_then(|name| self.application.resource(name));
        let family = |resource: &&graph::Resource| {
            resource.resource_type == "AWS::ECS::TaskDefinition"
                && resource
                    .property("Family")
                    .is_some_and(|family| crate::document::property_value(family).to_string() == definition.to_string())
        };
        let Some(task) = named.or_else(|| self.application.resources.iter().find(family)) else { return };
        for path in ["TaskRoleArn", "ExecutionRoleArn"] {
            let Some(role) = task.property(path).map(crate::document::property_value) else { continue };
            match self.namer.name(&role, "iam", "role") {
                Named::Arn(arn) => wanted.add("iam:PassRole", arn, call.span),
                Named::Unknown(why) => {
                    wanted.add("iam:PassRole", all_of("iam", "role"), call.span);
                    wanted.doubt("iam:PassRole", format!("which role the task has isn't told ({why})"), call.span);
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // one call site; a struct would only rename them
    fn add(
        &self,
        name: &str,
        action: facts::Action,
        prefix: &str,
        kind: &str,
        resource: Value,
        call: &CloudCall,
        wanted: &mut Wanted,
    ) {
        if kind == "table" && READS_INDEXES.contains(&name) && self.uses_index(call) {
            let mut index = resource.clone();
            index.push(Part::Text("/index/*".into()));
            wanted.add(name, index, call.span);
        }
        if name == "ssm:GetParametersByPath" && !resource.to_string().ends_with('*') {
            let mut below = resource.clone();
            below.push(Part::Text("/*".into()));
            wanted.add(name, below, call.span);
        }
        if prefix == "ses" {
            // What a mail is made of has ARNs of its own.
            let text = self.sources.slice(call.span);
            for (word, other) in [("ConfigurationSetName", "configuration-set"), ("Template", "template")] {
                if kind != other && text.contains(word) && action.resource_types().any(|kind| kind.name == other) {
                    wanted.add(name, all_of("ses", other), call.span);
                }
            }
        }
        self.key_of(name, &resource, call.span, wanted);
        wanted.add(name, resource, call.span);
    }

    /// Whether a query reads an index. Where its arguments are made elsewhere, any index that its files name may be meant.
    fn uses_index(&self, call: &CloudCall) -> bool {
        if let Some(told) = call.index {
            return told;
        }
        let text = self.sources.slice(call.span);
        if text.contains("IndexName") {
            return true;
        }
        let written_out =
            text.contains("TableName") || text.contains("KeyConditionExpression") || text.contains("Statement");
        let opaque = text.contains("**") || text.contains("...") || !written_out;
        opaque
            && self
                .behaviour
                .files
                .iter()
                .filter_map(|file| self.sources.get(*file))
                .any(|file| file.text().contains("IndexName"))
            && !ends_at_once(text)
    }

    /// The ARNs that an action of a call is on.
    fn resources(&self, name: &str, prefix: &str, kind: &str, call: &CloudCall, wanted: &mut Wanted) -> Vec<Value> {
        if prefix == "execute-api" {
            return self.connections(name, call, wanted);
        }
        let why = match &call.target {
            // Texting a telephone, or a type that calls may leave out.
            CallTarget::None if kind == "topic" || !requires(name) => return vec![Value::text("*")],
            CallTarget::None => {
                // What a call needs to be given and doesn't show is what the environment names, if it names one.
                let named = self.of_environment(prefix, kind, call).map(|(arn, _)| arn);
                return vec![named.unwrap_or_else(|| all_of(prefix, kind))];
            }
            CallTarget::Event => {
                // What the caller may choose has a default: that is the one it is meant for.
                let defaults = self.defaults(call, prefix, kind);
                if !defaults.is_empty() {
                    wanted.doubt(name, "the caller may choose another; limited to its default".into(), call.span);
                    return defaults;
                }
                "the caller chooses it".to_string()
            }
            CallTarget::Unknown => "its source doesn't tell it".to_string(),
            CallTarget::Literal(text) => match self.name(Value::text(text.clone()), prefix, kind) {
                Named::Arn(arn) => {
                    let mut arns = self.with_profile(arn);
                    if let ("ses", "identity", Some((_, domain))) = (prefix, kind, text.split_once('@')) {
                        // An address may be verified by itself or with its whole domain.
                        arns.extend(by_name(prefix, kind, Value::text(domain)));
                    }
                    return arns;
                }
                Named::Unknown(why) => why,
            },
            CallTarget::Pattern(_) => match call.target.resolve(&self.function.environment) {
                Some(value) => match self.name(value, prefix, kind) {
                    Named::Arn(arn) => return self.as_granted(name, prefix, kind, arn),
                    Named::Unknown(why) => why,
                },
                None => "its source doesn't tell it".to_string(),
            },
            CallTarget::Environment(variable) => match call.target.resolve(&self.function.environment) {
                Some(value) => match self.name(value, prefix, kind) {
                    Named::Arn(arn) => return self.with_profile(arn),
                    Named::Unknown(why) => format!("`{variable}` holds what the template doesn't tell ({why})"),
                },
                None => format!("the template doesn't set `{variable}`"),
            },
        };
        if call.target == CallTarget::Event
            && let Some(source) = self.triggering(prefix)
            && let Named::Arn(arn) = self.namer.name(&source, prefix, kind)
        {
            return vec![arn];
        }
        if prefix == "lambda"
            && matches!(&call.target, CallTarget::Environment(name) if name == "AWS_LAMBDA_FUNCTION_NAME")
        {
            // Lambda itself sets this one.
            if let Some(own) = self.namer.of_template(&self.function.name, prefix, kind) {
                return vec![own];
            }
        }
        let (resources, how) = self.narrowest(name, prefix, kind, call);
        wanted.doubt(name, format!("{why}; {how}"), call.span);
        resources
    }

    /// What else the same call may act on, where that is named.
    fn defaults(&self, call: &CloudCall, prefix: &str, kind: &str) -> Vec<Value> {
        let same = |other: &&CloudCall| {
            other.span == call.span
                && other.operation == call.operation
                && other.actions == call.actions
                && matches!(other.target, CallTarget::Environment(_) | CallTarget::Literal(_))
        };
        let named = self.behaviour.calls.iter().filter(same).filter_map(|other| {
            match self.name(other.target.resolve(&self.function.environment)?, prefix, kind) {
                Named::Arn(arn) => Some(arn),
                Named::Unknown(_) => None,
            }
        });
        named.collect()
    }

    /// The ARN of what a value names, its holes in the order of the format where it is made of several names.
    fn name(&self, value: Value, prefix: &str, kind: &str) -> Named {
        let value = match prefix {
            // `cluster.dsql.eu-west-1.on.aws` begins with the cluster.
            "dsql" => until(value, ".dsql"),
            _ => value,
        };
        // A version or alias behind a function's own ARN.
        if let ("lambda", [Part::Attribute(_, attribute), Part::Text(rest), ..]) = (prefix, value.parts())
            && attribute == "Arn"
            && rest.starts_with(':')
        {
            return Named::Arn(value);
        }
        let shown = value.to_string();
        let several = matches!(
            (prefix, kind),
            ("scheduler", "schedule") | ("rds-db", "db-user") | ("bedrock", "agent-alias") | ("kendra", "data-source")
        );
        if several && !value.has_unknown() && shown.contains('/') && !shown.starts_with("arn:") {
            let format = facts::resource_arn(prefix, kind).unwrap_or_default();
            let own = format.match_indices("${").map(|(at, _)| at).nth(3);
            let start = own.and_then(|at| format.get(..at)).unwrap_or_default();
            if let Some(mut arn) = filled(start) {
                arn.extend(value);
                return Named::Arn(arn);
            }
        }
        self.namer.name(&value, prefix, kind)
    }

    /// What a pattern means among the things that the role names: those, where there are any.
    fn as_granted(&self, name: &str, prefix: &str, kind: &str, arn: Value) -> Vec<Value> {
        if !arn.to_string().contains('*') {
            return self.with_profile(arn);
        }
        let pattern = Pattern::value(&canonical(self.application, &arn));
        let within: Vec<Value> = self
            .granted(name, prefix, kind)
            .into_values()
            .filter(|granted| pattern.covers(&Pattern::value(&canonical(self.application, granted))))
            .collect();
        if within.is_empty() { self.with_profile(arn) } else { within }
    }

    /// A profile of Bedrock calls the model behind it in several regions, which takes a permission on that, too.
    fn with_profile(&self, arn: Value) -> Vec<Value> {
        let shown = arn.to_string();
        let model =
            shown.split_once(":inference-profile/").and_then(|(_, id)| id.split_once('.')).map(|(_, model)| model);
        match model {
            Some(model) => {
                let mut foundation = Value::text("arn:");
                foundation.push(Part::Pseudo("AWS::Partition".into()));
                foundation.push(Part::Text(format!(":bedrock:*::foundation-model/{model}")));
                vec![arn, foundation]
            }
            None => vec![arn],
        }
    }

    /// The one thing of a kind that the function's environment names: by the variable that the call spells out, or by there being only one.
    fn of_environment(&self, prefix: &str, kind: &str, call: &CloudCall) -> Option<(Value, &'static str)> {
        let text = self.sources.slice(call.span);
        let arn = |variable: &graph::EnvironmentVariable| match self.namer.name(&variable.value, prefix, kind) {
            Named::Arn(arn) => Some((arn.to_string(), arn)),
            Named::Unknown(_) => None,
        };
        // A call that spells out a variable of its function means that one, however it gets at it.
        let spelled: BTreeMap<String, Value> = self
            .function
            .environment
            .iter()
            .filter(|variable| variable.name.len() > 3 && mentions(text, &variable.name))
            .filter_map(arn)
            .collect();
        if spelled.len() == 1 {
            return spelled.into_values().next().zip(Some(SPELLED));
        }
        let named: BTreeMap<String, Value> = self
            .function
            .environment
            .iter()
            .filter(|variable| variable.value.resource().is_some_and(|name| self.namer.fits(name, prefix, kind)))
            .filter_map(arn)
            .collect();
        if named.len() == 1 {
            return named.into_values().next().zip(Some("taken to be the one that its environment names"));
        }
        None
    }

    /// The narrowest that is still right where the code doesn't tell: what the environment names, what the role has, all of the kind.
    fn narrowest(&self, action: &str, prefix: &str, kind: &str, call: &CloudCall) -> (Vec<Value>, &'static str) {
        let named = self.of_environment(prefix, kind, call);
        let mut granted = self.granted(action, prefix, kind);
        if granted.is_empty() {
            // What the role allows of the same call is on the same thing.
            let others = call.actions.iter().filter(|other| *other != action);
            granted = others
                .map(|other| self.granted(other, prefix, kind))
                .find(|found| !found.is_empty())
                .unwrap_or_default();
        }
        match named {
            // What the role doesn't allow at all can't be what was meant.
            Some((arn, how)) if how == SPELLED || granted.is_empty() || granted.contains_key(&arn.to_string()) => {
                (vec![arn], how)
            }
            _ if granted.is_empty() => (vec![all_of(prefix, kind)], "left open to all of its kind"),
            _ => (granted.into_values().collect(), "limited to what its role names"),
        }
    }

    /// The resources on which the role has an action by name; none where it has it on everything, or not at all.
    fn granted(&self, action: &str, prefix: &str, kind: &str) -> BTreeMap<String, Value> {
        let mut granted: BTreeMap<String, Value> = BTreeMap::new();
        let statements = self.application.identity_of(self.function).map_or(&[][..], |identity| &identity.statements);
        for statement in statements {
            if statement.effect != Effect::Allow || statement.not_actions || !names_action(statement, action) {
                continue;
            }
            for value in &statement.resources {
                let everything = canonical(self.application, &all_of(prefix, kind));
                let everything = Pattern::value(&everything);
                let pattern = Pattern::value(&canonical(self.application, value));
                if statement.not_resources || value.has_unknown() || pattern.covers(&everything) {
                    return BTreeMap::new();
                }
                let shown = value.to_string();
                let index = shown.contains("/index/") && !READS_INDEXES.contains(&action);
                let right_kind = prefix != "s3" || shown.contains('/') == (kind == "object");
                if pattern.intersects(&everything) && right_kind && !index {
                    match self.namer.name(value, prefix, kind) {
                        Named::Arn(arn) => granted.insert(arn.to_string(), arn),
                        Named::Unknown(_) => granted.insert(shown, value.clone()),
                    };
                }
            }
        }
        granted
    }

    /// What starts the function, where that is one thing only and of the service: an object of the event lies in its bucket, a user in
    /// its pool, a message in its queue.
    fn triggering(&self, prefix: &str) -> Option<Value> {
        let fits = |kind: TriggerKind| {
            matches!(
                (prefix, kind),
                ("s3", TriggerKind::S3) | ("cognito-idp", TriggerKind::Cognito) | ("sqs", TriggerKind::Sqs)
            )
        };
        let mut sources = self
            .application
            .triggers_of(&self.function.name)
            .filter(|trigger| fits(trigger.kind))
            .map(|trigger| trigger.source.clone());
        let Some(source) = sources.next() else {
            return if prefix == "s3" { self.bucket_behind() } else { None };
        };
        let source = source?;
        sources.all(|other| other.as_ref() == Some(&source)).then_some(source)
    }

    /// The one bucket whose notifications come to the function by way of a queue, a topic or a rule.
    fn bucket_behind(&self) -> Option<Value> {
        let triggers: Vec<_> = self.application.triggers_of(&self.function.name).collect();
        let mut buckets: BTreeSet<&str> = BTreeSet::new();
        for trigger in &triggers {
            let through: Vec<&str> = trigger.source.iter().filter_map(Value::resource).collect();
            let mentions_source = |text: &str| {
                through.iter().any(|name| text.contains(&format!("\"{name}\"")) || text.contains(&format!("${{{name}")))
            };
            for resource in &self.application.resources {
                if resource.resource_type != "AWS::S3::Bucket" {
                    continue;
                }
                let notified = resource.property("NotificationConfiguration").map(ToString::to_string);
                let filtered = trigger.filter.as_deref().is_some_and(|filter| {
                    let deployed = resource.deployed_name.as_ref().map(ToString::to_string);
                    filter.contains("aws.s3")
                        && (filter.contains(&resource.name) || deployed.is_some_and(|name| filter.contains(&name)))
                });
                if filtered || notified.is_some_and(|text| mentions_source(&text)) {
                    buckets.insert(&resource.name);
                }
            }
        }
        match (buckets.len(), buckets.first()) {
            (1, Some(bucket)) => Some(Value::part(Part::Ref((*bucket).to_string()))),
            _ => None,
        }
    }

    /// Connections of a WebSocket API: the one that starts the function, or the only one there is.
    fn connections(&self, name: &str, call: &CloudCall, wanted: &mut Wanted) -> Vec<Value> {
        let sockets: BTreeSet<&str> = self
            .application
            .triggers
            .iter()
            .filter(|trigger| trigger.kind == TriggerKind::WebSocket)
            .filter_map(|trigger| trigger.source.as_ref().and_then(Value::resource))
            .chain(
                self.application
                    .resources
                    .iter()
                    .filter(|resource| {
                        resource.kind == ResourceKind::Api
                            && (resource.resource_type == "AWS::Serverless::WebSocketApi"
                                || resource.property("ProtocolType").and_then(serde_json::Value::as_str)
                                    == Some("WEBSOCKET"))
                    })
                    .map(|resource| resource.name.as_str()),
            )
            .collect();
        let method = match call.operation.as_str() {
            "PostToConnection" => "POST",
            "DeleteConnection" => "DELETE",
            "GetConnection" => "GET",
            _ => "*",
        };
        let api = match (sockets.len(), sockets.first()) {
            (1, Some(api)) => Value::part(Part::Ref((*api).to_string())),
            _ => {
                wanted.doubt(name, "which WebSocket API it is about isn't told".into(), call.span);
                Value::text("*")
            }
        };
        let mut path = api;
        path.push(Part::Text(format!("/*/{method}/@connections/*")));
        let whole = by_name("execute-api", "execute-api-general", path.clone());
        // The format goes on with stage, method and path, which the name holds here already.
        let mut arn = Value::default();
        for part in whole.unwrap_or(path).parts() {
            match part {
                Part::Text(text) => match text.find("/@connections/*") {
                    Some(at) => {
                        arn.push(Part::Text(text.get(..at).unwrap_or_default().to_string() + "/@connections/*"));
                        break;
                    }
                    None => arn.push(part.clone()),
                },
                part => arn.push(part.clone()),
            }
        }
        vec![arn]
    }

    /// What is encrypted with a customer's key takes the key, too: the service uses it in the caller's name.
    fn key_of(&self, action: &str, resource: &Value, span: Span, wanted: &mut Wanted) {
        let Some(resource) = resource.resources().next().and_then(|name| self.application.resource(name)) else {
            return;
        };
        let path = match resource.resource_type.as_str() {
            "AWS::SQS::Queue" | "AWS::SNS::Topic" => "KmsMasterKeyId",
            "AWS::SecretsManager::Secret" => "KmsKeyId",
            "AWS::Kinesis::Stream" => "StreamEncryption.KeyId",
            "AWS::S3::Bucket" => "BucketEncryption.ServerSideEncryptionConfiguration",
            _ => return,
        };
        let Some(mut property) = resource.property(path) else { return };
        if let Some(rules) = property.as_array() {
            let key = rules.iter().find_map(|rule| rule.get("ServerSideEncryptionByDefault")?.get("KMSMasterKeyID"));
            let Some(key) = key else { return };
            property = key;
        }
        let value = crate::document::property_value(property);
        let Some(key) = value.resource().filter(|name| self.namer.fits(name, "kms", "key")) else { return };
        let needed: &[&str] = match action {
            "sqs:SendMessage" | "sns:Publish" => &["kms:Decrypt", "kms:GenerateDataKey"],
            "kinesis:PutRecord" | "kinesis:PutRecords" | "s3:PutObject" => &["kms:GenerateDataKey"],
            "sqs:ReceiveMessage" | "kinesis:GetRecords" | "s3:GetObject" | "secretsmanager:GetSecretValue" => {
                &["kms:Decrypt"]
            }
            "secretsmanager:PutSecretValue" => &["kms:Decrypt", "kms:GenerateDataKey"],
            _ => return,
        };
        // An alias of the template names its key.
        let key = match self.application.resource(key) {
            Some(alias) if alias.resource_type == "AWS::KMS::Alias" => alias
                .property("TargetKeyId")
                .map(crate::document::property_value)
                .and_then(|target| target.resource().map(str::to_string)),
            _ => Some(key.to_string()),
        };
        let Some(arn) = key.and_then(|key| self.namer.of_template(&key, "kms", "key")) else { return };
        for name in needed {
            wanted.add(name, arn.clone(), span);
        }
    }
}

/// The start of a value up to a text.
fn until(value: Value, end: &str) -> Value {
    let mut start = Value::default();
    for part in value.parts() {
        match part {
            Part::Text(text) => match text.find(end) {
                Some(at) => {
                    start.push(Part::Text(text.get(..at).unwrap_or_default().to_string()));
                    return start;
                }
                None => start.push(part.clone()),
            },
            part => start.push(part.clone()),
        }
    }
    value
}

/// The start of an ARN's format with what every ARN begins with.
fn filled(format: &str) -> Option<Value> {
    let mut arn = Value::default();
    let mut rest = format;
    while let Some(start) = rest.find("${") {
        arn.push(Part::Text(rest.get(..start)?.to_string()));
        let hole = rest.get(start + 2..)?;
        let end = hole.find('}')?;
        arn.push(match hole.get(..end)? {
            "Partition" => Part::Pseudo("AWS::Partition".into()),
            "Region" => Part::Pseudo("AWS::Region".into()),
            "Account" => Part::Pseudo("AWS::AccountId".into()),
            _ => return None,
        });
        rest = hole.get(end + 1..)?;
    }
    arn.push(Part::Text(rest.to_string()));
    Some(arn)
}

/// Whether a text has a name between quotes.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|after| after.chars().next());
        matches!((before, after), (Some('"' | '\''), Some('"' | '\'')))
    })
}

/// Whether every call of an action names a resource.
fn requires(action: &str) -> bool {
    facts::action(action).is_some_and(|action| action.resource_types().any(|kind| kind.required))
}

/// `table.scan()`: nothing is given at all.
fn ends_at_once(text: &str) -> bool {
    text.trim_end().ends_with("()")
}
