//! What a request to AWS does: the service out of its signature, the operation out of a header, the body or the path, and the
//! permissions that operation needs, each on what it acts on.
//!
//! What isn't recognised is not waved through: it becomes a need that only a permission for the whole service covers.

use super::rest;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

/// The most needs one request may have: a batch has at most a hundred parts.
const MAX_NEEDS: usize = 100;

/// The most fields of a form that are read.
const MAX_FIELDS: usize = 2000;

/// The head of a request, as far as it matters here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Head<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// The path, still encoded.
    pub path: &'a str,
    /// The query, still encoded.
    pub query: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `X-Amz-Target` header.
    pub target: Option<&'a str>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `X-Amz-Copy-Source` header of S3.
    pub copy_source: Option<&'a str>,
}

/// What a request does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service, by the prefix that its permissions have: `dynamodb`.
    pub service: String,
    /// The operation, if it was recognised: `PutItem`.
    pub operation: Option<String>,
    /// What it needs; nothing for operations that anyone may call.
    pub needs: Vec<Need>,
    /// How its errors are written.
    pub errors: Errors,
}

/// One permission that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The action: `dynamodb:PutItem`.
    pub action: String,
    /// On what, where the request says it.
    pub resource: Option<String>,
}

/// How a service writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// JSON with a `__type`.
    Json,
    /// XML in an `ErrorResponse`.
    Xml,
    /// S3's XML.
    S3,
}

impl Head<'_> {
    /// Whether the operation, or what it acts on, stands in the body.
    pub fn body_matters(&self) -> bool {
        let signed_for = self.scope_service();
        self.target.is_some()
            || (signed_for.as_deref() != Some("s3")
                && self.content_type.is_some_and(|kind| {
                    kind.starts_with("application/x-www-form-urlencoded")
                        || kind.contains("json")
                        || kind.contains("cbor")
                }))
    }

    /// The service of the signature's scope: `AKID/20260101/us-east-1/dynamodb/aws4_request`.
    fn scope_service(&self) -> Option<String> {
        let scope = match self.authorization {
            // One credential, and first: servers look for it in different places.
            Some(header) => {
                let (scheme, rest) = header.split_once(" Credential=")?;
                let alone = !rest.to_ascii_lowercase().contains("credential=");
                let plain = scheme.starts_with("AWS4-") && !scheme.contains([' ', ',', '=']);
                (alone && plain).then(|| rest.split([',', ' ']).next().unwrap_or_default().to_owned())?
            }
            // A signed URL has it in the query.
            None => pairs(self.query).into_iter().find(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Credential"))?.1,
        };
        if scope.split('/').count() != 5 {
            return None;
        }
        let mut parts = scope.rsplit('/');
        (parts.next()? == "aws4_request").then_some(())?;
        let service = parts.next()?.to_ascii_lowercase();
        let plain = service.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
        (plain && !service.is_empty()).then_some(service)
    }
}

/// Reads a request. `body` is the whole body where [`Head::body_matters`].
pub fn read(head: Head<'_>, body: &[u8]) -> Call {
    let signed_for = head.scope_service();
    let form = head.content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let path = percent_decode_str(head.path.trim_start_matches('/')).decode_utf8_lossy().into_owned();
    let query = pairs(head.query);
    let errors = match signed_for.as_deref() {
        Some("s3" | "s3express") => Errors::S3,
        _ if form && head.target.is_none() => Errors::Xml,
        _ => Errors::Json,
    };
    let unrecognised = |service: &str| Call {
        service: iam_prefix(service),
        operation: None,
        needs: vec![Need { action: format!("{}:?", iam_prefix(service)), resource: None }],
        errors,
    };
    // Whoever names the operation in a header or a form sends it to the root: a path says something else to a service that goes by
    // paths, whatever the header says to us. Only queues have had a path of their own.
    let by_path = matches!(signed_for.as_deref(), Some("s3" | "s3express"));
    let broken = head.authorization.is_some() && signed_for.is_none();
    // Only objects are commonly reached by signed URLs; a stand-in may not look at the query at all.
    let by_url = head.authorization.is_none() && signed_for.is_some() && !by_path;
    if head.path.starts_with("//") || broken || by_url {
        return unrecognised(signed_for.as_deref().unwrap_or("unsigned"));
    }
    if let Some(target) = head.target {
        let (api, operation) = target.rsplit_once('.').unwrap_or(("", target));
        let of_target = service_of_target(api);
        let service = match (signed_for.as_deref(), of_target) {
            // Signed for one service and sent to another: whatever that is, it isn't what a client library does.
            (Some(scope), Some(api)) if scope != api => return unrecognised(scope),
            (Some(scope), _) => scope,
            (None, Some(api)) => api,
            (None, None) => return unrecognised("unsigned"),
        };
        let to_root = head.method == "POST" && (path.is_empty() || service == "sqs") && head.query.is_empty();
        if by_path || !to_root || !is_operation(operation) {
            return unrecognised(service);
        }
        // A body that can't be read may name anything.
        let body = match serde_json::from_slice::<Json>(body) {
            Ok(body @ Json::Object(_)) => body,
            Err(_) if body.is_empty() => Json::Null,
            _ => return unrecognised(service),
        };
        let mut needed = json_needs(service, operation, &body);
        if let Some(queue) = queue_of_path(&path) {
            needed.extend(needs(service, operation, Some(queue)));
        }
        return call(service, operation, needed, errors);
    }
    let Some(service) = signed_for else { return unrecognised("unsigned") };
    if form || (head.method == "GET" && query.iter().any(|(name, _)| name == "Action")) {
        let Ok(text) = std::str::from_utf8(body) else { return unrecognised(&service) };
        let mut fields = pairs(text);
        fields.extend(query);
        let to_root = path.is_empty() || service == "sqs";
        let readable = form || head.content_type.is_none();
        // Of two that say it differently, servers take the one or the other.
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).any(|pair| matches!(pair, [left, right] if left == right));
        if by_path || !to_root || !readable || twice || fields.len() >= MAX_FIELDS {
            return unrecognised(&service);
        }
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        return match field("Action") {
            Some(operation) if is_operation(&operation) => {
                let names = [
                    "QueueUrl",
                    "TopicArn",
                    "TargetArn",
                    "FunctionName",
                    "RoleArn",
                    "StackName",
                    "RoleName",
                    "UserName",
                ];
                let mut resources: Vec<String> = names.into_iter().filter_map(field).collect();
                // Older clients name the queue in the path, and only there or once more.
                resources.extend(queue_of_path(&path));
                call(&service, &operation, needs_of_all(&service, &operation, resources), errors)
            }
            _ => unrecognised(&service),
        };
    }
    // Smithy's RPC: the operation is the path's end.
    if let Some((_, operation)) = path.strip_prefix("service/").and_then(|rest| rest.split_once("/operation/"))
        && !by_path
    {
        // What it acts on stands in a body that isn't read here: only for services where that is nothing of the function's.
        let nothing_named = matches!(service.as_str(), "monitoring" | "xray");
        return if is_operation(operation) && head.method == "POST" && nothing_named {
            call(&service, operation, needs(&service, operation, None), Errors::Json)
        } else {
            unrecognised(&service)
        };
    }
    match rest::operation(&service, head.method, &path, &query) {
        Some(asked) if !asked.operation.is_empty() => {
            let (operation, mut needed) = match head.copy_source {
                Some(_) if asked.operation == "PutObject" => {
                    ("CopyObject", copy_needs("s3:PutObject", &asked.resource))
                }
                Some(_) if asked.operation == "UploadPart" => {
                    ("UploadPartCopy", copy_needs("s3:PutObject", &asked.resource))
                }
                _ => (asked.operation, needs(&service, asked.operation, asked.resource.clone())),
            };
            if let Some(source) = head.copy_source {
                let source = percent_decode_str(source.trim_start_matches('/')).decode_utf8_lossy().into_owned();
                let source = source.split('?').next().unwrap_or_default().to_owned();
                let resource = if source.starts_with("arn:") { source } else { format!("arn:aws:s3:::{source}") };
                needed.push(Need { action: "s3:GetObject".into(), resource: Some(resource) });
            }
            call(&service, operation, needed, errors)
        }
        _ => unrecognised(&service),
    }
}

fn copy_needs(action: &str, resource: &Option<String>) -> Vec<Need> {
    vec![Need { action: action.into(), resource: resource.clone() }]
}

fn call(service: &str, operation: &str, mut needs: Vec<Need>, errors: Errors) -> Call {
    if needs.len() > MAX_NEEDS {
        // Nobody would judge the rest.
        needs = vec![Need { action: format!("{}:?", iam_prefix(service)), resource: None }];
    }
    Call { service: iam_prefix(service), operation: Some(operation.to_owned()), needs, errors }
}

fn is_operation(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && text.chars().all(|character| character.is_ascii_alphanumeric())
}

/// The prefix that permissions of a service have, by the service's signing name.
fn iam_prefix(signing: &str) -> String {
    match signing {
        "iotdata" | "iotdevicegateway" => "iot",
        "monitoring" => "cloudwatch",
        "s3express" => "s3",
        other => other,
    }
    .to_owned()
}

/// The signing name behind the first half of an `X-Amz-Target`; only those that are plain to tell.
fn service_of_target(api: &str) -> Option<&'static str> {
    let name = api.split('_').next().unwrap_or(api);
    Some(match name {
        "DynamoDB" | "DynamoDBStreams" => "dynamodb",
        "AmazonSQS" => "sqs",
        "AmazonSSM" => "ssm",
        "secretsmanager" => "secretsmanager",
        "AWSEvents" => "events",
        "AWSStepFunctions" => "states",
        "Kinesis" => "kinesis",
        "Firehose" => "firehose",
        "Logs" => "logs",
        "TrentService" => "kms",
        "AWSCognitoIdentityProviderService" => "cognito-idp",
        "AWSCognitoIdentityService" => "cognito-identity",
        _ => return None,
    })
}

/// The needs of an operation on one thing, from the published facts; the operation's own name where they don't have it.
fn needs(signing: &str, operation: &str, resource: Option<String>) -> Vec<Need> {
    let actions = actions(signing, operation);
    let one = |action: String| Need { action, resource: resource.clone() };
    match actions {
        Some(actions) => actions.into_iter().map(|action| one(action.to_owned())).collect(),
        None => vec![one(format!("{}:{operation}", iam_prefix(signing)))],
    }
}

fn actions(signing: &str, operation: &str) -> Option<Vec<&'static str>> {
    let prefix = iam_prefix(signing);
    let known = match signing {
        "iotdata" | "iotdevicegateway" => facts::service_by_boto3("iot-data"),
        "execute-api" => facts::service_by_boto3("apigatewaymanagementapi"),
        _ => facts::service_by_boto3(&prefix),
    }
    .and_then(|service| service.operation(operation));
    let known = known.or_else(|| {
        let mut services = facts::services().filter(|service| service.iam_prefixes().any(|known| known == prefix));
        services.find_map(|service| service.operation(operation))
    })?;
    known.actions()
}

/// The needs of an operation whose input is JSON.
fn json_needs(service: &str, operation: &str, body: &Json) -> Vec<Need> {
    if service == "dynamodb"
        && let Some(needs) = dynamodb_needs(operation, body)
    {
        return needs;
    }
    if service == "events" && operation == "PutEvents" {
        let entries = body.get("Entries").and_then(Json::as_array).into_iter().flatten();
        let mut buses: Vec<String> = entries
            .map(|entry| entry.get("EventBusName").and_then(Json::as_str).unwrap_or("default").to_owned())
            .collect();
        buses.sort();
        buses.dedup();
        return buses.into_iter().flat_map(|bus| needs(service, operation, Some(bus))).collect();
    }
    needs_of_all(service, operation, named(service, body))
}

/// `orders` of `123456789012/orders`.
fn queue_of_path(path: &str) -> Option<String> {
    path.split_once('/').map(|(_, name)| name.to_owned()).filter(|name| !name.is_empty())
}

/// Everything that a JSON input of a service names. A service passes over fields that it doesn't know, so for those whose fields are
/// known here only these count, and all of them: what it acts on can't be hidden behind something else.
fn named(service: &str, body: &Json) -> Vec<String> {
    let fields: &[&str] = match service {
        "dynamodb" => &["TableName", "ResourceArn", "TableArn", "GlobalTableName"],
        "sqs" => &["QueueUrl", "QueueName"],
        "secretsmanager" => &["SecretId", "Name", "SecretIdList"],
        "ssm" => &["Name", "Names", "Path"],
        "kinesis" => &["StreamName", "StreamARN", "ResourceARN"],
        "states" => &["stateMachineArn", "executionArn"],
        "kms" => &["KeyId"],
        "firehose" => &["DeliveryStreamName"],
        "cognito-idp" => &["UserPoolId"],
        "logs" => &["logGroupName", "logGroupIdentifier"],
        _ => &["TopicArn", "TargetArn", "FunctionName", "Bucket", "KeyId", "Name", "ResourceArn"],
    };
    let mut names: Vec<String> = Vec::new();
    for value in fields.iter().filter_map(|field| body.get(field)) {
        let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter().filter_map(Json::as_str);
        for text in texts {
            if !names.iter().any(|known| known == text) && names.len() <= MAX_NEEDS {
                names.push(text.to_owned());
            }
        }
    }
    names
}

/// The needs of an operation on everything that it names.
fn needs_of_all(signing: &str, operation: &str, resources: Vec<String>) -> Vec<Need> {
    if resources.is_empty() {
        return needs(signing, operation, None);
    }
    resources.into_iter().flat_map(|resource| needs(signing, operation, Some(resource))).collect()
}

/// Operations of DynamoDB on several tables, and those where the input decides which permission is needed.
fn dynamodb_needs(operation: &str, body: &Json) -> Option<Vec<Need>> {
    let need = |action: &str, table: Option<&str>| Need {
        action: format!("dynamodb:{action}"),
        resource: table.map(str::to_owned),
    };
    let items = |field: &str| body.get(field).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let needs = match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body.get("RequestItems").and_then(Json::as_object)?;
            tables.keys().map(|table| need(operation, Some(table))).collect()
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let parts = items("TransactItems").iter().filter_map(Json::as_object).flatten();
            parts
                .map(|(kind, part)| {
                    let action = match kind.as_str() {
                        "Put" => "PutItem",
                        "Update" => "UpdateItem",
                        "Delete" => "DeleteItem",
                        "ConditionCheck" => "ConditionCheckItem",
                        _ => "GetItem",
                    };
                    need(action, part.get("TableName").and_then(Json::as_str))
                })
                .collect()
        }
        "ExecuteStatement" => vec![partiql(body.get("Statement").and_then(Json::as_str).unwrap_or_default())],
        "BatchExecuteStatement" | "ExecuteTransaction" => {
            let field = if operation == "ExecuteTransaction" { "TransactStatements" } else { "Statements" };
            let statements = items(field).iter().filter_map(|part| part.get("Statement")?.as_str());
            statements.map(partiql).collect()
        }
        _ => return None,
    };
    let mut needs: Vec<Need> = needs;
    needs.dedup();
    // A request that names nothing is not one that needs nothing.
    (!needs.is_empty()).then_some(needs)
}

/// What a PartiQL statement needs: its first word says what, the word behind `FROM`, `INTO` or `UPDATE` on which table.
fn partiql(statement: &str) -> Need {
    let mut words = Vec::new();
    let mut rest = statement.trim_start();
    while let (Some(first), true) = (rest.chars().next(), words.len() < 400) {
        let (word, after) = if first == '"' || first == '\'' {
            let inner = rest.get(1..).unwrap_or_default();
            inner.split_once(first).unwrap_or((inner, ""))
        } else {
            let end = rest.find(|character: char| character.is_whitespace() || character == '"' || character == '\'');
            rest.split_at(end.unwrap_or(rest.len()))
        };
        words.push((word, first != '\''));
        rest = after.trim_start();
    }
    let first = words.first().map(|(word, _)| word.to_ascii_uppercase()).unwrap_or_default();
    let (action, marker) = match first.as_str() {
        "SELECT" | "EXISTS" => ("PartiQLSelect", "FROM"),
        "INSERT" => ("PartiQLInsert", "INTO"),
        "UPDATE" => ("PartiQLUpdate", "UPDATE"),
        "DELETE" => ("PartiQLDelete", "FROM"),
        _ => ("?", "FROM"),
    };
    let at = words.iter().position(|(word, plain)| *plain && word.eq_ignore_ascii_case(marker));
    let table = at.and_then(|at| words.get(at + 1)).map(|(word, _)| {
        // `"Orders"."by-date"` is an index of the table, `Orders.x` too.
        word.split(['.', '[', '(', ';', ',']).next().unwrap_or(word).to_owned()
    });
    Need { action: format!("dynamodb:{action}"), resource: table.filter(|table| !table.is_empty()) }
}

/// `a=b&c=d`, decoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .take(MAX_FIELDS)
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        )
    }

    fn needs_of(call: &Call) -> Vec<(&str, Option<&str>)> {
        call.needs.iter().map(|need| (need.action.as_str(), need.resource.as_deref())).collect()
    }

    #[test]
    fn json_services_name_their_operation_in_a_header() {
        for (service, target, body, expected) in [
            (
                "dynamodb",
                "DynamoDB_20120810.PutItem",
                r#"{"TableName":"Orders"}"#,
                vec![("dynamodb:PutItem", Some("Orders"))],
            ),
            (
                "dynamodb",
                "DynamoDB_20120810.BatchWriteItem",
                r#"{"RequestItems":{"A":[],"B":[]}}"#,
                vec![("dynamodb:BatchWriteItem", Some("A")), ("dynamodb:BatchWriteItem", Some("B"))],
            ),
            (
                "dynamodb",
                "DynamoDB_20120810.TransactWriteItems",
                r#"{"TransactItems":[{"Put":{"TableName":"A"}},{"Delete":{"TableName":"B"}}]}"#,
                vec![("dynamodb:PutItem", Some("A")), ("dynamodb:DeleteItem", Some("B"))],
            ),
            (
                "dynamodb",
                "DynamoDB_20120810.ExecuteStatement",
                r#"{"Statement":"SELECT * FROM \"Orders\".\"by-mail\" WHERE email='x from y'"}"#,
                vec![("dynamodb:PartiQLSelect", Some("Orders"))],
            ),
            (
                "dynamodb",
                "DynamoDB_20120810.ExecuteStatement",
                r#"{"Statement":"delete from Orders where id='1'"}"#,
                vec![("dynamodb:PartiQLDelete", Some("Orders"))],
            ),
            (
                "sqs",
                "AmazonSQS.SendMessage",
                r#"{"QueueUrl":"http://x/1/q"}"#,
                vec![("sqs:SendMessage", Some("http://x/1/q"))],
            ),
            (
                "states",
                "AWSStepFunctions.StartExecution",
                r#"{"stateMachineArn":"arn:m"}"#,
                vec![("states:StartExecution", Some("arn:m"))],
            ),
            (
                "events",
                "AWSEvents.PutEvents",
                r#"{"Entries":[{"EventBusName":"shop"},{}]}"#,
                vec![("events:PutEvents", Some("default")), ("events:PutEvents", Some("shop"))],
            ),
            (
                "secretsmanager",
                "secretsmanager.GetSecretValue",
                r#"{"SecretId":"key"}"#,
                vec![("secretsmanager:GetSecretValue", Some("key"))],
            ),
            // Signed for one, sent to another.
            ("sqs", "DynamoDB_20120810.DeleteTable", "{}", vec![("sqs:?", None)]),
            ("dynamodb", "DynamoDB_20120810.Put/Item", "{}", vec![("dynamodb:?", None)]),
        ] {
            let authorization = scope(service);
            let head = Head {
                method: "POST",
                path: "/",
                target: Some(target),
                authorization: Some(&authorization),
                ..Head::default()
            };
            assert!(head.body_matters());
            let call = read(head, body.as_bytes());
            assert_eq!(needs_of(&call), expected, "{target} {body}");
            assert_eq!(call.errors, Errors::Json);
        }
    }

    #[test]
    fn query_services_name_it_in_the_body() {
        for (service, path, body, expected) in [
            (
                "sns",
                "/",
                "Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A1%3Ax&Message=a",
                ("sns:Publish", Some("arn:aws:sns:us-east-1:1:x")),
            ),
            ("sqs", "/123456789012/q", "Action=SendMessage&MessageBody=a+b", ("sqs:SendMessage", Some("q"))),
            ("monitoring", "/", "Action=PutMetricData", ("cloudwatch:PutMetricData", None)),
            ("sns", "/", "Nothing=1", ("sns:?", None)),
        ] {
            let authorization = scope(service);
            let head = Head {
                method: "POST",
                path,
                content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
                authorization: Some(&authorization),
                ..Head::default()
            };
            let call = read(head, body.as_bytes());
            assert_eq!(needs_of(&call), [expected], "{body}");
            assert_eq!(call.errors, Errors::Xml);
        }
        let authorization = scope("sts");
        let head = Head {
            method: "POST",
            path: "/",
            content_type: Some("application/x-www-form-urlencoded"),
            authorization: Some(&authorization),
            ..Head::default()
        };
        assert_eq!(read(head, b"Action=GetCallerIdentity").needs, []);
    }

    #[test]
    fn rest_services_name_it_in_method_and_path() {
        for (service, method, path, query, expected) in [
            ("s3", "GET", "/cat/a%20b.csv", "", vec![("s3:GetObject", Some("arn:aws:s3:::cat/a b.csv"))]),
            ("s3", "HEAD", "/cat/a", "", vec![("s3:GetObject", Some("arn:aws:s3:::cat/a"))]),
            ("s3", "PUT", "/cat/a", "x-id=PutObject", vec![("s3:PutObject", Some("arn:aws:s3:::cat/a"))]),
            ("s3", "DELETE", "/cat/a", "", vec![("s3:DeleteObject", Some("arn:aws:s3:::cat/a"))]),
            ("s3", "GET", "/cat", "list-type=2&prefix=x", vec![("s3:ListBucket", Some("arn:aws:s3:::cat"))]),
            ("s3", "GET", "/cat/", "policy", vec![("s3:GetBucketPolicy", Some("arn:aws:s3:::cat"))]),
            ("s3", "PATCH", "/cat/a", "", vec![("s3:?", None)]),
            (
                "lambda",
                "POST",
                "/2015-03-31/functions/Send%3Alive/invocations",
                "",
                vec![("lambda:InvokeFunction", Some("Send:live"))],
            ),
            ("iotdata", "POST", "/topics/a%2Fb", "qos=1", vec![("iot:Publish", Some("a/b"))]),
            ("batch", "POST", "/v1/submitjob", "", vec![("batch:?", None)]),
        ] {
            let authorization = scope(service);
            let head = Head { method, path, query, authorization: Some(&authorization), ..Head::default() };
            assert_eq!(needs_of(&read(head, b"")), expected, "{service} {method} {path}");
        }
    }

    #[test]
    fn what_servers_would_read_differently_is_not_recognised() {
        let (s3, sns, sqs, dynamodb) = (scope("s3"), scope("sns"), scope("sqs"), scope("dynamodb"));
        let (ssm, secrets) = (scope("ssm"), scope("secretsmanager"));
        let without = |path, query| Head { method: "POST", path, query, ..Head::default() };
        let two = "AWS4-HMAC-SHA256 X=A/20260101/us-east-1/sqs/aws4_request, Credential=A/20260101/us-east-1/dynamodb/aws4_request";
        let form = Some("application/x-www-form-urlencoded");
        let publish = "Action=Publish&TopicArn=arn:x";
        let head = |method, path, query, authorization| Head {
            method,
            path,
            query,
            authorization: Some(authorization),
            ..Head::default()
        };
        for (what, head, body) in [
            (
                "an object's path under a form",
                head("GET", "/secret/key", "Action=PutObject&QueueUrl=arn:aws:s3:::mine/a", &s3),
                "",
            ),
            (
                "the same as a form's body",
                Head {
                    content_type: form,
                    ..head("DELETE", "/secret/key", "Action=PutObject&QueueUrl=arn:aws:s3:::mine/a", &s3)
                },
                "",
            ),
            (
                "an object's path under a target",
                Head { target: Some("X.PutObject"), ..head("GET", "/secret/key", "", &s3) },
                r#"{"Bucket":"mine"}"#,
            ),
            (
                "an action in body and query",
                Head { content_type: form, ..head("POST", "/", "Action=DeleteTopic", &sns) },
                publish,
            ),
            (
                "an action twice",
                Head { content_type: form, ..head("POST", "/", "", &sns) },
                "Action=Publish&TopicArn=arn:x&Action=DeleteTopic",
            ),
            (
                "a topic twice",
                Head { content_type: form, ..head("POST", "/", "", &sns) },
                "Action=Publish&TopicArn=arn:x&TopicArn=arn:y",
            ),
            (
                "a body of another kind",
                Head { content_type: Some("multipart/form-data; boundary=b"), ..head("GET", "/", publish, &sns) },
                "",
            ),
            (
                "a target and an action",
                Head { target: Some("AmazonSQS.ReceiveMessage"), ..head("POST", "/", "Action=DeleteQueue", &sqs) },
                "{}",
            ),
            (
                "JSON that isn't",
                Head { target: Some("DynamoDB_20120810.GetItem"), ..head("POST", "/", "", &dynamodb) },
                r#"{"TableName":"Secret","x":NaN}"#,
            ),
            (
                "JSON in other letters",
                Head { target: Some("DynamoDB_20120810.GetItem"), ..head("POST", "/", "", &dynamodb) },
                "\u{1f8b}",
            ),
            (
                "two scopes",
                Head { target: Some("DynamoDB_20120810.GetItem"), ..head("POST", "/", "", two) },
                r#"{"TableName":"Mine"}"#,
            ),
            ("an operation below a bucket", head("POST", "/service/x/operation/PutMetricData", "", &dynamodb), ""),
            (
                "another service's URL",
                without("/topics/x", "X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fiotdata%2Faws4_request"),
                "",
            ),
            ("an empty bucket", head("GET", "//secret/key", "", &s3), ""),
        ] {
            let call = read(head, body.as_bytes());
            assert!(call.needs.len() == 1 && call.needs[0].action.ends_with(":?"), "{what}: {:?}", call.needs);
        }
        for (authorization, target, body, expected) in [
            // A service reads on where a field that it doesn't know names something harmless.
            (
                &sqs,
                "AmazonSQS.SendMessage",
                r#"{"TableName":"mine","QueueUrl":"http://x/1/other"}"#,
                vec!["http://x/1/other"],
            ),
            (&ssm, "AmazonSSM.GetParameters", r#"{"Names":["mine","other"]}"#, vec!["mine", "other"]),
            (&secrets, "secretsmanager.GetSecretValue", r#"{"Name":"mine","SecretId":"other"}"#, vec!["other", "mine"]),
        ] {
            let call = read(Head { target: Some(target), ..head("POST", "/", "", authorization) }, body.as_bytes());
            let names: Vec<&str> = call.needs.iter().filter_map(|need| need.resource.as_deref()).collect();
            assert_eq!(names, expected, "{target} {body}");
        }
        let call = read(
            Head { content_type: form, ..head("POST", "/", "", &sns) },
            b"Action=Publish&QueueUrl=mine&TopicArn=arn:aws:sns:r:1:other",
        );
        assert!(needs_of(&call).contains(&("sns:Publish", Some("arn:aws:sns:r:1:other"))));
        let tables: Vec<String> = (0..101).map(|number| format!("\"t{number}\":{{}}")).collect();
        let body = format!("{{\"RequestItems\":{{{}}}}}", tables.join(","));
        let call = read(
            Head { target: Some("DynamoDB_20120810.BatchGetItem"), ..head("POST", "/", "", &dynamodb) },
            body.as_bytes(),
        );
        assert_eq!(needs_of(&call), [("dynamodb:?", None)], "more than are judged");
        let call = read(Head { content_type: form, ..head("POST", "/", "", &sns) }, publish.as_bytes());
        assert_eq!(needs_of(&call), [("sns:Publish", Some("arn:x"))]);
    }

    #[test]
    fn a_copy_reads_one_object_and_writes_another() {
        let authorization = scope("s3");
        let head = Head {
            method: "PUT",
            path: "/to/b",
            copy_source: Some("/from/a%20b?versionId=1"),
            authorization: Some(&authorization),
            ..Head::default()
        };
        let call = read(head, b"");
        assert_eq!(
            needs_of(&call),
            [("s3:PutObject", Some("arn:aws:s3:::to/b")), ("s3:GetObject", Some("arn:aws:s3:::from/a b"))]
        );
        assert_eq!(call.errors, Errors::S3);
    }

    #[test]
    fn signed_urls_and_unsigned_requests() {
        let head = Head {
            method: "GET",
            path: "/cat/a",
            query: "X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
            ..Head::default()
        };
        assert_eq!(needs_of(&read(head, b"")), [("s3:GetObject", Some("arn:aws:s3:::cat/a"))]);
        let head = Head { method: "GET", path: "/cat/a", ..Head::default() };
        assert_eq!(needs_of(&read(head, b"")), [("unsigned:?", None)]);
        let head = Head { method: "GET", path: "/", authorization: Some("Basic Credential=////"), ..Head::default() };
        assert_eq!(needs_of(&read(head, b"")), [("unsigned:?", None)]);
    }
}
