//! `open-file-mode`: a file that everyone may write.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "open-file-mode",
    title: "A file that everyone may write",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[732],
    docs: r##"A mode lets others write: `0o777`, `0o666`, `umask(0)`.

## Why it matters
A layer, an extension or a program that was started can put something else there.

## Remediation
Ask for less.

```python
os.chmod(path, 0o600)
```

## When it doesn't fire
Not for modes without the right to write for others.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::OpenFileMode,
    does: "makes files that everyone may write",
    primary: "every process in the environment may change it",
    remediation: "use `0o600` for files and `0o700` for folders and programs",
    confidence: Confidence::High,
    severity: |_, _| Severity::Low,
});
