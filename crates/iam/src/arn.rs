//! From what a call names to the ARNs a policy would write: references of the template, names, addresses, ARNs written out.

use facts::Action;
use graph::{Application, IdentityKind, Part, Resource, Value};

/// Types of resources that go before others where an action can be limited to several: the ones that calls name.
const PREFERRED: &[&str] = &[
    "object",
    "bucket",
    "table",
    "stream",
    "function",
    "statemachine",
    "log-group",
    "event-bus",
    "identity",
    "Secret",
    "foundation-model",
    "execute-api-general",
    "rule-on-default-event-bus",
    "thing",
    "cluster",
];

/// Attributes that hold a resource's ARN, by template type. Types that aren't here are named by their reference.
const ARN_ATTRIBUTES: &[(&str, &str)] = &[
    ("AWS::DynamoDB::Table", "Arn"),
    ("AWS::DynamoDB::GlobalTable", "Arn"),
    ("AWS::Serverless::SimpleTable", "Arn"),
    ("AWS::SQS::Queue", "Arn"),
    ("AWS::S3::Bucket", "Arn"),
    ("AWS::S3Express::DirectoryBucket", "Arn"),
    ("AWS::Lambda::Function", "Arn"),
    ("AWS::Serverless::Function", "Arn"),
    ("AWS::Kinesis::Stream", "Arn"),
    ("AWS::KinesisFirehose::DeliveryStream", "Arn"),
    ("AWS::Events::EventBus", "Arn"),
    ("AWS::Events::Rule", "Arn"),
    ("AWS::Cognito::UserPool", "Arn"),
    ("AWS::KMS::Key", "Arn"),
    ("AWS::StepFunctions::StateMachine", "Arn"),
    ("AWS::Serverless::StateMachine", "Arn"),
    ("AWS::StepFunctions::Activity", "Arn"),
    ("AWS::IAM::Role", "Arn"),
    ("AWS::IAM::User", "Arn"),
    ("AWS::IAM::Group", "Arn"),
    ("AWS::EFS::FileSystem", "Arn"),
    ("AWS::RDS::DBCluster", "DBClusterArn"),
    ("AWS::RDS::DBInstance", "DBInstanceArn"),
    ("AWS::AppSync::GraphQLApi", "Arn"),
    ("AWS::ECR::Repository", "Arn"),
    ("AWS::ECS::Cluster", "Arn"),
    ("AWS::CodeBuild::Project", "Arn"),
    ("AWS::Bedrock::KnowledgeBase", "KnowledgeBaseArn"),
    ("AWS::Bedrock::Agent", "AgentArn"),
    ("AWS::Bedrock::AgentAlias", "AgentAliasArn"),
    ("AWS::Bedrock::Guardrail", "GuardrailArn"),
    ("AWS::Rekognition::Collection", "Arn"),
    ("AWS::Scheduler::ScheduleGroup", "Arn"),
    ("AWS::OpenSearchService::Domain", "Arn"),
    ("AWS::Location::PlaceIndex", "Arn"),
    ("AWS::Location::Tracker", "Arn"),
    ("AWS::Location::Map", "Arn"),
    ("AWS::Location::RouteCalculator", "Arn"),
    ("AWS::Kendra::Index", "Arn"),
];

/// Template types whose reference is an ARN.
const ARN_REFERENCES: &[&str] = &[
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::IAM::ManagedPolicy",
    "AWS::MSK::Cluster",
    "AWS::MSK::ServerlessCluster",
    "AWS::ECS::TaskDefinition",
    "AWS::ECS::Service",
    "AWS::Batch::JobDefinition",
    "AWS::Batch::JobQueue",
    "AWS::Lambda::LayerVersion",
    "AWS::Serverless::LayerVersion",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Version",
];

/// Where an ARN comes from, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// This ARN pattern.
    Arn(Value),
    /// It can't be told; the text says why.
    Unknown(String),
}

/// The IAM prefix of a template type.
pub(crate) fn prefix_of(resource_type: &str) -> String {
    let service = resource_type.split("::").nth(1).unwrap_or("").to_ascii_lowercase();
    match resource_type {
        "AWS::Serverless::SimpleTable" => "dynamodb".into(),
        "AWS::Serverless::Function" => "lambda".into(),
        "AWS::Serverless::StateMachine" => "states".into(),
        "AWS::Serverless::HttpApi" | "AWS::Serverless::Api" | "AWS::Serverless::WebSocketApi" => "execute-api".into(),
        "AWS::IoT::Topic" => "iot".into(),
        _ => match service.as_str() {
            "stepfunctions" => "states".into(),
            "kinesisfirehose" => "firehose".into(),
            "apigateway" | "apigatewayv2" => "execute-api".into(),
            "cognito" => "cognito-idp".into(),
            "efs" => "elasticfilesystem".into(),
            "opensearchservice" | "elasticsearch" => "es".into(),
            "msk" => "kafka".into(),
            "location" => "geo".into(),
            _ => service,
        },
    }
}

/// The resource type of an action that calls are about; none where a policy can't limit it.
pub(crate) fn kind(action: Action) -> Option<&'static str> {
    let preferred = action
        .resource_types()
        .filter_map(|kind| Some((PREFERRED.iter().position(|name| *name == kind.name)?, kind.name)))
        .min();
    if let Some((_, name)) = preferred {
        return Some(name);
    }
    action.resource_types().find(|kind| kind.required).or_else(|| action.resource_types().next()).map(|kind| kind.name)
}

/// Whether this value is an ARN as it stands.
pub(crate) fn is_arn(value: &Value) -> bool {
    match value.parts() {
        [Part::Text(text), ..] => text.starts_with("arn:"),
        _ => false,
    }
}

/// Whether one open part is named like an ARN: `${TableArn}`, `${Stack.Outputs.QueueArn}`.
fn sounds_like_arn(value: &Value) -> bool {
    match value.parts() {
        [Part::Parameter(name) | Part::Attribute(_, name)] => name.to_ascii_lowercase().ends_with("arn"),
        _ => false,
    }
}

/// The ARN of a kind of resource by its name, the account's own: `arn:${AWS::Partition}:sqs:${AWS::Region}:..`.
pub(crate) fn by_name(prefix: &str, kind: &str, name: Value) -> Option<Value> {
    let format = facts::resource_arn(prefix, kind)?;
    let mut arn = Value::default();
    let mut name = Some(name);
    let mut rest = format;
    while let Some(start) = rest.find("${") {
        let (before, hole) = rest.split_at(start);
        arn.push(Part::Text(before.to_string()));
        let end = hole.find('}')?;
        match hole.get(2..end)? {
            "Partition" => arn.push(Part::Pseudo("AWS::Partition".into())),
            "Region" => arn.push(Part::Pseudo("AWS::Region".into())),
            "Account" => arn.push(Part::Pseudo("AWS::AccountId".into())),
            _ => match name.take() {
                Some(name) => arn.extend(name),
                None => arn.push(Part::Text("*".into())),
            },
        }
        rest = hole.get(end + 1..)?;
    }
    arn.push(Part::Text(rest.to_string()));
    Some(arn)
}

/// The service that ARNs of a kind carry, which isn't always the prefix of the actions on it: `rds` for `rds-data`.
fn arn_service<'a>(prefix: &'a str, kind: &str) -> &'a str {
    facts::resource_arn(prefix, kind).and_then(|arn| arn.split(':').nth(2)).unwrap_or(prefix)
}

/// Every resource of a kind in the account.
pub(crate) fn all_of(prefix: &str, kind: &str) -> Value {
    by_name(prefix, kind, Value::text("*")).unwrap_or_else(|| Value::text("*"))
}

/// Names things of one application.
#[derive(Clone, Copy)]
pub(crate) struct Namer<'a> {
    pub(crate) application: &'a Application,
}

impl Namer<'_> {
    fn resource_type(&self, name: &str) -> Option<&str> {
        let function = self.application.function(name).map(|function| function.resource_type.as_str());
        let role = || {
            self.application.identity(name).map(|identity| match identity.kind {
                IdentityKind::Role => "AWS::IAM::Role",
                IdentityKind::User => "AWS::IAM::User",
                IdentityKind::Group => "AWS::IAM::Group",
            })
        };
        function
            .or_else(|| self.application.resource(name).map(|resource| resource.resource_type.as_str()))
            .or_else(role)
    }

    /// Whether something of the template is of the service that ARNs of a kind carry.
    pub(crate) fn fits(&self, name: &str, prefix: &str, kind: &str) -> bool {
        let service = arn_service(prefix, kind);
        self.resource_type(name).is_some_and(|resource_type| prefix_of(resource_type) == service)
    }

    /// Whether a value plainly names something of another service.
    fn is_of_another_service(&self, value: &Value, prefix: &str, kind: &str) -> bool {
        match value.parts() {
            [Part::Ref(name)] => {
                self.resource_type(name).is_some() && !self.fits(name, prefix, kind) && self.is_arn_of(name)
            }
            [Part::Attribute(name, attribute)] => {
                // A database's own secret is an attribute of the database.
                let secret = arn_service(prefix, kind) == "secretsmanager" && attribute.contains("Secret");
                let own = self
                    .resource_type(name)
                    .is_some_and(|own| ARN_ATTRIBUTES.iter().any(|(known, arn)| *known == own && arn == attribute));
                own && !secret && !self.fits(name, prefix, kind)
            }
            _ => {
                let shown = value.to_string();
                // Holes of the partition hold colons of their own.
                let rest = shown.strip_prefix("arn:").map(|rest| rest.trim_start_matches("${AWS::Partition}"));
                let service = rest.and_then(|rest| rest.split(':').nth(1));
                service.is_some_and(|service| {
                    service.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
                        && !service.is_empty()
                        && service != arn_service(prefix, kind)
                })
            }
        }
    }

    fn is_arn_of(&self, name: &str) -> bool {
        self.resource_type(name).is_some_and(|own| ARN_REFERENCES.contains(&own))
    }

    /// The ARN of something of the template, as a template would write it.
    pub(crate) fn of_template(&self, name: &str, prefix: &str, kind: &str) -> Option<Value> {
        let resource_type = self.resource_type(name)?;
        if resource_type == "AWS::SSM::Parameter" {
            let deployed = self.application.resource(name).and_then(|resource| resource.deployed_name.as_ref());
            let name = match deployed.and_then(Value::as_text) {
                // The reference of `/shop/key` begins with the slash that the ARN has already.
                Some(text) => Value::text(text.trim_start_matches('/')),
                None => Value::part(Part::Ref(name.to_string())),
            };
            return by_name("ssm", "parameter", name);
        }
        if ARN_REFERENCES.contains(&resource_type) {
            return Some(Value::part(Part::Ref(name.to_string())));
        }
        match ARN_ATTRIBUTES.iter().find(|(known, _)| *known == resource_type) {
            Some((_, attribute)) => Some(Value::part(Part::Attribute(name.to_string(), (*attribute).to_string()))),
            None => by_name(prefix, kind, Value::part(Part::Ref(name.to_string()))),
        }
    }

    /// The resource that is deployed under a name.
    fn deployed(&self, name: &Value, prefix: &str) -> Option<&str> {
        let shown = name.to_string();
        if !shown.contains(char::is_alphanumeric) || name.has_unknown() {
            return None;
        }
        let same = |deployed: &Option<Value>| deployed.as_ref().is_some_and(|deployed| deployed.to_string() == shown);
        let resource =
            |resource: &&Resource| prefix_of(&resource.resource_type) == prefix && same(&resource.deployed_name);
        match prefix {
            "lambda" => self
                .application
                .functions
                .iter()
                .find(|function| same(&function.deployed_name))
                .map(|function| function.name.as_str()),
            _ => self.application.resources.iter().find(resource).map(|resource| resource.name.as_str()),
        }
    }

    /// The ARN of what a value names.
    pub(crate) fn name(&self, value: &Value, prefix: &str, kind: &str) -> Named {
        if value.parts().is_empty() {
            return Named::Unknown("it is empty".into());
        }
        if let Some(Part::Unknown(why)) = value.parts().iter().find(|part| matches!(part, Part::Unknown(_))) {
            // `arn:...:table/?` still says of which service, but not which.
            return Named::Unknown(why.clone());
        }
        if self.is_of_another_service(value, prefix, kind) {
            return Named::Unknown("it names something of another service".into());
        }
        if let [Part::Ref(name) | Part::Attribute(name, _)] = value.parts() {
            if self.fits(name, prefix, kind)
                && let Some(arn) = self.of_template(name, prefix, kind)
            {
                return Named::Arn(adapt(arn, prefix, kind));
            }
            if sounds_like_arn(value) {
                return Named::Arn(adapt(value.clone(), prefix, kind));
            }
        }
        if sounds_like_arn(value) {
            return Named::Arn(adapt(value.clone(), prefix, kind));
        }
        if is_arn(value) {
            return Named::Arn(match self.owner_of_arn(value, prefix, kind) {
                Some(own) => adapt(own, prefix, kind),
                None => adapt(value.clone(), prefix, kind),
            });
        }
        let name = bare_name(value, prefix);
        if let [Part::Ref(owner) | Part::Attribute(owner, _)] = name.parts()
            && self.fits(owner, prefix, kind)
            && let Some(arn) = self.of_template(owner, prefix, kind)
        {
            return Named::Arn(adapt(arn, prefix, kind));
        }
        if let Some(owner) = self.deployed(&name, prefix)
            && let Some(arn) = self.of_template(owner, prefix, kind)
        {
            return Named::Arn(adapt(arn, prefix, kind));
        }
        if prefix == "sqs"
            && let [Part::Parameter(parameter)] = name.parts()
            && parameter.to_ascii_lowercase().ends_with("url")
        {
            return Named::Unknown(format!("`{parameter}` holds the address of a queue, not its name"));
        }
        if prefix == "ec2" && name.as_text().is_some_and(|text| !text.contains("-0")) {
            return Named::Unknown("its ARN holds an id, not a name".into());
        }
        if prefix == "kms" && name.to_string().starts_with("alias/") {
            return Named::Unknown("a key that is named by its alias".into());
        }
        if prefix == "bedrock"
            && let Some(model) = name.as_text()
        {
            return Named::Arn(bedrock(model));
        }
        match by_name(prefix, kind, name) {
            Some(arn) => Named::Arn(adapt(arn, prefix, kind)),
            None => Named::Unknown("the published data has no ARN for it".into()),
        }
    }

    /// The resource of the template that an ARN written out means: `arn:aws:dynamodb:..:table/${Orders}`.
    fn owner_of_arn(&self, value: &Value, prefix: &str, kind: &str) -> Option<Value> {
        // `bucket/*` is all of the bucket; a longer path is kept as it was written.
        let whole = prefix == "s3" && before_slash(value).to_string() + "/*" == value.to_string();
        let tail = if whole { after_last(&before_slash(value), &[':']) } else { after_last(value, &[':', '/']) };
        let owner = match tail.parts() {
            [Part::Ref(name) | Part::Attribute(name, _)] if self.fits(name, prefix, kind) => name.as_str(),
            _ => self.deployed(&tail, prefix)?,
        };
        self.of_template(owner, prefix, kind)
    }
}

/// What a template type's own ARN is of, by IAM prefix.
fn own_kind(prefix: &str, resource_type: &str) -> Option<&'static str> {
    Some(match prefix {
        "iam" if resource_type.ends_with("::User") => "user",
        "iam" if resource_type.ends_with("::Group") => "group",
        "iam" if resource_type.ends_with("Policy") => "policy",
        "iam" if resource_type.ends_with("::InstanceProfile") => "instance-profile",
        "dynamodb" => "table",
        "sqs" => "queue",
        "sns" => "topic",
        "s3" => "bucket",
        "lambda" => "function",
        "kinesis" => "stream",
        "firehose" => "deliverystream",
        "events" => "event-bus",
        "cognito-idp" => "userpool",
        "kms" => "key",
        "states" => "statemachine",
        "secretsmanager" => "Secret",
        "iam" => "role",
        _ => return None,
    })
}

/// A resource pattern in the one form in which those of policies and needs can be compared: ARNs of the template's resources written out,
/// names as they are deployed, the usual partition.
pub(crate) fn canonical(application: &Application, value: &Value) -> Value {
    let namer = Namer { application };
    let mut result = Value::default();
    for part in value.parts() {
        match part {
            Part::Pseudo(name) if name == "AWS::Partition" => result.push(Part::Text("aws".into())),
            Part::Ref(name) | Part::Attribute(name, _) => {
                let Some(resource_type) = namer.resource_type(name) else {
                    result.push(part.clone());
                    continue;
                };
                let prefix = prefix_of(resource_type);
                let whole = match part {
                    Part::Attribute(_, attribute) => attribute == "Arn" || attribute == "TopicArn",
                    _ => result.parts().is_empty() && ARN_REFERENCES.contains(&resource_type),
                };
                let stream = matches!(part, Part::Attribute(_, attribute) if attribute == "StreamArn");
                let deployed = deployed_name(application, name).unwrap_or_else(|| Value::part(Part::Ref(name.clone())));
                let arn = own_kind(&prefix, resource_type)
                    .filter(|_| whole || stream)
                    .and_then(|kind| by_name(&prefix, kind, deployed.clone()));
                match arn {
                    Some(mut arn) => {
                        if stream {
                            arn.push(Part::Text("/stream/*".into()));
                        }
                        for part in arn.parts() {
                            match part {
                                Part::Pseudo(name) if name == "AWS::Partition" => result.push(Part::Text("aws".into())),
                                part => result.push(part.clone()),
                            }
                        }
                    }
                    None => result.extend(deployed),
                }
            }
            part => result.push(part.clone()),
        }
    }
    result
}

/// The name something of the template is deployed under, where the template gives one that doesn't lead back to others.
fn deployed_name(application: &Application, name: &str) -> Option<Value> {
    let function = application.function(name).map(|function| &function.deployed_name);
    let deployed = function
        .or_else(|| application.resource(name).map(|resource| &resource.deployed_name))
        .or_else(|| application.identity(name).map(|identity| &identity.deployed_name))?;
    deployed.clone().filter(|value| value.resources().next().is_none() && !value.has_unknown())
}

/// The model or inference profile that an id of Bedrock names.
fn bedrock(model: &str) -> Value {
    let profile =
        ["us.", "eu.", "apac.", "us-gov.", "global.", "jp.", "au."].iter().any(|region| model.starts_with(region));
    let kind = if profile { "inference-profile" } else { "foundation-model" };
    by_name("bedrock", kind, Value::text(model)).unwrap_or_else(|| Value::text("*"))
}

/// What stands behind the last of some characters.
fn after_last(value: &Value, separators: &[char]) -> Value {
    let mut tail = Value::default();
    for part in value.parts() {
        match part {
            Part::Text(text) => match text.rfind(separators) {
                Some(at) => tail = Value::text(text.get(at + 1..).unwrap_or_default()),
                None => tail.push(part.clone()),
            },
            _ => tail.push(part.clone()),
        }
    }
    tail
}

/// What stands before the first slash.
fn before_slash(value: &Value) -> Value {
    let mut head = Value::default();
    for part in value.parts() {
        if let Part::Text(text) = part
            && let Some((before, _)) = text.split_once('/')
        {
            head.push(Part::Text(before.to_string()));
            return head;
        }
        head.push(part.clone());
    }
    head
}

/// The name within what a call is given: the last part of a queue's address, the bucket of `bucket/key`, a parameter without its slash.
fn bare_name(value: &Value, prefix: &str) -> Value {
    let address = matches!(value.parts(), [Part::Text(text), ..] if text.contains("://"));
    match prefix {
        "sqs" if address => after_last(value, &['/']),
        "s3" => before_slash(value),
        "ssm" => trim_slash(value),
        _ => value.clone(),
    }
}

fn trim_slash(value: &Value) -> Value {
    let mut trimmed = Value::default();
    for (at, part) in value.parts().iter().enumerate() {
        match part {
            Part::Text(text) if at == 0 => trimmed.push(Part::Text(text.trim_start_matches('/').to_string())),
            part => trimmed.push(part.clone()),
        }
    }
    trimmed
}

/// Makes an ARN of a resource that of the kind which the action is about: a bucket's objects, a group's streams.
fn adapt(mut arn: Value, prefix: &str, kind: &str) -> Value {
    let shown = arn.to_string();
    let resource = || shown.splitn(6, ':').nth(5).unwrap_or("").to_string();
    let written = is_arn(&arn);
    match (prefix, kind) {
        ("s3", "object") if !(written && resource().contains('/')) => arn.push(Part::Text("/*".into())),
        ("s3", "bucket") if written => return before_slash(&arn),
        ("secretsmanager", _) => {
            // AWS puts six characters of its own behind a secret's name.
            let complete = matches!(arn.parts(), [Part::Ref(_) | Part::Parameter(_) | Part::Attribute(..)])
                || shown.ends_with('*')
                || shown.ends_with('?')
                || has_secret_suffix(&shown);
            if !complete {
                arn.push(Part::Text("-??????".into()));
            }
        }
        ("logs", "log-group") if !shown.ends_with('*') => arn.push(Part::Text(":*".into())),
        _ => {}
    }
    arn
}

fn has_secret_suffix(arn: &str) -> bool {
    arn.rsplit_once('-').is_some_and(|(_, end)| {
        end.len() == 6
            && end.chars().all(|letter| letter.is_ascii_alphanumeric())
            && end.chars().any(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_about_what_its_calls_name() {
        for (action, expected) in [
            ("s3:GetObject", Some("object")),
            ("s3:ListBucket", Some("bucket")),
            ("s3:ListAllMyBuckets", None),
            ("dynamodb:Query", Some("table")),
            ("dynamodb:GetRecords", Some("stream")),
            ("sqs:SendMessage", Some("queue")),
            ("ses:SendEmail", Some("identity")),
            ("bedrock:InvokeModel", Some("foundation-model")),
            ("states:StartExecution", Some("statemachine")),
            ("xray:PutTraceSegments", None),
        ] {
            assert_eq!(kind(facts::action(action).unwrap()), expected, "{action}");
        }
    }

    #[test]
    fn names_become_arns_of_the_account() {
        let arn =
            |prefix, kind, name| adapt(by_name(prefix, kind, Value::text(name)).unwrap(), prefix, kind).to_string();
        assert_eq!(
            arn("dynamodb", "table", "orders"),
            "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders"
        );
        assert_eq!(arn("s3", "object", "reports"), "arn:${AWS::Partition}:s3:::reports/*");
        assert_eq!(
            arn("secretsmanager", "Secret", "shop/key"),
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:shop/key-??????"
        );
    }

    #[test]
    fn addresses_and_paths_are_cut_down_to_the_name() {
        let url = Value::text("https://sqs.eu-west-1.amazonaws.com/1/paid");
        assert_eq!(bare_name(&url, "sqs").to_string(), "paid");
        assert_eq!(bare_name(&Value::text("reports/2024/x.csv"), "s3").to_string(), "reports");
        assert_eq!(bare_name(&Value::text("/shop/key"), "ssm").to_string(), "shop/key");
        assert!(has_secret_suffix("arn:aws:secretsmanager:r:1:secret:db-a1B2c3") && !has_secret_suffix("x-secret"));
    }
}
