//! What is happening, as server-sent events: finished verdict cards, pulses for the map, and the counters when they changed.
//!
//! The cards are the same HTML, from the same function, as those the pages begin with; the script only puts them in place.

use crate::{Shared, verdict};
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::channel::{Channel, Sender};
use records::{Action, Body as RecordBody, Record};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, MissedTickBehavior, interval};
use watch::{Handle, Live, News};

/// How often the counters are looked at; nothing is sent when they are the same.
const COUNTERS_EVERY: Duration = Duration::from_millis(500);

/// A silent stream says it is still there, so that a page that went away is noticed.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Pulses are only a flicker on the map; more than so many between two looks at the counters are left out.
const PULSES: u32 = 40;

#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    /// Only this function.
    function: Option<String>,
}

pub(crate) async fn stream(axum::extract::State(console): Shared, Query(filter): Query<Filter>) -> Response {
    let Ok(place) = console.live.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many pages follow the stream already\n").into_response();
    };
    let (sender, body) = Channel::<Bytes, Infallible>::new(64);
    let watch = console.state.watch.clone();
    // Subscribed before the answer begins, so that nothing between is missed.
    let live = watch.subscribe();
    tokio::spawn(follow(sender, live, watch, filter, place));
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], Body::new(body)).into_response()
}

async fn follow(
    mut to: Sender<Bytes, Infallible>,
    mut live: Live,
    watch: Handle,
    filter: Filter,
    _place: OwnedSemaphorePermit,
) {
    let mut tick = interval(COUNTERS_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut shown = None;
    let mut sent = Instant::now();
    let mut pulses = 0;
    loop {
        let message = tokio::select! {
            news = live.next() => match news {
                None => return,
                Some(News::Missed(missed)) => Some(event("missed", &json!({"records": missed}))),
                Some(News::Record(record)) => told(&record, &filter, &mut pulses),
            },
            _ = tick.tick() => {
                pulses = 0;
                let summary = watch.summary();
                if shown.as_ref() != Some(&summary) {
                    let message = event("summary", &json!(summary));
                    shown = Some(summary);
                    Some(message)
                } else if sent.elapsed() > ALIVE_EVERY {
                    Some(": still here\n\n".to_owned())
                } else {
                    None
                }
            }
        };
        if let Some(message) = message {
            sent = Instant::now();
            // The page has gone.
            if to.send_data(Bytes::from(message)).await.is_err() {
                return;
            }
        }
    }
}

fn told(record: &Record, filter: &Filter, pulses: &mut u32) -> Option<String> {
    if filter.function.as_ref().is_some_and(|only| *only != record.function) {
        return None;
    }
    match &record.body {
        RecordBody::Verdict(decided) if decided.action != Action::Pass => Some(event(
            "verdict",
            &json!({
                "function": record.function,
                "trigger": decided.trigger,
                "html": verdict::card(record, decided).into_string(),
            }),
        )),
        RecordBody::Invocation(invocation) => {
            *pulses += 1;
            (*pulses <= PULSES).then(|| {
                event(
                    "pulse",
                    &json!({"function": record.function, "trigger": invocation.trigger, "outcome": invocation.outcome.as_str()}),
                )
            })
        }
        _ => None,
    }
}

/// One event of the stream. JSON holds no raw line ends, so one `data` line is enough.
fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
