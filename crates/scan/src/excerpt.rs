//! Source as reports show it: the lines of a span, with secrets struck out.

use source::{FileId, SourceFile, Span};
use std::borrow::Cow;
use std::ops::Range;

/// The text with all but the first characters of each secret struck out, every byte in its place. `start` is where the text begins in
/// its file.
pub(crate) fn masked<'a>(text: &'a str, file: FileId, start: usize, secrets: &[Span]) -> Cow<'a, str> {
    const SHOWN: usize = 4;
    let mut masked = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| secret.file == file) {
        let (begin, end) = (secret.start as usize, secret.end as usize);
        if end <= start || begin >= start + text.len() {
            continue;
        }
        // What of the secret stands before the text has used up what is shown of it.
        let before = start.saturating_sub(begin);
        let from = begin.saturating_sub(start);
        let to = (end - start).min(text.len());
        let quoted = usize::from(before == 0 && text.get(from..).is_some_and(|rest| rest.starts_with(['"', '\''])));
        let from = from + SHOWN.saturating_sub(before) + quoted;
        let to = if end - start <= text.len() { to - quoted } else { to };
        let from = (0..=from.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let to = (to..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        if from < to {
            let struck: String = masked[from..to].bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
            masked.to_mut().replace_range(from..to, &struck);
        }
    }
    masked
}

/// A span cut to its first line, so that a whole resource is shown by its first line.
pub(crate) fn first_line(file: &SourceFile, span: Span) -> Range<usize> {
    let text = file.text();
    let mut start = (span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = text[start..end].find(['\n', '\r']).map_or(end, |at| start + at);
    start..cut.max(start)
}

/// Where a line begins.
pub(crate) fn line_start(file: &SourceFile, line: u32) -> usize {
    // Found by halves: positions grow with offsets.
    let (mut low, mut high) = (0, file.text().len());
    while low < high {
        let middle = low.midpoint(high);
        if file.position(clamp(middle)).line < line { low = middle + 1 } else { high = middle }
    }
    low
}

/// An offset as spans have it.
pub(crate) fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_first_characters_wherever_the_excerpt_begins() {
        let text = "Key: \"sk_live_abcdef\"\nNext: 1\n";
        let secret = Span::new(FileId(0), 5, 21);
        assert_eq!(masked(text, FileId(0), 0, &[secret]), "Key: \"sk_l**********\"\nNext: 1\n");
        assert_eq!(masked(text, FileId(1), 0, &[secret]), text);
        // An excerpt that begins or ends within the secret shows no more of it.
        assert_eq!(masked(&text[12..], FileId(0), 12, &[secret]), "*********\nNext: 1\n");
        assert_eq!(masked(&text[..15], FileId(0), 0, &[secret]), "Key: \"sk_l*****");
        // Letters of several bytes at the border are struck out whole.
        let wide = "k: äöüäöüäöü";
        assert!(!masked(wide, FileId(0), 0, &[Span::new(FileId(0), 3, wide.len())]).contains("üäöü"));
    }
}
