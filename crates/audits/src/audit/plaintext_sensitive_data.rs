//! `plaintext-sensitive-data`: a password or card number stored as it is.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "plaintext-sensitive-data",
    title: "A password or card number stored as it is",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[312, 256],
    docs: r##"A password, a card number, its code or the like goes into a table as the event has it.

## Why it matters
Whoever reads the table, a backup or a stream of it has them all.

## Remediation
Hash or tokenise first.

```python
Item={"email": email, "passwordHash": bcrypt.hashpw(password, bcrypt.gensalt())}
```

## When it doesn't fire
Not for what went through a hash or a cipher, for the last digits of a number, and for tokens that the application made itself.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::PlainStore, Weight::Light)],
    thing: "a stored secret of the caller",
    primary: "this is stored as the caller wrote it, for everyone who may read the table",
    remediation: "hash passwords with a slow function (`bcrypt`, `scrypt`, `argon2`); leave card data to the payment provider, keep a token",
    once: false,
});
