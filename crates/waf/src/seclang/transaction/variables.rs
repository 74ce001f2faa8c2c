//! Variables by name: the rules' own, and those that are worked out when they are asked for.

use super::{Found, Item, MAX_OWN, Name, Own, Transaction, Value};
use crate::seclang::action::Processor;
use crate::seclang::template::{Piece, Template};
use crate::seclang::variable::{Kind, Part, Store, Variable};

impl Transaction<'_> {
    /// The number of a transaction variable, made up if need be.
    pub(crate) fn slot(&mut self, name: &[u8]) -> Option<u32> {
        let lower = name.to_ascii_lowercase();
        if let Some(number) = self.set.names.find(&lower) {
            return Some(number);
        }
        let base = self.set.names.len();
        if let Some(at) = self.extra_names.iter().position(|known| *known == lower) {
            return Some((base + at) as u32);
        }
        if self.extra_names.len() >= MAX_OWN {
            self.exceeded = true;
            return None;
        }
        self.extra_names.push(lower);
        self.tx.push(Own::Unset);
        Some((base + self.extra_names.len() - 1) as u32)
    }

    pub(crate) fn slot_name(&self, slot: u32) -> &[u8] {
        let base = self.set.names.len();
        match self.set.names.name(slot) {
            Some(name) => name,
            None => {
                (slot as usize).checked_sub(base).and_then(|at| self.extra_names.get(at)).map_or(b"", Vec::as_slice)
            }
        }
    }

    /// A text with its macros replaced.
    pub(crate) fn expand(&self, template: &Template) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &template.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text),
                Piece::Slot(slot) => {
                    if let Some(own) = self.tx.get(*slot as usize) {
                        own.append(&mut out);
                    }
                }
                Piece::Variable(variable, selector) => self.append_variable(*variable, selector, &mut out),
            }
        }
        out
    }

    fn append_variable(&self, variable: Variable, selector: &[u8], out: &mut Vec<u8>) {
        match variable.kind() {
            Kind::Stored(stores, part) => {
                for store in stores {
                    let items = &self.stores[*store as usize];
                    let wanted =
                        |item: &&Item| selector.is_empty() || item.name.of(&self.arena).eq_ignore_ascii_case(selector);
                    if let Some(item) = items.iter().find(wanted) {
                        out.extend_from_slice(self.text(if part == Part::Value {
                            item.content
                        } else {
                            item.name_content
                        }));
                        return;
                    }
                }
            }
            Kind::Computed => match variable {
                Variable::MatchedVar => {
                    if let Some(found) = &self.current {
                        self.append_value(&found.value, out);
                    }
                }
                Variable::MatchedVarName => {
                    if let Some(found) = &self.current {
                        self.append_name(found, out);
                    }
                }
                Variable::Rule => {
                    let rule = self.set.rules.get(self.running as usize);
                    match selector {
                        b"id" => out.extend(
                            rule.and_then(|rule| rule.actions.id).map(|id| id.to_string()).unwrap_or_default().bytes(),
                        ),
                        b"severity" => {
                            out.extend(
                                rule.and_then(|rule| rule.actions.severity)
                                    .map(|s| s.to_string())
                                    .unwrap_or_default()
                                    .bytes(),
                            );
                        }
                        _ => {}
                    }
                }
                _ => {
                    if let Some(value) = self.computed(variable) {
                        out.extend_from_slice(&value);
                    }
                }
            },
            Kind::Own => match variable {
                Variable::Env => {
                    if let Some((_, value)) =
                        self.environment.iter().find(|(name, _)| name.eq_ignore_ascii_case(selector))
                    {
                        out.extend_from_slice(value);
                    }
                }
                Variable::Tx => {}
                _ => {
                    let record = self.persistent.iter().find(|(collection, ..)| *collection == variable);
                    if let Some(entry) = record.and_then(|(_, _, record)| record.get(selector)) {
                        out.extend_from_slice(&entry.value);
                    }
                }
            },
            Kind::Absent => {}
        }
    }

    pub(crate) fn append_value(&self, value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Content(content) => out.extend_from_slice(self.text(*content)),
            Value::Text(text) => out.extend_from_slice(text),
            Value::Number(number) => Own::Number(*number).append(out),
        }
    }

    pub(crate) fn append_name(&self, found: &Found, out: &mut Vec<u8>) {
        let variable = if found.variable == Variable::XmlAttributes { "XML" } else { found.variable.name() };
        out.extend_from_slice(variable.as_bytes());
        let name = match &found.name {
            Name::None => b"",
            Name::Span(span) => span.of(&self.arena),
            Name::Slot(slot) => self.slot_name(*slot),
            Name::Text(text) => text,
        };
        if !name.is_empty() {
            out.push(b':');
            out.extend_from_slice(name);
        }
    }

    /// The value of a variable that is worked out when it is asked for.
    pub(crate) fn computed(&self, variable: Variable) -> Option<Vec<u8>> {
        use Variable as V;
        let total = |stores: &[Store], names: bool| -> usize {
            stores
                .iter()
                .flat_map(|store| &self.stores[*store as usize])
                .map(|item| self.text(item.content).len() + if names { item.name.len() } else { 0 })
                .sum()
        };
        let flag = |flag: bool| usize::from(flag);
        let form = &self.form;
        let day = self.now / 86_400;
        let number = match variable {
            V::ArgsCombinedSize => total(&[Store::ArgsGet, Store::ArgsPost, Store::ArgsPath], true),
            V::FilesCombinedSize => total(&[Store::FilesContent], false),
            V::RequestBodyLength => self.request_body_length,
            V::FullRequestLength => {
                total(&[Store::RequestLine, Store::RequestHeaders], true) + self.request_body_length
            }
            V::FullRequest => {
                let mut out = self.first(Store::RequestLine, b"").unwrap_or_default().to_vec();
                for item in &self.stores[Store::RequestHeaders as usize] {
                    for part in [b"\r\n", item.name.of(&self.arena), b": ", self.text(item.content)] {
                        out.extend_from_slice(part);
                    }
                }
                out.extend_from_slice(b"\r\n\r\n");
                out.extend_from_slice(&self.request_body);
                return Some(out);
            }
            V::HighestSeverity => usize::from(self.highest_severity),
            V::InboundDataError => flag(self.inbound_error),
            V::OutboundDataError => flag(self.outbound_error),
            V::ReqbodyError => flag(self.body_error.is_some()),
            V::ReqbodyErrorMsg => return Some(self.body_error.unwrap_or_default().into()),
            V::ReqbodyProcessor => return Some(self.processor.map_or("", Processor::name).into()),
            V::UrlencodedError => flag(self.url_encoding_error),
            V::ResponseContentLength => self.response_body.len(),
            V::MultipartBoundaryQuoted => flag(form.boundary_quoted),
            V::MultipartBoundaryWhitespace => flag(form.boundary_whitespace),
            V::MultipartCrlfLfLines => flag(form.crlf_lines && form.lf_line),
            V::MultipartDataAfter => flag(form.data_after),
            V::MultipartDataBefore => flag(form.data_before),
            V::MultipartFileLimitExceeded => flag(form.file_limit_exceeded),
            V::MultipartHeaderFolding => flag(form.header_folding),
            V::MultipartInvalidHeaderFolding => flag(form.invalid_header_folding),
            V::MultipartInvalidPart => flag(form.invalid_part),
            V::MultipartInvalidQuoting => flag(form.invalid_quoting),
            V::MultipartLfLine => flag(form.lf_line),
            V::MultipartMissingSemicolon => flag(form.missing_semicolon),
            V::MultipartStrictError => flag(form.strict_error()),
            V::MultipartUnmatchedBoundary => flag(form.unmatched_boundary),
            V::SessionId => return Some(self.session.clone()),
            V::UserId => return Some(self.user.clone()),
            V::Duration => 0,
            V::TimeEpoch => self.now as usize,
            V::TimeHour => (self.now / 3600 % 24) as usize,
            V::TimeMin => (self.now / 60 % 60) as usize,
            V::TimeSec => (self.now % 60) as usize,
            // 1970 began on a Thursday; Sunday is 0.
            V::TimeWday => ((day + 4) % 7) as usize,
            V::Time => {
                let (hour, minute, second) = (self.now / 3600 % 24, self.now / 60 % 60, self.now % 60);
                return Some(format!("{hour:02}:{minute:02}:{second:02}").into_bytes());
            }
            V::TimeDay => civil(day).2 as usize,
            // January is 0.
            V::TimeMon => civil(day).1 as usize - 1,
            V::TimeYear => civil(day).0 as usize,
            _ => return None,
        };
        Some(number.to_string().into_bytes())
    }
}

/// Year, month (from 1) and day (from 1) of a day since 1970.
fn civil(day: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that leap days come last; an era is 400 of them.
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_month)
}
