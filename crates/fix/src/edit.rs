//! Edits of text by byte ranges, applied together.

use std::collections::BTreeMap;

/// One replacement in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The file, relative to the root.
    pub path: String,
    /// Where the replaced text begins, in bytes.
    pub start: usize,
    /// Where it ends; the same for an insertion.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

impl Edit {
    pub(crate) fn new(path: &str, start: usize, end: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_string(), start, end, text: text.into() }
    }
}

/// Applies edits to the texts that `load` gives: path to text afterwards. An edit that is made twice counts once; one that
/// overlaps an earlier one is left out, and its place in `edits` is in the second list.
pub fn apply(edits: &[Edit], load: &dyn Fn(&str) -> Option<String>) -> (BTreeMap<String, String>, Vec<usize>) {
    let mut by_file: BTreeMap<&str, Vec<(usize, &Edit)>> = BTreeMap::new();
    for (at, edit) in edits.iter().enumerate() {
        by_file.entry(&edit.path).or_default().push((at, edit));
    }
    let (mut texts, mut left_out) = (BTreeMap::new(), Vec::new());
    for (path, own) in by_file {
        let Some(mut text) = load(path) else {
            left_out.extend(own.iter().map(|(at, _)| *at));
            continue;
        };
        let mut taken: Vec<&Edit> = Vec::new();
        for (at, edit) in own {
            let fits = edit.start <= edit.end && text.get(edit.start..edit.end).is_some();
            let clashes = taken.iter().any(|other| {
                let apart = edit.end <= other.start || other.end <= edit.start;
                *other != edit && !apart
            });
            if !fits || clashes {
                left_out.push(at);
            } else if !taken.contains(&edit) {
                taken.push(edit);
            }
        }
        // From the end, so that what comes before keeps its place; insertions at one place stay in their order.
        let mut order: Vec<(usize, &Edit)> = taken.into_iter().enumerate().collect();
        order.sort_by_key(|(at, edit)| std::cmp::Reverse((edit.start, edit.end, *at)));
        for (_, edit) in order {
            text.replace_range(edit.start..edit.end, &edit.text);
        }
        texts.insert(path.to_string(), text);
    }
    left_out.sort_unstable();
    (texts, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_together_and_what_clashes_is_left_out() {
        let load = |path: &str| (path == "a").then(|| "one two three".to_string());
        let edits = [
            Edit::new("a", 4, 7, "2"),
            Edit::new("a", 0, 0, ">"),
            Edit::new("a", 4, 7, "2"),
            Edit::new("a", 5, 9, "x"),
            Edit::new("a", 8, 99, "y"),
            Edit::new("b", 0, 0, "z"),
            Edit::new("a", 0, 0, "-"),
        ];
        let (texts, left_out) = apply(&edits, &load);
        assert_eq!(texts["a"], ">-one 2 three");
        assert_eq!(left_out, [3, 4, 5]);
    }
}
