//! One requirement as PEP 508 writes it: `name[extras] >=1.0 ; marker`, or `name @ address`.

/// What a requirement says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirement<'a> {
    /// The package.
    pub(super) name: &'a str,
    /// The specifiers; empty for any version.
    pub(super) specifiers: &'a str,
    /// Where it comes from instead of the index.
    pub(super) address: Option<&'a str>,
    /// When it applies.
    pub(super) marker: Option<&'a str>,
}

impl<'a> Requirement<'a> {
    /// Reads one; none where the text doesn't start with a name.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let end = text.bytes().position(|byte| !is_name(byte)).unwrap_or(text.len());
        let (name, mut rest) = text.split_at_checked(end)?;
        if !name.bytes().next()?.is_ascii_alphanumeric() {
            return None;
        }
        rest = rest.trim_start();
        if let Some(extras) = rest.strip_prefix('[') {
            rest = extras.split_once(']')?.1.trim_start();
        }
        if let Some(address) = rest.strip_prefix('@') {
            // In an address a semicolon belongs to the marker only after white space.
            let (address, marker) = match address.split_once(" ;") {
                Some((address, marker)) => (address, Some(marker.trim())),
                None => (address, None),
            };
            return Some(Self { name, specifiers: "", address: Some(address.trim()), marker });
        }
        let (specifiers, marker) = match rest.split_once(';') {
            Some((specifiers, marker)) => (specifiers, Some(marker.trim())),
            None => (rest, None),
        };
        let specifiers = specifiers.trim().trim_start_matches('(').trim_end_matches(')').trim();
        // What follows a name is a comparison or nothing: `some words` is no requirement.
        let compares = specifiers.is_empty() || specifiers.starts_with(['=', '>', '<', '!', '~']);
        compares.then_some(Self { name, specifiers, address: None, marker })
    }

    /// Whether the marker rules out every place where functions run: another operating system, or Python 2.
    pub(super) fn never_deployed(&self) -> bool {
        self.marker.is_some_and(excluded)
    }
}

/// Judges plain conjunctions only; anything with `or` may hold.
pub(super) fn excluded(marker: &str) -> bool {
    let words: Vec<&str> = marker.split_whitespace().collect();
    if words.contains(&"or") {
        return false;
    }
    marker.split(" and ").any(|clause| {
        let clause: String = clause.chars().filter(|c| !matches!(c, '"' | '\'' | ' ' | '(' | ')')).collect();
        let Some(at) = clause.find(['=', '<', '>', '!', '~']) else { return false };
        let (variable, comparison) = clause.split_at(at);
        let value = comparison.trim_start_matches(['=', '<', '>', '!', '~']);
        let operator = comparison.get(..comparison.len() - value.len()).unwrap_or_default();
        match (variable, operator) {
            ("sys_platform" | "platform_system" | "os_name", "==") => {
                matches!(value.to_ascii_lowercase().as_str(), "win32" | "windows" | "nt" | "darwin" | "cygwin")
            }
            ("sys_platform" | "platform_system" | "os_name", "!=") => {
                matches!(value.to_ascii_lowercase().as_str(), "linux" | "posix")
            }
            ("python_version" | "python_full_version", "<" | "<=" | "==") => {
                value.starts_with('2') || value == "3" || value == "3.0"
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_extras_specifiers_and_markers() {
        let read = |text| Requirement::read(text).map(|one| (one.name, one.specifiers, one.address, one.marker));
        assert_eq!(read("requests"), Some(("requests", "", None, None)));
        assert_eq!(
            read(" requests[security, socks] >=2.8.1, ==2.8.* ; python_version < '2.7'"),
            Some(("requests", ">=2.8.1, ==2.8.*", None, Some("python_version < '2.7'")))
        );
        assert_eq!(
            read("pip @ git+x://y/z@1#egg=pip ; a"),
            Some(("pip", "", Some("git+x://y/z@1#egg=pip"), Some("a")))
        );
        assert_eq!(read("a (>=1.0)"), Some(("a", ">=1.0", None, None)));
        for nonsense in ["", "==1.0", "-e .", "two words", "./local", "a[b"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn markers_of_other_systems_are_left_out() {
        for marker in [
            "sys_platform == 'win32'",
            "python_version >= '3.8' and platform_system=='Windows'",
            "python_version < \"3\"",
            "sys_platform != \"linux\"",
        ] {
            assert!(excluded(marker), "{marker}");
        }
        for marker in [
            "sys_platform == 'linux'",
            "python_version < '3.11'",
            "sys_platform == 'win32' or python_version > '3'",
            "extra == 'test'",
            "",
            "and and",
        ] {
            assert!(!excluded(marker), "{marker}");
        }
    }
}
