//! Everything that applications bring along: their manifests read, and set against the functions they belong to.

use crate::inventory::{Inventory, Manifest, governing};
use crate::readers::in_folder_of;
use crate::{Ecosystem, Format, Imported, Package, Reach, read};
use findings::Diagnostic;
use graph::{Application, Code, Estate, Function, ResourceKind};
use source::{FileId, SourceFile, Sources};
use std::collections::BTreeSet;

/// What was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Every package of every manifest that counts, in the order of the manifests.
    pub packages: Vec<Package>,
    /// The manifests that were read: path, and where its packages stand in `packages`.
    pub manifests: Vec<Read>,
    /// Manifests that a lockfile beside them speaks for; not read.
    pub superseded: Vec<String>,
    /// The functions.
    pub functions: Vec<FunctionDependencies>,
    /// What was not read or not understood.
    pub diagnostics: Vec<Diagnostic>,
}

/// A manifest that was read.
#[derive(Debug, Clone)]
pub struct Read {
    /// Its path.
    pub path: String,
    /// Its format.
    pub format: Format,
    /// Where its packages stand.
    pub packages: std::ops::Range<usize>,
}

/// What one function brings along.
#[derive(Debug)]
pub struct FunctionDependencies {
    /// The application's name.
    pub application: String,
    /// The function's name.
    pub function: String,
    /// Its manifests, as places in [`Survey::manifests`]; none where none was found.
    pub manifests: Vec<usize>,
    /// Its packages, as places in [`Survey::packages`].
    pub packages: Vec<usize>,
    reach: Vec<(Ecosystem, Reach)>,
}

impl FunctionDependencies {
    /// Whether every package it brings along could be set against advisories; false where no package of it is known.
    pub fn is_checked(&self, survey: &Survey, matching: &crate::Matching) -> bool {
        let covered = |at: &usize| {
            let ecosystem = survey.packages.get(*at).map(|package| package.ecosystem);
            ecosystem.is_some_and(|one| !matching.uncovered.contains_key(&one)) && !matching.unreadable.contains(at)
        };
        !self.manifests.is_empty() && self.packages.iter().all(covered)
    }

    /// What its code has to do with one of its packages.
    pub fn imported(&self, package: &Package) -> Imported {
        let reach = self.reach.iter().find(|(ecosystem, _)| *ecosystem == package.ecosystem);
        reach.map_or(Imported::Unknown, |(_, reach)| reach.of(package))
    }
}

/// Reads the manifests among `paths` (relative to the root, in order) and sets them against the functions of an estate,
/// which may be empty. `load` gives a file's text; none where it can't be read.
pub fn survey(
    estate: &Estate,
    sources: &mut Sources,
    paths: &[String],
    load: &mut dyn FnMut(&str) -> Option<String>,
) -> Survey {
    let inventory = Inventory::new(
        paths.iter().filter_map(|path| Some(Manifest { path: path.clone(), format: Format::of(path)? })).collect(),
    );
    let manifests = inventory.manifests();
    let mut survey = Survey::default();
    // Where each manifest stands among those that were read.
    let mut places = vec![None; manifests.len()];
    for (at, manifest) in manifests.iter().enumerate() {
        if inventory.is_superseded(at) {
            survey.superseded.push(manifest.path.clone());
            continue;
        }
        let Some(text) = load(&manifest.path) else {
            let message = format!("`{}` can't be read", manifest.path);
            survey.diagnostics.push(Diagnostic::general(findings::Level::Error, crate::readers::READER, message));
            continue;
        };
        let file = sources.add(SourceFile::new(&manifest.path, text));
        let Some(reading) = read(sources, file, load) else { continue };
        let start = survey.packages.len();
        survey.packages.extend(reading.packages);
        survey.diagnostics.extend(reading.diagnostics);
        if let Some(place) = places.get_mut(at) {
            *place = Some(survey.manifests.len());
        }
        let packages = start..survey.packages.len();
        survey.manifests.push(Read { path: manifest.path.clone(), format: manifest.format, packages });
    }
    for (application, function) in estate.functions() {
        let mut own: BTreeSet<usize> = BTreeSet::new();
        for at in of_function(application, function, &inventory, sources) {
            own.extend(places.get(at).copied().flatten());
        }
        survey.functions.push(dependencies(&survey, application, function, own));
    }
    survey
}

fn dependencies(
    survey: &Survey,
    application: &Application,
    function: &Function,
    own: BTreeSet<usize>,
) -> FunctionDependencies {
    let manifests: Vec<usize> = own.into_iter().collect();
    let packages: Vec<usize> =
        manifests.iter().filter_map(|at| survey.manifests.get(*at)).flat_map(|read| read.packages.clone()).collect();
    let bill: Vec<Package> = packages.iter().filter_map(|at| survey.packages.get(*at)).cloned().collect();
    let imports = function.behaviour.as_ref().map(|behaviour| behaviour.imports.as_slice());
    // A function has one language: what it imports says nothing of packages of another.
    let one = |one: &Ecosystem| (*one, Reach::new(*one, &bill, imports));
    let reach = ecosystems(function).iter().map(one).collect();
    let (application, function) = (application.name.clone(), function.name.clone());
    FunctionDependencies { application, function, manifests, packages, reach }
}

/// Whose packages a function's code is made of, by its runtime; several where it doesn't tell.
fn ecosystems(function: &Function) -> &'static [Ecosystem] {
    let runtime = function.runtime.as_ref().map_or("", |runtime| runtime.value.as_str());
    match runtime {
        _ if runtime.starts_with("python") => &[Ecosystem::PyPi],
        _ if runtime.starts_with("nodejs") => &[Ecosystem::Npm],
        _ if runtime.starts_with("java") => &[Ecosystem::Maven],
        _ if runtime.starts_with("dotnet") => &[Ecosystem::NuGet],
        _ if runtime.starts_with("go") => &[Ecosystem::Go],
        // Programs that bring everything along: Go and Rust, at times .NET compiled ahead.
        _ if runtime.starts_with("provided") => &[Ecosystem::Go, Ecosystem::CratesIo, Ecosystem::NuGet],
        _ => &[],
    }
}

/// The manifests of a function's code and of the layers that the application builds itself.
fn of_function(application: &Application, function: &Function, inventory: &Inventory, sources: &Sources) -> Vec<usize> {
    let path_of = |file: FileId| sources.get(file).map_or("", SourceFile::path);
    let template = path_of(application.template);
    let outermost = template.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    if let Code::Local(root) = &function.code {
        let handler = function.behaviour.as_ref().and_then(|behaviour| behaviour.files.first());
        let innermost =
            handler.map(|file| path_of(*file)).and_then(|path| path.rsplit_once('/')).map(|(folder, _)| folder);
        let innermost = innermost.unwrap_or(&root.value);
        for ecosystem in ecosystems(function) {
            found.extend(governing(inventory, *ecosystem, innermost, &root.value, outermost));
        }
    }
    if let Code::Local(root) = &function.code {
        found.extend(inventory.installed(&root.value));
    }
    if let Code::Image(_) = &function.code
        && let Some(build) = crate::image::build(function, template, sources)
    {
        // Whatever language the image is for, what lies in the folder it is built from goes into it.
        for ecosystem in Ecosystem::ALL {
            found.extend(governing(inventory, ecosystem, &build.context, &build.context, &build.context));
        }
    }
    for layer in &function.layers {
        let resource = layer.value.resource().and_then(|name| application.resource(name));
        let Some(resource) = resource.filter(|resource| resource.kind == ResourceKind::Layer) else { continue };
        let content = ["ContentUri", "Content"].iter().find_map(|name| resource.property(name)?.as_str());
        let Some(content) = content.filter(|uri| !uri.contains("://")) else { continue };
        let folder = in_folder_of(template, content);
        found.extend(inventory.installed(&folder));
        for below in ["", "python", "nodejs"] {
            let folder = if below.is_empty() { folder.clone() } else { format!("{folder}/{below}") };
            for ecosystem in ecosystems(function) {
                found.extend(governing(inventory, *ecosystem, &folder, &folder, &folder));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_manifest_is_read_even_where_no_function_owns_it() {
        let files = [
            ("a/package-lock.json", r#"{"packages": {"node_modules/x": {"version": "1.0.0"}}}"#),
            ("a/package.json", r#"{"dependencies": {"x": "^1.0.0"}}"#),
            ("b/requirements.txt", "-r base.txt\nflask==1.0\n"),
            ("b/base.txt", "requests==2.0\n"),
            ("readme.txt", "nothing"),
        ];
        let paths: Vec<String> = files.iter().map(|(path, _)| (*path).to_string()).collect();
        let mut load = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_string());
        let mut sources = Sources::new();
        let survey = survey(&Estate::default(), &mut sources, &paths, &mut load);
        let names: Vec<String> =
            survey.packages.iter().map(|package| format!("{} {}", package.name, sources.place(package.span))).collect();
        assert_eq!(names, ["x a/package-lock.json:1", "requests b/base.txt:1", "flask b/requirements.txt:2"]);
        assert_eq!(survey.superseded, ["a/package.json"]);
        assert_eq!(survey.manifests[1].packages, 1..3);
    }
}
