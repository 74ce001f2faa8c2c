//! The host: one worker per function, and the way in.

use crate::random;
use crate::worker::{Pending, Worker};
use hyper::body::Bytes;
use records::{Outcome, Record};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// The most bytes an event may have, as Lambda has it for synchronous invocations: 6 MiB.
pub const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// Where records go. It must not block for long: functions' lines come through it.
pub type Recorder = Arc<dyn Fn(Record) + Send + Sync>;

/// What the host needs to know.
pub struct Config {
    /// The functions.
    pub functions: Vec<FunctionConfig>,
    /// Where records go.
    pub recorder: Recorder,
    /// How long a process may take from its start to its first request for work.
    pub init_timeout: Duration,
    /// How many events may wait for one function.
    pub queue: usize,
    /// Whether processes are started at once rather than by the first event.
    pub eager: bool,
    /// How many processes may be starting at the same time.
    pub starting: usize,
}

impl Config {
    /// The defaults: 30 s to get ready (a cold import of boto3 on a small machine takes many), 1000 events per queue, processes
    /// started at once, two at a time.
    pub fn new(functions: Vec<FunctionConfig>, recorder: Recorder) -> Self {
        Self { functions, recorder, init_timeout: Duration::from_secs(30), queue: 1000, eager: true, starting: 2 }
    }
}

/// One function, ready to be run.
#[derive(Debug, Clone)]
pub struct FunctionConfig {
    /// Its name in the template.
    pub name: String,
    /// Its runtime as the platform names it.
    pub runtime: String,
    /// Program and arguments; the guard's first where one stands before it.
    pub command: Vec<OsString>,
    /// Whether a guard stands before it, which then makes the records of its invocations.
    pub guarded: bool,
    /// Where its code is; the working directory.
    pub directory: PathBuf,
    /// Its whole environment: nothing of our own reaches it.
    pub environment: Vec<(String, String)>,
    /// How long it may take for one event.
    pub timeout: Duration,
    /// Its ARN.
    pub arn: String,
    /// The kinds of its triggers (names of [`graph::TriggerKind`]), for records of events that no guard has looked at.
    pub triggers: Vec<String>,
    /// Shows which invocation is under way; give a clone to whoever records something about the function.
    pub current: crate::CurrentRequest,
}

impl FunctionConfig {
    /// The kind of event for a record: exact where the function has only one kind of trigger, by its shape otherwise.
    pub(crate) fn trigger_of(&self, event: &[u8]) -> String {
        match self.triggers.as_slice() {
            [only] => return only.clone(),
            [] => return "function".into(),
            _ => {}
        }
        let json: serde_json::Value = serde_json::from_slice(event).unwrap_or_default();
        let record = json.get("Records").and_then(|records| records.get(0));
        let source = record.and_then(|record| record.get("eventSource").or_else(|| record.get("EventSource")));
        let guess = match source.and_then(serde_json::Value::as_str) {
            Some("aws:sqs") => "sqs",
            Some("aws:sns") => "sns",
            Some("aws:s3") => "s3",
            Some("aws:dynamodb") => "dynamodb-stream",
            Some("aws:kinesis") => "kinesis",
            _ if json.get("rawPath").is_some() => "http-api",
            _ if json.get("httpMethod").is_some() => "rest-api",
            _ if json.get("source").and_then(serde_json::Value::as_str) == Some("aws.events") => "schedule",
            _ if json.get("detail-type").is_some() => "eventbridge",
            _ => "other",
        };
        guess.into()
    }
}

/// Whether the caller waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvocationType {
    /// The caller waits.
    RequestResponse,
    /// The event is queued and that is all the caller learns. Unlike on the platform, it is tried once.
    Event,
}

/// What came of an invocation.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its id.
    pub request_id: String,
    /// The function's answer, or the error as JSON; empty for an asynchronous invocation.
    pub payload: Bytes,
    /// `Unhandled` when the payload is an error, as in Lambda's `X-Amz-Function-Error`.
    pub function_error: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// From the queue to the answer.
    pub duration: Duration,
    /// Whether the function streamed its answer.
    pub streamed: bool,
    /// The content type the runtime gave its answer; it tells how a streamed answer begins.
    pub content_type: Option<String>,
}

/// Why an event was not taken.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// There is no such function here.
    #[error("there is no function `{0}` here")]
    NotFound(String),
    /// Too many events wait for it.
    #[error("too many events wait for `{0}`")]
    Busy(String),
    /// The event is over [`MAX_EVENT_BYTES`].
    #[error("the event has {0} bytes, over the limit of {MAX_EVENT_BYTES}")]
    TooLarge(usize),
    /// The host is stopping.
    #[error("the host is stopping")]
    Stopping,
    /// The kernel gave no random id.
    #[error("no random id: {0}")]
    Random(#[from] std::io::Error),
}

/// How a function's process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionState {
    /// No process; the next event starts one.
    Idle,
    /// A process is starting.
    Starting,
    /// A process waits for events or works at one.
    Ready {
        /// Its process id (the guard's, where one stands before it).
        pid: Option<u32>,
        /// From its start to its first request for work.
        init: Duration,
    },
    /// The last start failed; the next event tries again. The text says why.
    Failed(String),
    /// The host has stopped.
    Stopped,
}

/// Functions running on this machine.
pub struct Host {
    functions: BTreeMap<String, Running>,
    stop: watch::Sender<bool>,
}

struct Running {
    queue: mpsc::Sender<Pending>,
    state: watch::Receiver<FunctionState>,
    worker: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Host {
    /// Starts the functions; must be called within a tokio runtime. Functions that fail to start say so in [`Host::states`]
    /// and disturb nobody.
    pub fn start(config: Config) -> Self {
        let (stop, stopped) = watch::channel(false);
        let starting = Arc::new(Semaphore::new(config.starting.max(1)));
        let mut functions = BTreeMap::new();
        for function in config.functions {
            let name = function.name.clone();
            let (queue, events) = mpsc::channel(config.queue.max(1));
            let (state_sender, state) = watch::channel(FunctionState::Idle);
            let worker = Worker {
                config: Arc::new(function),
                recorder: Arc::clone(&config.recorder),
                state: state_sender,
                stop: stopped.clone(),
                starting: Arc::clone(&starting),
                init_timeout: config.init_timeout,
                eager: config.eager,
            };
            let worker = std::sync::Mutex::new(Some(tokio::spawn(worker.run(events))));
            functions.insert(name, Running { queue, state, worker });
        }
        Self { functions, stop }
    }

    /// The names of the functions, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// How each function's process is.
    pub fn states(&self) -> Vec<(String, FunctionState)> {
        self.functions.iter().map(|(name, running)| (name.clone(), running.state.borrow().clone())).collect()
    }

    /// Waits until no function is starting any more, `limit` at most.
    pub async fn settled(&self, limit: Duration) {
        let all = async {
            for running in self.functions.values() {
                let mut state = running.state.clone();
                // A worker that has ended isn't starting either.
                let _ = state.wait_for(|state| !matches!(state, FunctionState::Idle | FunctionState::Starting)).await;
            }
        };
        let _ = tokio::time::timeout(limit, all).await;
    }

    /// Hands a function an event.
    ///
    /// # Errors
    /// When the event wasn't taken. A function that fails, crashes or takes too long is a [`Response`] that says so.
    pub async fn invoke(&self, function: &str, event: Bytes, kind: InvocationType) -> Result<Response, InvokeError> {
        let running = self.functions.get(function).ok_or_else(|| InvokeError::NotFound(function.into()))?;
        if event.len() > MAX_EVENT_BYTES {
            return Err(InvokeError::TooLarge(event.len()));
        }
        let request_id = random::request_id()?;
        let trace_id = trace_id(&request_id);
        let (reply, answer) = oneshot::channel();
        let reply = (kind == InvocationType::RequestResponse).then_some(reply);
        let pending = Pending { request_id: request_id.clone(), event, trace_id, reply };
        running.queue.try_send(pending).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => InvokeError::Busy(function.into()),
            mpsc::error::TrySendError::Closed(_) => InvokeError::Stopping,
        })?;
        match kind {
            InvocationType::RequestResponse => answer.await.map_err(|_| InvokeError::Stopping),
            InvocationType::Event => Ok(Response {
                request_id,
                payload: Bytes::new(),
                function_error: None,
                outcome: Outcome::Ok,
                duration: Duration::ZERO,
                streamed: false,
                content_type: None,
            }),
        }
    }

    /// Stops every function: asks, waits [`crate::GRACE`], ends what is left. All at the same time.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        for running in self.functions.values() {
            let worker = running.worker.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(worker) = worker {
                // A worker that panicked has dropped its process, which ends it.
                let _ = worker.await;
            }
        }
    }
}

/// An X-Ray trace header that isn't sampled.
fn trace_id(request_id: &str) -> String {
    let hex: String = request_id.chars().filter(char::is_ascii_hexdigit).collect();
    let seconds = records::now_ms() / 1000;
    let tail = hex.get(..24).unwrap_or("000000000000000000000000");
    let parent = hex.get(16..32).unwrap_or("0000000000000000");
    format!("Root=1-{seconds:08x}-{tail};Parent={parent};Sampled=0")
}
