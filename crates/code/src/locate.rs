//! Which file a handler's name means: beside the code as deployed, or what that is compiled, bundled or started from.
//!
//! Deliberately absent: unpacking archives, container images, start scripts that decide at run time what they start.

use crate::library::packages;
use crate::project::{Project, join};
use crate::{Files, Handler, Language, typescript};

/// Folders that compilers and bundlers write to by convention.
const OUTPUTS: [&str; 7] = ["dist", "build", "lib", "out", ".build", "bundle", "bin"];
/// Folders deeper than this aren't searched for what a bundle was made from.
const MAX_SEARCH_DEPTH: usize = 5;
/// Entries looked at in such a search.
const MAX_SEARCHED: usize = 3_000;
/// Start scripts that start one another.
const MAX_SCRIPTS: usize = 4;

/// Where a handler is defined.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Located {
    /// A function of a file.
    Function { path: String, function: String },
    /// A server that a script starts: the file, and what of it serves, where that is named.
    Program { path: String, application: Option<String>, language: Language },
    /// What is deployed is an archive.
    Archive,
    /// A script starts something that can't be told; the script.
    Script(String),
    /// There is no such file; where it would have been.
    Missing { root: String, base: String },
    /// Not a handler's name.
    NoName,
    /// Outside of what is scanned.
    Outside,
}

pub(crate) fn locate(project: &Project<'_>, handler: &Handler<'_>) -> Located {
    let is_file =
        [".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"].iter().any(|end| handler.code_root.ends_with(end));
    if [".zip", ".jar", ".war", ".tgz", ".tar.gz"].iter().any(|end| handler.code_root.ends_with(end)) {
        return Located::Archive;
    }
    // A single file may be deployed, too.
    let code_root = match is_file {
        true => handler.code_root.rsplit_once('/').map_or("", |(folder, _)| folder),
        false => handler.code_root,
    };
    let Some(root) = join("", code_root) else { return Located::Outside };
    // A container's command.
    if handler.handler.contains(' ') {
        let words: Vec<&str> = handler.handler.split_whitespace().collect();
        let started = command_starts(project, &root, &words, 0);
        return started.unwrap_or_else(|| Located::Script(handler.handler.to_string()));
    }
    if let Some(script) = script_of(project.files, &root, handler.handler) {
        return started(project, &root, &script, 0).unwrap_or(Located::Script(script));
    }
    let Some((module, function)) = handler.handler.rsplit_once('.') else { return Located::NoName };
    let relative = match handler.language {
        Language::Python => module.replace('.', "/"),
        Language::JavaScript => module.to_string(),
    };
    let Some(base) = join(&root, &relative) else { return Located::Outside };
    let found = match handler.language {
        Language::Python => project.python_module(&base),
        Language::JavaScript => {
            project.javascript_module(&base).or_else(|| source_of(project, &root, &relative, &base))
        }
    };
    match found {
        Some(path) => Located::Function { path, function: function.to_string() },
        None => Located::Missing { root, base },
    }
}

/// What a bundle or a compiler's output is made from.
fn source_of(project: &Project<'_>, root: &str, relative: &str, base: &str) -> Option<String> {
    let first = |candidates: &[String]| candidates.iter().find_map(|base| project.javascript_module(base));
    if let Some(found) = first(&project.workspace.sources_of(project.files, base)) {
        return Some(found);
    }
    let mut candidates: Vec<String> = join(root, &format!("src/{relative}")).into_iter().collect();
    // `dist/handlers/app` is made from `src/handlers/app` or `handlers/app`, beside the folder or, where that itself is deployed, above.
    let mut plain: Vec<(String, &str)> = vec![(root.to_string(), relative)];
    for output in OUTPUTS {
        if let Some(rest) = relative.strip_prefix(output).and_then(|rest| rest.strip_prefix('/')) {
            plain.push((root.to_string(), rest));
        }
    }
    let parts: Vec<&str> = root.split('/').collect();
    if let Some(at) = parts.iter().rposition(|part| OUTPUTS.contains(part)) {
        let home = parts.get(..at).unwrap_or_default().join("/");
        let inside = parts.get(at + 1..).unwrap_or_default().join("/");
        candidates.extend(join(&home, &format!("src/{inside}/{relative}")));
        candidates.extend(join(&home, &format!("{inside}/{relative}")));
        plain.push((home, relative));
    }
    for (home, relative) in &plain {
        candidates.extend(join(home, &format!("src/{relative}")));
        candidates.extend(join(home, relative));
    }
    if let Some(found) = first(&candidates) {
        return Some(found);
    }
    // A bundler flattens its entry points, or names folders after them: the one file of that name it is.
    for (home, relative) in plain.iter().rev() {
        let (folders, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        let last_folder = folders.rsplit('/').next().filter(|folder| !folder.is_empty());
        let mut found = Vec::new();
        let mut looked = 0;
        search(project.files, home, 0, &mut looked, &mut |path| {
            let Some((stem, _)) = path.rsplit_once('.') else { return };
            let of_name = stem.rsplit('/').next() == Some(name);
            let of_folder = last_folder.is_some_and(|folder| stem.ends_with(&format!("/{folder}/{name}")));
            let written = typescript::dialect(path).is_some() && !path.ends_with(".d.ts");
            if written && of_name {
                found.push((of_folder, path.to_string()));
            }
        });
        found.sort();
        if found.iter().any(|(of_folder, _)| *of_folder) {
            found.retain(|(of_folder, _)| *of_folder);
        }
        if let [(_, path)] = found.as_slice() {
            return Some(path.clone());
        }
    }
    None
}

fn search(files: &dyn Files, folder: &str, depth: usize, looked: &mut usize, each: &mut dyn FnMut(&str)) {
    for name in files.list(folder) {
        *looked += 1;
        if *looked > MAX_SEARCHED || depth > MAX_SEARCH_DEPTH {
            return;
        }
        if name == "node_modules" || name.starts_with('.') || matches!(&*name, "test" | "tests" | "__tests__") {
            continue;
        }
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if files.exists(&path) {
            each(&path);
        } else {
            search(files, &path, depth + 1, looked, each);
        }
    }
}

/// The start script that a handler's name means: of the Lambda Web Adapter, or of a runtime of one's own.
fn script_of(files: &dyn Files, root: &str, handler: &str) -> Option<String> {
    let name = handler.trim_start_matches("./");
    let is_script = name.ends_with(".sh") || name == "bootstrap" || !name.contains('.');
    let path = join(root, name)?;
    (is_script && files.exists(&path)).then_some(path)
}

/// What a start script starts.
fn started(project: &Project<'_>, root: &str, script: &str, depth: usize) -> Option<Located> {
    let text = project.files.read(script)?;
    let mut folder = root.to_string();
    let mut found = None;
    for line in text.lines().take(400) {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.starts_with('#') {
            continue;
        }
        for command in line.split("&&").flat_map(|part| part.split(';')) {
            let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
            if let ["cd", target, ..] = words.as_slice() {
                let target = target.trim_start_matches("/var/task").trim_start_matches("$LAMBDA_TASK_ROOT");
                folder = join(root, target).unwrap_or(folder);
                continue;
            }
            // The last one that is started stays.
            found = command_starts(project, &folder, &words, depth).or(found);
        }
    }
    found
}

/// What one command starts.
fn command_starts(project: &Project<'_>, folder: &str, words: &[&str], depth: usize) -> Option<Located> {
    let mut words = words.iter().copied().skip_while(|word| {
        matches!(
            *word,
            "exec" | "nohup" | "env" | "sudo" | "npx" | "time" | "opentelemetry-instrument" | "poetry" | "uv" | "run"
        ) || (word.contains('=') && !word.starts_with('-'))
    });
    let program = words.next()?;
    let program = program.rsplit('/').next().unwrap_or(program);
    let mut rest: Vec<&str> = words.collect();
    let file = |word: &str| {
        let word = word.trim_start_matches("/var/task/").trim_start_matches("$LAMBDA_TASK_ROOT/");
        join(folder, word)
    };
    let script = |path: Option<String>, language| {
        let path = path.filter(|path| project.files.exists(path))?;
        Some(Located::Program { path, application: None, language })
    };
    match program {
        "node" | "ts-node" | "tsx" | "nodemon" | "bun" => {
            let named = rest.iter().find(|word| !word.starts_with('-'))?;
            let base = file(named)?;
            let relative = named.trim_start_matches("./");
            let relative = relative.rsplit_once('.').map_or(relative, |(stem, _)| stem);
            let path = project
                .javascript_module(&base)
                .or_else(|| source_of(project, folder, relative, &join(folder, relative)?))?;
            Some(Located::Program { path, application: None, language: Language::JavaScript })
        }
        "npm" | "yarn" | "pnpm" if depth < MAX_SCRIPTS => {
            let wanted = rest.iter().find(|word| !word.starts_with('-') && **word != "run")?;
            let manifest = project.files.read(&file("package.json")?)?;
            let manifest = source::Document::json(source::FileId(0), &manifest).root;
            let command = manifest.at(&["scripts", wanted]).and_then(source::Node::as_str);
            match command {
                Some(command) => {
                    let commands = command.split("&&").map(|part| part.split_whitespace().collect::<Vec<_>>());
                    commands.filter_map(|words| command_starts(project, folder, &words, depth + 1)).last()
                }
                None => script(file("server.js"), Language::JavaScript),
            }
        }
        "sh" | "bash" if depth < MAX_SCRIPTS => {
            let path = file(rest.iter().find(|word| !word.starts_with('-'))?)?;
            started(project, folder, &path, depth + 1)
        }
        _ if program.starts_with("python") => {
            if rest.first() == Some(&"-m") && rest.len() > 1 {
                let module: Vec<&str> = rest.split_off(1);
                return command_starts(project, folder, &module, depth + 1).or_else(|| {
                    let path = project.python_module(&join(folder, &module.first()?.replace('.', "/"))?)?;
                    Some(Located::Program { path, application: None, language: Language::Python })
                });
            }
            script(file(rest.iter().find(|word| word.ends_with(".py"))?), Language::Python)
        }
        "uvicorn" | "gunicorn" | "hypercorn" | "daphne" | "flask" | "fastapi" | "streamlit" | "waitress-serve"
        | "granian" => {
            let file_of = |module: &str| project.python_module(&join(folder, &module.replace('.', "/"))?);
            for word in &rest {
                let named = word.trim_start_matches("--app=");
                let (module, application) = match named.split_once(':') {
                    Some((module, application)) => (module, Some(application.trim_end_matches("()").to_string())),
                    None => (named.trim_end_matches(".py"), None),
                };
                let plain = module.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '/'));
                if plain
                    && !module.is_empty()
                    && packages::package(module, Language::Python).is_some()
                    && let Some(path) = file_of(module)
                {
                    return Some(Located::Program { path, application, language: Language::Python });
                }
            }
            let path = ["app", "wsgi", "main"].iter().find_map(|module| file_of(module))?;
            Some(Located::Program { path, application: None, language: Language::Python })
        }
        // A script of its own, `./start.sh`.
        _ if program.ends_with(".sh") && depth < MAX_SCRIPTS => started(project, folder, &file(program)?, depth + 1),
        _ => None,
    }
}
