//! Just enough of the ZIP format to read an export of advisories: stored and deflated entries, with the 64-bit directory
//! that an export of more than 65,535 entries needs.
//!
//! Deliberately absent: encryption, several disks, other compressions. Nothing is ever written to disk, so an entry's path
//! is only a name.

/// The largest entry that is read, in bytes.
pub(super) const MAX_ENTRY: u64 = 16 << 20;
/// The most entries that are read.
pub(super) const MAX_ENTRIES: u64 = 4_000_000;

/// An archive in memory.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    directory: usize,
    count: u64,
}

/// One entry of the directory.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    method: u16,
    compressed: &'a [u8],
    size: u64,
}

impl<'a> Archive<'a> {
    /// Finds the directory; none where the bytes are no archive.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Self> {
        // The end record is 22 bytes and a comment of at most 65,535.
        let from = bytes.len().saturating_sub(22 + 65_535);
        let at = (from..=bytes.len().checked_sub(22)?).rev().find(|at| u32_at(bytes, *at) == Some(0x0605_4b50))?;
        let mut count = u64::from(u16_at(bytes, at + 10)?);
        let mut directory = u64::from(u32_at(bytes, at + 16)?);
        if let Some(locator) = at.checked_sub(20).filter(|at| u32_at(bytes, *at) == Some(0x0706_4b50)) {
            let end = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
            if u32_at(bytes, end)? == 0x0606_4b50 {
                count = u64_at(bytes, end.checked_add(32)?)?;
                directory = u64_at(bytes, end.checked_add(48)?)?;
            }
        }
        // INVARIANT: the directory lies inside the bytes, so that offsets into it can't overflow.
        let directory = usize::try_from(directory).ok().filter(|at| *at < bytes.len())?;
        Some(Self { bytes, directory, count: count.min(MAX_ENTRIES) })
    }

    /// The entries in the directory's order; ends early where the directory is torn.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        let mut at = self.directory;
        (0..self.count).map_while(move |_| {
            let (entry, next) = self.entry(at)?;
            at = next;
            Some(entry)
        })
    }

    /// How many entries the directory says there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    fn entry(&self, at: usize) -> Option<(Entry<'a>, usize)> {
        let bytes = self.bytes;
        if u32_at(bytes, at)? != 0x0201_4b50 {
            return None;
        }
        let part = |offset: usize| u16_at(bytes, at + offset).map(usize::from);
        let (name_length, extra_length, comment_length) = (part(28)?, part(30)?, part(32)?);
        let mut compressed_size = u64::from(u32_at(bytes, at + 20)?);
        let mut size = u64::from(u32_at(bytes, at + 24)?);
        let mut local = u64::from(u32_at(bytes, at + 42)?);
        let name = bytes.get(at + 46..at + 46 + name_length)?;
        let mut extra = bytes.get(at + 46 + name_length..at + 46 + name_length + extra_length)?;
        // Numbers that don't fit stand in an extra field, in this order and only if needed.
        while let (Some(kind), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
            let Some(field) = extra.get(4..4 + usize::from(length)) else { break };
            if kind == 1 {
                let mut offset = 0;
                for number in [&mut size, &mut compressed_size, &mut local] {
                    if *number == u64::from(u32::MAX) {
                        *number = u64_at(field, offset)?;
                        offset += 8;
                    }
                }
            }
            extra = extra.get(4 + usize::from(length)..).unwrap_or_default();
        }
        let local = usize::try_from(local).ok()?;
        if u32_at(bytes, local)? != 0x0403_4b50 {
            return None;
        }
        let skipped = usize::from(u16_at(bytes, local + 26)?) + usize::from(u16_at(bytes, local + 28)?);
        let start = local.checked_add(30 + skipped)?;
        let end = start.checked_add(usize::try_from(compressed_size).ok()?)?;
        let entry = Entry {
            name: String::from_utf8_lossy(name).into_owned(),
            method: u16_at(bytes, at + 10)?,
            compressed: bytes.get(start..end)?,
            size,
        };
        Some((entry, at + 46 + name_length + extra_length + comment_length))
    }
}

impl Entry<'_> {
    /// Its content; none where it is too large, torn, or compressed in another way.
    pub(super) fn content(&self) -> Option<Vec<u8>> {
        if self.size > MAX_ENTRY {
            return None;
        }
        match self.method {
            0 => Some(self.compressed.to_vec()),
            8 => {
                let limit = usize::try_from(MAX_ENTRY).ok()?;
                miniz_oxide::inflate::decompress_to_vec_with_limit(self.compressed, limit).ok()
            }
            _ => None,
        }
        .filter(|content| content.len() as u64 == self.size)
    }
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes_at(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An archive of deflated entries; `wide` writes the 64-bit directory end.
    pub(crate) fn archive(files: &[(&str, &[u8])], wide: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut directory = Vec::new();
        for (name, content) in files {
            let packed = miniz_oxide::deflate::compress_to_vec(content, 6);
            let offset = bytes.len() as u32;
            let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            common.extend((packed.len() as u32).to_le_bytes());
            common.extend((content.len() as u32).to_le_bytes());
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0, 0]);
            bytes.extend(0x0403_4b50_u32.to_le_bytes());
            bytes.extend(&common);
            bytes.extend(name.as_bytes());
            bytes.extend(&packed);
            directory.extend(0x0201_4b50_u32.to_le_bytes());
            directory.extend([20, 0]);
            directory.extend(&common);
            directory.extend([0; 10]);
            directory.extend(offset.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let start = bytes.len() as u64;
        bytes.extend(&directory);
        if wide {
            let end = bytes.len() as u64;
            bytes.extend(0x0606_4b50_u32.to_le_bytes());
            bytes.extend([0; 20]);
            for number in [files.len() as u64, files.len() as u64, directory.len() as u64, start] {
                bytes.extend(number.to_le_bytes());
            }
            bytes.extend(0x0706_4b50_u32.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend(end.to_le_bytes());
            bytes.extend([1, 0, 0, 0]);
        }
        let (count, at) = if wide { (u16::MAX, u32::MAX) } else { (files.len() as u16, start as u32) };
        bytes.extend(0x0605_4b50_u32.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(count.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend((directory.len() as u32).to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn entries_are_read_from_both_kinds_of_directory() {
        for wide in [false, true] {
            let bytes = archive(&[("a.json", b"{}"), ("b/c.json", &[b'x'; 5000])], wide);
            let archive = Archive::open(&bytes).unwrap();
            let entries: Vec<(String, usize)> =
                archive.entries().map(|entry| (entry.name.clone(), entry.content().unwrap().len())).collect();
            assert_eq!(entries, [("a.json".to_string(), 2), ("b/c.json".to_string(), 5000)]);
        }
    }

    #[test]
    fn torn_archives_end_quietly() {
        let bytes = archive(&[("a.json", b"{\"id\": 1}"), ("b.json", b"{}")], true);
        for cut in 0..bytes.len() {
            for torn in [bytes.get(..cut).unwrap(), bytes.get(cut..).unwrap()] {
                if let Some(archive) = Archive::open(torn) {
                    assert!(archive.entries().filter_map(|entry| entry.content()).count() <= 2);
                }
            }
        }
        assert!(Archive::open(b"PK").is_none() && Archive::open(b"").is_none());
    }
}
