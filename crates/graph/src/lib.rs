//! The application as a graph: functions, what triggers them, what they run as, what that may do, the resources around them.
//!
//! One model whatever the source (CloudFormation, SAM, later Terraform and others): readers fill it, audits and the fence's
//! derivation read it. Every node has the span it was read from.
//!
//! Deliberately absent: reading anything, judging anything, and evaluating policies.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod application;
mod behaviour;
mod exposure;
mod value;
pub mod words;

pub use application::{
    Application, Code, Effect, EnvironmentVariable, Estate, Flow, FlowKind, Format, Function, FunctionUrl, Identity,
    IdentityKind, Origin, Provider, Resource, ResourceKind, Schema, Setting, Statement, Trigger, TriggerKind, UrlAuth,
};
pub use behaviour::{
    AccessKind, Behaviour, CallTarget, CloudCall, EventField, FileWrite, FlowStep, KeyPart, OutboundHost, Practice,
    PracticeKind, ProcessStart, RecordAccess, Sink, StoreAccess, TaintFlow,
};
pub use exposure::{Authorization, Exposure};
pub use value::{Part, Value};
