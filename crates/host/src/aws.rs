//! The cloud as functions here see it: a recording relay in front of the endpoint the user names ([`Relay`]), what a request on
//! it does ([`operation`]), and the application's tables, buckets, queues and topics made in it ([`provision`]).
//!
//! Deliberately absent: a cloud. Without an endpoint every call is answered with an error that says so.

mod client;
mod endpoint;
pub mod operation;
mod provision;
mod relay;
mod rest;

pub use endpoint::{Endpoint, EndpointError};
pub use provision::{Provisioned, provision};
pub use relay::{Relay, RelayConfig};
