//! The files of a repository, read and lowered once each, and how imports find them.

use crate::syntax::Module;
use crate::{Files, Language, javascript, python};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// Longer files aren't read: no handler is, and a bundle of that size says little about the code that made it.
pub(crate) const MAX_BYTES: usize = 2 << 20;

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
        let grammar = match language {
            Language::Python => tree_sitter_python::LANGUAGE.into(),
            Language::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
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
}

impl<'f> Project<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Self {
        Self { files, loaded: Mutex::new(HashMap::new()) }
    }

    /// The file at a path, lowered at the first request.
    pub(crate) fn load(&self, path: &str, language: Language) -> Option<Arc<Loaded>> {
        let slot = {
            // A poisoned lock only means that another thread's function was given up; the map itself is whole.
            let mut loaded = self.loaded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            loaded.entry(path.to_string()).or_default().clone()
        };
        slot.get_or_init(|| {
            let text = self.files.read(path)?;
            Some(Arc::new(Loaded::parse(path.to_string(), text, language)))
        })
        .clone()
    }

    /// The file that `module` (`a.b`, `.a`, `./a`, `../a/b.mjs`) means in a file at `from`.
    pub(crate) fn resolve(&self, code_root: &str, from: &str, module: &str, language: Language) -> Option<String> {
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
                self.python_module(&join(code_root, &rest)?).or_else(|| self.python_module(&join(folder, &rest)?))
            }
            Language::JavaScript => {
                if !module.starts_with('.') {
                    return None;
                }
                self.javascript_module(&join(folder, module)?)
            }
        }
    }

    pub(crate) fn python_module(&self, base: &str) -> Option<String> {
        let package = if base.is_empty() { "__init__.py".to_string() } else { format!("{base}/__init__.py") };
        [format!("{base}.py"), package].into_iter().find(|path| self.files.exists(path))
    }

    pub(crate) fn javascript_module(&self, base: &str) -> Option<String> {
        let is_file = [".js", ".mjs", ".cjs"].iter().any(|end| base.ends_with(end));
        let exact = is_file.then(|| base.to_string());
        let others =
            ["", "/index"].iter().flat_map(|index| [".js", ".mjs", ".cjs"].map(|end| format!("{base}{index}{end}")));
        exact.into_iter().chain(others).find(|path| self.files.exists(path))
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
