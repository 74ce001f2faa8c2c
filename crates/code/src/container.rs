//! Which handler a container image runs, as far as its Dockerfile lies in the repository.
//!
//! Deliberately absent: build arguments, stages other than the last, and what the base image brings.

use crate::project::join;
use crate::{Files, Language};

/// What an image runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// The folder whose files are the function's, relative to what is scanned.
    pub code_root: String,
    /// The handler, or the command that starts a server.
    pub handler: String,
    /// Its language.
    pub language: Language,
    /// Folders whose contents are put beside that code.
    pub beside: Vec<String>,
}

/// Reads the Dockerfile at `path`, built in the folder `context` (both relative to what is scanned). `command` is what the template
/// gives instead of the image's own. None where it can't be told what runs, or it is in no language that is read.
pub fn container(files: &dyn Files, context: &str, path: &str, command: Option<&[String]>) -> Option<Container> {
    let text = files.read(path)?.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut base = String::new();
    let mut own: Vec<String> = Vec::new();
    let mut sources: Vec<String> = Vec::new();
    for line in text.lines().take(1_000) {
        let line = line.trim();
        let Some((word, rest)) = line.split_once(char::is_whitespace) else { continue };
        match word.to_ascii_uppercase().as_str() {
            "FROM" => base = rest.to_ascii_lowercase(),
            "CMD" => own = words(rest),
            "COPY" | "ADD" => {
                let parts = words(rest);
                let parts: Vec<&String> = parts.iter().filter(|part| !part.starts_with("--")).collect();
                if let Some((_, from)) = parts.split_last() {
                    sources.extend(from.iter().filter_map(|from| join(context, from)));
                }
            }
            _ => {}
        }
    }
    let command = command.map_or(own, <[String]>::to_vec);
    let first = command.first()?;
    let is_server = command.len() > 1;
    let (module, _) = match is_server {
        true => (first.as_str(), ""),
        false => first.rsplit_once('.')?,
    };
    let language = match (base.contains("python"), base.contains("node")) {
        (true, _) => Language::Python,
        (_, true) => Language::JavaScript,
        _ => return None,
    };
    let relative = match language {
        Language::Python => module.replace('.', "/"),
        Language::JavaScript => module.to_string(),
    };
    let ends: &[&str] = match language {
        Language::Python => &[".py", "/__init__.py"],
        Language::JavaScript => &[".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"],
    };
    let mut roots: Vec<String> = sources
        .iter()
        .map(|source| match source.rsplit_once('/') {
            // A file is put where the handler is looked for; a folder's files are.
            Some((folder, _)) if files.exists(source) => folder.to_string(),
            None if files.exists(source) => String::new(),
            _ => source.clone(),
        })
        .collect();
    roots.push(context.to_string());
    let holds = |root: &&String| {
        let Some(base) = join(root, &relative) else { return false };
        is_server || ends.iter().any(|end| files.exists(&format!("{base}{end}")))
    };
    let code_root = roots.iter().find(holds)?.clone();
    // `COPY src/shared ./shared` keeps the folder's name, `COPY src/shared .` doesn't.
    let mut beside: Vec<String> = Vec::new();
    for folder in sources.iter().filter(|source| !files.exists(source)) {
        let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent).to_string();
        for one in [folder.clone(), parent] {
            let inside = context.is_empty() || one == context || one.starts_with(&format!("{context}/"));
            if inside && one != code_root && !beside.contains(&one) {
                beside.push(one);
            }
        }
    }
    Some(Container { code_root, handler: command.join(" "), language, beside })
}

/// The words of an instruction, in either of its forms.
fn words(text: &str) -> Vec<String> {
    let text = text.trim();
    let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match list {
        Some(list) => list
            .split(',')
            .map(|word| word.trim().trim_matches(['"', '\'']).to_string())
            .filter(|word| !word.is_empty())
            .collect(),
        None => text.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_string()).collect(),
    }
}
