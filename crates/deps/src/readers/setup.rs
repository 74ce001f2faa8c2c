//! `setup.cfg` and `setup.py`: what a Python package asks for, as far as it stands there in plain words.
//!
//! `setup.py` is a program and isn't run: only a list of literals behind `install_requires=` is read.

use super::requirement::Requirement;
use super::{Input, asked};
use crate::{Ecosystem, Package};
use source::Span;

/// `setup.cfg`.
pub(super) fn configuration(input: &mut Input<'_>) {
    let text = input.text;
    let (mut section, mut inside, mut offset) = (String::new(), false, 0);
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            section = trimmed.trim_matches(['[', ']']).to_string();
            inside = false;
        } else if line.starts_with([' ', '\t']) {
            if inside {
                requirement(input, trimmed, start + (line.len() - line.trim_start().len()));
            }
        } else {
            let (key, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
            inside = section == "options" && key.trim() == "install_requires";
            if inside && !value.trim().is_empty() {
                requirement(input, value.trim(), start + line.find(value.trim()).unwrap_or(0));
            }
        }
    }
}

/// `setup.py`.
pub(super) fn script(input: &mut Input<'_>) {
    let text = input.text;
    let Some(found) = text.find("install_requires") else { return };
    let after = found + "install_requires".len();
    let rest = text.get(after..).unwrap_or_default();
    let start = rest.trim_start().trim_start_matches('=').trim_start();
    if !start.starts_with(['[', '(']) {
        return input
            .note(Span::new(input.file, found, after), "what `install_requires` is can't be told without running it");
    }
    let mut at = after + (rest.len() - start.len()) + 1;
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b']' | b')' => return,
            b'#' => at += text.get(at..).and_then(|rest| rest.find('\n')).unwrap_or(text.len() - at),
            b'"' | b'\'' => {
                let Some(length) = text.get(at + 1..).and_then(|rest| rest.find(char::from(*byte))) else { return };
                let one = text.get(at + 1..at + 1 + length).unwrap_or_default();
                requirement(input, one, at + 1);
                at += length + 2;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

fn requirement(input: &mut Input<'_>, text: &str, start: usize) {
    let span = Span::new(input.file, start, start + text.len());
    let text = text.split(" #").next().unwrap_or(text);
    let Some(one) = Requirement::read(text) else {
        return input.warn(span, "isn't a requirement");
    };
    if one.never_deployed() || one.address.is_some() {
        return;
    }
    let (name, version) = (one.name.to_string(), asked(Ecosystem::PyPi, one.specifiers));
    let (ecosystem, direct, dev, requires) = (Ecosystem::PyPi, Some(true), false, Vec::new());
    input.push(Package { ecosystem, name, version, direct, dev, requires, span });
}

#[cfg(test)]
mod tests {
    use super::super::testing::lines;

    #[test]
    fn lists_of_literals() {
        let cfg = "[metadata]\nname = x\n[options]\npackages = find:\ninstall_requires =\n    requests==2.19.0\n    # no\n    flask>=1\nzip_safe = no\n[options.extras_require]\ntest = pytest\n";
        assert_eq!(lines(&[("setup.cfg", cfg)]), ["requests 2.19.0 direct :6", "flask [>=1] direct :8"]);
        let py = "setup(name='x',\n  install_requires=[\n    'requests==2.19.0',  # why ']'\n    \"flask\"],\n  tests_require=['pytest'])\n";
        assert_eq!(lines(&[("setup.py", py)]), ["requests 2.19.0 direct :3", "flask [] direct :4"]);
        assert!(lines(&[("setup.py", "setup(install_requires=read('x'))")]).is_empty());
    }
}
