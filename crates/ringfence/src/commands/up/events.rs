//! From the gateway and the door to the host, and the guard's verdict on each event from the records to whoever sent it.

use gateway::door::{Deliver, Delivered, Delivering, NotTaken};
use gateway::{Answer, Answering, Refused};
use host::{Host, InvocationType, InvokeError};
use records::{Action, Body, Invocation, Outcome, Record, Verdict};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Notify;

/// How many verdicts are remembered for those who ask.
const REMEMBERED: usize = 4096;
/// How long the door waits for the record of a verdict once the answer is there.
const VERDICT_LIMIT: Duration = Duration::from_secs(2);
/// How long it waits where nobody waited for the answer: the event may stand in a queue.
const LATE_VERDICT_LIMIT: Duration = Duration::from_secs(30);

/// The verdicts of late, by invocation, and each function's tier as its guard reported it.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    inner: Mutex<Inner>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    by_request: HashMap<String, Verdict>,
    order: VecDeque<String>,
    tiers: HashMap<String, String>,
}

impl Verdicts {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Plain maps, whole after every statement.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what matters here.
    pub(super) fn note(&self, record: &Record) {
        match (&record.body, &record.request_id) {
            (Body::Verdict(verdict), Some(id)) => self.keep(id, verdict.clone()),
            // The guard records a verdict before the invocation, and none where it has nothing to say of the event.
            (Body::Invocation(invocation), Some(id))
                if invocation.outcome != Outcome::Refused && !self.lock().by_request.contains_key(id) =>
            {
                self.keep(id, passed(invocation));
            }
            (Body::Started(started), _) => {
                self.lock().tiers.insert(record.function.clone(), started.tier.clone());
            }
            _ => {}
        }
    }

    fn keep(&self, id: &str, verdict: Verdict) {
        let mut inner = self.lock();
        if inner.by_request.insert(id.to_owned(), verdict).is_none() {
            inner.order.push_back(id.to_owned());
        }
        while inner.order.len() > REMEMBERED {
            if let Some(old) = inner.order.pop_front() {
                inner.by_request.remove(&old);
            }
        }
        drop(inner);
        self.came.notify_waiters();
    }

    /// The tier a function's guard reported.
    pub(super) fn tier(&self, function: &str) -> Option<String> {
        self.lock().tiers.get(function).cloned()
    }

    async fn of(&self, request_id: &str, limit: Duration) -> Option<Verdict> {
        let found = async {
            loop {
                let came = self.came.notified();
                tokio::pin!(came);
                // Registered before the look, so that nothing falls in between.
                came.as_mut().enable();
                if let Some(verdict) = self.lock().by_request.get(request_id) {
                    return verdict.clone();
                }
                came.await;
            }
        };
        tokio::time::timeout(limit, found).await.ok()
    }
}

/// What gateway and door talk to.
pub(super) struct Events {
    host: RwLock<Option<Arc<Host>>>,
    verdicts: Arc<Verdicts>,
    guarded: bool,
}

impl Events {
    pub(super) fn new(verdicts: Arc<Verdicts>, guarded: bool) -> Self {
        Self { host: RwLock::new(None), verdicts, guarded }
    }

    /// From now on functions run.
    pub(super) fn open(&self, host: Arc<Host>) {
        *self.host.write().unwrap_or_else(PoisonError::into_inner) = Some(host);
    }

    /// From now on they don't.
    pub(super) fn close(&self) {
        *self.host.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn host(&self) -> Option<Arc<Host>> {
        self.host.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl gateway::Invoker for Events {
    fn invoke<'a>(&'a self, function: &'a str, event: gateway::Bytes) -> Answering<'a> {
        Box::pin(async move {
            let host = self.host().ok_or(Refused::NotRunning)?;
            match host.invoke(function, event, InvocationType::RequestResponse).await {
                Ok(response) => Ok(Answer {
                    failed: response.function_error.is_some(),
                    timed_out: response.outcome == Outcome::Timeout,
                    payload: response.payload,
                    streamed: response.streamed,
                    content_type: response.content_type,
                    request_id: response.request_id,
                }),
                Err(InvokeError::Busy(_)) => Err(Refused::Busy),
                Err(InvokeError::TooLarge(_)) => Err(Refused::TooLarge),
                Err(_) => Err(Refused::NotRunning),
            }
        })
    }
}

impl Deliver for Events {
    fn deliver<'a>(&'a self, function: &'a str, event: gateway::Bytes, asynchronous: bool) -> Delivering<'a> {
        Box::pin(async move {
            let not = |status: u16, message: String| NotTaken { status, message };
            let host = self.host().ok_or_else(|| not(503, "the functions are still starting".into()))?;
            let kind = if asynchronous { InvocationType::Event } else { InvocationType::RequestResponse };
            let response = host.invoke(function, event, kind).await.map_err(|error| match error {
                InvokeError::NotFound(_) => {
                    let near = findings::near_miss(function, host.names());
                    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    not(404, format!("there is no function `{function}` here{hint}"))
                }
                InvokeError::Busy(_) => not(429, error.to_string()),
                InvokeError::TooLarge(_) => not(413, error.to_string()),
                InvokeError::Stopping | InvokeError::Random(_) => not(503, error.to_string()),
            })?;
            let mut delivered = Delivered {
                payload: response.payload,
                failed: response.function_error.is_some(),
                request_id: response.request_id,
                ..Delivered::default()
            };
            if !self.guarded {
                delivered.verdict = "passed".into();
                return Ok(delivered);
            }
            let limit = if asynchronous { LATE_VERDICT_LIMIT } else { VERDICT_LIMIT };
            match self.verdicts.of(&delivered.request_id, limit).await {
                Some(verdict) => tell(&mut delivered, &verdict),
                // Claiming that it passed would be a guess.
                None => delivered.verdict = "unknown".into(),
            }
            Ok(delivered)
        })
    }
}

/// The verdict on an event that the guard let through without a word.
fn passed(invocation: &Invocation) -> Verdict {
    Verdict {
        mode: records::Mode::Block,
        action: Action::Pass,
        trigger: invocation.trigger.clone(),
        incident: None,
        reason: String::new(),
        matches: Vec::new(),
        records_total: 0,
        records_refused: 0,
        source: invocation.source.clone(),
    }
}

fn tell(delivered: &mut Delivered, verdict: &Verdict) {
    delivered.verdict = match verdict.action {
        Action::Pass | Action::WouldRefuse => "passed",
        Action::Refuse => "refused",
        Action::SetAside => "set-aside",
        Action::Drop => "dropped",
    }
    .into();
    delivered.observed = (verdict.action == Action::WouldRefuse).then(|| "would-refuse".into());
    delivered.incident = verdict.incident.clone();
    if verdict.action != Action::Pass {
        delivered.reason = Some(verdict.reason.chars().take(500).collect());
        let matches: Vec<serde_json::Value> = verdict
            .matches
            .iter()
            .take(5)
            .map(|found| {
                let short = |text: &str| text.chars().take(200).collect::<String>();
                serde_json::json!({
                    "rule": short(&found.rule),
                    "field": short(&found.field),
                    "excerpt": short(&found.excerpt),
                    "message": short(&found.message),
                })
            })
            .collect();
        delivered.matches = Some(serde_json::Value::Array(matches).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(id: &str, outcome: Outcome) -> Record {
        let body = Invocation {
            trigger: "sqs".into(),
            outcome,
            duration_us: 1,
            guard_us: 1,
            bytes_in: 1,
            bytes_out: 1,
            cold: false,
            source: None,
            http: None,
        };
        Record::new(0, "F", body).with_request_id(id)
    }

    fn verdict(id: &str, action: Action) -> Record {
        Record::new(0, "F", Verdict { action, ..passed_by("sqs") }).with_request_id(id)
    }

    fn passed_by(trigger: &str) -> Verdict {
        let Body::Invocation(invocation) = over("", Outcome::Ok).body else { panic!("an invocation") };
        Verdict { trigger: trigger.into(), ..passed(&invocation) }
    }

    #[tokio::test]
    async fn an_end_without_a_verdict_is_a_pass_and_a_refusal_waits_for_its_verdict() {
        let verdicts = Verdicts::default();
        verdicts.note(&verdict("set aside", Action::SetAside));
        verdicts.note(&over("set aside", Outcome::Ok));
        assert_eq!(verdicts.of("set aside", VERDICT_LIMIT).await.unwrap().action, Action::SetAside);
        verdicts.note(&over("clean", Outcome::Timeout));
        assert_eq!(verdicts.of("clean", VERDICT_LIMIT).await.unwrap().action, Action::Pass);
        verdicts.note(&over("refused", Outcome::Refused));
        assert!(verdicts.of("refused", Duration::from_millis(50)).await.is_none());
        let (found, ()) = tokio::join!(verdicts.of("late", VERDICT_LIMIT), async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            verdicts.note(&verdict("late", Action::Drop));
        });
        assert_eq!(found.unwrap().action, Action::Drop);
    }

    #[tokio::test]
    async fn the_oldest_verdicts_are_forgotten_first() {
        let verdicts = Verdicts::default();
        for number in 0..=REMEMBERED {
            verdicts.note(&verdict(&number.to_string(), Action::Drop));
        }
        assert!(verdicts.of("0", Duration::from_millis(20)).await.is_none());
        assert!(verdicts.of("1", Duration::from_millis(20)).await.is_some());
    }
}
