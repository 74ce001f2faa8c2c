//! Where JavaScript and TypeScript find a module that isn't named by its path: `paths` and `baseUrl` of a tsconfig, packages of
//! the same repository (workspaces, `file:` dependencies), and what a compiler's output was made from (`outDir`, `rootDir`).
//!
//! Deliberately absent: conditions in `exports` other than the usual ones, globs with more than a trailing `*`.

use crate::Files;
use crate::project::join;
use source::{Document, FileId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Configurations that extend one another.
const MAX_EXTENDS: usize = 8;
/// Packages of one repository.
const MAX_PACKAGES: usize = 500;

/// What a tsconfig says about where modules are; paths are relative to what is scanned.
#[derive(Debug, Default, Clone)]
pub(crate) struct Compiler {
    base_url: Option<String>,
    /// Patterns with their replacements, already joined with the folder they count from.
    paths: Vec<(String, Vec<String>)>,
    root_dir: Option<String>,
    out_dir: Option<String>,
    folder: String,
}

/// Packages of a repository, by name.
#[derive(Debug, Default)]
struct Packages(HashMap<String, String>);

/// What was found out about folders, each once.
#[derive(Default)]
pub(crate) struct Workspace {
    compilers: Mutex<HashMap<String, Option<Arc<Compiler>>>>,
    packages: Mutex<HashMap<String, Arc<Packages>>>,
}

fn parse(text: &str) -> source::Node {
    Document::json(FileId(0), text).root
}

/// The folder and those around it, the root of what is scanned last.
fn upwards(folder: &str) -> impl Iterator<Item = &str> {
    let mut at = Some(folder);
    std::iter::from_fn(move || {
        let here = at?;
        at = if here.is_empty() { None } else { Some(here.rsplit_once('/').map_or("", |(parent, _)| parent)) };
        Some(here)
    })
}

fn within(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") }
}

impl Workspace {
    /// What the nearest tsconfig above a folder says.
    pub(crate) fn compiler(&self, files: &dyn Files, folder: &str) -> Option<Arc<Compiler>> {
        let mut known = self.compilers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(folder) {
            return found.clone();
        }
        let found = upwards(folder).find_map(|folder| {
            let path = within(folder, "tsconfig.json");
            files.exists(&path).then(|| Arc::new(read_compiler(files, &path, 0)))
        });
        known.insert(folder.to_string(), found.clone());
        found
    }

    /// Where a module that is named without a path may be, without its extension.
    pub(crate) fn candidates(&self, files: &dyn Files, folder: &str, module: &str) -> Vec<String> {
        let mut candidates = Vec::new();
        if let Some(compiler) = self.compiler(files, folder) {
            for (pattern, targets) in &compiler.paths {
                let Some(middle) = matched(pattern, module) else { continue };
                candidates.extend(targets.iter().map(|target| target.replacen('*', middle, 1)));
            }
            candidates.extend(compiler.base_url.as_deref().and_then(|base| join(base, module)));
        }
        // `#internal/name` of the package's own `imports`.
        if module.starts_with('#')
            && let Some(path) =
                upwards(folder).map(|folder| within(folder, "package.json")).find(|path| files.exists(path))
            && let Some(text) = files.read(&path)
        {
            let home = path.rsplit_once('/').map_or("", |(home, _)| home);
            if let Some(imports) = parse(&text).get("imports") {
                for entry in imports.entries() {
                    let Some(middle) = matched(&entry.key, module) else { continue };
                    let target = entry_point(&entry.value).map(|target| target.replacen('*', middle, 1));
                    candidates.extend(target.and_then(|target| join(home, &target)));
                }
            }
        }
        let end = module.match_indices('/').map(|(at, _)| at).nth(usize::from(module.starts_with('@')));
        let (name, rest) = match end {
            Some(end) => (module.get(..end).unwrap_or(module), module.get(end + 1..).unwrap_or("")),
            None => (module, ""),
        };
        if let Some(home) = self.package(files, folder, name) {
            candidates.extend(self.of_package(files, &home, rest));
        }
        candidates
    }

    /// Where the code of a package's entry, or of a module in it, may be.
    pub(crate) fn of_package(&self, files: &dyn Files, home: &str, rest: &str) -> Vec<String> {
        let package = files.read(&within(home, "package.json")).map(|text| parse(&text));
        let mut named: Vec<String> = Vec::new();
        if let Some(package) = &package {
            let key = if rest.is_empty() { ".".to_string() } else { format!("./{rest}") };
            if let Some(exports) = package.get("exports") {
                if rest.is_empty() && exports.get(".").is_none() {
                    named.extend(entry_point(exports));
                }
                for entry in exports.entries() {
                    let Some(middle) = matched(&entry.key, &key) else { continue };
                    named.extend(entry_point(&entry.value).map(|target| target.replacen('*', middle, 1)));
                }
            }
            if rest.is_empty() {
                let fields = ["source", "module", "main", "types"];
                named.extend(fields.iter().filter_map(|field| package.get(field)?.as_str().map(str::to_string)));
            }
        }
        if rest.is_empty() {
            named.extend(["src/index", "index", "lib/index"].map(str::to_string));
        } else {
            named.extend([rest.to_string(), format!("src/{rest}")]);
        }
        let mut candidates = Vec::new();
        for path in named.iter().filter_map(|path| join(home, path.trim_end_matches(".d.ts"))) {
            candidates.extend(self.sources_of(files, &path));
            candidates.push(path);
        }
        candidates
    }

    /// What a file that a compiler writes may have been made from: its path with `outDir` exchanged for `rootDir`.
    pub(crate) fn sources_of(&self, files: &dyn Files, path: &str) -> Vec<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut found = Vec::new();
        if let Some(compiler) = self.compiler(files, folder)
            && let Some(out) = &compiler.out_dir
            && let Some(rest) = below(path, out)
        {
            let roots =
                compiler.root_dir.clone().into_iter().chain([within(&compiler.folder, "src"), compiler.folder.clone()]);
            found.extend(roots.map(|root| within(&root, rest)));
        }
        found
    }

    /// The folder of a package of the repository.
    fn package(&self, files: &dyn Files, folder: &str, name: &str) -> Option<String> {
        for folder in upwards(folder) {
            let path = within(folder, "package.json");
            if !files.exists(&path) && !files.exists(&within(folder, "pnpm-workspace.yaml")) {
                continue;
            }
            let known = self.packages.lock().unwrap_or_else(PoisonError::into_inner).get(folder).cloned();
            let packages = known.unwrap_or_else(|| {
                let packages = Arc::new(read_packages(files, folder));
                let mut all = self.packages.lock().unwrap_or_else(PoisonError::into_inner);
                all.insert(folder.to_string(), packages.clone());
                packages
            });
            if let Some(home) = packages.0.get(name) {
                return Some(home.clone());
            }
        }
        None
    }
}

/// What of a path lies below a folder.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// What a pattern's star stands for; nothing where it has none and is the text.
fn matched<'m>(pattern: &str, text: &'m str) -> Option<&'m str> {
    match pattern.split_once('*') {
        Some((before, after)) => text.strip_prefix(before)?.strip_suffix(after),
        None => (pattern == text).then_some(""),
    }
}

/// The path that an entry of `exports` names, whatever its conditions.
fn entry_point(node: &source::Node) -> Option<String> {
    if let Some(text) = node.as_str() {
        return Some(text.to_string());
    }
    let conditions = ["source", "import", "node", "default", "require", "types"];
    conditions.iter().find_map(|condition| {
        let inner = node.get(condition)?;
        inner
            .as_str()
            .map(str::to_string)
            .or_else(|| conditions.iter().find_map(|condition| inner.get(condition)?.as_str().map(str::to_string)))
    })
}

fn read_compiler(files: &dyn Files, path: &str, depth: usize) -> Compiler {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
    let Some(text) = files.read(path) else { return Compiler { folder, ..Compiler::default() } };
    let root = parse(&text);
    let mut compiler = Compiler::default();
    if depth < MAX_EXTENDS {
        for base in root.get("extends").map(source::Node::one_or_many).unwrap_or_default() {
            let Some(base) = base.as_str().filter(|base| base.starts_with('.')) else { continue };
            let Some(base) = join(&folder, base) else { continue };
            let candidates = [base.clone(), format!("{base}.json"), format!("{base}/tsconfig.json")];
            if let Some(base) = candidates.iter().find(|path| files.exists(path)) {
                let base = read_compiler(files, base, depth + 1);
                compiler = Compiler {
                    base_url: base.base_url.or(compiler.base_url),
                    paths: if base.paths.is_empty() { compiler.paths } else { base.paths },
                    root_dir: base.root_dir.or(compiler.root_dir),
                    out_dir: base.out_dir.or(compiler.out_dir),
                    folder: String::new(),
                };
            }
        }
    }
    let option = |name: &str| root.at(&["compilerOptions", name]).and_then(|node| join(&folder, node.as_str()?));
    compiler.base_url = option("baseUrl").or(compiler.base_url);
    compiler.root_dir = option("rootDir").or(compiler.root_dir);
    compiler.out_dir = option("outDir").or(compiler.out_dir);
    if let Some(paths) = root.at(&["compilerOptions", "paths"]) {
        let base = compiler.base_url.clone().unwrap_or_else(|| folder.clone());
        compiler.paths = paths
            .entries()
            .iter()
            .map(|entry| {
                let targets = entry.value.one_or_many().iter();
                let targets = targets.filter_map(|target| join(&base, target.as_str()?)).collect();
                (entry.key.clone(), targets)
            })
            .collect();
    }
    compiler.folder = folder;
    compiler
}

/// The workspaces and `file:` dependencies that a folder's manifest names.
fn read_packages(files: &dyn Files, folder: &str) -> Packages {
    let mut packages = Packages::default();
    let manifest = files.read(&within(folder, "package.json")).map(|text| parse(&text));
    let mut patterns: Vec<String> = Vec::new();
    if let Some(manifest) = &manifest {
        for field in ["dependencies", "devDependencies", "optionalDependencies"] {
            for entry in manifest.get(field).map(source::Node::entries).unwrap_or_default() {
                let target = entry.value.as_str().unwrap_or_default();
                let local = ["file:", "link:", "portal:"].iter().find_map(|scheme| target.strip_prefix(scheme));
                if let Some(home) = local.and_then(|target| join(folder, target)) {
                    packages.0.insert(entry.key.clone(), home);
                }
            }
        }
        let workspaces = manifest.get("workspaces");
        let list = workspaces.map(|node| node.get("packages").unwrap_or(node).items()).unwrap_or_default();
        patterns.extend(list.iter().filter_map(|item| item.as_str().map(str::to_string)));
    }
    if let Some(text) = files.read(&within(folder, "pnpm-workspace.yaml")) {
        let list = Document::yaml(FileId(0), &text).root;
        let list = list.get("packages").map(source::Node::items).unwrap_or_default();
        patterns.extend(list.iter().filter_map(|item| item.as_str().map(str::to_string)));
    }
    let mut homes: Vec<String> = Vec::new();
    for pattern in patterns.iter().filter(|pattern| !pattern.starts_with('!')) {
        match pattern.trim_end_matches('/').split_once('*') {
            None => homes.extend(join(folder, pattern)),
            Some((before, _)) => {
                let Some(parent) = join(folder, before) else { continue };
                homes.extend(files.list(&parent).iter().map(|name| within(&parent, name)));
            }
        }
    }
    for home in homes.into_iter().take(MAX_PACKAGES) {
        let Some(text) = files.read(&within(&home, "package.json")) else { continue };
        if let Some(name) = parse(&text).get("name").and_then(|name| name.as_str().map(str::to_string)) {
            packages.0.entry(name).or_insert(home);
        }
    }
    packages
}
