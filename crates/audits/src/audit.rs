//! The audits, one file each, and the list that registers them.

mod authorizer_unattached;
mod caller_chosen_resource;
mod code_injection;
mod cross_site_scripting;
mod deprecated_runtime;
mod log_injection;
mod missing_log_retention;
mod nosql_injection;
mod path_traversal;
mod public_bucket;
mod public_function_url;
mod public_resource_policy;
mod secret_in_environment;
mod server_side_request_forgery;
mod shared_role;
mod shell_injection;
mod sql_injection;
mod stack_trace_in_response;
mod stored_deserialization;
mod template_injection;
mod unauthenticated_endpoint;
mod unencrypted_resource;
mod unsafe_deserialization;
mod unvalidated_input;
mod unverified_tls;
mod unverified_token;
mod weak_hash;
mod weak_randomness;
mod wildcard_permission;

use crate::Audit;

/// All audits, by id.
const AUDITS: &[&dyn Audit] = &[
    &authorizer_unattached::AuthorizerUnattached,
    &caller_chosen_resource::AUDIT,
    &code_injection::AUDIT,
    &cross_site_scripting::AUDIT,
    &deprecated_runtime::DeprecatedRuntime,
    &log_injection::AUDIT,
    &missing_log_retention::MissingLogRetention,
    &nosql_injection::AUDIT,
    &path_traversal::AUDIT,
    &public_bucket::PublicBucket,
    &public_function_url::PublicFunctionUrl,
    &public_resource_policy::PublicResourcePolicy,
    &secret_in_environment::SecretInEnvironment,
    &server_side_request_forgery::AUDIT,
    &shared_role::SharedRole,
    &shell_injection::AUDIT,
    &sql_injection::AUDIT,
    &stack_trace_in_response::AUDIT,
    &stored_deserialization::AUDIT,
    &template_injection::AUDIT,
    &unauthenticated_endpoint::UnauthenticatedEndpoint,
    &unencrypted_resource::UnencryptedResource,
    &unsafe_deserialization::AUDIT,
    &unvalidated_input::UnvalidatedInput,
    &unverified_tls::AUDIT,
    &unverified_token::AUDIT,
    &weak_hash::AUDIT,
    &weak_randomness::AUDIT,
    &wildcard_permission::WildcardPermission,
];

/// Ids that audits once had, with the ones they have now, so that ignores and links stay good.
pub(crate) const RENAMED: &[(&str, &str)] =
    &[("public-endpoint", "unauthenticated-endpoint"), ("plaintext-secret", "secret-in-environment")];

/// All audits, by id.
pub fn audits() -> &'static [&'static dyn Audit] {
    AUDITS
}
