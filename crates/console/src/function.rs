//! One function's page: its fence beside what it did, then the latest of everything it left behind.

use crate::html::{Html, encode, put, shorten};
use crate::layout::{self, Place};
use crate::usage::{Outside, Usage, Use};
use crate::{Console, Shared, overview};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use fence::FunctionFence;
use lake::{Cell, Limits, Reader, Table};
use records::{Action, Match, Mode, Record, Verdict};
use std::sync::Arc;

/// How many of each kind of record the page shows.
const SHOWN: u32 = 25;

/// What the page needs from the lake.
struct Past {
    usage: Result<Usage, lake::Error>,
    verdicts: Result<Vec<Record>, lake::Error>,
    invocations: Result<Table, lake::Error>,
    errors: Result<Table, lake::Error>,
    logs: Result<Table, lake::Error>,
}

pub(crate) async fn page(axum::extract::State(console): Shared, Path(name): Path<String>) -> Response {
    let in_estate = console.state.estate.functions().any(|(_, function)| function.name == name);
    let fence = console.state.fence.functions.get(&name).cloned();
    if !in_estate && fence.is_none() {
        let text = format!("The application has no function called {}.", shorten(&name, 80));
        return layout::sorry(&console, StatusCode::NOT_FOUND, "No such function", &text);
    }
    let fence = fence.unwrap_or_default();
    let asked = tokio::task::spawn_blocking({
        let (lake, name, fence) = (console.state.lake.clone(), name.clone(), fence.clone());
        move || past(&lake, &name, &fence)
    });
    match asked.await {
        Ok(past) => render(&console, &name, &fence, past),
        Err(error) => layout::sorry(&console, StatusCode::INTERNAL_SERVER_ERROR, "That went wrong", &error.to_string()),
    }
}

fn past(lake: &Reader, name: &str, fence: &FunctionFence) -> Past {
    let ask = |sql: &str| lake.query_with(sql, &[name.into(), Cell::Integer(SHOWN.into())], &Limits::default());
    Past {
        usage: Usage::read(lake, name, fence),
        verdicts: verdicts(lake, Some(name), SHOWN),
        invocations: ask(
            "SELECT time, trigger, outcome, method, path, status, duration_us, guard_us, cold, source, request_id \
            FROM invocations WHERE function = ?1 ORDER BY time_ms DESC, id DESC LIMIT ?2",
        ),
        errors: ask(
            "SELECT time, kind, message, ocsf->'$.unmapped.trace' AS trace FROM errors WHERE function = ?1 ORDER BY time_ms DESC, id DESC LIMIT ?2",
        ),
        logs: ask("SELECT time, kind, message FROM logs WHERE function = ?1 ORDER BY time_ms DESC, id DESC LIMIT ?2"),
    }
}

/// The latest verdicts that were not a pass, of one function or of all, newest first.
pub(crate) async fn recent_verdicts(
    console: &Arc<Console>,
    function: Option<String>,
    count: u32,
) -> Result<Vec<Record>, lake::Error> {
    let lake = console.state.lake.clone();
    tokio::task::spawn_blocking(move || verdicts(&lake, function.as_deref(), count))
        .await
        .unwrap_or_else(|error| Err(lake::Error::Read(error.to_string())))
}

fn verdicts(lake: &Reader, function: Option<&str>, count: u32) -> Result<Vec<Record>, lake::Error> {
    let columns = "SELECT time_ms, function, request_id, trigger, action, mode, incident, reason, source, records_total, records_refused, \
        ocsf->'$.unmapped.matches' AS matches FROM verdicts WHERE action <> 'pass'";
    let count = Cell::Integer(count.into());
    let table = match function {
        Some(function) => lake.query_with(
            &format!("{columns} AND function = ?1 ORDER BY time_ms DESC, id DESC LIMIT ?2"),
            &[function.into(), count],
            &Limits::default(),
        ),
        None => {
            lake.query_with(&format!("{columns} ORDER BY time_ms DESC, id DESC LIMIT ?1"), &[count], &Limits::default())
        }
    }?;
    Ok((0..table.rows.len()).filter_map(|row| verdict(&table, row)).collect())
}

/// A row of the lake as the record it was.
fn verdict(table: &Table, row: usize) -> Option<Record> {
    let text = |column: &str| table.cell(row, column).and_then(Cell::as_str).map(str::to_owned);
    let number = |column: &str| table.cell(row, column).and_then(Cell::as_i64);
    let count = |column: &str| number(column).and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
    let action = match text("action")?.as_str() {
        "refuse" => Action::Refuse,
        "set_aside" => Action::SetAside,
        "drop" => Action::Drop,
        "would_refuse" => Action::WouldRefuse,
        _ => Action::Pass,
    };
    let mode = if text("mode")? == "observe" { Mode::Observe } else { Mode::Block };
    let matches: Vec<Match> = text("matches").and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    Some(Record {
        time: number("time_ms")?,
        function: text("function")?,
        request_id: text("request_id"),
        body: Verdict {
            mode,
            action,
            trigger: text("trigger").unwrap_or_default(),
            incident: text("incident"),
            reason: text("reason").unwrap_or_default(),
            matches,
            records_total: count("records_total"),
            records_refused: count("records_refused"),
            source: text("source"),
        }
        .into(),
    })
}

fn render(console: &Arc<Console>, name: &str, fence: &FunctionFence, past: Past) -> Response {
    let state = &console.state;
    let counts = state.watch.summary().functions.get(name).cloned().unwrap_or_default();
    let found = state.estate.functions().find(|(_, function)| function.name == name);
    let mut main = Html::new();
    put!(main, "<div class=\"title\" data-function=\"", (name), "\"><h1>", (name), "</h1>");
    if let Some((application, function)) = found {
        layout::exposure(&mut main, application.exposure(function));
        if let Some(runtime) = &function.runtime {
            put!(main, "<span>", (runtime.value), "</span>");
        }
        if let Some(identity) = &function.identity {
            put!(main, "<span>runs as <code>", (identity), "</code></span>");
        }
    }
    if let Some(code) = &fence.code {
        put!(main, "<code>", (code), "</code>");
    }
    put!(
        main,
        "<span>guard ",
        (overview::mode(console, name)),
        "</span><span>",
        (counts.tier.as_deref().map_or("not started yet".to_owned(), |tier| format!("held: {}", held(tier)))),
        "</span></div>"
    );
    overview::figures(&mut main, name, &counts);

    put!(main, "<div class=\"split even\"><section class=\"panel\">");
    match &past.usage {
        Ok(usage) => fence_panel(&mut main, name, fence, usage),
        Err(error) => put!(main, "<h2>Fence</h2><p class=\"empty\">", (error), "</p>"),
    }
    put!(
        main,
        "</section><div class=\"stack\"><section class=\"panel\"><h2>Stopped <span class=\"pulse\" data-pulse></span></h2>"
    );
    overview::stream(&mut main, past.verdicts);
    put!(main, "</section><section class=\"panel\"><h2>Errors</h2>");
    errors(&mut main, past.errors);
    put!(main, "</section></div></div><section class=\"panel\"><h2>Latest events</h2>");
    invocations(&mut main, past.invocations);
    put!(main, "</section><section class=\"panel\"><h2>Log</h2>");
    logs(&mut main, past.logs);
    put!(main, "</section>");
    layout::page(console, Place::Function, name, main)
}

fn fence_panel(html: &mut Html, name: &str, fence: &FunctionFence, usage: &Usage) {
    let (unused, lines) = usage.unused(fence);
    put!(html, "<h2>Fence, and what it did</h2>");
    if usage.events.iter().all(Use::never) {
        put!(html, "<p class=\"quiet\">Nothing has come in yet, so none of this says much.</p>");
    } else if unused > 0 {
        put!(
            html,
            "<p class=\"note\">",
            (unused),
            " of ",
            (lines),
            " lines were never used in what the lake remembers.</p>"
        );
    }
    if usage.incomplete {
        put!(
            html,
            "<p class=\"note\">It did more different things than are counted here; the numbers are too low.</p>"
        );
    }
    section(html, "Events", "what may come in", fence.events.is_empty() && usage.outside_events.is_empty());
    for (line, uses) in fence.events.iter().zip(&usage.events) {
        let mut details = Html::new();
        if let Some(authorization) = &line.authorization {
            put!(details, "<span>authorization ", (authorization), "</span>");
        }
        match line.body.as_ref() {
            Some(body) => put!(details, "<span>body ", (body.referred().unwrap_or("checked")), "</span>"),
            None => put!(details, "<span class=\"warn\">body unchecked</span>"),
        }
        if !line.allow.is_empty() {
            put!(details, "<span>without ", (line.allow.join(", ")), "</span>");
        }
        let label = line.label();
        let kind = if label.starts_with(line.source.as_str()) { "" } else { line.source.as_str() };
        fence_line(html, &label, kind, details, line.because.as_deref(), Some(uses), false);
    }
    outside(html, &usage.outside_events);
    end(html);

    section(
        html,
        "Permissions",
        "what it may do in the cloud",
        fence.permissions.is_empty() && usage.outside_calls.is_empty(),
    );
    for (line, uses) in fence.permissions.iter().zip(&usage.permissions) {
        let kind = if line.denies() { "denied" } else { "" };
        let mut details = Html::new();
        put!(details, "<span>on ", (line.on), "</span>");
        fence_line(html, line.action(), kind, details, line.because.as_deref(), Some(uses), line.denies());
    }
    outside(html, &usage.outside_calls);
    end(html);

    section(html, "Network", "whom it may talk to", fence.network.is_empty() && usage.outside_network.is_empty());
    for (line, uses) in fence.network.iter().zip(&usage.network) {
        let label = format!("{}:{}", line.host, line.port);
        fence_line(html, &label, "", Html::new(), line.because.as_deref(), Some(uses), false);
    }
    outside(html, &usage.outside_network);
    end(html);

    if !fence.invokes.is_empty() {
        section(html, "Invokes", "which functions it may call", false);
        for (line, uses) in fence.invokes.iter().zip(&usage.invokes) {
            fence_line(html, line, "", Html::new(), None, Some(uses), false);
        }
        end(html);
    }
    section(html, "Processes and files", "what it may start and write; not recorded", false);
    for line in fence.processes.list() {
        fence_line(html, &line.run, "start", Html::new(), line.because.as_deref(), None, false);
    }
    if fence.processes.list().is_empty() {
        let any = fence.processes.allows("");
        fence_line(html, if any { "any program" } else { "no program" }, "start", Html::new(), None, None, false);
    }
    for folder in &fence.files.write {
        fence_line(html, folder, "write", Html::new(), None, None, false);
    }
    end(html);

    if !fence.unresolved.is_empty() {
        section(html, "Unresolved", "what the source does without saying on what", false);
        for line in &fence.unresolved {
            fence_line(html, &line.what, "", Html::new(), line.because.as_deref(), None, false);
        }
        end(html);
    }
    let all = format!(
        "SELECT time, type, trigger, action, outcome, rule, field, excerpt, api_action, resource, host FROM events WHERE function = '{}' ORDER BY time_ms DESC LIMIT 200",
        name.replace('\'', "''")
    );
    put!(html, "<p class=\"more\"><a href=\"/hunt?sql=", (encode(&all)), "\">Hunt in everything it did</a></p>");
}

fn section(html: &mut Html, title: &str, meaning: &str, empty: bool) {
    put!(html, "<h3>", (title), " <span class=\"quiet\">", (meaning), "</span></h3><ul class=\"fence\">");
    if empty {
        put!(html, "<li class=\"nothing\">nothing</li>");
    }
}

fn end(html: &mut Html) {
    html.raw("</ul>");
}

fn fence_line(
    html: &mut Html,
    label: &str,
    kind: &str,
    details: Html,
    because: Option<&str>,
    uses: Option<&Use>,
    denies: bool,
) {
    let class = match uses {
        None => "unknown",
        Some(_) if denies => "denies",
        Some(uses) if uses.never() => "never",
        Some(_) => "used",
    };
    put!(html, "<li class=\"", (class), "\"><div class=\"said\"><code>", (label), "</code>");
    if !kind.is_empty() {
        put!(html, "<span class=\"tag\">", (kind), "</span>");
    }
    put!(html, "<div class=\"why\">");
    html.html(details);
    if let Some(because) = because {
        put!(html, "<span class=\"because\">", (because), "</span>");
    }
    put!(html, "</div></div><div class=\"did\">");
    if let Some(uses) = uses {
        did(html, uses, denies);
    }
    put!(html, "</div></li>");
}

fn did(html: &mut Html, uses: &Use, denies: bool) {
    if uses.never() {
        put!(html, "<span class=\"never\">", (if denies { "never tried" } else { "never used" }), "</span>");
        return;
    }
    if uses.passed > 0 {
        put!(html, "<b class=\"", (if denies { "bad" } else { "" }), "\">", (layout::number(uses.passed)), " ×</b>");
    }
    if uses.held > 0 {
        put!(html, "<b class=\"bad\">", (layout::number(uses.held)), " held</b>");
    }
    if let Some(last) = &uses.last {
        layout::time(html, last);
    }
}

fn outside(html: &mut Html, outside: &[Outside]) {
    for one in outside {
        put!(
            html,
            "<li class=\"outside\"><div class=\"said\"><code>",
            (shorten(&one.what, 200)),
            "</code><span class=\"tag\">not in the fence</span></div><div class=\"did\">"
        );
        if one.uses.passed > 0 {
            put!(html, "<b class=\"bad\">", (layout::number(one.uses.passed)), " let through</b>");
        }
        if one.uses.held > 0 {
            put!(html, "<b>", (layout::number(one.uses.held)), " held</b>");
        }
        if let Some(last) = &one.uses.last {
            layout::time(html, last);
        }
        put!(html, "</div></li>");
    }
}

/// The rows of an answer, or why there are none.
fn rows<'a>(html: &mut Html, table: &'a Result<Table, lake::Error>, none: &str) -> Option<&'a Table> {
    match table {
        Ok(table) if table.rows.is_empty() => put!(html, "<p class=\"empty\">", (none), "</p>"),
        Ok(table) => return Some(table),
        Err(error) => put!(html, "<p class=\"empty\">", (error), "</p>"),
    }
    None
}

fn cell<'a>(table: &'a Table, row: usize, column: &str) -> &'a Cell {
    table.cell(row, column).unwrap_or(&Cell::Null)
}

fn invocations(html: &mut Html, table: Result<Table, lake::Error>) {
    let Some(table) = rows(html, &table, "No event has reached it yet.") else { return };
    put!(
        html,
        "<div class=\"scroll\"><table><thead><tr><th>Time</th><th>Outcome</th><th>Trigger</th><th>Request</th><th>From</th>\
        <th class=\"number\">Took</th><th class=\"number\">Guard</th><th>Request id</th></tr></thead><tbody>"
    );
    for row in 0..table.rows.len() {
        let text = |column: &str| cell(table, row, column);
        let microseconds = |column: &str| {
            layout::duration(text(column).as_i64().and_then(|value| u64::try_from(value).ok()).unwrap_or(0))
        };
        put!(html, "<tr><td>");
        layout::time(html, text("time").as_str().unwrap_or_default());
        put!(html, "</td><td>");
        layout::outcome_badge(html, text("outcome").as_str().unwrap_or_default());
        put!(
            html,
            "</td><td>",
            (text("trigger")),
            "</td><td><code>",
            (text("method")),
            " ",
            (shorten(&text("path").to_string(), 80)),
            "</code>"
        );
        if text("status") != &Cell::Null {
            put!(html, " <span class=\"quiet\">", (text("status")), "</span>");
        }
        if text("cold").as_i64() == Some(1) {
            put!(html, " <span class=\"tag\">cold</span>");
        }
        put!(
            html,
            "</td><td><code>",
            (shorten(&text("source").to_string(), 60)),
            "</code></td><td class=\"number\">",
            (microseconds("duration_us")),
            "</td><td class=\"number\">",
            (microseconds("guard_us")),
            "</td><td class=\"quiet\"><code>",
            (shorten(&text("request_id").to_string(), 18)),
            "</code></td></tr>"
        );
    }
    put!(html, "</tbody></table></div>");
}

fn errors(html: &mut Html, table: Result<Table, lake::Error>) {
    let Some(table) = rows(html, &table, "Its code has not failed.") else { return };
    put!(html, "<ul class=\"errors\">");
    for row in 0..table.rows.len() {
        let text = |column: &str| cell(table, row, column);
        put!(html, "<li><details><summary>");
        layout::time(html, text("time").as_str().unwrap_or_default());
        put!(html, "<b>", (text("kind")), "</b> ", (shorten(&text("message").to_string(), 300)), "</summary><pre>");
        let trace: Vec<String> =
            text("trace").as_str().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        for frame in trace.iter().take(50) {
            put!(html, (frame), "\n");
        }
        if trace.is_empty() {
            put!(html, "no stack was reported");
        }
        put!(html, "</pre></details></li>");
    }
    put!(html, "</ul>");
}

fn logs(html: &mut Html, table: Result<Table, lake::Error>) {
    let Some(table) = rows(html, &table, "It has written nothing.") else { return };
    put!(html, "<ol class=\"log\">");
    // Newest last, as a terminal has it.
    for row in (0..table.rows.len()).rev() {
        let text = |column: &str| cell(table, row, column);
        put!(html, "<li class=\"", (text("kind")), "\">");
        layout::time(html, text("time").as_str().unwrap_or_default());
        put!(html, "<code>", (shorten(&text("message").to_string(), 2000)), "</code></li>");
    }
    put!(html, "</ol>");
}

/// What is held at a tier, in words. The guard holds events wherever it stands; a tier is what holds the rest.
pub(crate) fn held(tier: &str) -> String {
    if tier == "none" { "events".to_owned() } else { format!("events, {tier}") }
}
