//! Which manifests bring along what a function's code imports, by where they lie.

use crate::{Ecosystem, Format};
use std::collections::BTreeMap;

/// A manifest or lockfile by its path, relative to the root of what is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manifest {
    /// The path.
    pub(crate) path: String,
    /// The format.
    pub(crate) format: Format,
}

/// All manifests of what is looked at, by the folders that they speak for.
#[derive(Debug)]
pub(crate) struct Inventory {
    manifests: Vec<Manifest>,
    by_home: BTreeMap<String, Vec<usize>>,
    superseded: Vec<bool>,
}

impl Inventory {
    pub(crate) fn new(manifests: Vec<Manifest>) -> Self {
        let mut by_home: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, manifest) in manifests.iter().enumerate() {
            by_home.entry(home(manifest).to_string()).or_default().push(at);
        }
        let mut inventory = Self { manifests, by_home, superseded: Vec::new() };
        inventory.superseded = inventory.manifests.iter().map(|own| supersedes(inventory.at(home(own)), own)).collect();
        inventory
    }

    /// All of them, in the order they were given.
    pub(crate) fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// Whether another file of the same folder says more exactly what this one says: a lockfile beside a manifest, or
    /// `npm-shrinkwrap.json` beside `package-lock.json`, before which npm takes it.
    pub(crate) fn is_superseded(&self, at: usize) -> bool {
        self.superseded.get(at).copied().unwrap_or(false)
    }

    /// Python packages that lie in a folder, or further below, as they were installed.
    pub(crate) fn installed(&self, folder: &str) -> Vec<usize> {
        let folder = clean(folder);
        let below = format!("{folder}/");
        let prefix = if folder.is_empty() { "" } else { below.as_str() };
        let further = self.by_home.range(prefix.to_string()..).take_while(|(home, _)| home.starts_with(prefix));
        let here = self.by_home.get(&folder).into_iter().filter(|_| !folder.is_empty());
        let all = here.chain(further.map(|(_, places)| places)).flatten().copied();
        all.filter(|at| self.manifests.get(*at).is_some_and(|one| one.format == Format::InstalledPython)).collect()
    }

    /// Those that speak for a folder, with their places.
    fn at(&self, home: &str) -> impl Iterator<Item = (usize, &Manifest)> {
        let places = self.by_home.get(home).into_iter().flatten();
        places.filter_map(|at| Some((*at, self.manifests.get(*at)?)))
    }
}

/// A path without empty parts and those that stay where they are.
fn clean(path: &str) -> String {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}

/// The manifests that count for one folder of code, as places in the list that was asked about.
pub(crate) type Governing = Vec<usize>;

/// The folder of a path; empty for the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder whose code a manifest speaks for; Gradle keeps its catalog in a folder of its own.
fn home(manifest: &Manifest) -> &str {
    match (manifest.format, folder(&manifest.path)) {
        (Format::InstalledPython, own) => folder(own),
        (Format::GradleCatalog, "gradle") => "",
        (Format::GradleCatalog, own) => own.strip_suffix("/gradle").unwrap_or(own),
        (_, own) => own,
    }
}

/// Whether one of the same folder says more exactly what a manifest says.
fn supersedes<'m>(mut beside: impl Iterator<Item = (usize, &'m Manifest)>, own: &Manifest) -> bool {
    beside.any(|(_, other)| {
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
        other.path != own.path && locks
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
    inventory: &Inventory,
    ecosystem: Ecosystem,
    innermost: &str,
    code_root: &str,
    outermost: &str,
) -> Governing {
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
        let found: Governing = inventory
            .at(&here)
            .filter(|(at, manifest)| {
                let development =
                    manifest.format == Format::Requirements && !manifest.path.ends_with("requirements.txt");
                !development
                    // Each speaks for itself alone, wherever in the code it lies.
                    && manifest.format != Format::InstalledPython
                    && manifest.format.ecosystem() == ecosystem
                    && (in_code || EXPORTED.contains(&manifest.format))
                    && !inventory.is_superseded(*at)
            })
            .map(|(at, _)| at)
            .collect();
        if !found.is_empty() {
            return found;
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

    fn manifests(paths: &[&str]) -> Inventory {
        let manifest = |path: &&str| Manifest { path: (*path).to_string(), format: Format::of(path).unwrap() };
        Inventory::new(paths.iter().map(manifest).collect())
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
        assert!(all.is_superseded(1) && !all.is_superseded(0));
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

    #[test]
    fn installed_packages_are_those_in_the_folder_and_below_and_not_beside_it() {
        let all = manifests(&[
            "app-two/flask-1.0.dist-info/METADATA",
            "app/flask-1.0.dist-info/METADATA",
            "app/lib/requests-2.0.dist-info/METADATA",
            "app/requirements.txt",
        ]);
        assert_eq!(all.installed("./app/"), [1, 2]);
        assert_eq!(all.installed("app/lib"), [2]);
        assert!(all.installed("ap").is_empty());
        let mut everywhere = all.installed(".");
        everywhere.sort_unstable();
        assert_eq!(everywhere, [0, 1, 2]);
    }
}
