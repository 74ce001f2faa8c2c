//! Values in the arena: what transformations make of them, and which operators could match them.
//!
//! All of it is worked out when it is first asked for and kept for the rest of the transaction.

use super::{Content, Item, MAX_ARENA, MAX_CONTENTS, Transaction, Union};
use crate::seclang::bytes::{ByteSet, Span};
use crate::seclang::compile::{NONE, Rule};
use crate::seclang::scan::bytes_of;
use crate::seclang::transform::Transformation;
use crate::seclang::variable::{Kind, Part, STORES, Selector, Store};

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
        if !self.bytes(content).meets(step.touches) && step.touches != ByteSet::ALL {
            return content;
        }
        let Some(origin) = self.contents.get_mut(content as usize) else { return content };
        let mut row = origin.row;
        if row == NONE {
            row = self.rows.len() as u32;
            origin.row = row;
            self.rows.resize(self.rows.len() + set.nodes.len(), NONE);
        }
        let place = row as usize + node as usize;
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

    fn transform(&mut self, content: u32, transformation: Transformation) -> u32 {
        let touches = transformation.touches();
        if touches != ByteSet::ALL && !self.bytes(content).meets(touches) {
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

    /// The content that says which operators could match at a node: the case of letters doesn't matter for that.
    pub(crate) fn scannable(&mut self, content: u32, node: u32) -> u32 {
        match self.set.nodes.get(node as usize) {
            Some(step)
                if step.touches_beyond_case == ByteSet::ALL || self.bytes(content).meets(step.touches_beyond_case) =>
            {
                self.derive(content, node)
            }
            _ => content,
        }
    }

    /// Where the bits of a content are; scans it when that has not been done.
    fn scanned(&mut self, content: u32) -> usize {
        let mut origin = content;
        for _ in 0..8 {
            match self.contents.get(origin as usize) {
                Some(other) if other.like != NONE => origin = other.like,
                _ => break,
            }
        }
        let Some(known) = self.contents.get_mut(origin as usize) else { return usize::MAX };
        if known.bits == NONE {
            known.bits = self.bits.len() as u32;
            let start = self.bits.len();
            self.bits.resize(start + self.set.scanner.words(), 0);
            let text = known.span.of(&self.arena);
            self.set.scanner.scan(text, self.bits.get_mut(start..).unwrap_or_default());
            return start;
        }
        known.bits as usize
    }

    /// Whether a content could match an operator with these needs.
    pub(crate) fn worth(&mut self, content: u32, scan: u32, needs: &[ByteSet]) -> bool {
        let bytes = self.bytes(content);
        if !needs.iter().all(|need| bytes.meets(*need)) {
            return false;
        }
        if scan == NONE {
            return true;
        }
        let start = self.scanned(content);
        self.bits.get(start + scan as usize / 64).is_some_and(|word| word >> (scan % 64) & 1 == 1)
    }

    /// Whether any value of a group could match.
    pub(crate) fn group_worth(&mut self, group: u32, scan: u32, needs: &[ByteSet]) -> bool {
        let Some(union) = self.unions.get_mut(group as usize) else { return true };
        if union.epoch != self.epoch {
            let mut union = std::mem::take(union);
            self.unite(group, &mut union);
            if let Some(place) = self.unions.get_mut(group as usize) {
                *place = union;
            }
        }
        let Some(union) = self.unions.get(group as usize) else { return true };
        needs.iter().all(|need| union.bytes.meets(*need))
            && (scan == NONE || union.bits.get(scan as usize / 64).is_some_and(|word| word >> (scan % 64) & 1 == 1))
    }

    fn unite(&mut self, group: u32, union: &mut Union) {
        union.epoch = self.epoch;
        union.bytes = ByteSet::EMPTY;
        union.bits.clear();
        union.bits.resize(self.set.scanner.words(), 0);
        let set = self.set;
        let Some(rule) = set.groups.get(group as usize).and_then(|rule| set.rules.get(*rule as usize)) else { return };
        for target in &rule.targets {
            let Kind::Stored(stores, part) = target.variable.kind() else { continue };
            let whole = matches!(target.selector, Selector::All);
            for store in stores {
                if self.stores[*store as usize].is_empty() {
                    continue;
                }
                if whole {
                    for &node in &rule.nodes {
                        let place = self.unite_store(*store, part, node);
                        if let Some(of_store) = self.store_unions.get(place) {
                            union.bytes = union.bytes.or(of_store.bytes);
                            for (sum, word) in union.bits.iter_mut().zip(&of_store.bits) {
                                *sum |= word;
                            }
                        }
                    }
                    continue;
                }
                for at in 0..self.stores[*store as usize].len() {
                    let item = self.stores[*store as usize][at];
                    if !target.selector.takes(item.name.of(&self.arena)) {
                        continue;
                    }
                    let content = if part == Part::Value { item.content } else { item.name_content };
                    for &node in &rule.nodes {
                        let content = self.scannable(content, node);
                        self.unite_content(content, union);
                    }
                }
            }
        }
    }

    pub(super) fn unite_content(&mut self, content: u32, union: &mut Union) {
        union.bytes = union.bytes.or(self.bytes(content));
        let start = self.scanned(content);
        for (sum, word) in union.bits.iter_mut().zip(self.bits.get(start..).unwrap_or_default()) {
            *sum |= word;
        }
    }

    /// Whether any value of a store could match a rule.
    pub(crate) fn store_worth(&mut self, store: Store, part: Part, rule: &Rule) -> bool {
        let (scan, needs) = (rule.scan, &rule.bytes);
        if scan == NONE && needs.is_empty() {
            return true;
        }
        rule.nodes.iter().any(|&node| {
            let place = self.unite_store(store, part, node);
            self.store_unions.get(place).is_none_or(|union| {
                needs.iter().all(|need| union.bytes.meets(*need))
                    && (scan == NONE
                        || union.bits.get(scan as usize / 64).is_some_and(|word| word >> (scan % 64) & 1 == 1))
            })
        })
    }

    /// The union over a whole store at a node: its place among the unions.
    fn unite_store(&mut self, store: Store, part: Part, node: u32) -> usize {
        let asked = (node as usize * STORES + store as usize) * 2 + part as usize;
        if let Some((_, place)) = self.store_answers.get(asked).filter(|(epoch, _)| *epoch == self.epoch) {
            return *place as usize;
        }
        let place = self.find_store_union(store, part, node);
        if let Some(answer) = self.store_answers.get_mut(asked) {
            *answer = (self.epoch, place as u32);
        }
        place
    }

    fn find_store_union(&mut self, store: Store, part: Part, node: u32) -> usize {
        // Where no value would be changed, the root's union is the one.
        let mut node = node;
        if node != 0 {
            let root = self.unite_store(store, part, 0);
            let (Some(step), Some(root)) = (self.set.nodes.get(node as usize), self.store_unions.get(root)) else {
                return root;
            };
            if step.touches_beyond_case != ByteSet::ALL && !root.bytes.meets(step.touches_beyond_case) {
                node = 0;
            }
        }
        let number = (node as usize * STORES + store as usize) * 2 + part as usize;
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
        union.bits.clear();
        if node == 0 {
            union.bytes = ByteSet::EMPTY;
            union.bits.resize(self.set.scanner.words(), 0);
        } else {
            // What the values are before serves as a first guess: only those that change are looked at.
            let root = self.unite_store(store, part, 0);
            if let Some(root) = self.store_unions.get(root) {
                union.bytes = root.bytes;
                union.bits.extend_from_slice(&root.bits);
            }
        }
        for at in 0..self.stores[store as usize].len() {
            let item = self.stores[store as usize][at];
            let content = if part == Part::Value { item.content } else { item.name_content };
            let scannable = self.scannable(content, node);
            if node == 0 || scannable != content {
                self.unite_content(scannable, &mut union);
            }
        }
        self.store_unions[place] = union;
        place
    }
}
