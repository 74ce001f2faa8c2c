//! Which of OWASP's ten risks a weakness belongs to, by its CWE ids: the ten of 2021, and the ten of 2017 as the OWASP Serverless Top 10
//! project reads them for functions (2018), whose ids begin with `S`.
//!
//! The lists of 2021 are those that OWASP publishes with each risk. OWASP gives none for the reading for serverless: there the weaknesses of
//! the same risk of 2017 (CWE's view 1026) stand, and those that the text of the risk describes. What a list lacks is among ours only
//! where it is a child or parent of one that is listed.

/// One of OWASP's risks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owasp {
    /// Its id with the year of its list: `S1:2017` (serverless), `A03:2021`.
    pub id: &'static str,
    /// Its name in that list.
    pub name: &'static str,
    /// The weaknesses it is made of, as CWE ids.
    cwe: &'static [u16],
}

impl Owasp {
    /// The list it stands in.
    pub fn list(&self) -> &'static str {
        if self.id.starts_with('S') { "OWASP Serverless Top 10" } else { "OWASP Top 10" }
    }
}

/// The risks that weaknesses belong to, those for serverless first, each list in its order.
pub fn owasp(cwe: &[u16]) -> Vec<&'static Owasp> {
    ALL.iter().filter(|risk| cwe.iter().any(|id| risk.cwe.contains(id))).collect()
}

const fn risk(id: &'static str, name: &'static str, cwe: &'static [u16]) -> Owasp {
    Owasp { id, name, cwe }
}

/// All of both lists.
const ALL: [Owasp; 20] = [
    risk(
        "S1:2017",
        "Injection",
        &[20, 74, 77, 78, 80, 88, 89, 90, 91, 93, 94, 95, 96, 98, 99, 113, 116, 134, 564, 643, 652, 917, 943, 1336],
    ),
    risk(
        "S2:2017",
        "Broken Authentication",
        &[256, 287, 288, 290, 294, 304, 306, 307, 308, 345, 346, 347, 384, 521, 522, 523, 613, 620, 640],
    ),
    risk(
        "S3:2017",
        "Sensitive Data Exposure",
        &[
            200, 201, 220, 259, 295, 297, 310, 311, 312, 313, 315, 316, 319, 320, 321, 325, 326, 327, 328, 330, 331,
            338, 359, 377, 379, 459, 532, 538, 540, 552, 598, 614, 759, 760, 798, 916, 922, 1004,
        ],
    ),
    risk("S4:2017", "XML External Entities (XXE)", &[611, 776]),
    risk(
        "S5:2017",
        "Broken Access Control",
        &[
            22, 23, 35, 36, 73, 250, 264, 266, 269, 275, 276, 280, 284, 285, 425, 566, 639, 653, 668, 706, 732, 862,
            863, 1220,
        ],
    ),
    risk("S6:2017", "Security Misconfiguration", &[16, 209, 260, 489, 526, 537, 547, 548, 756, 798, 942, 1188]),
    risk("S7:2017", "Cross-Site Scripting (XSS)", &[79, 80, 83, 87]),
    risk("S8:2017", "Insecure Deserialization", &[502]),
    risk("S9:2017", "Using Components with Known Vulnerabilities", &[937, 1035, 1104, 1395]),
    risk("S10:2017", "Insufficient Logging and Monitoring", &[117, 223, 778, 779]),
    risk(
        "A01:2021",
        "Broken Access Control",
        &[
            22, 23, 35, 59, 200, 201, 219, 264, 275, 276, 284, 285, 352, 359, 377, 402, 425, 441, 497, 538, 540, 548,
            552, 566, 601, 639, 651, 668, 706, 862, 863, 913, 922, 1275, // ours
            36, 379, 732, 1220,
        ],
    ),
    risk(
        "A02:2021",
        "Cryptographic Failures",
        &[
            259, 261, 296, 310, 319, 321, 322, 323, 324, 325, 326, 327, 328, 329, 330, 331, 335, 336, 337, 338, 340,
            347, 523, 720, 757, 759, 760, 780, 818, 916,
        ],
    ),
    risk(
        "A03:2021",
        "Injection",
        &[
            20, 74, 75, 77, 78, 79, 80, 83, 87, 88, 89, 90, 91, 93, 94, 95, 96, 97, 98, 99, 100, 113, 116, 138, 184,
            470, 471, 564, 610, 643, 644, 652, 917, // ours
            943, 1336,
        ],
    ),
    risk(
        "A04:2021",
        "Insecure Design",
        &[
            73, 183, 209, 213, 235, 256, 257, 266, 269, 280, 311, 312, 313, 316, 419, 430, 434, 444, 451, 472, 501,
            522, 525, 539, 579, 598, 602, 642, 646, 650, 653, 656, 657, 799, 807, 840, 841, 927, 1021,
            1173, // ours
            250,
        ],
    ),
    risk(
        "A05:2021",
        "Security Misconfiguration",
        &[2, 11, 13, 15, 16, 260, 315, 520, 526, 537, 541, 547, 611, 614, 756, 776, 942, 1004, 1032, 1174],
    ),
    risk(
        "A06:2021",
        "Vulnerable and Outdated Components",
        &[
            937, 1035, 1104, // ours
            1395,
        ],
    ),
    risk(
        "A07:2021",
        "Identification and Authentication Failures",
        &[
            255, 259, 287, 288, 290, 294, 295, 297, 300, 302, 304, 306, 307, 346, 384, 521, 613, 620, 640, 798, 940,
            1216,
        ],
    ),
    risk(
        "A08:2021",
        "Software and Data Integrity Failures",
        &[
            345, 353, 426, 494, 502, 565, 784, 829, 830, 915, // ours
            1321,
        ],
    ),
    risk(
        "A09:2021",
        "Security Logging and Monitoring Failures",
        &[
            117, 223, 532, 778, // ours
            779,
        ],
    ),
    risk("A10:2021", "Server-Side Request Forgery (SSRF)", &[918]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weakness_is_known_under_its_risks_of_both_lists() {
        let ids = |cwe: &[u16]| owasp(cwe).iter().map(|risk| risk.id).collect::<Vec<_>>();
        assert_eq!(ids(&[89]), ["S1:2017", "A03:2021"]);
        assert_eq!(ids(&[250, 269]), ["S5:2017", "A04:2021"]);
        assert_eq!(ids(&[798, 312]), ["S3:2017", "S6:2017", "A04:2021", "A07:2021"]);
        // The list of 2017 had no such risk yet.
        assert_eq!(ids(&[918]), ["A10:2021"]);
        // Costs are among the "other risks", without an id.
        assert!(ids(&[400]).is_empty());
    }
}
