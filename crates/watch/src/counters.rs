//! What happened since the start, in numbers: per function and in all.

use records::{Action, Body, Outcome, Record};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many of the latest durations a function's percentiles are taken from.
const DURATIONS_KEPT: usize = 1024;

/// How many functions are counted apart; a sender making names up can't fill the memory.
const MAX_FUNCTIONS: usize = 4096;

/// Where functions beyond [`MAX_FUNCTIONS`] are counted together.
const OTHERS: &str = "(others)";

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Records stored since the start.
    pub stored: u64,
    /// Records accepted and not yet stored.
    pub waiting: usize,
    /// Lines that weren't records.
    pub bad_lines: u64,
    /// Why the lake isn't taking records now; absent when it is.
    pub lake_error: Option<String>,
    /// The sum over all functions; its percentiles are those of all of them together.
    pub all: FunctionSummary,
    /// Each function by its name.
    pub functions: BTreeMap<String, FunctionSummary>,
}

/// One function's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FunctionSummary {
    /// Events handed to it or refused before.
    pub invocations: u64,
    /// Those it answered well.
    pub ok: u64,
    /// Those the guard stopped.
    pub refused: u64,
    /// Those that ended in an error, a timeout or a crash.
    pub errors: u64,
    /// Those for which a process had to be started.
    pub cold: u64,
    /// Verdicts that kept something from the function.
    pub stopped: u64,
    /// Verdicts that would have, were the guard not only observing.
    pub would_refuse: u64,
    /// Calls and connections the fence has no line for.
    pub outside_fence: u64,
    /// The median duration of the latest invocations that reached the function, in microseconds.
    pub p50_us: u64,
    /// The duration 95 of 100 of them stay under, in microseconds.
    pub p95_us: u64,
    /// The guard's median share, in microseconds, refusals included.
    pub guard_p50_us: u64,
    /// When it was last heard of, in milliseconds since the epoch.
    pub last_seen: i64,
    /// The tier its fence is held at, from its latest start.
    pub tier: Option<String>,
    /// Whether its process runs, as far as starts and stops tell.
    pub running: bool,
}

/// The counters while they count.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    stored: u64,
    pub(crate) bad_lines: u64,
    pub(crate) lake_error: Option<String>,
    all: Function,
    functions: BTreeMap<String, Function>,
}

#[derive(Debug, Default)]
struct Function {
    counts: FunctionSummary,
    durations: Latest,
    guard: Latest,
    processes: u32,
}

impl Counters {
    pub(crate) fn count(&mut self, record: &Record) {
        self.stored += 1;
        self.all.count(record);
        let known = self.functions.contains_key(&record.function);
        let name = if known || self.functions.len() < MAX_FUNCTIONS { record.function.as_str() } else { OTHERS };
        if let Some(function) = self.functions.get_mut(name) {
            function.count(record);
        } else {
            self.functions.entry(name.to_owned()).or_default().count(record);
        }
    }

    pub(crate) fn summary(&self, waiting: usize) -> Summary {
        Summary {
            stored: self.stored,
            waiting,
            bad_lines: self.bad_lines,
            lake_error: self.lake_error.clone(),
            all: self.all.summary(),
            functions: self.functions.iter().map(|(name, function)| (name.clone(), function.summary())).collect(),
        }
    }
}

impl Function {
    fn count(&mut self, record: &Record) {
        let counts = &mut self.counts;
        counts.last_seen = counts.last_seen.max(record.time);
        match &record.body {
            Body::Invocation(invocation) => {
                counts.invocations += 1;
                counts.cold += u64::from(invocation.cold);
                self.guard.add(invocation.guard_us);
                match invocation.outcome {
                    Outcome::Ok => counts.ok += 1,
                    Outcome::Refused => counts.refused += 1,
                    Outcome::Error | Outcome::Timeout | Outcome::Crashed => counts.errors += 1,
                }
                // A refusal is over in no time and would make the function look faster than it is.
                if invocation.outcome != Outcome::Refused {
                    self.durations.add(invocation.duration_us);
                }
            }
            Body::Verdict(verdict) => {
                counts.stopped += u64::from(verdict.action.stopped_it());
                counts.would_refuse += u64::from(verdict.action == Action::WouldRefuse);
            }
            Body::CloudCall(call) => counts.outside_fence += u64::from(!call.in_fence),
            Body::Egress(egress) => counts.outside_fence += u64::from(!egress.in_fence),
            Body::Started(started) => {
                counts.tier = Some(started.tier.clone());
                self.processes = self.processes.saturating_add(1);
            }
            Body::Stopped(_) => self.processes = self.processes.saturating_sub(1),
            Body::FunctionError(_) | Body::Log(_) => {}
        }
        counts.running = self.processes > 0;
    }

    fn summary(&self) -> FunctionSummary {
        let mut counts = self.counts.clone();
        [counts.p50_us, counts.p95_us] = self.durations.percentiles([50, 95]);
        [counts.guard_p50_us] = self.guard.percentiles([50]);
        counts
    }
}

/// The latest values, the oldest overwritten first.
#[derive(Debug, Default)]
struct Latest {
    values: Vec<u64>,
    next: usize,
}

impl Latest {
    fn add(&mut self, value: u64) {
        if self.values.len() < DURATIONS_KEPT {
            self.values.push(value);
        } else if let Some(oldest) = self.values.get_mut(self.next) {
            *oldest = value;
            self.next = (self.next + 1) % DURATIONS_KEPT;
        }
    }

    /// The smallest values that so many per cent of all are not above (nearest rank); 0 when there are none.
    fn percentiles<const N: usize>(&self, wanted: [usize; N]) -> [u64; N] {
        let mut sorted = self.values.clone();
        sorted.sort_unstable();
        wanted.map(|percent| {
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::{Egress, Invocation, Started, Stopped};

    fn invocation(outcome: Outcome, duration_us: u64) -> Invocation {
        Invocation {
            trigger: "http".into(),
            outcome,
            duration_us,
            guard_us: 50,
            bytes_in: 0,
            bytes_out: 0,
            cold: false,
            source: None,
            http: None,
        }
    }

    #[test]
    fn outcomes_are_counted_apart_and_refusals_dont_flatter_the_median() {
        let mut counters = Counters::default();
        for duration in 1..=100 {
            counters.count(&Record::new(1, "A", invocation(Outcome::Ok, duration * 10)));
        }
        for _ in 0..300 {
            counters.count(&Record::new(2, "A", invocation(Outcome::Refused, 1)));
        }
        counters.count(&Record::new(3, "B", invocation(Outcome::Timeout, 9)));
        let summary = counters.summary(0);
        let a = &summary.functions["A"];
        assert_eq!((a.invocations, a.ok, a.refused, a.errors), (400, 100, 300, 0));
        assert_eq!((a.p50_us, a.p95_us, a.guard_p50_us), (500, 950, 50));
        assert_eq!((summary.all.errors, summary.all.last_seen), (1, 3));
        assert_eq!(summary.stored, 401);
    }

    #[test]
    fn percentiles_follow_the_latest_values() {
        let mut latest = Latest::default();
        assert_eq!(latest.percentiles([50, 95]), [0, 0]);
        latest.add(7);
        assert_eq!(latest.percentiles([50, 95]), [7, 7]);
        for _ in 0..3000 {
            latest.add(100);
        }
        assert_eq!(latest.values.len(), DURATIONS_KEPT);
        assert_eq!(latest.percentiles([1, 50]), [100, 100]);
    }

    #[test]
    fn a_function_runs_until_its_last_process_stopped() {
        let mut counters = Counters::default();
        let started = || Started { tier: "kernel".into(), ..Started::default() };
        counters.count(&Record::new(1, "A", started()));
        counters.count(&Record::new(1, "A", started()));
        counters.count(&Record::new(1, "A", Stopped::default()));
        assert!(counters.summary(0).functions["A"].running);
        counters.count(&Record::new(1, "A", Stopped::default()));
        counters.count(&Record::new(1, "A", Stopped::default()));
        let summary = counters.summary(0);
        assert!(!summary.functions["A"].running);
        assert_eq!(summary.functions["A"].tier.as_deref(), Some("kernel"));
    }

    #[test]
    fn made_up_function_names_dont_fill_the_memory() {
        let mut counters = Counters::default();
        for name in 0..MAX_FUNCTIONS + 100 {
            counters.count(&Record::new(1, format!("f{name}"), Egress::default()));
        }
        let summary = counters.summary(0);
        assert_eq!(summary.functions.len(), MAX_FUNCTIONS + 1);
        assert_eq!(summary.functions[OTHERS].outside_fence, 100);
    }
}
