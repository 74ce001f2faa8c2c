//! The score of a CVSS vector of version 4.0, as its specification (section 8) tells: the vector falls into one of 270 sets,
//! each with a published score, and moves from there towards the next milder sets as far as it is from the worst of its own.
//!
//! Metrics of threat and environment count where the vector has them; what it leaves out is taken for the worst.

/// The published scores of all sets in tenths: by the first, second, third with sixth, fourth and fifth class.
#[rustfmt::skip]
const SCORES: [u8; 270] = [
    100, 98, 95, 100, 93, 91, 93, 89, 81,
    99, 95, 92, 96, 87, 81, 90, 80, 68,
    98, 95, 90, 93, 89, 81, 88, 78, 69,
    95, 92, 84, 92, 81, 65, 80, 70, 48,
    92, 82, 72, 79, 69, 50, 69, 55, 27,
    99, 95, 92, 95, 90, 84, 92, 82, 72,
    97, 92, 85, 91, 83, 71, 81, 71, 53,
    95, 92, 85, 92, 80, 70, 84, 71, 50,
    93, 85, 73, 82, 72, 59, 70, 52, 30,
    86, 75, 52, 71, 52, 29, 63, 29, 17,
    98, 94, 91, 94, 86, 77, 87, 74, 63,
    95, 87, 81, 89, 74, 64, 75, 63, 49,
    94, 88, 76, 86, 74, 59, 72, 57, 52,
    89, 77, 67, 76, 58, 50, 57, 52, 25,
    83, 70, 54, 65, 58, 26, 53, 21, 13,
    95, 88, 76, 90, 75, 61, 77, 68, 52,
    90, 76, 70, 77, 62, 53, 66, 59, 30,
    89, 76, 62, 74, 57, 47, 61, 57, 24,
    78, 67, 58, 59, 57, 23, 52, 29, 16,
    71, 59, 30, 58, 26, 15, 23, 13, 6,
    93, 86, 75, 86, 74, 56, 70, 52, 40,
    87, 72, 58, 74, 61, 34, 54, 40, 22,
    85, 74, 62, 72, 55, 46, 53, 34, 19,
    75, 55, 51, 57, 41, 19, 36, 19, 8,
    64, 51, 20, 47, 21, 11, 24, 9, 4,
    88, 73, 60, 73, 59, 41, 54, 45, 20,
    75, 53, 50, 55, 40, 20, 43, 22, 11,
    75, 58, 40, 61, 48, 20, 46, 17, 8,
    55, 45, 21, 51, 18, 9, 18, 7, 2,
    53, 24, 14, 24, 12, 5, 10, 3, 1,
];

/// The metrics that make a score, in the order in which [`Vector`] keeps them, with their values from the worst down.
const METRICS: [(&str, &str); 15] = [
    ("AV", "NALP"),
    ("PR", "NLH"),
    ("UI", "NPA"),
    ("AC", "LH"),
    ("AT", "NP"),
    ("VC", "HLN"),
    ("VI", "HLN"),
    ("VA", "HLN"),
    ("CR", "HML"),
    ("IR", "HML"),
    ("AR", "HML"),
    ("SC", "HLN"),
    // Safety stands above high, and only the environment can say it.
    ("SI", "SHLN"),
    ("SA", "SHLN"),
    ("E", "APU"),
];
const AV: usize = 0;
const PR: usize = 1;
const UI: usize = 2;
const AC: usize = 3;
const AT: usize = 4;
const VC: usize = 5;
const VI: usize = 6;
const VA: usize = 7;
const CR: usize = 8;
const IR: usize = 9;
const AR: usize = 10;
const SC: usize = 11;
const SI: usize = 12;
const SA: usize = 13;
const E: usize = 14;

/// How many steps each metric is below its worst value.
type Vector = [i32; 15];

/// The score in tenths; none where a metric is missing or has a value that it can't have.
pub(super) fn score(vector: &str) -> Option<u8> {
    let metrics = vector.strip_prefix("CVSS:4.0/")?;
    let value = |name: &str| metrics.split('/').find_map(|metric| metric.strip_prefix(name)?.strip_prefix(':'));
    let mut own: Vector = [0; 15];
    for ((name, values), slot) in METRICS.iter().zip(&mut own) {
        let written = value(name).filter(|value| *value != "X");
        let modified = value(&format!("M{name}")).filter(|value| *value != "X");
        let effective = match (modified.or(written), *name) {
            (Some(effective), _) => effective,
            // Not said: the worst.
            (None, "E" | "CR" | "IR" | "AR") => continue,
            (None, _) => return None,
        };
        *slot = i32::try_from(values.find(effective).filter(|_| effective.len() == 1)?).ok()?;
    }
    let harmless = own[VC] == 2 && own[VI] == 2 && own[VA] == 2 && own[SC] == 2 && own[SI] == 3 && own[SA] == 3;
    if harmless {
        return Some(0);
    }
    let classes = Classes::of(&own);
    let present = classes.score()?;
    // The worst vector of the set that this one lies below; the set's classes are apart, so each is found by itself.
    let below = |bases: &[Vector], metrics: &[usize]| {
        bases
            .iter()
            .map(|base| metrics.iter().map(|at| own[*at] - base[*at]).collect::<Vec<i32>>())
            .find(|steps| steps.iter().all(|step| *step >= 0))
            .map(|steps| steps.iter().sum::<i32>())
    };
    let one = below(&worst_of_first(classes.one), &[AV, PR, UI])?;
    let two = below(&worst_of_second(classes.two), &[AC, AT])?;
    let three = below(&worst_of_third(classes.three, classes.six), &[VC, VI, VA, CR, IR, AR])?;
    let four = below(&[worst_of_fourth(classes.four)], &[SC, SI, SA])?;
    let depth_three = match (classes.three, classes.six) {
        (0, 0) => 7,
        (0, _) => 6,
        (1, _) => 8,
        _ => 10,
    };
    let next = [
        (Classes { one: classes.one + 1, ..classes }.score(), one, [1, 4, 5][classes.one.min(2)]),
        (Classes { two: classes.two + 1, ..classes }.score(), two, [1, 2][classes.two.min(1)]),
        (classes.milder_third(), three, depth_three),
        (Classes { four: classes.four + 1, ..classes }.score(), four, [6, 5, 4][classes.four.min(2)]),
        // Within the fifth class all vectors are alike.
        (Classes { five: classes.five + 1, ..classes }.score(), 0, 1),
    ];
    let moves: Vec<f64> = next
        .into_iter()
        .filter_map(|(milder, steps, depth)| Some(f64::from(present - milder?) * f64::from(steps) / f64::from(depth)))
        .collect();
    let down = if moves.is_empty() { 0.0 } else { moves.iter().sum::<f64>() / moves.len() as f64 };
    // A small nudge, so that what lies half-way is rounded up on every machine.
    Some((f64::from(present) - down + 1e-5).round().clamp(0.0, 100.0) as u8)
}

/// The set of a vector: its six equivalence classes.
#[derive(Clone, Copy)]
struct Classes {
    one: usize,
    two: usize,
    three: usize,
    four: usize,
    five: usize,
    six: usize,
}

impl Classes {
    fn of(own: &Vector) -> Self {
        let easy = [own[AV] == 0, own[PR] == 0, own[UI] == 0];
        let one = match (easy.iter().all(|yes| *yes), easy.contains(&true) && own[AV] != 3) {
            (true, _) => 0,
            (_, true) => 1,
            _ => 2,
        };
        let high = [own[VC] == 0, own[VI] == 0, own[VA] == 0];
        let three = match high {
            [true, true, _] => 0,
            _ if high.contains(&true) => 1,
            _ => 2,
        };
        let four = match (own[SI] == 0 || own[SA] == 0, own[SC] == 0 || own[SI] == 1 || own[SA] == 1) {
            (true, _) => 0,
            (_, true) => 1,
            _ => 2,
        };
        let asked = [(CR, VC), (IR, VI), (AR, VA)].iter().any(|(need, loss)| own[*need] == 0 && own[*loss] == 0);
        Self {
            one,
            two: usize::from(own[AC] != 0 || own[AT] != 0),
            three,
            four,
            five: usize::try_from(own[E]).unwrap_or(0),
            six: usize::from(!asked),
        }
    }

    /// The published score in tenths; none where there is no such set.
    fn score(self) -> Option<i32> {
        let joined = match (self.three, self.six) {
            (0, 0) => 0,
            (0, 1) => 1,
            (1, 0) => 2,
            (1, 1) => 3,
            (2, 1) => 4,
            _ => return None,
        };
        if self.one > 2 || self.two > 1 || self.four > 2 || self.five > 2 {
            return None;
        }
        let at = (((self.one * 2 + self.two) * 5 + joined) * 3 + self.four) * 3 + self.five;
        SCORES.get(at).map(|score| i32::from(*score))
    }

    /// The score of the next milder set by the third and sixth class together; of two the higher.
    fn milder_third(self) -> Option<i32> {
        let with = |three, six| Self { three, six, ..self }.score();
        match (self.three, self.six) {
            (0, 0) => with(0, 1).max(with(1, 0)),
            (0, 1) | (1, 0) => with(1, 1),
            (1, 1) => with(2, 1),
            _ => None,
        }
    }
}

/// A vector of which only some metrics matter.
fn only(values: &[(usize, i32)]) -> Vector {
    let mut vector = [0; 15];
    for (at, steps) in values {
        if let Some(slot) = vector.get_mut(*at) {
            *slot = *steps;
        }
    }
    vector
}

fn worst_of_first(class: usize) -> Vec<Vector> {
    match class {
        0 => vec![only(&[])],
        1 => vec![only(&[(AV, 1)]), only(&[(PR, 1)]), only(&[(UI, 1)])],
        _ => vec![only(&[(AV, 3)]), only(&[(AV, 1), (PR, 1), (UI, 1)])],
    }
}

fn worst_of_second(class: usize) -> Vec<Vector> {
    match class {
        0 => vec![only(&[])],
        _ => vec![only(&[(AC, 1)]), only(&[(AT, 1)])],
    }
}

fn worst_of_third(three: usize, six: usize) -> Vec<Vector> {
    match (three, six) {
        (0, 0) => vec![only(&[])],
        (0, _) => vec![only(&[(VA, 1), (CR, 1), (IR, 1)]), only(&[(CR, 1), (IR, 1), (AR, 1)])],
        (1, 0) => vec![only(&[(VC, 1)]), only(&[(VI, 1)])],
        (1, _) => vec![
            only(&[(VC, 1), (VA, 1), (IR, 1)]),
            only(&[(VC, 1), (IR, 1), (AR, 1)]),
            only(&[(VI, 1), (CR, 1), (AR, 1)]),
            only(&[(VI, 1), (VA, 1), (CR, 1)]),
            only(&[(VC, 1), (VI, 1), (AR, 1)]),
        ],
        _ => vec![only(&[(VC, 1), (VI, 1), (VA, 1)])],
    }
}

fn worst_of_fourth(class: usize) -> Vector {
    match class {
        0 => only(&[]),
        1 => only(&[(SI, 1), (SA, 1)]),
        _ => only(&[(SC, 1), (SI, 2), (SA, 2)]),
    }
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn vectors_have_the_scores_of_the_published_calculator() {
        for (vector, expected) in [
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 93),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", 0),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 100),
            ("CVSS:4.0/AV:A/AC:L/AT:N/PR:L/UI:N/VC:N/VI:N/VA:H/SC:N/SI:H/SA:N", 82),
            ("CVSS:4.0/AV:P/AC:L/AT:P/PR:L/UI:N/VC:N/VI:H/VA:H/SC:L/SI:L/SA:L/E:P/AR:H/MAV:P/MPR:N/MVC:N", 16),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:A/VC:H/VI:L/VA:N/SC:N/SI:N/SA:N", 43),
            ("CVSS:4.0/AV:L/AC:H/AT:P/PR:L/UI:P/VC:L/VI:N/VA:L/SC:N/SI:L/SA:H", 20),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:L/SC:N/SI:N/SA:N", 20),
            ("CVSS:4.0/AV:N/AC:H/AT:N/PR:H/UI:P/VC:H/VI:N/VA:N/SC:H/SI:N/SA:L", 69),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:A/VC:L/VI:L/VA:H/SC:N/SI:H/SA:H", 59),
            ("CVSS:4.0/AV:A/AC:H/AT:N/PR:H/UI:A/VC:N/VI:N/VA:L/SC:H/SI:H/SA:L", 23),
            ("CVSS:4.0/AV:A/AC:L/AT:N/PR:H/UI:N/VC:N/VI:N/VA:H/SC:H/SI:H/SA:H/E:P/CR:X/IR:M/MPR:N", 72),
            ("CVSS:4.0/AV:P/AC:H/AT:P/PR:L/UI:N/VC:N/VI:H/VA:H/SC:N/SI:L/SA:H/E:U/IR:L/AR:M/MAC:X/MPR:L/MVC:N", 6),
            ("CVSS:4.0/AV:A/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:L/SC:H/SI:L/SA:H/IR:M/AR:L/MAV:A/MAC:L/MPR:X/MSA:S", 68),
            ("CVSS:4.0/AV:L/AC:H/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:H/SA:H/MAV:A/MSA:L", 48),
            ("CVSS:4.0/AV:A/AC:H/AT:N/PR:N/UI:P/VC:H/VI:N/VA:L/SC:H/SI:H/SA:H/CR:H/AR:L/MVC:X/MSA:S", 86),
            ("CVSS:4.0/AV:P/AC:L/AT:N/PR:L/UI:P/VC:H/VI:L/VA:H/SC:L/SI:L/SA:L/E:X/IR:M/MAV:N/MAC:L/MVC:X/MSI:L", 70),
            ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:A/VC:H/VI:N/VA:L/SC:N/SI:N/SA:N/E:U/AR:X/MAC:L/MPR:H/MSI:L/MSA:N", 7),
            (
                "CVSS:4.0/AV:P/AC:L/AT:N/PR:H/UI:A/VC:N/VI:L/VA:L/SC:H/SI:N/SA:L/E:X/CR:L/IR:M/AR:X/MAV:N/MPR:L/MVC:X/MSI:N/MSA:N",
                60,
            ),
        ] {
            assert_eq!(score(vector), Some(expected), "{vector}");
        }
        for broken in [
            "CVSS:4.0/",
            "CVSS:4.0/AV:N",
            "CVSS:3.1/AV:N",
            "CVSS:4.0/AV:NA/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        ] {
            assert_eq!(score(broken), None, "{broken}");
        }
    }
}
