//! Talking to the terminal: colours where there is one, errors with their causes.

use scan::render::Style;
use std::io::{IsTerminal, Write};

/// How to write to standard output: coloured on a terminal, unless `NO_COLOR` says otherwise, as wide as the terminal.
pub(crate) fn style() -> Style {
    style_of(std::io::stdout().is_terminal(), terminal_size::terminal_size())
}

/// The same for standard error.
pub(crate) fn error_style() -> Style {
    style_of(std::io::stderr().is_terminal(), terminal_size::terminal_size_of(std::io::stderr()))
}

fn style_of(is_terminal: bool, size: Option<(terminal_size::Width, terminal_size::Height)>) -> Style {
    let colour = match (std::env::var_os("NO_COLOR"), std::env::var_os("CLICOLOR_FORCE")) {
        (Some(no), _) if !no.is_empty() => false,
        (_, Some(force)) if !force.is_empty() && force != "0" => true,
        _ => is_terminal,
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or(size.map(|(width, _)| usize::from(width.0))).unwrap_or(120);
    Style { colour, width }
}

/// Writes to standard output. A reader that has gone (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes text to a file, or to standard output where none is named.
pub(crate) fn deliver(text: &str, output: Option<&std::path::Path>) -> anyhow::Result<()> {
    match output {
        Some(path) => {
            std::fs::write(path, text).map_err(|error| anyhow::anyhow!("can't write `{}`: {error}", path.display()))
        }
        None => print(text),
    }
}

/// Says on standard error why the work could not be done.
pub(crate) fn error(error: &anyhow::Error) {
    let mut stderr = std::io::stderr().lock();
    // There is nobody left to tell when standard error is gone.
    let _ = writeln!(stderr, "error: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(stderr, "  because: {cause}");
    }
}

/// Says something on standard error that isn't an error: progress, a hint.
pub(crate) fn say(text: &str) {
    // There is nobody left to tell when standard error is gone.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
