//! Who may ask: this machine's own browser, for this console's own pages.
//!
//! A page anywhere on the web can make a browser ask `127.0.0.1`, and by having its own name resolve to `127.0.0.1` even read
//! the answer. Hence the name the browser thinks it is talking to must be a loopback one, and a request that another site
//! causes is refused unless it is a plain visit.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Sent with every answer. No inline script or style, nothing from elsewhere, not in anyone's frame.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(crate) async fn door(request: Request, next: Next) -> Response {
    let mut response = match refusal(&request) {
        Some(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(request: &Request) -> Option<&'static str> {
    let text = |name: HeaderName| request.headers().get(name).map(HeaderValue::to_str);
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Some("the console only reads\n");
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let loopback = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_loopback),
        _ => false,
    };
    // An absolute request target names the host once more.
    if !loopback || !request.uri().authority().is_none_or(|name| is_loopback(name.as_str())) {
        return Some("the console answers only to 127.0.0.1, [::1] and localhost\n");
    }
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let own = matches!(site, None | Some(Ok("same-origin" | "none")));
    let visit = matches!(text(HeaderName::from_static("sec-fetch-mode")), Some(Ok("navigate")));
    let plain_visit = visit && request.uri().query().is_none();
    if !own && !plain_visit {
        return Some("the console answers only to its own pages\n");
    }
    None
}

/// Whether a `Host` header's value is one of loopback's names, with or without a port.
fn is_loopback(host: &str) -> bool {
    // The parser of addresses knows about ports and brackets; user names have no place here.
    if host.contains('@') {
        return false;
    }
    let Ok(address) = host.parse::<Uri>() else {
        return false;
    };
    match address.authority() {
        Some(authority) => {
            authority.as_str() == host
                && ["127.0.0.1", "[::1]", "localhost"].iter().any(|name| authority.host().eq_ignore_ascii_case(name))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn ask(headers: &[(&str, &str)], uri: &str) -> Option<&'static str> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        refusal(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn only_loopbacks_own_names_are_answered() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]:99", "[::1]"] {
            assert_eq!(ask(&[("host", host)], "/"), None, "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "127.0.0.1@evil.example",
            "evil@127.0.0.1",
            "127.0.0.1/evil",
            "10.0.0.1",
            "0.0.0.0:8080",
            "",
            "[::1",
        ] {
            assert!(ask(&[("host", host)], "/").is_some(), "{host}");
        }
        assert!(ask(&[], "/").is_some());
        assert!(ask(&[("host", "127.0.0.1"), ("host", "evil.example")], "/").is_some());
        assert!(ask(&[("host", "127.0.0.1")], "http://evil.example/").is_some());
    }

    #[test]
    fn another_site_may_link_here_but_not_ask() {
        let from =
            |site, mode, uri| ask(&[("host", "localhost"), ("sec-fetch-site", site), ("sec-fetch-mode", mode)], uri);
        assert!(from("same-origin", "cors", "/hunt?sql=SELECT+1").is_none());
        assert!(from("none", "navigate", "/hunt?sql=SELECT+1").is_none());
        assert!(from("cross-site", "navigate", "/function/A").is_none());
        assert!(from("cross-site", "navigate", "/hunt?sql=SELECT+1").is_some());
        assert!(from("cross-site", "no-cors", "/live").is_some());
        // Another program's page on another port of this machine is as foreign as any.
        assert!(from("same-site", "cors", "/").is_some());
    }

    #[test]
    fn nothing_but_reading() {
        let request =
            Request::builder().method("POST").uri("/hunt").header("host", "localhost").body(Body::empty()).unwrap();
        assert_eq!(refusal(&request), Some("the console only reads\n"));
    }
}
