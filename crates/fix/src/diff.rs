//! Unified differences of texts, line by line (Myers's algorithm between what both have in common at the ends).

use std::fmt::Write;

/// Lines of context around a change.
const CONTEXT: usize = 3;
/// The most lines that may differ before the middle is shown as replaced whole.
const MAX_DIFFERENCES: usize = 3_000;

/// One line of the difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Same,
    Gone,
    New,
}

/// The difference of a file as `diff -u` writes it; empty where there is none. `before` is none for a file that is new.
pub fn diff(path: &str, before: Option<&str>, after: &str) -> String {
    if before == Some(after) {
        return String::new();
    }
    let old: Vec<&str> = before.unwrap_or("").split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let script = script(&old, &new);
    let from = if before.is_some() { format!("a/{path}") } else { "/dev/null".to_string() };
    let mut out = format!("--- {from}\n+++ b/{path}\n");
    let mut at = 0;
    while let Some(first) = script.get(at..).and_then(|rest| rest.iter().position(|(kind, ..)| *kind != Kind::Same)) {
        let start = (at + first).saturating_sub(CONTEXT).max(at);
        // A stretch of sameness longer than two contexts ends the hunk.
        let mut end = at + first;
        let mut last = end;
        while end < script.len() && end <= last + 2 * CONTEXT {
            if script.get(end).is_some_and(|(kind, ..)| *kind != Kind::Same) {
                last = end;
            }
            end += 1;
        }
        let end = (last + 1 + CONTEXT).min(script.len());
        let hunk = script.get(start..end).unwrap_or_default();
        let count = |without: Kind| hunk.iter().filter(|(kind, ..)| *kind != without).count();
        let (old_count, new_count) = (count(Kind::New), count(Kind::Gone));
        let (old_at, new_at) = hunk.first().map_or((0, 0), |(_, old, new)| (*old, *new));
        let line = |at: usize, count: usize| if count == 0 { at } else { at + 1 };
        let _ =
            writeln!(out, "@@ -{},{old_count} +{},{new_count} @@", line(old_at, old_count), line(new_at, new_count));
        for (kind, old_at, new_at) in hunk {
            let (sign, text) = match kind {
                Kind::Same => (' ', old.get(*old_at)),
                Kind::Gone => ('-', old.get(*old_at)),
                Kind::New => ('+', new.get(*new_at)),
            };
            let text = text.copied().unwrap_or_default();
            let _ = write!(out, "{sign}{text}");
            if !text.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
        at = end;
    }
    out
}

/// Every line once, with its place in the old and new text.
fn script(old: &[&str], new: &[&str]) -> Vec<(Kind, usize, usize)> {
    let head = old.iter().zip(new).take_while(|(left, right)| left == right).count();
    let room = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(left, right)| left == right).count();
    let middle_old = old.get(head..old.len() - tail).unwrap_or_default();
    let middle_new = new.get(head..new.len() - tail).unwrap_or_default();
    let mut all: Vec<(Kind, usize, usize)> = (0..head).map(|at| (Kind::Same, at, at)).collect();
    all.extend(middle(middle_old, middle_new).into_iter().map(|(kind, left, right)| (kind, left + head, right + head)));
    all.extend((0..tail).map(|at| (Kind::Same, old.len() - tail + at, new.len() - tail + at)));
    all
}

fn middle(old: &[&str], new: &[&str]) -> Vec<(Kind, usize, usize)> {
    let (n, m) = (old.len(), new.len());
    let offset = (n + m).min(MAX_DIFFERENCES) + 1;
    let mut furthest = vec![0_usize; 2 * offset + 2];
    let mut trace: Vec<Vec<usize>> = Vec::new();
    let index = |diagonal: isize| usize::try_from(diagonal + offset as isize).unwrap_or(0);
    let mut found = None;
    'search: for depth in 0..offset as isize {
        // Of each round only what it can reach is kept.
        trace.push(furthest.get(index(-depth - 1)..=index(depth + 1)).unwrap_or_default().to_vec());
        for diagonal in (-depth..=depth).step_by(2) {
            let down = diagonal == -depth
                || (diagonal != depth && furthest.get(index(diagonal - 1)) < furthest.get(index(diagonal + 1)));
            let mut x = match down {
                true => furthest.get(index(diagonal + 1)).copied().unwrap_or(0),
                false => furthest.get(index(diagonal - 1)).copied().unwrap_or(0) + 1,
            };
            let mut y = usize::try_from(x as isize - diagonal).unwrap_or(0);
            while x < n && y < m && old.get(x) == new.get(y) {
                x += 1;
                y += 1;
            }
            if let Some(slot) = furthest.get_mut(index(diagonal)) {
                *slot = x;
            }
            if x >= n && y >= m {
                found = Some(depth);
                break 'search;
            }
        }
    }
    let Some(depth) = found else {
        let gone = (0..n).map(|at| (Kind::Gone, at, 0));
        return gone.chain((0..m).map(|at| (Kind::New, n, at))).collect();
    };
    let mut back = Vec::new();
    let (mut x, mut y) = (n, m);
    for depth in (0..=depth).rev() {
        let round = trace.get(usize::try_from(depth).unwrap_or(0)).map(Vec::as_slice).unwrap_or_default();
        let at = |diagonal: isize| round.get(usize::try_from(diagonal + depth + 1).unwrap_or(0)).copied().unwrap_or(0);
        let diagonal = x as isize - y as isize;
        let down = diagonal == -depth || (diagonal != depth && at(diagonal - 1) < at(diagonal + 1));
        let before = if down { diagonal + 1 } else { diagonal - 1 };
        let (from_x, from_y) = match depth {
            0 => (0, 0),
            _ => (at(before), usize::try_from(at(before) as isize - before).unwrap_or(0)),
        };
        while x > from_x
            && y > from_y
            && (depth == 0 || !(x == from_x + usize::from(!down) && y == from_y + usize::from(down)))
        {
            x -= 1;
            y -= 1;
            back.push((Kind::Same, x, y));
        }
        if depth > 0 {
            if down {
                y = from_y;
                back.push((Kind::New, x, y));
            } else {
                x = from_x;
                back.push((Kind::Gone, x, y));
            }
        }
    }
    back.reverse();
    back
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_changed_one_is_added_and_one_goes() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\n";
        let after = "a\nB\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nx\nn";
        assert_eq!(
            diff("t", Some(before), after),
            "--- a/t\n+++ b/t\n@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n d\n e\n@@ -11,4 +11,5 @@\n k\n l\n m\n-n\n+x\n+n\n\\ No newline at end of file\n"
        );
        assert_eq!(diff("t", Some("a\n"), "a\n"), "");
        assert_eq!(diff("t", None, "a\n"), "--- /dev/null\n+++ b/t\n@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(diff("t", Some("a\nb\n"), "b\n"), "--- a/t\n+++ b/t\n@@ -1,2 +1,1 @@\n-a\n b\n");
    }

    #[test]
    fn what_a_difference_says_leads_from_one_text_to_the_other() {
        // A small generator of its own, so that the same texts come every time.
        let mut state = 7_u64;
        let mut next = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        for _ in 0..300 {
            let mut text = || (0..next(14)).map(|_| format!("{}\n", next(4))).collect::<String>();
            let (before, after) = (text(), text());
            let old: Vec<&str> = before.split_inclusive('\n').collect();
            let new: Vec<&str> = after.split_inclusive('\n').collect();
            let script = script(&old, &new);
            let rebuilt: String = script
                .iter()
                .filter_map(|(kind, left, right)| match kind {
                    Kind::Same => old.get(*left),
                    Kind::New => new.get(*right),
                    Kind::Gone => None,
                })
                .copied()
                .collect();
            assert_eq!(rebuilt, after, "{before:?} {after:?}");
            let kept: String =
                script.iter().filter(|one| one.0 != Kind::New).filter_map(|one| old.get(one.1)).copied().collect();
            assert_eq!(kept, before, "{before:?} {after:?}");
        }
    }
}
