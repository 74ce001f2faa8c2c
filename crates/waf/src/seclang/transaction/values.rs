//! Values in the arena: what transformations make of them, and which operators could match them.
//!
//! All of it is worked out when it is first asked for and kept for the rest of the transaction.

use super::{Content, Item, MAX_ARENA, MAX_CONTENTS, Transaction, Union};
use crate::seclang::bytes::{ByteSet, Span};
use crate::seclang::compile::{NONE, Needs, Probe, Rule};
use crate::seclang::scan::bytes_of;
use crate::seclang::transform::{Transformation, occurs_spread};
use crate::seclang::variable::{Part, Store};

/// Values from this length on are searched as they came, where that can save a transformation.
const LONG: usize = 512;

impl Transaction<'_> {
    pub(super) fn span(&mut self, text: &[u8]) -> Span {
        if self.arena.len() + text.len() > MAX_ARENA {
            self.exceeded = true;
            return Span::default();
        }
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(text);
        Span { start, end: self.arena.len() as u32 }
    }

    pub(super) fn content(&mut self, span: Span) -> u32 {
        if self.contents.len() >= MAX_CONTENTS {
            self.exceeded = true;
            return 0;
        }
        let bytes = bytes_of(span.of(&self.arena));
        self.contents.push(Content { span, bytes, bits: NONE, like: NONE, row: NONE });
        self.contents.len() as u32 - 1
    }

    pub(super) fn add(&mut self, store: Store, name: &[u8], value: &[u8]) {
        let name = self.span(name);
        let name_content = if name.len() > 0 { self.content(name) } else { NONE };
        let span = self.span(value);
        let content = self.content(span);
        let name_content = if name_content == NONE { self.empty() } else { name_content };
        self.stores[store as usize].push(Item { name, name_content, content });
    }

    /// The empty text as a content: the first one.
    pub(super) fn empty(&mut self) -> u32 {
        match self.contents.first() {
            Some(first) if first.span.len() == 0 => 0,
            _ => self.content(Span::default()),
        }
    }

    pub(super) fn set_single(&mut self, store: Store, value: &[u8]) {
        let span = self.span(value);
        let content = self.content(span);
        let items = &mut self.stores[store as usize];
        items.clear();
        items.push(Item { name: Span::default(), name_content: content, content });
    }

    /// The first value in a store with this name.
    pub(crate) fn first(&self, store: Store, name: &[u8]) -> Option<&[u8]> {
        let items = &self.stores[store as usize];
        let item = items.iter().find(|item| item.name.of(&self.arena).eq_ignore_ascii_case(name))?;
        Some(self.text(item.content))
    }

    pub(crate) fn text(&self, content: u32) -> &[u8] {
        self.contents.get(content as usize).map_or(&[], |content| content.span.of(&self.arena))
    }

    pub(super) fn bytes(&self, content: u32) -> ByteSet {
        self.contents.get(content as usize).map_or(ByteSet::EMPTY, |content| content.bytes)
    }

    /// What a content is at a node of the tree of transformations.
    pub(crate) fn derive(&mut self, content: u32, node: u32) -> u32 {
        let set = self.set;
        let Some(step) = set.nodes.get(node as usize) else { return content };
        let Some(transformation) = step.transformation else { return content };
        if !step.touches_all && !self.bytes(content).meets(step.touches) {
            return content;
        }
        let place = self.row(content) + node as usize;
        match self.rows.get(place) {
            Some(&NONE) | None => {}
            Some(&known) => return known,
        }
        let parent = self.derive(content, step.parent);
        let derived = self.transform(parent, transformation);
        if let Some(entry) = self.rows.get_mut(place) {
            *entry = derived;
        }
        derived
    }

    /// Where a content's row of transformed contents begins.
    fn row(&mut self, content: u32) -> usize {
        let Some(origin) = self.contents.get_mut(content as usize) else { return usize::MAX };
        if origin.row == NONE {
            origin.row = self.rows.len() as u32;
            self.rows.resize(self.rows.len() + self.set.nodes.len(), NONE);
        }
        origin.row as usize
    }

    /// [`Transaction::derive`], which stops where what is made becomes too short for any rule.
    fn derive_long(&mut self, content: u32, node: u32) -> Option<u32> {
        let set = self.set;
        let Some(step) = set.nodes.get(node as usize) else { return Some(content) };
        let Some(transformation) = step.transformation else { return Some(content) };
        let derived = if !step.touches_all && !self.bytes(content).meets(step.touches) {
            content
        } else {
            let place = self.row(content) + node as usize;
            match self.rows.get(place) {
                Some(&NONE) | None => {
                    let parent = self.derive_long(content, step.parent)?;
                    let derived = self.transform(parent, transformation);
                    if let Some(entry) = self.rows.get_mut(place) {
                        *entry = derived;
                    }
                    derived
                }
                Some(&known) => known,
            }
        };
        (self.length(derived) >= step.least_length).then_some(derived)
    }

    fn transform(&mut self, content: u32, transformation: Transformation) -> u32 {
        let touches = transformation.touches();
        if !self.bytes(content).meets(touches) && touches != ByteSet::ALL {
            return content;
        }
        let mut out = std::mem::take(&mut self.scratch);
        let input = self.text(content);
        transformation.apply(input, &mut out);
        let derived = if out == input {
            content
        } else {
            let cased = out.eq_ignore_ascii_case(input);
            let span = self.span(&out);
            let derived = self.content(span);
            if let Some(new) = self.contents.get_mut(derived as usize).filter(|_| cased) {
                new.like = content;
            }
            derived
        };
        self.scratch = out;
        derived
    }

    /// The content that says which operators could match at a node: the case of letters doesn't matter for that. `None`
    /// when it is too short for any rule.
    pub(crate) fn scannable(&mut self, content: u32, node: u32) -> Option<u32> {
        let scan_node = self.set.nodes.get(node as usize)?.scan_node;
        let step = self.set.nodes.get(scan_node as usize)?;
        let known = self.contents.get(content as usize)?;
        if (known.span.len() as u32) < step.least_input {
            return None;
        }
        if !step.touches_all && !known.bytes.meets(step.touches_beyond_case) {
            return (known.span.len() as u32 >= step.least_length).then_some(content);
        }
        self.derive_long(content, scan_node)
    }

    pub(crate) fn length(&self, content: u32) -> u32 {
        self.contents.get(content as usize).map_or(0, |content| content.span.len() as u32)
    }

    /// Where the bits of a content are; scans it when that has not been done.
    fn scanned(&mut self, content: u32) -> usize {
        let Some(known) = self.contents.get(content as usize) else { return usize::MAX };
        if known.bits != NONE {
            return known.bits as usize;
        }
        let (span, like) = (known.span, known.like);
        let start = match like {
            // What differs in the case of letters only has the same bits. Such contents are older: this ends.
            older if older < content => self.scanned(older),
            _ => {
                let start = self.bits.len();
                self.bits.resize(start + self.set.scanner.words(), 0);
                self.set.scanner.scan(span.of(&self.arena), self.bits.get_mut(start..).unwrap_or_default());
                start
            }
        };
        if let Some(known) = self.contents.get_mut(content as usize) {
            known.bits = start as u32;
        }
        start
    }

    /// Whether a content meets a rule's needs.
    pub(crate) fn meets(&mut self, content: u32, needs: &Needs) -> bool {
        let bytes = self.bytes(content);
        if needs.mask == 0 {
            return needs.met_by(bytes, &[]);
        }
        let start = self.scanned(content);
        needs.met_by(bytes, self.bits.get(start..).unwrap_or_default())
    }

    /// Whether a literal of a rule occurs in a content.
    pub(crate) fn has_literal(&mut self, content: u32, needs: &Needs) -> bool {
        let start = self.scanned(content);
        self.bits.get(start + usize::from(needs.word)).is_some_and(|word| word & needs.mask != 0)
    }

    /// Whether a rule that looks at long values without their white space can be told that none holds what it needs.
    fn spread_nowhere(&self, rule: &Rule) -> bool {
        let worth = |item: &Item, part: Part| {
            let text = self.text(if part == Part::Value { item.content } else { item.name_content });
            // Short ones are cheap to transform, and rules share the result.
            text.len() < LONG || rule.spread.iter().any(|literal| occurs_spread(text, literal))
        };
        !rule.spread.is_empty()
            && !rule
                .probes
                .iter()
                .any(|probe| self.stores[probe.store as usize].iter().any(|item| worth(item, probe.part)))
    }

    /// Whether any value that a rule looks at could match it.
    pub(crate) fn worth_a_look(&mut self, rule: &Rule) -> bool {
        if self.spread_nowhere(rule) {
            return false;
        }
        for probe in &rule.probes {
            if self.stores[probe.store as usize].is_empty() {
                continue;
            }
            let place = match self.store_answers.get(probe.number()) {
                Some((epoch, place)) if *epoch == self.epoch => *place as usize,
                _ => self.unite_store(probe.store, probe.part, probe.node),
            };
            if self.store_unions.get(place).is_some_and(|union| rule.needs.met_by(union.bytes, &union.bits)) {
                return true;
            }
        }
        false
    }

    fn unite_content(&mut self, content: u32, union: &mut Union) {
        union.bytes = union.bytes.or(self.bytes(content));
        let start = self.scanned(content);
        for (sum, word) in union.bits.iter_mut().zip(self.bits.get(start..).unwrap_or_default()) {
            *sum |= word;
        }
    }

    /// The union over a whole store at a node: its place among the unions.
    pub(crate) fn unite_store(&mut self, store: Store, part: Part, node: u32) -> usize {
        let node = self.set.nodes.get(node as usize).map_or(0, |node| node.scan_node);
        let asked = Probe { store, part, node }.number();
        if let Some((_, place)) = self.store_answers.get(asked).filter(|(epoch, _)| *epoch == self.epoch) {
            return *place as usize;
        }
        let place = self.find_store_union(store, part, node, asked);
        if let Some(answer) = self.store_answers.get_mut(asked) {
            *answer = (self.epoch, place as u32);
        }
        place
    }

    fn find_store_union(&mut self, store: Store, part: Part, node: u32, number: usize) -> usize {
        let set = self.set;
        let Some(step) = set.nodes.get(node as usize) else { return usize::MAX };
        // Where no value would be changed, the root's union is the one.
        let root = if node == 0 { usize::MAX } else { self.unite_store(store, part, 0) };
        if node != 0
            && !step.touches_all
            && self.store_unions.get(root).is_some_and(|root| !root.bytes.meets(step.touches_beyond_case))
        {
            return root;
        }
        let mut place = self.store_places.get(number).copied().unwrap_or(0);
        if place == NONE {
            place = self.store_unions.len() as u32;
            self.store_places[number] = place;
            self.store_unions.push(Union::default());
        }
        let place = place as usize;
        if self.store_unions.get(place).is_none_or(|union| union.epoch == self.epoch) {
            return place;
        }
        let mut union = std::mem::take(&mut self.store_unions[place]);
        union.epoch = self.epoch;
        union.bytes = ByteSet::EMPTY;
        union.bits.clear();
        union.contents.clear();
        if node == 0 {
            self.unite_root(store, part, &mut union);
        } else if let (false, Some(root)) = (step.touches_all, self.store_unions.get_mut(root)) {
            // Most values are changed by nothing: only the others are looked at.
            union.bytes = root.inert_bytes;
            union.bits.extend_from_slice(&root.inert_bits);
            union.contents.extend_from_slice(&root.contents);
            union.lively.clear();
            union.lively.extend_from_slice(&root.lively);
            for at in 0..union.lively.len() {
                let Some(item) = union.lively.get(at).map(|at| *at as usize) else { break };
                let Some(content) = union.contents.get(item).copied() else { break };
                let found = self.scannable(content, node);
                if let Some(content) = found {
                    self.unite_content(content, &mut union);
                }
                if let Some(entry) = union.contents.get_mut(item) {
                    *entry = found.unwrap_or(NONE);
                }
            }
        } else {
            union.bits.resize(set.scanner.words(), 0);
            for at in 0..self.stores[store as usize].len() {
                let item = self.stores[store as usize][at];
                let content = if part == Part::Value { item.content } else { item.name_content };
                let found = if self.length(content) < step.least_input { None } else { self.scannable(content, node) };
                if let Some(content) = found {
                    self.unite_content(content, &mut union);
                }
                union.contents.push(found.unwrap_or(NONE));
            }
        }
        self.store_unions[place] = union;
        place
    }

    /// The union of a store's values as they came.
    fn unite_root(&mut self, store: Store, part: Part, union: &mut Union) {
        union.bits.resize(self.set.scanner.words(), 0);
        union.lively.clear();
        for at in 0..self.stores[store as usize].len() {
            let item = self.stores[store as usize][at];
            let content = if part == Part::Value { item.content } else { item.name_content };
            union.contents.push(content);
            if self.bytes(content).meets(self.set.lively) {
                union.lively.push(at as u32);
            } else {
                self.unite_content(content, union);
            }
        }
        union.inert_bytes = union.bytes;
        union.inert_bits.clear();
        union.inert_bits.extend_from_slice(&union.bits);
        for at in 0..union.lively.len() {
            let Some(content) = union.lively.get(at).and_then(|at| union.contents.get(*at as usize)) else { break };
            self.unite_content(*content, union);
        }
    }
}
