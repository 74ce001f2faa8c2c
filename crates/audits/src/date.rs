//! Days between dates, so that no audit needs a clock or a calendar.

/// The number of a day: consecutive days have consecutive numbers. Gregorian, counted from the year 0 with March first, so
/// that the leap day comes last.
pub(crate) fn day_number((year, month, day): (u16, u8, u8)) -> i64 {
    let (year, month) = (i64::from(year), i64::from(month.clamp(1, 12)));
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + i64::from(day) - 1
}

/// A date written `YYYY-MM-DD`.
pub(crate) fn parse(text: &str) -> Option<(u16, u8, u8)> {
    let mut parts = text.splitn(3, '-');
    let date = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(date)
}

/// How many days from one date to another; negative where it lies before.
pub(crate) fn days_until(from: (u16, u8, u8), to: &str) -> Option<i64> {
    Some(day_number(parse(to)?) - day_number(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years_and_year_ends() {
        assert_eq!(days_until((2024, 2, 28), "2024-03-01"), Some(2));
        assert_eq!(days_until((2023, 2, 28), "2023-03-01"), Some(1));
        assert_eq!(days_until((2023, 12, 31), "2024-01-01"), Some(1));
        assert_eq!(days_until((2026, 1, 1), "2025-01-01"), Some(-365));
        assert_eq!(days_until((2000, 1, 1), "2100-01-01"), Some(36_525));
        assert_eq!(days_until((2026, 1, 1), "soon"), None);
    }
}
