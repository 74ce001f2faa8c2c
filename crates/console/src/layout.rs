//! What all pages share: the frame, times, badges, error pages.

use crate::html::{Html, put};
use crate::{Console, Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use graph::Exposure;

/// Which entry of the navigation is the current one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Function,
    Hunt,
}

/// A whole page around `main`.
pub(crate) fn page(console: &Console, place: Place, title: &str, main: Html) -> Response {
    let mut html = Html::new();
    let state = &console.state;
    put!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
        <meta name=\"color-scheme\" content=\"light dark\"><title>",
        (title),
        " · Ringfence</title>\
        <link rel=\"icon\" href=\"/favicon.ico\" type=\"image/svg+xml\">\
        <link rel=\"stylesheet\" href=\"/assets/style.css\">\
        <script src=\"/assets/console.js\" defer></script></head><body>\
        <header class=\"bar\"><a class=\"mark\" href=\"/\">\
        <svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle class=\"ring\" cx=\"12\" cy=\"12\" r=\"9\"/>\
        <circle class=\"core\" cx=\"12\" cy=\"12\" r=\"3.6\"/></svg>Ringfence</a>\
        <span class=\"app\">",
        (state.name),
        "</span><nav>"
    );
    for (entry, address, name) in [(Place::Overview, "/", "Overview"), (Place::Hunt, "/hunt", "Hunt")] {
        put!(html, "<a href=\"", (address), "\"");
        if entry == place {
            html.raw(" aria-current=\"page\"");
        }
        put!(html, ">", (name), "</a>");
    }
    let summary = state.watch.summary();
    put!(html, "</nav><span class=\"state\" data-state role=\"status\"><i></i><span>");
    match &summary.lake_error {
        None => put!(html, "recording"),
        Some(error) => put!(html, "not storing: ", (error)),
    }
    put!(html, "</span></span></header><main>");
    html.html(main);
    put!(html, "</main></body></html>");
    respond(StatusCode::OK, html)
}

fn respond(status: StatusCode, html: Html) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html.into_string()).into_response()
}

/// A page that only says why there is none.
pub(crate) fn sorry(console: &Console, status: StatusCode, heading: &str, text: &str) -> Response {
    let mut main = Html::new();
    put!(
        main,
        "<section class=\"sorry\"><h1>",
        (heading),
        "</h1><p>",
        (text),
        "</p><p><a href=\"/\">Back to the overview</a></p></section>"
    );
    let mut response = page(console, Place::Function, heading, main);
    *response.status_mut() = status;
    response
}

pub(crate) async fn not_found(axum::extract::State(console): Shared) -> Response {
    sorry(
        &console,
        StatusCode::NOT_FOUND,
        "No such page",
        "The console has an overview, a page per function, and the hunt.",
    )
}

/// A moment: its text in UTC, which the script turns into the reader's own time.
pub(crate) fn time(html: &mut Html, iso: &str) {
    let clock = iso.get(11..19).unwrap_or(iso);
    put!(html, "<time datetime=\"", (iso), "\" title=\"", (iso), "\">", (clock), "</time>");
}

/// What the guard did, as a badge.
pub(crate) fn action_badge(html: &mut Html, action: &str) {
    let (class, words) = match action {
        "refuse" => ("bad", "refused"),
        "set_aside" => ("bad", "set aside"),
        "drop" => ("bad", "dropped"),
        "would_refuse" => ("warn", "would refuse"),
        "pass" => ("good", "passed"),
        other => ("", other),
    };
    put!(html, "<span class=\"badge ", (class), "\">", (words), "</span>");
}

/// How an invocation ended, as a badge.
pub(crate) fn outcome_badge(html: &mut Html, outcome: &str) {
    let class = match outcome {
        "ok" => "good",
        "refused" => "bad",
        _ => "warn",
    };
    put!(html, "<span class=\"badge ", (class), "\">", (outcome), "</span>");
}

/// From where a function can be reached, as a dot and a word.
pub(crate) fn exposure(html: &mut Html, exposure: Exposure) {
    put!(html, "<span class=\"exposure ", (exposure.name()), "\"><i></i>", (exposure.name()), "</span>");
}

/// A whole number with its thousands apart.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// Microseconds as people say them.
pub(crate) fn duration(microseconds: u64) -> String {
    match microseconds {
        0 => "–".to_owned(),
        1..1000 => format!("{microseconds} µs"),
        1000..10_000 => format!("{}.{} ms", microseconds / 1000, microseconds % 1000 / 100),
        10_000..1_000_000 => format!("{} ms", microseconds / 1000),
        _ => format!("{}.{} s", microseconds / 1_000_000, microseconds % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_read_well() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(duration(0), "–");
        assert_eq!(duration(950), "950 µs");
        assert_eq!(duration(1_450), "1.4 ms");
        assert_eq!(duration(38_900), "38 ms");
        assert_eq!(duration(2_340_000), "2.3 s");
    }
}
