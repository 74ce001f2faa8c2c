//! `weak-cipher`: a cipher that does not keep its secret.

use crate::practice::{Habit, HabitAudit};
use findings::{AuditInfo, Confidence, Severity};
use graph::PracticeKind;

const INFO: AuditInfo = AuditInfo {
    id: "weak-cipher",
    title: "A cipher that does not keep its secret",
    severity: Severity::Medium,
    since: "0.1.0",
    cwe: &[327],
    docs: r##"DES, RC4, Blowfish, the mode ECB, or `createCipher` without an initialisation vector.

## Why it matters
Equal blocks show, short keys are searched through, and nothing tells that a text was changed.

## Remediation
Use an authenticated mode.

```js
crypto.createCipheriv("aes-256-gcm", key, crypto.randomBytes(12))
```

## When it doesn't fire
Not for other ciphers.
"##,
};

pub(super) const AUDIT: HabitAudit = HabitAudit(Habit {
    info: &INFO,
    kind: PracticeKind::WeakCipher,
    does: "uses a cipher that does not keep its secret",
    primary: "what is enciphered like this can be read or changed",
    remediation: "use AES-GCM (`AESGCM`, `aes-256-gcm`) with a nonce of its own for each message",
    confidence: Confidence::High,
    severity: |_, _| Severity::Medium,
});
