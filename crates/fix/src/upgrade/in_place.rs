//! Manifests that say by themselves which version is taken: the version is changed where it is written.

use super::{Job, Upgrades, lifted, major};
use crate::edit::{Edit, apply};
use deps::{Ecosystem, Format, Version};

/// Whether a format is changed in place.
pub(super) fn edits(format: Format) -> bool {
    matches!(
        format,
        Format::Requirements
            | Format::PyProject
            | Format::Pipfile
            | Format::SetupCfg
            | Format::SetupPy
            | Format::GoMod
            | Format::Pom
            | Format::GradleScript
            | Format::GradleCatalog
            | Format::NuGetProject
            | Format::CargoManifest
    )
}

/// Changes the versions of the packages at `own`.
pub(super) fn lift(job: &Job<'_>, own: &[usize], out: &mut Upgrades) {
    let mut planned: Vec<(usize, Edit)> = Vec::new();
    for at in own {
        match edit(job, *at) {
            Ok(edit) => planned.push((*at, edit)),
            Err(why) => out.left.push((*at, why)),
        }
    }
    let edits: Vec<Edit> = planned.iter().map(|(_, edit)| edit.clone()).collect();
    let (texts, left_out) = apply(&edits, &|path| (job.load)(path));
    for (number, (at, edit)) in planned.iter().enumerate() {
        if left_out.contains(&number) {
            out.left.push((*at, "another change is in its place".to_string()));
            continue;
        }
        lifted(job, *at, None, out);
        let remark = match job.package(*at).map(|package| package.ecosystem) {
            Some(Ecosystem::Go) => Some(format!("run `go mod tidy` beside `{}`, so that `go.sum` follows", edit.path)),
            _ => None,
        };
        out.remarks.extend(remark);
    }
    out.files.extend(texts);
}

fn edit(job: &Job<'_>, at: usize) -> Result<Edit, String> {
    const NOT_HERE: &str = "its version isn't written where it is asked for";
    let (package, target) = job.package(at).zip(job.targets.get(&at)).ok_or(NOT_HERE)?;
    let file = job.sources.get(package.span.file).ok_or(NOT_HERE)?;
    let (path, text) = (file.path(), file.text());
    let (start, end) = (package.span.start as usize, package.span.end as usize);
    let written = text.get(start..end).ok_or(NOT_HERE)?;
    // A requirement's hashes may stand on the lines that continue it.
    let mut logical = end;
    while text.get(..logical).is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with('\\'))
        || logical == end
    {
        let Some(next) = text.get(logical..).and_then(|rest| rest.find('\n')) else {
            logical = text.len();
            break;
        };
        let line = text.get(logical..logical + next).unwrap_or_default();
        logical += next + 1;
        if !line.trim_end().ends_with('\\') {
            break;
        }
    }
    if package.ecosystem == Ecosystem::PyPi && text.get(start..logical).is_some_and(|all| all.contains("--hash")) {
        return Err("its hashes have to be made anew: upgrade it with the tool that wrote them (`pip-compile`, `uv pip compile`)".to_string());
    }
    let target = match (package.ecosystem, package.version.text().starts_with('v')) {
        (Ecosystem::Go, true) => format!("v{}", target.trim_start_matches('v')),
        (Ecosystem::Go, false) if package.version.text().starts_with("go") => {
            format!("go{}", target.trim_start_matches("go"))
        }
        _ => target.clone(),
    };
    match &package.version {
        Version::Exact(current) => {
            if let Some(found) = whole_word(written, current) {
                return Ok(Edit::new(path, start + found, start + found + current.len(), target));
            }
            by_property(path, text, written, current, &target).ok_or_else(|| NOT_HERE.to_string())
        }
        Version::Range(current) => {
            let (found, length, new) = range(package.ecosystem, written, current, &target).ok_or(NOT_HERE)?;
            Ok(Edit::new(path, start + found, start + found + length, new))
        }
    }
}

/// The last place of a version that isn't part of a longer one.
fn whole_word(text: &str, version: &str) -> Option<usize> {
    let part = |letter: Option<char>| letter.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    let found = text.match_indices(version).filter(|(at, _)| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + version.len()..).and_then(|after| after.chars().next());
        !part(before) && !part(after)
    });
    found.map(|(at, _)| at).last()
}

/// A version behind a name: `${x}`, `$(X)`, `$x`, or a catalog's `version.ref`, declared in the same file.
fn by_property(path: &str, text: &str, written: &str, current: &str, target: &str) -> Option<Edit> {
    let name = ["${", "$(", "$", "version.ref"].iter().find_map(|open| {
        let (_, rest) = written.split_once(open)?;
        let rest = rest.trim_start_matches([' ', '=', '"', '\'']);
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))).unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty())
    })?;
    let shapes = [
        format!("<{name}>{current}</{name}>"),
        format!("{name} = \"{current}\""),
        format!("{name} = '{current}'"),
        format!("{name}=\"{current}\""),
        format!("{name}='{current}'"),
    ];
    let short = name.rsplit('.').next().unwrap_or(name);
    let short_shapes = [format!("{short} = \"{current}\""), format!("{short} = '{current}'")];
    shapes.iter().chain(&short_shapes).find_map(|shape| {
        let mut places = text.match_indices(shape.as_str());
        let (at, _) = places.next()?;
        // Declared twice, it isn't known which counts.
        if places.next().is_some() {
            return None;
        }
        let at = at + shape.find(current)?;
        Some(Edit::new(path, at, at + current.len(), target))
    })
}

/// Where a range stands, how long it is, and what it becomes: at least the target, and no further than its major version.
fn range(ecosystem: Ecosystem, written: &str, current: &str, target: &str) -> Option<(usize, usize, String)> {
    let next = || major(target).parse::<u64>().ok().map(|number| number + 1);
    let literal = written.rfind(current).filter(|_| !current.is_empty());
    match ecosystem {
        Ecosystem::PyPi => {
            // Poetry's `^1.2`, which isn't literally the range it was read as.
            let quoted = written.char_indices().find(|(_, c)| matches!(c, '^' | '~')).map(|(at, _)| at);
            match (literal, quoted) {
                (Some(at), _) => Some((at, current.len(), format!(">={target},<{}", next()?))),
                (None, Some(at)) => {
                    let rest = written.get(at..)?;
                    let end = rest.find(['"', '\'']).unwrap_or(rest.len());
                    Some((at, end, format!("{}{target}", rest.chars().next()?)))
                }
                (None, None) => None,
            }
        }
        Ecosystem::CratesIo => {
            let operator: String = current.chars().take_while(|c| matches!(c, '^' | '~' | '=')).collect();
            Some((literal?, current.len(), format!("{operator}{target}")))
        }
        Ecosystem::Maven | Ecosystem::NuGet => Some((literal?, current.len(), format!("[{target},{})", next()?))),
        Ecosystem::Npm | Ecosystem::Go => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_whole() {
        assert_eq!(whole_word("a==1.2", "1.2"), Some(3));
        assert_eq!(whole_word("a==1.2.1", "1.2"), None);
        assert_eq!(whole_word("lib1.2==1.2", "1.2"), Some(8));
        let text = "<x><j.version>2.9.8</j.version></x> ${j.version}";
        let edit = by_property("pom.xml", text, "${j.version}", "2.9.8", "2.9.9").unwrap();
        assert_eq!(&text[edit.start..edit.end], "2.9.8");
        assert!(by_property("pom.xml", "no", "${j.version}", "2.9.8", "2.9.9").is_none());
    }

    #[test]
    fn ranges_keep_their_kind() {
        assert_eq!(
            range(Ecosystem::PyPi, "requests>=2,<2.19", ">=2,<2.19", "2.20.0"),
            Some((8, 9, ">=2.20.0,<3".to_string()))
        );
        assert_eq!(
            range(Ecosystem::PyPi, "requests = \"^2.18\"", ">=2.18,<3", "2.20.0"),
            Some((12, 5, "^2.20.0".to_string()))
        );
        assert_eq!(range(Ecosystem::CratesIo, "time = \"0.1\"", "0.1", "0.2.23"), Some((8, 3, "0.2.23".to_string())));
    }
}
