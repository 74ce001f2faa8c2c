//! Who invokes whom in code, worked out once per application: a way to reach a function that no template tells of.

use graph::{Application, Exposure, Function};
use std::collections::BTreeMap;

/// The functions of an application that other functions' code invokes.
pub(crate) struct Callers<'a> {
    by_callee: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Callers<'a> {
    pub(crate) fn of(application: &'a Application) -> Self {
        let names =
            |callers: Vec<(&'a Function, _)>| callers.into_iter().map(|(caller, _)| caller.name.as_str()).collect();
        Self {
            by_callee: fence::callers(application)
                .into_iter()
                .map(|(callee, callers)| (callee, names(callers)))
                .collect(),
        }
    }

    /// The names of those whose code invokes a function.
    pub(crate) fn names(&self, function: &Function) -> &[&'a str] {
        self.by_callee.get(function.name.as_str()).map_or(&[], Vec::as_slice)
    }

    /// From where a function can be reached, calls in other functions' code included.
    pub(crate) fn exposure(&self, application: &Application, function: &Function) -> Exposure {
        match application.exposure(function) {
            Exposure::None if !self.names(function).is_empty() => Exposure::Internal,
            exposure => exposure,
        }
    }
}
