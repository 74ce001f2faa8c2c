//! For audits of habits that the code reader noted: each place is reported once, however many functions share the file.

use crate::flow::{exposed, invokers};
use crate::{Audit, Context};
use findings::{AuditInfo, Confidence, Severity};
use graph::{Application, Authorization, Exposure, Function, Practice, PracticeKind};
use source::Span;
use std::collections::BTreeMap;

/// What an audit of a habit says.
pub(crate) struct Habit {
    pub(crate) info: &'static AuditInfo,
    pub(crate) kind: PracticeKind,
    /// Before the function's name: "takes any certificate".
    pub(crate) does: &'static str,
    /// At the place itself.
    pub(crate) primary: &'static str,
    pub(crate) remediation: &'static str,
    pub(crate) confidence: Confidence,
    /// How bad, by the function that does it.
    pub(crate) severity: fn(&Application, &Function) -> Severity,
}

/// An audit of a habit.
pub(crate) struct HabitAudit(pub(crate) Habit);

impl Audit for HabitAudit {
    fn info(&self) -> &'static AuditInfo {
        self.0.info
    }

    fn application(&self, application: &Application, context: &mut Context<'_>) {
        let habit = &self.0;
        let mut places: BTreeMap<Span, (&Function, Severity, &Practice)> = BTreeMap::new();
        for function in &application.functions {
            let Some(behaviour) = &function.behaviour else { continue };
            for practice in behaviour.practices.iter().filter(|practice| practice.kind == habit.kind) {
                let mut severity = (habit.severity)(application, function);
                if habit.kind == PracticeKind::WeakHash && practice.detail == "password" {
                    severity = severity.max(Severity::Medium);
                }
                // Code that nothing gets to does no harm until something does.
                if !practice.reachable || practice.detail.ends_with("is overwritten") {
                    severity = severity.min(Severity::Low);
                }
                let worst = places.entry(practice.span).or_insert((function, severity, practice));
                if severity > worst.1 || practice.reachable && !worst.2.reachable {
                    *worst = (function, severity, practice);
                }
            }
        }
        for (span, (function, severity, practice)) in places {
            let does = match (habit.kind, practice.detail.as_str()) {
                (PracticeKind::EnvironmentExposed, "log") => "writes all of its environment to the log",
                _ => habit.does,
            };
            let mut report = context
                .report(span, format!("`{}` {does}", function.name))
                .severity(severity)
                .confidence(if practice.reachable { habit.confidence } else { Confidence::Low })
                .function(&function.name)
                .primary(habit.primary);
            if let Some(related) = practice.related {
                let what = match practice.detail.as_str() {
                    "" => "this was read before".to_string(),
                    detail => format!("`{detail}` was read here before"),
                };
                report = report.related(related, what.clone()).step(related, what).step(span, habit.primary);
            }
            report.remediation(habit.remediation);
        }
    }
}

/// Whether strangers reach the function.
pub(crate) fn is_public(application: &Application, function: &Function) -> bool {
    application.exposure(function) == Exposure::Public
}

/// Whether callers reach the function, by a route or through a function that they reach.
pub(crate) fn has_callers(application: &Application, function: &Function) -> bool {
    exposed(application, function) >= Exposure::Authenticated
        || invokers(application, function).iter().any(|other| exposed(application, other) >= Exposure::Authenticated)
}

/// Whether every route to the function has something in front that checks tokens.
pub(crate) fn checks_tokens_before(application: &Application, function: &Function) -> bool {
    let mut routes = application.triggers_of(&function.name).filter(|trigger| trigger.kind.is_http()).peekable();
    routes.peek().is_some()
        && function.url.is_none()
        && routes.all(|trigger| {
            matches!(
                trigger.authorization,
                Some(Authorization::Cognito(_) | Authorization::Jwt(_) | Authorization::Lambda(_))
            )
        })
}
