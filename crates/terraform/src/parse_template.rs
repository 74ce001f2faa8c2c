//! Templates: what stands in quotes and heredocs, with its interpolations and directives.

use crate::parse::{MAX_DEPTH, Mistake, Parsed, Parser};
use crate::syntax::{ExprKind, Piece};
use source::Span;

impl Parser<'_> {
    pub(crate) fn quoted(&mut self, depth: usize) -> Parsed<ExprKind> {
        let start = self.at;
        self.expect("\"")?;
        let wide = self.wide;
        let pieces = self.template(self.bytes.len(), true, 0, depth)?;
        self.wide = wide;
        if !self.eat("\"") {
            return Err(Mistake { at: start, message: "a string is not closed".into() });
        }
        Ok(ExprKind::Template(pieces))
    }

    pub(crate) fn heredoc(&mut self, depth: usize) -> Parsed<ExprKind> {
        let start = self.at;
        self.expect("<<")?;
        let indented = self.eat("-");
        let Some(marker) = self.identifier() else { return self.fail("expected a marker after `<<`") };
        self.space(false);
        if !self.eat("\n") {
            return self.fail("a heredoc begins on the line after its marker");
        }
        let from = self.at;
        // The marker ends it that stands on a line by itself.
        let mut strip = usize::MAX;
        let mut line = from;
        let end = loop {
            let Some(rest) = self.text.get(line..).filter(|rest| !rest.is_empty()) else {
                return Err(Mistake { at: start, message: format!("nothing closes the heredoc `{marker}`") });
            };
            let length = rest.find('\n').unwrap_or(rest.len());
            let content = rest.get(..length).unwrap_or("");
            if content.trim() == marker {
                break line;
            }
            if !content.trim().is_empty() {
                strip = strip.min(content.len() - content.trim_start().len());
            }
            line += length + 1;
        };
        let wide = self.wide;
        let strip = if indented && strip != usize::MAX { strip } else { 0 };
        let pieces = self.template(end, false, strip, depth)?;
        self.wide = wide;
        // The line break after the marker ends the attribute.
        self.at = end;
        self.space(false);
        self.at += marker.len();
        Ok(ExprKind::Template(pieces))
    }

    /// The pieces of a template up to `end`, or to the closing quote where `quoted`. From the start of each line `strip` bytes
    /// of white space are left out.
    pub(crate) fn template(&mut self, end: usize, quoted: bool, strip: usize, depth: usize) -> Parsed<Vec<Piece>> {
        let mut at_line_start = true;
        let mut trim = false;
        let pieces = self.pieces(end, quoted, strip, depth, &mut at_line_start, &mut trim, None)?.0;
        if self.at < end && !quoted {
            return self.fail("a directive closes nothing");
        }
        Ok(pieces)
    }

    #[allow(clippy::too_many_arguments)]
    fn pieces(
        &mut self,
        end: usize,
        quoted: bool,
        strip: usize,
        depth: usize,
        line_start: &mut bool,
        trim: &mut bool,
        closing: Option<&[&str]>,
    ) -> Parsed<(Vec<Piece>, Option<String>)> {
        if depth >= MAX_DEPTH {
            return self.fail("nested too deep");
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut text = String::new();
        let mut from = self.at;
        macro_rules! flush {
            () => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text), Span::new(self.file, from, self.at)));
                }
            };
        }
        while self.at < end {
            if strip > 0 && *line_start {
                let blank = self.bytes.get(self.at..end).unwrap_or(&[]).iter().take(strip);
                let skip = blank.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                flush!();
                self.at += skip;
                from = self.at;
            }
            *line_start = false;
            let Some(letter) = self.text.get(self.at..end).and_then(|rest| rest.chars().next()) else { break };
            if letter == '"' && quoted {
                break;
            }
            if letter == '\n' && quoted {
                return self.fail("a string ends on the line it begins on");
            }
            if *trim && letter.is_whitespace() {
                self.at += letter.len_utf8();
                from = self.at;
                *line_start = letter == '\n';
                continue;
            }
            *trim = false;
            if self.starts("$${") || self.starts("%%{") {
                if text.is_empty() {
                    from = self.at;
                }
                text.push(letter);
                text.push('{');
                self.at += 3;
            } else if self.starts("${") {
                flush!();
                self.at += 2;
                if self.eat("~") {
                    trim_end(&mut pieces);
                }
                self.wide = true;
                self.gap();
                let value = self.expression(depth + 1)?;
                self.gap();
                *trim = self.eat("~");
                self.expect("}")?;
                pieces.push(Piece::Value(value));
                from = self.at;
            } else if self.starts("%{") {
                flush!();
                let opened = self.at;
                self.at += 2;
                if self.eat("~") {
                    trim_end(&mut pieces);
                }
                self.wide = true;
                self.gap();
                let word = self.identifier().unwrap_or("").to_string();
                self.gap();
                match word.as_str() {
                    "if" => {
                        let condition = self.expression(depth + 1)?;
                        self.close_directive(trim)?;
                        let (then, closed) =
                            self.pieces(end, quoted, strip, depth + 1, line_start, trim, Some(&["else", "endif"]))?;
                        let otherwise = if closed.as_deref() == Some("else") {
                            self.pieces(end, quoted, strip, depth + 1, line_start, trim, Some(&["endif"]))?.0
                        } else {
                            Vec::new()
                        };
                        pieces.push(Piece::If(Box::new((condition, then, otherwise))));
                    }
                    "for" => {
                        let Some(first) = self.identifier() else { return self.fail("expected a name") };
                        let (key, value) = self.loop_names(first)?;
                        let collection = self.expression(depth + 1)?;
                        self.close_directive(trim)?;
                        let (body, _) =
                            self.pieces(end, quoted, strip, depth + 1, line_start, trim, Some(&["endfor"]))?;
                        pieces.push(Piece::For(Box::new((key, value, collection, body))));
                    }
                    word if closing.is_some_and(|closing| closing.contains(&word)) => {
                        self.close_directive(trim)?;
                        return Ok((pieces, Some(word.to_string())));
                    }
                    _ => return Err(Mistake { at: opened, message: "unknown directive of a template".into() }),
                }
                from = self.at;
            } else if letter == '\\' && quoted {
                if text.is_empty() {
                    from = self.at;
                }
                self.escape(&mut text)?;
            } else {
                if text.is_empty() {
                    from = self.at;
                }
                text.push(letter);
                self.at += letter.len_utf8();
                *line_start = letter == '\n';
            }
        }
        flush!();
        match closing {
            Some(closing) => self.fail(format!("`%{{ {} }}` is missing", closing.last().unwrap_or(&"endif"))),
            None => Ok((pieces, None)),
        }
    }

    fn close_directive(&mut self, trim: &mut bool) -> Parsed<()> {
        self.gap();
        *trim = self.eat("~");
        self.expect("}")
    }

    fn escape(&mut self, text: &mut String) -> Parsed<()> {
        let next = self.text.get(self.at + 1..).and_then(|rest| rest.chars().next());
        let length = match next {
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        let Some(next) = next else { return self.fail("a string is not closed") };
        self.at += 1 + next.len_utf8();
        match next {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'u' | 'U' => {
                let digits = self.text.get(self.at..self.at + length).unwrap_or("");
                match u32::from_str_radix(digits, 16).ok().and_then(char::from_u32) {
                    Some(letter) => text.push(letter),
                    None => return self.fail("not a character's number"),
                }
                self.at += length;
            }
            other => text.push(other),
        }
        Ok(())
    }
}

/// Takes white space off the end of the last piece, as `${~` asks.
fn trim_end(pieces: &mut [Piece]) {
    if let Some(Piece::Text(text, _)) = pieces.last_mut() {
        text.truncate(text.trim_end().len());
    }
}
