#![no_main]
//! Policy documents and the decision over them. The input is one JSON object: the policies by what they are, and the request.

use iam::{Policies, Request, document, evaluate};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;

fuzz_target!(|input: &[u8]| {
    let Ok(json) = serde_json::from_slice::<Json>(input) else { return };
    let statements = |key: &str| json.get(key).map(document::statements);
    let (identity, resource) = (statements("identity").unwrap_or_default(), statements("resource").unwrap_or_default());
    let (boundary, session, organization) = (statements("boundary"), statements("session"), statements("organization"));
    let organization: Vec<&[graph::Statement]> = organization.as_deref().into_iter().collect();
    let text = |key: &str| json.get(key).and_then(Json::as_str).unwrap_or("*").to_string();
    let mut context = iam::condition::Context::new();
    for (key, value) in json.get("context").and_then(Json::as_object).into_iter().flatten() {
        context.insert(key.clone(), value.as_str().into_iter().map(str::to_string).collect());
    }
    let request = Request {
        action: text("action"),
        resource: document::property_value(json.get("on").unwrap_or(&Json::Null)),
        principal: json.get("principal").and_then(Json::as_str).map(str::to_string),
        context,
    };
    for across_accounts in [false, true] {
        let policies = Policies {
            identity: &identity,
            resource: &resource,
            boundary: boundary.as_deref(),
            session: session.as_deref(),
            service_control: &organization,
            across_accounts,
        };
        let _ = evaluate(&policies, &request);
    }
});
