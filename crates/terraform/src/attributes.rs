//! What an attribute of a resource or data source stands for: in CloudFormation's terms (`!Ref`, `!GetAtt`) where the platform
//! gives it, as written where the configuration does.

use crate::datum::{Chunk, Datum, Kind, Reference};
use crate::evaluate::Evaluator;
use crate::parse::parse_template;
use graph::Part;
use source::Span;
use std::rc::Rc;

/// What the platform makes an attribute.
enum Meaning {
    /// `!Ref`.
    Reference,
    /// `!GetAtt`.
    Attribute(&'static str),
    /// The address under which API Gateway invokes a function.
    Invocation(Part),
    /// `arn:…:service:region:account:` and this before the reference.
    Arn(&'static str, &'static str),
    /// As the configuration says.
    Written,
}

/// Types whose `Ref` in CloudFormation is what Terraform calls `arn`.
const ARN_REFERENCES: [&str; 22] = [
    "aws_sns_topic",
    "aws_sns_topic_subscription",
    "aws_secretsmanager_secret",
    "aws_iam_policy",
    "aws_lb",
    "aws_alb",
    "aws_lb_listener",
    "aws_alb_listener",
    "aws_lb_listener_rule",
    "aws_lb_target_group",
    "aws_alb_target_group",
    "aws_lambda_layer_version",
    "aws_lambda_alias",
    "aws_msk_cluster",
    "aws_msk_serverless_cluster",
    "aws_ecs_task_definition",
    "aws_sfn_activity",
    "aws_batch_job_queue",
    "aws_batch_job_definition",
    "aws_batch_compute_environment",
    "aws_acm_certificate",
    "aws_wafv2_web_acl",
];

/// Types whose `Ref` is the name they are deployed under.
const NAME_REFERENCES: [&str; 33] = [
    "aws_lambda_function",
    "aws_dynamodb_table",
    "aws_iam_role",
    "aws_iam_user",
    "aws_iam_group",
    "aws_iam_instance_profile",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_bus",
    "aws_cloudwatch_log_group",
    "aws_kinesis_stream",
    "aws_kinesis_firehose_delivery_stream",
    "aws_ssm_parameter",
    "aws_s3_bucket",
    "aws_s3_bucket_v2",
    "aws_s3_directory_bucket",
    "aws_codebuild_project",
    "aws_codepipeline",
    "aws_glue_job",
    "aws_glue_crawler",
    "aws_glue_catalog_database",
    "aws_ecr_repository",
    "aws_ecs_cluster",
    "aws_eks_cluster",
    "aws_iot_topic_rule",
    "aws_scheduler_schedule",
    "aws_scheduler_schedule_group",
    "aws_pipes_pipe",
    "aws_sagemaker_notebook_instance",
    "aws_athena_workgroup",
    "aws_codecommit_repository",
    "aws_timestreamwrite_database",
    "aws_api_gateway_stage",
    "aws_db_instance",
];

fn meaning(kind: &str, name: &str, address: &str) -> Meaning {
    use Meaning::{Arn, Attribute, Invocation, Reference, Written};
    match (kind, name) {
        ("aws_lambda_function", "function_name" | "id" | "name") => Reference,
        ("aws_lambda_function", "arn" | "qualified_arn") => Attribute("Arn"),
        ("aws_lambda_function", "invoke_arn" | "qualified_invoke_arn" | "response_streaming_invoke_arn") => {
            Invocation(Part::Attribute(address.to_string(), "Arn".into()))
        }
        ("aws_lambda_alias", "invoke_arn") => Invocation(Part::Ref(address.to_string())),
        ("aws_lambda_alias", "name" | "function_name" | "function_version") => Written,
        ("aws_lambda_layer_version", "layer_arn") => Reference,
        ("aws_lambda_function_url", "function_url") => Attribute("FunctionUrl"),
        ("aws_lambda_function_url", "function_arn") => Attribute("FunctionArn"),
        ("aws_sqs_queue", "url" | "id") => Reference,
        ("aws_sqs_queue", "name") => Attribute("QueueName"),
        ("aws_sns_topic", "name") => Attribute("TopicName"),
        ("aws_s3_bucket", "bucket") => Reference,
        ("aws_s3_bucket", "bucket_domain_name") => Attribute("DomainName"),
        ("aws_s3_bucket", "bucket_regional_domain_name") => Attribute("RegionalDomainName"),
        ("aws_kinesis_stream" | "aws_kinesis_firehose_delivery_stream", "id") => Attribute("Arn"),
        ("aws_cloudwatch_log_group", "arn") => Arn("logs", "log-group:"),
        ("aws_sfn_state_machine", "id") => Attribute("Arn"),
        ("aws_sfn_state_machine", "name") => Attribute("Name"),
        ("aws_iam_role", "unique_id") => Attribute("RoleId"),
        ("aws_kms_key", "key_id" | "id") => Reference,
        ("aws_kms_alias", "name" | "id") => Reference,
        ("aws_kms_alias", "target_key_arn" | "target_key_id") => Written,
        ("aws_rds_cluster" | "aws_docdb_cluster" | "aws_neptune_cluster", "arn") => Attribute("DBClusterArn"),
        ("aws_rds_cluster", "id" | "cluster_identifier") => Reference,
        ("aws_rds_cluster", "endpoint") => Attribute("Endpoint.Address"),
        ("aws_db_instance", "arn") => Attribute("DBInstanceArn"),
        ("aws_db_instance", "id" | "identifier") => Reference,
        ("aws_db_instance", "address" | "endpoint") => Attribute("Endpoint.Address"),
        ("aws_appsync_graphql_api", "id") => Attribute("ApiId"),
        ("aws_appsync_graphql_api", "arn") => Attribute("Arn"),
        ("aws_api_gateway_rest_api" | "aws_apigatewayv2_api", "execution_arn") => Arn("execute-api", ""),
        ("aws_api_gateway_stage", "stage_name") => Reference,
        ("aws_apigatewayv2_stage", "name" | "id") => Reference,
        ("aws_apigatewayv2_api" | "aws_apigatewayv2_authorizer", "name") => Written,
        ("aws_cognito_user_pool", "endpoint") => Attribute("ProviderName"),
        ("aws_ecr_repository", "repository_url") => Attribute("RepositoryUri"),
        ("aws_lb" | "aws_alb", "dns_name") => Attribute("DNSName"),
        ("aws_lb" | "aws_alb", "id") => Reference,
        ("aws_ssm_parameter", "arn") => Written,
        ("aws_ssm_parameter", "value" | "type") => Written,
        ("aws_secretsmanager_secret", "name") => Written,
        ("aws_secretsmanager_secret_version", "arn" | "secret_id") => Written,
        ("aws_cloudfront_origin_access_identity", "iam_arn") => Attribute("IamArn"),
        (_, "arn") if ARN_REFERENCES.contains(&kind) => Reference,
        (_, "arn") => Attribute("Arn"),
        (_, "id") => Reference,
        (_, "name") if NAME_REFERENCES.contains(&kind) => Reference,
        _ => Written,
    }
}

/// `snake_case` as `CamelCase`.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            out.extend(first.to_uppercase());
            out.push_str(letters.as_str());
        }
    }
    out
}

/// `arn:${AWS::Partition}:service:${AWS::Region}:${AWS::AccountId}:rest`; global services leave region and account out.
pub(crate) fn arn(service: &str, region: bool, account: bool, rest: Vec<Chunk>, span: Span) -> Vec<Chunk> {
    let text = |text: &str| Chunk::Known(text.to_string(), span);
    let pseudo = |name: &str| Chunk::Hole(Part::Pseudo(name.to_string()), span);
    let mut chunks = vec![text("arn:"), pseudo("AWS::Partition"), text(&format!(":{service}:"))];
    if region {
        chunks.push(pseudo("AWS::Region"));
    }
    chunks.push(text(":"));
    if account {
        chunks.push(pseudo("AWS::AccountId"));
    }
    chunks.push(text(":"));
    chunks.extend(rest);
    chunks
}

/// The address under which API Gateway invokes a function of this ARN.
fn invocation(part: Part, span: Span) -> Vec<Chunk> {
    let text = |text: &str| Chunk::Known(text.to_string(), span);
    let pseudo = |name: &str| Chunk::Hole(Part::Pseudo(name.to_string()), span);
    vec![
        text("arn:"),
        pseudo("AWS::Partition"),
        text(":apigateway:"),
        pseudo("AWS::Region"),
        text(":lambda:path/2015-03-31/functions/"),
        Chunk::Hole(part, span),
        text("/invocations"),
    ]
}

/// What the platform makes an attribute of a resource whose configuration isn't there to be asked.
pub(crate) fn computed(kind: &str, name: &str, address: &str, span: Span) -> Vec<Chunk> {
    match meaning(kind, name, address) {
        Meaning::Reference => vec![Chunk::Hole(Part::Ref(address.to_string()), span)],
        Meaning::Attribute(attribute) => {
            vec![Chunk::Hole(Part::Attribute(address.to_string(), attribute.into()), span)]
        }
        Meaning::Invocation(part) => invocation(part, span),
        Meaning::Arn(service, prefix) => {
            let rest = vec![Chunk::Known(prefix.into(), span), Chunk::Hole(Part::Ref(address.to_string()), span)];
            arn(service, true, true, rest, span)
        }
        Meaning::Written if name == "name" => vec![Chunk::Hole(Part::Ref(address.to_string()), span)],
        Meaning::Written => vec![Chunk::Hole(Part::Attribute(address.to_string(), camel(name)), span)],
    }
}

impl Evaluator<'_, '_> {
    /// What `reference.name` stands for.
    pub(crate) fn resource_attribute(&mut self, reference: &Rc<Reference>, name: &str, span: Span) -> Datum {
        let open = ((**reference).clone(), name.to_string());
        if self.open.contains(&open) || self.open.len() > 64 {
            return Datum::unknown(span, format!("{}.{}.{name} depends on itself", reference.kind, reference.name));
        }
        self.open.push(open);
        let found = if reference.data {
            self.data_attribute(reference, name, span)
        } else {
            self.managed_attribute(reference, name, span)
        };
        self.open.pop();
        found
    }

    fn managed_attribute(&mut self, reference: &Rc<Reference>, name: &str, span: Span) -> Datum {
        let address = self.address(reference);
        let kind = reference.kind.as_str();
        if !kind.starts_with("aws_") && !kind.starts_with("awscc_") {
            if kind == "archive_file" {
                return self.data_attribute(reference, name, span);
            }
            // What other providers make up (a random name) is the same wherever it is named.
            return match (kind, self.written(reference, name)) {
                ("terraform_data", _) if name == "output" => {
                    self.written(reference, "input").unwrap_or_else(|| Datum::unknown(span, "terraform_data"))
                }
                (_, Some(written)) if !written.is_null() => written,
                _ => Datum::hole(span, Part::Parameter(format!("{address}.{name}"))),
            };
        }
        let text = |chunks| Datum::new(span, Kind::Text(chunks));
        match meaning(kind, name, &address) {
            Meaning::Written => {
                if kind == "aws_ssm_parameter" && name == "arn" {
                    let path = self.written(reference, "name").map(|name| name.chunks()).unwrap_or_default();
                    let slash = matches!(path.first(), Some(Chunk::Known(text, _)) if text.starts_with('/'));
                    let mut rest = vec![Chunk::Known(if slash { "parameter" } else { "parameter/" }.to_string(), span)];
                    rest.extend(path);
                    return text(arn("ssm", true, true, rest, span));
                }
                if kind == "aws_secretsmanager_secret_version" && name == "arn" {
                    return self.written(reference, "secret_id").unwrap_or_else(|| Datum::unknown(span, "a secret"));
                }
                match self.written(reference, name) {
                    Some(written) if !written.is_null() => written,
                    _ if name == "name" => Datum::hole(span, Part::Ref(address)),
                    _ => Datum::hole(span, Part::Attribute(address, camel(name))),
                }
            }
            _ => text(computed(kind, name, &address, span)),
        }
    }

    /// An attribute (or the inner blocks of a kind) as the configuration gives it.
    pub(crate) fn written(&mut self, reference: &Reference, name: &str) -> Option<Datum> {
        let block = self.block_of(reference)?;
        let mut scope = self.scope_of(reference);
        if let Some(attribute) = block.body.attribute(name) {
            return Some(self.value(&attribute.value, &mut scope));
        }
        let whole = block.body.blocks.iter().any(|inner| inner.kind == name || inner.label(0) == name);
        if !whole {
            return None;
        }
        let body = self.body(&block.body, block.span, &mut scope);
        match body.kind {
            Kind::Object(fields) => fields.into_iter().find(|field| field.key == name).map(|field| field.value),
            _ => None,
        }
    }

    fn data_attribute(&mut self, reference: &Rc<Reference>, name: &str, span: Span) -> Datum {
        let pseudo = |name: &str| Datum::hole(span, Part::Pseudo(name.into()));
        let unknown = || Datum::unknown(span, format!("data.{}.{}.{name}", reference.kind, reference.name));
        let text = |chunks| Datum::new(span, Kind::Text(chunks));
        match (reference.kind.as_str(), name) {
            ("aws_caller_identity", "account_id" | "id") => pseudo("AWS::AccountId"),
            ("aws_region", "name" | "id" | "region") => pseudo("AWS::Region"),
            ("aws_partition", "partition" | "id") => pseudo("AWS::Partition"),
            ("aws_partition", "dns_suffix") => pseudo("AWS::URLSuffix"),
            ("aws_iam_policy_document", "json" | "minified_json") => match self.policy_document(reference, 0) {
                Some(document) => Datum::new(span, Kind::Json(Box::new(document))),
                None => unknown(),
            },
            ("aws_iam_policy", "arn" | "id") => {
                if let Some(arn) = self.written(reference, "arn") {
                    return arn;
                }
                let Some(policy) = self.written(reference, "name") else { return unknown() };
                if let Some(arn) = policy.as_text().and_then(|name| facts::managed_policy_arn(&name)) {
                    return Datum::text(span, arn);
                }
                let mut rest = vec![Chunk::Known("policy/".into(), span)];
                rest.extend(policy.chunks());
                text(arn("iam", false, true, rest, span))
            }
            ("aws_iam_policy", "policy") => {
                let name = self.written(reference, "name").or_else(|| self.written(reference, "arn"));
                match name.and_then(|name| name.as_text()).and_then(|name| facts::managed_policy(&name)) {
                    Some(document) => Datum::text(span, document),
                    None => unknown(),
                }
            }
            ("archive_file", "output_path") => self.written(reference, name).unwrap_or_else(unknown),
            ("template_file", "rendered") => {
                let (Some(template), variables) =
                    (self.written(reference, "template"), self.written(reference, "vars"))
                else {
                    return unknown();
                };
                let Kind::Text(chunks) = &template.kind else { return unknown() };
                let [Chunk::Known(content, place)] = chunks.as_slice() else { return template };
                let Ok(pieces) = parse_template(place.file, content) else { return unknown() };
                let names = variables.map(|variables| {
                    let fields = variables.fields().iter();
                    fields.map(|field| (field.key.clone(), Rc::new(field.value.clone()))).collect()
                });
                let mut scope = crate::evaluate::Scope {
                    module: reference.module,
                    closed: true,
                    names: names.unwrap_or_default(),
                    ..Default::default()
                };
                self.template(&pieces, span, &mut scope)
            }
            ("local_file", "content") => match self.written(reference, "filename").and_then(|path| path.as_text()) {
                Some(path) => match self.resolve(&path).and_then(|path| self.files.load(&path)) {
                    Some(file) => Datum::text(Span::new(file, 0, self.files.text(file).len()), self.files.text(file)),
                    None => unknown(),
                },
                None => unknown(),
            },
            (kind, "arn") => {
                let named = |evaluator: &mut Self, attribute: &str| evaluator.written(reference, attribute);
                let (service, region, account, prefix, attribute) = match kind {
                    "aws_iam_role" => ("iam", false, true, "role/", "name"),
                    "aws_iam_user" => ("iam", false, true, "user/", "user_name"),
                    "aws_iam_group" => ("iam", false, true, "group/", "group_name"),
                    "aws_s3_bucket" => ("s3", false, false, "", "bucket"),
                    "aws_sqs_queue" => ("sqs", true, true, "", "name"),
                    "aws_sns_topic" => ("sns", true, true, "", "name"),
                    "aws_dynamodb_table" => ("dynamodb", true, true, "table/", "name"),
                    "aws_lambda_function" => ("lambda", true, true, "function:", "function_name"),
                    "aws_kinesis_stream" => ("kinesis", true, true, "stream/", "name"),
                    "aws_sfn_state_machine" => ("states", true, true, "stateMachine:", "name"),
                    "aws_cloudwatch_event_bus" => ("events", true, true, "event-bus/", "name"),
                    "aws_cloudwatch_log_group" => ("logs", true, true, "log-group:", "name"),
                    "aws_ecr_repository" => ("ecr", true, true, "repository/", "name"),
                    _ => return self.written(reference, "arn").unwrap_or_else(unknown),
                };
                match named(self, attribute) {
                    Some(value) => {
                        let mut rest = vec![Chunk::Known(prefix.into(), span)];
                        rest.extend(value.chunks());
                        text(arn(service, region, account, rest, span))
                    }
                    None => named(self, "arn").unwrap_or_else(unknown),
                }
            }
            ("aws_iam_role" | "aws_s3_bucket" | "aws_dynamodb_table" | "aws_sqs_queue", "id") => {
                let written = self.written(reference, "name");
                written.or_else(|| self.written(reference, "bucket")).unwrap_or_else(unknown)
            }
            (_, name) => match self.written(reference, name) {
                Some(written) if !written.is_null() => written,
                _ => unknown(),
            },
        }
    }
}
