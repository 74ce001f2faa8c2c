//! `secret-in-code`: a credential written into code or settings.

use crate::leak::{Form, leaks};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, Function, PracticeKind};
use source::{FileId, SourceFile, Span};
use std::collections::{BTreeMap, BTreeSet};

const INFO: AuditInfo = AuditInfo {
    id: "secret-in-code",
    title: "A credential written into code or settings",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[798, 312],
    docs: r##"The source of a function, a file of settings beside it (`.env`, JSON, YAML, keys) or the template holds a credential: a
provider's token by its shape, a private key, a connection string with its password, or a literal under a name such as
`DB_PASSWORD`; or a literal is handed over where a key or password belongs. Placeholders are low. Credentials are shown masked.

## Why it matters
It is in version control for good, for everyone who ever gets to read it, and in every package that is deployed.

## Remediation
Take the credential out of use first, since it has been seen. Then keep the new one in Secrets Manager or the Parameter Store.

```python
password = secrets.get_secret_value(SecretId=os.environ["DB_SECRET_ARN"])["SecretString"]
```

## When it doesn't fire
Not for names, addresses and ARNs of secrets, for checksums and identifiers, messages and labels, publishable and public keys,
lockfiles, tests, and values that are put together at run time.
"##,
};

pub(super) struct SecretInCode;

impl Audit for SecretInCode {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn application(&self, application: &Application, context: &mut Context<'_>) {
        let mut files: BTreeMap<FileId, (Form, Vec<&Function>)> = BTreeMap::new();
        for function in &application.functions {
            let Some(behaviour) = &function.behaviour else { continue };
            for file in &behaviour.files {
                files.entry(*file).or_insert((Form::Code, Vec::new())).1.push(function);
            }
        }
        for file in context.settings() {
            files.entry(*file).or_insert((form_of(context.sources().get(*file)), Vec::new()));
        }
        files.insert(application.template, (form_of(context.sources().get(application.template)), Vec::new()));
        let mut told: BTreeSet<(FileId, usize)> = BTreeSet::new();
        let mut known_texts: BTreeSet<String> = BTreeSet::new();
        let environment: Vec<Span> = application
            .functions
            .iter()
            .flat_map(|function| &function.environment)
            .map(|variable| variable.span)
            .collect();
        for (file, (form, functions)) in &files {
            let Some(source) = context.sources().get(*file) else { continue };
            if is_test(source.path()) {
                continue;
            }
            for leak in leaks(source.text(), *form) {
                let span = Span::new(*file, leak.start, leak.end);
                // What stands in an environment has an audit of its own.
                let known = environment
                    .iter()
                    .any(|known| known.file == span.file && known.start <= span.end && span.start <= known.end);
                if known {
                    continue;
                }
                told.insert((*file, line(source, leak.start)));
                let written = context.text(span);
                if leak.secret.severity > Severity::Low {
                    known_texts.insert(format!("{:016x}", graph::words::fingerprint(written)));
                }
                let whose = owner(functions, *file);
                let what = if leak.name.is_empty() { String::new() } else { format!(" under `{}`", leak.name) };
                let title = format!("`{}` holds {}{what} (`{}`)", source.path(), leak.secret.what, leak.secret.masked);
                let mut report = context
                    .report(span, title)
                    .severity(leak.secret.severity)
                    .confidence(leak.secret.confidence)
                    .primary("written here in plain text");
                if let Some(function) = whose {
                    report = report.function(&function.name);
                }
                report.remediation(REMEDIATION);
            }
        }
        for function in &application.functions {
            let Some(behaviour) = &function.behaviour else { continue };
            for practice in
                behaviour.practices.iter().filter(|practice| practice.kind == PracticeKind::LiteralCredential)
            {
                let Some(source) = context.sources().get(practice.span.file) else { continue };
                let at = line(source, practice.span.start as usize);
                let near = (at.saturating_sub(2)..=at + 2).any(|line| told.contains(&(practice.span.file, line)));
                let (detail, hash) = practice.detail.split_once('#').unwrap_or((&practice.detail, ""));
                if near
                    || known_texts.contains(hash)
                    || !told.insert((practice.span.file, at))
                    || is_test(source.path())
                {
                    continue;
                }
                let is_default = detail.contains("default");
                let severity = if is_default { Severity::Medium } else { Severity::High };
                context
                    .report(practice.span, format!("`{}` has {} written into its code", function.name, detail))
                    .severity(severity)
                    .confidence(Confidence::Medium)
                    .function(&function.name)
                    .primary("a literal stands where a secret belongs")
                    .remediation(REMEDIATION);
            }
        }
    }
}

/// HCL has its values in quotes; what stands without them is a reference.
fn form_of(source: Option<&SourceFile>) -> Form {
    let path = source.map_or("", SourceFile::path);
    if path.ends_with(".tf") || path.ends_with(".tofu") { Form::Code } else { Form::Settings }
}

const REMEDIATION: &str = "keep it in Secrets Manager or the Parameter Store and read it at run time; replace the credential itself, since it is in the repository's history";

fn line(source: &SourceFile, offset: usize) -> usize {
    source.text().get(..offset).map_or(0, |text| text.bytes().filter(|byte| *byte == b'\n').count())
}

/// The function a file belongs to: the only one that reads it, or the one whose handler it holds.
fn owner<'f>(functions: &[&'f Function], file: FileId) -> Option<&'f Function> {
    match functions {
        [only] => Some(only),
        several => {
            let mut first = several.iter().filter(|function| {
                function.behaviour.as_ref().and_then(|behaviour| behaviour.files.first()) == Some(&file)
            });
            first.next().copied()
        }
    }
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| {
        matches!(
            part,
            "test"
                | "tests"
                | "__tests__"
                | "spec"
                | "fixtures"
                | "testdata"
                | "node_modules"
                | "vendor"
                | "site-packages"
                | "dependencies"
        )
    }) || path.rsplit('/').next().is_some_and(|name| {
        name.starts_with("test_")
            || name.contains(".test.")
            || name.contains(".spec.")
            || name.contains("example")
            || name.contains("sample")
    })
}
