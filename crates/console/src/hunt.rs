//! The hunt: a question in SQL, its answer as a table, and what can be asked.

use crate::html::{Html, encode, put, shorten};
use crate::layout::{self, Place};
use crate::{Console, Shared};
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use lake::{Cell, Limits, Table};
use serde::Deserialize;
use std::time::{Duration, Instant};

/// How many characters of one cell are shown.
const CELL_CHARACTERS: usize = 2000;

/// Text up to so many characters stays on one line.
const SHORT_CHARACTERS: usize = 32;

/// Questions to begin with: what they ask, and how.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "What was stopped, and where it was hiding",
        "SELECT time, function, trigger, action, family, field, excerpt\nFROM verdicts\nWHERE action <> 'pass'\nORDER BY time DESC",
    ),
    (
        "Which rules do the work",
        "SELECT rule, family, count(*) AS matches, count(DISTINCT function) AS functions\nFROM matches\nGROUP BY rule, family\nORDER BY matches DESC",
    ),
    (
        "Who keeps trying",
        "SELECT source, count(*) AS attempts, group_concat(DISTINCT family) AS families, max(time) AS last\nFROM matches\nGROUP BY source\nORDER BY attempts DESC",
    ),
    (
        "What crossed the fence on the way out",
        "SELECT time, function, coalesce(api_action, host || ':' || port) AS what, resource, allowed\nFROM events\nWHERE in_fence = 0\nORDER BY time DESC",
    ),
    (
        "The story of one source, in order",
        "SELECT time, type, function, coalesce(action, outcome, api_action, host, kind) AS what, coalesce(excerpt, path, resource, message) AS detail\nFROM events\nWHERE request_id IN (SELECT request_id FROM matches)\nORDER BY time, id",
    ),
    (
        "What the guard costs",
        "SELECT function, count(*) AS events, avg(guard_us) AS guard_us, avg(duration_us) AS duration_us\nFROM invocations\nGROUP BY function",
    ),
];

#[derive(Debug, Deserialize)]
pub(crate) struct Question {
    sql: Option<String>,
}

pub(crate) async fn page(axum::extract::State(console): Shared, Query(question): Query<Question>) -> Response {
    let Some(sql) = question.sql else {
        return render(&console, EXAMPLES.first().map_or("", |(_, sql)| sql), None);
    };
    let begun = Instant::now();
    let asked = tokio::task::spawn_blocking({
        let (lake, sql) = (console.state.lake.clone(), sql.clone());
        move || lake.query(&sql, &Limits::default())
    });
    match asked.await {
        Ok(answer) => render(&console, &sql, Some((answer, begun.elapsed()))),
        Err(error) => layout::sorry(&console, StatusCode::INTERNAL_SERVER_ERROR, "That went wrong", &error.to_string()),
    }
}

type Answer = (Result<Table, lake::Error>, Duration);

fn render(console: &Console, sql: &str, answer: Option<Answer>) -> Response {
    let mut main = Html::new();
    put!(
        main,
        "<div class=\"hunt\"><section class=\"panel\"><h2>Hunt</h2><form action=\"/hunt\" method=\"get\">\
        <textarea name=\"sql\" rows=\"7\" spellcheck=\"false\" autocomplete=\"off\" aria-label=\"SQL\" data-sql>\n",
        (sql),
        "</textarea>\
        <div class=\"line\"><button>Ask</button><span class=\"quiet\">Ctrl+Enter · SQLite's dialect · only reading, 10 s, 1000 rows</span></div></form></section>\
        <aside class=\"panel\"><h2>Examples</h2><ul class=\"examples\">"
    );
    for (what, sql) in EXAMPLES {
        put!(main, "<li><a href=\"/hunt?sql=", (encode(sql)), "\">", (what), "</a></li>");
    }
    put!(main, "</ul></aside>");
    if let Some((answer, took)) = answer {
        put!(main, "<section class=\"panel answer\">");
        match answer {
            Ok(table) => rows(&mut main, &table, took),
            Err(error) => put!(main, "<p class=\"problem\">", (error), "</p>"),
        }
        put!(main, "</section>");
    }
    put!(main, "<section class=\"panel tables\"><h2>Tables</h2><div>");
    for table in lake::schema() {
        put!(
            main,
            "<details><summary><code>",
            (table.name),
            "</code> <span class=\"quiet\">",
            (table.meaning),
            "</span></summary><dl class=\"columns\">"
        );
        for column in &table.columns {
            put!(main, "<dt><code>", (column.name), "</code></dt><dd>", (column.meaning), "</dd>");
        }
        put!(main, "</dl></details>");
    }
    put!(main, "</div></section></div>");
    layout::page(console, Place::Hunt, "Hunt", main)
}

fn rows(html: &mut Html, table: &Table, took: Duration) {
    put!(html, "<p class=\"quiet\">", (table.rows.len()), (if table.rows.len() == 1 { " row" } else { " rows" }));
    if table.truncated {
        put!(html, ", and there are more: add a LIMIT or narrow it");
    }
    put!(html, " · ", (layout::duration(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))), "</p>");
    if table.rows.is_empty() {
        return;
    }
    put!(html, "<div class=\"scroll\"><table class=\"answer\"><thead><tr>");
    for column in &table.columns {
        put!(html, "<th>", (column), "</th>");
    }
    put!(html, "</tr></thead><tbody>");
    for row in &table.rows {
        put!(html, "<tr>");
        for (cell, column) in row.iter().zip(&table.columns) {
            one_cell(html, cell, column);
        }
        put!(html, "</tr>");
    }
    put!(html, "</tbody></table></div>");
}

fn one_cell(html: &mut Html, cell: &Cell, column: &str) {
    match cell {
        Cell::Null => put!(html, "<td class=\"null\">–</td>"),
        Cell::Integer(_) | Cell::Real(_) => put!(html, "<td class=\"number\">", (cell), "</td>"),
        Cell::Text(name) if column == "function" => {
            put!(html, "<td><a href=\"/function/", (encode(name)), "\">", (shorten(name, 80)), "</a></td>");
        }
        Cell::Text(action) if column == "action" => {
            put!(html, "<td>");
            layout::action_badge(html, action);
            put!(html, "</td>");
        }
        Cell::Text(outcome) if column == "outcome" => {
            put!(html, "<td>");
            layout::outcome_badge(html, outcome);
            put!(html, "</td>");
        }
        Cell::Text(text) if text.chars().count() > 60 => {
            put!(
                html,
                "<td class=\"wide\"><details class=\"long\"><summary><code>",
                (shorten(text, 60)),
                "</code></summary><code>",
                (shorten(text, CELL_CHARACTERS)),
                "</code></details></td>"
            );
        }
        Cell::Text(text) if text.chars().count() <= SHORT_CHARACTERS => {
            put!(html, "<td class=\"short\"><code>", (text), "</code></td>");
        }
        Cell::Text(_) | Cell::Blob(_) => {
            put!(html, "<td class=\"wide\"><code>", (shorten(&cell.to_string(), CELL_CHARACTERS)), "</code></td>");
        }
    }
}
