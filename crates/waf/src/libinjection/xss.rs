//! Cross-site scripting: markup that runs scripts, or may.

use super::html::{Kind, Place, Tokens};
use super::tables::{ATTRIBUTES, EVENTS, TAGS};

/// What an attribute's value can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Harmless,
    /// Whatever the value is.
    Harmful,
    /// It is an address.
    Address,
    /// It is a style sheet.
    Style,
    /// It names another attribute.
    Indirect,
}

/// Whether a value, put into a page wherever values stand, would run a script.
pub fn xss(value: &[u8]) -> bool {
    // All that follows needs a tag, or an attribute with a value.
    if memchr::memchr2(b'<', b'=', value).is_none() {
        return false;
    }
    let places = [Place::Text, Place::Tag, Place::Quoted(b'\''), Place::Quoted(b'"'), Place::Quoted(b'`')];
    places.into_iter().any(|place| runs(value, place))
}

fn runs(value: &[u8], place: Place) -> bool {
    let mut tokens = Tokens::new(value, place);
    let mut attribute = Attribute::Harmless;
    while let Some((kind, text, start)) = tokens.next() {
        let before = std::mem::replace(&mut attribute, Attribute::Harmless);
        let harmful = match kind {
            Kind::Doctype => true,
            Kind::TagOpen => is_harmful_tag(text),
            Kind::AttributeName => {
                attribute = self::attribute(text, value.get(start..).unwrap_or_default());
                false
            }
            Kind::AttributeValue => match before {
                Attribute::Harmless => false,
                Attribute::Harmful | Attribute::Style => true,
                Attribute::Address => is_script_address(text),
                Attribute::Indirect => {
                    self::attribute(text, value.get(start..).unwrap_or_default()) != Attribute::Harmless
                }
            },
            Kind::Comment => is_harmful_comment(text),
            Kind::Text | Kind::TagEnd => false,
        };
        if harmful {
            return true;
        }
    }
    false
}

/// Whether a text is a word in capitals, zero bytes left out.
fn is_word(text: &[u8], word: &str) -> bool {
    text.iter().filter(|byte| **byte != 0).map(u8::to_ascii_uppercase).eq(word.bytes())
}

fn starts_with(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

fn is_harmful_tag(name: &[u8]) -> bool {
    name.len() >= 3
        && (starts_with(name, "SVG") || starts_with(name, "XSL") || TAGS.iter().any(|tag| is_word(name, tag)))
}

/// What an attribute can do, by its name; `rest` is the value from there on.
fn attribute(name: &[u8], rest: &[u8]) -> Attribute {
    if name.len() < 2 {
        return Attribute::Harmless;
    }
    if name.len() >= 5 {
        // The name of an event suffices as a beginning: handlers of tomorrow are caught, too.
        let event = rest.get(2..).unwrap_or_default();
        if starts_with(name, "ON") && EVENTS.iter().any(|known| starts_with(event, known)) {
            return Attribute::Harmful;
        }
        if starts_with(name, "XMLNS") || starts_with(name, "XLINK") {
            return Attribute::Harmful;
        }
    }
    ATTRIBUTES.iter().find(|(known, _)| is_word(name, known)).map_or(Attribute::Harmless, |(_, attribute)| *attribute)
}

fn is_script_address(text: &[u8]) -> bool {
    let skipped = text.iter().take_while(|byte| !matches!(byte, 33..=126)).count();
    let address = text.get(skipped..).unwrap_or_default();
    ["DATA", "VIEW-SOURCE", "JAVA", "VBSCRIPT"].iter().any(|scheme| decoded_starts_with(address, scheme))
}

/// Whether a text starts with a word in capitals, once character references are resolved; white space before it and
/// line breaks and zero bytes in it don't count.
fn decoded_starts_with(text: &[u8], word: &str) -> bool {
    let mut rest = text;
    let mut wanted = word.bytes().peekable();
    let mut first = true;
    while !rest.is_empty() {
        let Some(&letter) = wanted.peek() else { return true };
        let (code, used) = character(rest);
        rest = rest.get(used..).unwrap_or_default();
        if (first && code <= 32) || code == 0 || code == 10 {
            first &= code <= 32;
            continue;
        }
        first = false;
        if (code as u8).to_ascii_uppercase() != letter || (code > 255 && (code as u8).is_ascii_lowercase()) {
            return false;
        }
        wanted.next();
    }
    wanted.peek().is_none()
}

/// The character that a text starts with, and its length; character references are resolved.
fn character(text: &[u8]) -> (u32, usize) {
    let first = text.first().copied().unwrap_or(0);
    let [b'&', b'#', digits @ ..] = text else { return (u32::from(first), 1) };
    let (digits, base, before) = match digits {
        [b'x' | b'X', digits @ ..] => (digits, 16, 3),
        _ => (digits, 10, 2),
    };
    let mut code = 0u32;
    let mut used = 0;
    for digit in digits.iter().map_while(|byte| char::from(*byte).to_digit(base)) {
        code = code * base + digit;
        // No character: the reference is text. The first digit alone never is too large.
        if used > 0 && code > 0x10_00ff {
            return (u32::from(b'&'), 1);
        }
        used += 1;
    }
    if used == 0 {
        return (u32::from(b'&'), 1);
    }
    (code, before + used + usize::from(digits.get(used) == Some(&b';')))
}

fn is_harmful_comment(text: &[u8]) -> bool {
    // Old browsers end tags at a backtick, and read conditions, instructions and entities in comments.
    memchr::memchr(b'`', text).is_some()
        || (text.len() > 3 && (starts_with(text, "[IF") || starts_with(text, "XML")))
        || (text.len() > 5 && (starts_with(text, "IMPORT") || starts_with(text, "ENTITY")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_that_runs_scripts() {
        for value in [
            "<script>alert(1)</script>",
            "<svg/onload=alert(1)>",
            "x onmouseover=alert(1) y",
            "\" onclickX=alert(1) ",
            "' autofocus onfocus='alert(1)",
            "<a href=\"jav\na&#x73;cript:alert(1)\">",
            "<a href=' &#1;javascript&colon;alert(1)'>",
            "<iframe src=x>",
            "<p style=x>",
            "<!DOCTYPE x>",
            "<!--[if IE]>-->",
            "<?import x>",
            "<scr\0ipt>",
            "<animate attributeName=href to=x>",
        ] {
            assert!(xss(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn markup_that_does_not() {
        for value in [
            "",
            "kettle",
            "2 < 3",
            "a=b",
            "<b>bold</b>",
            "<a href=\"https://example.com/\">",
            "online=1",
            "x<y && y>z",
            "<!-- note -->",
            "<p title='on'>",
            "dGVzdA==",
        ] {
            assert!(!xss(value.as_bytes()), "{value}");
        }
    }
}
