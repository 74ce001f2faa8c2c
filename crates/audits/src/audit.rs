//! The audits, one file each, and the list that registers them.

mod authorizer_unattached;
mod deprecated_runtime;
mod missing_log_retention;
mod public_bucket;
mod public_function_url;
mod public_resource_policy;
mod secret_in_environment;
mod shared_role;
mod unauthenticated_endpoint;
mod unencrypted_resource;
mod unvalidated_input;
mod wildcard_permission;

use crate::Audit;

/// All audits, by id.
const AUDITS: &[&dyn Audit] = &[
    &authorizer_unattached::AuthorizerUnattached,
    &deprecated_runtime::DeprecatedRuntime,
    &missing_log_retention::MissingLogRetention,
    &public_bucket::PublicBucket,
    &public_function_url::PublicFunctionUrl,
    &public_resource_policy::PublicResourcePolicy,
    &secret_in_environment::SecretInEnvironment,
    &shared_role::SharedRole,
    &unauthenticated_endpoint::UnauthenticatedEndpoint,
    &unencrypted_resource::UnencryptedResource,
    &unvalidated_input::UnvalidatedInput,
    &wildcard_permission::WildcardPermission,
];

/// Ids that audits once had, with the ones they have now, so that ignores and links stay good.
pub(crate) const RENAMED: &[(&str, &str)] =
    &[("public-endpoint", "unauthenticated-endpoint"), ("plaintext-secret", "secret-in-environment")];

/// All audits, by id.
pub fn audits() -> &'static [&'static dyn Audit] {
    AUDITS
}
