//! The last step of compiling: updates and removals, jumps, the tree of transformations, groups, and the scanner.

use std::collections::{BTreeMap, HashMap};

use super::{Compiler, Needs, Node, Probe, Quick, Rule, RuleSet, Side, Update, bit};
use crate::seclang::action::{Effect, Which};
use crate::seclang::bytes::ByteSet;
use crate::seclang::need::Need;
use crate::seclang::operator::Operator;
use crate::seclang::pattern::Pattern;
use crate::seclang::scan::{Literal, Scanner};
use crate::seclang::syntax::{Diagnostic, Level};
use crate::seclang::template::Template;
use crate::seclang::transform::{Transformation, is_white_space};
use crate::seclang::variable::{self, Kind, Variable};

/// Most literals of a rule that are looked for one by one.
const MAX_SPREAD: usize = 4;

impl Compiler<'_> {
    pub(super) fn finish(mut self) -> (RuleSet, Vec<Diagnostic>) {
        self.apply_updates();
        let orders: [Vec<u32>; 5] = std::array::from_fn(|phase| {
            self.set.phases[phase]
                .iter()
                .filter_map(|rule| self.set.rules.get(*rule as usize))
                .map(|rule| rule.order)
                .collect()
        });
        let mut complaints = Vec::new();
        let mut nodes: HashMap<(u32, Transformation), u32> = HashMap::new();
        let mut needs: Vec<(u32, Vec<Vec<u8>>)> = Vec::new();
        self.find_removals();
        for number in 0..self.set.rules.len() {
            let Some(rule) = self.set.rules.get_mut(number) else { continue };
            if let Some(marker) = &rule.actions.skip_after {
                let target = self.markers.iter().find(|(name, order)| name == marker && *order > rule.order);
                let phase = &orders[usize::from(rule.phase) - 1];
                let end = match target {
                    Some((_, order)) => phase.partition_point(|other| other < order),
                    None => {
                        complaints.push((rule.file, rule.line, format!("there is no marker `{marker}` below")));
                        phase.len()
                    }
                };
                rule.jump = Some(end as u32);
            }
            // The chain of transformations, as a path in the tree.
            let mut at = 0;
            let mut path = vec![0];
            for transformation in rule.actions.transformations.iter().copied() {
                let tree = &mut self.set.nodes;
                at = *nodes.entry((at, transformation)).or_insert_with(|| {
                    let parent = &tree[at as usize];
                    let mut node = parent.then(at, transformation);
                    let same = transformation.touches_beyond_case() == ByteSet::EMPTY;
                    node.scan_node = if same { parent.scan_node } else { tree.len() as u32 };
                    tree.push(node);
                    tree.len() as u32 - 1
                });
                path.push(at);
            }
            rule.nodes = if rule.actions.multi_match { path } else { vec![at] };
            rule.quick = quick(rule);
            let mut need = rule.operator.need();
            // A list of words matches just when the scanner finds one of them; what is captured must be looked for.
            let words = matches!(rule.operator, Operator::Words(_)) && (rule.negated || !rule.actions.capture);
            rule.exact = words && need.literals.is_some() && need.either == ByteSet::EMPTY;
            if rule.negated && !rule.exact {
                need = Need::default();
            }
            let least = need.length;
            rule.needs = Needs { either: need.either, bytes: need.bytes, ..Needs::default() };
            if let Some(literals) = need.literals {
                rule.spread = spread(rule, &literals);
                rule.needs.word = u16::try_from(needs.len() / 64).unwrap_or(u16::MAX);
                rule.needs.mask = 1 << (needs.len() % 64);
                needs.push((needs.len() as u32, literals));
            }
            let stored =
                rule.targets.iter().all(|target| !target.count && matches!(target.variable.kind(), Kind::Stored(..)));
            if stored && !rule.targets.is_empty() && !rule.needs.is_empty() && !rule.negated {
                let inputs = rule.nodes.iter().map(|node| least_input(&self.set.nodes, *node, least));
                rule.needs.least_input = inputs.min().unwrap_or(0);
                for target in &rule.targets {
                    let Kind::Stored(stores, part) = target.variable.kind() else { continue };
                    for node in &rule.nodes {
                        let node = self.set.nodes.get(*node as usize).map_or(0, |node| node.scan_node);
                        for store in stores {
                            let probe = Probe { store: *store, part, node };
                            if !rule.probes.contains(&probe) {
                                rule.probes.push(probe);
                            }
                        }
                    }
                }
            }
            // The nodes know the least that any of their rules needs.
            let least = if rule.probes.is_empty() { 0 } else { least };
            for node in rule.nodes.iter().copied() {
                let scanned = self.set.nodes.get(node as usize).map_or(0, |node| node.scan_node);
                if let Some(node) = self.set.nodes.get_mut(scanned as usize) {
                    node.least_input = node.least_input.min(rule.needs.least_input);
                }
                let (mut at, mut length) = (node, least);
                while let Some(node) = self.set.nodes.get_mut(at as usize) {
                    node.least_length = node.least_length.min(u32::try_from(length).unwrap_or(u32::MAX));
                    let Some(transformation) = node.transformation else { break };
                    length = transformation.least_input(length);
                    at = node.parent;
                }
            }
        }
        self.set.lively = self
            .set
            .nodes
            .iter()
            .filter(|node| !node.touches_all)
            .fold(ByteSet::EMPTY, |all, node| all.or(node.touches_beyond_case));
        // Where a chain changes nothing, the root answers for it.
        if let Some(root) = self.set.nodes.first_mut() {
            (root.least_input, root.least_length) = (0, 0);
        }
        self.set.scanner = Scanner::new(&literals(&needs), needs.len());
        if !self.set.scanner.works() {
            // Too many literals for one automaton: every rule looks for itself.
            for rule in &mut self.set.rules {
                if rule.needs.mask != 0 {
                    (rule.needs.mask, rule.exact) = (0, false);
                    if rule.needs.bytes.is_empty() {
                        rule.probes.clear();
                    }
                }
            }
            for node in &mut self.set.nodes {
                (node.least_input, node.least_length) = (0, 0);
            }
        }
        for (file, line, message) in complaints {
            let file = self.set.files.get(file as usize).cloned().unwrap_or_default();
            self.diagnostics.push(Diagnostic { file, line, column: 1, level: Level::Warning, message });
        }
        self.intern_tags();
        (self.set, self.diagnostics)
    }

    /// Keeps each tag once: rules have many, and mostly the same.
    fn intern_tags(&mut self) {
        let mut numbers: HashMap<String, u16> = HashMap::new();
        for rule in &mut self.set.rules {
            for tag in std::mem::take(&mut rule.actions.tags) {
                let next = u16::try_from(numbers.len()).unwrap_or(u16::MAX);
                let number = *numbers.entry(tag).or_insert_with_key(|tag| {
                    self.set.tags.push(tag.clone());
                    next
                });
                rule.tags.push(number);
            }
            rule.tags.shrink_to_fit();
        }
    }

    /// Finds the rules that `ctl` removes and the variables that `setvar` sets, once and for all.
    fn find_removals(&mut self) {
        for number in 0..self.set.rules.len() {
            let selections = Selections::new(&self.set.rules);
            let found: Vec<Vec<u64>> = self.set.rules[number]
                .actions
                .effects
                .iter()
                .map(|effect| match effect {
                    Effect::RemoveRules { which, .. } | Effect::RemoveTargets { which, .. } => selections.bits(which),
                    _ => Vec::new(),
                })
                .collect();
            let names = &mut self.set.names;
            for (effect, bits) in self.set.rules[number].actions.effects.iter_mut().zip(found) {
                if let Effect::SetVariable { collection: Variable::Tx, name, slot, .. } = effect {
                    *slot = name.literal().map(|name| names.number(name));
                }
                if let Effect::RemoveRules { rules, .. } | Effect::RemoveTargets { rules, .. } = effect {
                    *rules = bits;
                }
            }
        }
    }

    fn apply_updates(&mut self) {
        for update in std::mem::take(&mut self.updates) {
            match update {
                Update::Remove(which) => {
                    let bits = Selections::new(&self.set.rules).bits(&which);
                    for phase in &mut self.set.phases {
                        phase.retain(|rule| !bit(&bits, *rule));
                    }
                }
                Update::Targets(which, text, complaint) => {
                    let bits = Selections::new(&self.set.rules).bits(&which);
                    let chosen: Vec<usize> =
                        (0..self.set.rules.len()).filter(|rule| bit(&bits, *rule as u32)).collect();
                    if chosen.is_empty() {
                        // Plugins and exclusions name rules that other versions have: no reason to complain.
                        continue;
                    }
                    for rule in chosen {
                        let (targets, mistakes) = variable::targets(&text);
                        if let Some((_, message)) = mistakes.into_iter().next() {
                            self.diagnostics.push(Diagnostic { message, ..complaint.clone() });
                            break;
                        }
                        let Some(rule) = self.set.rules.get_mut(rule) else { continue };
                        for mut target in targets {
                            if let (Variable::Tx, variable::Selector::Named(name)) = (target.variable, &target.selector)
                            {
                                target.slot = Some(self.set.names.number(name));
                            }
                            if target.exclude { rule.excluded.push(target) } else { rule.targets.push(target) }
                        }
                    }
                }
            }
        }
    }
}

/// The literals of all operators, each once, in lower case.
fn literals(needs: &[(u32, Vec<Vec<u8>>)]) -> Vec<Literal> {
    let mut owners: BTreeMap<Vec<u8>, Vec<u16>> = BTreeMap::new();
    for (operator, texts) in needs {
        for text in texts {
            // More operators than have a number are more than the scanner takes.
            owners.entry(text.to_ascii_lowercase()).or_default().push(u16::try_from(*operator).unwrap_or(u16::MAX));
        }
    }
    let literal = |(text, mut owners): (Vec<u8>, Vec<u16>)| {
        owners.dedup();
        Literal { text, owners }
    };
    owners.into_iter().map(literal).collect()
}

/// Literals that can be looked for in a value as it came, when all that happens to it is that white space goes.
fn spread(rule: &Rule, literals: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let steps = &rule.actions.transformations;
    let removes = steps.contains(&Transformation::RemoveWhitespace);
    let nothing_else =
        steps.iter().all(|step| matches!(step, Transformation::RemoveWhitespace | Transformation::Lowercase));
    let whole = literals.iter().flatten().all(|byte| !is_white_space(*byte));
    let few = literals.len() <= MAX_SPREAD && literals.iter().all(|literal| literal.len() > 2);
    if removes && nothing_else && whole && few && !rule.actions.multi_match && rule.needs.either == ByteSet::EMPTY {
        literals.to_vec()
    } else {
        Vec::new()
    }
}

/// The length that a value must have before a chain can make so many bytes of it.
fn least_input(nodes: &[Node], node: u32, length: usize) -> u32 {
    let (mut node, mut length) = (node, length);
    while let Some(step) = nodes.get(node as usize) {
        let Some(transformation) = step.transformation else { break };
        length = transformation.least_input(length);
        node = step.parent;
    }
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// `TX:name @lt 5` and the like need no machinery.
fn quick(rule: &Rule) -> Option<Quick> {
    let ([target], true, Operator::Number(comparison, template)) =
        (rule.targets.as_slice(), rule.actions.transformations.is_empty() && rule.excluded.is_empty(), &rule.operator)
    else {
        return None;
    };
    if rule.actions.capture {
        return None;
    }
    let right = match (template.slot(), template.literal()) {
        (Some(slot), _) => Side::Slot(slot),
        (_, Some(literal)) => Side::Number(crate::seclang::bytes::integer(literal)),
        _ => return None,
    };
    Some(Quick { left: target.slot?, count: target.count, comparison: *comparison, right })
}

/// Finds the rules that an id, tag or message means.
struct Selections<'a> {
    rules: &'a [Rule],
}

impl Selections<'_> {
    fn new(rules: &[Rule]) -> Selections<'_> {
        Selections { rules }
    }

    fn bits(&self, which: &Which) -> Vec<u64> {
        let mut bits = vec![0u64; self.rules.len().div_ceil(64)];
        let pattern = match which {
            Which::Tag(text) | Which::Message(text) => Pattern::new(text).ok(),
            Which::Ids(_) => None,
        };
        for (number, rule) in self.rules.iter().enumerate() {
            let chosen = match which {
                Which::Ids(ranges) => {
                    rule.actions.id.is_some_and(|id| ranges.iter().any(|(first, last)| (*first..=*last).contains(&id)))
                }
                Which::Tag(text) => {
                    rule.actions.tags.iter().any(|tag| {
                        tag == text || pattern.as_ref().is_some_and(|pattern| pattern.is_match(tag.as_bytes()))
                    })
                }
                Which::Message(text) => {
                    rule.actions.message.as_ref().and_then(Template::literal).is_some_and(|message| {
                        message == text.as_bytes() || pattern.as_ref().is_some_and(|pattern| pattern.is_match(message))
                    })
                }
            };
            if let Some(word) = bits.get_mut(number / 64).filter(|_| chosen) {
                *word |= 1 << (number % 64);
            }
        }
        bits
    }
}
