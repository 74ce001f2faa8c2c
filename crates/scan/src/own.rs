//! What `scan` finds by itself rather than through an audit of the graph: it needs more than the graph (files beside the code,
//! the index of advisories, the findings of others). Identity and documentation are of the same form, so that `explain`,
//! SARIF and comments that allow findings treat all alike.

use crate::attack::escalate;
use crate::dependencies;
use findings::AuditInfo;

/// Every audit of `scan`'s own, by id.
pub fn audits() -> &'static [&'static AuditInfo] {
    AUDITS
}

const AUDITS: &[&AuditInfo] = &[
    &dependencies::web::COMPROMISED_HOST,
    &dependencies::web::MISSING_INTEGRITY,
    &dependencies::packages::MISSING_LOCKFILE,
    &dependencies::images::OUTDATED_BASE_IMAGE,
    &escalate::PERMISSIVE_ROLE_TRUST,
    &dependencies::web::PLAINTEXT_CONNECTION,
    &escalate::PRIVILEGE_ESCALATION,
    &dependencies::binaries::UNCHECKED_BINARY,
    &dependencies::images::UNPINNED_BASE_IMAGE,
    &dependencies::packages::UNPINNED_DEPENDENCY,
    &dependencies::images::UNVERIFIED_DOWNLOAD,
    &dependencies::packages::VULNERABLE_DEPENDENCY,
];

/// The info of an audit of `scan`'s own, by its id.
pub fn info(id: &str) -> Option<&'static AuditInfo> {
    AUDITS.iter().copied().find(|info| info.id == id)
}

/// Every audit there is, those over the graph first.
pub fn all() -> impl Iterator<Item = &'static AuditInfo> {
    audits::audits().iter().map(|audit| audit.info()).chain(AUDITS.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_audit_of_its_own_explains_itself_under_a_name_of_its_own() {
        let mut ids = std::collections::BTreeSet::new();
        for info in all() {
            assert!(ids.insert(info.id), "{} is registered twice", info.id);
        }
        for info in audits() {
            for heading in ["## Why it matters", "## Remediation", "## When it doesn't fire"] {
                assert!(info.docs.contains(heading), "{} lacks {heading}", info.id);
            }
        }
    }
}
