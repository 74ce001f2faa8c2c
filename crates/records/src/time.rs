//! Milliseconds since the epoch, and their text.

/// The time now, in milliseconds since the epoch. For the edges that make records; everything else is handed its time.
pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// `time` (milliseconds since the epoch) as `2026-01-01T00:00:00.000Z`: fixed width, so that text sorts by time.
/// A time outside the years -9999 to 9999 becomes the nearest one inside.
pub fn iso(time: i64) -> String {
    let timestamp = jiff::Timestamp::from_millisecond(time).unwrap_or(if time < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    });
    format!("{timestamp:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_milliseconds_even_when_they_are_nought() {
        assert_eq!(iso(1_767_225_600_000), "2026-01-01T00:00:00.000Z");
        assert_eq!(iso(1_767_225_600_007), "2026-01-01T00:00:00.007Z");
        assert!(iso(i64::MAX).starts_with("9999-"));
        assert!(iso(i64::MIN).starts_with("-009999-"));
    }
}
