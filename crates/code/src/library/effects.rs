//! What a service does with the permissions of whoever calls it, beyond the operation's own action: objects it reads and
//! writes, roles it is handed, secrets and keys it is told to use.
//!
//! The sources are the services' developer guides on their identity-based policies: Athena ("Access to Athena resources", "Access to
//! databases and tables in the Glue Data Catalog"), Rekognition and Textract ("Images stored in an S3 bucket"), Transcribe ("Data
//! access role"), Translate ("Automatic source language detection"), Polly ("Asynchronous synthesis"), DynamoDB ("Export", "Import"),
//! Lambda (the description of its actions), Bedrock ("Identity-based policies"), SQS ("Dead-letter queue redrive permissions"),
//! Secrets Manager ("Rotation permissions"), IAM ("Grant permissions to pass a role").
//!
//! Deliberately absent: keys of KMS that the code doesn't name (the crate `iam` adds those that the template sets up), and what stacks
//! create when they are deployed.

use super::cloud::{Parameters, targets_of};
use crate::evaluate::Evaluator;
use crate::record::Site;
use crate::syntax::Name;
use crate::value::Value;
use facts::{Access, Operation};
use graph::CallTarget;

/// How deep a request is searched.
const MAX_DEPTH: usize = 6;
/// Members looked at in one request.
const MAX_MEMBERS: usize = 600;

/// The members of a request, nested ones included, each under its own name.
struct Request(Vec<(Name, Value)>);

impl Request {
    fn of(evaluator: &Evaluator<'_>, parameters: &Parameters<'_>) -> Self {
        let mut members = Vec::new();
        match parameters {
            Parameters::Named(arguments) => {
                for (name, value) in &arguments.named {
                    members.push((name.clone(), value.clone()));
                    collect(evaluator, value, 1, &mut members);
                }
            }
            Parameters::Object(Some(value)) => collect(evaluator, value, 0, &mut members),
            Parameters::Object(None) => {}
            Parameters::Only(name, value) => members.push(((*name).into(), value.clone())),
        }
        Self(members)
    }

    /// The value of a member, whichever of the names it has.
    fn get(&self, names: &[&str]) -> Option<&Value> {
        let found = |name: &str| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        self.0.iter().find(|(name, value)| found(name) && *value != Value::Nothing).map(|(_, value)| value)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0
            .iter()
            .filter(move |(member, value)| &**member == name && *value != Value::Nothing)
            .map(|(_, value)| value)
    }
}

fn collect(evaluator: &Evaluator<'_>, value: &Value, depth: usize, members: &mut Vec<(Name, Value)>) {
    if depth > MAX_DEPTH || members.len() > MAX_MEMBERS {
        return;
    }
    for one in value.alternatives() {
        let Value::Object(id) = one else { continue };
        let Some(object) = evaluator.heap.objects.get(*id) else { continue };
        for (name, value) in &object.fields {
            members.push((name.clone(), value.clone()));
            collect(evaluator, value, depth + 1, members);
        }
        for item in object.items.iter().flatten().chain(&object.others) {
            collect(evaluator, item, depth + 1, members);
        }
    }
}

/// Notes what else a call asks for.
pub(crate) fn note(evaluator: &mut Evaluator<'_>, operation: Operation, parameters: &Parameters<'_>, site: Site) {
    let request = Request::of(evaluator, parameters);
    let service = operation.service().boto3();
    let mut needs: Vec<(Vec<&str>, Vec<CallTarget>)> = Vec::new();
    let mut need = |actions: &[&'static str], targets: Vec<CallTarget>| needs.push((actions.to_vec(), targets));
    let object = |value: &Value| bucket_of(evaluator, value).targets();
    match (service, operation.name()) {
        ("rekognition" | "textract", name) => {
            for place in request.all("S3Object") {
                let bucket = member(evaluator, place, "Bucket").unwrap_or(Value::Unknown);
                need(&["s3:GetObject"], bucket.targets());
                if member(evaluator, place, "Version").is_some() {
                    need(&["s3:GetObjectVersion"], bucket.targets());
                }
            }
            if let Some(bucket) =
                request.get(&["S3Bucket"]).filter(|_| service == "textract" && name.starts_with("Start"))
            {
                need(&["s3:PutObject"], bucket.targets());
            }
        }
        // A role of its own reads and writes for it, where it is given one.
        ("transcribe", _) if request.get(&["DataAccessRoleArn"]).is_none() => {
            for name in ["MediaFileUri", "RedactedMediaFileUri", "VocabularyFileUri", "VocabularyFilterFileUri"] {
                if let Some(address) = request.get(&[name]) {
                    need(&["s3:GetObject"], object(address));
                }
            }
            for name in ["OutputBucketName", "OutputLocation"] {
                if let Some(place) = request.get(&[name]) {
                    need(&["s3:PutObject"], object(place));
                }
            }
        }
        ("translate", "TranslateText" | "TranslateDocument") => {
            let asked = request.get(&["SourceLanguageCode"]).is_some_and(|value| {
                value
                    .alternatives()
                    .iter()
                    .any(|one| one.as_text().is_some_and(|text| text.eq_ignore_ascii_case("auto")))
            });
            if asked {
                need(&["comprehend:DetectDominantLanguage"], vec![CallTarget::None]);
            }
        }
        ("polly", "StartSpeechSynthesisTask") => {
            if let Some(bucket) = request.get(&["OutputS3BucketName"]) {
                need(&["s3:PutObject"], bucket.targets());
            }
            if let Some(topic) = request.get(&["SnsTopicArn"]) {
                need(&["sns:Publish"], topic.targets());
            }
        }
        ("athena", "StartQueryExecution") => {
            let results = request.get(&["OutputLocation"]).map_or(vec![CallTarget::Unknown], object);
            need(&["s3:GetBucketLocation", "s3:ListBucket"], results.clone());
            need(&["s3:GetObject", "s3:PutObject"], results);
            need(&["glue:GetDatabase", "glue:GetTable", "glue:GetPartitions"], vec![CallTarget::Unknown]);
        }
        ("athena", "GetQueryResults" | "GetQueryResultsStream") => need(&["s3:GetObject"], vec![CallTarget::Unknown]),
        ("dynamodb", "ExportTableToPointInTime") => {
            let bucket = request.get(&["S3Bucket"]).map_or(vec![CallTarget::Unknown], Value::targets);
            need(&["s3:PutObject", "s3:AbortMultipartUpload", "s3:PutObjectAcl"], bucket);
        }
        ("dynamodb", "ImportTable") => {
            let bucket = request.get(&["S3Bucket"]).map_or(vec![CallTarget::Unknown], Value::targets);
            need(&["s3:GetObject", "s3:ListBucket"], bucket);
        }
        ("lambda", "CreateFunction" | "UpdateFunctionCode" | "PublishLayerVersion") => {
            if let Some(bucket) = request.get(&["S3Bucket"]) {
                need(&["s3:GetObject"], bucket.targets());
            }
            for layer in request.all("Layers") {
                need(&["lambda:GetLayerVersion"], item_targets(evaluator, layer));
            }
        }
        ("lambda", "UpdateFunctionConfiguration") => {
            for layer in request.all("Layers") {
                need(&["lambda:GetLayerVersion"], item_targets(evaluator, layer));
            }
        }
        ("cloudformation", "CreateStack" | "UpdateStack" | "CreateChangeSet" | "GetTemplateSummary") => {
            if let Some(address) = request.get(&["TemplateURL"]) {
                need(&["s3:GetObject"], object(address));
            }
        }
        ("bedrock-runtime", name) => {
            if let Some(guardrail) = request.get(&["guardrailIdentifier"]).filter(|_| name != "ApplyGuardrail") {
                need(&["bedrock:ApplyGuardrail"], guardrail.targets());
            }
            if let Some(address) = request.get(&["s3Uri"]).filter(|_| name == "StartAsyncInvoke") {
                need(&["s3:PutObject"], object(address));
            }
        }
        ("bedrock-agent-runtime", "RetrieveAndGenerate" | "RetrieveAndGenerateStream") => {
            if let Some(base) = request.get(&["knowledgeBaseId"]) {
                need(&["bedrock:Retrieve"], base.targets());
            }
            if let Some(model) = request.get(&["modelArn"]) {
                need(&["bedrock:InvokeModel"], model.targets());
            }
        }
        ("sqs", "StartMessageMoveTask") => {
            let from = request.get(&["SourceArn"]).map_or(vec![CallTarget::Unknown], Value::targets);
            need(&["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], from);
            if let Some(to) = request.get(&["DestinationArn"]) {
                need(&["sqs:SendMessage"], to.targets());
            }
        }
        ("secretsmanager", "RotateSecret") => {
            if let Some(function) = request.get(&["RotationLambdaARN"]) {
                need(&["lambda:InvokeFunction"], function.targets());
            }
        }
        ("redshift-data", "ExecuteStatement" | "BatchExecuteStatement") => {
            if let Some(secret) = request.get(&["SecretArn"]) {
                need(&["secretsmanager:GetSecretValue"], secret.targets());
            } else if request.get(&["DbUser"]).is_some() {
                need(&["redshift:GetClusterCredentials"], vec![CallTarget::Unknown]);
            } else if request.get(&["WorkgroupName"]).is_some() {
                need(&["redshift-serverless:GetCredentials"], vec![CallTarget::Unknown]);
            }
        }
        _ => {}
    }
    // Whoever hands a role to a service needs to be allowed to. Other services' own ways of taking one on are actions of theirs.
    let hands_on = operation.access().is_some_and(|access| access > Access::Read)
        && !matches!(service, "iam" | "sts" | "sso" | "sso-admin" | "ram");
    if hands_on {
        for (_, value) in request.0.iter().filter(|(name, _)| names_role(name)) {
            let roles: Vec<CallTarget> = value.targets().into_iter().filter(may_be_role).collect();
            if !roles.is_empty() && *value != Value::Nothing && !matches!(value, Value::Object(_)) {
                need(&["iam:PassRole"], roles);
            }
        }
    }
    for (actions, mut targets) in needs {
        targets.dedup();
        let actions = actions.into_iter().map(str::to_string).collect();
        evaluator.record.call(site, operation, actions, targets);
    }
}

/// Further actions of other services that arguments ask for, on what those arguments name.
pub(crate) fn of_argument(
    evaluator: &mut Evaluator<'_>,
    operation: Operation,
    parameters: &Parameters<'_>,
    action: &str,
    argument: &str,
    site: Site,
) {
    let value = targets_of(evaluator, parameters, argument);
    evaluator.record.call(site, operation, vec![action.to_string()], value);
}

fn names_role(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("rolearn")
        || matches!(&*name, "role" | "servicerole" | "executionrole" | "serviceaccessrole" | "iamrole")
}

/// A role is handed on by its ARN; `role` is also the part somebody plays in a conversation.
fn may_be_role(target: &CallTarget) -> bool {
    match target {
        CallTarget::Literal(text) => text.starts_with("arn:"),
        CallTarget::Pattern(pieces) => match pieces.first() {
            Some(CallTarget::Literal(text)) => text.starts_with("arn:"),
            _ => true,
        },
        _ => true,
    }
}

fn member(evaluator: &Evaluator<'_>, value: &Value, name: &str) -> Option<Value> {
    value.alternatives().iter().find_map(|one| match one {
        Value::Object(_) => {
            evaluator.fields(one).into_iter().find(|(field, _)| &**field == name).map(|(_, value)| value)
        }
        one if one.is_of_event() => Some(one.clone()),
        _ => None,
    })
}

fn item_targets(evaluator: &Evaluator<'_>, list: &Value) -> Vec<CallTarget> {
    match evaluator.items(list) {
        Some(items) => items.iter().flat_map(Value::targets).collect(),
        None => vec![CallTarget::Unknown],
    }
}

/// The bucket that an address of an object names: `s3://bucket/key`, `https://bucket.s3.region.amazonaws.com/key`,
/// `https://s3.region.amazonaws.com/bucket/key`. What has neither form is taken for the bucket's name itself.
pub(crate) fn bucket_of(_: &Evaluator<'_>, address: &Value) -> Value {
    address.map(|address| {
        let parts = match address {
            Value::Text(_) => std::slice::from_ref(address).to_vec(),
            Value::Pattern(parts) => parts.to_vec(),
            other => return other.clone(),
        };
        let mut parts = parts;
        let Some(Value::Text(first)) = parts.first().cloned() else {
            return match parts.first() {
                // `${BUCKET}/results/`.
                Some(first @ (Value::Environment(_) | Value::Event(_) | Value::FromEvent(_))) => first.clone(),
                _ => Value::Unknown,
            };
        };
        let rest = if let Some(rest) = first.strip_prefix("s3://") {
            rest.to_string()
        } else if let Some(rest) = first.strip_prefix("https://") {
            match rest.split_once('/') {
                Some((host, path)) if host.starts_with("s3") => path.to_string(),
                _ => rest.to_string(),
            }
        } else {
            first.to_string()
        };
        parts[0] = Value::text(&rest);
        let mut name: Vec<Value> = Vec::new();
        for part in parts {
            match &part {
                Value::Text(text) => match text.split_once('/').or_else(|| text.split_once(".s3")) {
                    Some((before, _)) => {
                        let before = before.split(".s3").next().unwrap_or(before);
                        name.push(Value::text(before));
                        break;
                    }
                    None => name.push(part),
                },
                _ => name.push(part),
            }
        }
        name.retain(|part| part.as_text() != Some(""));
        match name.is_empty() {
            true => Value::Unknown,
            false => Value::concat(name),
        }
    })
}
