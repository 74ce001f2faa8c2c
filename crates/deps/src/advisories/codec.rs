//! How records stand in the index: variable-length numbers and texts with their length in front.

use super::{Advisory, Affected, Event};
use findings::Severity;

/// Writes.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            // The low seven bits, marked as followed by more.
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    pub(super) fn advisory(&mut self, advisory: &Advisory) {
        self.text(&advisory.id);
        self.texts(&advisory.aliases);
        self.text(&advisory.summary);
        let severity = advisory.severity.and_then(|severity| Severity::ALL.iter().position(|one| *one == severity));
        self.number(severity.map_or(0, |at| at as u64 + 1));
        self.number(advisory.score.map_or(0, |score| u64::from(score) + 1));
        self.text(advisory.vector.as_deref().unwrap_or_default());
    }

    pub(super) fn affected(&mut self, affected: &Affected) {
        self.number(affected.ranges.len() as u64);
        for range in &affected.ranges {
            self.number(range.len() as u64);
            for event in range {
                self.number(match event {
                    Event::Introduced(_) => 0,
                    Event::Fixed(_) => 1,
                    Event::LastAffected(_) => 2,
                });
                self.text(event.version());
            }
        }
        self.texts(&affected.versions);
    }
}

/// Reads what [`Writer`] wrote; none as soon as something doesn't fit.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    /// A count of things that take at least a byte each, so that a broken one can't ask for more memory than there are bytes.
    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.0.len())
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        (0..self.count()?).map(|_| self.text().map(str::to_string)).collect()
    }

    pub(super) fn advisory(&mut self) -> Option<Advisory> {
        let (id, aliases, summary) = (self.text()?.to_string(), self.texts()?, self.text()?.to_string());
        let severity =
            usize::try_from(self.number()?).ok()?.checked_sub(1).and_then(|at| Severity::ALL.get(at).copied());
        let score = self.number()?.checked_sub(1).and_then(|score| u8::try_from(score).ok());
        let vector = Some(self.text()?.to_string()).filter(|vector| !vector.is_empty());
        Some(Advisory { id, aliases, summary, severity, score, vector })
    }

    pub(super) fn affected(&mut self) -> Option<Affected> {
        let mut ranges = Vec::new();
        for _ in 0..self.count()? {
            let mut range = Vec::new();
            for _ in 0..self.count()? {
                let (kind, version) = (self.number()?, self.text()?.to_string());
                range.push(match kind {
                    0 => Event::Introduced(version),
                    1 => Event::Fixed(version),
                    2 => Event::LastAffected(version),
                    _ => return None,
                });
            }
            ranges.push(range);
        }
        Some(Affected { ranges, versions: self.texts()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_torn_record_is_refused() {
        let advisory = Advisory {
            id: "GHSA-x".into(),
            aliases: vec!["CVE-1".into(), "ä".into()],
            summary: "s".repeat(300),
            severity: Some(Severity::High),
            score: Some(98),
            vector: None,
        };
        let affected = Affected {
            ranges: vec![vec![Event::Introduced("0".into()), Event::Fixed("1.0".into())], Vec::new()],
            versions: vec!["2.0".into()],
        };
        let mut writer = Writer::default();
        writer.advisory(&advisory);
        writer.affected(&affected);
        writer.number(u64::MAX);
        let mut reader = Reader(&writer.0);
        assert_eq!(reader.advisory(), Some(advisory));
        assert_eq!(reader.affected(), Some(affected));
        assert_eq!(reader.number(), Some(u64::MAX));
        for end in 0..writer.0.len() {
            let mut reader = Reader(&writer.0[..end]);
            assert!(reader.advisory().is_none() || reader.affected().is_none() || reader.number().is_none());
        }
    }
}
