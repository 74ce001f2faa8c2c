//! Which manifests bring along what a function's code imports, by where they lie.

use crate::{Ecosystem, Format};
use std::collections::BTreeSet;

/// A manifest or lockfile by its path, relative to the root of what is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manifest {
    /// The path.
    pub(crate) path: String,
    /// The format.
    pub(crate) format: Format,
}

/// The manifests that count for one folder of code, as places in the list that was asked about.
pub(crate) type Governing = Vec<usize>;

/// The folder of a path; empty for the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder whose code a manifest speaks for; Gradle keeps its catalog in a folder of its own.
pub(crate) fn home(manifest: &Manifest) -> &str {
    match (manifest.format, folder(&manifest.path)) {
        (Format::InstalledPython, own) => folder(own),
        (Format::GradleCatalog, "gradle") => "",
        (Format::GradleCatalog, own) => own.strip_suffix("/gradle").unwrap_or(own),
        (_, own) => own,
    }
}

/// Whether another file of the same folder says more exactly what this one says: a lockfile beside a manifest, or
/// `npm-shrinkwrap.json` beside `package-lock.json`, before which npm takes it.
pub(crate) fn is_superseded(manifests: &[Manifest], at: usize) -> bool {
    let Some(own) = manifests.get(at) else { return false };
    manifests.iter().any(|other| {
        let same_folder = home(other) == home(own) && other.path != own.path;
        let locks = match own.format {
            Format::PackageJson => other.format.is_lock() && other.format.ecosystem() == Ecosystem::Npm,
            _ if other.format == Format::InstalledPython => false,
            Format::PyProject => matches!(other.format, Format::PoetryLock | Format::UvLock),
            Format::Pipfile => other.format == Format::PipfileLock,
            Format::GradleScript | Format::GradleCatalog => other.format == Format::GradleLock,
            // A folder may hold several projects, but a lockfile of only one.
            Format::NuGetProject => other.format == Format::NuGetLock,
            Format::CargoManifest => other.format == Format::CargoLock,
            Format::PackageLock => {
                own.path.ends_with("package-lock.json") && other.path.ends_with("npm-shrinkwrap.json")
            }
            _ => false,
        };
        same_folder && locks
    })
}

/// What requirements are exported from when code is packed.
const EXPORTED: [Format; 4] = [Format::PipfileLock, Format::PoetryLock, Format::UvLock, Format::PyProject];
/// Folders that build tools write to: what was installed for them is told one folder further up.
const BUILT: [&str; 6] = ["dist", "build", "out", ".build", "bundle", ".esbuild"];

/// Folders that the build tools of compiled languages write to.
const COMPILED: [&str; 6] = ["target", "build", "bin", "publish", "obj", "distributions"];

/// The manifests that count for code: those of the nearest folder that has any, from `innermost` (where the handler lies)
/// up to `outermost` (where the template lies). Only what lies in `code_root` is packed with the code, so of manifests above
/// it only the lockfiles of Poetry, uv and Pipenv count, which people export from when they build.
pub(crate) fn governing(
    manifests: &[Manifest],
    ecosystem: Ecosystem,
    innermost: &str,
    code_root: &str,
    outermost: &str,
) -> Governing {
    let clean = |path: &str| path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
    // What is compiled is built from wherever its project lies, and the code that is packed may be a file of the build.
    let compiled = !matches!(ecosystem, Ecosystem::Npm | Ecosystem::PyPi);
    let (mut here, code_root, mut outermost) = (clean(innermost), clean(code_root), clean(outermost));
    let within = |path: &str, above: &str| {
        above.is_empty() || path == above || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
    };
    let packed = match code_root.rsplit('/').next() {
        Some(last) if BUILT.contains(&last) => folder(&code_root),
        _ => code_root.as_str(),
    };
    if compiled && here.split('/').any(|part| COMPILED.contains(&part)) {
        outermost = String::new();
    }
    loop {
        let in_code = compiled || within(&here, packed);
        let found: BTreeSet<usize> = manifests
            .iter()
            .enumerate()
            .filter(|(at, manifest)| {
                let beside = home(manifest) == here;
                let development =
                    manifest.format == Format::Requirements && !manifest.path.ends_with("requirements.txt");
                beside
                    && !development
                    // Each speaks for itself alone, wherever in the code it lies.
                    && manifest.format != Format::InstalledPython
                    && manifest.format.ecosystem() == ecosystem
                    && (in_code || EXPORTED.contains(&manifest.format))
                    && !is_superseded(manifests, *at)
            })
            .map(|(at, _)| at)
            .collect();
        if !found.is_empty() {
            return found.into_iter().collect();
        }
        if here.is_empty() || here == outermost || !within(&here, &outermost) {
            return Vec::new();
        }
        here = folder(&here).to_string();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifests(paths: &[&str]) -> Vec<Manifest> {
        let manifest = |path: &&str| Manifest { path: (*path).to_string(), format: Format::of(path).unwrap() };
        paths.iter().map(manifest).collect()
    }

    #[test]
    fn the_nearest_folder_counts_and_a_lockfile_before_its_manifest() {
        let all =
            manifests(&["package.json", "src/a/package.json", "src/a/package-lock.json", "src/a/requirements.txt"]);
        assert_eq!(governing(&all, Ecosystem::Npm, "src/a/lib", "src/a", ""), [2]);
        assert!(governing(&all, Ecosystem::Npm, "src/b", "src/b/", "").is_empty());
        assert_eq!(governing(&all, Ecosystem::Npm, "src/b", ".", ""), [0]);
        assert_eq!(governing(&all, Ecosystem::Npm, "src/a/dist", "src/a/dist", ""), [2]);
        assert_eq!(governing(&all, Ecosystem::PyPi, "./src/a", "src/a", ""), [3]);
        assert!(is_superseded(&all, 1) && !is_superseded(&all, 0));
    }

    #[test]
    fn what_lies_above_the_code_or_the_template_is_not_packed() {
        let all = manifests(&[
            "requirements.txt",
            "app/poetry.lock",
            "app/pyproject.toml",
            "app/src/requirements-dev.txt",
            "package.json",
        ]);
        assert!(governing(&all, Ecosystem::PyPi, "other/src", "other/src", "other").is_empty());
        assert_eq!(governing(&all, Ecosystem::PyPi, "app/src", "app/src", "app"), [1]);
        assert!(governing(&all, Ecosystem::Npm, "app/src", "app/src", "app").is_empty());
        assert!(governing(&all, Ecosystem::PyPi, "other", "other", "").is_empty());
    }

    #[test]
    fn compiled_code_is_built_from_the_project_around_it() {
        let all =
            manifests(&["api/pom.xml", "hello/go.mod", "app/build.gradle", "app/gradle.lockfile", "fn/fn.csproj"]);
        assert_eq!(governing(&all, Ecosystem::Maven, "api/target/api.jar", "api/target/api.jar", "deploy"), [0]);
        assert_eq!(governing(&all, Ecosystem::Go, "hello/cmd/put", "hello/cmd/put", ""), [1]);
        assert_eq!(governing(&all, Ecosystem::Maven, "app", "app", ""), [3]);
        assert_eq!(governing(&all, Ecosystem::NuGet, "fn", "fn", ""), [4]);
    }

    #[test]
    fn a_shrinkwrap_goes_before_a_lockfile() {
        let all = manifests(&["a/npm-shrinkwrap.json", "a/package-lock.json", "a/package.json"]);
        assert_eq!(governing(&all, Ecosystem::Npm, "a", "a", ""), [0]);
    }
}
