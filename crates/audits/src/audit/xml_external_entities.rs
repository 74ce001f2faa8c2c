//! `xml-external-entities`: xML of the caller read with entities on.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "xml-external-entities",
    title: "XML of the caller read with entities on",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[611],
    docs: r##"A document from the event is read by a parser that resolves external entities: lxml with its default parser, `libxmljs` with `noent`.

## Why it matters
A document can name files of the function, such as its credentials in `/proc/self/environ`, or addresses inside, and gets their content into the answer.

## Remediation
Switch entities off.

```python
parser = etree.XMLParser(resolve_entities=False, no_network=True)
etree.fromstring(body, parser)
```

## When it doesn't fire
Not where a parser of its own is given that switches something off, not for `defusedxml`, `fast-xml-parser` and `xml2js`.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Xml, Weight::Middle)],
    thing: "an XML document",
    primary: "the parser fetches what the document names, files and addresses",
    remediation: "switch entities off (`etree.XMLParser(resolve_entities=False, no_network=True)`), or read with `defusedxml`",
    once: false,
});
