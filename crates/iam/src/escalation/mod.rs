//! How an identity can make itself stronger: rules as data, each with the publication that describes it, followed over several hops
//! through the users, groups, roles and functions of an application.
//!
//! A way counts where it leads somewhere: to permissions that the identity doesn't have. A policy that nobody has, a role that trusts another
//! service, a group without rights give nothing. What a wildcard reaches beyond the template counts as *some* role, user or machine.
//!
//! Deliberately absent: what needs knowledge of a live account (which instances, notebooks or functions outside the template exist and what
//! they run as), older versions of policies, tags, and rights that two identities have only together.

mod actor;
mod rules;
mod trust;
mod world;

use crate::effective::Permissions;
use graph::{Application, Identity, Statement};
use source::Span;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use world::{Move, World};

/// What holds around an application.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// Today as year, month (1 to 12) and day (1 to 31), for conditions on time; they stay open without it.
    pub today: Option<(u16, u8, u8)>,
    /// Service control policies, one list of statements for each level of the organisation; each level has to allow.
    pub service_control: Vec<Vec<Statement>>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Name of the identity that takes it.
    pub identity: String,
    /// The rule: `create-policy-version`, `update-function-code`, ...
    pub rule: &'static str,
    /// In words: `replaces the code of function Admin, and acts with its role AdminRole`.
    pub words: String,
    /// What it arrives at: an identity or a function, where it is of the template.
    pub node: Option<String>,
    /// The actions it takes.
    pub actions: Vec<&'static str>,
    /// Who described it.
    pub source: &'static str,
    /// The statements that allow it, of the identity's policies or of a role's trust.
    pub because: Vec<Span>,
    /// Whether no condition or unknown guard rail stands in between.
    pub certain: bool,
}

/// Where a path ends, the least first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Those of some other user, role or machine of the account, which the template doesn't tell.
    Others,
    /// The permissions of another identity of the template.
    Identity(String),
    /// Everything that its permissions boundary leaves, which is more than it has.
    Boundary,
    /// Every permission in the account.
    Administrator,
}

/// A way for an identity to become stronger.
#[derive(Debug, Clone, PartialEq)]
pub struct Escalation {
    /// Name of the identity where it begins.
    pub identity: String,
    /// The steps, at least one.
    pub steps: Vec<Step>,
    /// What they lead to.
    pub reach: Reach,
}

impl Escalation {
    /// Whether nothing that isn't known stands in between.
    pub fn certain(&self) -> bool {
        self.steps.iter().all(|step| step.certain)
    }
}

/// Hops that are followed.
const MAX_STEPS: usize = 5;
/// Ways that are told of one identity.
const MAX_WAYS: usize = 64;
/// Identities of one application that are followed; the rest are looked at one by one only.
const MAX_IDENTITIES: usize = 600;

/// Every way in which an identity of the application becomes stronger, the best of each identity first. An identity that is
/// administrator already has none.
pub fn escalations(application: &Application, situation: &Situation) -> Vec<Escalation> {
    let world = World::new(application, situation);
    if !world.anyone_may_act() {
        return Vec::new();
    }
    // What each can do in one step is worked out once, however many paths lead through it.
    let moves: BTreeMap<&str, Moves> = application
        .identities
        .iter()
        .take(MAX_IDENTITIES)
        .filter_map(|identity| {
            let permissions = world.permissions(&identity.name)?;
            let administrator = permissions.administrator().is_some();
            let found = if administrator { Vec::new() } else { world.moves(identity, permissions) };
            Some((identity.name.as_str(), Moves { administrator, found }))
        })
        .collect();
    let actors = application.identities.iter().take(MAX_IDENTITIES).filter(|identity| !is_passive(identity));
    actors.flat_map(|identity| from(&world, identity, &moves)).collect()
}

/// Services that do nothing with their role but what AWS wrote, so that nobody gets to act as such a role.
const PASSIVE: &[&str] = &[
    "apigateway",
    "autoscaling",
    "backup",
    "batch",
    "cloudtrail",
    "config",
    "delivery.logs",
    "dlm",
    "ecs",
    "elasticmapreduce",
    "events",
    "firehose",
    "monitoring.rds",
    "ops.apigateway",
    "pipes",
    "rds",
    "spotfleet",
    "vpc-flow-logs",
];

/// Whether only such services act as a role.
fn is_passive(identity: &Identity) -> bool {
    let passive = |principal: &graph::Value| {
        let shown = principal.to_string();
        shown.strip_suffix(".amazonaws.com").is_some_and(|service| PASSIVE.contains(&service))
    };
    !identity.trusted.is_empty() && identity.trusted.iter().all(passive)
}

/// What an identity is, and what it can do in one step.
struct Moves {
    administrator: bool,
    found: Vec<(Step, Move)>,
}

fn from(world: &World<'_>, start: &Identity, moves: &BTreeMap<&str, Moves>) -> Vec<Escalation> {
    let name = start.name.as_str();
    let Some(own) = world.permissions(name) else { return Vec::new() };
    if moves.get(name).is_none_or(|moves| moves.administrator || moves.found.is_empty()) {
        return Vec::new();
    }
    // First, whom it can act as, by the shortest way; of two equally short ones, the certain one.
    let mut ways: BTreeMap<&str, Vec<Step>> = BTreeMap::from([(name, Vec::new())]);
    let mut order = vec![name];
    let mut queue = VecDeque::from([name]);
    while let Some(at) = queue.pop_front() {
        let Some(here) = moves.get(at).filter(|here| !here.administrator) else { continue };
        let so_far = ways.get(at).cloned().unwrap_or_default();
        if so_far.len() >= MAX_STEPS {
            continue;
        }
        let mut next: Vec<(&Step, &str)> = here
            .found
            .iter()
            .filter_map(|(step, found)| match found {
                Move::Become(other) => Some((step, other.as_str())),
                _ => None,
            })
            .collect();
        next.sort_by_key(|(step, _)| !step.certain);
        for (step, other) in next {
            if !ways.contains_key(other)
                && let Some((other, _)) = moves.get_key_value(other)
            {
                ways.insert(other, so_far.iter().chain([step]).cloned().collect());
                order.push(other);
                queue.push_back(other);
            }
        }
    }
    let mut found = Vec::new();
    let mut tell = |steps: Vec<Step>, reach: Reach| {
        if !steps.is_empty() {
            found.push(Escalation { identity: start.name.clone(), steps, reach });
        }
    };
    for at in order {
        let (Some(path), Some(here)) = (ways.get(at), moves.get(at)) else { continue };
        if at != name && here.administrator {
            tell(path.clone(), Reach::Administrator);
        } else if at != name && world.permissions(at).is_some_and(|other| other.beyond(own)) {
            // Another identity is only worth telling where it may do more.
            tell(path.clone(), Reach::Identity(at.to_string()));
        }
        let mut told = BTreeSet::new();
        for (step, reached) in &here.found {
            let with = |rest: &[Step]| path.iter().chain([step]).chain(rest).cloned().collect::<Vec<Step>>();
            match reached {
                // Several ways of the same hop to the same place are told where it begins.
                Move::Become(other) if at == name => {
                    let first = ways.get(other.as_str()).and_then(|way| way.first());
                    if first.is_some_and(|first| first.rule != step.rule) {
                        match moves.get(other.as_str()) {
                            Some(end) if end.administrator => tell(with(&[]), Reach::Administrator),
                            Some(_) if world.permissions(other).is_some_and(|other| other.beyond(own)) => {
                                tell(with(&[]), Reach::Identity(other.clone()));
                            }
                            _ => {}
                        }
                    }
                }
                Move::Become(_) => {}
                Move::Empower(other) if other == at => {
                    if let Some(reach) = world.unleashed(at, own) {
                        tell(with(&[]), reach);
                    }
                }
                Move::Empower(other) => {
                    // Making another stronger gains something where it can act as that one.
                    let Some(way) = ways.get(other.as_str()).filter(|_| told.insert((other, step.rule))) else {
                        continue;
                    };
                    let common = path.iter().zip(way).take_while(|(left, right)| left == right).count();
                    if let Some(reach) = world.unleashed(other, own) {
                        tell(with(way.get(common..).unwrap_or_default()), reach);
                    }
                }
                Move::Administrator => tell(with(&[]), Reach::Administrator),
                Move::Unbound => {
                    if let Some(reach) = world.unbound(at, own) {
                        tell(with(&[]), reach);
                    }
                }
                // What a hop reaches beyond the template is told where that hop begins.
                Move::Others if at == name => tell(with(&[]), Reach::Others),
                Move::Others => {}
            }
        }
    }
    found.sort_by_key(|way| {
        let (class, breadth) = match &way.reach {
            Reach::Administrator => (0, 0),
            Reach::Boundary => (1, 0),
            Reach::Identity(name) => (2, world.permissions(name).map_or(0, Permissions::breadth)),
            Reach::Others => (3, 0),
        };
        let rank = world.rank(way.steps.first());
        (class, !way.certain(), std::cmp::Reverse(breadth), way.steps.len(), rank)
    });
    found.dedup_by(|later, first| {
        later.reach == first.reach
            && later
                .steps
                .iter()
                .map(|step| (step.rule, &step.node))
                .eq(first.steps.iter().map(|step| (step.rule, &step.node)))
    });
    found.truncate(MAX_WAYS);
    found
}

/// Permissions of every identity, groups and rails included.
fn permissions_of<'a>(application: &'a Application, situation: &Situation) -> BTreeMap<&'a str, Permissions> {
    application
        .identities
        .iter()
        .map(|identity| {
            let own = Permissions::of(application, identity);
            let within = situation
                .service_control
                .iter()
                .fold(own, |permissions, policy| permissions.within(application, policy));
            (identity.name.as_str(), within)
        })
        .collect()
}
