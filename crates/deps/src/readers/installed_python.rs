//! `METADATA` and `PKG-INFO` of Python packages that lie in the source as they were installed: which versions they are, and
//! what they need.

use super::requirement::Requirement;
use super::{Input, locked};
use crate::{Ecosystem, Package};
use source::Span;

pub(super) fn read(input: &mut Input<'_>) {
    let (text, file) = (input.text, input.file);
    let (mut name, mut version, mut requires, mut offset) = (None, None, Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let line = line.trim_end();
        // Behind the headers comes the description.
        if line.is_empty() {
            break;
        }
        let Some((key, value)) = line.split_once(": ") else { continue };
        match key {
            "Name" => name = Some((value.trim().to_string(), Span::new(file, start, start + line.len()))),
            "Version" => version = Some((value.trim().to_string(), Span::new(file, start, start + line.len()))),
            "Requires-Dist" if !value.contains("extra ==") => {
                let need = Requirement::read(value).filter(|need| !need.never_deployed());
                requires.extend(need.map(|need| need.name.to_string()));
            }
            _ => {}
        }
    }
    let (Some((name, _)), Some((text, span))) = (name, version) else {
        let start = input.start();
        return input.warn(start, "neither name nor version of a package");
    };
    match locked(Ecosystem::PyPi, &text) {
        Some(version) => {
            let (ecosystem, direct, dev) = (Ecosystem::PyPi, None, false);
            input.push(Package { ecosystem, name, version, direct, dev, requires, span });
        }
        None => input.note(span, format!("`{name}` has no version of the index")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{lines, read_files};

    #[test]
    fn a_package_as_it_was_installed() {
        let text = "Metadata-Version: 2.1\nName: requests\nVersion: 2.19.0\nRequires-Dist: urllib3 (<1.24,>=1.21.1)\n\
                    Requires-Dist: PySocks ; extra == 'socks'\n\nName: not this\n";
        let files = [("src/requests-2.19.0.dist-info/METADATA", text)];
        assert_eq!(lines(&files), ["requests 2.19.0 ? :3"]);
        assert_eq!(read_files(&files).1.packages[0].requires, ["urllib3"]);
    }
}
