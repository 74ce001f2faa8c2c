//! Which fence holds: the one in `fence.yaml`, with a derived one for every function it doesn't know, or derived altogether.

use crate::terminal;
use anyhow::{Context, bail};
use findings::Diagnostic;
use graph::Application;
use source::{FileId, SourceFile, Sources};
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

/// The fence, and the file agents read it from.
pub(super) struct Fences {
    pub(super) fence: fence::Fence,
    pub(super) file: PathBuf,
    /// Where it came from, for people.
    pub(super) origin: String,
}

/// Works out the fence that holds and writes it where agents read it. A `fence.yaml` that can't be read is an error: running
/// without it would not be what its author wanted.
pub(super) fn effective(loaded: &scan::Loaded, application: &Application, state: &Path) -> anyhow::Result<Fences> {
    let shown = scan::fence_path(loaded, application);
    let derived = fence::derive(application, &loaded.sources);
    let (fence, origin) = match std::fs::read_to_string(loaded.root.join(&shown)) {
        Ok(text) => {
            let reading = fence::read(FileId(0), &text);
            let Some(mut fence) = reading.fence else {
                let mut sources = Sources::new();
                sources.add(SourceFile::new(&shown, text));
                for complaint in reading.complaints {
                    let diagnostic = Diagnostic::from_complaint("fence", complaint);
                    terminal::say(&scan::render::diagnostic(&sources, &diagnostic, terminal::style()));
                }
                bail!("`{shown}` can't be read, and running without it is not what it is for");
            };
            let mut added = Vec::new();
            for (name, function) in derived.functions {
                if let Entry::Vacant(vacant) = fence.functions.entry(name) {
                    added.push(vacant.key().clone());
                    vacant.insert(function);
                }
            }
            for (name, schema) in derived.schemas {
                fence.schemas.entry(name).or_insert(schema);
            }
            let origin =
                if added.is_empty() { shown } else { format!("{shown}, and derived for {}", added.join(", ")) };
            (fence, origin)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            (derived, format!("derived from the source; there is no {shown} yet (`ringfence fence` writes it)"))
        }
        Err(error) => return Err(error).with_context(|| format!("can't read `{shown}`")),
    };
    let file = state.join("fence.yaml");
    let text = match fence::update(None, &fence) {
        Ok(update) => update.text,
        Err(_) => bail!("the fence could not be written out"),
    };
    std::fs::write(&file, text).with_context(|| format!("can't write `{}`", file.display()))?;
    Ok(Fences { fence, file, origin })
}
