//! Identities: the roles a template writes, those SAM generates, and what each of them may do.

use crate::model::{Block, Template};
use crate::normalize::intrinsic;
use crate::policy::{
    PolicyKind, flatten, implied, managed, managed_name, managed_reference, sam_template, statements, trusted,
    unresolved,
};
use crate::reader::Reader;
use findings::{Level, near_miss};
use graph::{Identity, IdentityKind, Origin, Part, Value};
use source::{Entry, Node, NodeKind, Span};
use std::collections::HashMap;

/// Policies of AWS that a SAM function's generated role gets for one of its properties or events.
const BASIC: &str = "AWSLambdaBasicExecutionRole";

impl Reader<'_, '_> {
    /// Reads every role, generates those that SAM would, attaches stand-alone policies, and tells functions their identity.
    pub(crate) fn read_roles(&mut self) {
        let template = self.template.clone();
        for block in template.of_type("AWS::IAM::Role") {
            self.read_role(&template, block);
        }
        self.read_principals(&template);
        for block in &template.blocks {
            let generated = match block.resource_type.as_str() {
                "AWS::Serverless::Function" => block.get("Role").is_none_or(Node::is_null),
                "AWS::Serverless::StateMachine" => block.get("Role").is_none_or(Node::is_null),
                _ => false,
            };
            if generated {
                self.generate_role(&template, block);
            } else if block.resource_type == "AWS::Serverless::Function"
                && let Some(entry) = block.node.at(&["Properties"]).and_then(|properties| properties.entry("Policies"))
            {
                self.report(
                    Level::Note,
                    entry.key_span,
                    format!("`Policies` of `{}` have no effect, since it has a `Role`", block.name),
                    "move them to the role, or leave the role out",
                );
            }
        }
        self.attach_policies(&template);
        for at in 0..self.application.functions.len() {
            let Some(function) = self.application.functions.get(at) else { break };
            let identity = match &function.role {
                Some(role) => self.role_of(&template, &role.value),
                None if function.resource_type == "AWS::Serverless::Function" => Some(format!("{}Role", function.name)),
                None => None,
            };
            if let Some(function) = self.application.functions.get_mut(at) {
                function.identity = identity;
            }
        }
    }

    /// The role that a value names: by reference, inside an ARN, or by its deployed name.
    fn role_of(&self, template: &Template, value: &Value) -> Option<String> {
        self.identity_named(template, value, IdentityKind::Role)
    }

    fn read_role(&mut self, template: &Template, block: &Block) {
        let mut identity = Identity {
            name: block.name.clone(),
            kind: IdentityKind::Role,
            deployed_name: block.get("RoleName").map(|name| template.value(name)),
            groups: Vec::new(),
            span: block.span,
            generated: false,
            statements: Vec::new(),
            trusted: block
                .get("AssumeRolePolicyDocument")
                .map(|document| trusted(template, document))
                .unwrap_or_default(),
            trust: block
                .get("AssumeRolePolicyDocument")
                .map(|document| statements(template, document, PolicyKind::Resource, &Origin::Inline, self.diagnostics))
                .unwrap_or_default(),
            boundary: block.get("PermissionsBoundary").map(|boundary| template.value(boundary)),
            unresolved_policies: Vec::new(),
        };
        self.read_own_policies(template, block, &mut identity);
        self.application.identities.push(identity);
    }

    /// What is written into a role, user or group: `Policies` and `ManagedPolicyArns`.
    pub(crate) fn read_own_policies(&mut self, template: &Template, block: &Block, identity: &mut Identity) {
        let kind = match identity.kind {
            IdentityKind::Role => "role",
            IdentityKind::User => "user",
            IdentityKind::Group => "group",
        };
        if let Some(policies) = block.get("Policies") {
            flatten(policies, &mut |policy| match policy.get("PolicyDocument") {
                Some(document) => identity.statements.extend(statements(
                    template,
                    document,
                    PolicyKind::Identity,
                    &Origin::Inline,
                    self.diagnostics,
                )),
                None if intrinsic(policy).is_none() => {
                    let message = format!("a policy of {kind} `{}` has no `PolicyDocument`", block.name);
                    let help = "an inline policy has `PolicyName` and `PolicyDocument`";
                    self.diagnostics
                        .push(findings::Diagnostic::at(Level::Warning, crate::READER, policy.span, message).help(help));
                }
                None => {}
            });
        }
        if let Some(arns) = block.get("ManagedPolicyArns") {
            for arn in template.values(arns) {
                self.attach_named(template, identity, &arn.value, arn.span);
            }
        }
    }

    /// Attaches a policy by name, ARN or reference.
    fn attach_named(&mut self, template: &Template, identity: &mut Identity, value: &Value, span: Span) {
        // A managed policy of the same template is attached with its own source position.
        if let Some(block) =
            value.resource().and_then(|name| template.block(name)).or_else(|| policy_by_name(template, value))
            && matches!(block.resource_type.as_str(), "AWS::IAM::ManagedPolicy" | "AWS::IAM::Policy")
        {
            if let Some(document) = block.get("PolicyDocument") {
                let found = statements(template, document, PolicyKind::Identity, &Origin::Inline, &mut Vec::new());
                identity
                    .statements
                    .extend(found.into_iter().filter(|new| !identity.statements.contains(new)).collect::<Vec<_>>());
            }
            return;
        }
        let Some(reference) = managed_reference(value) else {
            identity.unresolved_policies.push(unresolved(value.clone(), span));
            return;
        };
        let name = managed_name(&reference).to_string();
        match managed(&reference, &Origin::Managed(name.clone()), span) {
            Some(found) => identity.statements.extend(found),
            None => {
                if !reference.starts_with("arn:")
                    && let Some(template_name) = facts::sam_policy_template(&reference)
                {
                    let help = format!("write it as an object with its parameters: `{}: {{}}`", template_name.name);
                    self.report(
                        Level::Warning,
                        span,
                        format!("policy template `{reference}` is written as a name"),
                        help,
                    );
                }
                if facts::sam_policy_template(&reference).is_none() {
                    self.check_managed(&reference, span);
                }
                identity.unresolved_policies.push(unresolved(value.clone(), span));
            }
        }
    }

    /// Says that AWS has no such managed policy, where the name claims to be one of AWS's.
    fn check_managed(&mut self, reference: &str, span: Span) {
        let name = managed_name(reference);
        if reference.starts_with("arn:") && !reference.contains(":iam::aws:policy/") {
            return;
        }
        let help = match facts::managed_policy_arn(name) {
            Some(arn) => format!("did you mean `{arn}`?"),
            None => match near_miss(name, facts::managed_policies()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "what it grants isn't known".to_string(),
            },
        };
        self.report(Level::Warning, span, format!("AWS has no managed policy `{reference}` that is known here"), help);
    }

    /// The role that SAM makes for a function or state machine without one.
    fn generate_role(&mut self, template: &Template, block: &Block) {
        let function = block.resource_type == "AWS::Serverless::Function";
        let service = if function { "lambda.amazonaws.com" } else { "states.amazonaws.com" };
        let trust = block.get("AssumeRolePolicyDocument").filter(|_| function);
        let mut identity = Identity {
            name: format!("{}Role", block.name),
            kind: IdentityKind::Role,
            deployed_name: None,
            groups: Vec::new(),
            span: block.span,
            generated: true,
            statements: Vec::new(),
            trusted: trust.map_or_else(|| vec![Value::text(service)], |document| trusted(template, document)),
            trust: trust
                .map(|document| statements(template, document, PolicyKind::Resource, &Origin::Inline, self.diagnostics))
                .unwrap_or_default(),
            boundary: block.get("PermissionsBoundary").map(|boundary| template.value(boundary)),
            unresolved_policies: Vec::new(),
        };
        if function {
            add_implied(template, block, &mut identity);
        } else if block.at(&["Tracing", "Enabled"]).and_then(|flag| template.flag(flag)) == Some(true) {
            let span = block.properties.entry("Tracing").map_or(block.name_span, |entry| entry.key_span);
            add_managed(&mut identity, "AWSXrayWriteOnlyAccess", "tracing", span);
        }
        if let Some(policies) = block.get("Policies") {
            let mut found = Vec::new();
            flatten(policies, &mut |policy| found.push(policy.clone()));
            for policy in found {
                self.attach_sam_policy(template, &mut identity, &block.name, &policy);
            }
        }
        self.application.identities.push(identity);
    }

    /// One entry of SAM's `Policies`: a name, an ARN, a template with parameters, or a document.
    fn attach_sam_policy(&mut self, template: &Template, identity: &mut Identity, owner: &str, policy: &Node) {
        if intrinsic(policy).is_some() || matches!(policy.kind, NodeKind::Scalar { .. }) {
            let value = template.value(policy);
            // SAM gives basic execution anyway; named again it is still one policy.
            let text = managed_reference(&value);
            if text.as_deref().map(managed_name) == Some(BASIC) {
                identity.statements.retain(|statement| statement.origin != Origin::Implied("basic execution".into()));
            }
            self.attach_named(template, identity, &value, policy.span);
            return;
        }
        if policy.get("Statement").is_some() {
            let found = statements(template, policy, PolicyKind::Identity, &Origin::Inline, self.diagnostics);
            identity.statements.extend(found);
            return;
        }
        if let Some(document) = policy.get("PolicyDocument") {
            let found = statements(template, document, PolicyKind::Identity, &Origin::Inline, self.diagnostics);
            identity.statements.extend(found);
            return;
        }
        for entry in policy.entries() {
            self.attach_template(template, identity, owner, entry, policy);
        }
    }

    fn attach_template(
        &mut self,
        template: &Template,
        identity: &mut Identity,
        owner: &str,
        entry: &Entry,
        policy: &Node,
    ) {
        if let Some(found) = sam_template(template, entry, owner, self.diagnostics) {
            identity.statements.extend(found);
            return;
        }
        if matches!(entry.key.as_str(), "Version" | "Id") {
            return;
        }
        if matches!(entry.key.as_str(), "Effect" | "Action" | "Resource" | "Sid") {
            // A bare statement where a document should stand: say so once, and read what was meant.
            if policy.entries().first().is_some_and(|first| first.key == entry.key) {
                self.report(
                    Level::Warning,
                    entry.key_span,
                    format!("a policy of `{owner}` is a bare statement"),
                    "put it under `Statement:`",
                );
                let document = Node {
                    span: policy.span,
                    tag: None,
                    kind: NodeKind::Mapping(vec![Entry {
                        key: "Statement".into(),
                        key_span: entry.key_span,
                        value: policy.clone(),
                    }]),
                };
                let found = statements(template, &document, PolicyKind::Identity, &Origin::Inline, self.diagnostics);
                identity.statements.extend(found);
            }
            return;
        }
        // A managed policy's name with a colon behind it (`AmazonSQSFullAccess:`) means the policy all the same.
        if let Some(found) = managed(&entry.key, &Origin::Managed(entry.key.clone()), entry.key_span) {
            identity.statements.extend(found);
            return;
        }
        let near = near_miss(&entry.key, facts::sam_policy_templates().map(|known| known.name));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "SAM has no policy template of that name; what it grants isn't known".to_string(),
        };
        self.report(
            Level::Warning,
            entry.key_span,
            format!("unknown policy template `{}` of `{owner}`", entry.key),
            help,
        );
        identity.unresolved_policies.push(unresolved(Value::text(entry.key.clone()), entry.key_span));
    }
}

fn add_managed(identity: &mut Identity, name: &str, reason: &str, span: Span) {
    match managed(name, &Origin::Implied(reason.to_string()), span) {
        Some(found) => identity.statements.extend(found),
        None => identity.unresolved_policies.push(unresolved(Value::text(name), span)),
    }
}

/// What SAM gives a function's role without being asked.
fn add_implied(template: &Template, block: &Block, identity: &mut Identity) {
    let key_span = |name: &str| block.properties.entry(name).map_or(block.name_span, |entry| entry.key_span);
    match block.get("DurableConfig").filter(|config| !config.is_null()) {
        Some(_) => {
            add_managed(
                identity,
                "AWSLambdaBasicDurableExecutionRolePolicy",
                "durable execution",
                key_span("DurableConfig"),
            );
        }
        None => add_managed(identity, BASIC, "basic execution", block.name_span),
    }
    if let Some(tracing) = block.get("Tracing").filter(|tracing| !tracing.is_null())
        && template.text(tracing).as_deref() != Some("Disabled")
    {
        add_managed(identity, "AWSXrayWriteOnlyAccess", "tracing", key_span("Tracing"));
    }
    if block.get("VpcConfig").is_some_and(|vpc| vpc.is_mapping() && !vpc.entries().is_empty()) {
        add_managed(identity, "AWSLambdaVPCAccessExecutionRole", "VPC access", key_span("VpcConfig"));
    }
    if let Some(queue) = block.get("DeadLetterQueue")
        && let Some(target) = queue.get("TargetArn")
    {
        let action = match queue.get("Type").and_then(|kind| template.text(kind)).as_deref() {
            Some("SNS") => "sns:Publish",
            _ => "sqs:SendMessage",
        };
        let statement =
            implied(&[action], vec![template.value(target)], "dead letter queue", key_span("DeadLetterQueue"));
        identity.statements.push(statement);
    }
    for outcome in ["OnSuccess", "OnFailure"] {
        if let Some(destination) = block.at(&["EventInvokeConfig", "DestinationConfig", outcome]) {
            add_destination(template, destination, "event destination", identity);
        }
    }
    if let Some(events) = block.get("Events") {
        for event in events.entries() {
            add_event_source(template, event, identity);
        }
    }
}

/// Sending to a destination. One that SAM creates itself is named after the function and not granted to anything else.
fn add_destination(template: &Template, destination: &Node, reason: &str, identity: &mut Identity) {
    let Some(target) = destination.get("Destination") else { return };
    let value = template.value(target);
    let kind = destination.get("Type").and_then(|kind| template.text(kind));
    let named = value.resource().and_then(|name| template.type_of(name)).unwrap_or("");
    let action = match kind.as_deref() {
        Some("SQS") => "sqs:SendMessage",
        Some("SNS") => "sns:Publish",
        Some("Lambda") => "lambda:InvokeFunction",
        Some("EventBridge") => "events:PutEvents",
        Some("S3Bucket" | "S3") => "s3:PutObject",
        _ => match named {
            "AWS::SQS::Queue" => "sqs:SendMessage",
            "AWS::SNS::Topic" => "sns:Publish",
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => "lambda:InvokeFunction",
            "AWS::Events::EventBus" => "events:PutEvents",
            _ => return,
        },
    };
    identity.statements.push(implied(&[action], vec![value], reason, destination.span));
}

/// What reading an event source takes.
fn add_event_source(template: &Template, event: &Entry, identity: &mut Identity) {
    let Some(kind) = event.value.get("Type").and_then(Node::as_str) else { return };
    let reason = format!("event {}", event.key);
    let span = event.key_span;
    let empty = Node::null(span);
    let properties = event.value.get("Properties").unwrap_or(&empty);
    let polled = match kind {
        "SQS" => Some("AWSLambdaSQSQueueExecutionRole"),
        "Kinesis" => Some("AWSLambdaKinesisExecutionRole"),
        "DynamoDB" => Some("AWSLambdaDynamoDBExecutionRole"),
        "MSK" => Some("AWSLambdaMSKExecutionRole"),
        // The topic feeds a queue, and the function polls that.
        "SNS" if properties.get("SqsSubscription").is_some_and(|node| template.flag(node) != Some(false)) => {
            Some("AWSLambdaSQSQueueExecutionRole")
        }
        _ => None,
    };
    if let Some(name) = polled {
        // Two queues need the policy once.
        let known = identity.statements.iter().any(|statement| {
            matches!(&statement.origin, Origin::Implied(by) if by.starts_with("event "))
                && managed(name, &statement.origin, statement.span).is_some_and(|found| found.contains(statement))
        });
        if !known {
            add_managed(identity, name, &reason, span);
        }
    }
    let secrets = access_secrets(template, properties);
    let own = |service: &str, rest: &str| {
        let mut arn = Value::text("arn:");
        for (index, part) in ["AWS::Partition", "AWS::Region", "AWS::AccountId"].into_iter().enumerate() {
            arn.push(Part::Pseudo(part.to_string()));
            arn.push(Part::Text(if index == 0 { format!(":{service}:") } else { ":".to_string() }));
        }
        arn.push(Part::Text(rest.to_string()));
        arn
    };
    let mut add = |actions: &[&str], resources: Vec<Value>| {
        identity.statements.push(implied(actions, resources, &reason, span));
    };
    const NETWORK: [&str; 6] = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
    ];
    let source = |name: &str| properties.get(name).map(|node| template.value(node)).into_iter().collect::<Vec<_>>();
    match kind {
        "MSK" => {
            if let Some(secret) = secrets.get("CLIENT_CERTIFICATE_TLS_AUTH") {
                add(&["secretsmanager:GetSecretValue"], vec![secret.clone()]);
            }
        }
        "MQ" => {
            if let Some(secret) = secrets.get("BASIC_AUTH") {
                add(&["secretsmanager:GetSecretValue"], vec![secret.clone()]);
            }
            add(&["mq:DescribeBroker"], source("Broker"));
        }
        "SelfManagedKafka" => {
            let named = [
                "SASL_SCRAM_256_AUTH",
                "SASL_SCRAM_512_AUTH",
                "BASIC_AUTH",
                "CLIENT_CERTIFICATE_TLS_AUTH",
                "SERVER_ROOT_CA_CERTIFICATE",
            ];
            for secret in named.iter().filter_map(|kind| secrets.get(*kind)) {
                add(&["secretsmanager:GetSecretValue"], vec![secret.clone()]);
            }
            if secrets.contains_key("VPC_SUBNET") && secrets.contains_key("VPC_SECURITY_GROUP") {
                add(&NETWORK, vec![Value::text("*")]);
            }
        }
        "DocumentDB" => {
            if let Some(secret) = secrets.get("BASIC_AUTH") {
                add(&["secretsmanager:GetSecretValue"], vec![secret.clone()]);
            }
            add(&["rds:DescribeDBClusterParameters"], vec![own("rds", "cluster-pg:*")]);
            add(&["rds:DescribeDBSubnetGroups"], vec![own("rds", "subgrp:*")]);
            add(&["rds:DescribeDBClusters"], source("Cluster"));
            add(&NETWORK, vec![Value::text("*")]);
        }
        _ => {}
    }
    if matches!(kind, "MQ" | "SelfManagedKafka" | "DocumentDB")
        && let Some(key) = properties.get("SecretsManagerKmsKeyId")
    {
        let mut arn = own("kms", "key/");
        arn.extend(template.value(key));
        add(&["kms:Decrypt"], vec![arn]);
    }
    if matches!(kind, "Kinesis" | "DynamoDB" | "MSK" | "SelfManagedKafka")
        && let Some(destination) = properties.at(&["DestinationConfig", "OnFailure"])
    {
        add_destination(template, destination, &reason, identity);
    }
}

/// `SourceAccessConfigurations` by type.
fn access_secrets(template: &Template, properties: &Node) -> HashMap<String, Value> {
    let configurations = properties.get("SourceAccessConfigurations").map_or(&[][..], Node::one_or_many);
    configurations
        .iter()
        .filter_map(|configuration| {
            let kind = template.text(configuration.get("Type")?)?;
            Some((kind, template.value(configuration.get("URI")?)))
        })
        .collect()
}

/// The managed policy of the template that an ARN names by the name it is deployed under.
fn policy_by_name<'a>(template: &'a Template, value: &Value) -> Option<&'a Block> {
    let shown = value.to_string();
    let (_, path) = shown.split_once(":policy/")?;
    if shown.contains(":iam::aws:") {
        return None;
    }
    let name = path.rsplit('/').next()?;
    template
        .of_type("AWS::IAM::ManagedPolicy")
        .find(|block| block.get("ManagedPolicyName").is_some_and(|policy| template.value(policy).to_string() == name))
}
