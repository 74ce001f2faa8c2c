//! Spellings a reader takes for the same thing.
//!
//! A database skips comments, a shell drops quotes and backslashes inside a word, a browser skips control characters in
//! a scheme, and fonts draw full-width letters that some libraries turn into ASCII. Each form is one linear pass, made
//! only where its characters occur, and meets only the families whose readers would do the same.

use crate::prefilter::Classes;
use crate::rules::Family;

/// A text as some reader would see it.
pub(crate) struct Form {
    pub(crate) text: String,
    pub(crate) families: u32,
}

/// The other spellings of `text`; none for almost every honest text.
pub(crate) fn forms(text: &str, classes: Classes) -> impl Iterator<Item = Form> {
    let query = Family::Sql.bit();
    let command = Family::Shell.bit() | Family::Path.bit();
    let folded = (classes.wide() || classes.control()).then(|| fold(text)).flatten();
    let spaced = classes.star().then(|| without_comments(text, " ")).flatten();
    let joined = spaced.is_some().then(|| without_comments(text, "")).flatten();
    let lines = (classes.control()).then(|| without_line_comments(text)).flatten();
    let unquoted = classes.shell_quoting().then(|| unquoted(text)).flatten();
    let broken = classes.backslash().then(|| written_breaks(text)).flatten();
    let dashed = (classes.wide()).then(|| long_dashes(text)).flatten();
    let squeezed = classes.control().then(|| squeezed(text)).flatten();
    [
        (folded, u32::MAX),
        (spaced, query | Family::Path.bit()),
        (joined, query),
        (lines, query),
        (unquoted, command),
        (squeezed, Family::Xss.bit()),
        (broken, command | Family::LogForging.bit()),
        (dashed, query),
    ]
    .into_iter()
    .filter_map(|(text, families)| text.map(|text| Form { text, families }))
}

/// Full-width letters, look-alike punctuation and digits become ASCII; invisible characters go.
fn fold(text: &str) -> Option<String> {
    let mut changed = false;
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let folded = match character {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0),
            '\u{3000}' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{2028}' | '\u{2029}' | '\u{85}' => {
                Some(' ')
            }
            '\u{2024}' | '\u{3002}' | '\u{fe52}' | '\u{ff61}' => Some('.'),
            '\u{2215}' | '\u{2044}' | '\u{29f8}' => Some('/'),
            '\u{fe68}' | '\u{29f5}' | '\u{2216}' => Some('\\'),
            '\u{2bc}' | '\u{2b9}' | '\u{2032}' | '\u{2018}' | '\u{2019}' => Some('\''),
            '\u{201c}' | '\u{201d}' | '\u{2033}' => Some('"'),
            '\u{fe64}' | '\u{2039}' | '\u{3008}' => Some('<'),
            '\u{fe65}' | '\u{203a}' | '\u{3009}' => Some('>'),
            '\u{37e}' => Some(';'),
            '\u{2460}'..='\u{2468}' => char::from_u32(character as u32 - 0x2460 + u32::from(b'1')),
            '\u{2469}'..='\u{2473}' => {
                let number = character as u32 - 0x2460 + 1;
                out.extend(char::from_digit(number / 10, 10));
                char::from_digit(number % 10, 10)
            }
            '\u{24ea}' => Some('0'),
            '\u{24b6}'..='\u{24cf}' => char::from_u32(character as u32 - 0x24b6 + u32::from(b'A')),
            '\u{24d0}'..='\u{24e9}' => char::from_u32(character as u32 - 0x24d0 + u32::from(b'a')),
            '\u{1d400}'..='\u{1d6a3}' => {
                let letter = (character as u32 - 0x1d400) % 52;
                char::from_u32(if letter < 26 { letter + u32::from(b'A') } else { letter - 26 + u32::from(b'a') })
            }
            '\u{1d7ce}'..='\u{1d7ff}' => char::from_u32((character as u32 - 0x1d7ce) % 10 + u32::from(b'0')),
            '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{180e}' => None,
            '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' => None,
            _ => {
                out.push(character);
                continue;
            }
        };
        changed = true;
        out.extend(folded);
    }
    changed.then_some(out)
}

/// `UN/**/ION` and `/*!50000SELECT*/`, as a database reads them, each comment replaced by `by`.
fn without_comments(text: &str, by: &str) -> Option<String> {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    while let Some(start) = rest.find("/*") {
        let (before, comment) = rest.split_at(start);
        let body = comment.get(2..)?;
        let Some(end) = body.find("*/") else { break };
        out.push_str(before);
        let inner = body.get(..end)?;
        if let Some(conditional) = inner.strip_prefix('!') {
            out.push(' ');
            out.push_str(conditional.trim_start_matches(|digit: char| digit.is_ascii_digit()));
            out.push(' ');
        } else {
            out.push_str(by);
        }
        changed = true;
        rest = body.get(end + 2..)?;
    }
    out.push_str(rest);
    changed.then_some(out)
}

/// A comment up to the end of its line counts as a space for a database: `UNION--x\nSELECT`.
fn without_line_comments(text: &str) -> Option<String> {
    let mut changed = false;
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let at = if line.ends_with('\n') { line.find("--").or_else(|| line.find('#')) } else { None };
        match at {
            Some(at) => {
                changed = true;
                out.push_str(line.get(..at).unwrap_or_default());
                out.push(' ');
            }
            None => out.push_str(line),
        }
    }
    changed.then_some(out)
}

/// What a shell makes of a word: `c'a't`, `c\at`, `c$@at`, `{cat,/etc/passwd}`, `cat$IFS$9/etc`.
fn unquoted(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    // Without anything that starts a command or a path there is nothing to unquote for.
    if !bytes.iter().any(|byte| matches!(byte, b';' | b'|' | b'&' | b'`' | b'$' | b'\n' | b'/' | b'{')) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let rest = text.get(at..).unwrap_or_default();
        let skipped = match character {
            '\'' | '"' => 1,
            '\\' if rest.len() > 1 && !rest.starts_with("\\n") => 1,
            '^' => 1,
            '$' => expansion(rest),
            _ => 0,
        };
        if skipped == 0 {
            out.push(character);
            continue;
        }
        changed = true;
        let piece = rest.get(..skipped).unwrap_or_default();
        if piece.to_ascii_lowercase().contains("ifs") {
            out.push(' ');
        }
        while characters.peek().is_some_and(|(next, _)| *next < at + skipped) {
            characters.next();
        }
    }
    let braces = brace_words(&out);
    match braces {
        Some(words) => Some(words),
        None => changed.then_some(out),
    }
}

/// The length of an expansion that is empty or a space at the start of `rest`: `$@`, `$*`, `$1`, `$IFS`, `${IFS%??}`, `${x}`.
fn expansion(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    match bytes.get(1) {
        Some(b'@' | b'*' | b'0'..=b'9' | b'!') => 2,
        Some(b'(') if rest.starts_with("$()") => 3,
        Some(b'I') if rest.starts_with("$IFS") => 4,
        // A variable of one letter is most likely not set.
        Some(letter)
            if letter.is_ascii_lowercase()
                && bytes.get(2).is_none_or(|next| matches!(next, b'+' | b'/' | b' ' | b';' | b'|' | b'&')) =>
        {
            2
        }
        Some(b'{') => match bytes.iter().take(48).position(|byte| *byte == b'}') {
            Some(end)
                if !bytes.iter().take(end).any(|byte| matches!(byte, b':' | b'.' | b'(' | b' ' | b'*' | b'/')) =>
            {
                end + 1
            }
            Some(end) if rest.starts_with("${IFS") => end + 1,
            _ => 0,
        },
        _ => 0,
    }
}

/// `{cat,/etc/passwd}` as the words it expands to.
fn brace_words(text: &str) -> Option<String> {
    let open = text.find('{')?;
    let inside = text.get(open + 1..)?;
    let close = inside.bytes().take(256).position(|byte| byte == b'}')?;
    let words = inside.get(..close)?;
    if !words.contains(',') || words.contains(|c: char| c.is_whitespace() || c == ':') {
        return None;
    }
    let before = text.get(..open)?;
    let after = inside.get(close + 1..)?;
    Some(format!("{before}{}{after}", words.replace(',', " ")))
}

/// Line breaks that are written out, `\n` and `\r`, where something expands them; not those of `C:\new`.
fn written_breaks(text: &str) -> Option<String> {
    if text.contains(":\\") || !(text.contains("\\n") || text.contains("\\r")) {
        return None;
    }
    Some(text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\r", "\n"))
}

/// A long dash at the end, which word processors make of a comment's two: `1 OR 1=1–`.
fn long_dashes(text: &str) -> Option<String> {
    let end = text.trim_end().strip_suffix(['\u{2013}', '\u{2014}'])?;
    let folded = fold(end);
    Some(folded.unwrap_or_else(|| end.to_owned()) + "-- ")
}

/// Without the control characters a browser skips in `java\tscript:`.
fn squeezed(text: &str) -> Option<String> {
    if !text.contains(':') || !text.bytes().any(|byte| byte < b' ') {
        return None;
    }
    Some(text.chars().filter(|character| !character.is_control()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_through_disguises() {
        assert_eq!(fold("ｓｃｒ\u{200b}ipt\u{a0}①").as_deref(), Some("script 1"));
        assert_eq!(fold("⑯⑨。②⑤④｡ⓐⒷ𝐜𝓓").as_deref(), Some("169.254.aBcD"));
        assert_eq!(fold("Straße, 東京"), None);
        assert_eq!(without_comments("UN/**/ION/*!50000 SELECT*/", "").as_deref(), Some("UNION  SELECT "));
        assert_eq!(without_comments("text/html, */*", ""), None);
        assert_eq!(without_line_comments("UNION--x\nSELECT#\n1").as_deref(), Some("UNION SELECT 1"));
        assert_eq!(unquoted("; c'a't /e\\tc/pass$@wd").as_deref(), Some("; cat /etc/passwd"));
        assert_eq!(unquoted(";cat${IFS%??}/etc/passwd").as_deref(), Some(";cat /etc/passwd"));
        assert_eq!(unquoted(";{cat,/etc/passwd}").as_deref(), Some(";cat /etc/passwd"));
        assert_eq!(unquoted("O'Brien"), None);
    }
}
