//! Repairs of code and pages, only where honest input is treated as before.
//!
//! Deliberately absent: hashes (another one gives other values to whoever stored or compares the old ones).

use crate::{Edit, Input, Repair};
use findings::Finding;

type Made = Result<Repair, String>;

/// How far behind a finding's place its call is looked for, in bytes.
const MAX_CALL: usize = 2_000;

/// The text from the beginning of a finding's line on, with where that is.
fn around<'a>(input: &Input<'a>, finding: &Finding) -> Option<(&'a str, usize, &'a str)> {
    let (path, text) = input.file(finding.primary.span)?;
    let at = finding.primary.span.start as usize;
    let start = text.get(..at)?.rfind('\n').map_or(0, |found| found + 1);
    let end = (finding.primary.span.end as usize).max(at);
    let end = text.get(end..)?.find('\n').map_or(text.len(), |found| end + found);
    let end = end.min(start + MAX_CALL);
    Some((path, start, text.get(start..end)?))
}

/// `yaml.load` becomes `yaml.safe_load`: plain data reads the same, objects are refused.
pub(crate) fn deserialization(input: &Input<'_>, finding: &Finding) -> Made {
    const OTHER: &str = "another format has to be chosen on both sides, such as JSON";
    let (path, start, text) = around(input, finding).ok_or("its file isn't known")?;
    if !path.ends_with(".py") {
        return Err(OTHER.to_string());
    }
    for name in ["unsafe_load_all", "unsafe_load", "full_load_all", "full_load", "load_all", "load"] {
        let call = format!("yaml.{name}(");
        let Some(at) = text.find(&call) else { continue };
        let all = if name.ends_with("_all") { "_all" } else { "" };
        let open = start + at + call.len() - 1;
        let mut edits = vec![Edit::new(path, start + at, open, format!("yaml.safe_load{all}"))];
        let (_, whole) = input.file(finding.primary.span).ok_or("its file isn't known")?;
        let close = closing(whole, open).ok_or("its call isn't understood")?;
        let arguments = whole.get(open + 1..close).unwrap_or_default();
        if let Some((from, to)) = argument(arguments, "Loader") {
            edits.push(Edit::new(path, open + 1 + from, open + 1 + to, ""));
        } else if split(arguments).len() > 1 {
            return Err("its loader is passed by place: name it first".to_string());
        }
        return Ok(Repair::new("read YAML as data only", edits)
            .remark("documents that make Python objects (`!!python/…`) are refused now"));
    }
    Err(OTHER.to_string())
}

/// `verify=False` goes; `rejectUnauthorized: false` becomes `true`.
pub(crate) fn tls(input: &Input<'_>, finding: &Finding) -> Made {
    let (path, start, text) = around(input, finding).ok_or("its file isn't known")?;
    let remark = "a server with a certificate of its own making is refused now: give its authority's certificate (`verify=\"ca.pem\"`)";
    for (from, to) in [
        ("rejectUnauthorized: false", "rejectUnauthorized: true"),
        ("rejectUnauthorized:false", "rejectUnauthorized:true"),
    ] {
        if let Some(at) = text.find(from) {
            let edit = Edit::new(path, start + at, start + at + from.len(), to);
            return Ok(Repair::new("check the server's certificate", vec![edit]).remark(remark));
        }
    }
    let (_, whole) = input.file(finding.primary.span).ok_or("its file isn't known")?;
    // The call that the argument belongs to may begin lines above it.
    let at = text.find("verify=False").or_else(|| text.find("verify = False")).map(|at| start + at);
    let Some(at) = at else { return Err("how certificates are switched off here isn't a plain argument".to_string()) };
    let length = whole.get(at..).and_then(|rest| rest.find("False")).map_or(0, |found| found + "False".len());
    let before = whole.get(..at).unwrap_or_default();
    let after = whole.get(at + length..).unwrap_or_default();
    let lead = before.len() - before.trim_end().len();
    let (from, to) = if before.trim_end().ends_with(',') {
        (at - lead - 1, at + length)
    } else if let Some(rest) = after.trim_start().strip_prefix(',') {
        let gap = after.len() - after.trim_start().len() + 1 + (rest.len() - rest.trim_start().len());
        (at, at + length + gap)
    } else if before.trim_end().ends_with('(') {
        (at, at + length)
    } else {
        return Err("how certificates are switched off here isn't a plain argument".to_string());
    };
    Ok(Repair::new("check the server's certificate", vec![Edit::new(path, from, to, "")]).remark(remark))
}

/// Networks of files that answer over HTTPS under the same addresses.
const SECURE: [&str; 9] = [
    "cdnjs.cloudflare.com",
    "cdn.jsdelivr.net",
    "unpkg.com",
    "ajax.googleapis.com",
    "code.jquery.com",
    "maxcdn.bootstrapcdn.com",
    "stackpath.bootstrapcdn.com",
    "netdna.bootstrapcdn.com",
    "ajax.aspnetcdn.com",
];

/// `http://` becomes `https://` where the other side is known to speak it.
pub(crate) fn https(input: &Input<'_>, finding: &Finding) -> Made {
    let (path, text) = input.file(finding.primary.span).ok_or("its file isn't known")?;
    let start = finding.primary.span.start as usize;
    let written = text.get(finding.primary.span.range()).unwrap_or_default();
    let known = |at: usize| {
        let host = written.get(at + "http://".len()..).unwrap_or_default();
        SECURE.iter().any(|known| host.strip_prefix(known).is_some_and(|rest| rest.starts_with(['/', ':'])))
    };
    let at = written.match_indices("http://").map(|(at, _)| at).find(|at| known(*at));
    let at = at.ok_or("whether the other side speaks HTTPS isn't known here: try it")?;
    Ok(Repair::new("load it over HTTPS", vec![Edit::new(path, start + at, start + at + "http".len(), "https")]))
}

/// The parenthesis that closes the one at `open`; quotes are honoured.
fn closing(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    let mut escaped = false;
    for (at, letter) in text.get(open..)?.char_indices().take(MAX_CALL) {
        if let Some(end) = quote {
            if !escaped && letter == end {
                quote = None;
            }
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            '"' | '\'' => quote = Some(letter),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where each argument stands.
fn split(arguments: &str) -> Vec<(usize, usize)> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    for (at, letter) in arguments.char_indices() {
        match (quote, letter) {
            (Some(end), _) if letter == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    if !arguments.get(start..).unwrap_or_default().trim().is_empty() {
        parts.push((start, arguments.len()));
    }
    parts
}

/// Where a named argument stands, with the comma that goes with it.
fn argument(arguments: &str, name: &str) -> Option<(usize, usize)> {
    let parts = split(arguments);
    let at = parts.iter().position(|(start, end)| {
        let part = arguments.get(*start..*end).unwrap_or_default();
        part.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    })?;
    let (start, end) = *parts.get(at)?;
    Some(if at > 0 { (start - 1, end) } else { (start, (end + 1).min(arguments.len())) })
}
