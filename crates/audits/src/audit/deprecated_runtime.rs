//! `deprecated-runtime`: a runtime that gets no more security updates, or soon won't.

use crate::context::listed;
use crate::date::days_until;
use crate::{Audit, Context};
use findings::{AuditInfo, Severity};
use graph::{Application, Function};
use source::Span;
use std::collections::BTreeMap;

const INFO: AuditInfo = AuditInfo {
    id: "deprecated-runtime",
    title: "A runtime that gets no more security updates",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[1104],
    docs: r#"A function's runtime has passed the date on which AWS stops patching it, or will within 90 days. The dates are AWS's
published ones as of this release's data.

## Why it matters
From that date on, flaws found in the language or its standard library stay open in every function that uses it. Later AWS
refuses new functions, and then changes of existing ones: a fix of your own code can no longer be deployed without moving to
another runtime first, under time pressure. Medium once deprecated, high once functions can't be updated any more.

## Remediation
Move to the runtime the finding names, and test.

```yaml
Globals:
  Function:
    Runtime: python3.14
```

## When it doesn't fire
Not for container images, whose base this audit can't see, nor for runtimes whose end lies more than 90 days ahead.
Functions that share one line in `Globals` are one finding.
"#,
};

/// How long before its end a runtime is reported, in days.
const NOTICE_DAYS: i64 = 90;

pub(super) struct DeprecatedRuntime;

impl Audit for DeprecatedRuntime {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn application(&self, application: &Application, context: &mut Context<'_>) {
        let mut places: BTreeMap<(Span, &str), Vec<&Function>> = BTreeMap::new();
        for function in &application.functions {
            if let Some(runtime) = &function.runtime {
                places.entry((runtime.span, &runtime.value)).or_default().push(function);
            }
        }
        for ((span, id), functions) in places {
            let Some(runtime) = facts::runtime(id) else { continue };
            let Some(deprecated) = runtime.deprecated else { continue };
            let today = context.today();
            let Some(days) = days_until(today, deprecated).filter(|days| *days <= NOTICE_DAYS) else { continue };
            let passed =
                |date: Option<&str>| date.and_then(|date| days_until(today, date)).is_some_and(|days| days <= 0);
            let (severity, state) = if days > 0 {
                (Severity::Low, format!("gets its last security update on {deprecated}, in {days} days"))
            } else if passed(runtime.update_blocked) {
                let date = runtime.update_blocked.unwrap_or(deprecated);
                (
                    Severity::High,
                    format!(
                        "gets no security updates since {deprecated}, and since {date} functions with it can't be updated"
                    ),
                )
            } else {
                let next = runtime
                    .update_blocked
                    .map(|date| format!("; from {date} on, functions with it can't be updated"))
                    .unwrap_or_default();
                (Severity::Medium, format!("gets no security updates since {deprecated}{next}"))
            };
            let names: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
            let title = format!("runtime `{id}` of {} {state}", listed(names.iter().copied()));
            let heads: Vec<Span> = functions.iter().map(|function| context.head(function.span)).collect();
            let mut report = context.report(span, title).severity(severity).primary(if days > 0 {
                format!("patched until {deprecated}")
            } else {
                format!("unpatched since {deprecated}")
            });
            if let [only] = functions.as_slice() {
                report = report.function(&only.name);
            }
            for (function, head) in functions.iter().zip(heads).take(20) {
                report = report.related(head, format!("`{}` runs on it", function.name));
            }
            report.remediation(match runtime.successor {
                Some(successor) => {
                    format!("set `Runtime: {successor}` and test; the way there may lead over the versions between")
                }
                None => "move to a runtime that AWS still patches".to_string(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Input;
    use crate::testing::{application, lines, lines_of};

    const TEMPLATE: &str = r#"
        Transform: AWS::Serverless-2016-10-31
        Globals: { Function: { Runtime: python3.9, Handler: app.handler, CodeUri: src/ } }
        Resources:
          One: { Type: AWS::Serverless::Function }
          Two: { Type: AWS::Serverless::Function }
          New: { Type: AWS::Serverless::Function, Properties: { Runtime: python3.14 } }
        "#;

    #[test]
    fn one_line_in_globals_is_one_finding() {
        let found = lines("deprecated-runtime", TEMPLATE);
        assert_eq!(
            found,
            ["medium/high 2: runtime `python3.9` of `One` and `Two` gets no security updates since 2025-12-15; \
                 from 2027-03-03 on, functions with it can't be updated"]
        );
    }

    #[test]
    fn severity_follows_the_date() {
        let (sources, application) = application(TEMPLATE);
        let on = |today| {
            let input = Input { application: &application, sources: &sources, fence: None, settings: &[], today };
            lines_of("deprecated-runtime", &input).first().map(|line| line.split('/').next().unwrap().to_string())
        };
        assert_eq!(on((2025, 9, 15)), None);
        assert_eq!(on((2025, 9, 16)).as_deref(), Some("low"));
        assert_eq!(on((2025, 12, 14)).as_deref(), Some("low"));
        assert_eq!(on((2025, 12, 15)).as_deref(), Some("medium"));
        assert_eq!(on((2027, 3, 3)).as_deref(), Some("high"));
    }
}
