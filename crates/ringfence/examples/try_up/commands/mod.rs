pub(crate) mod send;
pub(crate) mod up;
pub(crate) mod exit {
    pub(crate) const FOUND: u8 = 1;
    pub(crate) const FAILED: u8 = 2;
}
pub(crate) fn load(path: &std::path::Path, options: &::scan::Options) -> anyhow::Result<::scan::Loaded> {
    Ok(::scan::load(path, options)?)
}
pub(crate) fn tell_errors(loaded: &::scan::Loaded) {
    let style = crate::terminal::style();
    for diagnostic in loaded.diagnostics.iter().filter(|diagnostic| diagnostic.level == findings::Level::Error) {
        crate::terminal::say(&::scan::render::diagnostic(&loaded.sources, diagnostic, style));
    }
}
