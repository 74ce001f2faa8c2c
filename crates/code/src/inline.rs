//! Code inside a template: from offsets in the code to offsets in the template.

use source::Span;

/// Where each line of inline code stands in its template.
pub(crate) struct Lines {
    block: Span,
    /// Offset in the code, offset in the template; empty where the lines can't be found.
    starts: Vec<(u32, u32)>,
}

impl Lines {
    /// Looks for the lines of `code` in `raw`, the text of the block as the template writes it. They are found in a block that
    /// keeps lines as they are, whatever its indentation.
    pub(crate) fn new(raw: &str, block: Span, code: &str) -> Self {
        let mut starts = Vec::new();
        let mut raw_lines = lines(raw);
        for (offset, line) in lines(code) {
            let wanted = line.trim();
            if wanted.is_empty() {
                continue;
            }
            let found = raw_lines.find(|(_, raw_line)| raw_line.trim() == wanted);
            let Some((raw_offset, raw_line)) = found else { return Self { block, starts: Vec::new() } };
            let indent = |line: &str| line.len() - line.trim_start().len();
            starts.push((
                to_u32(offset + indent(line)),
                block.start.saturating_add(to_u32(raw_offset + indent(raw_line))),
            ));
        }
        Self { block, starts }
    }

    /// The template.
    pub(crate) fn file(&self) -> source::FileId {
        self.block.file
    }

    /// The place in the template of a place in the code.
    pub(crate) fn span(&self, span: Span) -> Span {
        match (self.offset(span.start), self.offset(span.end)) {
            (Some(start), Some(end)) if start <= end && start >= self.block.start => {
                Span { file: self.block.file, start, end }
            }
            _ => self.block,
        }
    }

    fn offset(&self, offset: u32) -> Option<u32> {
        let line = self.starts.partition_point(|(start, _)| *start <= offset).checked_sub(1)?;
        let (code, template) = self.starts.get(line)?;
        Some(template.saturating_add(offset.saturating_sub(*code)))
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line)
    })
}

fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
