//! From OSV documents to index files: one for each ecosystem, the same bytes whatever the order the documents came in.

use super::codec::Writer;
use super::index::{Header, MAGIC, file_name};
use super::zip::{Archive, MAX_ENTRY};
use super::{Advisory, Affected, osv};
use crate::Ecosystem;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How deep folders of advisories are walked.
const MAX_DEPTH: usize = 16;
/// The largest archive that is read, in bytes.
const MAX_ARCHIVE: u64 = 4 << 30;
/// How many broken documents are named one by one.
const MAX_NAMED: usize = 5;

/// The bytes of index files, one for each ecosystem.
pub type IndexFiles = Vec<(Ecosystem, Vec<u8>)>;

/// Collects advisories.
#[derive(Default)]
pub struct Build {
    documents: BTreeMap<String, osv::Read>,
    built: Built,
}

/// What was read and what was left out.
#[derive(Debug, Clone, Default)]
pub struct Built {
    /// What the index holds now, by ecosystem; only those that the input spoke of.
    pub holdings: Vec<Holding>,
    /// Documents that were read.
    pub documents: usize,
    /// Documents left out because they were withdrawn.
    pub withdrawn: usize,
    /// Documents left out because they name no version that could be compared.
    pub silent: usize,
    /// Entries about ecosystems that aren't known here, by name.
    pub strange: BTreeMap<String, usize>,
    /// Version ranges left out because their versions can't be compared.
    pub unreadable_ranges: usize,
    /// How many documents couldn't be read.
    pub broken: usize,
    /// The first few of them, with the reason.
    pub broken_names: Vec<String>,
}

/// What an index holds of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Which.
    pub ecosystem: Ecosystem,
    /// How many advisories.
    pub advisories: usize,
    /// How many packages they speak of.
    pub packages: usize,
    /// When the newest of them was last changed, as its database wrote it; empty where none says.
    pub newest: String,
}

/// Why nothing could be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file or folder can't be opened.
    #[error("can't read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is no archive of advisories and no advisory.
    #[error("`{}` is neither a ZIP archive nor an advisory", .0.display())]
    Kind(PathBuf),
    /// More than an index can address.
    #[error("too many advisories for one index")]
    TooLarge,
    /// The index can't be written.
    #[error("can't write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Build {
    /// A collection without advisories.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one document; what is wrong with it is noted.
    pub fn document(&mut self, name: &str, bytes: &[u8]) {
        match osv::read(bytes) {
            Ok(read) => {
                self.built.documents += 1;
                // The same advisory may come twice; the later state of it stays, whichever came first.
                let older = self.documents.get(&read.advisory.id).is_some_and(|known| {
                    (&known.modified, format!("{known:?}")) >= (&read.modified, format!("{read:?}"))
                });
                if !older {
                    self.documents.insert(read.advisory.id.clone(), read);
                }
            }
            Err(error) => self.broken(name, &error.to_string()),
        }
    }

    fn broken(&mut self, name: &str, reason: &str) {
        self.built.broken += 1;
        if self.built.broken_names.len() < MAX_NAMED {
            self.built.broken_names.push(format!("{name}: {reason}"));
        }
    }

    /// Takes every JSON document of a folder or of a ZIP archive, or one document.
    ///
    /// # Errors
    /// Where the path itself can't be read; anything inside it that can't is counted.
    pub fn path(&mut self, path: &Path) -> Result<(), BuildError> {
        let unreadable = |source| BuildError::Read { path: path.to_path_buf(), source };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            std::fs::read_dir(path).map_err(unreadable)?;
            self.folder(path, 0);
            return Ok(());
        }
        if metadata.len() > MAX_ARCHIVE {
            return Err(unreadable(std::io::Error::other("larger than 4 GiB")));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        if let Some(archive) = Archive::open(&bytes) {
            self.archive(&archive);
        } else if bytes.trim_ascii_start().starts_with(b"{") {
            self.document(&path.display().to_string(), &bytes);
        } else {
            return Err(BuildError::Kind(path.to_path_buf()));
        }
        Ok(())
    }

    fn archive(&mut self, archive: &Archive<'_>) {
        let mut seen = 0;
        for entry in archive.entries() {
            seen += 1;
            if !entry.name.ends_with(".json") {
                continue;
            }
            match entry.content() {
                Some(content) => self.document(&entry.name, &content),
                None => self.broken(&entry.name, "can't be unpacked"),
            }
        }
        if seen < archive.count() {
            self.broken("the archive", &format!("ends after {seen} of {} entries", archive.count()));
        }
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) if depth < MAX_DEPTH => entries,
            Ok(_) => return self.broken(&folder.display().to_string(), "nested too deep"),
            Err(error) => return self.broken(&folder.display().to_string(), &error.to_string()),
        };
        for entry in entries.flatten() {
            let path = entry.path();
            // Links are not followed, so a loop of them ends nothing.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                self.folder(&path, depth + 1);
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "json") {
                let small = entry.metadata().is_ok_and(|metadata| metadata.len() <= MAX_ENTRY);
                match std::fs::read(&path) {
                    Ok(bytes) if small => self.document(&path.display().to_string(), &bytes),
                    Ok(_) => self.broken(&path.display().to_string(), "larger than an advisory may be"),
                    Err(error) => self.broken(&path.display().to_string(), &error.to_string()),
                }
            }
        }
    }

    /// The index as bytes, one file for each ecosystem, with what it holds.
    ///
    /// # Errors
    /// Where there is more than an index can address.
    pub fn finish(mut self) -> Result<(IndexFiles, Built), BuildError> {
        let mut shelves: BTreeMap<Ecosystem, Shelf<'_>> = BTreeMap::new();
        for read in self.documents.values() {
            if read.withdrawn {
                self.built.withdrawn += 1;
                continue;
            }
            self.built.unreadable_ranges += read.unreadable_ranges;
            for name in &read.strange {
                *self.built.strange.entry(name.clone()).or_default() += 1;
            }
            if read.affected.is_empty() && read.strange.is_empty() {
                self.built.silent += 1;
            }
            for (ecosystem, name, affected) in &read.affected {
                let shelf = shelves.entry(*ecosystem).or_default();
                let same = shelf.advisories.last().is_some_and(|last| last.id == read.advisory.id);
                if !same {
                    shelf.advisories.push(&read.advisory);
                }
                shelf.newest = shelf.newest.max(&read.modified);
                let number = shelf.advisories.len() - 1;
                shelf.packages.entry(name).or_default().push((number, affected));
            }
        }
        let mut files = Vec::new();
        for (ecosystem, shelf) in &shelves {
            files.push((*ecosystem, shelf.bytes(*ecosystem).ok_or(BuildError::TooLarge)?));
            self.built.holdings.push(Holding {
                ecosystem: *ecosystem,
                advisories: shelf.advisories.len(),
                packages: shelf.packages.len(),
                newest: shelf.newest.to_string(),
            });
        }
        Ok((files, self.built))
    }

    /// Writes the index into a folder. Ecosystems that the input didn't speak of keep what they had.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn write(self, folder: &Path) -> Result<Built, BuildError> {
        let (files, built) = self.finish()?;
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| BuildError::Write { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        for (ecosystem, bytes) in files {
            let path = folder.join(file_name(ecosystem));
            // Under another name first, so that who reads meanwhile sees the old index or the new one.
            let draft = folder.join(format!("{}.{}.new", file_name(ecosystem), std::process::id()));
            std::fs::write(&draft, bytes).map_err(failed(&draft))?;
            std::fs::rename(&draft, &path).map_err(failed(&path))?;
        }
        Ok(built)
    }
}

/// One ecosystem's part.
#[derive(Default)]
struct Shelf<'a> {
    advisories: Vec<&'a Advisory>,
    packages: BTreeMap<&'a String, Vec<(usize, &'a Affected)>>,
    newest: &'a str,
}

impl Shelf<'_> {
    /// Header, table of packages, their names, then the records.
    fn bytes(&self, ecosystem: Ecosystem) -> Option<Vec<u8>> {
        let names_length: usize = self.packages.keys().map(|name| name.len()).sum();
        let records_start = Header::LENGTH + self.packages.len() * Header::ROW + names_length;
        let mut records = Writer::default();
        let places: Vec<(usize, usize)> = self
            .advisories
            .iter()
            .map(|advisory| {
                let start = records.0.len();
                records.advisory(advisory);
                (start, records.0.len() - start)
            })
            .collect();
        let (mut rows, mut names) = (Vec::new(), Vec::new());
        for (name, affected) in &self.packages {
            let start = records.0.len();
            for (number, versions) in affected {
                let (offset, length) = places.get(*number)?;
                records.number((records_start + offset) as u64);
                records.number(*length as u64);
                records.affected(versions);
            }
            rows.extend(u32::try_from(names.len()).ok()?.to_le_bytes());
            rows.extend(u32::try_from(name.len()).ok()?.to_le_bytes());
            rows.extend(u32::try_from(affected.len()).ok()?.to_le_bytes());
            rows.extend(u32::try_from(records.0.len() - start).ok()?.to_le_bytes());
            rows.extend(((records_start + start) as u64).to_le_bytes());
            names.extend_from_slice(name.as_bytes());
        }
        let mut table = rows;
        table.extend(names);
        let header = Header {
            ecosystem: u32::try_from(Ecosystem::ALL.iter().position(|one| *one == ecosystem)?).ok()?,
            advisories: u32::try_from(self.advisories.len()).ok()?,
            packages: u32::try_from(self.packages.len()).ok()?,
            names: u32::try_from(names_length).ok()?,
            length: (records_start + records.0.len()) as u64,
            checksum: super::index::checksum(&table),
            newest: self.newest.to_string(),
        };
        let mut bytes = Vec::with_capacity(records_start + records.0.len());
        bytes.extend_from_slice(MAGIC);
        header.write(&mut bytes);
        bytes.extend(table);
        bytes.extend(records.0);
        Some(bytes)
    }
}
