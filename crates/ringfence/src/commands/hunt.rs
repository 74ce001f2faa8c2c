//! `ringfence hunt`: ask the lake in SQL.

use crate::terminal;
use anyhow::Context;
use clap::ValueEnum;
use lake::{Cell, Limits, Reader, Table};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Asks the records of what happened, in SQL: `SELECT function, count(*) FROM verdicts GROUP BY 1`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The question; `-` reads it from standard input.
    #[arg(required_unless_present = "schema")]
    sql: Option<String>,
    /// Where the records are: the application's folder, or a lake.
    #[arg(long, default_value = ".", value_name = "PATH")]
    data: PathBuf,
    /// How to write the answer.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// The most rows to give.
    #[arg(long, default_value_t = 1000, value_name = "ROWS")]
    limit: usize,
    /// Lists the tables and columns and does nothing else.
    #[arg(long)]
    schema: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.schema {
        let mut text = String::new();
        for table in lake::schema() {
            writeln!(text, "{}: {}", table.name, table.meaning)?;
            for column in table.columns {
                writeln!(text, "  {:16} {:8} {}", column.name, column.kind, column.meaning)?;
            }
            writeln!(text)?;
        }
        terminal::print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let sql = match args.sql.as_deref() {
        Some("-") | None => std::io::read_to_string(std::io::stdin()).context("can't read the question")?,
        Some(sql) => sql.to_string(),
    };
    let candidates = [args.data.clone(), args.data.join(".ringfence/lake"), args.data.join("lake")];
    let folder = candidates.iter().find(|folder| folder.join("lake.db").is_file()).with_context(|| {
        format!(
            "no records under `{}`; `ringfence up` writes them to `.ringfence/lake` in the application's folder, `--data` names another",
            args.data.display()
        )
    })?;
    let limits = Limits { rows: args.limit, ..Limits::default() };
    let table = Reader::open(folder)?.query(&sql, &limits)?;
    let text = match args.format {
        Format::Table => in_columns(&table),
        Format::Json => in_json(&table)?,
        Format::Csv => in_csv(&table),
    };
    terminal::print(&text)?;
    if table.truncated {
        terminal::say(&format!("only the first {} rows; `--limit` gives more", table.rows.len()));
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(cell: &Cell) -> String {
    // Excerpts are an attacker's text: what would move the cursor is shown, not sent.
    cell.to_string()
        .chars()
        .flat_map(|letter| if letter.is_control() { letter.escape_debug().collect::<Vec<_>>() } else { vec![letter] })
        .collect()
}

/// The least room a column needs to be read across; with less, words fall into letters.
const NARROWEST: usize = 10;

fn in_columns(table: &Table) -> String {
    let width = terminal::style().width;
    if table.columns.len() * NARROWEST > width {
        return in_records(table);
    }
    let mut out = comfy_table::Table::new();
    out.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    out.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    out.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    out.set_header(&table.columns);
    for row in &table.rows {
        out.add_row(row.iter().map(plain));
    }
    format!("{out}\n{}\n", rows(table))
}

/// One column below the other, for answers too wide to stand side by side. Empty cells are left out.
fn in_records(table: &Table) -> String {
    let widest = table.columns.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (number, row) in table.rows.iter().enumerate() {
        let _ = writeln!(out, "── row {} ──", number + 1);
        for (name, cell) in table.columns.iter().zip(row) {
            let text = plain(cell);
            if !text.is_empty() {
                let _ = writeln!(out, "{name:widest$}  {text}");
            }
        }
    }
    out + &rows(table) + "\n"
}

fn rows(table: &Table) -> String {
    match table.rows.len() {
        1 => "1 row".to_string(),
        count => format!("{count} rows"),
    }
}

fn in_json(table: &Table) -> anyhow::Result<String> {
    let rows: Vec<serde_json::Map<String, serde_json::Value>> = table
        .rows
        .iter()
        .map(|row| {
            let cells = row.iter().map(|cell| serde_json::to_value(cell).unwrap_or_default());
            table.columns.iter().cloned().zip(cells).collect()
        })
        .collect();
    Ok(serde_json::to_string_pretty(&rows)? + "\n")
}

fn in_csv(table: &Table) -> String {
    let quote = |text: &str| {
        if text.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_string()
        }
    };
    let line = |cells: Vec<String>| cells.join(",") + "\n";
    let mut out = line(table.columns.iter().map(|name| quote(name)).collect());
    for row in &table.rows {
        out.push_str(&line(row.iter().map(|cell| quote(&cell.to_string())).collect()));
    }
    out
}
