//! Making HTML from values nobody trusts.
//!
//! [`Html::raw`] takes only text that stands in this program's source (`&'static str`), everything else passes through
//! [`escape`]: forgetting it doesn't compile. [`put!`] is the two in a row: `put!(html, "<b>", (name), "</b>")`.

use std::fmt::{Display, Write as _};

/// HTML under construction.
#[derive(Debug, Default)]
pub(crate) struct Html {
    markup: String,
}

impl Html {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Markup written in this program.
    pub(crate) fn raw(&mut self, markup: &'static str) {
        self.markup.push_str(markup);
    }

    /// A value, escaped: safe between tags and within a quoted attribute.
    pub(crate) fn text(&mut self, value: impl Display) {
        // A string takes whatever is written to it.
        let _ = write!(Escaping(&mut self.markup), "{value}");
    }

    /// Finished HTML.
    pub(crate) fn html(&mut self, other: Html) {
        self.markup.push_str(&other.markup);
    }

    pub(crate) fn into_string(self) -> String {
        self.markup
    }
}

/// Appends literals as they are and values in parentheses escaped.
macro_rules! put {
    ($html:ident $(,)?) => {{}};
    ($html:ident, $literal:literal $($rest:tt)*) => {{
        $html.raw($literal);
        $crate::html::put!($html $($rest)*);
    }};
    ($html:ident, ($value:expr) $($rest:tt)*) => {{
        $html.text(&$value);
        $crate::html::put!($html $($rest)*);
    }};
}
pub(crate) use put;

/// `text` for HTML, between tags or in a quoted attribute. Beside the five characters of the markup, it makes visible what
/// would change how the text around it reads: control characters, direction marks, invisible characters.
#[cfg(test)]
pub(crate) fn escape(text: &str) -> String {
    let mut html = Html::new();
    html.text(text);
    html.into_string()
}

struct Escaping<'a>(&'a mut String);

impl std::fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(character),
                '\0'..='\u{1f}' | '\u{7f}' => write!(self.0, "\\x{:02x}", u32::from(character))?,
                '\u{80}'..='\u{9f}'
                | '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}' => {
                    write!(self.0, "\\u{{{:x}}}", u32::from(character))?;
                }
                _ => self.0.push(character),
            }
        }
        Ok(())
    }
}

/// A segment of a path or a value of a query, for an address.
pub(crate) fn encode(text: &str) -> impl Display + '_ {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}

/// At most `characters` of `text`, and an ellipsis where something is missing.
pub(crate) fn shorten(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => {
            let mut short: String = text.chars().take(characters.saturating_sub(1)).collect();
            short.push('…');
            short
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_an_attack_survives_as_markup() {
        assert_eq!(
            escape(r#"<script>alert('1')</script>&" onload="x"#),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot; onload=&quot;x"
        );
    }

    #[test]
    fn what_would_hide_or_turn_text_is_shown() {
        assert_eq!(escape("a\0b\u{1b}[2J\r"), "a\\x00b\\x1b[2J\\x0d");
        assert_eq!(escape("safe\u{202e}exe.\u{200b}txt"), "safe\\u{202e}exe.\\u{200b}txt");
        assert_eq!(escape("two\nlines\tand ünïcödé 漢字 🙂"), "two\nlines\tand ünïcödé 漢字 🙂");
    }

    #[test]
    fn literals_stay_and_values_are_escaped() {
        let mut html = Html::new();
        put!(html, "<a href=\"/f/", (encode("a/../b?c#d")), "\">", ("<b>"), "</a>", (3));
        assert_eq!(html.into_string(), "<a href=\"/f/a%2F%2E%2E%2Fb%3Fc%23d\">&lt;b&gt;</a>3");
    }

    #[test]
    fn shortening_counts_characters_not_bytes() {
        assert_eq!(shorten("漢字漢字", 4), "漢字漢字");
        assert_eq!(shorten("漢字漢字漢", 4), "漢字漢…");
        assert_eq!(shorten("", 0), "");
    }
}
