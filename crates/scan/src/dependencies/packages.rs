//! Packages that functions ship: those that advisories warn of, and those whose version nobody decided.

use super::{MAX_RELATED, finding, head, milder, plain};
use crate::files::{Found, Root};
use crate::load::Loaded;
use deps::{Certainty, Ecosystem, Format, Imported, Index, Matching, Package, Survey, Version, Vulnerable};
use findings::{AuditInfo, Confidence, Diagnostic, Finding, Label, Level, Severity};
use std::collections::{BTreeMap, BTreeSet, HashSet};

pub(crate) const VULNERABLE_DEPENDENCY: AuditInfo = AuditInfo {
    id: "vulnerable-dependency",
    title: "A package with a known weakness",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[1395],
    docs: r#"A function ships a package in a version that an advisory warns of. The severity is that of the worst advisory (its CVSS
score, or the word of its database); a package that no code reachable from the handler imports, by itself or through another
package, is reported as low, and one step milder where no lockfile tells whether another package needs it. Packages that no function ships are one low finding for each manifest.

## Why it matters
Weaknesses of published packages are the ones that are tried first: there is a description, often a program that uses it.

## Remediation
Upgrade to the version that the finding names. `ringfence fix` shows the change, and `ringfence fix --write` makes it.

```text
requests==2.19.0    ->    requests==2.20.0
```

## When it doesn't fire
Not without advisories: `ringfence update` brings them, and until then a note says that nothing was checked. Not for packages
that serve development only, and not where a range allows affected versions among others; `ringfence deps --possible` lists
those.
"#,
};

pub(crate) const UNPINNED_DEPENDENCY: AuditInfo = AuditInfo {
    id: "unpinned-dependency",
    title: "A package whose version is left to the day of the build",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[1357],
    docs: r#"A list of requirements names a package without saying which version, and no lockfile does.

## Why it matters
Two builds of the same source deploy different code, and a release that somebody hijacked goes out with the next build
without anyone having decided so.

## Remediation
Pin exact versions, best with hashes, and let a tool propose the upgrades.

```text
requests==2.32.3 --hash=sha256:...
```

## When it doesn't fire
Not for packages that the runtime itself provides (`boto3`, `aws-sdk`), and not for lists for development.
"#,
};

pub(crate) const MISSING_LOCKFILE: AuditInfo = AuditInfo {
    id: "missing-lockfile",
    title: "A manifest without a lockfile",
    severity: Severity::Low,
    since: "0.1.0",
    cwe: &[1357],
    docs: r#"A function's manifest asks for packages, and no lockfile beside it or above says which versions get installed.

## Why it matters
What the packages need in turn is decided anew at every build, so nobody can tell what is deployed, and a release that
somebody hijacked goes out with the next build.

## Remediation
Commit the lockfile and install from it.

```text
npm install --package-lock-only
npm ci
```

## When it doesn't fire
Not for manifests that ask for nothing but what the runtime provides or what serves development, and not for kinds of
manifests that have no lockfile of their own.
"#,
};

/// Packages that AWS's runtimes bring along: what a manifest says of them needn't be what runs.
const IN_RUNTIME: [&str; 4] = ["boto3", "botocore", "aws-sdk", "awslambdaric"];

/// Finds both kinds.
pub(super) fn findings(
    loaded: &mut Loaded,
    root: &Root,
    files: &[Found],
    index: Option<&Index>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Finding> {
    let paths: Vec<String> =
        files.iter().filter(|found| Format::of(&found.path).is_some()).map(|found| found.path.clone()).collect();
    if paths.is_empty() {
        return Vec::new();
    }
    let survey = deps::survey(&loaded.estate, &mut loaded.sources, &paths, &mut |path| root.read(path));
    // Of a manifest that isn't a function's own nobody expects that all of it is understood here: `ringfence deps` tells.
    diagnostics.extend(survey.diagnostics.iter().filter(|one| one.level == Level::Error).cloned().map(|mut one| {
        one.level = Level::Warning;
        one
    }));
    let mut found = undecided(&survey, &paths);
    let shipped = survey.functions.iter().any(|function| !function.packages.is_empty());
    let Some(index) = index else {
        if !survey.packages.is_empty() {
            let message = format!(
                "packages weren't checked for known weaknesses: there are no advisories here ({} packages{})",
                survey.packages.len(),
                if shipped { "" } else { ", none of a function" }
            );
            let help = "`ringfence update` brings them, `ringfence update --from PATH` without the network";
            diagnostics.push(Diagnostic::general(Level::Note, "deps", message).help(help));
        }
        return found;
    };
    match deps::match_packages(&survey.packages, index) {
        Ok(matching) => {
            for (ecosystem, count) in &matching.uncovered {
                let message =
                    format!("{count} packages of {ecosystem} weren't checked: there are no advisories about them here");
                diagnostics
                    .push(Diagnostic::general(Level::Note, "deps", message).help("`ringfence update` brings them"));
            }
            found.extend(vulnerable(&survey, &matching, loaded));
        }
        Err(error) => diagnostics.push(Diagnostic::general(Level::Error, "deps", error.to_string())),
    }
    found
}

/// The weaknesses of each package that matter here, by its place.
fn by_package<'a>(survey: &Survey, matching: &'a Matching) -> BTreeMap<usize, Vec<&'a Vulnerable>> {
    let mut all: BTreeMap<usize, Vec<&Vulnerable>> = BTreeMap::new();
    for one in &matching.vulnerable {
        let deployed = survey.packages.get(one.package).is_some_and(|package| !package.dev);
        if deployed && one.certainty > Certainty::Possible {
            all.entry(one.package).or_default().push(one);
        }
    }
    all
}

fn vulnerable(survey: &Survey, matching: &Matching, loaded: &Loaded) -> Vec<Finding> {
    let sources = &loaded.sources;
    let all = by_package(survey, matching);
    let mut found = Vec::new();
    let mut shipped: BTreeSet<usize> = BTreeSet::new();
    for (function, (application, own)) in survey.functions.iter().zip(loaded.estate.functions()) {
        debug_assert_eq!((&function.application, &function.function), (&application.name, &own.name));
        // A package may stand in a lockfile several times, once for each version and place.
        let mut seen = BTreeSet::new();
        for at in &function.packages {
            let (Some(known), Some(package)) = (all.get(at), survey.packages.get(*at)) else { continue };
            shipped.insert(*at);
            if !seen.insert((package.key(), package.version.clone())) {
                continue;
            }
            let mut one = weakness(package, known, matching.upgrade(*at));
            let imported = function.imported(package);
            let (severity, confidence, how) = match &imported {
                Imported::Directly => (one.severity, Confidence::High, format!("`{}` imports it", own.name)),
                Imported::Through(name) => (
                    one.severity,
                    Confidence::Medium,
                    format!("`{}` imports `{}`, which needs it", own.name, plain(name)),
                ),
                // A list of requirements doesn't tell what needs what, so something that is imported may need it.
                Imported::Unknown if own.behaviour.is_some() && !is_malicious(known) => (
                    milder(one.severity),
                    Confidence::Medium,
                    format!("`{}` ships it, and no code that its handler reaches imports it by itself", own.name),
                ),
                Imported::Unknown => (one.severity, Confidence::Medium, format!("`{}` ships it", own.name)),
                // What is installed runs at the build already, so what was made to harm does so without being imported.
                Imported::No if is_malicious(known) => {
                    (one.severity, Confidence::High, format!("`{}` ships it", own.name))
                }
                Imported::No => (
                    Severity::Low,
                    Confidence::Medium,
                    format!("`{}` ships it, but no code that its handler reaches imports it", own.name),
                ),
            };
            one.severity = severity;
            one.confidence = confidence;
            one.title = format!("{} ({how})", one.title);
            one.function = Some(own.name.clone());
            one.related.push(Label { span: head(sources, own.span), message: how });
            found.push(one);
        }
    }
    found.extend(unowned(survey, &all, &shipped));
    found
}

fn is_malicious(known: &[&Vulnerable]) -> bool {
    known
        .iter()
        .any(|one| one.advisory.id.starts_with("MAL-") || one.advisory.aliases.iter().any(|id| id.starts_with("MAL-")))
}

/// One package with all that is known of it.
fn weakness(package: &Package, known: &[&Vulnerable], upgrade: Option<&str>) -> Finding {
    let severity = known.iter().filter_map(|one| one.advisory.severity).max().unwrap_or(Severity::Medium);
    let name = named(package);
    let worst = known.iter().max_by_key(|one| (one.advisory.severity, one.advisory.score));
    let what = worst.map(|one| shortened(&plain(&one.advisory.summary))).unwrap_or_default();
    let ids: Vec<String> = known.iter().map(|one| known_as(one)).collect();
    let worst_id = worst.map(|one| known_as(one)).unwrap_or_default();
    let count = match ids.len() {
        1 => format!("a known weakness, {worst_id}"),
        count => format!("{count} known weaknesses, the worst {worst_id}"),
    };
    let title = match what.trim_end_matches('.') {
        "" => format!("{name} has {count}"),
        what => format!("{name} has {count}: {what}"),
    };
    let mended = match upgrade {
        Some(version) => format!("mended in {}", plain(version)),
        None => "no version is known that mends it".to_string(),
    };
    let mut one = finding(&VULNERABLE_DEPENDENCY, title, package.span, mended);
    one.severity = severity;
    let listed = ids.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
    let more = if ids.len() > 12 { format!(" and {} more", ids.len() - 12) } else { String::new() };
    one.remediation = match upgrade {
        Some(version) => format!(
            "upgrade `{}` to {} or later (against {listed}{more}); `ringfence fix` shows the change",
            plain(&package.name),
            plain(version)
        ),
        None => format!("do without `{}`, or shield what it is used for: {listed}{more}", plain(&package.name)),
    };
    one
}

/// The id that people know a weakness by.
fn known_as(one: &Vulnerable) -> String {
    let cve = one.advisory.aliases.iter().find(|alias| alias.starts_with("CVE-"));
    plain(if one.advisory.id.starts_with("CVE-") { &one.advisory.id } else { cve.unwrap_or(&one.advisory.id) })
}

/// As much as fits into a title.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    if text.chars().count() <= MOST {
        return text.to_string();
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{}…", cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words))
}

fn named(package: &Package) -> String {
    match &package.version {
        Version::Exact(version) => format!("`{}` {}", plain(&package.name), plain(version)),
        Version::Range(range) => format!("every `{}` that `{}` allows", plain(&package.name), plain(range)),
    }
}

/// What no function ships: one finding for each manifest.
fn unowned(survey: &Survey, all: &BTreeMap<usize, Vec<&Vulnerable>>, shipped: &BTreeSet<usize>) -> Vec<Finding> {
    let mut found = Vec::new();
    for manifest in &survey.manifests {
        let mut known: Vec<(&Package, &Vec<&Vulnerable>)> = manifest
            .packages
            .clone()
            .filter(|at| !shipped.contains(at))
            .filter_map(|at| Some((survey.packages.get(at)?, all.get(&at)?)))
            .collect();
        let worst = |known: &[&Vulnerable]| known.iter().filter_map(|one| one.advisory.severity).max();
        known.sort_by_key(|(package, known)| (std::cmp::Reverse(worst(known)), package.span.start));
        let Some(((first, weaknesses), rest)) = known.split_first() else { continue };
        let mut one = weakness(first, weaknesses, None);
        one.title = match rest.len() {
            0 => format!("{}; no function of the application ships it", one.title),
            more => format!(
                "{}; {more} more packages of `{}` have some, and no function ships them",
                one.title, manifest.path
            ),
        };
        one.primary.message = "known weaknesses, outside the functions".to_string();
        one.severity = Severity::Low;
        one.confidence = Confidence::Medium;
        for (package, known) in rest.iter().take(MAX_RELATED) {
            let ids: Vec<String> = known.iter().take(3).map(|one| known_as(one)).collect();
            one.related.push(Label { span: package.span, message: format!("{}: {}", named(package), ids.join(", ")) });
        }
        one.remediation =
            "upgrade them where they are built; `ringfence deps` lists each with what mends it".to_string();
        found.push(one);
    }
    found
}

/// Packages of functions whose version is decided when they are built.
fn undecided(survey: &Survey, paths: &[String]) -> Vec<Finding> {
    let mut owners: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for function in &survey.functions {
        for manifest in &function.manifests {
            owners.entry(*manifest).or_default().push(&function.function);
        }
    }
    let mut found = Vec::new();
    let lockfiles = Lockfiles::of(paths);
    for (at, functions) in owners {
        let Some(manifest) = survey.manifests.get(at) else { continue };
        let packages: Vec<&Package> = survey
            .packages
            .get(manifest.packages.clone())
            .unwrap_or_default()
            .iter()
            .filter(|package| !package.dev && !IN_RUNTIME.contains(&package.key().as_str()))
            .filter(|package| !package.key().starts_with("@aws-sdk/"))
            .collect();
        let mut one = if wants_lockfile(manifest.format) {
            let locked = lockfiles.lock(&manifest.path, manifest.format);
            let Some(first) = packages.first().filter(|_| !locked) else { continue };
            let count = match packages.len() {
                1 => "1 package".to_string(),
                count => format!("{count} packages"),
            };
            let title =
                format!("`{}` asks for {count}, and no lockfile says which versions get deployed", manifest.path);
            let mut one =
                finding(&MISSING_LOCKFILE, title, first.span, "what it needs in turn is decided at every build");
            one.remediation = "commit the lockfile, and install from it (`npm ci`, `uv sync --locked`)".to_string();
            one
        } else {
            let open: Vec<&&Package> = packages.iter().filter(|package| package.version.exact().is_none()).collect();
            let Some((first, rest)) = open.split_first() else { continue };
            let others = match rest.len() {
                0 => String::new(),
                1 => " and 1 more".to_string(),
                more => format!(" and {more} more"),
            };
            let title = format!(
                "the version of `{}`{others} in `{}` is left to the day of the build",
                plain(&first.name),
                manifest.path
            );
            let message = match first.version.text() {
                "" => "any version".to_string(),
                range => format!("any version of `{}`", plain(range)),
            };
            let mut one = finding(&UNPINNED_DEPENDENCY, title, first.span, message);
            for package in rest.iter().take(MAX_RELATED) {
                one.related.push(Label { span: package.span, message: String::new() });
            }
            one.remediation = "pin exact versions, best with hashes".to_string();
            one
        };
        if let [only] = functions.as_slice() {
            one.function = Some((*only).to_string());
        }
        found.push(one);
    }
    found
}

/// Manifests whose ecosystem has a lockfile that people commit.
fn wants_lockfile(format: Format) -> bool {
    matches!(format, Format::PackageJson | Format::PyProject | Format::Pipfile | Format::CargoManifest)
}

/// The lockfiles among all manifests.
struct Lockfiles<'p> {
    /// Folder and ecosystem of each.
    folders: HashSet<(&'p str, Ecosystem)>,
    /// Bun's older lockfile isn't read, and may be a workspace's, wherever it lies.
    bun: bool,
}

impl<'p> Lockfiles<'p> {
    fn of(paths: &'p [String]) -> Self {
        let mut lockfiles = Self { folders: HashSet::new(), bun: false };
        for path in paths {
            let format = Format::of(path).filter(|format| format.is_lock());
            if let Some(format) = format {
                lockfiles.folders.insert((folder(path), format.ecosystem()));
            }
            lockfiles.bun |=
                path.ends_with("bun.lockb") && format.is_none_or(|format| format.ecosystem() != Ecosystem::Npm);
        }
        lockfiles
    }

    /// Whether there is one of the ecosystem beside a manifest or above it, where workspaces keep theirs.
    fn lock(&self, manifest: &str, format: Format) -> bool {
        if self.bun && format == Format::PackageJson {
            return true;
        }
        let mut around = folder(manifest);
        loop {
            if self.folders.contains(&(around, format.ecosystem())) {
                return true;
            }
            if around.is_empty() {
                return false;
            }
            around = folder(around);
        }
    }
}

/// The folder of a path; empty for the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What the index knows of a package that no manifest names.
pub(super) fn ask(package: &Package, index: &Index) -> Option<Finding> {
    let matching = deps::match_packages(std::slice::from_ref(package), index).ok()?;
    let known: Vec<&Vulnerable> = matching.vulnerable.iter().collect();
    (!known.is_empty()).then(|| weakness(package, &known, matching.upgrade(0)))
}
