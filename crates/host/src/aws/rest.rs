//! Services whose operation is in method and path. The common ones of each; an operation that isn't here is unrecognised, which
//! only a permission for the whole service covers.

/// What a path asks for.
pub(super) struct Asked {
    pub(super) operation: &'static str,
    pub(super) resource: Option<String>,
}

fn asked(operation: &'static str, resource: Option<String>) -> Option<Asked> {
    Some(Asked { operation, resource })
}

/// A request's query as names with decoded values.
pub(super) type Query = [(String, String)];

fn has(query: &Query, name: &str) -> bool {
    query.iter().any(|(key, _)| key == name)
}

/// The operation of a path of `service` (by its signing name). `path` is decoded, without the first slash.
pub(super) fn operation(service: &str, method: &str, path: &str, query: &Query) -> Option<Asked> {
    let parts: Vec<&str> = path.split('/').collect();
    let text = |text: &str| Some(text.to_owned());
    match service {
        "lambda" => match (method, parts.get(1..).unwrap_or_default()) {
            ("POST", ["functions", name, "invocations" | "invoke-async" | "response-streaming-invocations"]) => {
                asked("Invoke", text(name))
            }
            ("GET", ["functions", name]) => asked("GetFunction", text(name)),
            ("GET", ["functions"]) => asked("ListFunctions", None),
            ("POST", ["functions"]) => asked("CreateFunction", None),
            ("DELETE", ["functions", name]) => asked("DeleteFunction", text(name)),
            ("PUT", ["functions", name, "code"]) => asked("UpdateFunctionCode", text(name)),
            ("PUT", ["functions", name, "configuration"]) => asked("UpdateFunctionConfiguration", text(name)),
            ("GET", ["functions", name, "configuration"]) => asked("GetFunctionConfiguration", text(name)),
            ("POST", ["functions", name, "policy"]) => asked("AddPermission", text(name)),
            _ => None,
        },
        "ses" => match (method, parts.as_slice()) {
            ("POST", ["v2", "email", "outbound-emails"]) => asked("SendEmail", None),
            ("POST", ["v2", "email", "outbound-bulk-emails"]) => asked("SendBulkEmail", None),
            _ => None,
        },
        "execute-api" => match (method, parts.as_slice()) {
            ("POST", [.., "@connections", id]) => asked("PostToConnection", text(id)),
            ("DELETE", [.., "@connections", id]) => asked("DeleteConnection", text(id)),
            ("GET", [.., "@connections", id]) => asked("GetConnection", text(id)),
            _ => None,
        },
        "iotdata" | "iotdevicegateway" => match (method, parts.as_slice()) {
            ("POST", ["topics", topic @ ..]) => asked("Publish", Some(topic.join("/"))),
            ("GET", ["things", thing, "shadow"]) => asked("GetThingShadow", text(thing)),
            ("POST", ["things", thing, "shadow"]) => asked("UpdateThingShadow", text(thing)),
            ("DELETE", ["things", thing, "shadow"]) => asked("DeleteThingShadow", text(thing)),
            _ => None,
        },
        "scheduler" => match (method, parts.as_slice()) {
            ("POST", ["schedules", name]) => asked("CreateSchedule", text(name)),
            ("PUT", ["schedules", name]) => asked("UpdateSchedule", text(name)),
            ("GET", ["schedules", name]) => asked("GetSchedule", text(name)),
            ("DELETE", ["schedules", name]) => asked("DeleteSchedule", text(name)),
            _ => None,
        },
        "bedrock" => match (method, parts.as_slice()) {
            ("POST", ["model", model, "invoke" | "converse"]) => asked("InvokeModel", text(model)),
            ("POST", ["model", model, "invoke-with-response-stream" | "converse-stream"]) => {
                asked("InvokeModelWithResponseStream", text(model))
            }
            _ => None,
        },
        "polly" if path == "v1/speech" => asked("SynthesizeSpeech", None),
        "xray" if path == "TraceSegments" => asked("PutTraceSegments", None),
        "appconfig" => match parts.as_slice() {
            ["configuration"] => asked("GetLatestConfiguration", None),
            ["configurationsessions"] => asked("StartConfigurationSession", None),
            _ => None,
        },
        "s3" | "s3express" => Some(s3(method, path, query)),
        _ => None,
    }
}

/// S3: the bucket is the path's first part, and a name in the query picks what of it is meant.
fn s3(method: &str, path: &str, query: &Query) -> Asked {
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let arn = match (bucket, key) {
        ("", _) => None,
        (bucket, "") => Some(format!("arn:aws:s3:::{bucket}")),
        (bucket, key) => Some(format!("arn:aws:s3:::{bucket}/{key}")),
    };
    let operation = if bucket.is_empty() {
        "ListBuckets"
    } else if key.is_empty() {
        of_bucket(method, query)
    } else {
        of_object(method, query)
    };
    Asked { operation, resource: arn }
}

fn of_bucket(method: &str, query: &Query) -> &'static str {
    /// Query name, then what GET, PUT and DELETE of it are called.
    const PARTS: &[(&str, [&str; 3])] = &[
        ("acl", ["GetBucketAcl", "PutBucketAcl", ""]),
        ("policy", ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"]),
        ("cors", ["GetBucketCors", "PutBucketCors", "DeleteBucketCors"]),
        ("encryption", ["GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"]),
        ("lifecycle", ["GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"]),
        ("location", ["GetBucketLocation", "", ""]),
        ("logging", ["GetBucketLogging", "PutBucketLogging", ""]),
        ("notification", ["GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", ""]),
        ("publicAccessBlock", ["GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"]),
        ("replication", ["GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"]),
        ("tagging", ["GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"]),
        ("versioning", ["GetBucketVersioning", "PutBucketVersioning", ""]),
        ("website", ["GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"]),
        ("versions", ["ListObjectVersions", "", ""]),
        ("uploads", ["ListMultipartUploads", "", ""]),
    ];
    let part = PARTS.iter().find(|(name, _)| has(query, name)).map(|(_, operations)| operations);
    let named = |index: usize| part.and_then(|operations| operations.get(index)).copied();
    match method {
        "GET" => named(0).unwrap_or(if has(query, "list-type") { "ListObjectsV2" } else { "ListObjects" }),
        "HEAD" => "HeadBucket",
        "PUT" => named(1).unwrap_or("CreateBucket"),
        "DELETE" => named(2).unwrap_or("DeleteBucket"),
        "POST" if has(query, "delete") => "DeleteObjects",
        // A form with a file in it.
        "POST" => "PutObject",
        _ => "",
    }
}

fn of_object(method: &str, query: &Query) -> &'static str {
    let upload = has(query, "uploadId");
    match method {
        "GET" if has(query, "acl") => "GetObjectAcl",
        "GET" if has(query, "tagging") => "GetObjectTagging",
        "GET" if has(query, "attributes") => "GetObjectAttributes",
        "GET" if has(query, "retention") => "GetObjectRetention",
        "GET" if has(query, "legal-hold") => "GetObjectLegalHold",
        "GET" if upload => "ListParts",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if upload => "UploadPart",
        "PUT" if has(query, "acl") => "PutObjectAcl",
        "PUT" if has(query, "tagging") => "PutObjectTagging",
        "PUT" if has(query, "retention") => "PutObjectRetention",
        "PUT" if has(query, "legal-hold") => "PutObjectLegalHold",
        "PUT" => "PutObject",
        "POST" if has(query, "uploads") => "CreateMultipartUpload",
        "POST" if upload => "CompleteMultipartUpload",
        "POST" if has(query, "select") => "SelectObjectContent",
        "POST" if has(query, "restore") => "RestoreObject",
        "DELETE" if upload => "AbortMultipartUpload",
        "DELETE" if has(query, "tagging") => "DeleteObjectTagging",
        "DELETE" => "DeleteObject",
        _ => "",
    }
}
