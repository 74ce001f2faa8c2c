#![cfg_attr(test, allow(clippy::unwrap_used))]
//! Published facts about AWS, embedded as compact tables behind a small typed lookup API.
//!
//! What is here: which IAM actions exist and whether a resource can limit them ([`action`]); which actions an SDK
//! call needs, found by its name in boto3 or in the JavaScript SDKs ([`service_by_boto3`], [`service_by_js_package`],
//! [`service_by_js_v2`]); the documents of AWS managed policies ([`managed_policy`]); SAM policy templates and
//! connectors ([`sam_policy_template`], [`connector`]); the life cycle of Lambda runtimes ([`runtime`]).
//!
//! Nothing is written from memory: `cargo xtask gen` draws every table from pinned packages, and
//! `data/PROVENANCE.md` says from which. The one reviewed list, operations whose action has another name, stands in
//! `crates/xtask/src/gen/exceptions.txt` with a source per line; each action in it is checked to exist.
//!
//! The tables are text lines sorted by key and searched where they lie, so nothing is built at start-up.
//!
//! Deliberately absent: what a *service* does on the caller's behalf after a call (reading S3 for Textract, decrypting
//! with a customer's key), data plane actions without an SDK operation, and condition keys.

mod iam;
mod managed;
mod names;
mod runtimes;
mod sam;
mod sdk;
mod table;

pub use iam::{Access, Action, ResourceType, action, actions_matching, resource_arn, service_has_action};
pub use managed::{managed_policies, managed_policy, managed_policy_arn};
pub use names::snake_case;
pub use runtimes::{Runtime, runtime, runtimes};
pub use sam::{PolicyTemplate, connector, connectors, sam_policy_template, sam_policy_templates};
pub use sdk::{
    ClientMethod, Conditional, Helper, Member, MemberKind, Operation, Service, Waiter, js_v2_document_client,
    js_v2_helper, js_v3_helper, service_by_boto3, service_by_js_client, service_by_js_package, service_by_js_v2,
    services,
};
