//! Upgrades of packages: the smallest version without known weaknesses, in the manifest and in the lockfile.
//!
//! Lockfiles are made by the ecosystem's own tool, in a folder apart, and read back: what is claimed to be mended is what the
//! new files say. Where the tool isn't installed, the manifest is changed and the command to run is named.

mod in_place;
mod npm;

use crate::tools::{Scratch, Tools};
use deps::{Certainty, Format, Index, Package, Survey};
use source::{SourceFile, Sources};
use std::collections::{BTreeMap, BTreeSet};

/// Reads a file, relative to the root; none where it isn't there.
pub type Load<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A package that is lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifted {
    /// Its place in the survey.
    pub package: usize,
    /// Its name.
    pub name: String,
    /// The version or range before.
    pub from: String,
    /// The version that it becomes at least.
    pub to: String,
    /// How, where that isn't by naming another version: through what asks for it, or past it.
    pub how: Option<String>,
}

/// What upgrading comes to.
#[derive(Debug, Clone, Default)]
pub struct Upgrades {
    /// Files with their text afterwards.
    pub files: BTreeMap<String, String>,
    /// The packages that are lifted.
    pub lifted: Vec<Lifted>,
    /// Packages that stay as they are, with why: place in the survey, one sentence.
    pub left: Vec<(usize, String)>,
    /// What is left to do by hand.
    pub remarks: Vec<String>,
}

/// What every kind of manifest works on.
struct Job<'a> {
    survey: &'a Survey,
    index: &'a Index,
    sources: &'a Sources,
    load: Load<'a>,
    tools: &'a dyn Tools,
    /// Package to the version it should get at least.
    targets: BTreeMap<usize, String>,
}

impl Job<'_> {
    fn package(&self, at: usize) -> Option<&Package> {
        self.survey.packages.get(at)
    }
}

/// Lifts the packages at `wanted` (places in the survey) that a mend is known for.
pub fn upgrades(
    survey: &Survey,
    matching: &deps::Matching,
    index: &Index,
    sources: &Sources,
    wanted: &BTreeSet<usize>,
    load: Load<'_>,
    tools: &dyn Tools,
) -> Upgrades {
    let mut out = Upgrades::default();
    let mut targets = BTreeMap::new();
    for at in wanted {
        match matching.upgrade(*at) {
            Some(version) => {
                targets.insert(*at, version.to_string());
            }
            None => out.left.push((*at, "no version is known that mends it".to_string())),
        }
    }
    let job = Job { survey, index, sources, load, tools, targets };
    for manifest in &survey.manifests {
        let own: Vec<usize> = job.targets.keys().copied().filter(|at| manifest.packages.contains(at)).collect();
        if own.is_empty() {
            continue;
        }
        match manifest.format {
            Format::PackageJson | Format::PackageLock => npm::lift(&job, manifest, &own, &mut out),
            format if in_place::edits(format) => in_place::lift(&job, &own, &mut out),
            format => locked(&job, manifest, format, &own, &mut out),
        }
    }
    out.lifted.sort_by_key(|one| one.package);
    out.left.sort();
    out.remarks.dedup();
    out
}

/// A tool that writes a lockfile.
struct Locker {
    program: &'static str,
    /// The files it needs beside the lockfile.
    manifests: &'static [&'static str],
    /// Arguments; `{name}` and `{version}` stand for the package's.
    arguments: &'static [&'static str],
}

fn locker(format: Format) -> Option<Locker> {
    Some(match format {
        Format::UvLock => Locker {
            program: "uv",
            manifests: &["pyproject.toml"],
            arguments: &["lock", "--upgrade-package", "{name}=={version}"],
        },
        Format::PoetryLock => {
            Locker { program: "poetry", manifests: &["pyproject.toml"], arguments: &["update", "--lock", "{name}"] }
        }
        Format::CargoLock => Locker {
            program: "cargo",
            manifests: &["Cargo.toml"],
            arguments: &["update", "--package", "{name}", "--precise", "{version}"],
        },
        _ => return None,
    })
}

/// The command that people run where it isn't run for them.
fn by_hand(format: Format, package: &Package, version: &str) -> String {
    let name = &package.name;
    match format {
        Format::YarnLock => format!("yarn up {name}@^{version}"),
        Format::PnpmLock => format!("pnpm update {name}@{version}"),
        Format::BunLock => format!("bun update {name}@{version}"),
        Format::PipfileLock => format!("pipenv upgrade '{name}=={version}'"),
        Format::GradleLock => format!("gradle dependencies --update-locks {name}:{version}"),
        Format::NuGetLock => format!("dotnet add package {name} --version {version}"),
        Format::InstalledPython => format!("pip install --upgrade --target . '{name}=={version}'"),
        Format::UvLock => format!("uv lock --upgrade-package '{name}=={version}'"),
        Format::PoetryLock => format!("poetry update --lock {name}"),
        Format::CargoLock => format!("cargo update --package {name} --precise {version}"),
        _ => format!("upgrade {name} to {version}"),
    }
}

/// A lockfile through its tool.
fn locked(job: &Job<'_>, manifest: &deps::Read, format: Format, own: &[usize], out: &mut Upgrades) {
    let folder = manifest.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let name = manifest.path.rsplit('/').next().unwrap_or(&manifest.path);
    // The folder that holds it was installed with it.
    let folder = match format {
        Format::InstalledPython => folder.rsplit_once('/').map_or("", |(outer, _)| outer),
        _ => folder,
    };
    let path_of = |name: &str| if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
    let tool = locker(format).filter(|tool| job.tools.has(tool.program));
    let result = tool.ok_or_else(String::new).and_then(|tool| {
        let scratch = Scratch::new()?;
        let lock = (job.load)(&manifest.path).ok_or("its lockfile can't be read")?;
        scratch.write(name, &lock)?;
        for one in tool.manifests {
            scratch.write(one, &(job.load)(&path_of(one)).ok_or_else(|| format!("there is no `{one}` beside it"))?)?;
        }
        if tool.program == "cargo" {
            // A package without a target is none; what is in it doesn't matter here.
            scratch.write("src/lib.rs", "")?;
            scratch.write("src/main.rs", "fn main() {}")?;
        }
        let mut failures = BTreeMap::new();
        for at in own {
            let (Some(package), Some(version)) = (job.package(*at), job.targets.get(at)) else { continue };
            let fill = |text: &&str| text.replace("{name}", &package.name).replace("{version}", version);
            let arguments: Vec<String> = tool.arguments.iter().map(fill).collect();
            if let Err(why) = job.tools.run(tool.program, &arguments, scratch.path()) {
                failures.insert(*at, why);
            }
        }
        let after = scratch.read(name).ok_or("the tool left no lockfile")?;
        Ok((lock, after, failures))
    });
    match result {
        Ok((before, after, failures)) => {
            let mended = judge(job, &manifest.path, &after, own);
            for at in own {
                match (mended.contains(at), failures.get(at)) {
                    (true, _) => lifted(job, *at, None, out),
                    (false, Some(why)) => out.left.push((*at, why.clone())),
                    (false, None) => {
                        out.left.push((*at, "the ranges that ask for it don't allow the mend".to_string()))
                    }
                }
            }
            if after != before && own.iter().any(|at| mended.contains(at)) {
                out.files.insert(manifest.path.clone(), after);
            }
        }
        Err(why) => {
            for at in own {
                let (Some(package), Some(version)) = (job.package(*at), job.targets.get(at)) else { continue };
                let command = by_hand(format, package, version);
                let why = if why.is_empty() { String::new() } else { format!("{why}; ") };
                out.left
                    .push((*at, format!("{why}run `{command}` in `{}`", if folder.is_empty() { "." } else { folder })));
            }
        }
    }
}

fn lifted(job: &Job<'_>, at: usize, how: Option<String>, out: &mut Upgrades) {
    if let (Some(package), Some(to)) = (job.package(at), job.targets.get(&at)) {
        let (name, from) = (package.name.clone(), package.version.text().to_string());
        out.lifted.push(Lifted { package: at, name, from, to: to.clone(), how });
    }
}

/// Which of `own` a manifest of new text no longer has in a version with known weaknesses. A weakness without any mend that the
/// package had before doesn't count against it.
fn judge(job: &Job<'_>, path: &str, text: &str, own: &[usize]) -> BTreeSet<usize> {
    let packages = read(path, text, job.load);
    let Ok(matching) = deps::match_packages(&packages, job.index) else { return BTreeSet::new() };
    own.iter()
        .copied()
        .filter(|at| {
            let Some(package) = job.package(*at) else { return false };
            let same = |other: &Package| other.key() == package.key() && other.ecosystem == package.ecosystem;
            // The version that was there has to be gone, and no instance may have a weakness that could be mended.
            let stays = packages.iter().any(|other| same(other) && other.version == package.version);
            let bad = matching.vulnerable.iter().any(|one| {
                let certain = one.certainty > Certainty::Possible && one.fixed_in.is_some();
                let lower = |other: &Package| {
                    let (new, old) = (other.version.exact(), package.version.exact());
                    new.zip(old)
                        .and_then(|(new, old)| package.ecosystem.compare(new, old))
                        .is_none_or(std::cmp::Ordering::is_gt)
                };
                certain
                    && packages
                        .get(one.package)
                        .is_some_and(|other| same(other) && lower(other) && same_line(other, package))
            });
            !stays && !bad
        })
        .collect()
}

/// Whether two instances of a package are of one major version, so that the one may be what became of the other.
fn same_line(one: &Package, other: &Package) -> bool {
    match (one.version.exact(), other.version.exact()) {
        (Some(one), Some(other)) => major(one) == major(other),
        _ => true,
    }
}

fn major(version: &str) -> &str {
    version.trim_start_matches('v').split(['.', '-', '+']).next().unwrap_or(version)
}

/// Reads a manifest of new text.
fn read(path: &str, text: &str, load: Load<'_>) -> Vec<Package> {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::new(path, text));
    deps::read(&mut sources, file, &mut |path| load(path)).map(|reading| reading.packages).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use deps::Build;

    struct Nothing;

    impl Tools for Nothing {
        fn has(&self, _program: &str) -> bool {
            false
        }

        fn run(&self, program: &str, _arguments: &[String], _folder: &std::path::Path) -> Result<(), String> {
            Err(format!("{program} isn't here"))
        }
    }

    /// Upgrades everything that is vulnerable in one file: the file afterwards, and what stays.
    fn lift(path: &str, text: &str, ecosystem: &str, name: &str, fixed: &str) -> (Option<String>, Vec<String>) {
        let advisory = format!(
            r#"{{"id": "X-1", "affected": [{{"package": {{"ecosystem": "{ecosystem}", "name": "{name}"}},
            "ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#
        );
        let mut build = Build::new();
        build.document("x", advisory.as_bytes());
        let index = Index::of_bytes(build.finish().unwrap().0).unwrap();
        let mut sources = Sources::new();
        let load = |wanted: &str| (wanted == path).then(|| text.to_string());
        let survey = deps::survey(&graph::Estate::default(), &mut sources, &[path.to_string()], &mut |path| load(path));
        let matching = deps::match_packages(&survey.packages, &index).unwrap();
        assert!(!matching.vulnerable.is_empty(), "{path}: {:?}", survey.packages);
        let wanted = matching.vulnerable.iter().map(|one| one.package).collect();
        let mut done = upgrades(&survey, &matching, &index, &sources, &wanted, &load, &Nothing);
        (done.files.remove(path), done.left.into_iter().map(|(_, why)| why).collect())
    }

    #[test]
    fn every_manifest_is_changed_where_its_version_is_written() {
        for (path, text, ecosystem, name, fixed, from, to) in [
            (
                "requirements.txt",
                "a\nPyYAML == 5.3 ; python_version > '3'  # why\n",
                "PyPI",
                "pyyaml",
                "5.4",
                "5.3 ;",
                "5.4 ;",
            ),
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\npyyaml = \"~5.3\" # why\n",
                "PyPI",
                "pyyaml",
                "5.4",
                "~5.3",
                "~5.4",
            ),
            ("Pipfile", "[packages]\npyyaml = \"==5.3\"\n", "PyPI", "pyyaml", "5.4", "==5.3", "==5.4"),
            ("go.mod", "module x\nrequire a.b/c v1.2.0 // indirect\n", "Go", "a.b/c", "1.2.5", "v1.2.0", "v1.2.5"),
            ("go.mod", "module x\ntoolchain go1.21.3\n", "Go", "stdlib", "1.21.8", "go1.21.3", "go1.21.8"),
            (
                "pom.xml",
                "<project><properties><v>2.9.8</v></properties><dependencies><dependency><groupId>g</groupId>\n<artifactId>a</artifactId><version>${v}</version></dependency></dependencies></project>",
                "Maven",
                "g:a",
                "2.9.9",
                "<v>2.9.8",
                "<v>2.9.9",
            ),
            (
                "build.gradle",
                "dependencies {\n  implementation 'g:a:1.0' // why\n}\n",
                "Maven",
                "g:a",
                "1.1",
                "a:1.0",
                "a:1.1",
            ),
            (
                "a.csproj",
                "<Project><ItemGroup><PackageReference Include=\"A.B\" Version=\"12.0.1\" /></ItemGroup></Project>",
                "NuGet",
                "A.B",
                "13.0.1",
                "12.0.1",
                "13.0.1",
            ),
            (
                "Cargo.toml",
                "[dependencies]\ntime = { version = \"=0.1.42\" }\n",
                "crates.io",
                "time",
                "0.2.23",
                "=0.1.42",
                "=0.2.23",
            ),
            ("package.json", "{ \"dependencies\": { \"a\": \"1.0.0\" } }", "npm", "a", "1.0.1", "1.0.0", "1.0.1"),
        ] {
            let (after, left) = lift(path, text, ecosystem, name, fixed);
            assert_eq!(after.as_deref(), Some(text.replace(from, to).as_str()), "{path} {left:?}");
        }
    }

    #[test]
    fn what_cannot_be_changed_by_hand_is_left_with_what_to_do() {
        let lock = "[[package]]\nname = \"time\"\nversion = \"0.1.42\"\nsource = \"registry+x\"\n";
        let (after, left) = lift("Cargo.lock", lock, "crates.io", "time", "0.2.23");
        assert_eq!(
            (after, left.as_slice()),
            (None, ["run `cargo update --package time --precise 0.2.23` in `.`".to_string()].as_slice())
        );
        let hashed = "pyyaml==5.3 \\\n    --hash=sha256:00\n";
        let (after, left) = lift("requirements.txt", hashed, "PyPI", "pyyaml", "5.4");
        assert!(after.is_none_or(|after| after == hashed) && left[0].contains("hashes"), "{left:?}");
    }
}
