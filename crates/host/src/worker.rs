//! One function's worker: takes events off the function's queue one after the other, keeps a process for them, and turns
//! whatever happens to that process into an answer.

use crate::process::Process;
use crate::runtime_api::{Offer, RuntimeApi, Said, error_json};
use crate::{FunctionConfig, FunctionState, Recorder, Response};
use hyper::body::Bytes;
use records::{FunctionError, Invocation, Outcome, Record, Started, Stopped, now_ms};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// The longest pause before a process that keeps failing is started again.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// An event in the queue.
pub(crate) struct Pending {
    pub(crate) request_id: String,
    pub(crate) event: Bytes,
    pub(crate) trace_id: String,
    /// Whom to tell; nobody for an asynchronous event.
    pub(crate) reply: Option<oneshot::Sender<Response>>,
}

/// What a worker shares with the host.
pub(crate) struct Worker {
    pub(crate) config: Arc<FunctionConfig>,
    pub(crate) recorder: Recorder,
    pub(crate) state: watch::Sender<FunctionState>,
    pub(crate) stop: watch::Receiver<bool>,
    /// How many processes may be starting at once, over all functions.
    pub(crate) starting: Arc<Semaphore>,
    pub(crate) init_timeout: Duration,
    pub(crate) eager: bool,
}

/// A process that has asked for work.
struct Instance {
    process: Process,
    api: RuntimeApi,
    cold: bool,
}

/// Why there is no process: what to tell the caller.
struct Failed {
    kind: String,
    payload: Bytes,
    outcome: Outcome,
    /// Whether a guard, where there is one, was there to record it.
    seen: bool,
    /// Whether the error itself is recorded already.
    told: bool,
}

impl Failed {
    fn new(kind: &str, message: &str, outcome: Outcome) -> Self {
        Self { kind: kind.into(), payload: error_json(kind, message).into(), outcome, seen: false, told: false }
    }

    /// One that the function itself reported, or its orderly end.
    fn reported(payload: Bytes, outcome: Outcome) -> Self {
        Self { kind: error_type(&payload), payload, outcome, seen: true, told: false }
    }
}

impl Worker {
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Pending>) {
        let mut instance: Option<Instance> = None;
        let mut failures: u32 = 0;
        if self.eager {
            match self.start().await {
                Ok(started) => instance = Some(started),
                Err(Some(_)) => failures = 1,
                Err(None) => return,
            }
        }
        loop {
            let pending = tokio::select! {
                biased;
                () = stopped(&mut self.stop) => break,
                pending = queue.recv() => match pending {
                    Some(pending) => pending,
                    None => break,
                },
                status = idle(&mut instance) => {
                    // It ended with nothing to do. The next event starts another.
                    self.ended(instance.take(), "crashed", status).await;
                    self.state.send_replace(FunctionState::Idle);
                    failures = failures.saturating_add(1);
                    continue;
                }
            };
            let began = Instant::now();
            let mut cold = false;
            let mut restarts = 0;
            let result = loop {
                let running = match instance.take() {
                    Some(running) => running,
                    None => match self.start_again(failures).await {
                        Ok(running) => running,
                        Err(Some(failed)) => break Err(failed),
                        Err(None) => break Err(Failed::new("Host.Stopping", "the host is stopping", Outcome::Error)),
                    },
                };
                cold |= running.cold;
                let (kept, result) = self.one(running, &pending).await;
                self.config.current.set(None);
                instance = kept;
                match result {
                    // A process that was on its way out never saw the event: another one gets it.
                    None if restarts < 2 => restarts += 1,
                    None => {
                        let text = exited(Some(&pending.request_id), None);
                        break Err(Failed::new("Runtime.ExitError", &text, Outcome::Crashed));
                    }
                    Some(result) => break result,
                }
            };
            failures = match &result {
                Err(failed) if matches!(failed.outcome, Outcome::Crashed) => failures.saturating_add(1),
                _ => 0,
            };
            self.reply(pending, began, cold, result);
        }
        if let Some(instance) = instance.take() {
            let status = instance.process.stop().await;
            self.record_stopped("shutdown", status);
        }
        self.state.send_replace(FunctionState::Stopped);
    }

    /// Starts a process after the pause that its failures so far ask for. `Err(None)`: the host is stopping.
    async fn start_again(&mut self, failures: u32) -> Result<Instance, Option<Failed>> {
        if failures > 1 {
            let pause = Duration::from_millis(100).saturating_mul(1 << failures.min(10)).min(MAX_BACKOFF);
            tokio::select! {
                () = stopped(&mut self.stop) => return Err(None),
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.start().await
    }

    /// Starts a process and waits until it asks for work.
    async fn start(&mut self) -> Result<Instance, Option<Failed>> {
        self.state.send_replace(FunctionState::Starting);
        let starting = Arc::clone(&self.starting);
        let _permit = tokio::select! {
            () = stopped(&mut self.stop) => return Err(None),
            permit = starting.acquire() => permit,
        };
        let began = Instant::now();
        let started = match RuntimeApi::open().await {
            Ok(api) => Process::start(&self.config, api.address(), &self.recorder).map(|process| (api, process)),
            Err(error) => Err(error),
        };
        let (mut api, mut process) = match started {
            Ok(started) => started,
            Err(error) => {
                let program = self.config.command.first().map(|program| program.to_string_lossy().into_owned());
                let text = format!("could not start `{}`: {error}", program.unwrap_or_default());
                return Err(Some(self.failed_to_start(Failed::new("Runtime.ExecError", &text, Outcome::Crashed))));
            }
        };
        let deadline = tokio::time::sleep(self.init_timeout);
        tokio::pin!(deadline);
        let mut reported: Option<Bytes> = None;
        let failed = loop {
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => {
                    process.stop().await;
                    return Err(None);
                }
                said = api.listen() => match said {
                    Some(Said::Ready) => {
                        let init = began.elapsed();
                        let pid = process.id();
                        self.state.send_replace(FunctionState::Ready { pid, init });
                        if !self.config.guarded {
                            self.record(None, Started {
                                runtime: self.config.runtime.clone(),
                                tier: "none".into(),
                                pid,
                                init_us: micros(init),
                            });
                        }
                        return Ok(Instance { process, api, cold: true });
                    }
                    // The report comes first and the process's end right after it.
                    Some(Said::InitError(payload)) => reported = Some(payload),
                    Some(_) => {}
                    None => break Failed::new("Host.Error", "the Runtime API ended", Outcome::Error),
                },
                status = process.wait() => {
                    // What it said just before it ended may still be in the channel.
                    while let Ok(Some(Said::InitError(payload))) =
                        tokio::time::timeout(Duration::from_millis(50), api.listen()).await
                    {
                        reported = Some(payload);
                    }
                    break match reported.take() {
                        Some(payload) => Failed { seen: false, ..Failed::reported(payload, Outcome::Crashed) },
                        None => Failed::new("Runtime.ExitError", &exited(None, status.ok()), Outcome::Crashed),
                    };
                }
                () = &mut deadline => {
                    let text = format!("the function did not get ready within {} seconds", self.init_timeout.as_secs());
                    break match reported.take() {
                        Some(payload) => Failed { seen: false, ..Failed::reported(payload, Outcome::Crashed) },
                        None => Failed::new("Runtime.InitTimeout", &text, Outcome::Crashed),
                    };
                }
            }
        };
        process.kill().await;
        Err(Some(self.failed_to_start(failed)))
    }

    fn failed_to_start(&self, mut failed: Failed) -> Failed {
        let error = function_error(&failed.payload);
        self.state.send_replace(FunctionState::Failed(format!("{}: {}", error.kind, error.message)));
        self.record(None, error);
        failed.told = true;
        failed
    }

    /// One event through a process. Gives the process back if it can take another; no result if it ended before it took the event.
    async fn one(
        &mut self,
        mut instance: Instance,
        pending: &Pending,
    ) -> (Option<Instance>, Option<Result<Answered, Failed>>) {
        let timeout = self.config.timeout;
        let request_id = pending.request_id.clone();
        self.config.current.set(Some(request_id.clone()));
        instance.cold = false;
        let deadline_ms = now_ms().saturating_add(i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX));
        instance.api.offer(Offer {
            request_id: request_id.clone(),
            event: pending.event.clone(),
            deadline_ms,
            function_arn: self.config.arn.clone(),
            trace_id: pending.trace_id.clone(),
        });
        let deadline = tokio::time::sleep(timeout);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                biased;
                said = instance.api.listen() => match said {
                    Some(Said::Answer { request_id: id, payload, streamed, content_type }) if id == request_id => {
                        return (Some(instance), Some(Ok(Answered { payload, streamed, content_type })));
                    }
                    Some(Said::Failure { request_id: id, payload }) if id == request_id => {
                        let failed = Failed::reported(payload, Outcome::Error);
                        return (Some(instance), Some(Err(failed)));
                    }
                    Some(_) => {}
                    None => {
                        instance.process.kill().await;
                        self.state.send_replace(FunctionState::Idle);
                        let failed = Failed::new("Host.Error", "the Runtime API ended", Outcome::Error);
                        return (None, Some(Err(failed)));
                    }
                },
                status = instance.process.wait() => {
                    // It may have answered and then gone.
                    if let Ok(Some(said)) = tokio::time::timeout(Duration::from_millis(50), answer_of(&mut instance.api, &request_id)).await {
                        self.ended(Some(instance), "crashed", status.ok()).await;
                        self.state.send_replace(FunctionState::Idle);
                        return (None, Some(said));
                    }
                    let status = status.ok();
                    let taken = instance.api.active().as_deref() == Some(request_id.as_str());
                    self.ended(Some(instance), "crashed", status).await;
                    self.state.send_replace(FunctionState::Idle);
                    if !taken {
                        return (None, None);
                    }
                    let mut failed = Failed::new("Runtime.ExitError", &exited(Some(&request_id), status), Outcome::Crashed);
                    // A guard that ended in order has told of the event it lost; one that was killed has told nothing.
                    failed.seen = status.is_some_and(|status| status.code().is_some());
                    return (None, Some(Err(failed)));
                }
                () = &mut deadline => {
                    let taken = instance.api.active().as_deref() == Some(request_id.as_str());
                    let status = instance.process.kill().await;
                    self.record_stopped("timeout", status);
                    self.state.send_replace(FunctionState::Idle);
                    let note = if taken { "" } else { " (it never took the event)" };
                    let text = format!(
                        "RequestId: {request_id} Error: Task timed out after {:.2} seconds{note}",
                        timeout.as_secs_f64()
                    );
                    return (None, Some(Err(Failed::new("Sandbox.Timedout", &text, Outcome::Timeout))));
                }
                () = stopped(&mut self.stop) => {
                    let status = instance.process.stop().await;
                    self.record_stopped("shutdown", status);
                    let failed = Failed::new("Host.Stopping", "the host is stopping", Outcome::Error);
                    return (None, Some(Err(failed)));
                }
            }
        }
    }

    /// Tells the caller and the records how an invocation ended.
    fn reply(&self, pending: Pending, began: Instant, cold: bool, result: Result<Answered, Failed>) {
        let duration = began.elapsed();
        let outcome = result.as_ref().map_or_else(|failed| failed.outcome, |_| Outcome::Ok);
        let bytes_out = match &result {
            Ok(answered) => answered.payload.len(),
            Err(failed) => failed.payload.len(),
        };
        // The guard records what passes it. What ends the guard together with the function, or comes before it, only the host sees.
        let seen = result.as_ref().err().is_none_or(|failed| failed.seen);
        if !self.config.guarded || !seen {
            if let Err(failed) = &result
                && !failed.told
            {
                self.record(Some(&pending.request_id), function_error(&failed.payload));
            }
            self.record(
                Some(&pending.request_id),
                Invocation {
                    trigger: self.config.trigger_of(&pending.event),
                    outcome,
                    duration_us: micros(duration),
                    guard_us: 0,
                    bytes_in: pending.event.len() as u64,
                    bytes_out: bytes_out as u64,
                    cold,
                    source: None,
                    http: None,
                },
            );
        }
        if let Some(reply) = pending.reply {
            let request_id = pending.request_id;
            let response = match result {
                Ok(Answered { payload, streamed, content_type }) => {
                    Response { request_id, payload, function_error: None, outcome, duration, streamed, content_type }
                }
                Err(failed) => Response {
                    request_id,
                    payload: failed.payload,
                    function_error: Some("Unhandled".into()),
                    outcome,
                    duration,
                    streamed: false,
                    content_type: None,
                },
            };
            // The caller may have gone.
            let _ = reply.send(response);
        } else if let Err(failed) = &result {
            tracing::debug!(function = self.config.name, error = failed.kind, "asynchronous event failed");
        }
    }

    async fn ended(&self, instance: Option<Instance>, reason: &str, status: Option<ExitStatus>) {
        if let Some(instance) = instance {
            // The process has ended; what it started hasn't, perhaps.
            instance.process.kill().await;
        }
        self.record_stopped(reason, status);
    }

    fn record_stopped(&self, reason: &str, status: Option<ExitStatus>) {
        let exit_code = status.and_then(|status| status.code());
        // A guard that ended in order has said so itself.
        if !self.config.guarded || reason == "timeout" || exit_code.is_none() {
            self.record(None, Stopped { reason: reason.into(), exit_code });
        }
    }

    fn record(&self, request_id: Option<&str>, body: impl Into<records::Body>) {
        let mut record = Record::new(now_ms(), self.config.name.clone(), body);
        record.request_id = request_id.map(str::to_owned);
        (self.recorder)(record);
    }
}

/// What the function answered.
struct Answered {
    payload: Bytes,
    streamed: bool,
    content_type: Option<String>,
}

async fn answer_of(api: &mut RuntimeApi, request_id: &str) -> Option<Result<Answered, Failed>> {
    loop {
        match api.listen().await? {
            Said::Answer { request_id: id, payload, streamed, content_type } if id == request_id => {
                return Some(Ok(Answered { payload, streamed, content_type }));
            }
            Said::Failure { request_id: id, payload } if id == request_id => {
                return Some(Err(Failed::reported(payload, Outcome::Error)));
            }
            _ => {}
        }
    }
}

/// Waits for the end of an idle process; for ever when there is none. Requests for work in between are nothing new.
async fn idle(instance: &mut Option<Instance>) -> Option<ExitStatus> {
    match instance {
        Some(instance) => loop {
            tokio::select! {
                status = instance.process.wait() => return status.ok(),
                said = instance.api.listen() => if said.is_none() {
                    return instance.process.wait().await.ok();
                },
            }
        },
        None => std::future::pending().await,
    }
}

/// Waits until the host is told to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A host that was dropped stops its workers, too.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn exited(request_id: Option<&str>, status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let how = match status {
        Some(status) => match (status.code(), status.signal()) {
            (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
            (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
            (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
            (None, Some(11)) => "Runtime exited with error: signal: segmentation fault".to_owned(),
            (None, Some(signal)) => format!("Runtime exited with error: signal: {signal}"),
            (None, None) => "Runtime exited".to_owned(),
        },
        None => "Runtime exited".to_owned(),
    };
    match request_id {
        Some(id) => format!("RequestId: {id} Error: {how}"),
        None => format!("Error: {how}"),
    }
}

fn error_type(payload: &[u8]) -> String {
    function_error(payload).kind
}

/// An error report as a record. Fields that are too long are cut, what isn't there stays empty.
fn function_error(payload: &[u8]) -> FunctionError {
    let json: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |key: &str| cut(json.get(key).and_then(serde_json::Value::as_str).unwrap_or_default(), 2000);
    let frames = json.get("stackTrace").or_else(|| json.get("trace")).and_then(serde_json::Value::as_array);
    let trace = frames.into_iter().flatten().filter_map(|frame| frame.as_str()).take(50);
    FunctionError {
        kind: text("errorType"),
        message: text("errorMessage"),
        trace: trace.map(|frame| cut(frame.trim_end(), 500)).collect(),
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
