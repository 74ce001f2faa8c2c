//! What a function's code does: Python, JavaScript and TypeScript handlers read into [`graph::Behaviour`].
//!
//! Each file is parsed with tree-sitter and lowered once to a small form that the languages share (`syntax`). One
//! evaluation core (`evaluate`, `call`, `access`) runs it over abstract values: environment variables, text with holes, parts
//! of the event, clients of cloud services. Reading starts with the module of the handler (`locate`, `container`) and goes on
//! through everything the handler calls, in its own folder, in layers and in packages of the same repository (`project`,
//! `workspace`), so a helper that nothing calls doesn't count. What libraries do is modelled in `library`, on top of the SDK
//! tables of the crate `facts`; what services do with their caller's permissions in `library::effects`. What of the event
//! arrives where its text is more than data is noted on the way (`taint`, `library::sinks`, `library::checks`).
//!
//! Sharing: [`read_handlers`] takes all functions of an estate at once, reads each file once however many functions need it,
//! spreads the functions over threads, and adds the files it used to the caller's [`Sources`] in a fixed order.
//!
//! Deliberately absent: what types say, code in archives, in layers from elsewhere and in installed packages, SDKs that a bundle
//! holds itself, native modules, and code that text is made into at run time (`eval`, `getattr` with a name that isn't literal; the
//! second is a diagnostic). Branches are not told apart by their conditions, loops run once, and
//! a function is followed with a bounded number of different arguments.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod call;
mod container;
mod dead;
mod evaluate;
mod event;
mod handler;
mod heap;
mod inline;
mod javascript;
mod library;
mod locate;
mod lower;
mod project;
mod python;
mod record;
mod report;
mod syntax;
mod taint;
mod typescript;
mod value;
mod walk;
mod workspace;

pub use container::{Container, container};
use findings::Diagnostic;
use project::Project;
use source::{Sources, Span};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Files of the repository by path relative to what is scanned, `/`-separated, without `./` in front; the root itself is the
/// empty path.
pub trait Files: Sync {
    /// The text of a file; none when it is absent or unreadable.
    fn read(&self, path: &str) -> Option<String>;
    /// Whether there is a file of this path.
    fn exists(&self, path: &str) -> bool;
    /// The names (not paths) of what is in a folder; empty when there is no such folder.
    fn list(&self, directory: &str) -> Vec<String>;
}

/// A language that handlers are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Python 2 or 3.
    Python,
    /// JavaScript, CommonJS or ES modules, and TypeScript.
    JavaScript,
}

impl Language {
    /// The language of a runtime id (`python3.12`, `nodejs20.x`), if it is one of ours.
    pub fn of_runtime(runtime: &str) -> Option<Self> {
        match runtime {
            runtime if runtime.starts_with("python") => Some(Self::Python),
            runtime if runtime.starts_with("nodejs") => Some(Self::JavaScript),
            _ => None,
        }
    }
}

/// Which handler to read.
#[derive(Debug, Clone, Copy)]
pub struct Handler<'a> {
    /// The folder that is deployed, relative to what is scanned; the empty path for the root.
    pub code_root: &'a str,
    /// The handler as the template names it: `src/app.handler`, `app.lambda_handler`, `a/b/c.d`.
    pub handler: &'a str,
    /// Its language.
    pub language: Language,
    /// The folders of the repository that are deployed as its layers, relative to what is scanned.
    pub layers: &'a [String],
}

/// What was read of one function.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What its code does; none when its handler's file couldn't be found or read.
    pub behaviour: Option<graph::Behaviour>,
    /// What couldn't be read or told, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
}

/// Stack of a reading thread: the evaluation's depth limits fit in it with room to spare, in debug builds too.
const STACK_BYTES: usize = 64 << 20;

/// Reads many handlers, in parallel; the readings are in the order of the handlers. Files that aren't in `sources` yet (by
/// path) are added, in the order of first use.
pub fn read_handlers(files: &dyn Files, sources: &mut Sources, handlers: &[Handler<'_>]) -> Vec<Reading> {
    let project = Project::new(files);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(handlers.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((index, handler)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            handlers.get(index).map(|handler| (index, handler))
        } {
            done.push((index, handler::read(&project, handler)));
        }
        done
    };
    let mut drafts: Vec<Option<report::Draft>> = handlers.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads)
            .filter_map(|_| std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).ok())
            .collect();
        for (index, draft) in spawned.into_iter().filter_map(|thread| thread.join().ok()).flatten() {
            if let Some(slot) = drafts.get_mut(index) {
                *slot = Some(draft);
            }
        }
    });
    let mut by_path: HashMap<String, source::FileId> =
        sources.iter().map(|(id, file)| (file.path().to_string(), id)).collect();
    drafts
        .into_iter()
        .map(|draft| draft.unwrap_or_else(report::Draft::lost))
        .map(|draft| draft.finish(sources, &mut by_path))
        .collect()
}

/// Reads the handler `handler` found below `code_root` and everything it reaches through local imports.
pub fn read_handler(
    files: &dyn Files,
    sources: &mut Sources,
    code_root: &str,
    handler: &str,
    language: Language,
) -> Reading {
    read_handlers(files, sources, &[Handler { code_root, handler, language, layers: &[] }]).pop().unwrap_or_default()
}

/// Reads code that is written into a template: `code` is its text, `block` where the template has it. Spans point into the
/// template, at the line itself where the block holds the code line by line, at the whole block otherwise. `handler` is
/// what the template says (`index.handler`); only its last part counts.
pub fn read_inline(sources: &Sources, block: Span, code: &str, handler: &str, language: Language) -> Reading {
    let lines = inline::Lines::new(sources.slice(block), block, code);
    let draft = std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || handler::read_inline(code, handler, language))
            .ok()
            .and_then(|thread| thread.join().ok())
    });
    draft.unwrap_or_else(report::Draft::lost).finish_inline(&lines)
}
