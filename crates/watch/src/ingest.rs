//! The one task that owns storing: it gathers records into batches, writes them, and tells those who look on.

use crate::counters::{Counters, Summary};
use lake::Lake;
use records::Record;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

/// The first and the longest pause between tries on a failing lake.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often a failing lake is tried once everything is shutting down.
const LAST_TRIES: u32 = 3;

/// How records are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The most records in one write; 256.
    pub batch_records: usize,
    /// The longest a record waits for company; 200 ms. Nobody waits while someone wants an acknowledgement.
    pub batch_wait: Duration,
    /// How many sendings are taken in before senders wait; 4096.
    pub queue: usize,
    /// How far a slow onlooker may lag before it misses records; 1024.
    pub live: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch_records: 256, batch_wait: Duration::from_millis(200), queue: 4096, live: 1024 }
    }
}

/// The record wasn't taken: the watch has shut down, or did so before it was on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the watch has shut down and takes no more records")]
pub struct Closed;

/// Records that were accepted and couldn't be stored before the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{records} records couldn't be stored before the end: {reason}")]
pub struct Unstored {
    /// How many.
    pub records: usize,
    /// What the lake said last.
    pub reason: String,
}

/// What takes records in the end; the lake, and in tests one that fails on purpose.
pub(crate) trait Store: Send + Sync + 'static {
    fn append(&self, batch: &[Record]) -> Result<(), lake::Error>;
}

impl Store for Lake {
    fn append(&self, batch: &[Record]) -> Result<(), lake::Error> {
        Self::append(self, batch)
    }
}

struct Message {
    records: Vec<Record>,
    /// Told once the records, and everything sent before them, are on disk.
    stored: Option<oneshot::Sender<()>>,
}

/// The running watch; keep it, and end it with [`Watch::shutdown`]. Dropped, it still stores what it has taken,
/// as long as the runtime lives.
#[derive(Debug)]
pub struct Watch {
    handle: Handle,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Unstored>>,
}

impl Watch {
    /// Starts storing into `lake`. Must be called within a Tokio runtime that has time enabled.
    pub fn start(lake: Arc<Lake>, options: Options) -> Self {
        Self::start_with(lake, options)
    }

    pub(crate) fn start_with(store: Arc<dyn Store>, options: Options) -> Self {
        let (sender, receiver) = mpsc::channel(options.queue.max(1));
        let (live, _) = broadcast::channel(options.live.max(1));
        let (stop, stopped) = oneshot::channel();
        let counters = Arc::default();
        let handle = Handle { sender, live: live.clone(), counters: Arc::clone(&counters) };
        let writer = Writer { receiver, store, options, live, counters };
        let task = tokio::spawn(writer.run(stopped));
        Self { handle, stop, task }
    }

    /// A handle to send to and look on with; clone it freely.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Takes no more records, stores those it has, and ends. Handles still around get [`Closed`].
    ///
    /// # Errors
    /// When the lake fails even now, with the number of records that are lost.
    pub async fn shutdown(self) -> Result<(), Unstored> {
        // The task may have ended already; then there is nobody to tell.
        let _ = self.stop.send(());
        match self.task.await {
            Ok(result) => result,
            Err(error) => Err(Unstored { records: 0, reason: format!("the storing task failed: {error}") }),
        }
    }
}

/// The way to a running [`Watch`].
#[derive(Debug, Clone)]
pub struct Handle {
    sender: mpsc::Sender<Message>,
    live: broadcast::Sender<Arc<Record>>,
    counters: Arc<Mutex<Counters>>,
}

impl Handle {
    /// Hands a record over; waits while the queue is full. It is on disk soon after, not yet when this returns.
    ///
    /// # Errors
    /// After a shutdown.
    pub async fn record(&self, record: Record) -> Result<(), Closed> {
        self.send(vec![record], None).await
    }

    /// Hands records over and waits until they are on disk: what to call before acknowledging them to anyone.
    ///
    /// # Errors
    /// After a shutdown, or when they couldn't be stored before one.
    pub async fn store(&self, records: Vec<Record>) -> Result<(), Closed> {
        let (stored, on_disk) = oneshot::channel();
        self.send(records, Some(stored)).await?;
        on_disk.await.map_err(|_| Closed)
    }

    /// Waits until everything sent before is on disk.
    ///
    /// # Errors
    /// As [`Handle::store`].
    pub async fn flush(&self) -> Result<(), Closed> {
        self.store(Vec::new()).await
    }

    /// What is stored from now on, as it is stored.
    pub fn subscribe(&self) -> Live {
        Live { receiver: self.live.subscribe() }
    }

    /// The counters now.
    pub fn summary(&self) -> Summary {
        let waiting = self.sender.max_capacity() - self.sender.capacity();
        lock(&self.counters).summary(waiting)
    }

    pub(crate) fn count_bad_line(&self) {
        lock(&self.counters).bad_lines += 1;
    }

    async fn send(&self, records: Vec<Record>, stored: Option<oneshot::Sender<()>>) -> Result<(), Closed> {
        self.sender.send(Message { records, stored }).await.map_err(|_| Closed)
    }
}

/// One look at what is being stored.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A record, now on disk.
    Record(Arc<Record>),
    /// The onlooker was too slow and missed so many; the lake has them.
    Missed(u64),
}

/// A stream of what is being stored.
#[derive(Debug)]
pub struct Live {
    receiver: broadcast::Receiver<Arc<Record>>,
}

impl Live {
    /// The next news; nothing more once the watch and all its handles are gone. Safe to use in `select!`.
    pub async fn next(&mut self) -> Option<News> {
        match self.receiver.recv().await {
            Ok(record) => Some(News::Record(record)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(News::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

fn lock(counters: &Mutex<Counters>) -> MutexGuard<'_, Counters> {
    counters.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Writer {
    receiver: mpsc::Receiver<Message>,
    store: Arc<dyn Store>,
    options: Options,
    live: broadcast::Sender<Arc<Record>>,
    counters: Arc<Mutex<Counters>>,
}

impl Writer {
    async fn run(mut self, mut stop: oneshot::Receiver<()>) -> Result<(), Unstored> {
        let mut stopping = false;
        loop {
            let first = if stopping {
                self.receiver.recv().await
            } else {
                tokio::select! {
                    first = self.receiver.recv() => first,
                    _ = &mut stop => {
                        // From here on senders are turned away, and what is in the queue is still received.
                        self.receiver.close();
                        stopping = true;
                        continue;
                    }
                }
            };
            let Some(first) = first else {
                return Ok(());
            };
            let (batch, waiting) = self.gather(first).await;
            if let Err(mut unstored) = self.write(batch, &mut stop, &mut stopping).await {
                self.receiver.close();
                while let Some(message) = self.receiver.recv().await {
                    unstored.records += message.records.len();
                }
                tracing::error!(
                    records = unstored.records,
                    reason = unstored.reason,
                    "records lost: the lake failed until the end"
                );
                return Err(unstored);
            }
            for stored in waiting {
                // Whoever waited may have gone; its records are on disk all the same.
                let _ = stored.send(());
            }
        }
    }

    /// The first message and what comes along within the time.
    async fn gather(&mut self, first: Message) -> (Vec<Record>, Vec<oneshot::Sender<()>>) {
        let until = Instant::now() + self.options.batch_wait;
        let mut batch = first.records;
        let mut waiting: Vec<_> = first.stored.into_iter().collect();
        while batch.len() < self.options.batch_records {
            let next = if waiting.is_empty() {
                timeout_at(until, self.receiver.recv()).await.ok().flatten()
            } else {
                self.receiver.try_recv().ok()
            };
            let Some(message) = next else { break };
            batch.extend(message.records);
            waiting.extend(message.stored);
        }
        (batch, waiting)
    }

    async fn write(
        &self,
        batch: Vec<Record>,
        stop: &mut oneshot::Receiver<()>,
        stopping: &mut bool,
    ) -> Result<(), Unstored> {
        if batch.is_empty() {
            return Ok(());
        }
        let batch = Arc::new(batch);
        let mut pause = FIRST_PAUSE;
        let mut tries_left = LAST_TRIES;
        loop {
            let (store, records) = (Arc::clone(&self.store), Arc::clone(&batch));
            // Waiting for the disk would hold up everything else on this thread.
            let result = tokio::task::spawn_blocking(move || store.append(&records)).await;
            let reason = match result {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::error!(error = reason, records = batch.len(), "records wait: the lake doesn't take them");
            lock(&self.counters).lake_error = Some(reason.clone());
            if *stopping {
                tries_left = tries_left.saturating_sub(1);
                if tries_left == 0 {
                    return Err(Unstored { records: batch.len(), reason });
                }
                sleep(FIRST_PAUSE).await;
            } else {
                tokio::select! {
                    () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                    _ = &mut *stop => *stopping = true,
                }
            }
        }
        {
            let mut counters = lock(&self.counters);
            if counters.lake_error.take().is_some() {
                tracing::info!("the lake takes records again");
            }
            for record in batch.iter() {
                counters.count(record);
            }
        }
        if self.live.receiver_count() > 0 {
            let records = Arc::try_unwrap(batch).unwrap_or_else(|shared| shared.to_vec());
            for record in records {
                // Nobody looking on any more is fine.
                let _ = self.live.send(Arc::new(record));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::Log;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::time::timeout;

    fn log(time: i64) -> Record {
        Record::new(time, "F", Log::default())
    }

    /// Fails so many times, then keeps.
    #[derive(Default)]
    struct Moody {
        failures: AtomicUsize,
        batches: Mutex<Vec<Vec<Record>>>,
    }

    impl Moody {
        fn failing(times: usize) -> Arc<Self> {
            Arc::new(Self { failures: AtomicUsize::new(times), ..Self::default() })
        }

        fn times(&self) -> Vec<i64> {
            let batches = self.batches.lock().unwrap();
            batches.iter().flatten().map(|record| record.time).collect()
        }
    }

    impl Store for Moody {
        fn append(&self, batch: &[Record]) -> Result<(), lake::Error> {
            let failing = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if failing.is_ok() {
                return Err(lake::Error::Append("disk full".into()));
            }
            self.batches.lock().unwrap().push(batch.to_vec());
            Ok(())
        }
    }

    async fn soon<T>(future: impl Future<Output = T>) -> T {
        timeout(Duration::from_secs(20), future).await.unwrap()
    }

    #[tokio::test]
    async fn many_records_become_few_writes_in_order_and_shutdown_stores_the_rest() {
        let store = Moody::failing(0);
        let watch = Watch::start_with(store.clone(), Options::default());
        let handle = watch.handle();
        for time in 0..1000 {
            soon(handle.record(log(time))).await.unwrap();
        }
        soon(watch.shutdown()).await.unwrap();
        assert_eq!(store.times(), (0..1000).collect::<Vec<i64>>());
        assert!(store.batches.lock().unwrap().len() <= 8);
        assert_eq!(soon(handle.record(log(1))).await, Err(Closed));
        assert_eq!(soon(handle.flush()).await, Err(Closed));
    }

    #[tokio::test]
    async fn an_acknowledgement_comes_after_the_disk_and_doesnt_wait_for_company() {
        let folder = tempfile::tempdir().unwrap();
        let lake = Arc::new(Lake::open(folder.path()).unwrap());
        let options = Options { batch_wait: Duration::from_secs(60), ..Options::default() };
        let watch = Watch::start(Arc::clone(&lake), options);
        soon(watch.handle().store(vec![log(1), log(2)])).await.unwrap();
        let table = lake.query("SELECT count(*) FROM events", &lake::Limits::default()).unwrap();
        assert_eq!(table.rows, [[lake::Cell::Integer(2)]]);
        soon(watch.handle().record(log(3))).await.unwrap();
        soon(watch.handle().flush()).await.unwrap();
        assert_eq!(watch.handle().summary().stored, 3);
        soon(watch.shutdown()).await.unwrap();
    }

    #[tokio::test]
    async fn a_lake_that_fails_for_a_while_costs_nothing_but_time() {
        let store = Moody::failing(2);
        let watch = Watch::start_with(store.clone(), Options::default());
        let handle = watch.handle();
        let sending = tokio::spawn({
            let handle = handle.clone();
            async move { handle.store(vec![log(7)]).await }
        });
        let mut said = None;
        for _ in 0..200 {
            said = handle.summary().lake_error;
            if said.is_some() {
                break;
            }
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(said.as_deref(), Some("can't store records: disk full"));
        soon(sending).await.unwrap().unwrap();
        assert_eq!(store.times(), [7]);
        assert_eq!(handle.summary().lake_error, None);
        soon(watch.shutdown()).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_queue_makes_senders_wait_and_a_hopeless_shutdown_says_what_is_lost() {
        let store = Moody::failing(usize::MAX);
        let options = Options { queue: 4, batch_records: 1, ..Options::default() };
        let watch = Watch::start_with(store, options);
        let handle = watch.handle();
        let mut taken = 0;
        for time in 0..10 {
            let sent = timeout(Duration::from_millis(50), handle.record(log(time))).await;
            taken += usize::from(sent.is_ok());
        }
        assert_eq!(taken, 5, "one being written, four in the queue");
        let unstored = soon(watch.shutdown()).await.unwrap_err();
        assert_eq!(unstored.records, 5);
        assert!(
            unstored
                .to_string()
                .contains("5 records couldn't be stored before the end: can't store records: disk full")
        );
    }

    #[tokio::test]
    async fn onlookers_see_what_is_stored_and_a_slow_one_is_told_what_it_missed() {
        let watch = Watch::start_with(Moody::failing(0), Options { live: 4, ..Options::default() });
        let mut live = watch.handle().subscribe();
        soon(watch.handle().store(vec![log(1)])).await.unwrap();
        assert_eq!(soon(live.next()).await, Some(News::Record(Arc::new(log(1)))));
        soon(watch.handle().store((2..12).map(log).collect())).await.unwrap();
        assert_eq!(soon(live.next()).await, Some(News::Missed(6)));
        assert_eq!(soon(live.next()).await, Some(News::Record(Arc::new(log(8)))));
        soon(watch.shutdown()).await.unwrap();
    }

    #[tokio::test]
    async fn a_watch_that_is_dropped_still_stores_what_it_took() {
        let store = Moody::failing(0);
        let watch = Watch::start_with(store.clone(), Options::default());
        soon(watch.handle().record(log(1))).await.unwrap();
        drop(watch);
        for _ in 0..200 {
            if !store.times().is_empty() {
                break;
            }
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(store.times(), [1]);
    }
}
