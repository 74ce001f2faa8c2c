//! Condition blocks in three values: they hold, they don't, or the request says too little to tell.

use crate::Pattern;
use crate::document::substituted;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is known of a request's context: lower-case key to its values, none where the key is known to be absent. A key that isn't
/// listed may have any value; `aws:requesttag/` speaks for every key that begins so. The value [`CHOSEN`] is whatever the caller
/// likes, and `${AWS::AccountId}` in a value is what only deployment knows. Times are written as `2026-11-24T12:00:00Z`.
pub type Context = BTreeMap<String, Vec<String>>;

/// As a value in a [`Context`]: the caller picks it, so any test that some value passes is passed.
pub const CHOSEN: &str = "*";

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    Yes,
    /// It doesn't.
    No,
    /// What is known doesn't tell.
    Unknown,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Whether a condition block holds: every operator and key in it has to. No block always holds.
pub fn holds(condition: Option<&Json>, context: &Context) -> Truth {
    let Some(condition) = condition else { return Truth::Yes };
    let Some(operators) = condition.as_object() else { return Truth::Unknown };
    let mut all = Truth::Yes;
    for (operator, keys) in operators {
        let Some(keys) = keys.as_object() else {
            all = all.and(Truth::Unknown);
            continue;
        };
        for (key, wanted) in keys {
            all = all.and(one(operator, key, wanted, context));
        }
    }
    all
}

fn one(operator: &str, key: &str, wanted: &Json, context: &Context) -> Truth {
    let operator = operator.to_ascii_lowercase();
    let (every, any, operator) = match operator.split_once(':') {
        Some(("forallvalues", rest)) => (true, false, rest.to_string()),
        Some(("foranyvalue", rest)) => (false, true, rest.to_string()),
        Some(_) => return Truth::Unknown,
        None => (false, false, operator),
    };
    let (operator, if_exists) = match operator.strip_suffix("ifexists") {
        Some(rest) => (rest.to_string(), true),
        None => (operator, false),
    };
    let list = std::slice::from_ref(wanted);
    let items = wanted.as_array().map_or(list, Vec::as_slice);
    // An intrinsic is a value that only deployment knows.
    let wanted: Vec<Option<String>> = items.iter().map(scalar).collect();
    let key = key.to_ascii_lowercase();
    let family = || key.split_once('/').and_then(|(family, _)| context.get(&format!("{family}/")));
    let Some(given) = context.get(&key).or_else(family) else {
        return always(&operator, &wanted);
    };
    if given.iter().any(|value| value == CHOSEN) {
        // A key may be left out as well, and none needs to be there twice.
        return Truth::Yes;
    }
    if operator == "null" {
        let absent = given.is_empty();
        return match wanted.first() {
            Some(Some(flag)) => Truth::of(flag.eq_ignore_ascii_case("true") == absent),
            _ => Truth::Unknown,
        };
    }
    if given.is_empty() {
        // An absent key meets a negated operator, and fails any other.
        let negated = operator.contains("not");
        return Truth::of(if_exists || every || (negated && !any));
    }
    let tested = given.iter().map(|value| test(&operator, value, &wanted));
    if every { tested.fold(Truth::Yes, Truth::and) } else { tested.fold(Truth::No, Truth::or) }
}

fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) if !text.contains("${") => Some(text.clone()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Tests that hold whatever the value is: any address is in `0.0.0.0/0`, any text is like `*`. They still need the key to be there, which for
/// an address it is in every request that doesn't come through an endpoint.
fn always(operator: &str, wanted: &[Option<String>]) -> Truth {
    let has = |text: &str| wanted.iter().flatten().any(|value| value == text);
    match operator {
        "ipaddress" if has("0.0.0.0/0") => Truth::Yes,
        "stringlike" | "arnlike" if has("*") => Truth::Yes,
        _ => Truth::Unknown,
    }
}

/// One value against what is wanted, any of which will do.
fn test(operator: &str, given: &str, wanted: &[Option<String>]) -> Truth {
    let (operator, negated) = match operator {
        "stringnotequals" => ("stringequals", true),
        "stringnotequalsignorecase" => ("stringequalsignorecase", true),
        "stringnotlike" => ("stringlike", true),
        "arnnotequals" | "arnnotlike" => ("arnlike", true),
        "numericnotequals" => ("numericequals", true),
        "notipaddress" => ("ipaddress", true),
        "datenotequals" => ("dateequals", true),
        other => (other, false),
    };
    let outcome = wanted
        .iter()
        .map(|wanted| match wanted {
            Some(wanted) => single(operator, given, wanted),
            None => Truth::Unknown,
        })
        .fold(Truth::No, Truth::or);
    if negated { outcome.not() } else { outcome }
}

fn single(operator: &str, given: &str, wanted: &str) -> Truth {
    if given.contains("${") {
        return deployed(operator, given, wanted);
    }
    if let Some(test) = operator.strip_prefix("date") {
        let (Some(given), Some(wanted)) = (seconds(given), seconds(wanted)) else { return Truth::Unknown };
        return match test {
            "equals" => Truth::of(given == wanted),
            "lessthan" => Truth::of(given < wanted),
            "lessthanequals" => Truth::of(given <= wanted),
            "greaterthan" => Truth::of(given > wanted),
            "greaterthanequals" => Truth::of(given >= wanted),
            _ => Truth::Unknown,
        };
    }
    let numbers = || Some((given.parse::<f64>().ok()?, wanted.parse::<f64>().ok()?));
    let compare =
        |test: fn(f64, f64) -> bool| numbers().map_or(Truth::No, |(left, right)| Truth::of(test(left, right)));
    match operator {
        "stringequals" => Truth::of(given == wanted),
        "stringequalsignorecase" | "bool" => Truth::of(given.eq_ignore_ascii_case(wanted)),
        "stringlike" | "arnlike" | "arnequals" => Truth::of(Pattern::arn(wanted).matches(given)),
        #[allow(clippy::float_cmp)] // the operator asks for exactly that
        "numericequals" => compare(|left, right| left == right),
        "numericlessthan" => compare(|left, right| left < right),
        "numericlessthanequals" => compare(|left, right| left <= right),
        "numericgreaterthan" => compare(|left, right| left > right),
        "numericgreaterthanequals" => compare(|left, right| left >= right),
        "ipaddress" => in_network(given, wanted).map_or(Truth::Unknown, Truth::of),
        _ => Truth::Unknown,
    }
}

/// A value with holes that only deployment fills, against one that is wanted.
fn deployed(operator: &str, given: &str, wanted: &str) -> Truth {
    let pattern = match operator {
        "stringlike" | "arnlike" | "arnequals" => Pattern::arn(wanted),
        "stringequals" => Pattern::literal(wanted),
        _ => return Truth::Unknown,
    };
    let given = Pattern::value(&substituted(given, None, 0));
    match (pattern.covers(&given), pattern.intersects(&given)) {
        (true, _) => Truth::Yes,
        (false, true) => Truth::Unknown,
        (false, false) => Truth::No,
    }
}

/// Seconds since 1970 of a date as conditions have it: ISO 8601 in UTC or with an offset, or the seconds themselves.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        #[allow(clippy::cast_possible_truncation)] // no date is that far away
        return Some(seconds as i64);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let mut parts = date.splitn(3, '-').map(str::parse::<i64>);
    let mut part = || parts.next()?.ok();
    let (year, month, day) = (part()?, part()?, part()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(0..=9999).contains(&year) {
        return None;
    }
    let (time, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => (time.get(..at)?, time.get(at..)?),
        None => (time, "Z"),
    };
    let clock = |text: &str| -> Option<i64> {
        let mut parts = text.splitn(3, ':');
        let hours = parts.next()?.parse::<i64>().ok()?;
        let minutes = parts.next().map_or(Some(0), |part| part.parse::<i64>().ok())?;
        let seconds = parts.next().map_or(Some(0), |part| part.split('.').next()?.parse::<i64>().ok())?;
        Some(hours * 3_600 + minutes * 60 + seconds)
    };
    let offset = match offset.split_at_checked(1)? {
        ("Z", _) => 0,
        ("-", rest) => -clock(rest)?,
        (_, rest) => clock(rest)?,
    };
    // Days of the civil calendar, with the year beginning in March so that a leap day is its last.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days =
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 153 + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + clock(time)? - offset)
}

fn in_network(address: &str, network: &str) -> Option<bool> {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, Some(length.parse::<u32>().ok()?)),
        None => (network, None),
    };
    let (bits, address, base) = match (address.parse().ok()?, base.parse().ok()?) {
        (IpAddr::V4(address), IpAddr::V4(base)) => (32, u128::from(u32::from(address)), u128::from(u32::from(base))),
        (IpAddr::V6(address), IpAddr::V6(base)) => (128, u128::from(address), u128::from(base)),
        _ => return Some(false),
    };
    let drop = bits - length.unwrap_or(bits).min(bits);
    Some(address.checked_shr(drop).unwrap_or(0) == base.checked_shr(drop).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context(pairs: &[(&str, &[&str])]) -> Context {
        pairs
            .iter()
            .map(|(key, values)| ((*key).to_string(), values.iter().map(|value| (*value).to_string()).collect()))
            .collect()
    }

    #[test]
    fn dates_are_compared_as_times() {
        let now = context(&[("aws:currenttime", &["2026-11-24T12:00:00Z"])]);
        for (operator, date, expected) in [
            ("DateGreaterThan", "2020-01-01T00:00:01Z", Truth::Yes),
            ("DateLessThan", "2020-01-01T00:00:01Z", Truth::No),
            ("DateLessThan", "2026-11-24T14:00:00+02:00", Truth::No),
            ("DateLessThanEquals", "2026-11-24T14:00:00+02:00", Truth::Yes),
            ("DateGreaterThan", "2026-11-24", Truth::Yes),
            ("DateNotEquals", "1795521600", Truth::No),
            ("DateLessThan", "soon", Truth::Unknown),
        ] {
            let condition = json!({operator: {"aws:CurrentTime": date}});
            assert_eq!(holds(Some(&condition), &now), expected, "{condition}");
        }
        assert_eq!((seconds("1970-01-01"), seconds("2000-03-01T00:00:00Z")), (Some(0), Some(951_868_800)));
    }

    #[test]
    fn what_the_caller_picks_is_picked_and_holes_stay_open() {
        let known = context(&[
            ("aws:requesttag/", &[CHOSEN]),
            ("aws:principalarn", &["arn:aws:iam::${AWS::AccountId}:role/Deploy"]),
        ]);
        for (condition, expected) in [
            (json!({"StringEquals": {"aws:RequestTag/team": "a"}}), Truth::Yes),
            (json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Dep*"}}), Truth::Yes),
            (json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/Dep*"}}), Truth::Unknown),
            (json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Dep*"}}), Truth::No),
            (json!({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/Other"}}), Truth::No),
        ] {
            assert_eq!(holds(Some(&condition), &known), expected, "{condition}");
        }
    }

    #[test]
    fn conditions_hold_fail_or_stay_open() {
        use Truth::{No, Unknown, Yes};
        let known = context(&[
            ("aws:sourceip", &["10.1.2.3"]),
            ("aws:securetransport", &["true"]),
            ("aws:tagkeys", &["team", "cost"]),
            ("aws:mfa", &[]),
        ]);
        for (condition, expected) in [
            (json!({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), Yes),
            (json!({"IpAddress": {"aws:SourceIp": ["192.168.0.0/16", "10.1.2.3"]}}), Yes),
            (json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), No),
            (json!({"Bool": {"aws:SecureTransport": true}}), Yes),
            (json!({"Bool": {"aws:SecureTransport": "false"}}), No),
            (json!({"StringEquals": {"aws:PrincipalTag/team": "a"}}), Unknown),
            (json!({"StringEquals": {"aws:PrincipalTag/team": "a"}, "Bool": {"aws:SecureTransport": "false"}}), No),
            (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost", "x"]}}), Yes),
            (json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}), No),
            (json!({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}), Yes),
            (json!({"Null": {"aws:mfa": "true"}}), Yes),
            (json!({"StringEquals": {"aws:mfa": "x"}}), No),
            (json!({"StringEqualsIfExists": {"aws:mfa": "x"}}), Yes),
            (json!({"StringNotEquals": {"aws:mfa": "x"}}), Yes),
            (json!({"IpAddress": {"aws:VpcSourceIp": "0.0.0.0/0"}}), Yes),
            (json!({"StringEquals": {"aws:SourceIp": {"Ref": "Office"}}}), Unknown),
            (json!({"NumericLessThan": {"aws:mfa": "3"}}), No),
            (json!("nonsense"), Unknown),
        ] {
            assert_eq!(holds(Some(&condition), &known), expected, "{condition}");
        }
        assert_eq!(holds(None, &known), Yes);
    }
}
