//! `shared-role`: one role for several functions, so that each may do what any of them needs.

use crate::context::listed;
use crate::policy::{services, writing_action};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, Exposure, Function, Identity};
use std::collections::{BTreeMap, BTreeSet};

const INFO: AuditInfo = AuditInfo {
    id: "shared-role",
    title: "A role that several functions share",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[250, 653],
    docs: r#"Two or more functions run with the same role. High where a function that anyone can call gets to change what only
another one was seen to need, medium where the role changes things that one of them was not seen to use, low where the code
wasn't read or all use the same services.

## Why it matters
The role is the wall between functions. Shared, it is as wide as all of them together: whoever breaks into the function that
renders a page can do what the function that charges cards may do.

## Remediation
Give each function its own role. In SAM that is less to write: leave `Role` out and list `Policies`.

```yaml
GetOrder:
  Type: AWS::Serverless::Function
  Properties:
    Policies:
      - DynamoDBReadPolicy: { TableName: !Ref OrdersTable }
```

## When it doesn't fire
Not where the role gives nothing but logs and traces, so that there is nothing to share.
"#,
};

pub(super) struct SharedRole;

impl Audit for SharedRole {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn application(&self, application: &Application, context: &mut Context<'_>) {
        // Roles from outside the template, by what the template calls them.
        let mut outside: BTreeMap<String, Vec<&Function>> = BTreeMap::new();
        for function in application.functions.iter().filter(|function| function.identity.is_none()) {
            if let Some(role) = &function.role {
                outside.entry(role.value.to_string()).or_default().push(function);
            }
        }
        for (role, functions) in outside {
            let [first, rest @ ..] = functions.as_slice() else { continue };
            // `?` is no name: those may be different roles.
            if rest.is_empty() || role.contains('?') {
                continue;
            }
            let Some(place) = first.role.as_ref().map(|role| role.span) else { continue };
            let places: Vec<_> = functions.iter().take(20).map(|function| context.head(function.span)).collect();
            let names = listed(functions.iter().map(|function| function.name.as_str()));
            let mut report = context
                .report(place, format!("{names} share the role `{role}` from outside the template"))
                .severity(Severity::Low)
                .confidence(Confidence::Medium)
                .primary("each may do what any of them needs");
            for (function, place) in functions.iter().zip(places) {
                report = report.related(place, format!("`{}` runs with it", function.name));
            }
            report.remediation("give each function its own role; in SAM, leave `Role` out and list `Policies`");
        }
    }

    fn identity(&self, identity: &Identity, context: &mut Context<'_>) {
        let application = context.application();
        let users: Vec<&Function> = application
            .functions
            .iter()
            .filter(|function| function.identity.as_deref() == Some(identity.name.as_str()))
            .collect();
        if users.len() < 2 {
            return;
        }
        let granted: BTreeSet<String> = identity.statements.iter().flat_map(services).collect();
        if granted.is_empty() && identity.unresolved_policies.is_empty() {
            return;
        }
        let writing: BTreeSet<String> = identity
            .statements
            .iter()
            .filter(|statement| writing_action(statement).is_some())
            .flat_map(services)
            .collect();
        let judged: Vec<Judged> =
            users.iter().map(|function| judge(application, function, &granted, &writing)).collect();
        let worst = judged.iter().map(|judged| judged.severity).max().unwrap_or(Severity::Low);
        let read = users.iter().all(|function| function.behaviour.is_some());
        let places: Vec<_> = users.iter().take(20).map(|function| context.head(function.span)).collect();
        let span = context.head(identity.span);
        let title = format!(
            "role `{}` is shared by {}, so each may do what any of them needs",
            identity.name,
            listed(users.iter().map(|function| function.name.as_str()))
        );
        let given = listed(granted.iter().map(String::as_str));
        let mut report = context
            .report(span, title)
            .severity(worst)
            .confidence(if read { Confidence::High } else { Confidence::Medium })
            .primary(if given.is_empty() {
                "its policies are not in this template".to_string()
            } else if granted.contains("*") {
                "gives them every service".to_string()
            } else {
                format!("gives them {given}")
            });
        for ((function, place), judged) in users.iter().zip(places).zip(&judged) {
            let said = if judged.unused.is_empty() {
                format!("`{}` runs with it", function.name)
            } else {
                format!(
                    "`{}` runs with it, and was not seen to use {}",
                    function.name,
                    listed(judged.unused.iter().map(String::as_str))
                )
            };
            report = report.related(place, said);
        }
        report.remediation(
            "give each function its own role with what it uses; in SAM, leave `Role` out and list `Policies`",
        );
    }
}

struct Judged {
    severity: Severity,
    /// Services the role gives and the code was not seen to use.
    unused: Vec<String>,
}

fn judge(
    application: &Application,
    function: &Function,
    granted: &BTreeSet<String>,
    writing: &BTreeSet<String>,
) -> Judged {
    let Some(behaviour) = &function.behaviour else {
        return Judged { severity: Severity::Low, unused: Vec::new() };
    };
    let used: BTreeSet<String> = behaviour
        .calls
        .iter()
        .flat_map(|call| call.actions.iter().map(|action| crate::policy::service(action)))
        .collect();
    let unused: Vec<String> =
        granted.iter().filter(|service| *service != "*" && !used.contains(*service)).cloned().collect();
    let changes = writing.contains("*") || unused.iter().any(|service| writing.contains(service));
    let severity = match (changes, application.exposure(function)) {
        (true, Exposure::Public) => Severity::High,
        (true, _) => Severity::Medium,
        (false, _) => Severity::Low,
    };
    Judged { severity, unused }
}

#[cfg(test)]
mod tests {
    use crate::Input;
    use crate::testing::{TODAY, application, lines, lines_of};
    use graph::{Behaviour, CallTarget, CloudCall};

    fn template(statement: &str) -> String {
        format!(
            r#"
            Transform: AWS::Serverless-2016-10-31
            Globals: {{ Function: {{ Runtime: python3.14, Handler: app.handler, CodeUri: src/, Role: !GetAtt Shared.Arn }} }}
            Resources:
              Shared:
                Type: AWS::IAM::Role
                Properties:
                  AssumeRolePolicyDocument:
                    Statement: [{{ Effect: Allow, Principal: {{ Service: lambda.amazonaws.com }}, Action: sts:AssumeRole }}]
                  Policies: [{{ PolicyName: p, PolicyDocument: {{ Statement: [{statement}] }} }}]
              Show:
                Type: AWS::Serverless::Function
                Properties: {{ Events: {{ Get: {{ Type: HttpApi, Properties: {{ Method: GET, Path: / }} }} }} }}
              Charge: {{ Type: AWS::Serverless::Function }}
            "#
        )
    }

    #[test]
    fn a_role_is_reported_with_the_functions_that_share_it() {
        let found = lines(
            "shared-role",
            &template("{ Effect: Allow, Action: dynamodb:PutItem, Resource: arn:aws:dynamodb:eu-west-1:1:table/t }"),
        );
        assert_eq!(
            found,
            ["low/medium 4: role `Shared` is shared by `Show` and `Charge`, so each may do what any of them needs"]
        );
        let logs = lines("shared-role", &template("{ Effect: Allow, Action: 'logs:*', Resource: '*' }"));
        assert!(logs.is_empty(), "{logs:?}");
    }

    #[test]
    fn an_open_function_with_powers_that_only_another_uses_is_high() {
        let text =
            template("{ Effect: Allow, Action: dynamodb:PutItem, Resource: arn:aws:dynamodb:eu-west-1:1:table/t }");
        let (sources, mut application) = application(&text);
        let span = application.functions[0].span;
        application.functions[0].behaviour = Some(Behaviour::default());
        application.functions[1].behaviour = Some(Behaviour {
            calls: vec![CloudCall {
                service: "dynamodb".into(),
                operation: "PutItem".into(),
                actions: vec!["dynamodb:PutItem".into()],
                index: None,
                target: CallTarget::Literal("t".into()),
                span,
            }],
            ..Behaviour::default()
        });
        let input = Input { application: &application, sources: &sources, fence: None, settings: &[], today: TODAY };
        let found = lines_of("shared-role", &input);
        assert!(matches!(found.as_slice(), [one] if one.starts_with("high/high")), "{found:?}");
    }

    #[test]
    fn a_role_from_outside_is_shared_as_well() {
        let found = lines(
            "shared-role",
            r#"
            Transform: AWS::Serverless-2016-10-31
            Globals: { Function: { Runtime: python3.14, Handler: app.handler, CodeUri: src/, Role: arn:aws:iam::111122223333:role/lambda } }
            Resources:
              A: { Type: AWS::Serverless::Function }
              B: { Type: AWS::Serverless::Function }
            "#,
        );
        assert!(matches!(found.as_slice(), [one] if one.contains("`A` and `B` share")), "{found:?}");
    }
}
