//! Small line drawings for the boxes, each within 16 by 16 pixels.

use crate::picture::{Kind, Outside};
use graph::{ResourceKind, TriggerKind};

const FUNCTION: &str = "M4 3h2.2l5 10H13M7.6 6.6 4 13";
const API: &str = "M6 3C3.6 3 5 7.2 3 8c2 .8.6 5 3 5M10 3c2.4 0 1 4.2 3 5-2 .8-.6 5-3 5";
const QUEUE: &str = "M2.5 5h11v6h-11zM6 5v6M9.8 5v6";
const TOPIC: &str =
    "M8 6.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2M4.9 4.9a4.4 4.4 0 0 0 0 6.2M11.1 4.9a4.4 4.4 0 0 1 0 6.2";
const BUCKET: &str = "M3 4.5h10l-1.4 8.2H4.4zM3 4.5c0-2 10-2 10 0";
const TABLE: &str = "M2.8 3.5h10.4v9H2.8zM2.8 6.5h10.4M2.8 9.5h10.4M6.4 6.5v6";
const STREAM: &str = "M2.5 5.5c2-2 3.6-2 5.5 0s3.5 2 5.5 0M2.5 10.5c2-2 3.6-2 5.5 0s3.5 2 5.5 0";
const BUS: &str = "M2.5 8h11M5 8V4M11 8V4M8 8v4";
const RULE: &str = "M3 4h10L9.3 8.6v4L6.7 11V8.6z";
const LOCK: &str = "M4 7.5h8v5.5H4zM5.8 7.5V5.4a2.2 2.2 0 0 1 4.4 0v2.1";
const KEY: &str = "M5.2 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M7.7 8h5.8v2.4M11.2 8v1.8";
const USER: &str = "M8 3a2.4 2.4 0 1 0 0 4.8A2.4 2.4 0 0 0 8 3M3.4 13c.4-4.4 8.8-4.4 9.2 0";
const STEPS: &str = "M2.8 3.5h4v3h-4zM9.2 9.5h4v3h-4zM4.8 6.5V11h4.4";
const LOG: &str = "M4 2.8h8v10.4H4zM6 5.8h4M6 8h4M6 10.2h2.4";
const DATABASE: &str = "M3.5 4.4c0-2 9-2 9 0v7.2c0 2-9 2-9 0zM3.5 4.4c0 2 9 2 9 0M3.5 8c0 2 9 2 9 0";
const FOLDER: &str = "M2.5 4.2h4l1.2 1.6h5.8v6.8h-11z";
const LAYERS: &str = "M8 3l5.5 2.8L8 8.6 2.5 5.8zM2.5 8.4 8 11.2l5.5-2.8";
const GLOBE: &str =
    "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M2.5 8h11M8 2.5c-3.2 3-3.2 8 0 11M8 2.5c3.2 3 3.2 8 0 11";
const CLOCK: &str = "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M8 5v3.2l2.2 1.4";
const DEVICE: &str =
    "M4.5 4.5h7v7h-7zM6.5 4.5v-2M9.5 4.5v-2M6.5 13.5v-2M9.5 13.5v-2M4.5 6.5h-2M4.5 9.5h-2M13.5 6.5h-2M13.5 9.5h-2";
const MAIL: &str = "M2.5 4h11v8h-11zM2.5 4.4 8 8.8l5.5-4.4";
const BOX: &str = "M8 2.5l5 2.6v5.8l-5 2.6-5-2.6V5.1zM3 5.1l5 2.7 5-2.7M8 7.8v5.7";
const LINK: &str =
    "M6.8 9.2 9.2 6.8M7.2 5l1.6-1.6a2.7 2.7 0 0 1 3.8 3.8L11 8.8M8.8 11l-1.6 1.6a2.7 2.7 0 0 1-3.8-3.8L5 7.2";

/// The drawing of a box, as path data.
pub(crate) fn icon(kind: Kind) -> &'static str {
    match kind {
        Kind::Function => FUNCTION,
        Kind::Role => KEY,
        Kind::Outside(Outside::Internet) => GLOBE,
        Kind::Outside(Outside::Callers) => USER,
        Kind::Outside(Outside::Devices) => DEVICE,
        Kind::Outside(Outside::Mail) => MAIL,
        Kind::Outside(Outside::Clock) => CLOCK,
        Kind::Outside(Outside::Account) => BUS,
        Kind::Outside(Outside::Deployment) => BOX,
        Kind::Source(kind) | Kind::Entry(kind) => match kind {
            TriggerKind::RestApi
            | TriggerKind::HttpApi
            | TriggerKind::WebSocket
            | TriggerKind::LoadBalancer
            | TriggerKind::Http
            | TriggerKind::AppSync => API,
            TriggerKind::FunctionUrl => LINK,
            TriggerKind::Sqs | TriggerKind::Mq | TriggerKind::StorageQueue | TriggerKind::ServiceBus => QUEUE,
            TriggerKind::Sns | TriggerKind::PubSub => TOPIC,
            TriggerKind::S3 | TriggerKind::CloudStorage | TriggerKind::Blob => BUCKET,
            TriggerKind::DynamodbStream
            | TriggerKind::Kinesis
            | TriggerKind::Firehose
            | TriggerKind::Kafka
            | TriggerKind::DocumentDb
            | TriggerKind::Firestore
            | TriggerKind::EventHub => STREAM,
            TriggerKind::EventBridge | TriggerKind::CloudEvent | TriggerKind::EventGrid => RULE,
            TriggerKind::Schedule => CLOCK,
            TriggerKind::Iot => DEVICE,
            TriggerKind::Cognito => USER,
            TriggerKind::Email => MAIL,
            TriggerKind::Logs | TriggerKind::AuditLog => LOG,
            TriggerKind::StepFunctions => STEPS,
            TriggerKind::CloudFront => GLOBE,
            TriggerKind::Function => FUNCTION,
            TriggerKind::Alexa
            | TriggerKind::CodeCommit
            | TriggerKind::Config
            | TriggerKind::CustomResource
            | TriggerKind::Binding
            | TriggerKind::Other => BOX,
        },
        Kind::Resource(kind) => match kind {
            ResourceKind::Api => API,
            ResourceKind::Queue => QUEUE,
            ResourceKind::Topic => TOPIC,
            ResourceKind::Bucket => BUCKET,
            ResourceKind::Table => TABLE,
            ResourceKind::Stream | ResourceKind::DeliveryStream => STREAM,
            ResourceKind::EventBus => BUS,
            ResourceKind::Rule => RULE,
            ResourceKind::Secret => LOCK,
            ResourceKind::Key => KEY,
            ResourceKind::UserPool => USER,
            ResourceKind::StateMachine => STEPS,
            ResourceKind::LogGroup => LOG,
            ResourceKind::Database => DATABASE,
            ResourceKind::FileSystem => FOLDER,
            ResourceKind::Layer => LAYERS,
            ResourceKind::Distribution => GLOBE,
            ResourceKind::Application | ResourceKind::Other => BOX,
        },
    }
}
