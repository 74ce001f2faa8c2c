//! Records from other processes: JSON lines over anything that can be read, and the socket agents write them to.

use crate::ingest::{Closed, Handle};
use records::{MAX_LINE_BYTES, Record};
use serde::Serialize;
use std::future::Future;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many bad lines of one reader are described; the rest is only counted.
const BAD_LINES_KEPT: usize = 10;

/// How many connections the socket serves at once; the next ones wait.
const MAX_CONNECTIONS: usize = 256;

/// How long connections have to finish once the socket closes.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What came of a reader's lines. Also the answer on the socket, as one JSON line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ingested {
    /// Lines that were records; all of them are on disk.
    pub accepted: u64,
    /// Lines that were not.
    pub bad: u64,
    /// The first of these.
    pub problems: Vec<BadLine>,
}

/// A line that wasn't a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it, with its beginning.
    pub problem: String,
}

/// Reads JSON lines to the end and hands them over, waiting where the queue is full. A bad line is counted and described,
/// and the next one read. Empty lines are skipped. Returns once everything accepted is on disk.
///
/// # Errors
/// When reading fails (what came before is kept), or the watch has shut down.
pub async fn ingest_lines(mut reader: impl AsyncBufRead + Unpin, handle: &Handle) -> io::Result<Ingested> {
    let mut ingested = Ingested::default();
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        let read = next_line(&mut reader, &mut line).await?;
        let record = match read {
            Line::End => break,
            Line::TooLong => Err(format!("not a record: the line is over the limit of {MAX_LINE_BYTES} bytes")),
            Line::Whole if line.trim_ascii().is_empty() => continue,
            Line::Whole => match std::str::from_utf8(&line) {
                Ok(text) => Record::from_line(text).map_err(|error| error.to_string()),
                Err(error) => Err(format!("not a record: {error}")),
            },
        };
        match record {
            Ok(record) => {
                handle.record(record).await.map_err(closed)?;
                ingested.accepted += 1;
            }
            Err(problem) => {
                handle.count_bad_line();
                ingested.bad += 1;
                if ingested.problems.len() < BAD_LINES_KEPT {
                    tracing::warn!(line = number, problem, "line ignored");
                    ingested.problems.push(BadLine { line: number, problem });
                }
            }
        }
    }
    handle.flush().await.map_err(closed)?;
    Ok(ingested)
}

fn closed(error: Closed) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}

enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads one line without its end into `line`; of a line over the limit no more than that is ever held.
async fn next_line(reader: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let mut too_long = false;
    let mut anything = false;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok(match (anything, too_long) {
                (false, _) => Line::End,
                (true, true) => Line::TooLong,
                (true, false) => Line::Whole,
            });
        }
        anything = true;
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        if line.len() + part.len() > MAX_LINE_BYTES {
            too_long = true;
            line.clear();
        } else if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}

/// Why the socket couldn't be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another watch listens there.
    #[error("another process already listens on `{}`", .0.display())]
    Taken(PathBuf),
    /// Something that isn't a socket is in the way.
    #[error("`{}` exists and is not a socket", .0.display())]
    InTheWay(PathBuf),
    /// The system refused.
    #[error("can't open the socket `{}`: {error}", path.display())]
    Bind {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Opens the socket at `path` for its owner only, in place of one that a process that died left behind.
///
/// # Errors
/// When someone listens there, something else is there, or the system refuses.
pub async fn bind(path: &Path) -> Result<UnixListener, SocketError> {
    let failed = |error| SocketError::Bind { path: path.to_owned(), error };
    if let Ok(there) = std::fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(SocketError::InTheWay(path.to_owned()));
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err(SocketError::Taken(path.to_owned()));
        }
        std::fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Serves the socket until `stop` is ready: each connection sends JSON lines, closes its writing half, and gets one line back
/// that says how many are on disk ([`Ingested`]). Connections still open have two seconds to finish.
pub async fn serve(listener: UnixListener, handle: Handle, stop: impl Future<Output = ()>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                let handle = handle.clone();
                connections.spawn(async move {
                    let _place = place;
                    if let Err(error) = connection(stream, &handle).await {
                        tracing::warn!(%error, "an agent's connection broke off");
                    }
                });
            }
            Err(error) => {
                tracing::error!(%error, "can't accept an agent's connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_WORDS, finish).await.is_err() {
        tracing::warn!(open = connections.len(), "agents' connections cut off");
    }
}

async fn accept(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn connection(mut stream: UnixStream, handle: &Handle) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let ingested = ingest_lines(BufReader::new(read), handle).await?;
    let mut answer = serde_json::to_vec(&ingested).map_err(io::Error::other)?;
    answer.push(b'\n');
    match write.write_all(&answer).await {
        // An agent that doesn't wait for the answer is fine.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Watch};
    use lake::{Lake, Limits};
    use records::Log;
    use tokio::io::AsyncReadExt;
    use tokio::time::timeout;

    fn line(text: &str) -> String {
        Record::new(1, "F", Log { stream: "stdout".into(), line: text.into() }).to_line()
    }

    fn watch() -> (tempfile::TempDir, Arc<Lake>, Watch) {
        let folder = tempfile::tempdir().unwrap();
        let lake = Arc::new(Lake::open(&folder.path().join("lake")).unwrap());
        let watch = Watch::start(Arc::clone(&lake), Options::default());
        (folder, lake, watch)
    }

    fn stored(lake: &Lake) -> i64 {
        let table = lake.query("SELECT count(*) FROM events", &Limits::default()).unwrap();
        table.rows[0][0].as_i64().unwrap()
    }

    #[tokio::test]
    async fn bad_lines_are_counted_and_described_and_the_rest_is_stored() {
        let (_folder, lake, watch) = watch();
        let mut input = Vec::new();
        input.extend(line("one").into_bytes());
        input.extend(b"\r\n\n  \nnot json\n{\"type\":\"log\"}\n\xff\xfe\n");
        input.extend(vec![b'x'; MAX_LINE_BYTES + 1]);
        input.push(b'\n');
        input.extend(line("last, without an end").into_bytes());
        // Seven bytes at a time, so that every line is split across reads.
        let reader = BufReader::with_capacity(7, input.as_slice());
        let ingested = ingest_lines(reader, &watch.handle()).await.unwrap();
        assert_eq!((ingested.accepted, ingested.bad), (2, 4));
        let lines: Vec<u64> = ingested.problems.iter().map(|bad| bad.line).collect();
        assert_eq!(lines, [4, 5, 6, 7]);
        assert!(ingested.problems[1].problem.contains("missing field"));
        assert!(ingested.problems[2].problem.contains("utf-8"));
        assert!(ingested.problems[3].problem.contains("over the limit"));
        assert_eq!(stored(&lake), 2);
        assert_eq!(watch.handle().summary().bad_lines, 4);
        watch.shutdown().await.unwrap();
    }

    #[tokio::test]
    async fn thousands_of_bad_lines_keep_ten_descriptions() {
        let (_folder, _lake, watch) = watch();
        let input = "?\n".repeat(5000);
        let ingested = ingest_lines(input.as_bytes(), &watch.handle()).await.unwrap();
        assert_eq!((ingested.bad, ingested.problems.len()), (5000, 10));
        watch.shutdown().await.unwrap();
    }

    #[tokio::test]
    async fn an_agent_on_the_socket_is_told_what_is_on_disk() {
        let (folder, lake, watch) = watch();
        let path = folder.path().join("watch.sock");
        let listener = bind(&path).await.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(bind(&path).await, Err(SocketError::Taken(_))));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(serve(listener, watch.handle(), async {
            let _ = stopped.await;
        }));

        let mut agent = UnixStream::connect(&path).await.unwrap();
        let sent = format!("{}\nnonsense\n{}\n", line("a"), line("b"));
        agent.write_all(sent.as_bytes()).await.unwrap();
        agent.shutdown().await.unwrap();
        let mut answer = String::new();
        timeout(Duration::from_secs(10), agent.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with(r#"{"accepted":2,"bad":1,"problems":[{"line":2,"#), "{answer}");
        assert_eq!(stored(&lake), 2);

        // One that never finishes doesn't hold up the end.
        let _silent = UnixStream::connect(&path).await.unwrap();
        stop.send(()).unwrap();
        timeout(Duration::from_secs(10), serving).await.unwrap().unwrap();
        watch.shutdown().await.unwrap();
        // The socket of a process that is gone is replaced; a file isn't.
        assert!(bind(&path).await.is_ok());
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(bind(&file).await, Err(SocketError::InTheWay(_))));
    }
}
