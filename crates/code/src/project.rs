//! The files of a repository, read and lowered once each, and how imports find them.

use crate::library::packages;
use crate::syntax::Module;
use crate::workspace::Workspace;
use crate::{Files, Language, javascript, python, typescript};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Longer files aren't read: no handler is, and a bundle of that size says little about the code that made it.
pub(crate) const MAX_BYTES: usize = 2 << 20;

/// The most lines in a row that hold nothing but a backslash.
const MAX_CONTINUATIONS: usize = 200;
/// Entries of a folder looked at for installed packages.
const MAX_INSTALLED: usize = 5_000;

/// A file in its lowered form.
pub(crate) struct Loaded {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) module: Module,
    /// Why nothing of it was lowered.
    pub(crate) refused: Option<String>,
}

impl Loaded {
    pub(crate) fn parse(path: String, text: String, language: Language) -> Self {
        if text.len() > MAX_BYTES {
            let refused = Some(format!("`{path}` is longer than {} MiB and isn't read", MAX_BYTES >> 20));
            return Self { path, text: String::new(), module: Module::default(), refused };
        }
        // The grammar looks past all of them again at each.
        if language == Language::Python && text.contains(&"\\\n".repeat(MAX_CONTINUATIONS)) {
            let refused =
                Some(format!("`{path}` has more than {MAX_CONTINUATIONS} empty continued lines and isn't read"));
            return Self { path, text: String::new(), module: Module::default(), refused };
        }
        let grammar = match language {
            Language::Python => tree_sitter_python::LANGUAGE.into(),
            Language::JavaScript => match typescript::dialect(&path) {
                Some(true) => tree_sitter_typescript::LANGUAGE_TSX.into(),
                Some(false) => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
                None => tree_sitter_javascript::LANGUAGE.into(),
            },
        };
        let mut parser = tree_sitter::Parser::new();
        let tree = parser.set_language(&grammar).ok().and_then(|()| parser.parse(&text, None));
        let Some(tree) = tree else {
            let refused = Some(format!("`{path}` couldn't be parsed"));
            return Self { path, text, module: Module::default(), refused };
        };
        let module = match language {
            Language::Python => python::lower(&text, tree.root_node()),
            Language::JavaScript => javascript::lower(&text, tree.root_node()),
        };
        Self { path, text, module, refused: None }
    }
}

type Slot = Arc<OnceLock<Option<Arc<Loaded>>>>;

/// All files that any function of the caller's needs; shared between threads.
pub(crate) struct Project<'f> {
    pub(crate) files: &'f dyn Files,
    loaded: Mutex<HashMap<String, Slot>>,
    pub(crate) workspace: Workspace,
    installed: Mutex<HashMap<String, Arc<HashSet<String>>>>,
}

impl<'f> Project<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Self {
        Self { files, loaded: Mutex::new(HashMap::new()), workspace: Workspace::default(), installed: Mutex::default() }
    }

    /// The file at a path, lowered at the first request.
    pub(crate) fn load(&self, path: &str, language: Language) -> Option<Arc<Loaded>> {
        let slot = {
            // A poisoned lock only means that another thread's function was given up; the map itself is whole.
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.entry(path.to_string()).or_default().clone()
        };
        slot.get_or_init(|| {
            let text = self.files.read(path)?;
            Some(Arc::new(Loaded::parse(path.to_string(), text, language)))
        })
        .clone()
    }

    /// The file that `module` (`a.b`, `.a`, `./a`, `../a/b.mjs`) means in a file at `from`.
    pub(crate) fn resolve(&self, roots: &Roots, from: &str, module: &str, language: Language) -> Option<String> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        match language {
            Language::Python => {
                let dots = module.chars().take_while(|character| *character == '.').count();
                let rest = module.get(dots..)?.replace('.', "/");
                if dots > 0 {
                    let mut base = folder;
                    for _ in 1..dots {
                        base = base.rsplit_once('/').map_or("", |(parent, _)| parent);
                    }
                    return self.python_module(&join(base, &rest)?);
                }
                // A copy of a library beside the code is still the library, and what is installed is no code of the repository's.
                let first = rest.split('/').next().unwrap_or(&rest);
                let is_library = |root: &str| {
                    let copied =
                        || join(root, &format!("{first}/__init__.py")).is_some_and(|path| self.files.exists(&path));
                    packages::is_modelled(module) && copied() || self.installed(root).contains(first)
                };
                if is_library(&roots.code) {
                    return None;
                }
                let own = self.python_module(&join(&roots.code, &rest)?);
                let beside = || self.python_module(&join(folder, &rest)?);
                let in_layers = || {
                    let mut layers = roots.python().filter(|layer| !is_library(layer));
                    layers.find_map(|layer| self.python_module(&join(&layer, &rest)?))
                };
                own.or_else(beside).or_else(in_layers)
            }
            Language::JavaScript => {
                if module.starts_with('.') {
                    let base = join(folder, module)?;
                    return self.imported(&base, typescript::dialect(from).is_some());
                }
                if let Some(rest) = module.strip_prefix("/opt/") {
                    let rest = rest.trim_start_matches("nodejs/");
                    return roots.layers.iter().find_map(|layer| {
                        let places = [join(layer, &format!("nodejs/{rest}")), join(layer, rest)];
                        places.into_iter().flatten().find_map(|base| self.javascript_module(&base))
                    });
                }
                if module.starts_with('/') || packages::is_modelled(module) {
                    return None;
                }
                let typescript = typescript::dialect(from).is_some();
                let candidates = self.workspace.candidates(self.files, folder, module);
                if let Some(found) = candidates.iter().find_map(|base| self.imported(base, typescript)) {
                    return Some(found);
                }
                let (name, rest) = package_and_rest(module);
                roots.layers.iter().find_map(|layer| {
                    let homes = [format!("nodejs/node_modules/{name}"), format!("node_modules/{name}")];
                    homes.iter().filter_map(|home| join(layer, home)).find_map(|home| {
                        let candidates = self.workspace.of_package(self.files, &home, rest);
                        candidates.iter().find_map(|base| self.imported(base, false))
                    })
                })
            }
        }
    }

    /// The names that packages installed in a folder bring, by what their installer left beside them.
    fn installed(&self, folder: &str) -> Arc<HashSet<String>> {
        let known = self.installed.lock().unwrap_or_else(PoisonError::into_inner).get(folder).cloned();
        known.unwrap_or_else(|| {
            let mut names = HashSet::new();
            for entry in self.files.list(folder).iter().take(MAX_INSTALLED) {
                let Some(stem) = entry.strip_suffix(".dist-info").or_else(|| entry.strip_suffix(".egg-info")) else {
                    continue;
                };
                let package = stem.split('-').next().unwrap_or(stem);
                names.insert(package.to_lowercase());
                names.insert(package.to_string());
                let listed = join(folder, &format!("{entry}/top_level.txt")).and_then(|path| self.files.read(&path));
                names.extend(listed.iter().flat_map(|text| text.lines()).map(|line| line.trim().to_string()));
            }
            let names = Arc::new(names);
            let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
            installed.insert(folder.to_string(), names.clone());
            names
        })
    }

    pub(crate) fn python_module(&self, base: &str) -> Option<String> {
        let package = if base.is_empty() { "__init__.py".to_string() } else { format!("{base}/__init__.py") };
        [format!("{base}.py"), package].into_iter().find(|path| self.files.exists(path))
    }

    /// The file behind a path without its extension, what Node would run first.
    pub(crate) fn javascript_module(&self, base: &str) -> Option<String> {
        self.imported(base, false)
    }

    /// The same; a file of TypeScript means another one of TypeScript first, also where it writes `.js`.
    fn imported(&self, base: &str, typescript: bool) -> Option<String> {
        const COMPILED: [&str; 4] = [".js", ".mjs", ".cjs", ".jsx"];
        const WRITTEN: [&str; 4] = [".ts", ".tsx", ".mts", ".cts"];
        let is_file = COMPILED.iter().chain(&WRITTEN).any(|end| base.ends_with(end));
        let exact = is_file.then(|| base.to_string());
        let written_for = |base: &str| -> Vec<String> {
            let stem = |end: &str| base.strip_suffix(end);
            match (stem(".js"), stem(".mjs"), stem(".cjs"), stem(".jsx")) {
                (Some(stem), ..) => vec![format!("{stem}.ts"), format!("{stem}.tsx")],
                (_, Some(stem), ..) => vec![format!("{stem}.mts")],
                (_, _, Some(stem), _) => vec![format!("{stem}.cts")],
                (.., Some(stem)) => vec![format!("{stem}.tsx")],
                _ => Vec::new(),
            }
        };
        let ends: Vec<&str> = match typescript {
            true => WRITTEN.iter().chain(&COMPILED).copied().collect(),
            false => COMPILED.iter().chain(&WRITTEN).copied().collect(),
        };
        let added = ["", "/index"].iter().flat_map(|index| ends.iter().map(move |end| format!("{base}{index}{end}")));
        exact.into_iter().chain(written_for(base)).chain(added).find(|path| self.files.exists(path))
    }
}

/// The folders in which a function's modules are looked for, relative to what is scanned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots {
    /// What is deployed as its code.
    pub(crate) code: String,
    /// What is deployed as its layers.
    pub(crate) layers: Vec<String>,
}

impl Roots {
    /// Where Python looks in layers. Whatever version the folder is named after, it is the function's.
    fn python(&self) -> impl Iterator<Item = String> {
        self.layers.iter().flat_map(|layer| {
            let within = |name: &str| if layer.is_empty() { name.to_string() } else { format!("{layer}/{name}") };
            [within("python"), layer.clone()]
        })
    }
}

fn package_and_rest(module: &str) -> (&str, &str) {
    let end = module.match_indices('/').map(|(at, _)| at).nth(usize::from(module.starts_with('@')));
    match end {
        Some(end) => (module.get(..end).unwrap_or(module), module.get(end + 1..).unwrap_or("")),
        None => (module, ""),
    }
}

/// `base/relative` with `.` and `..` taken out; none where it climbs out of the repository.
pub(crate) fn join(base: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
