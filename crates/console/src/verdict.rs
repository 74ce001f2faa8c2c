//! One verdict as the stream and the pages show it.

use crate::html::{Html, encode, put};
use crate::layout;
use records::{Match, Record, Verdict};

/// How many of a verdict's matches are shown; the hunt has the rest.
const MATCHES_SHOWN: usize = 4;

/// A verdict with what is needed to understand it: when, where, what was done, and the rule, field and bytes of each match.
pub(crate) fn card(record: &Record, verdict: &Verdict) -> Html {
    let mut html = Html::new();
    put!(html, "<li class=\"verdict ", (verdict.action.as_str()), "\"><div class=\"line\">");
    layout::time(&mut html, &records::iso(record.time));
    layout::action_badge(&mut html, verdict.action.as_str());
    put!(
        html,
        "<a class=\"function\" href=\"/function/",
        (encode(&record.function)),
        "\">",
        (record.function),
        "</a>\
        <span class=\"quiet\">",
        (verdict.trigger)
    );
    if verdict.records_total > 1 {
        put!(html, " · ", (verdict.records_refused), " of ", (verdict.records_total), " records");
    }
    put!(html, "</span></div>");
    if verdict.matches.is_empty() && !verdict.reason.is_empty() {
        put!(html, "<p class=\"reason\">", (verdict.reason), "</p>");
    }
    for one in verdict.matches.iter().take(MATCHES_SHOWN) {
        one_match(&mut html, one);
    }
    if verdict.matches.len() > MATCHES_SHOWN {
        put!(html, "<p class=\"quiet\">and ", (verdict.matches.len() - MATCHES_SHOWN), " more matches</p>");
    }
    put!(html, "<div class=\"line small\">");
    if let Some(source) = &verdict.source {
        put!(html, "<span class=\"quiet\">from</span><code>", (source), "</code>");
    }
    if let Some(incident) = &verdict.incident {
        let question = format!("SELECT * FROM matches WHERE incident = '{}'", incident.replace('\'', "''"));
        put!(html, "<a class=\"quiet\" href=\"/hunt?sql=", (encode(&question)), "\">", (incident), "</a>");
    }
    put!(html, "</div></li>");
    html
}

fn one_match(html: &mut Html, one: &Match) {
    put!(
        html,
        "<div class=\"match\"><span class=\"family\" title=\"",
        (one.message),
        "\">",
        (one.family),
        "</span>\
        <code class=\"field\">",
        (one.field),
        "</code><span class=\"rule quiet\">",
        (one.rule)
    );
    if let Some(cwe) = one.cwe {
        put!(html, " · CWE-", (cwe));
    }
    put!(html, "</span>");
    if !one.excerpt.is_empty() {
        put!(html, "<code class=\"excerpt\">", (one.excerpt), "</code>");
    }
    put!(html, "</div>");
}
