//! Text from templates on its way into a picture: made visible, measured, cut to a width, escaped for XML.

use std::fmt::Write;

/// `text` on one line with nothing in it that hides, reorders or breaks text: those characters are shown by their number.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => shown.push(' '),
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}' => {
                // Writing to a string can't fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// Escaped for XML text and attributes, single quotes included.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Several lines for a `<title>`, each escaped.
pub(crate) fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// About how wide a character is in a proportional sans-serif face, in thousandths of the font size; rather too wide than too narrow.
fn advance(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'I' => 320.0,
        ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '*' => 410.0,
        'm' | 'M' | 'w' | 'W' | '@' | '%' | '…' => 940.0,
        'a'..='z' | '0'..='9' | '_' | '$' | '?' | '·' => 610.0,
        'A'..='Z' | '&' | '{' | '}' | '=' | '+' | '<' | '>' | '#' => 715.0,
        '\0'..='\u{2ff}' => 720.0,
        '\u{300}'..='\u{36f}' => 0.0,
        _ => 1060.0,
    }
}

/// About how wide `text` is at a font size, in pixels.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size / 1000.0
}

/// As much of the visible `text` as fits into `room` pixels, with an ellipsis where something is missing.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    let text = visible(text);
    if width(&text, size) <= room {
        return text;
    }
    let mut left = room - width("…", size);
    let mut cut = String::new();
    for character in text.chars() {
        left -= advance(character) * size / 1000.0;
        if left < 0.0 {
            break;
        }
        cut.push(character);
    }
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_text_that_hides_are_only_shown() {
        assert_eq!(
            escape("</title><script>'x'&\"\u{202e}\0\n"),
            "&lt;/title&gt;&lt;script&gt;&#39;x&#39;&amp;&quot;\\u{202e}\\u{0} "
        );
    }

    #[test]
    fn a_long_name_is_cut_to_its_room_and_a_short_one_stays() {
        assert_eq!(fit("CreateOrder", 13.0, 160.0), "CreateOrder");
        let cut = fit(&"W".repeat(500), 13.0, 160.0);
        assert!(cut.ends_with('…') && width(&cut, 13.0) <= 160.0, "{cut}");
        assert_eq!(fit("x", 13.0, 0.0), "…");
    }
}
