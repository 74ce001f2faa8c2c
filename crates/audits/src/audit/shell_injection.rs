//! `shell-injection`: a command line made of what the caller wrote.

use crate::flow::{FlowAudit, Story, Weight};
use findings::{AuditInfo, Severity};
use graph::Sink;

const INFO: AuditInfo = AuditInfo {
    id: "shell-injection",
    title: "A command line made of what the caller wrote",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[78],
    docs: r##"Part of the event becomes part of a command line that a shell reads, or says which program is started. An argument of a program that is
started without a shell is low: it can still be taken for an option.

## Why it matters
A `;`, a backtick or `$(…)` in the text ends the command and starts another one, with the credentials of the function in its
environment.

## Remediation
Start programs with a list of arguments, without a shell, and end the options with `--`.

```python
subprocess.run(["wc", "-l", "--", path])  # not f"wc -l {path}" with shell=True
```

## When it doesn't fire
Not for values that were converted to a number, quoted with `shlex.quote`, matched as a whole with a pattern or compared with
a list of constants.
"##,
};

pub(super) const AUDIT: FlowAudit = FlowAudit(Story {
    info: &INFO,
    sinks: &[(Sink::Shell, Weight::Heavy), (Sink::Process, Weight::Trifle)],
    thing: "a command line",
    primary: "this is run as a command, with whatever else the text brings along",
    remediation: "start the program with a list and no shell (`subprocess.run([\"wc\", \"-l\", \"--\", path])`, `execFile(\"wc\", [\"-l\", \"--\", path])`), after checking the value against what it may be",
    once: false,
});
