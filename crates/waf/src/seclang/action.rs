//! Actions: what a rule does when it matches.

use super::syntax::{self, RawAction, Text};
use super::template::{Names, Template};
use super::transform::Transformation;
use super::variable::{self, Target, Variable};

/// What becomes of the transaction.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Disruption {
    /// As the phase's `SecDefaultAction` says.
    Block,
    Pass,
    Deny,
    Drop,
    Redirect(Template),
    Allow(Scope),
}

/// How far `allow` reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Scope {
    All,
    Phase,
    Request,
}

/// A state of an engine or of access to a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Switch {
    /// It works.
    On,
    /// It does nothing.
    Off,
    /// It matches and reports, and holds nothing up.
    DetectionOnly,
}

impl Switch {
    pub(crate) fn named(text: &str) -> Option<Switch> {
        match text.to_ascii_lowercase().as_str() {
            "on" => Some(Switch::On),
            "off" => Some(Switch::Off),
            "detectiononly" => Some(Switch::DetectionOnly),
            _ => None,
        }
    }
}

/// How `setvar` changes a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Change {
    Set,
    Add,
    Subtract,
    Unset,
}

/// Which rules a removal means.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) enum Which {
    Ids(Vec<(u32, u32)>),
    Tag(String),
    Message(String),
}

/// An effect on the transaction, carried out in the order written.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Effect {
    /// `slot` is the number of a transaction variable whose name has no macro.
    SetVariable {
        collection: Variable,
        name: Template,
        slot: Option<u32>,
        change: Change,
        value: Template,
    },
    SetEnvironment {
        name: Template,
        value: Template,
    },
    OpenCollection {
        collection: Variable,
        key: Template,
    },
    SetId {
        variable: Variable,
        value: Template,
    },
    Expire {
        collection: Variable,
        name: Template,
        seconds: Template,
    },
    RemoveRules {
        which: Which,
        rules: Vec<u64>,
    },
    RemoveTargets {
        which: Which,
        rules: Vec<u64>,
        targets: Vec<Target>,
    },
    Engine(Switch),
    RequestBodyAccess(Switch),
    ResponseBodyAccess(Switch),
    BodyProcessor(Processor),
    ForceRequestBody(bool),
    ResponseBodyProcessor,
}

/// How a request body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Processor {
    UrlEncoded,
    Multipart,
    Json,
    Xml,
}

impl Processor {
    pub(crate) fn named(text: &str) -> Option<Processor> {
        match text.to_ascii_uppercase().as_str() {
            "URLENCODED" => Some(Processor::UrlEncoded),
            "MULTIPART" => Some(Processor::Multipart),
            "JSON" => Some(Processor::Json),
            "XML" => Some(Processor::Xml),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Processor::UrlEncoded => "URLENCODED",
            Processor::Multipart => "MULTIPART",
            Processor::Json => "JSON",
            Processor::Xml => "XML",
        }
    }
}

/// The actions of a rule.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Actions {
    pub(crate) id: Option<u32>,
    pub(crate) phase: Option<u8>,
    pub(crate) disruption: Option<Disruption>,
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<Template>,
    pub(crate) data: Option<Template>,
    pub(crate) severity: Option<u8>,
    pub(crate) tags: Vec<String>,
    pub(crate) version: Option<String>,
    pub(crate) transformations: Vec<Transformation>,
    /// `t:none` was seen: the defaults' transformations are not wanted.
    pub(crate) only_own: bool,
    pub(crate) chain: bool,
    pub(crate) capture: bool,
    pub(crate) multi_match: bool,
    pub(crate) log: Option<bool>,
    pub(crate) skip: u32,
    pub(crate) skip_after: Option<String>,
    pub(crate) effects: Vec<Effect>,
}

/// A mistake: an offset into the file, whether it costs the rule, and what.
pub(crate) struct Mistake {
    pub(crate) offset: u32,
    pub(crate) fatal: bool,
    pub(crate) message: String,
}

/// Reads an action list.
pub(crate) fn read(list: &Text, names: &mut Names) -> (Actions, Vec<Mistake>) {
    let mut actions = Actions::default();
    let mut mistakes = Vec::new();
    for raw in syntax::actions(list) {
        if let Err(mistake) = actions.take(&raw, names, &mut mistakes) {
            mistakes.push(mistake);
        }
    }
    (actions, mistakes)
}

impl Actions {
    fn take(&mut self, raw: &RawAction, names: &mut Names, mistakes: &mut Vec<Mistake>) -> Result<(), Mistake> {
        let name = raw.name.value.to_ascii_lowercase();
        let empty = Text::default();
        let value = raw.value.as_ref().unwrap_or(&empty);
        let text = value.value.as_str();
        let place = raw.value.as_ref().map_or(raw.name.offset(0), |value| value.offset(0));
        let wrong = |message: String| Mistake { offset: place, fatal: true, message };
        let mut template = |part: &str| {
            let (template, unknown) = Template::new(part, names);
            for name in unknown {
                let message = format!("unknown macro `%{{{name}}}`, left as it is");
                mistakes.push(Mistake { offset: place, fatal: false, message });
            }
            template
        };
        match name.as_str() {
            "id" => self.id = Some(text.trim().parse().map_err(|_| wrong(format!("`{text}` is no rule id")))?),
            "phase" => {
                self.phase = Some(match text.to_ascii_lowercase().as_str() {
                    "1" => 1,
                    "2" | "request" => 2,
                    "3" => 3,
                    "4" | "response" => 4,
                    "5" | "logging" => 5,
                    _ => return Err(wrong(format!("`{text}` is no phase: 1 to 5"))),
                });
            }
            "block" => self.disruption = Some(Disruption::Block),
            "pass" => self.disruption = Some(Disruption::Pass),
            "deny" => self.disruption = Some(Disruption::Deny),
            "drop" => self.disruption = Some(Disruption::Drop),
            "redirect" => self.disruption = Some(Disruption::Redirect(template(text))),
            "proxy" => return Err(wrong("the action `proxy` is not supported".into())),
            "allow" => {
                self.disruption = Some(Disruption::Allow(match text.to_ascii_lowercase().as_str() {
                    "" => Scope::All,
                    "phase" => Scope::Phase,
                    "request" => Scope::Request,
                    _ => return Err(wrong(format!("`allow` reaches over `phase` or `request`, not `{text}`"))),
                }));
            }
            "status" => {
                let status = text.parse().ok().filter(|status| (100..600).contains(status));
                self.status = Some(status.ok_or_else(|| wrong(format!("`{text}` is no HTTP status")))?);
            }
            "msg" => self.message = Some(template(text)),
            "logdata" => self.data = Some(template(text)),
            "severity" => {
                const NAMES: [&str; 8] =
                    ["EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"];
                let named = NAMES.iter().position(|name| text.eq_ignore_ascii_case(name));
                let severity = named.or(text.parse().ok()).filter(|severity| *severity < 8);
                self.severity = Some(severity.ok_or_else(|| wrong(format!("`{text}` is no severity")))? as u8);
            }
            "tag" => self.tags.push(text.to_string()),
            "ver" => self.version = Some(text.to_string()),
            "t" if text.eq_ignore_ascii_case("none") => {
                self.transformations.clear();
                self.only_own = true;
            }
            "t" => match Transformation::named(text) {
                Some(transformation) => self.transformations.push(transformation),
                None => return Err(wrong(format!("unknown transformation `{text}`"))),
            },
            "chain" => self.chain = true,
            "capture" => self.capture = true,
            "multimatch" => self.multi_match = true,
            "log" => self.log = Some(true),
            "nolog" => self.log = Some(false),
            "skip" => self.skip = text.parse().map_err(|_| wrong(format!("`{text}` is no number of rules")))?,
            "skipafter" => self.skip_after = Some(text.to_string()),
            "auditlog"
            | "noauditlog"
            | "sanitisearg"
            | "sanitisematched"
            | "sanitisematchedbytes"
            | "sanitiserequestheader"
            | "sanitiseresponseheader"
            | "rev"
            | "accuracy"
            | "maturity"
            | "pause"
            | "append"
            | "prepend"
            | "xmlns"
            | "deprecatevar" => {}
            "exec" => {
                mistakes.push(Mistake {
                    offset: place,
                    fatal: false,
                    message: "`exec` is ignored: rules start no programs".into(),
                });
            }
            "setvar" => self.effects.push(set_variable(text, &mut template).map_err(wrong)?),
            "setenv" => {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                let (name, value) = (template(name), template(value));
                self.effects.push(Effect::SetEnvironment { name, value });
            }
            "expirevar" => {
                let (place, seconds) = text.split_once('=').unwrap_or((text, "0"));
                let (collection, name) = place.split_once('.').unwrap_or((place, ""));
                let collection = own(collection).map_err(wrong)?;
                self.effects.push(Effect::Expire { collection, name: template(name), seconds: template(seconds) });
            }
            "initcol" => {
                let (collection, key) =
                    text.split_once('=').ok_or_else(|| wrong("`initcol` wants `collection=key`".into()))?;
                self.effects
                    .push(Effect::OpenCollection { collection: own(collection).map_err(wrong)?, key: template(key) });
            }
            "setsid" => self.effects.push(Effect::SetId { variable: Variable::SessionId, value: template(text) }),
            "setuid" => self.effects.push(Effect::SetId { variable: Variable::UserId, value: template(text) }),
            "setrsc" => {
                self.effects.push(Effect::OpenCollection { collection: Variable::Resource, key: template(text) })
            }
            "ctl" => match control(value) {
                Ok(Some(effect)) => self.effects.push(effect),
                Ok(None) => {}
                Err(message) => return Err(wrong(message)),
            },
            _ => {
                let message = format!("unknown action `{}`", raw.name.value);
                return Err(Mistake { offset: raw.name.offset(0), fatal: true, message });
            }
        }
        Ok(())
    }
}

fn own(name: &str) -> Result<Variable, String> {
    Variable::named(name.trim())
        .filter(|variable| variable.kind() == variable::Kind::Own)
        .ok_or_else(|| format!("`{name}` is no collection that rules can write"))
}

fn set_variable(text: &str, template: &mut dyn FnMut(&str) -> Template) -> Result<Effect, String> {
    let (text, unset) = match text.strip_prefix('!') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    // A macro in the name may hold a `=`; the first one outside of braces counts.
    let mut depth = 0u32;
    let equals = text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => return Some(at),
            _ => {}
        }
        None
    });
    let (place, value) = match equals {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => (text, "1"),
    };
    let (collection, name) =
        place.split_once(['.', ':']).ok_or_else(|| format!("`setvar` wants `collection.name=value`, not `{text}`"))?;
    let collection = own(collection)?;
    let (change, value) = match (unset, value.strip_prefix('+'), value.strip_prefix('-')) {
        (true, ..) => (Change::Unset, ""),
        (_, Some(value), _) => (Change::Add, value),
        (_, _, Some(value)) => (Change::Subtract, value),
        _ => (Change::Set, value),
    };
    Ok(Effect::SetVariable { collection, name: template(name.trim()), slot: None, change, value: template(value) })
}

/// `None` for what is known and means nothing here.
fn control(text: &Text) -> Result<Option<Effect>, String> {
    let Some((name, value)) = text.value.split_once('=') else {
        return Err(format!("`ctl` wants `name=value`, not `{}`", text.value));
    };
    let switch = || Switch::named(value).ok_or_else(|| format!("`{value}` is not On or Off"));
    let lower = name.trim().to_ascii_lowercase();
    Ok(Some(match lower.as_str() {
        "ruleengine" => Effect::Engine(switch()?),
        "requestbodyaccess" => Effect::RequestBodyAccess(switch()?),
        "responsebodyaccess" => Effect::ResponseBodyAccess(switch()?),
        "forcerequestbodyvariable" => Effect::ForceRequestBody(switch()? == Switch::On),
        "requestbodyprocessor" => Effect::BodyProcessor(
            Processor::named(value).ok_or_else(|| format!("there is no body processor `{value}`"))?,
        ),
        "responsebodyprocessor" => Effect::ResponseBodyProcessor,
        "ruleremovebyid" => Effect::RemoveRules { which: Which::Ids(ids(value)?), rules: Vec::new() },
        "ruleremovebytag" => Effect::RemoveRules { which: Which::Tag(value.into()), rules: Vec::new() },
        "ruleremovebymsg" => Effect::RemoveRules { which: Which::Message(value.into()), rules: Vec::new() },
        "ruleremovetargetbyid" | "ruleremovetargetbytag" | "ruleremovetargetbymsg" => {
            let (which, list) =
                value.split_once(';').ok_or_else(|| format!("`{}` wants `rules;targets`", name.trim()))?;
            let which = match lower.as_str() {
                "ruleremovetargetbyid" => Which::Ids(ids(which)?),
                "ruleremovetargetbytag" => Which::Tag(which.into()),
                _ => Which::Message(which.into()),
            };
            let start = text.value.len() - list.len();
            let (targets, mistakes) = variable::targets(&text.slice(start, text.value.len()));
            if let Some((_, message)) = mistakes.into_iter().next() {
                return Err(message);
            }
            Effect::RemoveTargets { which, rules: Vec::new(), targets }
        }
        "auditengine" | "auditlogparts" | "debugloglevel" | "requestbodylimit" | "responsebodylimit" | "hashengine"
        | "hashenforcement" | "parsexmlintoargs" => return Ok(None),
        _ => return Err(format!("unknown control `{}`", name.trim())),
    }))
}

/// Ids and ranges of ids, separated by commas or spaces.
pub(crate) fn ids(text: &str) -> Result<Vec<(u32, u32)>, String> {
    text.split([',', ' '])
        .map(|part| part.trim().trim_matches(['"', '\'']))
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            match (first.trim().parse(), last.trim().parse()) {
                (Ok(first), Ok(last)) => Ok((first, last)),
                _ => Err(format!("`{part}` is no rule id or range")),
            }
        })
        .collect()
}
