//! `missing-log-retention`: logs that are kept for ever because nobody said for how long.

use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Function, Resource, ResourceKind};

const INFO: AuditInfo = AuditInfo {
    id: "missing-log-retention",
    title: "Logs without a retention period",
    severity: Severity::Info,
    since: "0.1.0",
    cwe: &[779],
    docs: r#"A function writes to a log group that isn't in the template, so Lambda makes one that keeps its records for ever; or
the group is in the template without a period (low).

## Why it matters
What functions log about people stays longer than anyone may keep it, and the bill grows. A group that nobody declared also
has no access rule, no key of your own and goes unnoticed when the stack is deleted.

## Remediation
Declare the group, say how long, and point the function at it.

```yaml
ChargeLogs:
  Type: AWS::Logs::LogGroup
  Properties: { RetentionInDays: 30 }
Charge:
  Type: AWS::Serverless::Function
  Properties:
    LoggingConfig: { LogGroup: !Ref ChargeLogs }
```

## When it doesn't fire
Not where the group has `RetentionInDays`, a parameter included, and not for groups of the `DELIVERY` class, whose records
always go after two days. A rule of the account may set periods from outside the template: hence the medium confidence.
"#,
};

pub(super) struct MissingLogRetention;

impl Audit for MissingLogRetention {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn function(&self, function: &Function, context: &mut Context<'_>) {
        if function.log_group.is_some() || logs_elsewhere(function, context) {
            return;
        }
        let span = context.head(function.span);
        context
            .report(span, format!("the logs of `{}` are kept for ever", function.name))
            .confidence(Confidence::Medium)
            .function(&function.name)
            .primary("its log group is made by Lambda, without a retention period")
            .remediation(format!(
                "declare an `AWS::Logs::LogGroup` with `RetentionInDays` and name it in the function's `LoggingConfig` (or call \
                 it `/aws/lambda/` and the name of `{}`)",
                function.name
            ));
    }

    fn resource(&self, resource: &Resource, context: &mut Context<'_>) {
        if resource.kind != ResourceKind::LogGroup
            || resource.property("RetentionInDays").is_some_and(|days| !days.is_null())
        {
            return;
        }
        if resource.property("LogGroupClass").and_then(|class| class.as_str()) == Some("DELIVERY") {
            return;
        }
        let span = context.head(resource.span);
        let writers: Vec<&Function> = context
            .application()
            .functions
            .iter()
            .filter(|function| function.log_group.as_deref() == Some(resource.name.as_str()))
            .collect();
        let heads: Vec<_> = writers.iter().map(|function| context.head(function.span)).collect();
        let mut report = context
            .report(span, format!("log group `{}` keeps its records for ever", resource.name))
            .severity(Severity::Low)
            .primary("no `RetentionInDays`");
        if let [only] = writers.as_slice() {
            report = report.function(&only.name);
        }
        for (function, head) in writers.iter().zip(heads).take(20) {
            report = report.related(head, format!("`{}` writes to it", function.name));
        }
        report.remediation("add `RetentionInDays`, such as `RetentionInDays: 30`");
    }
}

/// Whether the template points a function's logs at a group of another stack, whose period isn't known here.
fn logs_elsewhere(function: &Function, context: &Context<'_>) -> bool {
    let text = context.text(function.span);
    text.split_once("LoggingConfig").is_some_and(|(_, rest)| rest.contains("LogGroup"))
}

#[cfg(test)]
mod tests {
    use crate::testing::lines;

    #[test]
    fn a_group_nobody_declared_and_a_group_without_a_period() {
        let found = lines(
            "missing-log-retention",
            r#"
            Transform: AWS::Serverless-2016-10-31
            Globals: { Function: { Runtime: python3.14, Handler: app.handler, CodeUri: src/ } }
            Resources:
              Silent: { Type: AWS::Serverless::Function }
              Endless:
                Type: AWS::Serverless::Function
                Properties: { LoggingConfig: { LogGroup: !Ref EndlessLogs } }
              EndlessLogs: { Type: AWS::Logs::LogGroup }
              Tidy:
                Type: AWS::Serverless::Function
                Properties: { LoggingConfig: { LogGroup: !Ref TidyLogs } }
              TidyLogs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 30 } }
            "#,
        );
        assert_eq!(
            found,
            [
                "low/high 8: log group `EndlessLogs` keeps its records for ever",
                "info/medium 4: the logs of `Silent` are kept for ever",
            ]
        );
    }
}
