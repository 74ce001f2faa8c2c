//! How an identity can make itself stronger: rules as data, each with the publication that describes it, followed over several hops
//! through the roles and functions of an application.
//!
//! Deliberately absent: what needs knowledge of a live account (which instances, notebooks or functions outside the template exist and what
//! they run as). Such a rule counts as reaching *some* role, not a particular one.

use crate::Pattern;
use crate::arn::{by_name, canonical};
use crate::condition::Context;
use crate::effective::Permissions;
use graph::{Application, Identity, Part, Value};
use source::Span;
use std::collections::{BTreeMap, HashSet, VecDeque};

/// What has to be reachable for one action of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    /// Any resource of this type in IAM: `policy`, `user`, `role`, `group`.
    Iam(&'static str),
    /// Something that a service of this prefix has; the type is the second word.
    Of(&'static str, &'static str),
    /// A role that may be handed to this service.
    Passed(&'static str),
    /// No resource.
    Nothing,
}

/// What carrying a rule out gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gain {
    /// Any permission: it rewrites what is granted.
    Anything,
    /// The permissions of a role that trusts this service.
    RoleOf(&'static str),
    /// The permissions of another user.
    AnotherUser,
    /// The permissions of a function whose code it replaces.
    Function,
    /// The permissions of the role it assumes.
    Assumed,
    /// The permissions of what already runs there, which the template doesn't tell.
    Running,
}

/// One way to become stronger.
#[derive(Debug)]
struct Rule {
    id: &'static str,
    title: &'static str,
    needs: &'static [(&'static str, On)],
    gain: Gain,
    source: &'static str,
}

const RHINO: &str = "Spencer Gietzen, AWS IAM Privilege Escalation: Methods and Mitigation, Rhino Security Labs, 2018";
const PACU: &str = "Rhino Security Labs, Pacu, module iam__privesc_scan";
const BISHOP: &str = "Seth Art, IAM Vulnerable: An AWS IAM Privilege Escalation Playground, Bishop Fox, 2021";
const DATADOG: &str = "Datadog Security Labs, pathfinding.cloud";

macro_rules! rule {
    ($id:literal, $title:literal, $gain:expr, $source:expr, [$(($action:literal, $on:expr)),+ $(,)?]) => {
        Rule { id: $id, title: $title, needs: &[$(($action, $on)),+], gain: $gain, source: $source }
    };
}

const RULES: &[Rule] = &[
    rule!(
        "create-policy-version",
        "writes a new version of a policy",
        Gain::Anything,
        RHINO,
        [("iam:CreatePolicyVersion", On::Iam("policy"))]
    ),
    rule!(
        "set-default-policy-version",
        "brings back an older version of a policy",
        Gain::Anything,
        RHINO,
        [("iam:SetDefaultPolicyVersion", On::Iam("policy"))]
    ),
    rule!(
        "attach-user-policy",
        "attaches any policy to a user",
        Gain::Anything,
        RHINO,
        [("iam:AttachUserPolicy", On::Iam("user"))]
    ),
    rule!(
        "attach-group-policy",
        "attaches any policy to a group",
        Gain::Anything,
        RHINO,
        [("iam:AttachGroupPolicy", On::Iam("group"))]
    ),
    rule!(
        "attach-role-policy",
        "attaches any policy to a role",
        Gain::Anything,
        RHINO,
        [("iam:AttachRolePolicy", On::Iam("role"))]
    ),
    rule!(
        "put-user-policy",
        "writes a policy into a user",
        Gain::Anything,
        RHINO,
        [("iam:PutUserPolicy", On::Iam("user"))]
    ),
    rule!(
        "put-group-policy",
        "writes a policy into a group",
        Gain::Anything,
        RHINO,
        [("iam:PutGroupPolicy", On::Iam("group"))]
    ),
    rule!(
        "put-role-policy",
        "writes a policy into a role",
        Gain::Anything,
        RHINO,
        [("iam:PutRolePolicy", On::Iam("role"))]
    ),
    rule!(
        "add-user-to-group",
        "joins a stronger group",
        Gain::AnotherUser,
        RHINO,
        [("iam:AddUserToGroup", On::Iam("group"))]
    ),
    rule!(
        "create-access-key",
        "makes keys of another user",
        Gain::AnotherUser,
        RHINO,
        [("iam:CreateAccessKey", On::Iam("user"))]
    ),
    rule!(
        "create-login-profile",
        "gives another user a password",
        Gain::AnotherUser,
        RHINO,
        [("iam:CreateLoginProfile", On::Iam("user"))]
    ),
    rule!(
        "update-login-profile",
        "changes another user's password",
        Gain::AnotherUser,
        RHINO,
        [("iam:UpdateLoginProfile", On::Iam("user"))]
    ),
    rule!(
        "update-assume-role-policy",
        "lets itself assume a role",
        Gain::Anything,
        RHINO,
        [("iam:UpdateAssumeRolePolicy", On::Iam("role"))]
    ),
    rule!("assume-role", "assumes a role", Gain::Assumed, BISHOP, [("sts:AssumeRole", On::Iam("role"))]),
    rule!(
        "pass-role-ec2",
        "starts an instance with a role",
        Gain::RoleOf("ec2.amazonaws.com"),
        RHINO,
        [("iam:PassRole", On::Passed("ec2.amazonaws.com")), ("ec2:RunInstances", On::Of("ec2", "instance"))]
    ),
    rule!(
        "pass-role-lambda-invoke",
        "makes a function with a role and calls it",
        Gain::RoleOf("lambda.amazonaws.com"),
        RHINO,
        [
            ("iam:PassRole", On::Passed("lambda.amazonaws.com")),
            ("lambda:CreateFunction", On::Of("lambda", "function")),
            ("lambda:InvokeFunction", On::Of("lambda", "function"))
        ]
    ),
    rule!(
        "pass-role-lambda-event-source",
        "makes a function with a role and has events call it",
        Gain::RoleOf("lambda.amazonaws.com"),
        RHINO,
        [
            ("iam:PassRole", On::Passed("lambda.amazonaws.com")),
            ("lambda:CreateFunction", On::Of("lambda", "function")),
            ("lambda:CreateEventSourceMapping", On::Of("lambda", "eventSourceMapping"))
        ]
    ),
    rule!(
        "pass-role-lambda-permission",
        "makes a function with a role and opens it to others",
        Gain::RoleOf("lambda.amazonaws.com"),
        DATADOG,
        [
            ("iam:PassRole", On::Passed("lambda.amazonaws.com")),
            ("lambda:CreateFunction", On::Of("lambda", "function")),
            ("lambda:AddPermission", On::Of("lambda", "function"))
        ]
    ),
    rule!(
        "update-function-code",
        "replaces the code of a function",
        Gain::Function,
        RHINO,
        [("lambda:UpdateFunctionCode", On::Of("lambda", "function"))]
    ),
    rule!(
        "update-function-configuration",
        "puts a layer of its own into a function",
        Gain::Function,
        PACU,
        [("lambda:UpdateFunctionConfiguration", On::Of("lambda", "function"))]
    ),
    rule!(
        "pass-role-glue-endpoint",
        "makes a development endpoint with a role",
        Gain::RoleOf("glue.amazonaws.com"),
        RHINO,
        [("iam:PassRole", On::Passed("glue.amazonaws.com")), ("glue:CreateDevEndpoint", On::Nothing)]
    ),
    rule!(
        "update-glue-endpoint",
        "puts its key into a development endpoint",
        Gain::Running,
        RHINO,
        [("glue:UpdateDevEndpoint", On::Of("glue", "devendpoint"))]
    ),
    rule!(
        "pass-role-glue-job",
        "makes a job with a role and runs it",
        Gain::RoleOf("glue.amazonaws.com"),
        PACU,
        [
            ("iam:PassRole", On::Passed("glue.amazonaws.com")),
            ("glue:CreateJob", On::Of("glue", "job")),
            ("glue:StartJobRun", On::Of("glue", "job"))
        ]
    ),
    rule!(
        "pass-role-glue-job-trigger",
        "makes a job with a role and a trigger for it",
        Gain::RoleOf("glue.amazonaws.com"),
        PACU,
        [
            ("iam:PassRole", On::Passed("glue.amazonaws.com")),
            ("glue:CreateJob", On::Of("glue", "job")),
            ("glue:CreateTrigger", On::Of("glue", "trigger"))
        ]
    ),
    rule!(
        "update-glue-job",
        "gives a job a role and code of its own and runs it",
        Gain::RoleOf("glue.amazonaws.com"),
        PACU,
        [
            ("iam:PassRole", On::Passed("glue.amazonaws.com")),
            ("glue:UpdateJob", On::Of("glue", "job")),
            ("glue:StartJobRun", On::Of("glue", "job"))
        ]
    ),
    rule!(
        "update-glue-job-trigger",
        "gives a job a role and code of its own and a trigger",
        Gain::RoleOf("glue.amazonaws.com"),
        PACU,
        [
            ("iam:PassRole", On::Passed("glue.amazonaws.com")),
            ("glue:UpdateJob", On::Of("glue", "job")),
            ("glue:CreateTrigger", On::Of("glue", "trigger"))
        ]
    ),
    rule!(
        "pass-role-cloudformation",
        "makes a stack with a role",
        Gain::RoleOf("cloudformation.amazonaws.com"),
        RHINO,
        [
            ("iam:PassRole", On::Passed("cloudformation.amazonaws.com")),
            ("cloudformation:CreateStack", On::Of("cloudformation", "stack"))
        ]
    ),
    rule!(
        "update-stack",
        "changes a stack that has a role",
        Gain::Running,
        PACU,
        [("cloudformation:UpdateStack", On::Of("cloudformation", "stack"))]
    ),
    rule!(
        "pass-role-codebuild-batch",
        "makes a build project with a role and starts a batch of it",
        Gain::RoleOf("codebuild.amazonaws.com"),
        DATADOG,
        [
            ("iam:PassRole", On::Passed("codebuild.amazonaws.com")),
            ("codebuild:CreateProject", On::Of("codebuild", "project")),
            ("codebuild:StartBuildBatch", On::Of("codebuild", "project"))
        ]
    ),
    rule!(
        "pass-role-data-pipeline",
        "makes a pipeline with a role",
        Gain::RoleOf("datapipeline.amazonaws.com"),
        RHINO,
        [
            ("iam:PassRole", On::Passed("datapipeline.amazonaws.com")),
            ("datapipeline:CreatePipeline", On::Nothing),
            ("datapipeline:PutPipelineDefinition", On::Nothing)
        ]
    ),
    rule!(
        "pass-role-sagemaker-notebook",
        "makes a notebook with a role and opens it",
        Gain::RoleOf("sagemaker.amazonaws.com"),
        BISHOP,
        [
            ("iam:PassRole", On::Passed("sagemaker.amazonaws.com")),
            ("sagemaker:CreateNotebookInstance", On::Of("sagemaker", "notebook-instance")),
            ("sagemaker:CreatePresignedNotebookInstanceUrl", On::Of("sagemaker", "notebook-instance"))
        ]
    ),
    rule!(
        "pass-role-sagemaker-training",
        "makes a training job with a role",
        Gain::RoleOf("sagemaker.amazonaws.com"),
        BISHOP,
        [
            ("iam:PassRole", On::Passed("sagemaker.amazonaws.com")),
            ("sagemaker:CreateTrainingJob", On::Of("sagemaker", "training-job"))
        ]
    ),
    rule!(
        "pass-role-sagemaker-processing",
        "makes a processing job with a role",
        Gain::RoleOf("sagemaker.amazonaws.com"),
        BISHOP,
        [
            ("iam:PassRole", On::Passed("sagemaker.amazonaws.com")),
            ("sagemaker:CreateProcessingJob", On::Of("sagemaker", "processing-job"))
        ]
    ),
    rule!(
        "open-sagemaker-notebook",
        "opens a notebook that has a role",
        Gain::Running,
        BISHOP,
        [("sagemaker:CreatePresignedNotebookInstanceUrl", On::Of("sagemaker", "notebook-instance"))]
    ),
    rule!(
        "ssm-send-command",
        "runs commands on instances",
        Gain::Running,
        BISHOP,
        [("ssm:SendCommand", On::Of("ssm", "instance"))]
    ),
    rule!(
        "ssm-start-session",
        "opens a session on instances",
        Gain::Running,
        BISHOP,
        [("ssm:StartSession", On::Of("ssm", "instance"))]
    ),
    rule!(
        "ec2-instance-connect",
        "puts its key into instances",
        Gain::Running,
        BISHOP,
        [("ec2-instance-connect:SendSSHPublicKey", On::Of("ec2-instance-connect", "instance"))]
    ),
    rule!(
        "pass-role-codestar",
        "makes a project with a role",
        Gain::RoleOf("codestar.amazonaws.com"),
        RHINO,
        [("iam:PassRole", On::Passed("codestar.amazonaws.com")), ("codestar:CreateProject", On::Nothing)]
    ),
    rule!(
        "pass-role-codebuild",
        "makes a build project with a role and starts it",
        Gain::RoleOf("codebuild.amazonaws.com"),
        DATADOG,
        [
            ("iam:PassRole", On::Passed("codebuild.amazonaws.com")),
            ("codebuild:CreateProject", On::Of("codebuild", "project")),
            ("codebuild:StartBuild", On::Of("codebuild", "project"))
        ]
    ),
    rule!(
        "pass-role-ecs",
        "runs a task with a role",
        Gain::RoleOf("ecs-tasks.amazonaws.com"),
        DATADOG,
        [
            ("iam:PassRole", On::Passed("ecs-tasks.amazonaws.com")),
            ("ecs:RegisterTaskDefinition", On::Nothing),
            ("ecs:RunTask", On::Of("ecs", "task-definition"))
        ]
    ),
    rule!(
        "pass-role-step-functions",
        "makes a state machine with a role and starts it",
        Gain::RoleOf("states.amazonaws.com"),
        DATADOG,
        [
            ("iam:PassRole", On::Passed("states.amazonaws.com")),
            ("states:CreateStateMachine", On::Of("states", "statemachine")),
            ("states:StartExecution", On::Of("states", "statemachine"))
        ]
    ),
    rule!(
        "pass-role-scheduler",
        "has a schedule call services with a role",
        Gain::RoleOf("scheduler.amazonaws.com"),
        DATADOG,
        [
            ("iam:PassRole", On::Passed("scheduler.amazonaws.com")),
            ("scheduler:CreateSchedule", On::Of("scheduler", "schedule"))
        ]
    ),
];

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Name of the identity that takes it.
    pub identity: String,
    /// The rule: `create-policy-version`, `update-function-code`, ...
    pub rule: &'static str,
    /// In words: `replaces the code of function Admin, and acts with its role AdminRole`.
    pub words: String,
    /// The actions it takes.
    pub actions: Vec<&'static str>,
    /// Who described it.
    pub source: &'static str,
    /// The statements that allow it.
    pub because: Vec<Span>,
    /// Whether no condition or unknown guard rail stands in between.
    pub certain: bool,
}

/// Where a path ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every permission in the account.
    Administrator,
    /// The permissions of another identity of the template.
    Identity(String),
    /// Those of some other user, role or machine of the account, which the template doesn't tell.
    Others,
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

/// Hops that are followed.
const MAX_STEPS: usize = 5;

/// Every way in which an identity of the application becomes stronger. An identity that is administrator already has none.
pub fn escalations(application: &Application) -> Vec<Escalation> {
    let known: BTreeMap<&str, (&Identity, Permissions)> = application
        .identities
        .iter()
        .map(|identity| (identity.name.as_str(), (identity, Permissions::of(application, identity))))
        .collect();
    let world = World { application, known: &known };
    // What each can do in one step is worked out once, however many paths lead through it.
    let moves: BTreeMap<&str, Moves> = known
        .iter()
        .map(|(name, (identity, permissions))| {
            let found = RULES.iter().flat_map(|rule| world.apply(rule, identity, permissions)).collect();
            (*name, Moves { administrator: permissions.administrator().is_some(), found })
        })
        .collect();
    application.identities.iter().flat_map(|identity| world.from(identity, &moves)).collect()
}

/// What an identity is, and what it can do in one step.
struct Moves {
    administrator: bool,
    found: Vec<(Step, Reach)>,
}

struct World<'a> {
    application: &'a Application,
    known: &'a BTreeMap<&'a str, (&'a Identity, Permissions)>,
}

impl World<'_> {
    fn from(&self, start: &Identity, moves: &BTreeMap<&str, Moves>) -> Vec<Escalation> {
        let mut found = Vec::new();
        let Some((_, own)) = self.known.get(start.name.as_str()) else { return found };
        if moves.get(start.name.as_str()).is_none_or(|moves| moves.administrator) {
            return found;
        }
        let mut seen: HashSet<&str> = HashSet::from([start.name.as_str()]);
        let mut queue: VecDeque<(&str, Vec<Step>)> = VecDeque::from([(start.name.as_str(), Vec::new())]);
        while let Some((at, path)) = queue.pop_front() {
            let (Some((_, permissions)), Some(here)) = (self.known.get(at), moves.get(at)) else { continue };
            if !path.is_empty() {
                let reach = if here.administrator { Reach::Administrator } else { Reach::Identity(at.to_string()) };
                // Another identity is only worth telling where it may do more.
                if here.administrator || self.stronger(permissions, own) {
                    found.push(Escalation { identity: start.name.clone(), steps: path.clone(), reach });
                }
            }
            if here.administrator || path.len() >= MAX_STEPS {
                continue;
            }
            for (step, reach) in &here.found {
                let steps = || path.iter().chain([step]).cloned().collect::<Vec<Step>>();
                match reach {
                    Reach::Identity(name) => {
                        if seen.insert(name) {
                            queue.push_back((name, steps()));
                        }
                    }
                    // What a hop reaches beyond the template is told where that hop begins.
                    Reach::Others if !path.is_empty() => {}
                    reach => {
                        found.push(Escalation { identity: start.name.clone(), steps: steps(), reach: reach.clone() })
                    }
                }
            }
        }
        found
    }

    /// Whether one may do anything that the other may not, by the actions of its statements.
    fn stronger(&self, one: &Permissions, other: &Permissions) -> bool {
        one.beyond(other)
    }

    /// What a rule gives to an identity.
    fn apply(&self, rule: &'static Rule, identity: &Identity, permissions: &Permissions) -> Vec<(Step, Reach)> {
        let mut certain = true;
        let mut because = Vec::new();
        for (action, on) in rule.needs {
            let (target, context) = self.target(*on);
            let Some(ability) = permissions.can(action, &target, &context) else { return Vec::new() };
            let statement = identity.statements.get(ability.statement);
            // Keys and passwords of one's own give nothing new.
            let own = |value: &Value| value.to_string().contains("${aws:username}");
            if rule.gain == Gain::AnotherUser && statement.is_some_and(|found| found.resources.iter().all(own)) {
                return Vec::new();
            }
            certain &= ability.certain;
            because.extend(statement.map(|statement| statement.span));
        }
        because.sort();
        because.dedup();
        let step = |words: String| Step {
            identity: identity.name.clone(),
            rule: rule.id,
            words,
            actions: rule.needs.iter().map(|(action, _)| *action).collect(),
            source: rule.source,
            because: because.clone(),
            certain,
        };
        let title = rule.title;
        match rule.gain {
            Gain::Anything => vec![(step(title.to_string()), Reach::Administrator)],
            Gain::AnotherUser | Gain::Running => vec![(step(title.to_string()), Reach::Others)],
            Gain::Function => self.functions(rule, identity, permissions, &step),
            Gain::Assumed => self
                .roles(permissions, "sts:AssumeRole", &Context::new())
                .filter(|role| role.name != identity.name && self.trusts_identity(role, identity))
                .map(|role| (step(format!("{title}, {}", role.name)), Reach::Identity(role.name.clone())))
                .collect(),
            Gain::RoleOf(service) => {
                let context = passed_to(service);
                let named: Vec<(Step, Reach)> = self
                    .roles(permissions, "iam:PassRole", &context)
                    .filter(|role| role.name != identity.name && trusts(role, service))
                    .map(|role| (step(format!("{title}, {}", role.name)), Reach::Identity(role.name.clone())))
                    .collect();
                // Roles that the template doesn't have can be meant, too.
                let every = Pattern::value(&canonical(self.application, &role_arn(Value::text("*"))));
                match permissions.can_outside("iam:PassRole", &every, &context) {
                    true => named.into_iter().chain([(step(title.to_string()), Reach::Others)]).collect(),
                    false => named,
                }
            }
        }
    }

    /// Functions whose code or layers can be replaced, by the role they run as.
    fn functions(
        &self,
        rule: &'static Rule,
        identity: &Identity,
        permissions: &Permissions,
        step: &dyn Fn(String) -> Step,
    ) -> Vec<(Step, Reach)> {
        let Some((action, _)) = rule.needs.first() else { return Vec::new() };
        let mut found: Vec<(Step, Reach)> = Vec::new();
        for function in &self.application.functions {
            let Some(role) = function.identity.as_deref().filter(|role| *role != identity.name) else { continue };
            let arn = Value::part(Part::Attribute(function.name.clone(), "Arn".into()));
            let target = Pattern::value(&canonical(self.application, &arn));
            if permissions.can(action, &target, &Context::new()).is_some() {
                let words = format!("{} ({}), and acts as its role {role}", rule.title, function.name);
                found.push((step(words), Reach::Identity(role.to_string())));
            }
        }
        let (every, context) = self.target(On::Of("lambda", "function"));
        if permissions.can_outside(action, &every, &context) {
            found.push((step(rule.title.to_string()), Reach::Others));
        }
        found
    }

    /// Roles of the template that an action reaches.
    fn roles<'b>(
        &'b self,
        permissions: &'b Permissions,
        action: &'b str,
        context: &'b Context,
    ) -> impl Iterator<Item = &'b Identity> {
        self.application.identities.iter().filter(move |role| {
            let arn = role_arn(Value::part(Part::Ref(role.name.clone())));
            permissions.can(action, &Pattern::value(&canonical(self.application, &arn)), context).is_some()
        })
    }

    /// Whether a role's trust lets an identity of the template in: by itself, or by its whole account.
    fn trusts_identity(&self, role: &Identity, identity: &Identity) -> bool {
        role.trusted.iter().any(|principal| {
            let shown = principal.to_string();
            shown == "*"
                || shown.ends_with(":root")
                || shown == "${AWS::AccountId}"
                || principal.resources().any(|name| name == identity.name)
        })
    }

    fn target(&self, on: On) -> (Pattern, Context) {
        let every = |prefix: &str, kind: &str| match by_name(prefix, kind, Value::text("*")) {
            Some(arn) => Pattern::value(&canonical(self.application, &arn)),
            None => Pattern::arn("*"),
        };
        match on {
            On::Iam(kind) => (every("iam", kind), Context::new()),
            On::Of(prefix, kind) => (every(prefix, kind), Context::new()),
            On::Passed(service) => (every("iam", "role"), passed_to(service)),
            On::Nothing => (Pattern::arn("*"), Context::new()),
        }
    }
}

fn passed_to(service: &str) -> Context {
    Context::from([("iam:passedtoservice".to_string(), vec![service.to_string()])])
}

fn role_arn(name: Value) -> Value {
    by_name("iam", "role", name).unwrap_or_else(|| Value::text("*"))
}

fn trusts(role: &Identity, service: &str) -> bool {
    role.trusted.iter().any(|principal| {
        let shown = principal.to_string();
        shown == "*" || shown == service
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_of_actions_that_exist_and_names_its_source() {
        let mut ids = HashSet::new();
        for rule in RULES {
            assert!(ids.insert(rule.id), "{} twice", rule.id);
            assert!(!rule.source.is_empty() && !rule.title.is_empty());
            for (action, on) in rule.needs {
                let service = action.split(':').next().unwrap();
                // Services that AWS has closed keep their rules as long as accounts keep their resources.
                let closed = ["codestar", "datapipeline"].contains(&service);
                assert!(closed || facts::action(action).is_some(), "{action}");
                match on {
                    On::Of(prefix, kind) => assert!(facts::resource_arn(prefix, kind).is_some(), "{prefix} {kind}"),
                    On::Iam(kind) => assert!(facts::resource_arn("iam", kind).is_some(), "{kind}"),
                    On::Passed(service) => assert!(service.ends_with(".amazonaws.com")),
                    On::Nothing => {}
                }
            }
        }
    }
}
