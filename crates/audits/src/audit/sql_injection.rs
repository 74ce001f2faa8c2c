//! `sql-injection`: a query made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "sql-injection",
    title: "A query made of what the caller wrote",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[89],
    docs: r##"Part of the event becomes part of the text of a statement: SQL, PartiQL, Athena, the Data API.

## Why it matters
A quote in the text ends the value, and the rest is read as part of the statement: other rows, other tables, changes.

## Remediation
Leave placeholders in the statement and hand the values over as parameters.

```python
db.execute("SELECT * FROM stock WHERE sku = ?", (sku,))
```

## When it doesn't fire
Not for values handed over as parameters, converted to numbers, matched as a whole or compared with a list of constants.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Sql, Weight::Middle)],
    thing: "a query",
    primary: "this text is read as a statement",
    remediation: "hand the value over as a parameter: `execute(\"… WHERE sku = ?\", (sku,))`, `query(\"… WHERE id = $1\", [id])`, `Parameters=[{\"S\": email}]`",
    once: false,
});
