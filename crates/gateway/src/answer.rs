//! A function's answer as HTTP: the structured forms of each kind of entry point, the implied form of format 2.0, streams.

use crate::route::Flavor;
use crate::{Answer, Refused};
use base64::Engine as _;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Response, StatusCode};
use serde_json::Value as Json;

/// The content type of a stream that begins with status and headers.
const WITH_PRELUDE: &str = "application/vnd.awslambda.http-integration-response";
/// How many headers a function may answer with.
const MAX_HEADERS: usize = 200;

/// The HTTP response to a request, from what the function answered.
pub fn response(flavor: Flavor, result: Result<Answer, Refused>) -> Response<Full<Bytes>> {
    let answer = match result {
        Ok(answer) => answer,
        Err(Refused::NotRunning) => return message(StatusCode::BAD_GATEWAY, internal(flavor)),
        Err(Refused::Busy) => return message(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
        Err(Refused::TooLarge) => return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
    };
    if answer.timed_out {
        return message(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out");
    }
    if answer.failed {
        return message(StatusCode::BAD_GATEWAY, internal(flavor));
    }
    let built = if answer.streamed { stream(&answer) } else { structured(flavor, &answer.payload) };
    built.unwrap_or_else(|| message(StatusCode::BAD_GATEWAY, internal(flavor)))
}

/// Each kind of entry point words it its own way.
fn internal(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::Rest => "Internal server error",
        _ => "Internal Server Error",
    }
}

/// A short JSON answer of our own.
pub(crate) fn message(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "message": text }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// None for what isn't an answer.
fn structured(flavor: Flavor, payload: &Bytes) -> Option<Response<Full<Bytes>>> {
    let implied = matches!(flavor, Flavor::Http | Flavor::FunctionUrl);
    let json: Json = match serde_json::from_slice(payload) {
        Ok(json) => json,
        Err(_) => return None,
    };
    let object = match json.as_object() {
        Some(object) if object.contains_key("statusCode") => object,
        _ if implied => {
            let body = match json {
                Json::String(text) => Bytes::from(text),
                _ => payload.clone(),
            };
            let mut response = Response::new(Full::new(body));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            return Some(response);
        }
        _ => return None,
    };
    let status = status(object.get("statusCode")?)?;
    let encoded = object.get("isBase64Encoded").is_some_and(|flag| flag == true || flag == "true");
    let body = match object.get("body") {
        None | Some(Json::Null) => Bytes::new(),
        Some(Json::String(text)) if encoded => base64::engine::general_purpose::STANDARD.decode(text).ok()?.into(),
        Some(Json::String(text)) => Bytes::from(text.clone()),
        // REST APIs refuse anything but text; the others write numbers and objects out.
        Some(_) if flavor == Flavor::Rest => return None,
        Some(other) => Bytes::from(other.to_string()),
    };
    let mut headers = HeaderMap::new();
    if let Some(single) = object.get("headers").and_then(Json::as_object) {
        for (name, value) in single {
            set(&mut headers, name, value)?;
        }
    }
    if let Some(multiple) = object.get("multiValueHeaders").and_then(Json::as_object) {
        for (name, values) in multiple {
            let name = header_name(name)?;
            headers.remove(&name);
            for value in values.as_array()? {
                add(&mut headers, name.clone(), value)?;
            }
        }
    }
    if implied && let Some(cookies) = object.get("cookies").and_then(Json::as_array) {
        for cookie in cookies {
            add(&mut headers, header::SET_COOKIE, cookie)?;
        }
    }
    finish(status, headers, body, if flavor == Flavor::LoadBalancer { None } else { Some("application/json") })
}

/// A stream that has arrived whole: with status and headers before it, or without.
fn stream(answer: &Answer) -> Option<Response<Full<Bytes>>> {
    if answer.content_type.as_deref() != Some(WITH_PRELUDE) {
        let mut headers = HeaderMap::new();
        let kind = answer.content_type.as_deref().unwrap_or("application/octet-stream");
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).ok()?);
        return finish(StatusCode::OK, headers, answer.payload.clone(), None);
    }
    let nul = answer.payload.windows(8).position(|window| window == [0; 8])?;
    let prelude: Json = serde_json::from_slice(answer.payload.get(..nul)?).ok()?;
    let status = prelude.get("statusCode").map_or(Some(StatusCode::OK), status)?;
    let mut headers = HeaderMap::new();
    for (name, value) in prelude.get("headers").and_then(Json::as_object).into_iter().flatten() {
        set(&mut headers, name, value)?;
    }
    for cookie in prelude.get("cookies").and_then(Json::as_array).into_iter().flatten() {
        add(&mut headers, header::SET_COOKIE, cookie)?;
    }
    finish(status, headers, answer.payload.slice(nul + 8..), Some("application/octet-stream"))
}

fn finish(
    status: StatusCode,
    mut headers: HeaderMap,
    body: Bytes,
    default: Option<&'static str>,
) -> Option<Response<Full<Bytes>>> {
    if headers.len() > MAX_HEADERS {
        return None;
    }
    for name in [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    ] {
        headers.remove(name);
    }
    if let (Some(default), false) = (default, headers.contains_key(header::CONTENT_TYPE)) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(default));
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Some(response)
}

/// A final status; `"200"` is one too.
fn status(value: &Json) -> Option<StatusCode> {
    let number = match value {
        Json::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && (100.0..1000.0).contains(&float)).then_some(float as u64)
        })?,
        Json::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // An interim status would leave the client waiting for the real one.
    let status = StatusCode::from_u16(u16::try_from(number).ok()?).ok()?;
    (number >= 200).then_some(status)
}

fn header_name(name: &str) -> Option<HeaderName> {
    HeaderName::try_from(name).ok()
}

fn set(headers: &mut HeaderMap, name: &str, value: &Json) -> Option<()> {
    let name = header_name(name)?;
    add(headers, name, value)
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: &Json) -> Option<()> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Null => return Some(()),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::Array(_) | Json::Object(_) => return None,
    };
    headers.append(name, HeaderValue::from_str(&text).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn answered(flavor: Flavor, payload: &str) -> (u16, Vec<(String, String)>, String) {
        let answer = Answer { payload: Bytes::copy_from_slice(payload.as_bytes()), ..Answer::default() };
        unpack(response(flavor, Ok(answer)))
    }

    fn unpack(response: Response<Full<Bytes>>) -> (u16, Vec<(String, String)>, String) {
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let body = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
        (status, headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[test]
    fn answers_of_every_form_become_http() {
        use Flavor::{FunctionUrl, Http, LoadBalancer, Rest};
        for (flavor, payload, status, body) in [
            (Http, r#"{"statusCode":201,"body":"made"}"#, 201, "made"),
            (Http, r#"{"statusCode":"404"}"#, 404, ""),
            (Http, r#"{"statusCode":200.0,"body":"b2s=","isBase64Encoded":true}"#, 200, "ok"),
            (Http, r#"{"order":1}"#, 200, r#"{"order":1}"#),
            (Http, r#""text""#, 200, "text"),
            (FunctionUrl, "[1]", 200, "[1]"),
            (Http, "null", 200, "null"),
            (Http, r#"{"statusCode":200,"body":{"a":1}}"#, 200, r#"{"a":1}"#),
            // Format 1.0 knows no implied answers.
            (Rest, r#"{"order":1}"#, 502, r#"{"message":"Internal server error"}"#),
            (Rest, r#"{"statusCode":200,"body":{"a":1}}"#, 502, r#"{"message":"Internal server error"}"#),
            (LoadBalancer, "null", 502, r#"{"message":"Internal Server Error"}"#),
            (Http, "{not json", 502, r#"{"message":"Internal Server Error"}"#),
            (Http, r#"{"statusCode":"many"}"#, 502, r#"{"message":"Internal Server Error"}"#),
            (Http, r#"{"statusCode":100}"#, 502, r#"{"message":"Internal Server Error"}"#),
            (
                Http,
                r#"{"statusCode":200,"headers":{"x":"a\r\nset-cookie: b"}}"#,
                502,
                r#"{"message":"Internal Server Error"}"#,
            ),
            (Http, r#"{"statusCode":200,"headers":{"a b":"c"}}"#, 502, r#"{"message":"Internal Server Error"}"#),
            (
                Http,
                r#"{"statusCode":200,"body":"%%%","isBase64Encoded":true}"#,
                502,
                r#"{"message":"Internal Server Error"}"#,
            ),
        ] {
            let (got, _, text) = answered(flavor, payload);
            assert_eq!((got, text.as_str()), (status, body), "{flavor:?} {payload}");
        }
    }

    #[test]
    fn headers_cookies_and_several_values() {
        let (_, headers, _) = answered(
            Flavor::Http,
            r#"{"statusCode":200,"headers":{"X-A":1,"Transfer-Encoding":"chunked","Content-Length":"99"},
                "multiValueHeaders":{"x-b":["1","2"]},"cookies":["s=1","t=2"]}"#,
        );
        let mut text: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        text.sort();
        assert_eq!(
            text,
            ["content-type: application/json", "set-cookie: s=1", "set-cookie: t=2", "x-a: 1", "x-b: 1", "x-b: 2"]
        );
    }

    #[test]
    fn streams_bring_their_status_along() {
        let prelude = Answer {
            payload: Bytes::from_static(
                b"{\"statusCode\":201,\"headers\":{\"content-type\":\"text/html\"}}\0\0\0\0\0\0\0\0once",
            ),
            streamed: true,
            content_type: Some(WITH_PRELUDE.into()),
            ..Answer::default()
        };
        let (status, headers, body) = unpack(response(Flavor::FunctionUrl, Ok(prelude)));
        assert_eq!((status, body.as_str()), (201, "once"));
        assert_eq!(headers, [("content-type".to_owned(), "text/html".to_owned())]);
    }

    #[test]
    fn failures_have_their_own_status() {
        let timeout = Answer { timed_out: true, failed: true, ..Answer::default() };
        assert_eq!(unpack(response(Flavor::Rest, Ok(timeout))).0, 504);
        let failed =
            Answer { failed: true, payload: Bytes::from_static(b"{\"errorMessage\":\"secret\"}"), ..Answer::default() };
        let (status, _, body) = unpack(response(Flavor::Rest, Ok(failed)));
        assert!(status == 502 && !body.contains("secret"));
        assert_eq!(unpack(response(Flavor::Http, Err(Refused::Busy))).0, 429);
        assert_eq!(unpack(response(Flavor::Http, Err(Refused::TooLarge))).0, 413);
    }
}
