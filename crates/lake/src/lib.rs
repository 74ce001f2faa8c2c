//! The lake: records on disk, and SQL over them.
//!
//! One file in a folder, written by one process and asked by any number of them at the same time. A batch is on disk before
//! [`Lake::append`] returns; a crash at any moment loses nothing that was accepted and leaves no half batch behind.
//! The engine is SQLite. Nothing outside this crate names one of its types, so that a columnar engine can take its place.
//!
//! ```no_run
//! # fn main() -> Result<(), lake::Error> {
//! let lake = lake::Lake::open(std::path::Path::new(".ringfence/lake"))?;
//! lake.append(&[records::Record::new(0, "CreateOrder", records::Started::default())])?;
//! let table = lake.query("SELECT time, function FROM events", &lake::Limits::default())?;
//! # Ok(()) }
//! ```
//!
//! Deliberately absent: batching and retrying (see `watch`), redaction, and encryption of the file.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod append;
mod error;
mod near;
mod query;
mod schema;

pub use error::Error;
pub use query::{Cell, Limits, Reader, Table};
pub use schema::{Column, TableInfo, schema};

use records::Record;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The lake's file in its folder. SQLite keeps two more beside it while the lake is open.
pub const FILE: &str = "lake.db";

/// How many rows one step of [`Lake::remove_before`] removes, so that the writer is never held up long.
const REMOVED_AT_ONCE: usize = 5000;

/// A lake open for writing and reading. Shared between threads by reference; writes take turns.
#[derive(Debug)]
pub struct Lake {
    writer: Mutex<Connection>,
    reader: Reader,
}

impl Lake {
    /// Opens the lake in `folder`, making both when they don't exist.
    ///
    /// # Errors
    /// When the folder can't be written, the file is something else, or a later version of Ringfence made it.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::Open { path: path.clone(), reason: error.to_string() })?;
        let writer = prepare(&path)?;
        Ok(Self { writer: Mutex::new(writer), reader: Reader::at(path) })
    }

    /// Stores a batch: all of it is on disk when this returns, or none of it is there. The order is kept.
    ///
    /// # Errors
    /// When the disk is full or fails, or another process holds the lake for more than five seconds. Trying again is safe.
    pub fn append(&self, batch: &[Record]) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        append::append(&mut self.writer(), batch).map_err(|error| Error::Append(error.to_string()))
    }

    /// Asks one SQL `SELECT`; see [`Reader::query`].
    ///
    /// # Errors
    /// As [`Reader::query`].
    pub fn query(&self, sql: &str, limits: &Limits) -> Result<Table, Error> {
        self.reader.query(sql, limits)
    }

    /// Asks one SQL `SELECT` with parameters; see [`Reader::query_with`].
    ///
    /// # Errors
    /// As [`Reader::query_with`].
    pub fn query_with(&self, sql: &str, parameters: &[Cell], limits: &Limits) -> Result<Table, Error> {
        self.reader.query_with(sql, parameters, limits)
    }

    /// A handle for asking only.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Removes what happened before `time_ms` (milliseconds since the epoch), gives the space back, and tells how many records went.
    ///
    /// # Errors
    /// When the disk fails; what was removed until then stays removed.
    pub fn remove_before(&self, time_ms: i64) -> Result<usize, Error> {
        let failed = |error: rusqlite::Error| Error::Retention(error.to_string());
        let mut removed = 0;
        loop {
            let mut writer = self.writer();
            let step = remove_step(&mut writer, time_ms).map_err(failed)?;
            removed += step;
            if step < REMOVED_AT_ONCE {
                if removed > 0 {
                    writer
                        .execute_batch("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
                        .map_err(failed)?;
                }
                return Ok(removed);
            }
        }
    }

    /// Every table and view with its columns.
    pub fn schema(&self) -> Vec<TableInfo> {
        schema::schema()
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        // A panic in a writer rolled its transaction back; the connection is as good as before.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove_step(writer: &mut Connection, time_ms: i64) -> rusqlite::Result<usize> {
    let limit = i64::try_from(REMOVED_AT_ONCE).unwrap_or(i64::MAX);
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let old = "SELECT id FROM events WHERE time_ms < ?1 ORDER BY time_ms, id LIMIT ?2";
    transaction.execute(&format!("DELETE FROM match_rows WHERE event_id IN ({old})"), [time_ms, limit])?;
    let removed = transaction.execute(&format!("DELETE FROM events WHERE id IN ({old})"), [time_ms, limit])?;
    transaction.commit()?;
    Ok(removed)
}

fn prepare(path: &Path) -> Result<Connection, Error> {
    let failed = |error: rusqlite::Error| Error::Open { path: PathBuf::from(path), reason: error.to_string() };
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    // auto_vacuum must come before the first table. FULL makes each commit wait for the disk.
    connection
        .execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(failed)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    if found > schema::LAYOUT {
        return Err(Error::Newer { path: path.to_owned(), found, known: schema::LAYOUT });
    }
    if found < schema::LAYOUT {
        transaction
            .execute_batch(&schema::statements())
            .and_then(|()| transaction.pragma_update(None, "user_version", schema::LAYOUT))
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    Ok(connection)
}
