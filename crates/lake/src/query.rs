//! Questions: SQL in, a table of values out, never a change.
//!
//! Each query has its own read-only connection, so that a slow one holds up neither the writer nor another reader. Four walls
//! stand around it: the file is opened read-only, an authorizer lets through nothing but reading, a clock stops it, and
//! the size of the answer is bounded.

use crate::error::Error;
use crate::near::nearest;
use crate::schema::{self, TableInfo};
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::{Serialize, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest value and the longest statement a query may build, in bytes.
const MAX_VALUE_BYTES: i32 = 8 * 1024 * 1024;
const MAX_SQL_BYTES: i32 = 64 * 1024;

/// How many steps of SQLite's machine lie between two looks at the clock: well under a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 1000;

/// How far a query may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most rows given back; 1,000. What is beyond is left out and [`Table::truncated`] says so.
    pub rows: usize,
    /// The most bytes of values given back; 32 MiB.
    pub bytes: usize,
    /// The longest it may run; 10 seconds.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 1000, bytes: 32 * 1024 * 1024, time: Duration::from_secs(10) }
    }
}

/// One value of an answer, or of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing there.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes that aren't text.
    Blob(Vec<u8>),
}

impl Cell {
    /// The text, when it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, when it is a whole one.
    pub const fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Real(number) => Value::Real(*number),
            Self::Text(text) => Value::Text(text.clone()),
            Self::Blob(bytes) => Value::Blob(bytes.clone()),
        }
    }

    const fn size(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) | Self::Real(_) => 8,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// As a person reads it: nothing for NULL, hexadecimal for bytes. Text is given as it is: escape it where that matters.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Blob(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// A JSON value of the same kind; bytes become their hexadecimal text.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Blob(_) => serializer.collect_str(self),
        }
    }
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// The columns' names, in order. Two may be the same.
    pub columns: Vec<String>,
    /// The rows, each with one cell per column.
    pub rows: Vec<Vec<Cell>>,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
}

impl Table {
    /// The cell in `row` under `column`; nothing when either doesn't exist.
    pub fn cell(&self, row: usize, column: &str) -> Option<&Cell> {
        let place = self.columns.iter().position(|name| name == column)?;
        self.rows.get(row)?.get(place)
    }
}

/// A lake to ask, from this process or another one while it is being written.
#[derive(Debug, Clone)]
pub struct Reader {
    path: PathBuf,
}

impl Reader {
    /// The lake in `folder`, only for reading.
    ///
    /// # Errors
    /// When nothing has been stored there yet, or what is there isn't a lake.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(crate::FILE);
        if !path.is_file() {
            return Err(Error::Missing(folder.to_owned()));
        }
        let reader = Self { path };
        let layout = reader
            .connect()?
            .query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
            .map_err(|error| Error::Open { path: reader.path.clone(), reason: error.to_string() })?;
        if layout > schema::LAYOUT {
            return Err(Error::Newer { path: reader.path, found: layout, known: schema::LAYOUT });
        }
        Ok(reader)
    }

    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Asks one SQL `SELECT` (SQLite's dialect).
    ///
    /// # Errors
    /// When it isn't SQL (with the near miss for a name that doesn't exist), would change something, or passes a limit.
    pub fn query(&self, sql: &str, limits: &Limits) -> Result<Table, Error> {
        self.query_with(sql, &[], limits)
    }

    /// Asks one SQL `SELECT` with `parameters` for its `?1`, `?2`…
    ///
    /// # Errors
    /// As [`Reader::query`], and when the number of parameters is wrong.
    pub fn query_with(&self, sql: &str, parameters: &[Cell], limits: &Limits) -> Result<Table, Error> {
        let begun = Instant::now();
        let mut connection = self.connect()?;
        let refused: Arc<Mutex<Option<String>>> = Arc::default();
        guard(&mut connection, begun, limits, &refused).map_err(|error| Error::Read(error.to_string()))?;
        run(&connection, sql, parameters, limits).map_err(|error| match error {
            Failure::Limit(error) => error,
            Failure::Sqlite(error) => {
                let refused = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
                explain(error, refused, begun.elapsed())
            }
        })
    }

    fn connect(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(&self.path, flags)
            .and_then(|connection| {
                connection.busy_timeout(Duration::from_secs(5))?;
                Ok(connection)
            })
            .map_err(|error| Error::Open { path: self.path.clone(), reason: error.to_string() })
    }
}

fn guard(
    connection: &mut Connection,
    begun: Instant,
    limits: &Limits,
    refused: &Arc<Mutex<Option<String>>>,
) -> rusqlite::Result<()> {
    // Without this SQLite takes "refuse" in double quotes for text when no column has that name, and a slip goes unseen.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_SQL_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    let time = limits.time;
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || begun.elapsed() > time))?;
    let refused = Arc::clone(refused);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        let what = match context.action {
            AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => {
                return Authorization::Allow;
            }
            AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
                return Authorization::Allow;
            }
            AuthAction::Pragma { pragma_name, pragma_value } => {
                let looks = ["table_info", "table_xinfo", "table_list"]
                    .iter()
                    .any(|name| pragma_name.eq_ignore_ascii_case(name));
                if looks {
                    return Authorization::Allow;
                }
                match pragma_value {
                    Some(_) => format!("setting PRAGMA {pragma_name}"),
                    None => format!("PRAGMA {pragma_name}"),
                }
            }
            AuthAction::Function { function_name } => format!("the function {function_name}"),
            AuthAction::Insert { .. } => "INSERT".to_owned(),
            AuthAction::Update { .. } => "UPDATE".to_owned(),
            AuthAction::Delete { .. } => "DELETE".to_owned(),
            AuthAction::Attach { .. } => "ATTACH".to_owned(),
            AuthAction::Detach { .. } => "DETACH".to_owned(),
            AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => "a transaction".to_owned(),
            _ => "a statement that changes the lake".to_owned(),
        };
        refused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
        Authorization::Deny
    }))
}

enum Failure {
    Sqlite(rusqlite::Error),
    Limit(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn run(connection: &Connection, sql: &str, parameters: &[Cell], limits: &Limits) -> Result<Table, Failure> {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    if sql.is_empty() {
        return Err(Failure::Limit(Error::Sql(
            "there is no query: try `SELECT time, function, action, rule FROM verdicts`".to_owned(),
        )));
    }
    let mut statement = connection.prepare(sql)?;
    if !statement.readonly() {
        return Err(Failure::Limit(Error::ReadOnly("a statement that changes the lake".to_owned())));
    }
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut table = Table { columns, rows: Vec::new(), truncated: false };
    let mut bytes = 0_usize;
    let mut rows = statement.query(rusqlite::params_from_iter(parameters.iter().map(Cell::value)))?;
    while let Some(row) = rows.next()? {
        if table.rows.len() == limits.rows {
            table.truncated = true;
            break;
        }
        let mut cells = Vec::with_capacity(table.columns.len());
        for place in 0..table.columns.len() {
            let cell = Cell::of(row.get_ref(place)?);
            bytes = bytes.saturating_add(cell.size());
            cells.push(cell);
        }
        if bytes > limits.bytes {
            return Err(Failure::Limit(Error::TooLarge(limits.bytes)));
        }
        table.rows.push(cells);
    }
    Ok(table)
}

/// SQLite's complaint in words that help.
fn explain(error: rusqlite::Error, refused: Option<String>, after: Duration) -> Error {
    if let Some(what) = refused {
        return Error::ReadOnly(what);
    }
    let code = error.sqlite_error_code();
    match code {
        Some(ErrorCode::OperationInterrupted) => return Error::TimedOut(after),
        Some(ErrorCode::TooBig) => {
            return Error::TooLarge(usize::try_from(MAX_VALUE_BYTES).unwrap_or(usize::MAX));
        }
        Some(ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied) => {
            return Error::ReadOnly("a statement that changes the lake".to_owned());
        }
        _ => {}
    }
    let message = match &error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::MultipleStatement => {
            return Error::Sql("one query at a time: there is more after the first `;`".to_owned());
        }
        other => other.to_string(),
    };
    match code {
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::SystemIoFailure
            | ErrorCode::DatabaseBusy
            | ErrorCode::CannotOpen,
        ) => Error::Read(message),
        _ => Error::Sql(near_miss(&message)),
    }
}

fn near_miss(message: &str) -> String {
    let tables = schema::schema();
    let unknown = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?;
        let (name, hint) = rest.split_once(" - ").unwrap_or((rest, ""));
        Some((name, hint))
    };
    if let Some((name, hint)) = unknown("no such column: ") {
        let quoted = name.starts_with('"');
        let bare = name.trim_matches('"');
        let column = bare.rsplit('.').next().unwrap_or(bare);
        let mut text = format!("no such column: `{bare}`");
        match nearest(column, &column_names(&tables)) {
            Some(near) if !near.eq_ignore_ascii_case(column) => text.push_str(&format!("; did you mean `{near}`?")),
            // The column exists, in another table.
            Some(near) => {
                let holders: Vec<String> = tables
                    .iter()
                    .filter(|table| table.columns.iter().any(|column| column.name == near))
                    .map(|table| format!("`{}`", table.name))
                    .collect();
                text.push_str(&format!("; it is in {}", holders.join(", ")));
            }
            None if quoted || !hint.is_empty() => text.push_str("; text stands in 'single quotes'"),
            None => text.push_str("; `ringfence hunt --schema` lists them all"),
        }
        return text;
    }
    if let Some((name, _)) = unknown("no such table: ") {
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        let bare = name.rsplit('.').next().unwrap_or(name);
        return match nearest(bare, &names) {
            Some(near) => format!("no such table: `{name}`; did you mean `{near}`?"),
            None => format!("no such table: `{name}`; there are {}", names.join(", ")),
        };
    }
    message.to_owned()
}

fn column_names(tables: &[TableInfo]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> =
        tables.iter().flat_map(|table| table.columns.iter().map(|column| column.name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
