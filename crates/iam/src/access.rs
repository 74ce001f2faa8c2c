//! What an identity may do to what matters: the tables, buckets, secrets, queues, functions of a template, and all others of the account.
//!
//! Asked with one action for each thing that can be done, so that a person gets an answer rather than a list of actions.

use crate::Pattern;
use crate::arn::{Namer, all_of, canonical};
use crate::condition::Context;
use crate::effective::Permissions;
use graph::Application;
use serde::Serialize;
use source::Span;

/// What it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the names are the documentation
pub enum Matter {
    Secret,
    Parameter,
    Table,
    Bucket,
    Database,
    UserPool,
    Queue,
    Topic,
    EventBus,
    Stream,
    Function,
    StateMachine,
    Mail,
}

impl Matter {
    /// One of them and several, in words.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Secret => ("secret", "secrets"),
            Self::Parameter => ("parameter", "parameters"),
            Self::Table => ("table", "tables"),
            Self::Bucket => ("bucket", "buckets"),
            Self::Database => ("database", "databases"),
            Self::UserPool => ("user pool", "user pools"),
            Self::Queue => ("queue", "queues"),
            Self::Topic => ("topic", "topics"),
            Self::EventBus => ("event bus", "event buses"),
            Self::Stream => ("stream", "streams"),
            Self::Function => ("function", "functions"),
            Self::StateMachine => ("state machine", "state machines"),
            Self::Mail => ("mail address", "mail addresses"),
        }
    }

    /// Whether it holds data, so that losing it matters by itself.
    pub fn holds_data(self) -> bool {
        matches!(self, Self::Secret | Self::Parameter | Self::Table | Self::Bucket | Self::Database | Self::UserPool)
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Sees what is in it.
    Read,
    /// Changes what is in it; sends to it.
    Write,
    /// Removes what is in it.
    Delete,
    /// Starts it.
    Invoke,
    /// Replaces its code.
    Rewrite,
}

/// One thing that an identity may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// To what kind of thing.
    pub matter: Matter,
    /// The resource or function of the template; none for all of the kind that the account has.
    pub name: Option<String>,
    /// What.
    pub verb: Verb,
    /// The statement that allows it.
    pub because: Option<Span>,
    /// Whether no condition or unknown guard rail stands in between.
    pub certain: bool,
}

/// What stands for each thing that can be done.
struct Probe {
    matter: Matter,
    prefix: &'static str,
    kind: &'static str,
    types: &'static [&'static str],
    actions: &'static [(Verb, &'static str)],
}

const TABLES: &[&str] = &["AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::Serverless::SimpleTable"];
const MACHINES: &[&str] = &["AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine"];

#[rustfmt::skip] // a table
const PROBES: &[Probe] = &[
    Probe { matter: Matter::Secret, prefix: "secretsmanager", kind: "Secret", types: &["AWS::SecretsManager::Secret"], actions: &[(Verb::Read, "secretsmanager:GetSecretValue")] },
    Probe { matter: Matter::Parameter, prefix: "ssm", kind: "parameter", types: &["AWS::SSM::Parameter"], actions: &[(Verb::Read, "ssm:GetParameter"), (Verb::Write, "ssm:PutParameter")] },
    Probe { matter: Matter::Table, prefix: "dynamodb", kind: "table", types: TABLES, actions: &[(Verb::Read, "dynamodb:Scan"), (Verb::Read, "dynamodb:Query"), (Verb::Read, "dynamodb:GetItem"), (Verb::Write, "dynamodb:PutItem"), (Verb::Write, "dynamodb:UpdateItem"), (Verb::Delete, "dynamodb:DeleteItem"), (Verb::Delete, "dynamodb:DeleteTable")] },
    Probe { matter: Matter::Bucket, prefix: "s3", kind: "object", types: &["AWS::S3::Bucket"], actions: &[(Verb::Read, "s3:GetObject"), (Verb::Write, "s3:PutObject"), (Verb::Delete, "s3:DeleteObject")] },
    Probe { matter: Matter::Database, prefix: "rds-data", kind: "cluster", types: &["AWS::RDS::DBCluster"], actions: &[(Verb::Read, "rds-data:ExecuteStatement"), (Verb::Write, "rds-data:ExecuteStatement")] },
    Probe { matter: Matter::UserPool, prefix: "cognito-idp", kind: "userpool", types: &["AWS::Cognito::UserPool"], actions: &[(Verb::Read, "cognito-idp:ListUsers"), (Verb::Read, "cognito-idp:AdminGetUser"), (Verb::Write, "cognito-idp:AdminUpdateUserAttributes"), (Verb::Write, "cognito-idp:AdminSetUserPassword"), (Verb::Delete, "cognito-idp:AdminDeleteUser")] },
    Probe { matter: Matter::Queue, prefix: "sqs", kind: "queue", types: &["AWS::SQS::Queue"], actions: &[(Verb::Write, "sqs:SendMessage")] },
    Probe { matter: Matter::Topic, prefix: "sns", kind: "topic", types: &["AWS::SNS::Topic"], actions: &[(Verb::Write, "sns:Publish")] },
    Probe { matter: Matter::EventBus, prefix: "events", kind: "event-bus", types: &["AWS::Events::EventBus"], actions: &[(Verb::Write, "events:PutEvents")] },
    Probe { matter: Matter::Stream, prefix: "kinesis", kind: "stream", types: &["AWS::Kinesis::Stream"], actions: &[(Verb::Write, "kinesis:PutRecord")] },
    Probe { matter: Matter::Function, prefix: "lambda", kind: "function", types: &["AWS::Lambda::Function", "AWS::Serverless::Function"], actions: &[(Verb::Invoke, "lambda:InvokeFunction"), (Verb::Rewrite, "lambda:UpdateFunctionCode")] },
    Probe { matter: Matter::StateMachine, prefix: "states", kind: "statemachine", types: MACHINES, actions: &[(Verb::Invoke, "states:StartExecution")] },
    Probe { matter: Matter::Mail, prefix: "ses", kind: "identity", types: &["AWS::SES::EmailIdentity"], actions: &[(Verb::Write, "ses:SendEmail")] },
];

/// What may be done, by kind of thing and name, what reaches all of a kind first.
pub fn access(application: &Application, permissions: &Permissions) -> Vec<Access> {
    let namer = Namer { application };
    let context = Context::new();
    let mut found: Vec<Access> = Vec::new();
    for probe in PROBES {
        for (verb, action) in probe.actions.iter().filter(|(_, action)| permissions.names(action)) {
            let all = Pattern::value(&canonical(application, &all_of(probe.prefix, probe.kind)));
            let wide = permissions
                .reach(action, &all, &context)
                .into_iter()
                .filter(|reached| reached.pattern.covers(&all))
                .max_by_key(|reached| reached.ability.certain);
            let mut add = |name: Option<String>, ability: crate::Ability| {
                if found.iter().any(|known| known.matter == probe.matter && known.verb == *verb && known.name == name) {
                    return;
                }
                let because = permissions.statement(ability.statement).map(|statement| statement.span);
                found.push(Access { matter: probe.matter, name, verb: *verb, because, certain: ability.certain });
            };
            if let Some(wide) = wide {
                add(None, wide.ability);
            }
            let functions = application.functions.iter().map(|function| (&function.name, &function.resource_type));
            let resources = application.resources.iter().map(|resource| (&resource.name, &resource.resource_type));
            for (name, resource_type) in functions.chain(resources) {
                if !probe.types.contains(&resource_type.as_str()) {
                    continue;
                }
                let Some(arn) = namer.of_template(name, probe.prefix, probe.kind) else { continue };
                let mut arn = canonical(application, &arn);
                if probe.kind == "object" {
                    arn.push(graph::Part::Text("/*".into()));
                }
                if let Some(ability) = permissions.can(action, &Pattern::value(&arn), &context) {
                    add(Some(name.clone()), ability);
                }
            }
        }
    }
    found.sort_by(|left, right| {
        (left.matter, left.name.is_some(), &left.name, left.verb).cmp(&(
            right.matter,
            right.name.is_some(),
            &right.name,
            right.verb,
        ))
    });
    found
}
