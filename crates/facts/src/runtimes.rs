//! Lambda runtimes and the dates on which AWS stops supporting them.

use crate::table::{Row, Table};

const RUNTIMES: Table = Table::new(include_str!("../data/runtimes.txt"));

/// A Lambda runtime. Dates are `YYYY-MM-DD` and may lie in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Its identifier, such as `python3.12`.
    pub id: &'static str,
    /// From when it gets no more security updates.
    pub deprecated: Option<&'static str>,
    /// From when no function can be created with it.
    pub create_blocked: Option<&'static str>,
    /// From when functions with it can't be updated.
    pub update_blocked: Option<&'static str>,
    /// The runtime to move to.
    pub successor: Option<&'static str>,
}

impl Runtime {
    fn of(row: Row) -> Self {
        let column = |index| Some(row.column(index)).filter(|text| !text.is_empty());
        Self {
            id: row.key(),
            deprecated: column(1),
            create_blocked: column(2),
            update_blocked: column(3),
            successor: column(4),
        }
    }
}

/// The runtime of this identifier.
#[must_use]
pub fn runtime(id: &str) -> Option<Runtime> {
    RUNTIMES.find_exact(id).map(Runtime::of)
}

/// All known runtimes, in the order of their identifiers.
pub fn runtimes() -> impl Iterator<Item = Runtime> {
    RUNTIMES.rows().map(Runtime::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_python_has_its_dates_and_a_successor() {
        let old = runtime("python3.8").unwrap();
        assert_eq!(old.deprecated, Some("2024-10-14"));
        assert!(old.successor.is_some_and(|id| runtime(id).is_some()), "{old:?}");
        assert!(runtime("nodejs18.x").unwrap().deprecated.is_some());
        assert!(runtime("python1.5").is_none());
    }

    #[test]
    fn dates_are_dates() {
        for runtime in runtimes() {
            for date in [runtime.deprecated, runtime.create_blocked, runtime.update_blocked].into_iter().flatten() {
                assert!(date.len() == 10 && date.split('-').count() == 3, "{runtime:?}");
            }
        }
        assert!(runtimes().count() > 30);
    }
}
