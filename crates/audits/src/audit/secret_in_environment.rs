//! `secret-in-environment`: a credential written into a function's environment.

use crate::context::listed;
use crate::secret::{HOLE, Secret, recognise};
use crate::{Audit, Context};
use findings::{AuditInfo, Severity};
use graph::{Application, Function, Part, Value};
use source::Span;
use std::collections::BTreeMap;

const INFO: AuditInfo = AuditInfo {
    id: "secret-in-environment",
    title: "A credential written into a function's environment",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[798, 312],
    docs: r#"An environment variable's value in the template is a credential: a provider's token by its shape, a connection string
with its password, a private key, or a literal under a name such as `DB_PASSWORD` or `API_KEY`. Placeholders such as
`changeme` are low: somebody will deploy them.

## Why it matters
The template is in version control for good, for everyone who ever gets to read it. The environment is shown to whoever may
read the function's configuration, and any mistake that prints or leaks the environment gives the credential away.

## Remediation
Take the credential out of use first, since it has been seen. Then keep the new one in Secrets Manager or the Parameter Store,
and read it in the code when the function starts.

```yaml
Environment:
  Variables:
    PAYMENTS_SECRET: !Ref PaymentsSecret   # the secret's ARN; the code fetches its value
Policies:
  - AWSSecretsManagerGetSecretValuePolicy: { SecretArn: !Ref PaymentsSecret }
```

## When it doesn't fire
Not for references to secrets and parameters (ARNs, paths, `{{resolve:…}}`), names of secrets, flags, numbers, addresses
without user information, publishable keys, and not for parameters with `NoEcho` or without a default. Values under names that
say nothing, and without a known shape, aren't recognised.
"#,
};

pub(super) struct SecretInEnvironment;

impl Audit for SecretInEnvironment {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn application(&self, application: &Application, context: &mut Context<'_>) {
        // One line of `Globals` reaches many functions.
        let mut found: BTreeMap<(Span, &str), (Secret, Vec<&Function>)> = BTreeMap::new();
        for function in &application.functions {
            for variable in &function.environment {
                if let Some(secret) = recognise(&variable.name, &text_of(&variable.value)) {
                    let key = (variable.span, variable.name.as_str());
                    found.entry(key).or_insert_with(|| (secret, Vec::new())).1.push(function);
                }
            }
        }
        for ((span, name), (secret, functions)) in found {
            let names = listed(functions.iter().map(|function| function.name.as_str()));
            let parameter = parameter_in(context.text(span));
            let places: Vec<_> = functions.iter().take(20).map(|function| context.head(function.span)).collect();
            let title = format!("`{name}` of {names} holds {} (`{}`)", secret.what, secret.masked);
            let mut report =
                context.report(span, title).severity(secret.severity).confidence(secret.confidence).primary(
                    match &parameter {
                        Some(parameter) => format!("the default of parameter `{parameter}`, in plain text"),
                        None => "written here in plain text".to_string(),
                    },
                );
            if let [only] = functions.as_slice() {
                report = report.function(&only.name);
            }
            for (function, place) in functions.iter().zip(places) {
                report = report.related(place, format!("`{}` gets it", function.name));
            }
            let first = match parameter {
                Some(parameter) => format!("take the default of `{parameter}` away and set `NoEcho: true`; better, "),
                None => String::new(),
            };
            report.remediation(format!(
                "{first}keep it in Secrets Manager or the Parameter Store, hand the function its ARN and read it in the code; \
                 replace the credential itself, since it is in the repository's history"
            ));
        }
    }
}

fn text_of(value: &Value) -> String {
    value.parts().iter().fold(String::new(), |mut text, part| {
        match part {
            Part::Text(known) => text.push_str(known),
            _ => text.push(HOLE),
        }
        text
    })
}

/// The parameter that a value's source text refers to, where it is nothing but that reference.
fn parameter_in(source: &str) -> Option<&str> {
    let source = source.trim();
    let name = match source.strip_prefix("!Ref") {
        Some(rest) => rest,
        None => {
            let (_, rest) = source.split_once("Ref")?;
            rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?
        }
    };
    let name = name.trim_matches([' ', '"', '\'', '}', '\n', '\r', '\t']);
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, lines};

    fn variables(variables: &str) -> String {
        format!(
            r#"
            Transform: AWS::Serverless-2016-10-31
            Parameters:
              DbPassword: {{ Type: String, Default: hunter2222 }}
              Hidden: {{ Type: String, NoEcho: true, Default: hunter2222 }}
              Asked: {{ Type: String }}
            Globals:
              Function:
                Runtime: python3.14
                Handler: app.handler
                CodeUri: src/
                Environment: {{ Variables: {{ {variables} }} }}
            Resources:
              A: {{ Type: AWS::Serverless::Function }}
              B: {{ Type: AWS::Serverless::Function }}
            "#
        )
    }

    #[test]
    fn a_literal_in_globals_is_one_finding_and_masked() {
        let found = findings("secret-in-environment", &variables("PAYMENTS_KEY: sk_live_51Hq8sKJd73hsYwq2"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].title, "`PAYMENTS_KEY` of `A` and `B` holds a Stripe live key (`sk_l…`)");
        assert!(!format!("{found:?}").contains("51Hq8s"), "{found:?}");
    }

    #[test]
    fn a_parameters_default_is_as_plain_as_a_literal() {
        let found = findings("secret-in-environment", &variables("DB_PASSWORD: !Ref DbPassword"));
        assert!(
            matches!(found.as_slice(), [one] if one.primary.message.contains("parameter `DbPassword`")),
            "{found:?}"
        );
        assert!(found[0].remediation.contains("NoEcho"), "{found:?}");
    }

    #[test]
    fn references_and_hidden_parameters_are_left_alone() {
        for value in
            ["!Ref Hidden", "!Ref Asked", "'{{resolve:secretsmanager:db:SecretString:password}}'", "!Ref AWS::Region"]
        {
            let found = lines("secret-in-environment", &variables(&format!("DB_PASSWORD: {value}")));
            assert!(found.is_empty(), "{value}: {found:?}");
        }
        let holes = "DATABASE_URL: !Sub 'postgres://shop:${Asked}@db/shop'";
        assert!(lines("secret-in-environment", &variables(holes)).is_empty());
    }
}
