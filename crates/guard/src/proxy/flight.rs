//! Events between being handed out and being answered, and the records they become.

use super::body::Captured;
use events::Http;
use records::{FunctionError, HttpSummary, Invocation, Outcome, Record, Verdict};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// More events than this are never out at once; those beyond are forgotten rather than kept.
const MOST: usize = 4096;

/// The events that are out, by request id.
#[derive(Default)]
pub(super) struct Flights {
    out: Mutex<HashMap<String, Flight>>,
    warm: AtomicBool,
}

impl Flights {
    fn locked(&self) -> MutexGuard<'_, HashMap<String, Flight>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, mut flight: Flight) {
        flight.cold = !self.warm.swap(true, Ordering::Relaxed);
        // The time the function has starts when it is handed the event.
        flight.handed_out = Instant::now();
        let mut out = self.locked();
        if out.len() < MOST {
            out.insert(flight.id.clone(), flight);
        }
    }

    pub(super) fn take(&self, id: &str) -> Option<Flight> {
        self.locked().remove(id)
    }

    pub(super) fn is_http(&self, id: &str) -> bool {
        self.locked().get(id).is_some_and(|flight| flight.http.is_some())
    }

    pub(super) fn drain(&self) -> Vec<Flight> {
        self.locked().drain().map(|(_, flight)| flight).collect()
    }
}

/// An event that is out.
pub(super) struct Flight {
    id: String,
    handed_out: Instant,
    guarded: Duration,
    bytes: usize,
    verdict: Verdict,
    notable: bool,
    http: Option<Http>,
    cold: bool,
}

impl Flight {
    pub(super) fn new(
        id: String,
        arrived: Instant,
        guarded: Duration,
        bytes: usize,
        verdict: Verdict,
        notable: bool,
        http: Option<Http>,
    ) -> Flight {
        Flight { id, handed_out: arrived, guarded, bytes, verdict, notable, http, cold: false }
    }

    /// It is over.
    pub(super) fn landed(self, outcome: Outcome, captured: Option<Captured>) -> Landed {
        let took = self.handed_out.elapsed() + if outcome == Outcome::Refused { Duration::ZERO } else { self.guarded };
        Landed { flight: self, outcome, took, captured }
    }
}

/// An event that is over.
pub(super) struct Landed {
    flight: Flight,
    outcome: Outcome,
    took: Duration,
    captured: Option<Captured>,
}

impl Landed {
    /// What there is to record of it; reads the answer, which is why it is not done while anyone waits.
    pub(super) fn records(self, time: i64, function: &str) -> Vec<Record> {
        let Landed { flight, outcome, took, captured } = self;
        let record = |body: records::Body| Record::new(time, function, body).with_request_id(flight.id.clone());
        let answer = captured.as_ref().map(Captured::kept).unwrap_or_default();
        let microseconds = |duration: Duration| duration.as_micros().try_into().unwrap_or(u64::MAX);
        let mut made = Vec::new();
        // The verdict first: whoever sees the invocation's record knows whether there was anything to say of its event.
        if flight.notable {
            made.push(record(flight.verdict.clone().into()));
        }
        made.push(record(
            Invocation {
                trigger: flight.verdict.trigger.clone(),
                outcome,
                duration_us: microseconds(took),
                guard_us: microseconds(flight.guarded),
                bytes_in: flight.bytes as u64,
                bytes_out: captured.as_ref().map_or(0, Captured::bytes),
                cold: flight.cold,
                source: flight.verdict.source.clone(),
                http: flight.http.as_ref().map(|http| HttpSummary {
                    method: http.method.chars().take(40).collect(),
                    path: http.path.chars().take(400).collect(),
                    status: status(&answer, outcome),
                }),
            }
            .into(),
        ));
        if outcome == Outcome::Error
            && let Some(error) = function_error(&answer)
        {
            made.push(record(error.into()));
        }
        made
    }
}

/// The status of an HTTP answer: what it says; 200 where it is a bare value; 502 where the function failed.
fn status(answer: &[u8], outcome: Outcome) -> u16 {
    #[derive(serde::Deserialize)]
    struct Response {
        #[serde(rename = "statusCode", alias = "status")]
        status: Option<serde_json::Value>,
    }
    if !matches!(outcome, Outcome::Ok | Outcome::Refused) {
        return 502;
    }
    let said = serde_json::from_slice::<Response>(answer).ok().and_then(|response| response.status);
    let number = match said {
        Some(serde_json::Value::Number(number)) => number.as_u64(),
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    number.and_then(|status| u16::try_from(status).ok()).unwrap_or(200)
}

fn function_error(answer: &[u8]) -> Option<FunctionError> {
    let error: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let text =
        |key: &str| error.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().chars().take(2000).collect();
    let trace = error.get("stackTrace").or_else(|| error.get("trace")).and_then(serde_json::Value::as_array);
    Some(FunctionError {
        kind: text("errorType"),
        message: text("errorMessage"),
        trace: trace
            .into_iter()
            .flatten()
            .take(50)
            .map(|frame| match frame {
                serde_json::Value::String(line) => line.trim_end().chars().take(500).collect(),
                other => other.to_string().chars().take(500).collect(),
            })
            .collect(),
    })
}
