//! How far the scan has come, on one line of standard error: only on a terminal, only after a moment, and never in a build.

use scan::{Counts, Progress, Stage};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Work that ends before isn't worth a line.
const PATIENCE: Duration = Duration::from_millis(400);
/// Between two drawings.
const PAUSE: Duration = Duration::from_millis(80);

/// The line; it goes when this does.
pub(super) struct Line {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Begins to draw, where somebody watches.
    pub(super) fn begin(progress: &Arc<Progress>) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false");
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if !std::io::stderr().is_terminal() || set("CI") || dumb {
            return Self { stop: None, thread: None };
        }
        let columns = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| usize::from(width.0));
        let progress = Arc::clone(progress);
        let (stop, stopped) = channel();
        let started = Instant::now();
        let work = move || {
            let mut drawn = false;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(PAUSE) {
                if started.elapsed() < PATIENCE {
                    continue;
                }
                drawn = true;
                let text = shown(progress.counts(), columns);
                // There is nobody left to tell when standard error is gone.
                let _ = write!(std::io::stderr().lock(), "\r\u{1b}[2K{text}");
            }
            if drawn {
                let _ = write!(std::io::stderr().lock(), "\r\u{1b}[2K");
            }
        };
        Self { stop: Some(stop), thread: std::thread::Builder::new().spawn(work).ok() }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A line that could not be drawn is no reason to fail.
            let _ = thread.join();
        }
    }
}

/// The line for a terminal of so many columns.
fn shown(counts: Counts, columns: usize) -> String {
    const WIDTH: usize = 24;
    let mut line = String::new();
    // Writing to a string can't fail.
    let _ = match counts.stage {
        Stage::Walking => write!(line, "looking for templates"),
        Stage::Templates => {
            let full = WIDTH * counts.looked_at.min(counts.candidates) / counts.candidates.max(1);
            let bar = "\u{2588}".repeat(full) + &"\u{2591}".repeat(WIDTH - full);
            write!(
                line,
                "templates {bar} {} of {}, {} files",
                counts.looked_at.min(counts.candidates),
                counts.candidates,
                counts.files
            )
        }
        Stage::Code => write!(line, "code of {} functions: {} files read", counts.functions, counts.code_files),
        Stage::Audits => write!(line, "audits over {} functions", counts.functions),
    };
    line.chars().take(columns.saturating_sub(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_many_of_how_many_and_fits_the_terminal() {
        let counts = Counts {
            stage: Stage::Templates,
            files: 13_278,
            candidates: 1_000,
            looked_at: 500,
            functions: 0,
            code_files: 0,
        };
        let line = shown(counts, 120);
        assert!(line.ends_with("500 of 1000, 13278 files"), "{line}");
        assert_eq!(line.matches('\u{2588}').count(), line.matches('\u{2591}').count());
        assert_eq!(shown(counts, 20).chars().count(), 19);
        // More than all, or all of nothing, is no reason to stumble.
        shown(Counts { looked_at: 2, candidates: 1, ..counts }, 80);
        shown(Counts { looked_at: 0, candidates: 0, ..counts }, 80);
    }
}
