//! The commands, one file each.

pub(crate) mod deps;
pub(crate) mod explain;
pub(crate) mod fence;
pub(crate) mod fix;
pub(crate) mod gateway;
pub(crate) mod hunt;
pub(crate) mod inspect;
pub(crate) mod map;
pub(crate) mod policy;
pub(crate) mod scan;
pub(crate) mod send;
pub(crate) mod up;
pub(crate) mod update;
pub(crate) mod waf;

use std::path::Path;

/// What an exit code means; part of the interface.
pub(crate) mod exit {
    /// Findings at or over the threshold, drift, a refusal.
    pub(crate) const FOUND: u8 = 1;
    /// The work could not be done, or not all of it.
    pub(crate) const FAILED: u8 = 2;
}

/// Loads what a path holds, with a hint where it holds nothing.
pub(crate) fn load(path: &Path, options: &::scan::Options) -> anyhow::Result<::scan::Loaded> {
    let loaded = ::scan::load(path, options)?;
    if loaded.templates == 0 {
        anyhow::bail!(
            "no serverless application under `{}`: {}",
            path.display(),
            match loaded.files {
                0 => "nothing there that could be read as a template".to_string(),
                1 => "1 file, which is no CloudFormation or SAM template".to_string(),
                files => format!("{files} files, none of them a CloudFormation or SAM template"),
            }
        );
    }
    Ok(loaded)
}

/// Year, month and day in UTC.
pub(crate) fn today() -> (u16, u8, u8) {
    let date = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    (date.year().unsigned_abs(), date.month().unsigned_abs(), date.day().unsigned_abs())
}

/// Says on standard error what could not be read, for commands whose output isn't a report.
pub(crate) fn tell_errors(loaded: &::scan::Loaded) {
    let style = crate::terminal::error_style();
    for diagnostic in loaded.diagnostics.iter().filter(|diagnostic| diagnostic.level == findings::Level::Error) {
        crate::terminal::say(&format!("{}\n", ::scan::render::diagnostic(&loaded.sources, diagnostic, style)));
    }
}
