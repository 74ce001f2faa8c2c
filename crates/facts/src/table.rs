//! Sorted text lines as a table: the first column is the key, a tab parts the columns. The lines are ordered by the
//! lower-case key, so a lookup is a binary search over the text itself and costs nothing at start-up.

use std::cmp::Ordering;

/// Text of lines sorted by lower-case key.
#[derive(Clone, Copy)]
pub(crate) struct Table(&'static str);

/// One line of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row(&'static str);

impl Row {
    /// The column at `index`, empty when the line ends before it.
    pub(crate) fn column(self, index: usize) -> &'static str {
        self.0.split('\t').nth(index).unwrap_or("")
    }

    /// The first column.
    pub(crate) fn key(self) -> &'static str {
        self.column(0)
    }

    /// A column that lists values between commas.
    pub(crate) fn list(self, index: usize) -> impl Iterator<Item = &'static str> {
        self.column(index).split(',').filter(|value| !value.is_empty())
    }
}

impl Table {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// All lines, in order.
    pub(crate) fn rows(self) -> impl Iterator<Item = Row> {
        self.0.lines().map(Row)
    }

    /// The line whose key is `key` in any letter case.
    pub(crate) fn find(self, key: &str) -> Option<Row> {
        let row = Row(self.0.get(self.lower_bound(key)..)?.lines().next()?);
        row.key().eq_ignore_ascii_case(key).then_some(row)
    }

    /// The line whose key is exactly `key`.
    pub(crate) fn find_exact(self, key: &str) -> Option<Row> {
        self.find(key).filter(|row| row.key() == key)
    }

    /// The lines whose keys begin with `prefix` in any letter case.
    pub(crate) fn starting_with(self, prefix: &str) -> impl Iterator<Item = Row> {
        let rest = self.0.get(self.lower_bound(prefix)..).unwrap_or("");
        rest.lines().map(Row).take_while(move |row| {
            row.key().as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        })
    }

    /// Byte offset of the first line whose key is not before `key`.
    fn lower_bound(self, key: &str) -> usize {
        let text = self.0.as_bytes();
        let (mut low, mut high) = (0, text.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let start = text[low..middle].iter().rposition(|&byte| byte == b'\n').map_or(low, |found| low + found + 1);
            let line_end =
                text[start..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |found| start + found);
            let line = &text[start..line_end];
            let line_key = line.split(|&byte| byte == b'\t').next().unwrap_or(line);
            if compare(line_key, key.as_bytes()) == Ordering::Less {
                low = (line_end + 1).min(text.len());
            } else {
                high = start;
            }
        }
        low
    }
}

/// The order of the lines: byte by byte, upper case taken as lower case.
fn compare(left: &[u8], right: &[u8]) -> Ordering {
    left.iter().map(u8::to_ascii_lowercase).cmp(right.iter().map(u8::to_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRUIT: Table = Table::new("apple\t1\nApricot\t2\nbanana\t3\tx,y\n\u{e9}clair\t4\n");

    #[test]
    fn every_line_is_found_in_any_letter_case_and_nothing_else_is() {
        for (key, value) in [("APPLE", "1"), ("apricot", "2"), ("Banana", "3"), ("\u{e9}clair", "4")] {
            assert_eq!(FRUIT.find(key).unwrap().column(1), value, "{key}");
        }
        for key in ["", "a", "apples", "b", "zebra", "banana\t3"] {
            assert!(FRUIT.find(key).is_none(), "{key}");
        }
        assert!(FRUIT.find_exact("apricot").is_none());
        assert!(Table::new("").find("a").is_none());
    }

    #[test]
    fn a_prefix_yields_its_lines_in_order() {
        let keys: Vec<_> = FRUIT.starting_with("AP").map(Row::key).collect();
        assert_eq!(keys, ["apple", "Apricot"]);
        assert_eq!(FRUIT.starting_with("").count(), 4);
        assert_eq!(FRUIT.starting_with("zz").count(), 0);
        assert_eq!(FRUIT.find("banana").unwrap().list(2).collect::<Vec<_>>(), ["x", "y"]);
    }
}
