//! `unencrypted-resource`: data at rest that nothing encrypts, where the platform's default doesn't either.

use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::Resource;
use serde_json::Value as Json;

const INFO: AuditInfo = AuditInfo {
    id: "unencrypted-resource",
    title: "Data at rest that nothing encrypts",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[311],
    docs: r#"A topic, queue, stream, file system, database, cache or search domain keeps its data unencrypted: because encryption
is switched off, or because it is off unless asked for.

## Why it matters
Encryption at rest keeps data from whoever gets hold of the storage, and a key of your own adds a second lock beside the
resource's permissions, with a record of each use. Many rules for personal and payment data ask for it.

## Remediation
Ask for it. For most kinds it can't be changed later without a new resource, so it is cheapest at the start.

```yaml
OrderEvents:
  Type: AWS::SNS::Topic
  Properties: { KmsMasterKeyId: alias/aws/sns }
```

## When it doesn't fire
Not where the platform encrypts by itself: S3 buckets (since January 2023), DynamoDB tables, log groups, event buses, state
machines, secrets, SQS queues unless `SqsManagedSseEnabled` is `false`, Aurora clusters (since February 2026) and Redshift
clusters (since January 2025) unless switched off, ElastiCache with Valkey, serverless caches and collections. Nor where a
parameter decides.
"#,
};

pub(super) struct UnencryptedResource;

/// A kind whose encryption is a switch that is off unless it is set.
struct Switch {
    resource_type: &'static str,
    /// Path of the switch.
    property: &'static str,
    /// What people call the resource.
    noun: &'static str,
    /// Whether leaving it out leaves it off.
    off_by_default: bool,
}

const SWITCHES: &[Switch] = &[
    switch("AWS::EFS::FileSystem", "Encrypted", "file system", true),
    switch("AWS::RDS::DBInstance", "StorageEncrypted", "database", true),
    switch("AWS::RDS::DBCluster", "StorageEncrypted", "database cluster", true),
    switch("AWS::DocDB::DBCluster", "StorageEncrypted", "DocumentDB cluster", true),
    switch("AWS::Neptune::DBCluster", "StorageEncrypted", "Neptune cluster", true),
    switch("AWS::OpenSearchService::Domain", "EncryptionAtRestOptions.Enabled", "search domain", true),
    switch("AWS::Elasticsearch::Domain", "EncryptionAtRestOptions.Enabled", "search domain", true),
    switch("AWS::ElastiCache::ReplicationGroup", "AtRestEncryptionEnabled", "cache", true),
    switch("AWS::DAX::Cluster", "SSESpecification.SSEEnabled", "DAX cluster", true),
    switch("AWS::Redshift::Cluster", "Encrypted", "Redshift cluster", false),
    switch("AWS::EC2::Volume", "Encrypted", "volume", true),
];

const fn switch(
    resource_type: &'static str,
    property: &'static str,
    noun: &'static str,
    off_by_default: bool,
) -> Switch {
    Switch { resource_type, property, noun, off_by_default }
}

impl Audit for UnencryptedResource {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn resource(&self, resource: &Resource, context: &mut Context<'_>) {
        match resource.resource_type.as_str() {
            "AWS::SNS::Topic" => topic(resource, context),
            "AWS::SQS::Queue" => queue(resource, context),
            "AWS::Kinesis::Stream" => stream(resource, context),
            "AWS::KinesisFirehose::DeliveryStream" => delivery_stream(resource, context),
            other => {
                if let Some(known) = SWITCHES.iter().find(|known| known.resource_type == other) {
                    switched(known, resource, context);
                }
            }
        }
    }
}

/// Whether a property is set to something.
fn is_set(resource: &Resource, path: &str) -> bool {
    resource.property(path).is_some_and(|value| !value.is_null() && value.as_str() != Some(""))
}

/// A switch: on, off, left out (`Some(None)`), or decided elsewhere (`None`).
fn flag(resource: &Resource, path: &str) -> Option<Option<bool>> {
    // A hole anywhere on the way leaves it open.
    let mut value = &resource.properties;
    for key in path.split('.') {
        match value {
            Json::Object(members) => match members.get(key) {
                Some(next) => value = next,
                None if members.len() == 1 && members.keys().all(|key| key == "Ref" || key.starts_with("Fn::")) => {
                    return None;
                }
                None => return Some(None),
            },
            Json::Null => return Some(None),
            _ => return None,
        }
    }
    match value {
        Json::Bool(on) => Some(Some(*on)),
        Json::Null => Some(None),
        Json::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" => Some(Some(true)),
            "false" => Some(Some(false)),
            _ => None,
        },
        _ => None,
    }
}

fn topic(resource: &Resource, context: &mut Context<'_>) {
    if is_set(resource, "KmsMasterKeyId") {
        return;
    }
    let span = context.head(resource.span);
    context
        .report(span, format!("messages of topic `{}` are stored unencrypted while they wait for delivery", resource.name))
        .severity(Severity::Low)
        .primary("SNS encrypts only topics that name a key")
        .remediation(
            "set `KmsMasterKeyId: alias/aws/sns`; where AWS services publish to the topic, a key of your own whose policy lets \
             them use it",
        );
}

fn queue(resource: &Resource, context: &mut Context<'_>) {
    if is_set(resource, "KmsMasterKeyId") || flag(resource, "SqsManagedSseEnabled") != Some(Some(false)) {
        return;
    }
    let span = resource.property_span("SqsManagedSseEnabled");
    context
        .report(span, format!("messages of queue `{}` are stored unencrypted", resource.name))
        .primary("switches off the encryption that SQS gives every new queue")
        .remediation("remove `SqsManagedSseEnabled: false`, or set `KmsMasterKeyId`");
}

fn stream(resource: &Resource, context: &mut Context<'_>) {
    if is_set(resource, "StreamEncryption") {
        return;
    }
    let span = context.head(resource.span);
    context
        .report(span, format!("records of stream `{}` are stored unencrypted", resource.name))
        .primary("Kinesis encrypts only streams that ask for it")
        .remediation("add `StreamEncryption: { EncryptionType: KMS, KeyId: alias/aws/kinesis }`");
}

fn delivery_stream(resource: &Resource, context: &mut Context<'_>) {
    // With another stream as its source, that stream's encryption covers the records on their way.
    let direct = match resource.property("DeliveryStreamType") {
        None => true,
        Some(kind) => kind.as_str() == Some("DirectPut"),
    };
    let sourced = ["KinesisStreamSourceConfiguration", "MSKSourceConfiguration", "DatabaseSourceConfiguration"]
        .iter()
        .any(|name| is_set(resource, name));
    if !direct || sourced || is_set(resource, "DeliveryStreamEncryptionConfigurationInput") {
        return;
    }
    let span = context.head(resource.span);
    context
        .report(span, format!("records of delivery stream `{}` are buffered unencrypted", resource.name))
        .severity(Severity::Low)
        .primary("Firehose encrypts its buffer only where asked to")
        .remediation("add `DeliveryStreamEncryptionConfigurationInput: { KeyType: AWS_OWNED_CMK }`");
}

fn switched(known: &Switch, resource: &Resource, context: &mut Context<'_>) {
    let engine = resource.property("Engine").and_then(Json::as_str).unwrap_or("").to_ascii_lowercase();
    let aurora = engine.starts_with("aurora");
    // An instance of a cluster takes its storage from there.
    if known.resource_type == "AWS::RDS::DBInstance" && (aurora || is_set(resource, "DBClusterIdentifier")) {
        return;
    }
    // A restored database is encrypted as its snapshot or source is.
    if [
        "SnapshotIdentifier",
        "DBSnapshotIdentifier",
        "SourceDBInstanceIdentifier",
        "SourceDBClusterIdentifier",
        "SnapshotId",
    ]
    .iter()
    .any(|name| is_set(resource, name))
    {
        return;
    }
    let off_by_default = known.off_by_default && !aurora && engine != "valkey";
    let span = match flag(resource, known.property) {
        Some(Some(false)) => resource.property_span(known.property),
        Some(None) if off_by_default => context.head(resource.span),
        _ => return,
    };
    let explicit = flag(resource, known.property) == Some(Some(false));
    let fix = match known.property.split_once('.') {
        Some((outer, inner)) => format!("{outer}: {{ {inner}: true }}"),
        None => format!("{}: true", known.property),
    };
    context
        .report(span, format!("{} `{}` stores its data unencrypted", known.noun, resource.name))
        // An account can turn on encryption of all new volumes.
        .confidence(if known.noun == "volume" && !explicit { Confidence::Low } else { Confidence::High })
        .primary(if explicit {
            "encryption is switched off".to_string()
        } else {
            format!("`{}` is off unless it is set", known.property)
        })
        .remediation(format!("set `{fix}`; this replaces the resource, so plan to move its data"));
}

#[cfg(test)]
mod tests {
    use crate::testing::lines;

    fn resource(kind: &str, properties: &str) -> Vec<String> {
        let text = format!("Resources:\n  Thing:\n    Type: {kind}\n    Properties: {{ {properties} }}\n");
        lines("unencrypted-resource", &text)
    }

    #[test]
    fn what_the_platform_leaves_open_is_reported() {
        for (kind, properties, expected) in [
            ("AWS::SNS::Topic", "DisplayName: t", "low/high 2: messages of topic `Thing`"),
            ("AWS::SQS::Queue", "SqsManagedSseEnabled: false", "medium/high 4: messages of queue `Thing`"),
            ("AWS::Kinesis::Stream", "ShardCount: 1", "medium/high 2: records of stream `Thing`"),
            ("AWS::EFS::FileSystem", "PerformanceMode: generalPurpose", "medium/high 2: file system `Thing`"),
            ("AWS::RDS::DBInstance", "Engine: postgres", "medium/high 2: database `Thing`"),
            ("AWS::RDS::DBCluster", "Engine: aurora-mysql, StorageEncrypted: false", "medium/high 4: database cluster"),
            ("AWS::OpenSearchService::Domain", "EngineVersion: OpenSearch_2.11", "medium/high 2: search domain"),
        ] {
            let found = resource(kind, properties);
            assert!(matches!(found.as_slice(), [one] if one.starts_with(expected)), "{kind}: {found:?}");
        }
    }

    #[test]
    fn what_is_encrypted_by_itself_is_not() {
        for (kind, properties) in [
            ("AWS::S3::Bucket", "BucketName: b"),
            ("AWS::DynamoDB::Table", "SSESpecification: { SSEEnabled: false }, KeySchema: []"),
            ("AWS::Logs::LogGroup", "RetentionInDays: 7"),
            ("AWS::SQS::Queue", "QueueName: q"),
            ("AWS::SQS::Queue", "SqsManagedSseEnabled: false, KmsMasterKeyId: alias/aws/sqs"),
            ("AWS::SNS::Topic", "KmsMasterKeyId: alias/aws/sns"),
            ("AWS::RDS::DBCluster", "Engine: aurora-postgresql"),
            ("AWS::ElastiCache::ReplicationGroup", "Engine: valkey"),
            ("AWS::EFS::FileSystem", "Encrypted: true"),
            ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamType: KinesisStreamAsSource"),
        ] {
            let found = resource(kind, properties);
            assert!(found.is_empty(), "{kind}: {found:?}");
        }
    }
}
