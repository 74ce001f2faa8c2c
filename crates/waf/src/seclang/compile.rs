//! From rule files to rules: directives, what they lack, and where it is told. [`plan`] makes the set out of them:
//! rules in the order of their phases, chains of transformations as a tree, one automaton over all literals.

mod compiled;
mod plan;

pub use compiled::CompiledError;

use std::collections::HashMap;

use super::action::{self, Actions, Disruption, Switch, Which};
use super::bytes::ByteSet;
use super::operator::Operator;
use super::scan::Scanner;
use super::syntax::{self, Diagnostic, Directive, Level, Lines, Text};
use super::template::{Names, Template};
use super::transform::Transformation;
use super::variable::{self, Part, STORES, Store, Target, Variable};

/// Most rules of a set.
const MAX_RULES: usize = 65_536;
/// Most diagnostics that are kept.
const MAX_DIAGNOSTICS: usize = 1000;
/// Deepest nesting of `Include`, and most files read that way.
const MAX_INCLUDES: u32 = 8;
const MAX_FILES: usize = 2000;
/// Most transformations of one rule.
const MAX_TRANSFORMATIONS: usize = 64;

/// What a transaction may hold and how it is read; the `Sec...` directives that are not rules.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settings {
    pub(crate) engine: Switch,
    pub(crate) request_body: bool,
    pub(crate) response_body: bool,
    pub(crate) request_body_limit: usize,
    pub(crate) request_body_no_files_limit: usize,
    pub(crate) reject_long_request: bool,
    pub(crate) response_body_limit: usize,
    pub(crate) reject_long_response: bool,
    pub(crate) response_types: Vec<String>,
    pub(crate) json_depth: usize,
    pub(crate) arguments: usize,
    pub(crate) separator: u8,
    pub(crate) file_limit: usize,
    pub(crate) collection_timeout: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            engine: Switch::On,
            request_body: true,
            response_body: true,
            request_body_limit: 13_107_200,
            request_body_no_files_limit: 131_072,
            reject_long_request: true,
            response_body_limit: 1_048_576,
            reject_long_response: false,
            response_types: ["text/plain", "text/html", "text/xml", "application/json"].map(str::to_string).to_vec(),
            json_depth: 512,
            arguments: 1000,
            separator: b'&',
            file_limit: 100,
            collection_timeout: 3600,
        }
    }
}

/// A step of a transformation chain; the chains form a tree, so that what they begin with is done once.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Node {
    pub(crate) parent: u32,
    pub(crate) transformation: Option<Transformation>,
    /// Bytes without which the whole chain changes nothing, ...
    pub(crate) touches: ByteSet,
    /// ... or nothing but the case of letters.
    pub(crate) touches_beyond_case: ByteSet,
    /// The last node of the chain that changes more than the case of letters: what is scanned in its place.
    pub(crate) scan_node: u32,
    /// Whether the chain may change any value whatever.
    pub(crate) touches_all: bool,
    /// Shorter values make nothing here that a rule could match, ...
    pub(crate) least_input: u32,
    /// ... and what is shorter once it is here makes nothing in this or a later step that one could.
    pub(crate) least_length: u32,
}

impl Node {
    pub(crate) fn root() -> Node {
        Node {
            parent: NONE,
            transformation: None,
            touches: ByteSet::EMPTY,
            touches_beyond_case: ByteSet::EMPTY,
            scan_node: 0,
            touches_all: false,
            least_input: u32::MAX,
            least_length: u32::MAX,
        }
    }

    /// The node behind this one, number `at`, in a chain.
    pub(crate) fn then(&self, at: u32, transformation: Transformation) -> Node {
        Node {
            parent: at,
            transformation: Some(transformation),
            touches: self.touches.or(transformation.touches()),
            touches_beyond_case: self.touches_beyond_case.or(transformation.touches_beyond_case()),
            touches_all: self.touches_all || transformation.touches() == ByteSet::ALL,
            ..Node::root()
        }
    }
}

/// What a value must hold for a rule to be asked about it; nothing, when all is empty.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Needs {
    /// The word and bit of a scan's result that tells of a literal; no bit, when there is no literal to look for.
    pub(crate) word: u16,
    pub(crate) mask: u64,
    /// Bytes that do instead of a literal.
    pub(crate) either: ByteSet,
    /// A byte of each of these.
    pub(crate) bytes: Vec<ByteSet>,
    /// Values shorter than this need not be looked at.
    pub(crate) least_input: u32,
}

impl Needs {
    /// Whether every value will do.
    pub(crate) fn is_empty(&self) -> bool {
        self.mask == 0 && self.bytes.is_empty()
    }

    /// Whether values with these bytes and these results of a scan will do.
    #[inline]
    pub(crate) fn met_by(&self, bytes: ByteSet, bits: &[u64]) -> bool {
        // Literals first: few values hold one.
        (self.mask == 0
            || bits.get(usize::from(self.word)).is_some_and(|word| word & self.mask != 0)
            || bytes.meets(self.either))
            && self.bytes.iter().all(|need| bytes.meets(*need))
    }
}

/// Where a rule's values are: a store, which half of its items, and what they are at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Probe {
    pub(crate) store: Store,
    pub(crate) part: Part,
    /// The node that is scanned.
    pub(crate) node: u32,
}

impl Probe {
    /// Its number among all probes there could be.
    #[inline]
    pub(crate) fn number(self) -> usize {
        (self.node as usize * STORES + self.store as usize) * 2 + self.part as usize
    }
}

/// No number.
pub(crate) const NONE: u32 = u32::MAX;

/// A rule, ready to run.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Rule {
    pub(crate) actions: Actions,
    pub(crate) phase: u8,
    pub(crate) targets: Vec<Target>,
    pub(crate) excluded: Vec<Target>,
    pub(crate) operator: Operator,
    pub(crate) negated: bool,
    /// The ends of its chain in the tree of transformations; all steps with `multiMatch`.
    pub(crate) nodes: Vec<u32>,
    pub(crate) needs: Needs,
    /// Whether a literal's bit is the operator's answer.
    pub(crate) exact: bool,
    /// One of these, with white space anywhere in it, is in each value that can match; empty when that isn't known.
    pub(crate) spread: Vec<Vec<u8>>,
    /// Where all its values are, when these decide whether it is worth a look.
    pub(crate) probes: Vec<Probe>,
    /// The next rule of a chain.
    pub(crate) next: Option<u32>,
    /// A comparison of one transaction variable with a number or another one.
    pub(crate) quick: Option<Quick>,
    /// Where `skipAfter` leads: a position in the phase's list.
    pub(crate) jump: Option<u32>,
    pub(crate) file: u32,
    pub(crate) line: u32,
    /// Numbers of its tags.
    tags: Vec<u16>,
    #[serde(skip)]
    offset: u32,
    #[serde(skip)]
    order: u32,
}

impl Rule {
    /// What a value must hold for the rule to be asked about it, when that is anything.
    pub(crate) fn filter(&self) -> Option<&Needs> {
        (!self.negated && !self.needs.is_empty()).then_some(&self.needs)
    }
}

/// Right side of a [`Rule::quick`] comparison.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct Quick {
    pub(crate) left: u32,
    /// `&TX:name`: whether it is set.
    pub(crate) count: bool,
    pub(crate) comparison: super::operator::Comparison,
    pub(crate) right: Side,
}

#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) enum Side {
    Number(i64),
    Slot(u32),
}

/// A compiled set of rules. It holds no state of any transaction and can be shared between threads.
pub struct RuleSet {
    pub(crate) settings: Settings,
    pub(crate) rules: Vec<Rule>,
    pub(crate) phases: [Vec<u32>; 5],
    pub(crate) defaults: [PhaseDefault; 5],
    pub(crate) nodes: Vec<Node>,
    /// Values without these bytes are changed by no chain but those that change every value.
    pub(crate) lively: ByteSet,
    pub(crate) scanner: Scanner,
    pub(crate) names: Names,
    /// The numbers of `TX:0` to `TX:9`.
    pub(crate) captures: [u32; 10],
    /// The tags of all rules, each once.
    tags: Vec<String>,
    files: Vec<String>,
    signature: String,
}

impl std::fmt::Debug for RuleSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RuleSet({} rules)", self.rules.len())
    }
}

/// What `SecDefaultAction` says for a phase.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct PhaseDefault {
    pub(crate) disruption: Disruption,
    pub(crate) status: u16,
    pub(crate) log: bool,
    transformations: Vec<Transformation>,
}

impl Default for PhaseDefault {
    fn default() -> Self {
        PhaseDefault { disruption: Disruption::Pass, status: 403, log: true, transformations: Vec::new() }
    }
}

/// A change to rules that are named by id, tag or message, made when all are read.
enum Update {
    Remove(Which),
    Targets(Which, Text, Diagnostic),
}

struct Compiler<'a> {
    resolve: &'a dyn Fn(&str) -> Option<String>,
    diagnostics: Vec<Diagnostic>,
    set: RuleSet,
    markers: Vec<(String, u32)>,
    order: u32,
    /// A rule that waits for the rest of its chain, by number; a broken one is remembered as `None`.
    open: Option<Option<u32>>,
    ids: HashMap<u32, u32>,
    updates: Vec<Update>,
    lines: Lines,
    file: u32,
}

impl RuleSet {
    /// Compiles rule files, in order. `resolve` finds the text of files that rules name: word lists and `Include`.
    ///
    /// Every mistake is a diagnostic; rules without one work, those with an error are left out with their whole chain.
    pub fn compile(files: &[(&str, &str)], resolve: &dyn Fn(&str) -> Option<String>) -> (RuleSet, Vec<Diagnostic>) {
        let mut names = Names::default();
        let captures = std::array::from_fn(|digit| names.number(digit.to_string().as_bytes()));
        let set = RuleSet {
            settings: Settings::default(),
            rules: Vec::new(),
            phases: Default::default(),
            defaults: Default::default(),
            nodes: vec![Node::root()],
            lively: ByteSet::EMPTY,
            scanner: Scanner::default(),
            names,
            captures,
            tags: Vec::new(),
            files: Vec::new(),
            signature: String::new(),
        };
        let mut compiler = Compiler {
            resolve,
            diagnostics: Vec::new(),
            set,
            markers: Vec::new(),
            order: 0,
            open: None,
            ids: HashMap::new(),
            updates: Vec::new(),
            lines: Lines::default(),
            file: 0,
        };
        for (name, text) in files {
            compiler.file(name, text, 0);
        }
        compiler.finish()
    }

    /// Compiles every regular expression now instead of at first need; the ids of rules whose expression is too large,
    /// and which therefore match nothing.
    pub fn warm(&self) -> Vec<u32> {
        self.rules.iter().filter(|rule| !rule.operator.warm()).map(|rule| rule.actions.id.unwrap_or(0)).collect()
    }

    /// The same rules, each asked about every value: slow, and what the fast way must agree with.
    pub fn without_prefilter(mut self) -> RuleSet {
        for rule in &mut self.rules {
            rule.needs = Needs::default();
            rule.exact = false;
            rule.probes.clear();
        }
        self
    }

    /// The number of rules, each link of a chain counted.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The ids of all rules, in the order of the files.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.rules.iter().filter_map(|rule| rule.actions.id)
    }

    /// File and line where a rule stands.
    pub fn place(&self, id: u32) -> Option<(&str, u32)> {
        let rule = self.rules.iter().find(|rule| rule.actions.id == Some(id))?;
        Some((self.files.get(rule.file as usize)?, rule.line))
    }

    /// The tags of a rule.
    pub fn tags(&self, id: u32) -> impl Iterator<Item = &str> {
        let rule = self.rules.iter().find(|rule| rule.actions.id == Some(id));
        let tags = rule.map_or(&[][..], |rule| rule.tags.as_slice());
        tags.iter().filter_map(|tag| self.tags.get(usize::from(*tag)).map(String::as_str))
    }

    /// What `SecComponentSignature` says.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Bytes that the automaton over all literals takes.
    pub fn scanner_memory(&self) -> usize {
        self.scanner.memory()
    }
}

impl Compiler<'_> {
    fn complain(&mut self, offset: u32, level: Level, message: impl Into<String>) {
        if self.diagnostics.len() >= MAX_DIAGNOSTICS {
            return;
        }
        let (line, column) = self.lines.position(offset);
        let file = self.set.files.get(self.file as usize).cloned().unwrap_or_default();
        self.diagnostics.push(Diagnostic { file, line, column, level, message: message.into() });
    }

    fn error(&mut self, offset: u32, message: impl Into<String>) {
        self.complain(offset, Level::Error, message);
    }

    fn file(&mut self, name: &str, text: &str, depth: u32) {
        let outer = (std::mem::take(&mut self.lines), self.file);
        self.file = self.set.files.len() as u32;
        self.set.files.push(name.to_string());
        self.lines = Lines::new(text);
        if text.len() > syntax::MAX_FILE {
            self.error(0, "the file is too long to be read");
        } else {
            let (directives, unclosed) = syntax::directives(text);
            for offset in unclosed {
                self.error(offset, "this quote is never closed");
            }
            for directive in directives {
                self.directive(&directive, depth);
            }
            if let Some(open) = self.open.take() {
                let offset = open.and_then(|rule| self.set.rules.get(rule as usize)).map_or(0, |rule| rule.offset);
                self.error(offset, "the file ends inside a chain");
            }
        }
        (self.lines, self.file) = outer;
    }

    fn directive(&mut self, directive: &Directive, depth: u32) {
        let name = directive.name.value.to_ascii_lowercase();
        let place = directive.name.offset(0);
        let argument = |at: usize| directive.arguments.get(at).map_or("", |text| text.value.as_str());
        let first = argument(0);
        if self.open.is_some() && !matches!(name.as_str(), "secrule" | "secaction") {
            self.open = None;
            self.error(place, format!("`{}` stands inside a chain", directive.name.value));
        }
        let wanted = match name.as_str() {
            "secrule" => 2,
            "secdebuglog" | "secauditlog" | "secauditlog2" | "secresponsebodymimetypesclear" => 0,
            _ => 1,
        };
        if directive.arguments.len() < wanted {
            self.error(
                place,
                format!("`{}` lacks {} of its arguments", directive.name.value, wanted - directive.arguments.len()),
            );
            return;
        }
        let number = first.parse::<usize>().ok();
        let switch = Switch::named(first);
        let settings = &mut self.set.settings;
        let mut set_number = |place: fn(&mut Settings) -> &mut usize| match number {
            Some(number) => {
                *place(settings) = number;
                None
            }
            None => Some(format!("`{first}` is no number")),
        };
        let complaint = match name.as_str() {
            "secrule" | "secaction" => {
                self.rule(directive);
                None
            }
            "secmarker" => {
                self.order += 1;
                self.markers.push((first.to_string(), self.order));
                None
            }
            "secdefaultaction" => {
                self.default_action(directive);
                None
            }
            "secruleremovebyid" => {
                let list: Vec<&str> = directive.arguments.iter().map(|text| text.value.as_str()).collect();
                match action::ids(&list.join(" ")) {
                    Ok(ids) => {
                        self.updates.push(Update::Remove(Which::Ids(ids)));
                        None
                    }
                    Err(message) => Some(message),
                }
            }
            "secruleremovebytag" => {
                self.updates.push(Update::Remove(Which::Tag(first.into())));
                None
            }
            "secruleremovebymsg" => {
                self.updates.push(Update::Remove(Which::Message(first.into())));
                None
            }
            "secruleupdatetargetbyid" | "secruleupdatetargetbytag" | "secruleupdatetargetbymsg" => {
                let which = match name.as_str() {
                    "secruleupdatetargetbyid" => action::ids(first).map(Which::Ids),
                    "secruleupdatetargetbytag" => Ok(Which::Tag(first.into())),
                    _ => Ok(Which::Message(first.into())),
                };
                match (which, directive.arguments.get(1)) {
                    (Ok(which), Some(targets)) => {
                        let (line, column) = self.lines.position(targets.offset(0));
                        let file = self.set.files.get(self.file as usize).cloned().unwrap_or_default();
                        let complaint = Diagnostic { file, line, column, level: Level::Error, message: String::new() };
                        self.updates.push(Update::Targets(which, targets.clone(), complaint));
                        None
                    }
                    (Err(message), _) => Some(message),
                    (_, None) => Some(format!("`{}` lacks its targets", directive.name.value)),
                }
            }
            "secruleupdateactionbyid" => {
                self.update_action(directive);
                None
            }
            "seccomponentsignature" | "secserversignature" => {
                if name == "seccomponentsignature" {
                    self.set.signature = first.to_string();
                }
                None
            }
            "secruleengine" => switch
                .map(|switch| settings.engine = switch)
                .is_none()
                .then(|| "On, Off or DetectionOnly is wanted".into()),
            "secrequestbodyaccess" => switch
                .map(|switch| settings.request_body = switch == Switch::On)
                .is_none()
                .then(|| "On or Off is wanted".into()),
            "secresponsebodyaccess" => switch
                .map(|switch| settings.response_body = switch == Switch::On)
                .is_none()
                .then(|| "On or Off is wanted".into()),
            "secrequestbodylimit" => set_number(|settings| &mut settings.request_body_limit),
            "secrequestbodynofileslimit" => set_number(|settings| &mut settings.request_body_no_files_limit),
            "secresponsebodylimit" => set_number(|settings| &mut settings.response_body_limit),
            "secrequestbodyjsondepthlimit" => set_number(|settings| &mut settings.json_depth),
            "secargumentslimit" => set_number(|settings| &mut settings.arguments),
            "secuploadfilelimit" => set_number(|settings| &mut settings.file_limit),
            "seccollectiontimeout" => match number {
                Some(number) => {
                    settings.collection_timeout = number as u64;
                    None
                }
                None => Some(format!("`{first}` is no number")),
            },
            "secrequestbodylimitaction" => {
                settings.reject_long_request = first.eq_ignore_ascii_case("Reject");
                None
            }
            "secresponsebodylimitaction" => {
                settings.reject_long_response = first.eq_ignore_ascii_case("Reject");
                None
            }
            "secresponsebodymimetype" => {
                settings.response_types =
                    directive.arguments.iter().map(|text| text.value.to_ascii_lowercase()).collect();
                None
            }
            "secresponsebodymimetypesclear" => {
                settings.response_types.clear();
                None
            }
            "secargumentseparator" => match first.as_bytes() {
                [separator] => {
                    settings.separator = *separator;
                    None
                }
                _ => Some("one character is wanted".into()),
            },
            "include" => match (self.resolve)(first) {
                Some(text) if depth < MAX_INCLUDES && self.set.files.len() < MAX_FILES => {
                    self.file(first, &text, depth + 1);
                    None
                }
                Some(_) => Some("files include each other too deeply or too often".into()),
                None => Some(format!("there is no file `{first}`")),
            },
            "secauditengine"
            | "secauditlog"
            | "secauditlog2"
            | "secauditlogdirmode"
            | "secauditlogfilemode"
            | "secauditlogformat"
            | "secauditlogparts"
            | "secauditlogprefix"
            | "secauditlogrelevantstatus"
            | "secauditlogstoragedir"
            | "secauditlogtype"
            | "seccacheTransformations"
            | "secconnengine"
            | "seccookieformat"
            | "seccookiev0separator"
            | "secdatadir"
            | "secdebuglog"
            | "secdebugloglevel"
            | "secdisablebackendcompression"
            | "secinterceptonerror"
            | "secpcrematchlimit"
            | "secpcrematchlimitrecursion"
            | "secrequestbodyinmemorylimit"
            | "secruleperftime"
            | "secsensorid"
            | "secstatusengine"
            | "sectmpdir"
            | "sectmpsaveuploadedfiles"
            | "secunicodemapfile"
            | "secunicodecodepage"
            | "secuploaddir"
            | "secuploadfilemode"
            | "secuploadkeepfiles"
            | "secwebappid"
            | "secxmlexternalentity"
            | "secparsexmlintoargs"
            | "secstreaminbodyinspection"
            | "secstreamoutbodyinspection"
            | "secchrootdir"
            | "secruleinheritance"
            | "seccollectiontimeouts"
            | "secrxprefilter"
            | "secgeolookupdb" => None,
            "secrulescript"
            | "secremoterules"
            | "secremoterulesfailaction"
            | "secconnreadstatelimit"
            | "secconnwritestatelimit"
            | "sechashengine"
            | "sechashkey"
            | "sechashparam"
            | "sechashmethodrx"
            | "sechashmethodpm"
            | "secguardianlog"
            | "secgsblookupdb"
            | "sechttpblkey"
            | "seccontentinjection" => Some(format!("the directive `{}` is not supported", directive.name.value)),
            _ => Some(format!("unknown directive `{}`", directive.name.value)),
        };
        if let Some(message) = complaint {
            let at = directive
                .arguments
                .first()
                .filter(|_| !message.contains("directive"))
                .map_or(place, |text| text.offset(0));
            self.error(at, message);
        }
    }

    fn default_action(&mut self, directive: &Directive) {
        let Some(list) = directive.arguments.first() else { return };
        let (actions, mistakes) = action::read(list, &mut self.set.names);
        for mistake in mistakes {
            self.error(mistake.offset, mistake.message);
        }
        let Some(phase) = actions.phase else {
            self.error(list.offset(0), "a default action names its phase");
            return;
        };
        let default = PhaseDefault {
            disruption: match actions.disruption {
                None | Some(Disruption::Block) => Disruption::Pass,
                Some(disruption) => disruption,
            },
            status: actions.status.unwrap_or(403),
            log: actions.log.unwrap_or(true),
            transformations: actions.transformations,
        };
        if let Some(place) = self.set.defaults.get_mut(usize::from(phase) - 1) {
            *place = default;
        }
    }

    fn rule(&mut self, directive: &Directive) {
        let place = directive.name.offset(0);
        self.order += 1;
        let parent = self.open.take();
        if self.set.rules.len() >= MAX_RULES {
            self.error(place, "more rules than can be held");
            return;
        }
        let conditional = directive.name.value.eq_ignore_ascii_case("secrule");
        let mut fatal = false;
        let empty = Text::default();
        let list = directive.arguments.get(if conditional { 2 } else { 0 }).unwrap_or(&empty);
        let (mut actions, mistakes) = action::read(list, &mut self.set.names);
        for mistake in mistakes {
            fatal |= mistake.fatal;
            self.complain(mistake.offset, if mistake.fatal { Level::Error } else { Level::Warning }, mistake.message);
        }
        let (mut targets, mut operator, mut negated) = (Vec::new(), Operator::Always, false);
        if let (true, Some(variables), Some(test)) =
            (conditional, directive.arguments.first(), directive.arguments.get(1))
        {
            let (read, mistakes) = variable::targets(variables);
            for (at, message) in mistakes {
                fatal = true;
                self.error(variables.offset(at), message);
            }
            targets = read;
            if targets.is_empty() && !fatal {
                fatal = true;
                self.error(variables.offset(0), "the rule looks at nothing");
            }
            match self.operator(test) {
                Some((read, not)) => (operator, negated) = (read, not),
                None => fatal = true,
            }
        }
        match parent {
            None => match actions.id {
                None => {
                    fatal = true;
                    self.error(place, "the rule has no id");
                }
                Some(id) => {
                    if let Some(line) = self.ids.get(&id).copied() {
                        fatal = true;
                        self.error(place, format!("there is a rule {id} already, at line {line}"));
                    } else {
                        self.ids.insert(id, self.lines.position(place).0);
                    }
                }
            },
            Some(_)
                if actions.disruption.is_some()
                    && !matches!(actions.disruption, Some(Disruption::Pass | Disruption::Block)) =>
            {
                self.complain(
                    place,
                    Level::Warning,
                    "what becomes of the transaction is for the first rule of a chain to say",
                );
                actions.disruption = None;
            }
            Some(_) => {}
        }
        if actions.transformations.len() > MAX_TRANSFORMATIONS {
            fatal = true;
            self.error(place, format!("the rule has more than {MAX_TRANSFORMATIONS} transformations"));
        }
        let chain = actions.chain;
        // A link without its parent, and a parent without its link, are no rules.
        if fatal || parent == Some(None) {
            if let Some(Some(parent)) = parent {
                self.drop_chain(parent);
            }
            self.open = chain.then_some(None);
            return;
        }
        let phase = match parent.flatten().and_then(|parent| self.set.rules.get(parent as usize)) {
            Some(parent) => parent.phase,
            None => actions.phase.unwrap_or(2),
        };
        if !actions.only_own {
            let defaults = &self.set.defaults[usize::from(phase) - 1].transformations;
            let own = std::mem::take(&mut actions.transformations);
            actions.transformations = defaults.iter().copied().chain(own).collect();
        }
        let mut excluded = Vec::new();
        for target in &mut targets {
            if let (Variable::Tx, variable::Selector::Named(name)) = (target.variable, &target.selector) {
                target.slot = Some(self.set.names.number(name));
            }
        }
        let mut kept = Vec::new();
        for target in targets {
            if target.exclude { excluded.push(target) } else { kept.push(target) }
        }
        let number = self.set.rules.len() as u32;
        let rule = Rule {
            actions,
            phase,
            targets: kept,
            excluded,
            operator,
            negated,
            nodes: Vec::new(),
            needs: Needs::default(),
            exact: false,
            spread: Vec::new(),
            probes: Vec::new(),
            next: None,
            quick: None,
            jump: None,
            file: self.file,
            line: self.lines.position(place).0,
            tags: Vec::new(),
            offset: place,
            order: self.order,
        };
        self.set.rules.push(rule);
        match parent.flatten() {
            Some(parent) => {
                if let Some(parent) = self.set.rules.get_mut(parent as usize) {
                    parent.next = Some(number);
                }
            }
            None => self.set.phases[usize::from(phase) - 1].push(number),
        }
        self.open = chain.then_some(Some(number));
    }

    /// Takes the rule that a broken link belongs to out of its phase.
    fn drop_chain(&mut self, link: u32) {
        let mut first = link;
        while let Some(before) = self.set.rules.iter().position(|rule| rule.next == Some(first)) {
            first = before as u32;
        }
        for phase in &mut self.set.phases {
            phase.retain(|rule| *rule != first);
        }
    }

    fn operator(&mut self, test: &Text) -> Option<(Operator, bool)> {
        let text = test.value.trim_start();
        let lead = test.value.len() - text.len();
        let (text, negated) = match text.strip_prefix('!') {
            Some(rest) => (rest.trim_start(), true),
            None => (text, false),
        };
        let (name, argument) = match text.strip_prefix('@') {
            Some(rest) => match rest.find(char::is_whitespace) {
                Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default()),
                None => (rest, ""),
            },
            None => ("rx", text),
        };
        // Only regular expressions care for white space at their end.
        let argument = if name.eq_ignore_ascii_case("rx") { argument } else { argument.trim() };
        let mut unknown = Vec::new();
        let names = &mut self.set.names;
        let template = || {
            let (template, macros) = Template::new(argument, names);
            unknown = macros;
            template
        };
        let operator = Operator::new(name, argument, template, self.resolve);
        for name in unknown {
            self.complain(test.offset(lead), Level::Warning, format!("unknown macro `%{{{name}}}`, left as it is"));
        }
        match operator {
            Ok(operator) => Some((operator, negated)),
            Err(message) => {
                self.error(test.offset(lead), message);
                None
            }
        }
    }

    fn update_action(&mut self, directive: &Directive) {
        let (Some(which), Some(list)) = (directive.arguments.first(), directive.arguments.get(1)) else {
            self.error(directive.name.offset(0), "`SecRuleUpdateActionById` lacks its actions");
            return;
        };
        let id = which.value.split(':').next().and_then(|id| id.trim().parse::<u32>().ok());
        let (actions, mistakes) = action::read(list, &mut self.set.names);
        for mistake in mistakes {
            self.error(mistake.offset, mistake.message);
        }
        let Some(rule) = self.set.rules.iter_mut().find(|rule| id.is_some() && rule.actions.id == id) else {
            self.complain(which.offset(0), Level::Warning, format!("there is no rule {}", which.value));
            return;
        };
        let old = &mut rule.actions;
        old.disruption = actions.disruption.or(old.disruption.take());
        old.status = actions.status.or(old.status);
        old.message = actions.message.or(old.message.take());
        old.data = actions.data.or(old.data.take());
        old.severity = actions.severity.or(old.severity);
        old.log = actions.log.or(old.log);
        old.skip_after = actions.skip_after.or(old.skip_after.take());
        old.tags.extend(actions.tags);
        old.effects.extend(actions.effects);
        if actions.only_own {
            old.transformations = actions.transformations;
        } else {
            old.transformations.extend(actions.transformations);
        }
    }
}

pub(crate) fn bit(bits: &[u64], number: u32) -> bool {
    bits.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
}
