//! The near miss: what someone probably meant by a name that doesn't exist.

/// Words people use for a column that is called something else here.
const SYNONYMS: &[(&str, &str)] = &[
    ("timestamp", "time"),
    ("ts", "time"),
    ("date", "time"),
    ("at", "time"),
    ("name", "function"),
    ("lambda", "function"),
    ("ip", "source"),
    ("client", "source"),
    ("client_ip", "source"),
    ("source_ip", "source"),
    ("remote_addr", "source"),
    ("duration", "duration_us"),
    ("latency", "duration_us"),
    ("payload", "excerpt"),
    ("verdict", "action"),
    ("decision", "action"),
    ("event_type", "type"),
    ("url", "path"),
    ("requestid", "request_id"),
    ("rule_id", "rule"),
    ("json", "ocsf"),
    ("raw", "ocsf"),
    ("records", "events"),
    ("calls", "cloud_calls"),
    ("alerts", "verdicts"),
    ("findings", "verdicts"),
];

/// The candidate closest to `word`, when it is close enough to be offered.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // A name that long is no slip of the finger, and the distance below is quadratic.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    if let Some((_, meant)) = SYNONYMS.iter().find(|(said, _)| *said == word)
        && let Some(found) = candidates.iter().find(|candidate| *candidate == meant)
    {
        return Some(found);
    }
    let allowed = (word.chars().count() / 3).max(1);
    let close = candidates
        .iter()
        .map(|candidate| (distance(&word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min();
    close.map(|(_, candidate)| candidate).or_else(|| {
        candidates.iter().find(|candidate| word.len() >= 3 && candidate.starts_with(word.as_str())).copied()
    })
}

/// How many letters to add, drop, change or swap with their neighbour to turn one word into the other.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let width = to.len() + 1;
    let mut rows: Vec<usize> = vec![0; (from.len() + 1) * width];
    for row in 0..=from.len() {
        rows[row * width] = row;
    }
    for (column, cell) in rows.iter_mut().take(width).enumerate() {
        *cell = column;
    }
    for row in 1..=from.len() {
        for column in 1..=to.len() {
            let change = usize::from(from[row - 1] != to[column - 1]);
            let mut least = (rows[(row - 1) * width + column] + 1)
                .min(rows[row * width + column - 1] + 1)
                .min(rows[(row - 1) * width + column - 1] + change);
            let swapped = row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
            if swapped {
                least = least.min(rows[(row - 2) * width + column - 2] + 1);
            }
            rows[row * width + column] = least;
        }
    }
    rows.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_prefixes_and_synonyms_are_understood_and_nonsense_is_not() {
        let columns = ["time", "function", "duration_us", "source", "rule"];
        assert_eq!(nearest("fucntion", &columns), Some("function"));
        assert_eq!(nearest("FUNCTIONS", &columns), Some("function"));
        assert_eq!(nearest("dur", &columns), Some("duration_us"));
        assert_eq!(nearest("client_ip", &columns), Some("source"));
        assert_eq!(nearest("rul", &columns), Some("rule"));
        assert_eq!(nearest("zebra", &columns), None);
        assert_eq!(nearest(&"x".repeat(10_000), &columns), None);
        assert_eq!(nearest("", &columns), None);
    }
}
