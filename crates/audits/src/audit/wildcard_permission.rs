//! `wildcard-permission`: a role that may do more than anyone named.

use crate::context::{less, listed};
use crate::policy::{
    Breadth, breadth, chosen, customary, is_all, reaches_all, service, statement_breadth, weight, wide_resource,
    works_on_input,
};
use crate::{Audit, Context};
use facts::Access;
use findings::{AuditInfo, Confidence, Severity};
use graph::{Effect, Function, Identity, IdentityKind, Origin, Statement};
use std::collections::BTreeSet;

const INFO: AuditInfo = AuditInfo {
    id: "wildcard-permission",
    title: "A role that may do more than anyone named",
    severity: Severity::High,
    since: "0.1.0",
    cwe: &[250, 269],
    docs: r#"A statement of a role allows all actions, all actions of a service, or an action on all resources, though the
action could be limited to some. AWS managed policies are one finding each, where the template names them.

Critical is what amounts to an administrator; high is changing data or permissions everywhere, handing roles on
(`iam:PassRole`) and reading all secrets; medium is reading everything, or sending to everything; low is listing, and all
actions of a service on one resource.

## Why it matters
A function's role is what an intruder gets who makes the function do something it wasn't written for. With
`dynamodb:PutItem` on one table that is one table; with `dynamodb:*` on `*` it is every table of the account, deleted.

## Remediation
Name the actions that the code calls and the resources it calls them on; `ringfence policy` writes them out.

```yaml
Policies:
  - Statement:
      - Effect: Allow
        Action: [dynamodb:GetItem, dynamodb:PutItem]
        Resource: !GetAtt OrdersTable.Arn
```

## When it doesn't fire
Not for actions that can't be limited to a resource (`xray:PutTraceSegments`, `s3:ListAllMyBuckets`), nor for those that are
customary on everything: writing logs and metrics, and the network interfaces of a function in a VPC. Not for policies made
for running functions (`AWSLambdaBasicExecutionRole` and its like), for what SAM or the platform adds by itself, and not for
what the role is denied elsewhere in the same words. A condition or a permissions boundary may narrow what is allowed: it
makes the finding less certain.
"#,
};

pub(super) struct WildcardPermission;

impl Audit for WildcardPermission {
    fn info(&self) -> &'static AuditInfo {
        &INFO
    }

    fn identity(&self, identity: &Identity, context: &mut Context<'_>) {
        let mut managed: BTreeSet<&str> = BTreeSet::new();
        for statement in identity.statements.iter().filter(|statement| chosen(statement)) {
            match &statement.origin {
                Origin::Managed(name) => {
                    if managed.insert(name) {
                        managed_policy(identity, name, context);
                    }
                }
                Origin::SamTemplate(_) | Origin::Connector(_) => {
                    // What such a template has on `*` it has by design; what a person gave it as a name is theirs.
                    if !statement.not_resources && statement_breadth(statement) == Breadth::Kind {
                        written(identity, statement, context);
                    }
                }
                _ => written(identity, statement, context),
            }
        }
    }
}

/// What makes a statement too wide.
struct Excess {
    severity: Severity,
    /// The patterns that are too wide, most severe first.
    patterns: Vec<String>,
    /// In words, after "may": "`s3:*` on every resource".
    what: String,
}

fn written(identity: &Identity, statement: &Statement, context: &mut Context<'_>) {
    if denied_again(identity, statement) {
        return;
    }
    let Some(excess) = everywhere(statement).or_else(|| whole_service(statement)) else { return };
    let mut confidence = Confidence::High;
    if statement.condition.is_some() {
        confidence = less(confidence);
    }
    if identity.boundary.is_some() {
        confidence = less(confidence);
    }
    // Text messages go to phone numbers, which no ARN names.
    let only_sms = !excess.patterns.is_empty()
        && excess.patterns.iter().all(|pattern| pattern.eq_ignore_ascii_case("sns:Publish"))
        && statement_breadth(statement) == Breadth::Everything;
    if only_sms {
        confidence = Confidence::Low;
    }
    let span = context.head(statement.span);
    let title = format!("{} may {}", who(identity, context), excess.what);
    let note = match (&statement.condition, only_sms) {
        (Some(_), _) => "wider than it need be, unless its condition narrows it",
        (None, true) => "only text messages to phone numbers need this",
        _ => "wider than it need be",
    };
    finding(identity, span, title, &excess, confidence, note, context);
}

/// A managed policy, weighed as a whole.
fn managed_policy(identity: &Identity, name: &str, context: &mut Context<'_>) {
    let statements: Vec<&Statement> = identity
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .filter(|statement| matches!(&statement.origin, Origin::Managed(other) if other == name))
        .collect();
    let Some(first) = statements.first() else { return };
    let worst = statements
        .iter()
        .filter_map(|statement| Some((everywhere(statement)?, statement.condition.is_some())))
        // The last of equals would win; the policy's first statement says most about it.
        .rev()
        .max_by_key(|(excess, conditional)| (excess.severity, !conditional));
    let Some((mut excess, conditional)) = worst else { return };
    let mut confidence = if conditional { Confidence::Medium } else { Confidence::High };
    // Made by AWS for a service to assume: as narrow as a policy for everyone can be.
    if facts::managed_policy_arn(name).is_some_and(|arn| arn.contains(":policy/service-role/")) {
        // Starting every function of the account is more than any service needs of one.
        let invokes = statements.iter().any(|statement| {
            statement.actions.iter().any(|action| action.eq_ignore_ascii_case("lambda:InvokeFunction"))
        });
        if excess.severity < Severity::High && !invokes {
            return;
        }
        excess.severity = if invokes { Severity::Medium } else { excess.severity.min(Severity::Medium) };
        confidence = less(confidence);
    }
    if excess.severity < Severity::Medium && !name.ends_with("FullAccess") {
        return;
    }
    if identity.boundary.is_some() {
        confidence = less(confidence);
    }
    let short = name.rsplit('/').next().unwrap_or(name);
    let title = format!("{} has the managed policy `{short}`, which may {}", who(identity, context), excess.what);
    let span = context.head(first.span);
    finding(identity, span, title, &excess, confidence, "a managed policy can't name your resources", context);
}

fn finding(
    identity: &Identity,
    span: source::Span,
    title: String,
    excess: &Excess,
    confidence: Confidence,
    note: &str,
    context: &mut Context<'_>,
) {
    let application = context.application();
    let users: Vec<&Function> = application
        .functions
        .iter()
        .filter(|function| function.identity.as_deref() == Some(identity.name.as_str()))
        .collect();
    let places: Vec<_> = users.iter().take(20).map(|function| context.head(function.span)).collect();
    let remedy = remedy(&users, excess);
    let mut report =
        context.report(span, title).severity(excess.severity).confidence(confidence).primary(note.to_string());
    if let [only] = users.as_slice() {
        report = report.function(&only.name);
    }
    for (function, place) in users.iter().zip(places) {
        report = report.related(place, format!("`{}` runs with it", function.name));
    }
    report.remediation(remedy);
}

/// What to write instead; in the terms of the code, where that was read.
fn remedy(users: &[&Function], excess: &Excess) -> String {
    let services: BTreeSet<String> = excess.patterns.iter().map(|pattern| service(pattern)).collect();
    let all = excess.patterns.is_empty() || excess.patterns.iter().any(|pattern| is_all(pattern));
    let mut called: BTreeSet<&str> = BTreeSet::new();
    for function in users {
        let Some(behaviour) = &function.behaviour else {
            return generic(excess);
        };
        called.extend(
            behaviour
                .calls
                .iter()
                .flat_map(|call| call.actions.iter())
                .map(String::as_str)
                .filter(|action| all || services.contains(&service(action))),
        );
    }
    if users.is_empty() {
        return generic(excess);
    }
    if called.is_empty() {
        return format!(
            "the code was not seen to use {}: remove it",
            if all { "it".to_string() } else { listed(services.iter().map(String::as_str)) }
        );
    }
    let called: Vec<&str> = called.into_iter().collect();
    let shown = called.iter().take(8).map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ");
    let more = if called.len() > 8 { format!(" and {} more", called.len() - 8) } else { String::new() };
    format!("the code was seen to call {shown}{more}: allow these, on the resources it uses")
}

fn generic(excess: &Excess) -> String {
    if excess.patterns.iter().any(|pattern| pattern.eq_ignore_ascii_case("iam:PassRole")) {
        "name the roles that may be handed on as `Resource`, and the service in a condition on `iam:PassedToService`"
            .to_string()
    } else {
        "name the actions that the code calls, and as `Resource` the ARNs it calls them on (`!GetAtt Table.Arn`); a SAM policy \
         template such as `DynamoDBReadPolicy` does both"
            .to_string()
    }
}

fn who(identity: &Identity, context: &Context<'_>) -> String {
    let function = context
        .application()
        .functions
        .iter()
        .find(|function| identity.generated && function.identity.as_deref() == Some(identity.name.as_str()));
    match function {
        Some(function) => format!("the role of `{}`", function.name),
        None => {
            let kind = match identity.kind {
                IdentityKind::Role => "role",
                IdentityKind::User => "user",
                IdentityKind::Group => "group",
            };
            format!("{kind} `{}`", identity.name)
        }
    }
}

/// What a statement allows on everything, or on everything of a kind.
fn everywhere(statement: &Statement) -> Option<Excess> {
    let reach = statement_breadth(statement);
    if reach == Breadth::Named {
        return None;
    }
    let scope = |pattern: Option<&str>| {
        if statement.not_resources {
            return "on every resource but a few".to_string();
        }
        if reach == Breadth::Everything {
            return "on every resource".to_string();
        }
        let wide = pattern
            .and_then(|pattern| wide_resource(statement, pattern))
            .or_else(|| statement.resources.iter().find(|resource| breadth(resource) == Breadth::Kind));
        format!("on all of `{}`", wide.map(ToString::to_string).unwrap_or_default())
    };
    if statement.not_actions {
        let keeps_iam_out = statement.actions.iter().any(|action| matches!(service(action).as_str(), "iam" | "*"));
        return Some(Excess {
            severity: if keeps_iam_out || reach == Breadth::Kind { Severity::High } else { Severity::Critical },
            patterns: Vec::new(),
            what: format!("do everything {} but {}", scope(None), listed(statement.actions.iter().map(String::as_str))),
        });
    }
    if let Some(all) = statement.actions.iter().find(|action| is_all(action)) {
        let whole = reach == Breadth::Everything && !statement.not_resources;
        return Some(Excess {
            severity: if whole { Severity::Critical } else { Severity::High },
            patterns: vec![all.clone()],
            what: format!("do everything {}", scope(None)),
        });
    }
    let mut weighed: Vec<(Severity, &str)> = statement
        .actions
        .iter()
        .filter_map(|pattern| Some((pattern_weight(pattern, statement)?, pattern.as_str())))
        .collect();
    // The widest of the worst says most.
    weighed.sort_by_key(|(severity, pattern)| (std::cmp::Reverse(*severity), !pattern.ends_with(":*")));
    let (severity, worst) = *weighed.first()?;
    let patterns: Vec<String> = weighed.iter().map(|(_, pattern)| (*pattern).to_string()).collect();
    let what = format!("{} {}", listed(patterns.iter().map(String::as_str)), scope(Some(worst)));
    Some(Excess { severity, patterns, what })
}

/// How bad a pattern is on everything; none where it couldn't be narrower, or where that is customary.
fn pattern_weight(pattern: &str, statement: &Statement) -> Option<Severity> {
    let whole = statement_breadth(statement) == Breadth::Everything && !statement.not_resources;
    if pattern.eq_ignore_ascii_case("iam:*") && whole {
        return Some(Severity::Critical);
    }
    facts::actions_matching(pattern)
        .filter(|action| action.resource_level() && !customary(action.name()) && !works_on_input(*action))
        .filter(|action| reaches_all(statement, *action))
        .map(weight)
        .max()
}

/// All actions of a service on something named: fine to read, but it includes deleting and opening the thing itself.
fn whole_service(statement: &Statement) -> Option<Excess> {
    if statement.not_actions || statement.origin != Origin::Inline {
        return None;
    }
    let mut patterns = Vec::new();
    let mut severity = Severity::Low;
    for pattern in &statement.actions {
        if is_all(pattern) {
            patterns.push(pattern.clone());
            severity = Severity::Medium;
            continue;
        }
        let Some(name) = pattern.strip_suffix(":*") else { continue };
        if matches!(name.to_ascii_lowercase().as_str(), "logs" | "xray" | "cloudwatch" | "execute-api") {
            continue;
        }
        let access: Vec<Access> = facts::actions_matching(pattern).map(facts::Action::access).collect();
        // A service with a handful of actions has nothing to choose from.
        if access.len() <= 4 {
            continue;
        }
        if access.contains(&Access::Permissions) {
            severity = Severity::Medium;
        }
        patterns.push(pattern.clone());
    }
    if patterns.is_empty() {
        return None;
    }
    let on = listed(statement.resources.iter().map(ToString::to_string).collect::<Vec<_>>().iter().map(String::as_str));
    let on = if on.is_empty() { String::new() } else { format!(" on {on}") };
    let what =
        format!("{}{on}, deleting and opening it to others included", listed(patterns.iter().map(String::as_str)));
    Some(Excess { severity, patterns, what })
}

/// Whether the same actions on the same resources are denied without a condition.
fn denied_again(identity: &Identity, statement: &Statement) -> bool {
    identity.statements.iter().any(|other| {
        other.effect == Effect::Deny
            && other.condition.is_none()
            && !other.not_actions
            && !other.not_resources
            && !statement.not_actions
            && other.resources.iter().any(|resource| breadth(resource) == Breadth::Everything)
            && statement
                .actions
                .iter()
                .all(|action| other.actions.iter().any(|denied| is_all(denied) || denied.eq_ignore_ascii_case(action)))
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, lines};

    /// A function whose role has these statements.
    fn statements(statements: &str) -> String {
        format!(
            r#"
            Transform: AWS::Serverless-2016-10-31
            Resources:
              Orders: {{ Type: AWS::DynamoDB::Table, Properties: {{ KeySchema: [] }} }}
              Work:
                Type: AWS::Serverless::Function
                Properties:
                  Runtime: python3.14
                  Handler: app.handler
                  CodeUri: src/
                  Policies: [{{ Statement: [{statements}] }}]
            "#
        )
    }

    fn one(statement: &str) -> String {
        let found = lines("wildcard-permission", &statements(statement));
        match found.as_slice() {
            [one] => {
                let (severity, title) = one.split_once(" 10: ").unwrap_or((one, ""));
                format!("{severity} {title}")
            }
            [] => "nothing".to_string(),
            more => format!("{more:?}"),
        }
    }

    #[test]
    fn severity_follows_what_is_granted() {
        for (statement, expected) in [
            (
                "{ Effect: Allow, Action: '*', Resource: '*' }",
                "critical/high the role of `Work` may do everything on every resource",
            ),
            ("{ Effect: Allow, Action: 'iam:*', Resource: '*' }", "critical/high"),
            (
                "{ Effect: Allow, Action: 'dynamodb:*', Resource: '*' }",
                "high/high the role of `Work` may `dynamodb:*` on every resource",
            ),
            ("{ Effect: Allow, Action: 'dynamodb:PutItem', Resource: 'arn:aws:dynamodb:*:*:table/*' }", "high/high"),
            ("{ Effect: Allow, Action: 'iam:PassRole', Resource: '*' }", "high/high"),
            ("{ Effect: Allow, Action: 'secretsmanager:GetSecretValue', Resource: '*' }", "high/high"),
            ("{ Effect: Allow, Action: ['s3:Get*', 's3:List*'], Resource: '*' }", "medium/high"),
            ("{ Effect: Allow, Action: 'lambda:InvokeFunction', Resource: '*' }", "medium/high"),
            ("{ Effect: Allow, Action: 'sns:Publish', Resource: '*' }", "medium/low"),
            ("{ Effect: Allow, Action: 'logs:*', Resource: '*' }", "low/high"),
            ("{ Effect: Allow, NotAction: 'iam:*', Resource: '*' }", "high/high"),
            ("{ Effect: Allow, NotAction: 's3:*', Resource: '*' }", "critical/high"),
            ("{ Effect: Allow, Action: 'dynamodb:*', Resource: !GetAtt Orders.Arn }", "medium/high"),
        ] {
            let found = one(statement);
            assert!(found.starts_with(expected), "{statement}\n{found}");
        }
    }

    #[test]
    fn what_could_not_be_narrower_is_not_reported() {
        for statement in [
            "{ Effect: Allow, Action: ['xray:PutTraceSegments', 's3:ListAllMyBuckets', 'rekognition:DetectLabels'], Resource: '*' }",
            "{ Effect: Allow, Action: ['logs:CreateLogGroup', 'logs:PutLogEvents'], Resource: '*' }",
            "{ Effect: Allow, Action: ['logs:CreateLogStream'], Resource: 'arn:aws:logs:*:*:*' }",
            "{ Effect: Allow, Action: ['ec2:CreateNetworkInterface', 'ec2:DescribeNetworkInterfaces'], Resource: '*' }",
            "{ Effect: Allow, Action: 'dynamodb:PutItem', Resource: !GetAtt Orders.Arn }",
            "{ Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::catalog/*' }",
            "{ Effect: Allow, Action: 's3:Get*', Resource: 'arn:aws:s3:::catalog/*' }",
            "{ Effect: Deny, Action: '*', Resource: '*' }",
        ] {
            assert_eq!(one(statement), "nothing", "{statement}");
        }
        // Each call names a job definition and a queue as well, and those are named.
        for narrowed in [
            "{ Effect: Allow, Action: 'rds:CreateDBSnapshot', Resource: ['arn:aws:rds:*:1:db:shop', 'arn:aws:rds:*:1:snapshot:*'] }",
            "{ Effect: Allow, Action: 'kafka-cluster:Connect', Resource: ['arn:aws:kafka:*:1:cluster/shop/*', 'arn:aws:kafka:*:1:group/*/*/*'] }",
            "{ Effect: Allow, Action: 'comprehend:DetectEntities', Resource: '*' }",
        ] {
            assert_eq!(one(narrowed), "nothing", "{narrowed}");
        }
    }

    #[test]
    fn a_condition_makes_it_less_certain() {
        let found = one(
            "{ Effect: Allow, Action: 'iam:PassRole', Resource: '*', Condition: { StringEquals: { iam:PassedToService: states.amazonaws.com } } }",
        );
        assert!(found.starts_with("high/medium"), "{found}");
    }

    #[test]
    fn managed_policies_are_one_finding_where_they_are_named() {
        let found = findings(
            "wildcard-permission",
            r#"
            Resources:
              Role:
                Type: AWS::IAM::Role
                Properties:
                  AssumeRolePolicyDocument:
                    Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
                  ManagedPolicyArns:
                    - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
                    - arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole
                    - arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess
                    - arn:aws:iam::aws:policy/AdministratorAccess
              Work:
                Type: AWS::Lambda::Function
                Properties: { Runtime: python3.14, Handler: index.handler, Role: !GetAtt Role.Arn, Code: { ZipFile: "x = 1" } }
            "#,
        );
        let titles: Vec<_> = found.iter().map(|finding| (finding.severity.name(), finding.title.as_str())).collect();
        assert_eq!(titles.len(), 2, "{titles:?}");
        assert!(titles[0].0 == "critical" && titles[0].1.contains("`AdministratorAccess`"), "{titles:?}");
        assert!(titles[1].0 == "high" && titles[1].1.contains("`AmazonDynamoDBFullAccess`"), "{titles:?}");
        assert_eq!(found[0].function.as_deref(), Some("Work"));
    }

    #[test]
    fn a_policy_template_for_every_table_is_the_authors_doing() {
        let template = |name: &str| {
            format!(
                r#"
                Transform: AWS::Serverless-2016-10-31
                Resources:
                  Work:
                    Type: AWS::Serverless::Function
                    Properties:
                      Runtime: python3.14
                      Handler: app.handler
                      CodeUri: src/
                      Policies: [{{ DynamoDBCrudPolicy: {{ TableName: {name} }} }}, {{ RekognitionDetectOnlyPolicy: {{}} }}]
                "#
            )
        };
        let found = lines("wildcard-permission", &template("'*'"));
        assert!(matches!(found.as_slice(), [one] if one.starts_with("high")), "{found:?}");
        assert!(lines("wildcard-permission", &template("orders")).is_empty());
    }
}
