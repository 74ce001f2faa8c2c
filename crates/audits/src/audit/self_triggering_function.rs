//! `self-triggering-function`: a function that writes where it is started from.

use crate::flow::resource_of;
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{CallTarget, Function, TriggerKind, Value};

const INFO: AuditInfo = AuditInfo {
    id: "self-triggering-function",
    title: "A function that writes where it is started from",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[674, 835, 400],
    docs: r##"The function puts objects into the bucket, messages into the queue or topic, or records into the stream or table that starts
it. Low where a filter keeps some of them out.

## Why it matters
Each run starts the next one, without an end, as many at once as the account allows: the bill is the first to tell.

## Remediation
Write somewhere else, or filter by a prefix that the function itself never writes.

```yaml
Filter: { S3Key: { Rules: [{ Name: prefix, Value: incoming/ }] } }
```

## When it doesn't fire
Not for other buckets, queues and tables, and not where the code doesn't tell where it writes.
"##,
};

pub(super) struct SelfTriggeringFunction;

impl Audit for SelfTriggeringFunction {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        let Some(behaviour) = &function.behaviour else { return };
        let application = context.application();
        let mut told = std::collections::BTreeSet::new();
        for trigger in application.triggers_of(&function.name) {
            let (service, operations): (&str, &[&str]) = match trigger.kind {
                TriggerKind::S3 => ("s3", &["PutObject", "CopyObject", "CompleteMultipartUpload"]),
                TriggerKind::Sqs => ("sqs", &["SendMessage", "SendMessageBatch"]),
                TriggerKind::Sns => ("sns", &["Publish", "PublishBatch"]),
                TriggerKind::DynamodbStream => ("dynamodb", &["PutItem", "UpdateItem", "BatchWriteItem"]),
                TriggerKind::Kinesis => ("kinesis", &["PutRecord", "PutRecords"]),
                _ => continue,
            };
            let Some(source) = trigger.source.as_ref() else { continue };
            let source_name = source.resource().map_or_else(|| source.to_string(), str::to_string);
            for call in behaviour
                .calls
                .iter()
                .filter(|call| call.service == service && operations.contains(&call.operation.as_str()))
            {
                // With a notification of S3 the bucket that it names is the one it came from.
                let same = match &call.target {
                    CallTarget::Event => trigger.kind == TriggerKind::S3,
                    target => {
                        resource_of(application, function, target).is_some_and(|name| name == source_name)
                            || target
                                .resolve(&function.environment)
                                .as_ref()
                                .and_then(Value::resource)
                                .is_some_and(|name| name == source_name)
                    }
                };
                // Reading an object may be among the permissions of a copy.
                let writes = call.actions.is_empty()
                    || call.actions.iter().any(|action| !action.contains(":Get") && !action.contains(":List"));
                // Whoever gets a signed address writes, not the function.
                let signed = {
                    let text = context.text(call.span).to_ascii_lowercase();
                    text.contains("presign")
                        || text.contains("signedurl")
                        || behaviour.imports.iter().any(|import| import.contains("presign"))
                };
                if signed || !same || !writes || !told.insert(call.span) {
                    continue;
                }
                // Code that asks what happened to the record may leave out its own writes.
                let asks = trigger.kind == TriggerKind::DynamodbStream
                    && behaviour.event_fields.iter().any(|field| field.path.ends_with("eventName"));
                let filtered = asks
                    || trigger.filter.as_deref().is_some_and(|filter| {
                        filter.contains("refix") || filter.contains("uffix") || trigger.kind != TriggerKind::S3
                    });
                let place = context.head(trigger.span);
                let severity = if filtered { Severity::Low } else { Severity::Medium };
                context
                    .report(call.span, format!("`{}` writes into `{source_name}`, which starts it again", function.name))
                    .severity(severity)
                    .confidence(if filtered { Confidence::Low } else { Confidence::Medium })
                    .function(&function.name)
                    .primary("what is written here starts the function again")
                    .related(place, "by this")
                    .remediation("write somewhere else, or filter the notification by a prefix that the function itself never writes");
            }
        }
    }
}
