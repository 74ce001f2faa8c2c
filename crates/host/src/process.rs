//! One function process: starting it in a process group of its own, reading what it writes, ending all of it.
//!
//! What it writes is always read, so that it never waits for us; but a flood is read slowly and mostly thrown away, so
//! that it costs the others nothing.

use crate::Recorder;
use records::{Log, Record, now_ms};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

/// The longest line that is kept, in bytes; the rest of it is left out.
pub const MAX_LOG_LINE_BYTES: usize = 8 * 1024;
/// How many lines a function may write at once.
const LOG_BURST: f64 = 1000.0;
/// How many lines a second it may write for long.
const LOG_LINES_PER_SECOND: f64 = 200.0;
/// How long a function has between the request to stop and the end.
pub const GRACE: Duration = Duration::from_secs(2);

/// The variable that marks a process and all it starts.
const MARK: &str = "RINGFENCE_PROCESS";

/// The id of a function's invocation under way, for what is recorded during it. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct CurrentRequest(Arc<Mutex<Option<String>>>);

impl CurrentRequest {
    /// The id; none while the function has nothing to do.
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, request_id: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = request_id;
    }
}

/// A running process and everything it started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
    /// What everything it starts has in its environment, unless it takes pains to clear it.
    mark: String,
    readers: Vec<tokio::task::JoinHandle<()>>,
}

impl Process {
    /// Starts the process; its requests for work go to `runtime_api`.
    pub(crate) fn start(
        config: &crate::FunctionConfig,
        runtime_api: SocketAddr,
        recorder: &Recorder,
    ) -> io::Result<Self> {
        let (program, arguments) = config
            .command
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the function has no command"))?;
        let mark = crate::request_id()?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(&config.directory)
            .env_clear()
            .envs(config.environment.iter().map(|(name, value)| (name, value)))
            .env(MARK, &mark)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/[$LATEST]{:016x}", now_ms()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let mut readers = Vec::new();
        let sink = |stream| Sink {
            function: config.name.clone(),
            stream,
            current: config.current.clone(),
            recorder: Arc::clone(recorder),
            budget: LOG_BURST,
            refilled: Instant::now(),
            left_out: 0,
        };
        if let Some(stdout) = child.stdout.take() {
            readers.push(tokio::spawn(read_lines(stdout, sink("stdout"))));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(tokio::spawn(read_lines(stderr, sink("stderr"))));
        }
        Ok(Self { child, group, mark, readers })
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits for its end. May be called again after it was cancelled.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // No such group: everything in it has ended.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Ends it and everything it started, at once.
    pub(crate) async fn kill(mut self) -> Option<ExitStatus> {
        self.signal(Signal::KILL);
        let status = tokio::time::timeout(GRACE, self.child.wait()).await;
        let mark = std::mem::take(&mut self.mark);
        let _ = tokio::task::spawn_blocking(move || sweep(&mark)).await;
        self.drain().await;
        status.ok()?.ok()
    }

    /// Asks it to end, waits [`GRACE`], and ends what is left.
    pub(crate) async fn stop(self) -> Option<ExitStatus> {
        let mut this = self;
        this.signal(Signal::TERM);
        let _ = tokio::time::timeout(GRACE, this.child.wait()).await;
        this.kill().await
    }

    /// Reads what was written last. A process that escaped its group may hold the pipe open for ever; nobody waits for it.
    async fn drain(&mut self) {
        for reader in &mut self.readers {
            if tokio::time::timeout(Duration::from_millis(200), &mut *reader).await.is_err() {
                reader.abort();
            }
        }
    }
}

/// Ends what left the process group: daemons that a function started, told by the mark in their environment.
fn sweep(mark: &str) {
    let wanted = format!("{MARK}={mark}");
    // One that was just starting another is met the next time round.
    for _ in 0..3 {
        let mut found = false;
        let Ok(entries) = std::fs::read_dir("/proc") else { return };
        for entry in entries.flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            let Some(pid) = pid else { continue };
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()) {
                found = true;
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        if !found {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        for reader in &self.readers {
            reader.abort();
        }
    }
}

struct Sink {
    function: String,
    stream: &'static str,
    current: CurrentRequest,
    recorder: Recorder,
    budget: f64,
    refilled: Instant,
    left_out: u64,
}

impl Sink {
    /// Records a line, or counts it as left out. Says whether the function is over its budget.
    fn line(&mut self, line: &[u8], cut: bool) -> bool {
        let elapsed = self.refilled.elapsed().as_secs_f64();
        self.refilled = Instant::now();
        self.budget = (self.budget + elapsed * LOG_LINES_PER_SECOND).min(LOG_BURST);
        if self.budget < 1.0 {
            self.left_out += 1;
            return true;
        }
        if self.left_out > 0 {
            let left_out = std::mem::take(&mut self.left_out);
            self.record(format!("({left_out} lines left out: the function wrote more than is kept)"));
        }
        self.budget -= 1.0;
        let mut text = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
        if cut {
            text.push('…');
        }
        self.record(text);
        false
    }

    fn record(&self, line: String) {
        let mut record = Record::new(now_ms(), self.function.clone(), Log { stream: self.stream.into(), line });
        record.request_id = self.current.get();
        (self.recorder)(record);
    }
}

async fn read_lines(mut from: impl AsyncRead + Unpin, mut sink: Sink) {
    let mut chunk = vec![0; 32 * 1024];
    let mut line: Vec<u8> = Vec::new();
    let mut cut = false;
    loop {
        let read = match from.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        let mut over_budget = false;
        let mut rest = chunk.get(..read).unwrap_or_default();
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (part, after) = match end {
                Some(end) => (rest.get(..end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default()),
                None => (rest, &[][..]),
            };
            let room = MAX_LOG_LINE_BYTES.saturating_sub(line.len());
            cut |= part.len() > room;
            line.extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            if end.is_some() {
                over_budget |= sink.line(&line, cut);
                line.clear();
                cut = false;
            }
            rest = after;
        }
        if over_budget || cut {
            // Only the function that floods waits for this.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    if !line.is_empty() {
        sink.line(&line, cut);
    }
    if sink.left_out > 0 {
        let left_out = sink.left_out;
        sink.record(format!("({left_out} lines left out: the function wrote more than is kept)"));
    }
}
