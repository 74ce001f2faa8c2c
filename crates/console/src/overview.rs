//! The first page: the counters, the map, what is being stopped right now, and the functions in a table.

use crate::html::{Html, encode, put};
use crate::layout::{self, Place};
use crate::{Console, Shared, function, verdict};
use axum::response::Response;
use std::sync::Arc;
use watch::{FunctionSummary, Summary};

/// How many past verdicts the stream begins with.
const VERDICTS_SHOWN: u32 = 40;

pub(crate) async fn page(axum::extract::State(console): Shared) -> Response {
    let recent = function::recent_verdicts(&console, None, VERDICTS_SHOWN).await;
    render(&console, recent)
}

fn render(console: &Arc<Console>, recent: Result<Vec<records::Record>, lake::Error>) -> Response {
    let state = &console.state;
    let summary = state.watch.summary();
    let mut main = Html::new();
    figures(&mut main, "all", &summary.all);
    put!(main, "<div class=\"split\"><section class=\"panel\"><h2>Application</h2>");
    if state.estate.functions().next().is_none() {
        put!(main, "<p class=\"empty\">No functions were found in this application.</p>");
    }
    for application in &state.estate.applications {
        if state.estate.applications.len() > 1 {
            put!(main, "<h3>", (application.name), "</h3>");
        }
        main.html(crate::map::draw(application, &state.fence, &summary));
    }
    put!(
        main,
        "<p class=\"legend\">Reached by \
        <span class=\"exposure public\"><i></i>anyone</span>\
        <span class=\"exposure authenticated\"><i></i>callers that authenticate</span>\
        <span class=\"exposure fed\"><i></i>content others put there</span>\
        <span class=\"exposure internal\"><i></i>the platform only</span></p></section>"
    );
    put!(main, "<section class=\"panel\"><h2>Stopped <span class=\"pulse\" data-pulse></span></h2>");
    stream(&mut main, recent);
    put!(main, "</section></div>");
    functions(&mut main, console, &summary);
    layout::page(console, Place::Overview, "Overview", main)
}

/// The row of large numbers.
pub(crate) fn figures(html: &mut Html, name: &str, counts: &FunctionSummary) {
    put!(html, "<dl class=\"figures\">");
    for (label, key, value, class) in [
        ("Events", "invocations", counts.invocations, ""),
        ("Stopped", "stopped", counts.stopped, "bad"),
        ("Only observed", "would_refuse", counts.would_refuse, "warn"),
        ("Outside the fence", "outside_fence", counts.outside_fence, "bad"),
        ("Function errors", "errors", counts.errors, "warn"),
    ] {
        put!(html, "<div class=\"", (class), "\"");
        if value == 0 {
            put!(html, " data-zero");
        }
        put!(
            html,
            "><dt>",
            (label),
            "</dt><dd data-count=\"",
            (name),
            "/",
            (key),
            "\">",
            (layout::number(value)),
            "</dd></div>"
        );
    }
    for (label, key, value) in [
        ("Median", "p50_us", counts.p50_us),
        ("95th percentile", "p95_us", counts.p95_us),
        ("Guard, median", "guard_p50_us", counts.guard_p50_us),
    ] {
        put!(
            html,
            "<div><dt>",
            (label),
            "</dt><dd data-duration=\"",
            (name),
            "/",
            (key),
            "\">",
            (layout::duration(value)),
            "</dd></div>"
        );
    }
    put!(html, "</dl>");
}

/// The list that the script puts new verdicts on top of.
pub(crate) fn stream(html: &mut Html, recent: Result<Vec<records::Record>, lake::Error>) {
    put!(html, "<ol class=\"stream\" data-stream>");
    match recent {
        Ok(records) => {
            for record in &records {
                if let records::Body::Verdict(verdict) = &record.body {
                    html.html(verdict::card(record, verdict));
                }
            }
        }
        Err(error) => put!(html, "<li class=\"empty\">", (error), "</li>"),
    }
    put!(
        html,
        "</ol><p class=\"empty\" data-empty>Nothing has been stopped yet. Hostile events show up here as they come.</p>"
    );
}

fn functions(html: &mut Html, console: &Console, summary: &Summary) {
    put!(
        html,
        "<section class=\"panel\"><h2>Functions</h2><div class=\"scroll\"><table class=\"functions\"><thead><tr>\
        <th>Function</th><th>Reached by</th><th>Triggers</th><th>Runtime</th><th>Held</th><th>Guard</th>\
        <th class=\"number\">Events</th><th class=\"number\">Stopped</th><th class=\"number\">Errors</th>\
        <th class=\"number\">Median</th><th class=\"number\">95 %</th></tr></thead><tbody>"
    );
    for (application, function) in console.state.estate.functions() {
        let name = function.name.as_str();
        let counts = summary.functions.get(name).cloned().unwrap_or_default();
        let mut kinds: Vec<&str> = application.triggers_of(name).map(|trigger| trigger.kind.name()).collect();
        if function.url.is_some() {
            kinds.push("function-url");
        }
        kinds.sort_unstable();
        kinds.dedup();
        let runtime = function.runtime.as_ref().map_or("container", |runtime| runtime.value.as_str());
        put!(html, "<tr><td><a href=\"/function/", (encode(name)), "\"><b>", (name), "</b></a></td><td>");
        layout::exposure(html, application.exposure(function));
        put!(
            html,
            "</td><td>",
            (kinds.join(", ")),
            "</td><td>",
            (runtime),
            "</td><td>",
            (counts.tier.as_deref().map_or("not started".to_owned(), crate::function::held)),
            "</td><td>",
            (mode(console, name)),
            "</td>\
            <td class=\"number\" data-count=\"",
            (name),
            "/invocations\">",
            (layout::number(counts.invocations)),
            "</td>\
            <td class=\"number\" data-count=\"",
            (name),
            "/stopped\">",
            (layout::number(counts.stopped)),
            "</td>\
            <td class=\"number\" data-count=\"",
            (name),
            "/errors\">",
            (layout::number(counts.errors)),
            "</td>\
            <td class=\"number\" data-duration=\"",
            (name),
            "/p50_us\">",
            (layout::duration(counts.p50_us)),
            "</td>\
            <td class=\"number\" data-duration=\"",
            (name),
            "/p95_us\">",
            (layout::duration(counts.p95_us)),
            "</td></tr>"
        );
    }
    put!(html, "</tbody></table></div></section>");
}

/// What the guard does with what it would refuse, by the fence.
pub(crate) fn mode(console: &Console, function: &str) -> &'static str {
    match console.state.fence.functions.get(function) {
        None => "no fence",
        Some(fence) => match fence.mode.unwrap_or_default() {
            fence::Mode::Block => "blocks",
            fence::Mode::Observe => "observes",
        },
    }
}
