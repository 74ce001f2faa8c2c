//! Where the index of advisories is kept when nobody says otherwise.

use std::path::PathBuf;

/// The environment variable that names the folder of Ringfence's data.
pub const DATA_VARIABLE: &str = "RINGFENCE_DATA";

/// The folder of the index in a folder of data.
pub fn index_folder(data: &std::path::Path) -> PathBuf {
    data.join("advisories")
}

/// The folder of the index in `RINGFENCE_DATA`, or else in the user's cache folder; none where neither is known.
pub fn default_index_folder() -> Option<PathBuf> {
    if let Some(data) = std::env::var_os(DATA_VARIABLE).filter(|data| !data.is_empty()) {
        return Some(index_folder(&PathBuf::from(data)));
    }
    // The specification of these folders says that a path which isn't absolute counts for nothing.
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = variable("XDG_CACHE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .or_else(|| variable("LOCALAPPDATA"));
    cache.map(|cache| index_folder(&cache.join("ringfence")))
}
