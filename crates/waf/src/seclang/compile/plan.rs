//! The last step of compiling: updates and removals, jumps, the tree of transformations, groups, and the scanner.

use std::collections::HashMap;

use super::{Compiler, NONE, Node, Quick, Rule, RuleSet, Side, Update, bit};
use crate::seclang::action::{Effect, Which};
use crate::seclang::operator::Operator;
use crate::seclang::pattern::{Need, Pattern};
use crate::seclang::scan::Scanner;
use crate::seclang::syntax::{Diagnostic, Level};
use crate::seclang::template::Template;
use crate::seclang::transform::Transformation;
use crate::seclang::variable::{self, Kind, Target, Variable};

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
        let mut groups: HashMap<String, u32> = HashMap::new();
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
                    let node = Node {
                        parent: at,
                        transformation: Some(transformation),
                        touches: parent.touches.or(transformation.touches()),
                        touches_beyond_case: parent.touches_beyond_case.or(transformation.touches_beyond_case()),
                    };
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
            if let Some(literals) = need.literals.as_ref().filter(|_| words) {
                rule.exact = needs.len() as u32;
                needs.push((rule.exact, literals.clone()));
            }
            if rule.negated {
                need = Need::default();
            }
            rule.bytes = need.bytes;
            if let Some(literals) = need.literals {
                if rule.exact != NONE {
                    rule.scan = rule.exact;
                } else {
                    rule.scan = needs.len() as u32;
                    needs.push((rule.scan, literals));
                }
            }
            let stored =
                rule.targets.iter().all(|target| !target.count && matches!(target.variable.kind(), Kind::Stored(..)));
            if stored && !rule.targets.is_empty() && (rule.scan != NONE || !rule.bytes.is_empty()) {
                let mut key: Vec<String> = rule.targets.iter().map(Target::key).collect();
                key.push(format!("{:?}", rule.nodes));
                let list = &mut self.set.groups;
                rule.group = *groups.entry(key.join("|")).or_insert_with(|| {
                    list.push(number as u32);
                    list.len() as u32 - 1
                });
            }
        }
        let borrowed: Vec<(u32, &[Vec<u8>])> =
            needs.iter().map(|(number, literals)| (*number, literals.as_slice())).collect();
        self.set.scanner = Scanner::new(&borrowed, needs.len());
        if !self.set.scanner.works() {
            // Too many literals for one automaton: every rule looks for itself.
            for rule in &mut self.set.rules {
                rule.scan = NONE;
                rule.exact = NONE;
                if rule.bytes.is_empty() {
                    rule.group = NONE;
                }
            }
        }
        for (file, line, message) in complaints {
            let file = self.set.files.get(file as usize).cloned().unwrap_or_default();
            self.diagnostics.push(Diagnostic { file, line, column: 1, level: Level::Warning, message });
        }
        (self.set, self.diagnostics)
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
