//! Bringing archives of advisories: resumed where they broke off, not brought again where nothing changed, checked against
//! the length and the checksum that the other side tells.

use anyhow::Context;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The largest archive that is brought, in bytes.
const MAX_BYTES: u64 = 2 << 30;
/// How often one archive is tried, each time from where it broke off.
const ATTEMPTS: u32 = 4;
const CONNECT: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(60);
const WHOLE: Duration = Duration::from_secs(3600);

/// Brings archives.
pub(crate) struct Downloader {
    agent: ureq::Agent,
    /// Where half-brought archives are kept.
    folder: PathBuf,
}

/// What came of it.
pub(crate) enum Brought {
    /// An archive, and the mark that tells it from later ones, where the other side gave one.
    Archive(PathBuf, Option<String>),
    /// The same as last time.
    Unchanged,
}

/// Why an attempt failed, and whether another may do better.
struct Failed {
    error: anyhow::Error,
    again: bool,
}

impl Downloader {
    /// Downloads go into `folder`, which is made.
    ///
    /// # Errors
    /// Where it can't be.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("can't make `{}`", folder.display()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ureq::tls::TlsConfig::builder().unversioned_rustls_crypto_provider(provider).build();
        let agent = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_recv_body(Some(WHOLE))
            .max_redirects(5)
            .http_status_as_error(false)
            .user_agent(concat!("ringfence/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build()
            .new_agent();
        Ok(Self { agent, folder: folder.to_path_buf() })
    }

    /// Brings the archive at `url` under a name; `known` is the mark of the one that was used last.
    ///
    /// # Errors
    /// Where it can't be brought, or isn't what the other side says it is.
    pub(crate) fn bring(&self, url: &str, name: &str, known: Option<&str>) -> anyhow::Result<Brought> {
        let mut attempt = 1;
        loop {
            match self.once(url, name, known) {
                Ok(brought) => return Ok(brought),
                Err(failed) if failed.again && attempt < ATTEMPTS => {
                    std::thread::sleep(Duration::from_millis(200 * u64::from(attempt)));
                    attempt += 1;
                }
                Err(failed) => return Err(failed.error.context(format!("can't bring {url}"))),
            }
        }
    }

    fn once(&self, url: &str, name: &str, known: Option<&str>) -> Result<Brought, Failed> {
        let last = |error: anyhow::Error| Failed { error, again: false };
        let again = |error: anyhow::Error| Failed { error, again: true };
        let part = self.folder.join(format!("{name}.part"));
        let mark = self.folder.join(format!("{name}.mark"));
        let resumed = std::fs::read_to_string(&mark).ok().filter(|mark| !mark.trim().is_empty());
        let have = std::fs::metadata(&part).map_or(0, |metadata| metadata.len());
        let mut request = self.agent.get(url);
        match (&resumed, known) {
            // Only of the same archive is the rest of any use.
            (Some(mark), _) if have > 0 => {
                request = request.header("Range", format!("bytes={have}-")).header("If-Range", mark.trim());
            }
            (_, Some(known)) => request = request.header("If-None-Match", known),
            _ => {}
        }
        let mut response = match request.call() {
            Ok(response) => response,
            Err(error) => {
                let unknown = matches!(error, ureq::Error::HostNotFound | ureq::Error::BadUri(_));
                return Err(Failed { error: error.into(), again: !unknown });
            }
        };
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_string);
        let (etag, checksum) = (header("etag"), header("x-goog-hash"));
        let length = header("content-length").and_then(|text| text.parse::<u64>().ok());
        let status = response.status().as_u16();
        let start = match status {
            200 => 0,
            206 => {
                let range = header("content-range").unwrap_or_default();
                let first = range
                    .trim_start_matches("bytes ")
                    .split('-')
                    .next()
                    .and_then(|text| text.trim().parse::<u64>().ok());
                if first != Some(have) {
                    let _ = std::fs::remove_file(&part);
                    return Err(again(anyhow::anyhow!("it was resumed at another place than asked for")));
                }
                have
            }
            304 => return Ok(Brought::Unchanged),
            // The rest of nothing: what is there was whole, or is of another archive.
            416 => {
                let _ = std::fs::remove_file(&part);
                let _ = std::fs::remove_file(&mark);
                return Err(again(anyhow::anyhow!("there is no rest to resume")));
            }
            500..=599 | 429 => return Err(again(anyhow::anyhow!("the other side answered {status}"))),
            _ => return Err(last(anyhow::anyhow!("the other side answered {status}"))),
        };
        let whole = length.map(|length| start + length);
        if whole.is_some_and(|whole| whole > MAX_BYTES) {
            return Err(last(anyhow::anyhow!("it is larger than {} MiB", MAX_BYTES >> 20)));
        }
        let unwritable = |error: std::io::Error| {
            last(anyhow::Error::from(error).context(format!("can't write `{}`", part.display())))
        };
        std::fs::write(&mark, etag.as_deref().unwrap_or("")).map_err(unwritable)?;
        let mut file =
            std::fs::OpenOptions::new().create(true).write(true).truncate(false).open(&part).map_err(unwritable)?;
        file.set_len(start).map_err(unwritable)?;
        file.seek(SeekFrom::Start(start)).map_err(unwritable)?;
        let mut written = start;
        let mut reader = response.body_mut().as_reader();
        let mut buffer = vec![0; 128 << 10];
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(again(anyhow::Error::from(error).context("the connection broke"))),
            };
            written += read as u64;
            if written > MAX_BYTES {
                let _ = std::fs::remove_file(&part);
                return Err(last(anyhow::anyhow!("it is larger than {} MiB", MAX_BYTES >> 20)));
            }
            file.write_all(buffer.get(..read).unwrap_or_default()).map_err(unwritable)?;
        }
        file.sync_all().map_err(unwritable)?;
        if whole.is_some_and(|whole| whole != written) {
            return Err(again(anyhow::anyhow!("it broke off after {written} bytes")));
        }
        if let Some(expected) = checksum.as_deref().and_then(crc32c_of_header) {
            let actual = crc32c_of_file(&part).map_err(|error| last(error.into()))?;
            if actual != expected {
                // From the beginning then.
                let _ = std::fs::remove_file(&part);
                let _ = std::fs::remove_file(&mark);
                return Err(again(anyhow::anyhow!("its checksum is another than the one announced")));
            }
        }
        let archive = self.folder.join(format!("{name}.zip"));
        std::fs::rename(&part, &archive).map_err(unwritable)?;
        let _ = std::fs::remove_file(&mark);
        Ok(Brought::Archive(archive, etag))
    }
}

/// The CRC-32C among the hashes that Google's storage sends: `crc32c=BASE64, md5=…`.
fn crc32c_of_header(header: &str) -> Option<u32> {
    let text = header.split(',').find_map(|part| part.trim().strip_prefix("crc32c="))?;
    // Four bytes are eight characters, two of them for filling.
    let mut bits: u64 = 0;
    for letter in text.trim().trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u64::from(value);
    }
    (text.trim().trim_end_matches('=').len() == 6).then(|| u32::try_from(bits >> 4).ok()).flatten()
}

fn crc32c_of_file(path: &Path) -> std::io::Result<u32> {
    let mut file = std::fs::File::open(path)?;
    let mut sum = Crc32c::new();
    let mut buffer = vec![0; 128 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(sum.value());
        }
        sum.add(buffer.get(..read).unwrap_or_default());
    }
}

/// CRC-32C (Castagnoli), a byte at a time.
struct Crc32c {
    table: [u32; 256],
    state: u32,
}

impl Crc32c {
    fn new() -> Self {
        let mut table = [0; 256];
        for (slot, byte) in table.iter_mut().zip(0_u32..) {
            *slot = (0..8).fold(byte, |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 });
        }
        Self { table, state: u32::MAX }
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let at = (self.state ^ u32::from(*byte)) & 0xff;
            self.state = (self.state >> 8) ^ self.table.get(at as usize).copied().unwrap_or(0);
        }
    }

    fn value(&self) -> u32 {
        !self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        let sum = |text: &str| {
            let mut sum = Crc32c::new();
            sum.add(text.as_bytes());
            sum.value()
        };
        assert_eq!(sum("123456789"), 0xe306_9283);
        assert_eq!(sum(""), 0);
        assert_eq!(crc32c_of_header("crc32c=4waSgw==,md5=abc"), Some(0xe306_9283));
        assert_eq!(crc32c_of_header("md5=abc"), None);
        assert_eq!(crc32c_of_header("crc32c=4wa"), None);
    }
}
