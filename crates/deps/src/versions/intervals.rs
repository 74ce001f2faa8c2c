//! Sets of versions as sorted intervals that neither touch nor overlap.

use std::cmp::Ordering;
use std::ops::Bound;

/// A set of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Intervals<V> {
    parts: Vec<(Bound<V>, Bound<V>)>,
}

impl<V: Ord + Clone> Intervals<V> {
    /// No version.
    pub(crate) fn none() -> Self {
        Self { parts: Vec::new() }
    }

    /// Every version.
    pub(crate) fn all() -> Self {
        Self { parts: vec![(Bound::Unbounded, Bound::Unbounded)] }
    }

    /// What lies between two bounds; no version where nothing does.
    pub(crate) fn between(lower: Bound<V>, upper: Bound<V>) -> Self {
        let empty = match (&lower, &upper) {
            (Bound::Included(low), Bound::Included(high)) => low > high,
            (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
            _ => false,
        };
        Self { parts: if empty { Vec::new() } else { vec![(lower, upper)] } }
    }

    /// One version alone.
    pub(crate) fn one(version: V) -> Self {
        Self { parts: vec![(Bound::Included(version.clone()), Bound::Included(version))] }
    }

    /// The union of any number of intervals.
    pub(crate) fn of(parts: impl IntoIterator<Item = (Bound<V>, Bound<V>)>) -> Self {
        let mut sorted: Vec<(Bound<V>, Bound<V>)> =
            parts.into_iter().flat_map(|(lower, upper)| Self::between(lower, upper).parts).collect();
        sorted.sort_by(|left, right| lower_order(&left.0, &right.0));
        let mut parts: Vec<(Bound<V>, Bound<V>)> = Vec::with_capacity(sorted.len());
        for (lower, upper) in sorted {
            match parts.last_mut() {
                Some(last) if touches(&last.1, &lower) => {
                    if upper_order(&last.1, &upper).is_lt() {
                        last.1 = upper;
                    }
                }
                _ => parts.push((lower, upper)),
            }
        }
        Self { parts }
    }

    /// Where it starts: the bound itself, excluded or not; none for no version, or where it starts before every version.
    pub(crate) fn start(&self) -> Option<&V> {
        match self.parts.first() {
            Some((Bound::Included(version) | Bound::Excluded(version), _)) => Some(version),
            _ => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn contains(&self, version: &V) -> bool {
        self.parts.iter().any(|(lower, upper)| {
            (match lower {
                Bound::Included(low) => low <= version,
                Bound::Excluded(low) => low < version,
                Bound::Unbounded => true,
            }) && (match upper {
                Bound::Included(high) => version <= high,
                Bound::Excluded(high) => version < high,
                Bound::Unbounded => true,
            })
        })
    }

    /// What lies in both.
    pub(crate) fn intersect(&self, other: &Self) -> Self {
        let mut parts = Vec::new();
        let (mut left, mut right) = (self.parts.iter().peekable(), other.parts.iter().peekable());
        while let (Some((low_a, high_a)), Some((low_b, high_b))) = (left.peek(), right.peek()) {
            let lower = if lower_order(low_a, low_b).is_ge() { low_a } else { low_b };
            let first_ends = upper_order(high_a, high_b).is_le();
            let upper = if first_ends { high_a } else { high_b };
            parts.extend(Self::between(lower.clone(), upper.clone()).parts);
            if first_ends {
                left.next();
            } else {
                right.next();
            }
        }
        Self { parts }
    }

    /// Everything else.
    pub(crate) fn complement(&self) -> Self {
        let mut parts = Vec::new();
        let mut lower = Bound::Unbounded;
        for (low, high) in &self.parts {
            if let Some(end) = flip(low) {
                parts.extend(Self::between(lower, end).parts);
            }
            match flip(high) {
                Some(next) => lower = next,
                None => return Self { parts },
            }
        }
        parts.push((lower, Bound::Unbounded));
        Self { parts }
    }

    /// What lies in either.
    pub(crate) fn union(&self, other: &Self) -> Self {
        self.complement().intersect(&other.complement()).complement()
    }

    /// Whether all of it lies in `other`.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.intersect(&other.complement()).is_empty()
    }
}

/// Whether an interval that ends at `upper` leaves no gap before one that starts at `lower`.
fn touches<V: Ord>(upper: &Bound<V>, lower: &Bound<V>) -> bool {
    match (upper, lower) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Excluded(end), Bound::Excluded(start)) => start < end,
        (Bound::Included(end) | Bound::Excluded(end), Bound::Included(start) | Bound::Excluded(start)) => start <= end,
    }
}

fn flip<V: Clone>(bound: &Bound<V>) -> Option<Bound<V>> {
    match bound {
        Bound::Included(version) => Some(Bound::Excluded(version.clone())),
        Bound::Excluded(version) => Some(Bound::Included(version.clone())),
        Bound::Unbounded => None,
    }
}

fn lower_order<V: Ord>(left: &Bound<V>, right: &Bound<V>) -> Ordering {
    match (left, right) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Less,
        (_, Bound::Unbounded) => Ordering::Greater,
        (Bound::Included(a), Bound::Excluded(b)) => a.cmp(b).then(Ordering::Less),
        (Bound::Excluded(a), Bound::Included(b)) => a.cmp(b).then(Ordering::Greater),
        (Bound::Included(a), Bound::Included(b)) | (Bound::Excluded(a), Bound::Excluded(b)) => a.cmp(b),
    }
}

fn upper_order<V: Ord>(left: &Bound<V>, right: &Bound<V>) -> Ordering {
    match (left, right) {
        (Bound::Unbounded, Bound::Unbounded) => Ordering::Equal,
        (Bound::Unbounded, _) => Ordering::Greater,
        (_, Bound::Unbounded) => Ordering::Less,
        (Bound::Included(a), Bound::Excluded(b)) => a.cmp(b).then(Ordering::Greater),
        (Bound::Excluded(a), Bound::Included(b)) => a.cmp(b).then(Ordering::Less),
        (Bound::Included(a), Bound::Included(b)) | (Bound::Excluded(a), Bound::Excluded(b)) => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(low: u32, high: u32) -> Intervals<u32> {
        Intervals::between(Bound::Included(low), Bound::Excluded(high))
    }

    #[test]
    fn sets_are_told_apart_on_a_small_line() {
        // Every pair of sets made of two spans, compared with what counting says.
        let sets: Vec<Intervals<u32>> =
            (0..6).flat_map(|low| (low..7).map(move |high| span(low, high).union(&span(high + 1, high + 2)))).collect();
        for left in &sets {
            for right in &sets {
                let (both, either, not) = (left.intersect(right), left.union(right), left.complement());
                let mut within = true;
                for value in 0..12 {
                    let (in_left, in_right) = (left.contains(&value), right.contains(&value));
                    assert_eq!(both.contains(&value), in_left && in_right, "{left:?} {right:?} {value}");
                    assert_eq!(either.contains(&value), in_left || in_right, "{left:?} {right:?} {value}");
                    assert_eq!(not.contains(&value), !in_left);
                    within &= !in_left || in_right;
                }
                assert_eq!(left.is_within(right), within, "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn many_intervals_merge_into_few() {
        let points = (0..10).map(|value| (Bound::Included(value), Bound::Excluded(value + 1)));
        assert_eq!(Intervals::of(points), span(0, 10));
        let apart = [(Bound::Excluded(3), Bound::Unbounded), (Bound::Unbounded, Bound::Excluded(3))];
        assert_eq!(Intervals::of(apart), Intervals::one(3).complement());
    }

    #[test]
    fn a_point_may_be_cut_out() {
        let without = Intervals::one(3).complement();
        assert!(without.contains(&2) && !without.contains(&3) && without.contains(&4));
        assert!(Intervals::<u32>::none().complement().contains(&9) && Intervals::<u32>::all().complement().is_empty());
    }
}
