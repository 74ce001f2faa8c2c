//! Records on their way out of the hot path: a bounded queue and one thread that writes.
//!
//! Whoever hands in a record never waits. Where the other end is slower than the records come, records are lost; they
//! are counted, and the loss is itself a record as soon as there is room, and a line on standard error at the end.

use records::{Log, Record};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// Where records go, one JSON line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output, among the function's own lines: what a platform without an agent of ours collects.
    Stdout,
    /// Standard error.
    Stderr,
    /// The end of a file, which is made where there is none.
    File(PathBuf),
    /// A Unix socket somebody listens on.
    Unix(PathBuf),
}

impl Target {
    /// `stdout`, `stderr`, `unix:PATH`, or a file's path.
    pub fn parse(text: &str) -> Target {
        match text {
            "stdout" | "-" => Target::Stdout,
            "stderr" => Target::Stderr,
            other => match other.strip_prefix("unix:") {
                Some(path) => Target::Unix(path.into()),
                None => Target::File(other.into()),
            },
        }
    }
}

/// Records that wait to be written.
const QUEUE: usize = 4096;
/// How long one write to a socket may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a socket that refused is left alone.
const RETRY_AFTER: Duration = Duration::from_millis(500);

enum Entry {
    Record(Box<Record>),
    /// Records whose making is left to the writing thread.
    Later(Box<dyn FnOnce() -> Vec<Record> + Send>),
    Finish(SyncSender<()>),
}

/// The end records are handed in at. Cloning it is cheap.
#[derive(Clone)]
pub struct Journal {
    queue: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

impl Journal {
    /// Opens the target and starts the thread that writes to it. `function` is the name under which losses are told.
    ///
    /// # Errors
    /// When the file can't be opened or nobody listens on the socket.
    pub fn start(target: &Target, function: &str) -> io::Result<Journal> {
        let (queue, entries) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            sink: Sink::open(target)?,
            target: target.clone(),
            retry: None,
            function: function.to_owned(),
            lost: Arc::clone(&lost),
        };
        std::thread::Builder::new()
            .name("journal".into())
            .stack_size(256 * 1024)
            .spawn(move || writer.run(&entries))?;
        Ok(Journal { queue, lost })
    }

    /// Hands in a record; it is lost, and counted, where the queue is full.
    pub fn record(&self, record: Record) {
        self.push(Entry::Record(Box::new(record)), 1);
    }

    /// Hands in records whose making takes time.
    pub fn later(&self, make: impl FnOnce() -> Vec<Record> + Send + 'static) {
        self.push(Entry::Later(Box::new(make)), 1);
    }

    fn push(&self, entry: Entry, count: u64) {
        if self.queue.try_send(entry).is_err() {
            self.lost.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Records lost so far and not yet told.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits, at most so long, until everything handed in so far is written. Gives back how many records were lost
    /// without a record of it.
    pub fn finish(&self, at_most: Duration) -> u64 {
        let (done, written) = sync_channel(1);
        let end = Instant::now() + at_most;
        let mut entry = Entry::Finish(done);
        while let Err(TrySendError::Full(again)) = self.queue.try_send(entry) {
            if Instant::now() >= end {
                return self.lost();
            }
            entry = again;
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = written.recv_timeout(end.saturating_duration_since(Instant::now()));
        self.lost()
    }
}

enum Sink {
    Stdout,
    Stderr,
    File(File),
    Unix(Option<UnixStream>),
}

impl Sink {
    fn open(target: &Target) -> io::Result<Sink> {
        Ok(match target {
            Target::Stdout => Sink::Stdout,
            Target::Stderr => Sink::Stderr,
            Target::File(path) => Sink::File(OpenOptions::new().create(true).append(true).open(path)?),
            Target::Unix(path) => Sink::Unix(Some(connect(path)?)),
        })
    }
}

fn connect(path: &PathBuf) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    Ok(stream)
}

struct Writer {
    sink: Sink,
    target: Target,
    retry: Option<Instant>,
    function: String,
    lost: Arc<AtomicU64>,
}

impl Writer {
    fn run(mut self, entries: &Receiver<Entry>) {
        while let Ok(entry) = entries.recv() {
            match entry {
                Entry::Record(record) => self.write(&record),
                Entry::Later(make) => make().iter().for_each(|record| self.write(record)),
                Entry::Finish(done) => {
                    self.tell_losses();
                    let _ = done.try_send(());
                }
            }
        }
    }

    fn write(&mut self, record: &Record) {
        self.tell_losses();
        if self.line(record).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn tell_losses(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost == 0 {
            return;
        }
        let line = format!("{lost} records were lost: they came faster than they could be written");
        let record = Record::new(records::now_ms(), self.function.clone(), Log { stream: "ringfence".into(), line });
        if self.line(&record).is_err() {
            self.lost.fetch_add(lost, Ordering::Relaxed);
        }
    }

    fn line(&mut self, record: &Record) -> io::Result<()> {
        let mut line = record.to_line();
        line.push('\n');
        let bytes = line.as_bytes();
        match &mut self.sink {
            Sink::Stdout => io::stdout().lock().write_all(bytes),
            Sink::Stderr => io::stderr().lock().write_all(bytes),
            Sink::File(file) => file.write_all(bytes),
            Sink::Unix(stream) => {
                if stream.is_none()
                    && self.retry.is_none_or(|at| Instant::now() >= at)
                    && let Target::Unix(path) = &self.target
                {
                    *stream = connect(path).ok();
                    self.retry = Some(Instant::now() + RETRY_AFTER);
                }
                let Some(open) = stream else { return Err(io::ErrorKind::NotConnected.into()) };
                let written = open.write_all(bytes);
                if written.is_err() {
                    // Half a line may have gone out: the next one starts on a connection of its own.
                    *stream = None;
                }
                written
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixListener;

    fn record(number: i64) -> Record {
        Record::new(number, "F", Log { stream: "stdout".into(), line: "x".repeat(100) })
    }

    #[test]
    fn records_arrive_in_order_and_a_listener_that_comes_back_gets_the_next() {
        let folder = std::env::temp_dir().join(format!("journal-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("socket");
        let _ = std::fs::remove_file(&path);
        assert!(Journal::start(&Target::Unix(path.clone()), "F").is_err(), "nobody listens yet");
        let listener = UnixListener::bind(&path).unwrap();
        let journal = Journal::start(&Target::parse(&format!("unix:{}", path.display())), "F").unwrap();
        let (first, _) = listener.accept().unwrap();
        (0..100).for_each(|number| journal.record(record(number)));
        journal.later(|| vec![record(100)]);
        let lines: Vec<String> = BufReader::new(first).lines().take(101).map(Result::unwrap).collect();
        let times: Vec<i64> = lines.iter().map(|line| Record::from_line(line).unwrap().time).collect();
        assert_eq!(times, (0..=100).collect::<Vec<_>>());
        // The reader above is closed now. What is written meanwhile is lost, and that is said.
        listener.set_nonblocking(true).unwrap();
        let mut said = None;
        for number in 0..300 {
            journal.record(record(number));
            std::thread::sleep(Duration::from_millis(5));
            if let Ok((again, _)) = listener.accept() {
                again.set_nonblocking(false).unwrap();
                journal.record(record(number));
                said =
                    BufReader::new(again).lines().take(2).map(Result::unwrap).find(|line| line.contains("were lost"));
                break;
            }
        }
        assert!(said.unwrap().contains("\"stream\":\"ringfence\""));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let folder = std::env::temp_dir().join(format!("journal-slow-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("socket");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        let journal = Journal::start(&Target::Unix(path), "F").unwrap();
        let (_held, _) = listener.accept().unwrap();
        // Returns at all only because nobody waits; what found no room is counted.
        (0..20_000).for_each(|number| journal.record(record(number)));
        assert!(journal.lost() > 0);
        assert!(journal.finish(Duration::from_millis(50)) > 0);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
