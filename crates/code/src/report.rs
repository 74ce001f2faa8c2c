//! From what evaluation noted to a [`Reading`]: spans, order, and file ids.

use crate::Reading;
use crate::evaluate::Evaluator;
use crate::inline::Lines;
use crate::project::Loaded;
use crate::record::{Access, Site, Stack, Stored};
use crate::syntax::Name;
use findings::{Diagnostic, Level};
use graph::{
    Behaviour, CloudCall, EventField, FileWrite, FlowStep, KeyPart, OutboundHost, Practice, PracticeKind, ProcessStart,
    RecordAccess, Sink, StoreAccess, TaintFlow,
};
use source::{FileId, SourceFile, Sources, Span};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The reader's name in diagnostics.
pub(crate) const READER: &str = "code";

/// A reading whose file ids count the files of this handler alone.
pub(crate) struct Draft {
    pub(crate) reading: Reading,
    pub(crate) files: Vec<Arc<Loaded>>,
}

fn span(site: Site) -> Span {
    Span::new(FileId(u32::try_from(site.0).unwrap_or(u32::MAX)), site.1 as usize, site.2 as usize)
}

/// Where a part of the event is read first, or else the part it belongs to.
fn read_at(fields: &BTreeMap<Name, Site>, source: &str) -> Option<Site> {
    let mut at = source;
    loop {
        if let Some(site) = fields.get(at) {
            return Some(*site);
        }
        at = match at.strip_suffix("[]") {
            Some(list) => list,
            None => at.rsplit_once('.')?.0,
        };
    }
}

/// Where data was read that isn't of the event.
fn stored(reads: &[crate::record::Read], source: &str) -> Option<StoreAccess> {
    let (index, path) = source.strip_prefix(crate::taint::STORED)?.split_once(':')?;
    let read = reads.get(index.parse::<usize>().ok()?)?;
    Some(StoreAccess {
        service: read.service.to_string(),
        target: read.targets.first().cloned().unwrap_or(graph::CallTarget::Unknown),
        // What comes first is the part of the answer.
        attribute: path.split('.').nth(1).map(str::to_string),
        span: span(read.site),
    })
}

fn steps(fields: &BTreeMap<Name, Site>, source: &str, way: &[(Site, String)]) -> Vec<FlowStep> {
    let first = read_at(fields, source).map(|site| (site, "comes in here".to_string()));
    first.into_iter().chain(way.iter().cloned()).map(|(site, what)| FlowStep { span: span(site), what }).collect()
}

fn into_store(stored: &Stored, fields: &BTreeMap<Name, Site>) -> TaintFlow {
    TaintFlow {
        sink: Sink::Store,
        source: stored.source.to_string(),
        steps: steps(fields, &stored.source, &stored.way),
        span: span(stored.site),
        certain: true,
        from: None,
        into: Some(StoreAccess {
            service: stored.service.to_string(),
            target: stored.target.clone(),
            attribute: stored.attribute.clone(),
            span: span(stored.site),
        }),
    }
}

/// Whether the caller was compared with something in the function of an access or around it. A function that reads or
/// changes records itself has compared for its own, one that doesn't for whoever called it.
fn is_compared(access: &Access, all: &[Access], comparisons: &[(Stack, bool)]) -> bool {
    let works = |function: &(usize, usize)| all.iter().any(|other| other.stack.last() == Some(function));
    comparisons.iter().filter(|(_, of_caller)| *of_caller).any(|(stack, _)| {
        let Some(innermost) = stack.last() else { return true };
        let own = access.stack.last();
        own.is_none_or(|own| stack.contains(own))
            || access.stack.contains(innermost)
            || !works(innermost) && stack.iter().rev().nth(1).is_some_and(|caller| access.stack.contains(caller))
    })
}

fn found_by(
    access: &Access,
    all: &[Access],
    comparisons: &[(Stack, bool)],
    fields: &BTreeMap<Name, Site>,
) -> RecordAccess {
    let first = access.key.iter().flat_map(|(_, sources)| sources).next();
    RecordAccess {
        kind: access.kind,
        service: access.service.to_string(),
        operation: access.operation.to_string(),
        target: access.target.clone(),
        key: access
            .key
            .iter()
            .map(|(name, sources)| KeyPart {
                name: name.to_string(),
                sources: sources.iter().map(|source| source.to_string()).collect(),
            })
            .collect(),
        of_caller: access.of_caller,
        compared: is_compared(access, all, comparisons),
        conditional: access.conditional,
        steps: first.map(|source| steps(fields, source, &access.way)).unwrap_or_default(),
        span: span(access.site),
    }
}

impl Draft {
    /// A handler nothing can be said about.
    pub(crate) fn error(diagnostic: Diagnostic) -> Self {
        Self { reading: Reading { behaviour: None, diagnostics: vec![diagnostic] }, files: Vec::new() }
    }

    /// The reading thread ended early.
    pub(crate) fn lost() -> Self {
        Self::error(Diagnostic::general(Level::Error, READER, "the code couldn't be read"))
    }

    /// Everything the evaluator noted.
    pub(crate) fn new(mut evaluator: Evaluator<'_>, handler: Option<Span>) -> Self {
        crate::library::habits::finish(&mut evaluator);
        let gave_up = evaluator.gave_up();
        let mut record = evaluator.record;
        let mut behaviour = Behaviour { handler, ..Behaviour::default() };
        let files: Vec<Arc<Loaded>> = evaluator.modules.iter().map(|module| module.file.clone()).collect();
        behaviour.files = (0..files.len()).map(|index| FileId(u32::try_from(index).unwrap_or(u32::MAX))).collect();
        for ((site, ..), call) in std::mem::take(&mut record.calls) {
            // What is done in another role's name takes none of this one's permissions.
            let another = record.is_of_another(site);
            for target in call.targets {
                behaviour.calls.push(CloudCall {
                    service: call.service.to_string(),
                    operation: call.operation.to_string(),
                    index: record.indexes.get(&site).copied(),
                    actions: if another { Vec::new() } else { call.actions.clone() },
                    target,
                    span: span(site),
                });
            }
        }
        for (site, host) in record.hosts {
            behaviour.hosts.push(OutboundHost {
                host: host.host,
                environment: host.environment,
                port: host.port,
                from_event: host.from_event,
                span: span(site),
            });
        }
        behaviour.processes = record
            .processes
            .into_iter()
            .map(|(site, program, shell)| ProcessStart { program, shell, span: span(site) })
            .collect();
        behaviour.writes = record.writes.into_iter().map(|(site, path)| FileWrite { path, span: span(site) }).collect();
        let fields: BTreeMap<Name, Site> =
            record.fields.iter().map(|(path, field)| (path.clone(), field.site)).collect();
        behaviour.event_fields = record
            .fields
            .into_iter()
            .map(|(path, field)| EventField {
                required: field.required && !record.guarded.contains(&path),
                path: path.to_string(),
                span: span(field.site),
            })
            .collect();
        behaviour.flows = record
            .flows
            .into_iter()
            .map(|((site, sink, source), (way, certain))| {
                let read = read_at(&fields, &source);
                let first = read.map(|site| (site, "comes in here".to_string()));
                let steps = first.into_iter().chain(way).map(|(site, what)| FlowStep { span: span(site), what });
                let from = stored(&record.reads, &source);
                let source = if from.is_some() { String::new() } else { source.to_string() };
                TaintFlow { sink, source, steps: steps.collect(), span: span(site), certain, from, into: None }
            })
            .collect();
        behaviour.flows.extend(record.stores.iter().map(|stored| into_store(stored, &fields)));
        behaviour.accesses = record
            .accesses
            .iter()
            .map(|access| found_by(access, &record.accesses, &record.comparisons, &fields))
            .collect();
        behaviour.checks_roles = record.checks_roles;
        behaviour.checks_signatures = record.checks_signatures || record.verifies_tokens;
        behaviour.practices = record
            .practices
            .into_iter()
            // What is looked at before the check (which key it is) is checked after all.
            .filter(|((_, kind), _)| *kind != PracticeKind::UnverifiedToken || !record.verifies_tokens)
            .map(|((site, kind), note)| Practice {
                kind,
                span: span(site),
                detail: note.detail,
                related: note.related.map(span),
                reachable: note.reachable,
            })
            .collect();
        behaviour.imports = record.imports.into_iter().collect();
        let mut diagnostics = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let at = |place: crate::syntax::Place| span((index, place.start, place.end));
            if let Some(why) = &file.refused {
                diagnostics.push(Diagnostic::general(Level::Warning, READER, why.clone()));
            }
            if let Some(place) = file.module.broken.filter(|_| handler.is_some() || index > 0) {
                let message = "the syntax isn't understood here; what it does may be missing";
                diagnostics.push(Diagnostic::at(Level::Warning, READER, at(place), message));
            }
            if let Some(place) = file.module.too_deep {
                let message = "this nests too deeply to be read";
                diagnostics.push(Diagnostic::at(Level::Warning, READER, at(place), message));
            }
        }
        let doubts = record.doubts.into_iter().map(|(site, why)| (Level::Warning, site, why));
        let notes = record.notes.into_iter().map(|(site, why)| (Level::Note, site, why));
        for (level, site, why) in doubts.chain(notes) {
            diagnostics.push(Diagnostic::at(level, READER, span(site), why));
        }
        if gave_up {
            let message = "the code branches too much to be followed to the end; what it does may be missing";
            diagnostics.push(match handler {
                Some(span) => Diagnostic::at(Level::Warning, READER, span, message),
                None => Diagnostic::general(Level::Warning, READER, message),
            });
        }
        Self { reading: Reading { behaviour: Some(behaviour), diagnostics }, files }
    }

    /// The reading with the ids of `sources`, which gets the files it doesn't have.
    pub(crate) fn finish(mut self, sources: &mut Sources, by_path: &mut HashMap<String, FileId>) -> Reading {
        let ids: Vec<FileId> = self
            .files
            .iter()
            .map(|file| {
                *by_path
                    .entry(file.path.clone())
                    .or_insert_with(|| sources.add(SourceFile::new(file.path.clone(), file.text.clone())))
            })
            .collect();
        let id = |file: FileId| ids.get(file.0 as usize).copied().unwrap_or(file);
        self.map(|span| Span { file: id(span.file), ..span });
        if let Some(behaviour) = &mut self.reading.behaviour {
            behaviour.files = ids;
        }
        self.reading
    }

    /// The reading with places in a template.
    pub(crate) fn finish_inline(mut self, lines: &Lines) -> Reading {
        self.map(|span| lines.span(span));
        if let Some(behaviour) = &mut self.reading.behaviour {
            behaviour.files = vec![lines.file()];
        }
        self.reading
    }

    fn map(&mut self, change: impl Fn(Span) -> Span) {
        for diagnostic in &mut self.reading.diagnostics {
            diagnostic.span = diagnostic.span.map(&change);
        }
        let Some(behaviour) = &mut self.reading.behaviour else { return };
        behaviour.handler = behaviour.handler.map(&change);
        behaviour.calls.iter_mut().for_each(|call| call.span = change(call.span));
        behaviour.hosts.iter_mut().for_each(|host| host.span = change(host.span));
        behaviour.processes.iter_mut().for_each(|process| process.span = change(process.span));
        behaviour.writes.iter_mut().for_each(|write| write.span = change(write.span));
        behaviour.event_fields.iter_mut().for_each(|field| field.span = change(field.span));
        for practice in &mut behaviour.practices {
            practice.span = change(practice.span);
            practice.related = practice.related.map(&change);
        }
        for access in &mut behaviour.accesses {
            access.span = change(access.span);
            access.steps.iter_mut().for_each(|step| step.span = change(step.span));
        }
        for flow in &mut behaviour.flows {
            flow.span = change(flow.span);
            flow.steps.iter_mut().for_each(|step| step.span = change(step.span));
            for store in flow.from.iter_mut().chain(&mut flow.into) {
                store.span = change(store.span);
            }
        }
    }
}
