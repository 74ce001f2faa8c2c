//! The index as it is asked: the table of packages is read when it is opened, records only where a package is looked up.

use super::build::{Holding, IndexFiles};
use super::codec::Reader;
use super::{Advisory, Affected, Event};
use crate::Ecosystem;
use crate::versions::{Intervals, Scheme};
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The first bytes of an index file; the number is the version of its form.
pub(super) const MAGIC: &[u8; 8] = b"RFADV\x00\x01\n";

/// The largest table that is read, in bytes: some two million packages.
const MAX_TABLE: u64 = 128 << 20;

/// The name of an ecosystem's file.
pub(super) fn file_name(ecosystem: Ecosystem) -> String {
    format!("{}.advisories", ecosystem.name().to_ascii_lowercase().replace('.', "-"))
}

/// What stands behind the first bytes.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) ecosystem: u32,
    pub(super) advisories: u32,
    pub(super) packages: u32,
    pub(super) names: u32,
    pub(super) length: u64,
    pub(super) checksum: u64,
    pub(super) newest: String,
}

impl Header {
    /// First bytes and header together.
    pub(super) const LENGTH: usize = 8 + 16 + 16 + 40;
    /// One row of the table: offset and length of the name, number of records, their length, their offset.
    pub(super) const ROW: usize = 24;

    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        for number in [self.ecosystem, self.advisories, self.packages, self.names] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.checksum.to_le_bytes());
        let mut newest = [0; 40];
        for (slot, byte) in newest.iter_mut().zip(self.newest.bytes().filter(u8::is_ascii_graphic)) {
            *slot = byte;
        }
        bytes.extend(newest);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.get(..8)? != MAGIC {
            return None;
        }
        let newest = bytes.get(40..Self::LENGTH)?.split(|byte| *byte == 0).next()?;
        Some(Self {
            ecosystem: u32_at(bytes, 8)?,
            advisories: u32_at(bytes, 12)?,
            packages: u32_at(bytes, 16)?,
            names: u32_at(bytes, 20)?,
            length: u64_at(bytes, 24)?,
            checksum: u64_at(bytes, 32)?,
            newest: String::from_utf8_lossy(newest).into_owned(),
        })
    }
}

/// Tells a torn or altered table from a whole one (FNV-1a over words of eight bytes); no protection against malice.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(0xcbf2_9ce4_8422_2325, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)))
}

/// Advisories that can be asked about packages.
#[derive(Debug, Default)]
pub struct Index {
    shelves: BTreeMap<Ecosystem, Shelf>,
}

#[derive(Debug)]
struct Shelf {
    header: Header,
    table: Vec<u8>,
    store: Store,
    path: PathBuf,
}

#[derive(Debug)]
enum Store {
    File(Mutex<std::fs::File>),
    Memory(Vec<u8>),
}

/// Why an index can't be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It can't be read.
    #[error("can't read `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It is no index, of another version, torn or altered.
    #[error("`{}` isn't a whole index of advisories of this version; make it again with `ringfence update`", .0.display())]
    Broken(PathBuf),
}

impl Index {
    /// Opens what a folder holds; a folder without index files gives an index that [`holds`](Self::holds) nothing.
    ///
    /// # Errors
    /// Where an index file is there and can't be used.
    pub fn open(folder: &Path) -> Result<Self, IndexError> {
        let mut index = Self::default();
        for ecosystem in Ecosystem::ALL {
            let path = folder.join(file_name(ecosystem));
            let file = match std::fs::File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(IndexError::Read { path, source }),
            };
            index.shelves.insert(ecosystem, Shelf::open(ecosystem, Store::File(Mutex::new(file)), path)?);
        }
        Ok(index)
    }

    /// An index in memory, of what [`Build::finish`](super::Build::finish) made.
    ///
    /// # Errors
    /// Where the bytes are no index.
    pub fn of_bytes(files: IndexFiles) -> Result<Self, IndexError> {
        let mut index = Self::default();
        for (ecosystem, bytes) in files {
            let shelf = Shelf::open(ecosystem, Store::Memory(bytes), PathBuf::from(file_name(ecosystem)))?;
            index.shelves.insert(ecosystem, shelf);
        }
        Ok(index)
    }

    /// What it holds; nothing of ecosystems that it has no advisories of.
    pub fn holds(&self) -> Vec<Holding> {
        self.shelves
            .iter()
            .map(|(ecosystem, shelf)| Holding {
                ecosystem: *ecosystem,
                advisories: shelf.header.advisories as usize,
                packages: shelf.header.packages as usize,
                newest: shelf.header.newest.clone(),
            })
            .collect()
    }

    /// Whether it holds advisories of an ecosystem.
    pub fn covers(&self, ecosystem: Ecosystem) -> bool {
        self.shelves.contains_key(&ecosystem)
    }

    /// The advisories about a package, by the key of its name.
    pub(crate) fn look_up(&self, ecosystem: Ecosystem, key: &str) -> Result<Vec<(Advisory, Affected)>, IndexError> {
        self.shelves.get(&ecosystem).map_or(Ok(Vec::new()), |shelf| shelf.look_up(key))
    }
}

impl Shelf {
    fn open(ecosystem: Ecosystem, store: Store, path: PathBuf) -> Result<Self, IndexError> {
        let mut shelf = Self { header: Header::default(), table: Vec::new(), store, path };
        let actual = shelf.length()?;
        let broken = || IndexError::Broken(shelf.path.clone());
        let header = Header::read(&shelf.bytes(0, Header::LENGTH)?).ok_or_else(broken)?;
        let table = u64::from(header.packages) * Header::ROW as u64 + u64::from(header.names);
        let expected = Ecosystem::ALL.get(header.ecosystem as usize) == Some(&ecosystem);
        if !expected || header.length != actual || table > MAX_TABLE || table + Header::LENGTH as u64 > actual {
            return Err(broken());
        }
        let table = shelf.bytes(Header::LENGTH as u64, usize::try_from(table).map_err(|_| broken())?)?;
        if checksum(&table) != header.checksum {
            return Err(broken());
        }
        shelf.header = header;
        shelf.table = table;
        Ok(shelf)
    }

    fn length(&self) -> Result<u64, IndexError> {
        match &self.store {
            Store::Memory(bytes) => Ok(bytes.len() as u64),
            Store::File(file) => {
                let file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                file.metadata()
                    .map(|metadata| metadata.len())
                    .map_err(|source| IndexError::Read { path: self.path.clone(), source })
            }
        }
    }

    fn bytes(&self, offset: u64, length: usize) -> Result<Vec<u8>, IndexError> {
        let broken = || IndexError::Broken(self.path.clone());
        match &self.store {
            Store::Memory(bytes) => {
                let start = usize::try_from(offset).map_err(|_| broken())?;
                let end = start.checked_add(length).ok_or_else(broken)?;
                bytes.get(start..end).map(<[u8]>::to_vec).ok_or_else(broken)
            }
            Store::File(file) => {
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                // Records say how long they are: no more is set aside than there is.
                let mut bytes = Vec::new();
                let read = file
                    .seek(SeekFrom::Start(offset))
                    .and_then(|_| (&mut *file).take(length as u64).read_to_end(&mut bytes));
                match read {
                    Ok(read) if read == length => Ok(bytes),
                    Ok(_) => Err(broken()),
                    Err(source) => Err(IndexError::Read { path: self.path.clone(), source }),
                }
            }
        }
    }

    fn row(&self, at: usize) -> Option<(&[u8], u64, usize, usize)> {
        let row = self.table.get(at * Header::ROW..(at + 1) * Header::ROW)?;
        let names = self.table.get(self.header.packages as usize * Header::ROW..)?;
        let start = u32_at(row, 0)? as usize;
        let name = names.get(start..start.checked_add(u32_at(row, 4)? as usize)?)?;
        Some((name, u64_at(row, 16)?, u32_at(row, 12)? as usize, u32_at(row, 8)? as usize))
    }

    fn look_up(&self, key: &str) -> Result<Vec<(Advisory, Affected)>, IndexError> {
        let broken = || IndexError::Broken(self.path.clone());
        let (mut low, mut high) = (0, self.header.packages as usize);
        while low < high {
            let middle = low + (high - low) / 2;
            let (name, offset, length, count) = self.row(middle).ok_or_else(broken)?;
            match name.cmp(key.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => {
                    let bytes = self.bytes(offset, length)?;
                    let mut reader = Reader(&bytes);
                    let mut found = Vec::new();
                    for _ in 0..count.min(length) {
                        let (at, size) = reader.number().zip(reader.number()).ok_or_else(broken)?;
                        let affected = reader.affected().ok_or_else(broken)?;
                        let record = self.bytes(at, usize::try_from(size).map_err(|_| broken())?)?;
                        found.push((Reader(&record).advisory().ok_or_else(broken)?, affected));
                    }
                    return Ok(found);
                }
            }
        }
        Ok(Vec::new())
    }
}

/// The versions that an advisory speaks of, as a set. Versions that can't be compared are left out.
pub(crate) fn intervals<S: Scheme>(affected: &Affected) -> Intervals<S::Version> {
    let mut parts = Vec::new();
    for range in &affected.ranges {
        let mut open: Option<Bound<S::Version>> = None;
        for event in range {
            match (event, S::version(event.version())) {
                (Event::Introduced(text), _) if text == "0" => open = Some(Bound::Unbounded),
                (Event::Introduced(_), Some(version)) if open.is_none() => open = Some(Bound::Included(version)),
                (Event::Fixed(_), Some(version)) => {
                    parts.extend(open.take().map(|from| (from, Bound::Excluded(version))));
                }
                (Event::LastAffected(_), Some(version)) => {
                    parts.extend(open.take().map(|from| (from, Bound::Included(version))));
                }
                _ => {}
            }
        }
        parts.extend(open.map(|from| (from, Bound::Unbounded)));
    }
    let named = affected.versions.iter().filter_map(|text| S::version(text));
    parts.extend(named.map(|version| (Bound::Included(version.clone()), Bound::Included(version))));
    Intervals::of(parts)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::Build;
    use super::super::zip::tests::archive;
    use super::*;

    fn document(id: &str, name: &str, fixed: &str) -> String {
        format!(
            r#"{{"id": "{id}", "modified": "2024-0{0}-01T00:00:00Z", "summary": "{id} in {name}", "affected": [{{"package":
            {{"ecosystem": "npm", "name": "{name}"}}, "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]}}]}}"#,
            1 + id.len() % 9
        )
    }

    #[test]
    fn the_index_does_not_depend_on_the_order_of_its_documents() {
        let documents: Vec<String> = (0..50)
            .map(|n| document(&format!("GHSA-{n}"), &format!("package-{}", n % 7), &format!("1.{n}.0")))
            .collect();
        let build = |documents: &mut dyn Iterator<Item = &String>| {
            let mut build = Build::new();
            documents.for_each(|text| build.document("x", text.as_bytes()));
            build.finish().unwrap().0
        };
        let forwards = build(&mut documents.iter());
        assert_eq!(forwards, build(&mut documents.iter().rev().chain(&documents)));
        let index = Index::of_bytes(forwards).unwrap();
        assert_eq!(index.look_up(Ecosystem::Npm, "package-3").unwrap().len(), 7);
        assert!(index.look_up(Ecosystem::Npm, "package-9").unwrap().is_empty());
        assert!(index.look_up(Ecosystem::PyPi, "package-3").unwrap().is_empty());
        assert!(!index.covers(Ecosystem::PyPi));
    }

    #[test]
    fn archives_folders_and_files_are_taken_and_written_beside_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (document("GHSA-1", "a", "1.0.0"), document("GHSA-2", "b", "1.0.0"));
        let withdrawn = two.replacen('{', r#"{"withdrawn": "2024-01-01T00:00:00Z","#, 1).replace("GHSA-2", "GHSA-3");
        let from = folder.path().join("from");
        std::fs::create_dir_all(from.join("deep")).unwrap();
        std::fs::write(from.join("deep/one.json"), &one).unwrap();
        std::fs::write(from.join("broken.json"), "{").unwrap();
        std::fs::write(from.join("readme.txt"), "no").unwrap();
        let zip = folder.path().join("all.zip");
        std::fs::write(&zip, archive(&[("two.json", two.as_bytes()), ("three.json", withdrawn.as_bytes())], true))
            .unwrap();
        let mut build = Build::new();
        build.path(&from).unwrap();
        build.path(&zip).unwrap();
        assert!(build.path(&from.join("readme.txt")).is_err() && build.path(&from.join("gone")).is_err());
        let data = folder.path().join("data/advisories");
        let built = build.write(&data).unwrap();
        assert_eq!((built.documents, built.withdrawn, built.broken), (3, 1, 1));
        assert_eq!(Index::open(&data).unwrap().holds(), built.holdings);
        assert_eq!(built.holdings[0].advisories, 2);
        assert!(Index::open(folder.path()).unwrap().holds().is_empty());
    }

    #[test]
    fn a_torn_or_altered_index_is_refused_or_read_without_a_panic() {
        let mut build = Build::new();
        build.document("x", document("GHSA-1", "a", "1.0.0").as_bytes());
        let bytes = build.finish().unwrap().0.remove(0).1;
        for cut in 0..bytes.len() {
            assert!(Index::of_bytes(vec![(Ecosystem::Npm, bytes[..cut].to_vec())]).is_err(), "{cut}");
            let mut altered = bytes.clone();
            altered[cut] ^= 0x5a;
            if let Ok(index) = Index::of_bytes(vec![(Ecosystem::Npm, altered)]) {
                assert!(index.look_up(Ecosystem::Npm, "a").map_or(0, |found| found.len()) <= 1);
            }
        }
        assert!(Index::of_bytes(vec![(Ecosystem::PyPi, bytes)]).is_err());
    }
}
