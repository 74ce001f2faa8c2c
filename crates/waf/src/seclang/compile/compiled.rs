//! The compiled form of a rule set: built ahead, read in a few milliseconds, without rule files or word lists.
//!
//! Patterns stay text and are compiled when they are first needed, as always. What is read back is checked before it is
//! believed: a file someone has tampered with is refused, or at worst runs other rules, and never panics.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MAX_RULES, MAX_TRANSFORMATIONS, NONE, Node, PhaseDefault, Rule, RuleSet, Settings};
use crate::seclang::bytes::ByteSet;
use crate::seclang::scan::{Packed, Scanner};
use crate::seclang::template::Names;

/// What such a file begins with; the last byte is the format's version.
const MAGIC: [u8; 8] = *b"RFWAF\0\0\x02";

/// Why bytes are no compiled rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompiledError {
    /// They don't begin as one does.
    Foreign,
    /// They were written by another version of this program.
    Version,
    /// They were changed or cut off.
    Damaged,
}

impl fmt::Display for CompiledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CompiledError::Foreign => "these are no compiled rules",
            CompiledError::Version => "the rules were compiled by another version; compile them again",
            CompiledError::Damaged => "the compiled rules are damaged",
        })
    }
}

impl std::error::Error for CompiledError {}

/// All of a set but its rules and transformations, as it is written.
#[derive(Serialize, Deserialize)]
struct Form<'a> {
    settings: Cow<'a, Settings>,
    #[serde(borrow)]
    scanner: Packed<'a>,
    phases: [Vec<u32>; 5],
    defaults: [PhaseDefault; 5],
    lively: ByteSet,
    captures: [u32; 10],
    names: Cow<'a, [Vec<u8>]>,
    tags: Cow<'a, [String]>,
    files: Cow<'a, [String]>,
    signature: Cow<'a, str>,
}

/// A number that tells damaged bytes from whole ones.
fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)))
}

/// What the numbers of variants and the order of fields depend on.
fn version() -> [u8; 8] {
    checksum(env!("CARGO_PKG_VERSION").as_bytes()).to_le_bytes()
}

impl RuleSet {
    /// The compiled form, for [`RuleSet::from_compiled`] of the same version.
    ///
    /// # Errors
    /// When it can't be written, which doesn't happen to rules that were compiled from text.
    pub fn to_compiled(&self) -> Result<Vec<u8>, CompiledError> {
        let form = Form {
            settings: Cow::Borrowed(&self.settings),
            scanner: self.scanner.pack(),
            phases: self.phases.clone(),
            defaults: self.defaults.clone(),
            lively: self.lively,
            captures: self.captures,
            names: Cow::Borrowed(self.names.list()),
            tags: Cow::Borrowed(&self.tags),
            files: Cow::Borrowed(&self.files),
            signature: Cow::Borrowed(&self.signature),
        };
        let form = postcard::to_allocvec(&(&form, &self.nodes, &self.rules)).map_err(|_| CompiledError::Damaged)?;
        Ok([&MAGIC[..], &version(), &checksum(&form).to_le_bytes(), &form].concat())
    }

    /// Reads a compiled form.
    ///
    /// # Errors
    /// When the bytes are none of this version, or damaged.
    pub fn from_compiled(bytes: &[u8]) -> Result<RuleSet, CompiledError> {
        let (magic, rest) = bytes.split_first_chunk::<8>().ok_or(CompiledError::Foreign)?;
        if magic[..7] != MAGIC[..7] {
            return Err(CompiledError::Foreign);
        }
        let (made_by, rest) = rest.split_first_chunk::<8>().ok_or(CompiledError::Damaged)?;
        if *magic != MAGIC || *made_by != version() {
            return Err(CompiledError::Version);
        }
        let (sum, form) = rest.split_first_chunk::<8>().ok_or(CompiledError::Damaged)?;
        if *sum != checksum(form).to_le_bytes() {
            return Err(CompiledError::Damaged);
        }
        let (form, nodes, rules): (Form<'_>, Vec<Node>, Vec<Rule>) =
            postcard::from_bytes(form).map_err(|_| CompiledError::Damaged)?;
        let set = RuleSet {
            settings: form.settings.into_owned(),
            rules,
            phases: form.phases,
            defaults: form.defaults,
            nodes,
            lively: form.lively,
            scanner: Scanner::unpack(form.scanner).ok_or(CompiledError::Damaged)?,
            names: Names::from_list(form.names.into_owned()),
            captures: form.captures,
            tags: form.tags.into_owned(),
            files: form.files.into_owned(),
            signature: form.signature.into_owned(),
        };
        if set.holds_together() { Ok(set) } else { Err(CompiledError::Damaged) }
    }

    /// Whether running the rules ends, without too deep a stack: chains and jumps lead forward, transformations back.
    fn holds_together(&self) -> bool {
        let mut depths: Vec<usize> = Vec::with_capacity(self.nodes.len());
        for (number, node) in self.nodes.iter().enumerate() {
            let depth = match (number, node.transformation) {
                (0, None) if node.parent == NONE => 0,
                (1.., Some(_)) => match depths.get(node.parent as usize) {
                    Some(depth) => depth + 1,
                    None => return false,
                },
                _ => return false,
            };
            if depth > MAX_TRANSFORMATIONS || node.scan_node as usize > number {
                return false;
            }
            depths.push(depth);
        }
        let known = |node: &u32| (*node as usize) < self.nodes.len();
        let rules = self.rules.iter().enumerate().all(|(number, rule)| {
            (1..=5).contains(&rule.phase)
                && rule.next.is_none_or(|next| next as usize > number)
                && rule.nodes.iter().all(known)
                && rule.probes.iter().all(|probe| known(&probe.node))
                && rule.actions.transformations.len() <= MAX_TRANSFORMATIONS
        });
        let phases = self.phases.iter().all(|phase| {
            phase.len() <= MAX_RULES
                && phase.iter().enumerate().all(|(at, rule)| {
                    let jump = self.rules.get(*rule as usize).and_then(|rule| rule.jump);
                    jump.is_none_or(|jump| jump as usize > at)
                })
        });
        rules && phases && self.rules.len() <= MAX_RULES && !self.nodes.is_empty()
    }
}
