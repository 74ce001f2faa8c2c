//! How far the work has come, for whoever waits: counters that the work adds to and somebody else looks at now and then.
//!
//! Deliberately absent: drawing.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking what files there are.
    Walking,
    /// Reading templates; how many of how many.
    Templates,
    /// Reading the functions' code.
    Code,
    /// Running the audits.
    Audits,
}

/// Counters of the work that goes on.
#[derive(Debug, Default)]
pub struct Progress {
    stage: AtomicU8,
    files: AtomicUsize,
    candidates: AtomicUsize,
    looked_at: AtomicUsize,
    functions: AtomicUsize,
    code_files: AtomicUsize,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// What is being done.
    pub stage: Stage,
    /// Files below the path; 0 until that is known.
    pub files: usize,
    /// Files that may be templates.
    pub candidates: usize,
    /// How many of those were looked at.
    pub looked_at: usize,
    /// Functions whose code is read.
    pub functions: usize,
    /// Files of code that were read so far.
    pub code_files: usize,
}

impl Progress {
    /// The counters now.
    pub fn counts(&self) -> Counts {
        let load = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        Counts {
            stage: match self.stage.load(Ordering::Relaxed) {
                0 => Stage::Walking,
                1 => Stage::Templates,
                2 => Stage::Code,
                _ => Stage::Audits,
            },
            files: load(&self.files),
            candidates: load(&self.candidates),
            looked_at: load(&self.looked_at),
            functions: load(&self.functions),
            code_files: load(&self.code_files),
        }
    }

    /// The files of code, counted as they are read.
    pub(crate) fn counted<'a>(&'a self, files: &'a dyn code::Files) -> impl code::Files + 'a {
        Counted { files, progress: self }
    }

    pub(crate) fn templates(&self, files: usize, candidates: usize) {
        self.files.store(files, Ordering::Relaxed);
        self.candidates.store(candidates, Ordering::Relaxed);
        self.stage.store(1, Ordering::Relaxed);
    }

    pub(crate) fn looked_at_one(&self) {
        self.looked_at.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn code(&self, functions: usize) {
        self.functions.store(functions, Ordering::Relaxed);
        self.stage.store(2, Ordering::Relaxed);
    }

    pub(crate) fn audits(&self) {
        self.stage.store(3, Ordering::Relaxed);
    }
}

struct Counted<'a> {
    files: &'a dyn code::Files,
    progress: &'a Progress,
}

impl code::Files for Counted<'_> {
    fn read(&self, path: &str) -> Option<String> {
        self.progress.code_files.fetch_add(1, Ordering::Relaxed);
        self.files.read(path)
    }

    fn exists(&self, path: &str) -> bool {
        self.files.exists(path)
    }

    fn list(&self, directory: &str) -> Vec<String> {
        self.files.list(directory)
    }
}
