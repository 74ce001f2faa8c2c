//! What Terraform keeps in resources of its own and CloudFormation in a property: integrations of methods, targets of rules,
//! settings of buckets, policies; and properties whose shape is another one.

use crate::datum::{Datum, Field, Kind};
use crate::identities::flag;
use crate::lower::{Item, Lowered, Lowering};
use crate::node::{append, mapping, node, put, sequence, spelled, text_node};
use crate::types::BUCKET_PARTS;
use source::{Entry, Node, Span};
use std::collections::HashMap;

impl Lowering {
    /// Joins everything but identities, which `identities` does, and code, which `code` does.
    pub(crate) fn join(&mut self) {
        self.join_methods();
        self.join_rules();
        self.join_buckets();
        self.join_policies();
        self.join_targets();
        for item in self.items.clone() {
            let Some(at) = self.by_name(&item.name) else { continue };
            if let Some(made) = self.made.get_mut(at) {
                reshape(&item, made);
            }
            self.add_url_permission(&item);
            self.place_policy(&item);
        }
    }

    fn made_mut(&mut self, value: Option<&Datum>, resource_type: &str) -> Option<&mut Lowered> {
        let at = self.find(value?, resource_type)?;
        self.made.get_mut(at)
    }

    /// The integration of a method is found by API, resource and verb.
    fn join_methods(&mut self) {
        let key = |item: &Item| {
            ["rest_api_id", "resource_id", "http_method"]
                .map(|name| item.body.get(name).map(Datum::shown).unwrap_or_default())
        };
        let methods: HashMap<[String; 3], String> =
            self.of_kind(&["aws_api_gateway_method"]).iter().map(|item| (key(item), item.name.clone())).collect();
        for item in self.of_kind(&["aws_api_gateway_integration"]) {
            let Some(at) = methods.get(&key(&item)).and_then(|name| self.by_name(name)) else { continue };
            let entries = ["uri", "type", "credentials", "integration_http_method", "connection_type"];
            let entries = entries.iter().filter_map(|name| {
                let field = item.body.field(name)?;
                let key = crate::attributes::camel(name);
                Some(Entry { key, key_span: field.key_span, value: node(&field.value) })
            });
            let value = mapping(entries.collect(), item.span);
            if let Some(made) = self.made.get_mut(at) {
                put(&mut made.properties, "Integration", item.head, value);
            }
        }
    }

    fn join_rules(&mut self) {
        for item in self.of_kind(&["aws_cloudwatch_event_target"]) {
            let Some(arn) = item.body.field("arn") else { continue };
            let mut target = vec![Entry { key: "Arn".into(), key_span: arn.key_span, value: node(&arn.value) }];
            for name in ["role_arn", "input", "input_path"] {
                if let Some(field) = item.body.field(name) {
                    let key = crate::attributes::camel(name);
                    target.push(Entry { key, key_span: field.key_span, value: node(&field.value) });
                }
            }
            let target = mapping(target, item.span);
            let rule = item.body.get("rule").cloned();
            if let Some(made) = self.made_mut(rule.as_ref(), "AWS::Events::Rule") {
                append(&mut made.properties, "Targets", item.head, target);
            }
        }
    }

    fn join_targets(&mut self) {
        for item in self.of_kind(&["aws_lb_target_group_attachment", "aws_alb_target_group_attachment"]) {
            let Some(id) = item.body.field("target_id") else { continue };
            let target =
                mapping(vec![Entry { key: "Id".into(), key_span: id.key_span, value: node(&id.value) }], item.span);
            let group = item.body.get("target_group_arn").cloned();
            if let Some(made) = self.made_mut(group.as_ref(), "AWS::ElasticLoadBalancingV2::TargetGroup") {
                append(&mut made.properties, "Targets", item.head, target);
            }
        }
    }

    fn join_buckets(&mut self) {
        for item in self.of_kind(&BUCKET_PARTS) {
            let bucket = item.body.get("bucket").cloned();
            let Some(made) = self.made_mut(bucket.as_ref(), "AWS::S3::Bucket") else { continue };
            let properties = &mut made.properties;
            match item.kind.as_str() {
                "aws_s3_bucket_acl" => {
                    if let Some(acl) = item.body.field("acl") {
                        put(properties, "AccessControl", acl.key_span, access_control(&acl.value));
                    }
                }
                "aws_s3_bucket_notification" => notifications(&item, properties),
                "aws_s3_bucket_public_access_block" => {
                    let value = mapping(own_fields(&item), item.span);
                    put(properties, "PublicAccessBlockConfiguration", item.head, value);
                }
                "aws_s3_bucket_server_side_encryption_configuration" => {
                    if let Some(rule) = item.body.field("rule") {
                        let value = sequence(rule.value.items().iter().map(object).collect(), rule.value.span);
                        put(properties, "BucketEncryption.ServerSideEncryptionConfiguration", rule.key_span, value);
                    }
                }
                "aws_s3_bucket_versioning" => {
                    if let Some(status) = item.body.at("versioning_configuration.status") {
                        put(properties, "VersioningConfiguration.Status", item.head, node(status));
                    }
                }
                "aws_s3_bucket_website_configuration" => {
                    put(properties, "WebsiteConfiguration", item.head, mapping(own_fields(&item), item.span));
                }
                "aws_s3_bucket_cors_configuration" => {
                    if let Some(rules) = item.body.field("cors_rule") {
                        let value = sequence(rules.value.items().iter().map(object).collect(), rules.value.span);
                        put(properties, "CorsConfiguration.CorsRules", rules.key_span, value);
                    }
                }
                "aws_s3_bucket_logging" => {
                    put(properties, "LoggingConfiguration", item.head, mapping(own_fields(&item), item.span));
                }
                _ => {
                    if let Some(rule) = item.body.field("rule") {
                        let value = sequence(rule.value.items().iter().map(object).collect(), rule.value.span);
                        put(properties, "OwnershipControls.Rules", rule.key_span, value);
                    }
                }
            }
        }
    }

    /// Policies that are a property of what they are for.
    fn join_policies(&mut self) {
        for (kind, target, resource_type, property) in [
            ("aws_api_gateway_rest_api_policy", "rest_api_id", "AWS::ApiGateway::RestApi", "Policy"),
            ("aws_dynamodb_resource_policy", "resource_arn", "AWS::DynamoDB::Table", "ResourcePolicy.PolicyDocument"),
            ("aws_ecr_repository_policy", "repository", "AWS::ECR::Repository", "RepositoryPolicyText"),
            ("aws_efs_file_system_policy", "file_system_id", "AWS::EFS::FileSystem", "FileSystemPolicy"),
            ("aws_kms_key_policy", "key_id", "AWS::KMS::Key", "KeyPolicy"),
        ] {
            for item in self.of_kind(&[kind]) {
                let Some(policy) = item.body.field("policy") else { continue };
                let value = node(&policy.value.document().unwrap_or_else(|| policy.value.clone()));
                let target = item.body.get(target).cloned();
                if let Some(made) = self.made_mut(target.as_ref(), resource_type) {
                    put(&mut made.properties, property, policy.key_span, value);
                }
            }
        }
        // The other way round: policies that are a property here and a resource there.
        for (kind, resource_type, target, property) in [
            ("aws_sqs_queue", "AWS::SQS::QueuePolicy", "Queues", "PolicyDocument"),
            ("aws_sns_topic", "AWS::SNS::TopicPolicy", "Topics", "PolicyDocument"),
            ("aws_s3_bucket", "AWS::S3::BucketPolicy", "Bucket", "PolicyDocument"),
            ("aws_secretsmanager_secret", "AWS::SecretsManager::ResourcePolicy", "SecretId", "ResourcePolicy"),
        ] {
            for item in self.of_kind(&[kind]) {
                let Some(policy) = item.body.field("policy") else { continue };
                let Some(document) = policy.value.document() else { continue };
                let own = crate::identities::reference(&item.name, item.head);
                let properties = vec![
                    Entry { key: target.into(), key_span: item.head, value: own },
                    Entry { key: property.into(), key_span: policy.key_span, value: node(&document) },
                ];
                self.made.push(Lowered {
                    name: format!("{}.policy", item.name),
                    resource_type: resource_type.to_string(),
                    head: policy.key_span,
                    span: policy.value.span,
                    properties,
                });
            }
        }
        for item in self.of_kind(&["aws_cloudwatch_event_bus_policy"]) {
            let document = item.body.get("policy").and_then(Datum::document);
            let Some(statement) = document.as_ref().and_then(|document| document.field("Statement")) else { continue };
            if let Some(made) = self.by_name(&item.name).and_then(|at| self.made.get_mut(at)) {
                put(&mut made.properties, "Statement", statement.key_span, node(&statement.value));
            }
        }
    }

    /// A bucket's policy stands where its statements are written, which may be far from the resource that attaches them: it
    /// is by their place that audits tell a policy that was attached from one whose bucket isn't here.
    fn place_policy(&mut self, item: &Item) {
        if item.kind != "aws_s3_bucket_policy" {
            return;
        }
        let bucket = item.body.get("bucket").and_then(|bucket| self.find(bucket, "AWS::S3::Bucket"));
        let document = item.body.get("policy").and_then(Datum::document);
        let first = document.as_ref().and_then(|document| document.get("Statement")?.items().first());
        let (Some(_), Some(first)) = (bucket, first) else { return };
        if let Some(made) = self.by_name(&item.name).and_then(|at| self.made.get_mut(at)) {
            let (outer, inner) = (made.span, first.span);
            if inner.file != outer.file || inner.start < outer.start || inner.end > outer.end {
                (made.head, made.span) = (inner, inner);
            }
        }
    }

    /// The provider lets everyone through to a URL that asks for nothing: without that it would answer nobody.
    fn add_url_permission(&mut self, item: &Item) {
        if item.kind != "aws_lambda_function_url" {
            return;
        }
        let (Some(auth), Some(function)) = (item.body.field("authorization_type"), item.body.field("function_name"))
        else {
            return;
        };
        if auth.value.as_text().as_deref() != Some("NONE") {
            return;
        }
        let entry = |key: &str, value: Node| Entry { key: key.into(), key_span: auth.key_span, value };
        let span = auth.value.span;
        self.made.push(Lowered {
            name: format!("{}.permission", item.name),
            resource_type: "AWS::Lambda::Permission".into(),
            head: auth.key_span,
            span: auth.key_span.to(span),
            properties: vec![
                entry("FunctionName", node(&function.value)),
                entry("Principal", text_node("*", span)),
                entry("Action", text_node("lambda:InvokeFunctionUrl", span)),
                entry("FunctionUrlAuthType", text_node("NONE", span)),
            ],
        });
    }
}

/// The fields of an item in the other spelling, without what says which resource it is for.
fn own_fields(item: &Item) -> Vec<Entry> {
    let skipped = ["bucket", "depends_on", "for_each", "count", "provider", "expected_bucket_owner"];
    let own =
        item.body.fields().iter().filter(|field| !skipped.contains(&field.key.as_str()) && !field.value.is_null());
    own.map(|field| Entry {
        key: crate::attributes::camel(&field.key),
        key_span: field.key_span,
        value: spelled(&field.value),
    })
    .collect()
}

/// An inner block as an object.
fn object(datum: &Datum) -> Node {
    spelled(&Datum::new(datum.span, Kind::List(vec![datum.clone()])))
}

/// `public-read` as `PublicRead`.
fn access_control(value: &Datum) -> Node {
    match value.as_text() {
        Some(text) => text_node(crate::attributes::camel(&text.replace('-', "_")), value.span),
        None => node(value),
    }
}

fn notifications(item: &Item, properties: &mut Vec<Entry>) {
    for (from, target, to, name) in [
        ("lambda_function", "lambda_function_arn", "LambdaConfigurations", "Function"),
        ("queue", "queue_arn", "QueueConfigurations", "Queue"),
        ("topic", "topic_arn", "TopicConfigurations", "Topic"),
    ] {
        let Some(found) = item.body.field(from) else { continue };
        for one in found.value.items() {
            let Some(arn) = one.field(target) else { continue };
            for event in one.get("events").map_or(&[][..], Datum::items) {
                let mut entries = vec![
                    Entry { key: name.into(), key_span: arn.key_span, value: node(&arn.value) },
                    Entry { key: "Event".into(), key_span: event.span, value: node(event) },
                ];
                let mut rules = Vec::new();
                for (kind, attribute) in [("prefix", "filter_prefix"), ("suffix", "filter_suffix")] {
                    if let Some(field) =
                        one.field(attribute).filter(|field| field.value.as_text().as_deref() != Some(""))
                    {
                        let entry = |key: &str, value| Entry { key: key.into(), key_span: field.key_span, value };
                        rules.push(mapping(
                            vec![entry("Name", text_node(kind, field.key_span)), entry("Value", node(&field.value))],
                            field.key_span,
                        ));
                    }
                }
                if !rules.is_empty() {
                    put(&mut entries, "Filter.S3Key.Rules", one.span, sequence(rules, one.span));
                }
                let mut configuration = Vec::new();
                std::mem::swap(&mut configuration, &mut entries);
                append_at(properties, to, item.head, mapping(configuration, one.span));
            }
        }
    }
    if item.body.get("eventbridge").and_then(Datum::as_bool) == Some(true) {
        let value = mapping(Vec::new(), item.span);
        put(properties, "NotificationConfiguration.EventBridgeConfiguration", item.head, value);
    }
}

/// Adds to a list of the notification configuration.
fn append_at(properties: &mut Vec<Entry>, list: &str, key_span: Span, value: Node) {
    const NAME: &str = "NotificationConfiguration";
    if !properties.iter().any(|entry| entry.key == NAME) {
        properties.push(Entry { key: NAME.into(), key_span, value: mapping(Vec::new(), value.span) });
    }
    if let Some(entry) = properties.iter_mut().find(|entry| entry.key == NAME)
        && let source::NodeKind::Mapping(inner) = &mut entry.value.kind
    {
        append(inner, list, key_span, value);
    }
}

/// Properties that have another shape, not only another name.
fn reshape(item: &Item, made: &mut Lowered) {
    let body = &item.body;
    let properties = &mut made.properties;
    let remove = |properties: &mut Vec<Entry>, name: &str| properties.retain(|entry| entry.key != name);
    match item.kind.as_str() {
        "aws_lambda_function" => {
            // -1 means: no limit of its own.
            let limit = body.get("reserved_concurrent_executions").and_then(Datum::as_number);
            if limit.is_some_and(|limit| limit < 0.0) {
                remove(properties, "ReservedConcurrentExecutions");
            }
        }
        "aws_cloudwatch_log_group" if body.get("retention_in_days").and_then(Datum::as_number) == Some(0.0) => {
            remove(properties, "RetentionInDays");
        }
        "aws_kinesis_stream" if body.get("encryption_type").and_then(Datum::as_text).as_deref() == Some("NONE") => {
            remove(properties, "StreamEncryption");
        }
        "aws_kinesis_firehose_delivery_stream"
            if body.at("server_side_encryption.enabled").and_then(Datum::as_bool) == Some(false) =>
        {
            remove(properties, "DeliveryStreamEncryptionConfigurationInput");
        }
        "aws_s3_bucket" => {
            if let Some(acl) = body.field("acl") {
                put(properties, "AccessControl", acl.key_span, access_control(&acl.value));
            }
        }
        "aws_lb" | "aws_alb" => {
            if let Some(internal) = body.field("internal") {
                let scheme = match internal.value.as_bool() {
                    Some(true) => "internal",
                    _ => "internet-facing",
                };
                put(properties, "Scheme", internal.key_span, text_node(scheme, internal.value.span));
            }
        }
        "aws_iot_topic_rule" => {
            for action in body.get("lambda").map_or(&[][..], Datum::items) {
                let mut entries = Vec::new();
                if let Some(arn) = action.field("function_arn") {
                    put(&mut entries, "Lambda.FunctionArn", arn.key_span, node(&arn.value));
                }
                let value = mapping(entries, action.span);
                if let Some(payload) = properties.iter_mut().find(|entry| entry.key == "TopicRulePayload")
                    && let source::NodeKind::Mapping(inner) = &mut payload.value.kind
                {
                    append(inner, "Actions", item.head, value);
                }
            }
        }
        "aws_ses_receipt_rule" => {
            let mut actions = Vec::new();
            for action in body.get("lambda_action").map_or(&[][..], Datum::items) {
                let mut entries = Vec::new();
                if let Some(arn) = action.field("function_arn") {
                    put(&mut entries, "LambdaAction.FunctionArn", arn.key_span, node(&arn.value));
                }
                actions.push(mapping(entries, action.span));
            }
            if !actions.is_empty() {
                put(properties, "Rule.Actions", item.head, sequence(actions, item.span));
            }
        }
        "aws_lb_listener" | "aws_alb_listener" => actions(body, "default_action", "DefaultActions", properties),
        "aws_lb_listener_rule" | "aws_alb_listener_rule" => {
            actions(body, "action", "Actions", properties);
            for condition in body.get("condition").map_or(&[][..], Datum::items) {
                let mut entries = Vec::new();
                if let Some(values) = condition.at("path_pattern.values") {
                    put(&mut entries, "Field", condition.span, text_node("path-pattern", condition.span));
                    put(&mut entries, "PathPatternConfig.Values", condition.span, node(values));
                } else {
                    entries = condition.fields().iter().map(renamed).collect();
                }
                append(properties, "Conditions", item.head, mapping(entries, condition.span));
            }
        }
        "aws_cloudfront_distribution" => {
            for (from, to) in
                [("default_cache_behavior", "DefaultCacheBehavior"), ("ordered_cache_behavior", "CacheBehaviors")]
            {
                let Some(found) = body.field(from) else { continue };
                let behaviors: Vec<Node> = found.value.items().iter().map(behavior).collect();
                let value = match (from, behaviors.len()) {
                    ("default_cache_behavior", 1) => behaviors.into_iter().next().unwrap_or(Node::null(found.key_span)),
                    _ => sequence(behaviors, found.value.span),
                };
                put(properties, &format!("DistributionConfig.{to}"), found.key_span, value);
            }
        }
        "aws_iam_role" => {
            // `inline_policy` blocks hold their documents as text.
            let Some(found) = body.field("inline_policy") else { return };
            let policies = found.value.items().iter().filter_map(|policy| {
                let document = policy.field("policy")?;
                let value = document.value.document().unwrap_or_else(|| document.value.clone());
                let name = policy.get("name").map_or_else(|| text_node("inline", policy.span), node);
                let entries = vec![
                    Entry { key: "PolicyName".into(), key_span: policy.span, value: name },
                    Entry { key: "PolicyDocument".into(), key_span: document.key_span, value: node(&value) },
                ];
                Some(mapping(entries, policy.span))
            });
            let policies = sequence(policies.collect(), found.value.span);
            put(properties, "Policies", found.key_span, policies);
        }
        "aws_sfn_state_machine" => {
            // What is no document is text.
            if let Some(entry) = properties.iter_mut().find(|entry| entry.key == "Definition")
                && !entry.value.is_mapping()
            {
                entry.key = "DefinitionString".into();
            }
        }
        "aws_dynamodb_table" if body.get("stream_enabled").and_then(Datum::as_bool) == Some(false) => {
            remove(properties, "StreamSpecification");
        }
        "aws_lambda_permission" if !properties.iter().any(|entry| entry.key == "Action") => {
            let value = text_node("lambda:InvokeFunction", item.head);
            properties.push(Entry { key: "Action".into(), key_span: item.head, value });
        }
        "aws_redshift_cluster" if body.get("encrypted").is_none() => {
            // The provider's own default, which the service's replaced.
            properties.push(Entry { key: "Encrypted".into(), key_span: item.head, value: flag(true, item.head) });
        }
        _ => {}
    }
}

fn renamed(field: &Field) -> Entry {
    Entry { key: crate::attributes::camel(&field.key), key_span: field.key_span, value: spelled(&field.value) }
}

/// Actions of listeners: what they forward to stands one level deeper there.
fn actions(body: &Datum, from: &str, to: &str, properties: &mut Vec<Entry>) {
    let Some(found) = body.field(from) else { return };
    let made = found.value.items().iter().map(|action| {
        let mut entries: Vec<Entry> = action
            .fields()
            .iter()
            .filter(|field| field.key != "forward" && !field.value.is_null())
            .map(renamed)
            .collect();
        for (inner, config) in
            [("authenticate_cognito", "AuthenticateCognitoConfig"), ("authenticate_oidc", "AuthenticateOidcConfig")]
        {
            if let Some(field) = action.field(inner) {
                let value = mapping(field.value.fields().iter().map(renamed).collect(), field.value.span);
                put(&mut entries, config, field.key_span, value);
            }
        }
        if let Some(groups) = action.at("forward.target_group") {
            let groups = groups.items().iter().filter_map(|group| {
                let arn = group.field("arn")?;
                let entry = Entry { key: "TargetGroupArn".into(), key_span: arn.key_span, value: node(&arn.value) };
                Some(mapping(vec![entry], group.span))
            });
            let groups = sequence(groups.collect(), action.span);
            put(&mut entries, "ForwardConfig.TargetGroups", action.span, groups);
        }
        mapping(entries, action.span)
    });
    let made = sequence(made.collect(), found.value.span);
    put(properties, to, found.key_span, made);
}

fn behavior(datum: &Datum) -> Node {
    let plain =
        datum.fields().iter().filter(|field| field.key != "lambda_function_association" && !field.value.is_null());
    let mut entries: Vec<Entry> = plain.map(renamed).collect();
    if let Some(found) = datum.field("lambda_function_association") {
        let associations = found.value.items().iter().map(|association| {
            let mut entries = Vec::new();
            for (from, to) in [("event_type", "EventType"), ("lambda_arn", "LambdaFunctionARN")] {
                if let Some(field) = association.field(from) {
                    put(&mut entries, to, field.key_span, node(&field.value));
                }
            }
            mapping(entries, association.span)
        });
        let associations = sequence(associations.collect(), found.value.span);
        put(&mut entries, "LambdaFunctionAssociations", found.key_span, associations);
    }
    mapping(entries, datum.span)
}
