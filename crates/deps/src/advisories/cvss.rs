//! The score of a CVSS vector, versions 2.0, 3.0 and 3.1 by their formulas; version 4.0 stands beside.
//!
//! Deliberately absent: temporal and environmental metrics of versions 2 and 3, which advisories don't carry.

use findings::Severity;

/// The score in tenths; none where the vector isn't a complete one.
pub(super) fn base_score(vector: &str) -> Option<u8> {
    match vector.split(':').next()? {
        "CVSS" if vector.starts_with("CVSS:4.0/") => super::cvss4::score(vector),
        "CVSS" => version_3(vector),
        _ => version_2(vector),
    }
}

/// Version 2 has no prefix: `AV:N/AC:L/Au:N/C:P/I:P/A:P`, at times in parentheses.
fn version_2(vector: &str) -> Option<u8> {
    let metrics = vector.trim_start_matches('(').trim_end_matches(')');
    let value = |name: &str| metrics.split('/').find_map(|metric| metric.strip_prefix(name)?.strip_prefix(':'));
    let vector = weight(value("AV")?, &[("L", 0.395), ("A", 0.646), ("N", 1.0)])?;
    let complexity = weight(value("AC")?, &[("H", 0.35), ("M", 0.61), ("L", 0.71)])?;
    let authentication = weight(value("Au")?, &[("M", 0.45), ("S", 0.56), ("N", 0.704)])?;
    let loss = |name| weight(value(name)?, &[("N", 0.0), ("P", 0.275), ("C", 0.66)]);
    let impact: f64 = 10.41 * (1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?));
    let exploitability = 20.0 * vector * complexity * authentication;
    let factor = if impact == 0.0 { 0.0 } else { 1.176 };
    let score = (0.6 * impact + 0.4 * exploitability - 1.5) * factor;
    // In range: between 0 and 10.
    Some((score * 10.0).round().clamp(0.0, 100.0) as u8)
}

fn version_3(vector: &str) -> Option<u8> {
    let metrics = vector.strip_prefix("CVSS:3.0/").or_else(|| vector.strip_prefix("CVSS:3.1/"))?;
    let value = |name: &str| metrics.split('/').find_map(|metric| metric.strip_prefix(name)?.strip_prefix(':'));
    let changed = match value("S")? {
        "C" => true,
        "U" => false,
        _ => return None,
    };
    let attack_vector = weight(value("AV")?, &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?;
    let complexity = weight(value("AC")?, &[("L", 0.77), ("H", 0.44)])?;
    let privileges = match (value("PR")?, changed) {
        ("N", _) => 0.85,
        ("L", false) => 0.62,
        ("L", true) => 0.68,
        ("H", false) => 0.27,
        ("H", true) => 0.5,
        _ => return None,
    };
    let interaction = weight(value("UI")?, &[("N", 0.85), ("R", 0.62)])?;
    let loss = |name| weight(value(name)?, &[("H", 0.56), ("L", 0.22), ("N", 0.0)]);
    let unhurt: f64 = (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let hurt = 1.0 - unhurt;
    let impact = if changed { 7.52 * (hurt - 0.029) - 3.25 * (hurt - 0.02).powi(15) } else { 6.42 * hurt };
    if impact <= 0.0 {
        return Some(0);
    }
    let exploitability = 8.22 * attack_vector * complexity * privileges * interaction;
    let total = if changed { 1.08 * (impact + exploitability) } else { impact + exploitability };
    Some(round_up(total.min(10.0)))
}

/// Up to the next tenth, by whole numbers as 3.1 prescribes so that every machine rounds alike.
fn round_up(score: f64) -> u8 {
    // In range: a score is between 0 and 10.
    let whole = (score * 100_000.0).round() as u64;
    u8::try_from(whole.div_ceil(10_000)).unwrap_or(100)
}

fn weight(value: &str, table: &[(&str, f64)]) -> Option<f64> {
    table.iter().find(|(name, _)| *name == value).map(|(_, weight)| *weight)
}

/// The severity of a score in tenths, by CVSS's own scale.
pub(super) fn rating(score: u8) -> Severity {
    match score {
        0 => Severity::Info,
        1..40 => Severity::Low,
        40..70 => Severity::Medium,
        70..90 => Severity::High,
        _ => Severity::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_vectors_have_their_published_scores() {
        for (vector, score) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 98),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 100),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 61),
            ("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", 59),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 78),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", 75),
            ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 16),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O", 98),
        ] {
            assert_eq!(base_score(vector), Some(score), "{vector}");
        }
        for (vector, score) in [
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", 75),
            ("(AV:N/AC:L/Au:N/C:C/I:C/A:C)", 100),
            ("AV:L/AC:L/Au:N/C:N/I:N/A:N", 0),
            ("AV:L/AC:H/Au:N/C:P/I:C/A:P", 52),
            ("AV:N/AC:M/Au:N/C:N/I:P/A:P", 58),
        ] {
            assert_eq!(base_score(vector), Some(score), "{vector}");
        }
        for broken in [
            "",
            "CVSS:3.1/",
            "CVSS:4.0/AV:N",
            "AV:N/AC:L/Au:Q/C:P/I:P/A:P",
            "CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        ] {
            assert_eq!(base_score(broken), None, "{broken}");
        }
        assert_eq!(
            (rating(98), rating(89), rating(40), rating(39)),
            (Severity::Critical, Severity::High, Severity::Medium, Severity::Low)
        );
    }
}
