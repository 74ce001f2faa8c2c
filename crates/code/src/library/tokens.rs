//! What is signed by the code itself instead of by a client of the SDK: tokens that open connections to databases of RDS and Aurora
//! DSQL, and requests to APIs and search domains that ask for a signature.
//!
//! Nothing is called where the signature is made; the permission is asked for when the connection opens or the request arrives.
//!
//! Deliberately absent: which methods a signed request to a search domain uses (those that read and write are taken for granted),
//! clusters of MSK and Neptune.

use crate::Language;
use crate::call::Arguments;
use crate::evaluate::Evaluator;
use crate::syntax::Place;
use crate::value::{External, Value};
use facts::Service;
use graph::CallTarget;

fn note(
    evaluator: &mut Evaluator<'_>,
    called: (&'static str, &'static str),
    action: &str,
    target: Value,
    place: Place,
) {
    let site = evaluator.site(place);
    let targets = match target {
        Value::Nothing => vec![CallTarget::Unknown],
        target => target.targets(),
    };
    evaluator.record.named_call(site, called, vec![action.to_string()], targets);
}

/// The user of a database whose instance isn't told: `*/user`.
fn database_user(user: Option<Value>) -> Value {
    match user {
        Some(user @ (Value::Text(_) | Value::Pattern(_) | Value::Environment(_))) => {
            Value::concat(vec![Value::Unknown, Value::text("/"), user])
        }
        _ => Value::Unknown,
    }
}

/// `boto3.client("rds").generate_db_auth_token(...)`, and the same of DSQL.
pub(crate) fn of_method(
    evaluator: &mut Evaluator<'_>,
    service: Service,
    name: &str,
    arguments: &Arguments,
) -> Option<Value> {
    let place = arguments.place;
    match (service.boto3(), name) {
        ("rds", "generate_db_auth_token") => {
            let user = arguments.get(2, "DBUsername").cloned();
            note(evaluator, ("rds", "GenerateDBAuthToken"), "rds-db:connect", database_user(user), place);
        }
        ("dsql", "generate_db_connect_admin_auth_token") => {
            let host = arguments.get(0, "Hostname").cloned().unwrap_or(Value::Unknown);
            note(evaluator, ("dsql", "GenerateDbConnectAdminAuthToken"), "dsql:DbConnectAdmin", host, place);
        }
        ("dsql", "generate_db_connect_auth_token") => {
            let host = arguments.get(0, "Hostname").cloned().unwrap_or(Value::Unknown);
            note(evaluator, ("dsql", "GenerateDbConnectAuthToken"), "dsql:DbConnect", host, place);
        }
        _ => return None,
    }
    Some(Value::Unknown)
}

/// What a request signed for a service asks for.
fn signed(service: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match service {
        "appsync" => ("appsync", &["appsync:GraphQL"]),
        "execute-api" => ("apigateway", &["execute-api:Invoke"]),
        "aoss" => ("opensearchserverless", &["aoss:APIAccessAll"]),
        "es" => ("opensearch", &["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]),
        "lambda" => ("lambda", &["lambda:InvokeFunction", "lambda:InvokeFunctionUrl"]),
        "vpc-lattice-svcs" => ("vpc-lattice", &["vpc-lattice-svcs:Invoke"]),
        _ => return None,
    })
}

/// Signers of requests, by what names the service: a position and a keyword.
fn signature(evaluator: &mut Evaluator<'_>, path: &str, arguments: &Arguments) {
    let last = path.rsplit('.').next().unwrap_or(path);
    let given = match (evaluator.language, last) {
        (
            Language::Python,
            "AWSV4SignerAuth" | "AWSV4SignerAsyncAuth" | "Urllib3AWSV4SignerAuth" | "RequestsAWSV4SignerAuth",
        ) => {
            // Without a word it signs for the search service.
            arguments.get(2, "service").cloned().or(Some(Value::text("es")))
        }
        (Language::Python, "SigV4Auth" | "S3SigV4Auth") => arguments.get(1, "service_name").cloned(),
        (Language::Python, "AWS4Auth") => arguments.get(3, "service").cloned(),
        (Language::Python, "AWSRequestsAuth" | "BotoAWSRequestsAuth") => arguments.named("aws_service").cloned(),
        (Language::JavaScript, "SignatureV4" | "AwsSigv4Signer" | "AwsClient") => {
            let options = arguments.positional.first().cloned();
            options.map(|options| evaluator.member(&options, "service", true, arguments.place))
        }
        (Language::JavaScript, "V4") if path.ends_with("Signers.V4") => arguments.positional.get(1).cloned(),
        (Language::JavaScript, "sign") if path == "aws4.sign" => {
            let options = arguments.positional.first().cloned();
            options.map(|options| evaluator.member(&options, "service", true, arguments.place))
        }
        _ => None,
    };
    for service in given.iter().flat_map(Value::alternatives).filter_map(Value::as_text).filter_map(signed) {
        let site = evaluator.site(arguments.place);
        let actions = service.1.iter().map(|action| (*action).to_string()).collect();
        evaluator.record.named_call(site, (service.0, "SignedRequest"), actions, vec![CallTarget::Unknown]);
    }
}

/// The signers of the SDK 3 and the connectors of DSQL.
pub(crate) fn call(evaluator: &mut Evaluator<'_>, external: &External, arguments: &Arguments) -> Option<Value> {
    let path = external.path.as_str();
    let place = arguments.place;
    signature(evaluator, path, arguments);
    if evaluator.language == Language::Python {
        let root = path.split('.').next().unwrap_or(path);
        if root.starts_with("aurora_dsql_") && matches!(path.rsplit('.').next(), Some("connect" | "create_pool")) {
            let host = arguments.get(0, "host").cloned().unwrap_or(Value::Unknown);
            let admin = arguments.named("user").is_none_or(|user| user.as_text().is_none_or(|user| user == "admin"));
            let action = if admin { "dsql:DbConnectAdmin" } else { "dsql:DbConnect" };
            note(evaluator, ("dsql", "Connect"), action, host, place);
            // The connection goes on as one of the driver's.
            return None;
        }
        return None;
    }
    let made_with = |evaluator: &mut Evaluator<'_>, name: &str| {
        let options = external.carried.first().cloned()?;
        match evaluator.member(&options, name, true, place) {
            Value::Nothing | Value::Unknown => None,
            value => Some(value),
        }
    };
    if path.starts_with("@aws-sdk/rds-signer.Signer()") && path.ends_with(".getAuthToken") {
        let user = made_with(evaluator, "username");
        note(evaluator, ("rds", "GenerateDBAuthToken"), "rds-db:connect", database_user(user), place);
        return Some(Value::Unknown);
    }
    if path.starts_with("@aws-sdk/dsql-signer.DsqlSigner()") {
        let host = made_with(evaluator, "hostname").unwrap_or(Value::Unknown);
        let (name, action) = match path.rsplit('.').next() {
            Some("getDbConnectAdminAuthToken") => ("GenerateDbConnectAdminAuthToken", "dsql:DbConnectAdmin"),
            Some("getDbConnectAuthToken") => ("GenerateDbConnectAuthToken", "dsql:DbConnect"),
            _ => return None,
        };
        note(evaluator, ("dsql", name), action, host, place);
        return Some(Value::Unknown);
    }
    // Version 2 of the SDK.
    if path.starts_with("aws-sdk.RDS.Signer()") && path.ends_with(".getAuthToken") {
        let given = arguments.positional.first().cloned();
        let user = match given.map(|options| evaluator.member(&options, "username", true, place)) {
            Some(Value::Nothing | Value::Unknown) | None => made_with(evaluator, "username"),
            user => user,
        };
        note(evaluator, ("rds", "GenerateDBAuthToken"), "rds-db:connect", database_user(user), place);
        return Some(Value::Unknown);
    }
    None
}
