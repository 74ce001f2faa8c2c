//! The audits, one file each, and the list that registers them.

mod authorizer_allows_everyone;
mod authorizer_unattached;
mod caller_chosen_amount;
mod caller_chosen_price;
mod caller_chosen_recipient;
mod caller_chosen_resource;
mod check_then_write;
mod cleartext_request;
mod code_injection;
mod cross_site_scripting;
mod deprecated_runtime;
mod directory_injection;
mod endless_loop;
mod environment_exposed;
mod error_detail_in_response;
mod excessive_data_in_response;
mod fetched_code;
mod identity_from_caller;
mod insecure_cookie;
mod leftover_temporary_file;
mod log_injection;
mod mass_assignment;
mod missing_log_retention;
mod missing_ownership_check;
mod missing_role_check;
mod nosql_injection;
mod open_file_mode;
mod open_redirect;
mod path_traversal;
mod permissive_cors;
mod plaintext_sensitive_data;
mod prototype_pollution;
mod public_bucket;
mod public_function_url;
mod public_object;
mod public_resource_policy;
mod regex_injection;
mod role_from_caller;
mod secret_in_code;
mod secret_in_environment;
mod secret_in_log;
mod self_assignable_role;
mod self_invocation;
mod self_triggering_function;
mod sensitive_data_in_log;
mod server_side_request_forgery;
mod shared_role;
mod shared_state;
mod shell_injection;
mod slow_pattern;
mod sql_injection;
mod stack_trace_in_response;
mod stored_deserialization;
mod template_injection;
mod timing_unsafe_comparison;
mod unauthenticated_endpoint;
mod unchecked_certificates_in_environment;
mod unencrypted_resource;
mod unrestricted_upload;
mod unsafe_deserialization;
mod unsafe_extraction;
mod unvalidated_input;
mod unverified_tls;
mod unverified_token;
mod unverified_webhook;
mod weak_cipher;
mod weak_hash;
mod weak_password_policy;
mod weak_randomness;
mod wildcard_permission;
mod xml_entity_expansion;
mod xml_external_entities;

use crate::Audit;

/// All audits, by id.
const AUDITS: &[&dyn Audit] = &[
    &authorizer_allows_everyone::AUDIT,
    &authorizer_unattached::AuthorizerUnattached,
    &caller_chosen_amount::AUDIT,
    &caller_chosen_price::AUDIT,
    &caller_chosen_recipient::AUDIT,
    &caller_chosen_resource::AUDIT,
    &check_then_write::AUDIT,
    &cleartext_request::CleartextRequest,
    &code_injection::AUDIT,
    &cross_site_scripting::AUDIT,
    &deprecated_runtime::DeprecatedRuntime,
    &directory_injection::AUDIT,
    &endless_loop::AUDIT,
    &environment_exposed::AUDIT,
    &error_detail_in_response::AUDIT,
    &excessive_data_in_response::ExcessiveDataInResponse,
    &fetched_code::AUDIT,
    &identity_from_caller::IdentityFromCaller,
    &insecure_cookie::AUDIT,
    &leftover_temporary_file::AUDIT,
    &log_injection::AUDIT,
    &mass_assignment::AUDIT,
    &missing_log_retention::MissingLogRetention,
    &missing_ownership_check::MissingOwnershipCheck,
    &missing_role_check::MissingRoleCheck,
    &nosql_injection::AUDIT,
    &open_file_mode::AUDIT,
    &open_redirect::AUDIT,
    &path_traversal::AUDIT,
    &permissive_cors::AUDIT,
    &plaintext_sensitive_data::AUDIT,
    &prototype_pollution::AUDIT,
    &public_bucket::PublicBucket,
    &public_function_url::PublicFunctionUrl,
    &public_object::AUDIT,
    &public_resource_policy::PublicResourcePolicy,
    &regex_injection::AUDIT,
    &role_from_caller::AUDIT,
    &secret_in_code::SecretInCode,
    &secret_in_environment::SecretInEnvironment,
    &secret_in_log::AUDIT,
    &self_assignable_role::SelfAssignableRole,
    &self_invocation::AUDIT,
    &self_triggering_function::SelfTriggeringFunction,
    &sensitive_data_in_log::AUDIT,
    &server_side_request_forgery::AUDIT,
    &shared_role::SharedRole,
    &shared_state::AUDIT,
    &shell_injection::AUDIT,
    &slow_pattern::AUDIT,
    &sql_injection::AUDIT,
    &stack_trace_in_response::AUDIT,
    &stored_deserialization::AUDIT,
    &template_injection::AUDIT,
    &timing_unsafe_comparison::AUDIT,
    &unauthenticated_endpoint::UnauthenticatedEndpoint,
    &unchecked_certificates_in_environment::UncheckedCertificatesInEnvironment,
    &unencrypted_resource::UnencryptedResource,
    &unrestricted_upload::AUDIT,
    &unsafe_deserialization::AUDIT,
    &unsafe_extraction::AUDIT,
    &unvalidated_input::UnvalidatedInput,
    &unverified_tls::AUDIT,
    &unverified_token::AUDIT,
    &unverified_webhook::UnverifiedWebhook,
    &weak_cipher::AUDIT,
    &weak_hash::AUDIT,
    &weak_password_policy::WeakPasswordPolicy,
    &weak_randomness::AUDIT,
    &wildcard_permission::WildcardPermission,
    &xml_entity_expansion::AUDIT,
    &xml_external_entities::AUDIT,
];

/// Ids that audits once had, with the ones they have now, so that ignores and links stay good.
pub(crate) const RENAMED: &[(&str, &str)] =
    &[("public-endpoint", "unauthenticated-endpoint"), ("plaintext-secret", "secret-in-environment")];

/// All audits, by id.
pub fn audits() -> &'static [&'static dyn Audit] {
    AUDITS
}
