//! From what evaluation noted to a [`Reading`]: spans, order, and file ids.

use crate::Reading;
use crate::evaluate::Evaluator;
use crate::inline::Lines;
use crate::project::Loaded;
use crate::record::Site;
use crate::syntax::Name;
use findings::{Diagnostic, Level};
use graph::{
    Behaviour, CloudCall, EventField, FileWrite, FlowStep, OutboundHost, Practice, PracticeKind, ProcessStart,
    TaintFlow,
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
    pub(crate) fn new(evaluator: Evaluator<'_>, handler: Option<Span>) -> Self {
        let gave_up = evaluator.gave_up();
        let record = evaluator.record;
        let mut behaviour = Behaviour { handler, ..Behaviour::default() };
        let files: Vec<Arc<Loaded>> = evaluator.modules.iter().map(|module| module.file.clone()).collect();
        behaviour.files = (0..files.len()).map(|index| FileId(u32::try_from(index).unwrap_or(u32::MAX))).collect();
        for ((site, ..), call) in record.calls {
            for target in call.targets {
                behaviour.calls.push(CloudCall {
                    service: call.operation.service().boto3().to_string(),
                    operation: call.operation.name().to_string(),
                    actions: call.actions.clone(),
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
                TaintFlow { sink, source: source.to_string(), steps: steps.collect(), span: span(site), certain }
            })
            .collect();
        behaviour.practices = record
            .practices
            .into_iter()
            // What is looked at before the check (which key it is) is checked after all.
            .filter(|(_, kind)| *kind != PracticeKind::UnverifiedToken || !record.verifies_tokens)
            .map(|(site, kind)| Practice { kind, span: span(site) })
            .collect();
        behaviour.imports = record.imports.into_iter().collect();
        let mut diagnostics = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let at = |place: crate::syntax::Place| span((index, place.start, place.end));
            if let Some(why) = &file.refused {
                diagnostics.push(Diagnostic::general(Level::Warning, READER, why.clone()));
            }
            if let Some(place) = file.module.broken {
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
        behaviour.practices.iter_mut().for_each(|practice| practice.span = change(practice.span));
        for flow in &mut behaviour.flows {
            flow.span = change(flow.span);
            flow.steps.iter_mut().for_each(|step| step.span = change(step.span));
        }
    }
}
