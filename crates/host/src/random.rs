//! Random ids and tokens from the kernel. Two small functions, so no library for them.

use std::fmt::Write as _;
use std::io::{self, Read as _};

fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut buffer = [0; N];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut buffer)?;
    Ok(buffer)
}

/// A request id as Lambda gives them: a UUID of version 4.
///
/// # Errors
/// When the kernel's random source can't be read.
pub fn request_id() -> io::Result<String> {
    let mut raw: [u8; 16] = bytes()?;
    raw[6] = (raw[6] & 0x0f) | 0x40;
    raw[8] = (raw[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in raw.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// A secret of 256 bits in hexadecimal.
///
/// # Errors
/// When the kernel's random source can't be read: then there is no secret, and nothing should go on as if there were.
pub fn token() -> io::Result<String> {
    let raw: [u8; 32] = bytes()?;
    Ok(raw.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn ids_look_like_lambdas_and_differ() {
        let (first, second) = (super::request_id().unwrap(), super::request_id().unwrap());
        assert_ne!(first, second);
        assert_eq!(first.len(), 36);
        assert_eq!(first.as_bytes()[14], b'4');
        assert_eq!(super::token().unwrap().len(), 64);
    }
}
