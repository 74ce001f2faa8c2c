//! The event of a request, in the format of each kind of entry point.

use crate::route::{Flavor, Found};
use base64::Engine as _;
use graph::Authorization;
use hyper::HeaderMap;
use hyper::body::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::net::IpAddr;

const ACCOUNT: &str = "123456789012";

/// A request that was read whole.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The method, upper case.
    pub method: String,
    /// The query, still encoded.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Who sent it.
    pub peer: IpAddr,
    /// `HTTP/1.1`.
    pub protocol: String,
    /// Our port, for `X-Forwarded-Port`.
    pub port: u16,
    /// An id for the request.
    pub request_id: String,
    /// When, in milliseconds since the epoch.
    pub time: i64,
}

/// The event as its function expects it.
pub fn event(request: &Incoming, found: &Found) -> Json {
    match found.route.flavor {
        Flavor::Rest => rest(request, found),
        Flavor::Http | Flavor::FunctionUrl => http(request, found),
        Flavor::LoadBalancer => load_balancer(request, found),
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Names with all their values, in order of first appearance.
fn grouped(pairs: impl IntoIterator<Item = (String, String)>) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    // A query may have as many names as fit into a request's head.
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, value) in pairs {
        match places.get(&name).and_then(|at| groups.get_mut(*at)) {
            Some((_, values)) => values.push(value),
            None => {
                places.insert(name.clone(), groups.len());
                groups.push((name, vec![value]));
            }
        }
    }
    groups
}

/// The headers the function is shown: the client's, apart from those of the connection, and the ones the platform adds.
fn headers(request: &Incoming) -> Vec<(String, Vec<String>)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let named: Vec<String> = request
        .headers
        .get_all("connection")
        .iter()
        .flat_map(|value| {
            text(value.as_bytes())
                .to_ascii_lowercase()
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let of_connection = |name: &str| {
        matches!(
            name,
            "connection"
                | "keep-alive"
                | "proxy-authorization"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
                | "expect"
        ) || named.iter().any(|listed| listed == name)
    };
    let pairs = request.headers.iter().filter(|(name, _)| !of_connection(name.as_str()));
    let mut groups = grouped(pairs.map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))));
    let mut set = |name: &str, value: String| match groups.iter_mut().find(|(known, _)| known == name) {
        Some((_, values)) => *values = vec![value],
        None => groups.push((name.to_owned(), vec![value])),
    };
    // The platform overwrites what a client claims about these, but keeps the addresses a proxy before it has seen.
    let before: Vec<String> =
        request.headers.get_all("x-forwarded-for").iter().map(|value| text(value.as_bytes())).collect();
    let peer = request.peer.to_string();
    let chain = before.into_iter().chain([peer]).collect::<Vec<_>>().join(", ");
    set("x-forwarded-for", chain);
    set("x-forwarded-proto", "http".into());
    set("x-forwarded-port", request.port.to_string());
    groups
}

/// The body as an event carries it, and whether it is in base64.
fn body(request: &Incoming, flavor: Flavor) -> (Option<String>, bool) {
    if request.body.is_empty() {
        return (None, false);
    }
    let header =
        |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_ascii_lowercase();
    let kind = header("content-type");
    let kind = kind.split(';').next().unwrap_or("").trim();
    let plain = kind.is_empty()
        || kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(kind, "application/json" | "application/xml" | "application/javascript" | "application/graphql");
    let packed = !matches!(header("content-encoding").as_str(), "" | "identity");
    // REST APIs take everything for text unless told otherwise; here, unless it can't be.
    let wanted_as_text = !packed && (plain || flavor == Flavor::Rest);
    match std::str::from_utf8(&request.body) {
        Ok(text) if wanted_as_text => (Some(text.to_owned()), false),
        _ => (Some(base64::engine::general_purpose::STANDARD.encode(&request.body)), true),
    }
}

fn object(pairs: impl IntoIterator<Item = (String, Json)>) -> Json {
    Json::Object(pairs.into_iter().collect::<Map<_, _>>())
}

/// Several values under one name, as format 2.0 joins them.
fn joined(groups: &[(String, Vec<String>)]) -> Json {
    object(groups.iter().map(|(name, values)| (name.clone(), values.join(",").into())))
}

/// Several values under one name: the last counts, as format 1.0 has it.
fn last(groups: &[(String, Vec<String>)]) -> Json {
    object(groups.iter().map(|(name, values)| (name.clone(), values.last().cloned().into())))
}

fn multiple(groups: &[(String, Vec<String>)]) -> Json {
    object(groups.iter().map(|(name, values)| (name.clone(), values.clone().into())))
}

fn first_of<'a>(groups: &'a [(String, Vec<String>)], name: &str) -> Option<&'a str> {
    groups.iter().find(|(known, _)| known == name)?.1.first().map(String::as_str)
}

fn parameters(found: &Found) -> Option<Json> {
    let all = found.parameters.iter().map(|(name, value)| (name.clone(), Json::from(value.clone())));
    (!found.parameters.is_empty()).then(|| object(all))
}

/// `12/Mar/2026:19:03:58 +0000`.
fn time(milliseconds: i64) -> String {
    let timestamp = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    timestamp.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
}

/// The claims of a bearer token, unverified.
fn claims(request: &Incoming) -> Option<Json> {
    let header = request.headers.get("authorization")?.to_str().ok()?;
    let token = header.strip_prefix("Bearer ").or_else(|| header.strip_prefix("bearer ")).unwrap_or(header);
    let payload = token.split('.').nth(1)?;
    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Json = serde_json::from_slice(&raw).ok()?;
    claims.is_object().then_some(claims)
}

/// Payload format 2.0.
fn http(request: &Incoming, found: &Found) -> Json {
    let route = &found.route;
    let mut headers = headers(request);
    let route_key = match route.path.as_str() {
        "$default" => "$default".to_owned(),
        path => format!("{} {path}", route.method),
    };
    let cookies: Vec<Json> = headers
        .iter()
        .filter(|(name, _)| name == "cookie")
        .flat_map(|(_, values)| values.iter().flat_map(|value| value.split(';')))
        .map(str::trim)
        .filter(|cookie| !cookie.is_empty())
        .map(Json::from)
        .collect();
    if route.flavor == Flavor::Http {
        headers.retain(|(name, _)| name != "cookie");
    }
    // Who reads events tells function URLs from APIs by this name, the only thing in them that differs.
    let host = match route.flavor {
        Flavor::FunctionUrl => format!("{}.lambda-url.us-east-1.on.aws", route.function.to_ascii_lowercase()),
        _ => first_of(&headers, "host").unwrap_or("localhost").to_owned(),
    };
    let mut context = json!({
        "accountId": if route.flavor == Flavor::FunctionUrl { "anonymous" } else { ACCOUNT },
        "apiId": if route.flavor == Flavor::FunctionUrl { route.function.to_ascii_lowercase() } else { "local".into() },
        "domainName": host,
        "domainPrefix": host.split(['.', ':']).next().unwrap_or("localhost"),
        "http": {
            "method": request.method,
            "path": found.path,
            "protocol": request.protocol,
            "sourceIp": request.peer.to_string(),
            "userAgent": first_of(&headers, "user-agent").unwrap_or(""),
        },
        "requestId": request.request_id,
        "routeKey": route_key,
        "stage": "$default",
        "time": time(request.time),
        "timeEpoch": request.time,
    });
    if let (Authorization::Jwt(_) | Authorization::Cognito(_), Some(claims)) = (&route.authorization, claims(request)) {
        context["authorizer"] = json!({ "jwt": { "claims": claims, "scopes": null } });
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": found.path,
        "rawQueryString": request.query,
        "headers": joined(&headers),
        "requestContext": context,
    });
    // What isn't there is left out in this format.
    if !cookies.is_empty() {
        event["cookies"] = Json::Array(cookies);
    }
    let query = grouped(query_pairs(&request.query));
    if !query.is_empty() {
        event["queryStringParameters"] = joined(&query);
    }
    if let Some(parameters) = parameters(found) {
        event["pathParameters"] = parameters;
    }
    let (body, encoded) = body(request, route.flavor);
    if let Some(body) = body {
        event["body"] = body.into();
    }
    event["isBase64Encoded"] = encoded.into();
    event
}

/// `content-type` as most clients write it: `Content-Type`.
fn title_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// Payload format 1.0.
fn rest(request: &Incoming, found: &Found) -> Json {
    let route = &found.route;
    // The library that reads the request has made the names lower case; functions for REST APIs expect them as sent.
    let headers: Vec<(String, Vec<String>)> =
        headers(request).into_iter().map(|(name, values)| (title_case(&name), values)).collect();
    let query = grouped(query_pairs(&request.query));
    let empty_is_null =
        |groups: &[(String, Vec<String>)], value: Json| if groups.is_empty() { Json::Null } else { value };
    let host = first_of(&headers, "Host").unwrap_or("localhost").to_owned();
    let resource = if route.path == "$default" { "/{proxy+}" } else { &route.path };
    let (body, encoded) = body(request, route.flavor);
    let mut context = json!({
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": host,
        "domainPrefix": host.split(['.', ':']).next().unwrap_or("localhost"),
        "extendedRequestId": request.request_id,
        "httpMethod": request.method,
        "identity": {
            "accessKey": null,
            "accountId": null,
            "caller": null,
            "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null,
            "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null,
            "principalOrgId": null,
            "sourceIp": request.peer.to_string(),
            "user": null,
            "userAgent": first_of(&headers, "User-Agent"),
            "userArn": null,
        },
        "path": format!("/Prod{}", found.path),
        "protocol": request.protocol,
        "requestId": request.request_id,
        "requestTime": time(request.time),
        "requestTimeEpoch": request.time,
        "resourceId": "local",
        "resourcePath": resource,
        "stage": "Prod",
    });
    if let (Authorization::Jwt(_) | Authorization::Cognito(_), Some(claims)) = (&route.authorization, claims(request)) {
        context["authorizer"] = json!({ "claims": claims });
    }
    json!({
        "resource": resource,
        "path": found.path,
        "httpMethod": request.method,
        "headers": last(&headers),
        "multiValueHeaders": multiple(&headers),
        "queryStringParameters": empty_is_null(&query, last(&query)),
        "multiValueQueryStringParameters": empty_is_null(&query, multiple(&query)),
        "pathParameters": parameters(found),
        "stageVariables": null,
        "requestContext": context,
        "body": body,
        "isBase64Encoded": encoded,
    })
}

/// What a load balancer hands to a function. Its query stays encoded.
fn load_balancer(request: &Incoming, found: &Found) -> Json {
    let (body, encoded) = body(request, Flavor::LoadBalancer);
    let query = request.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    });
    json!({
        "requestContext": { "elb": {
            "targetGroupArn": format!("arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:targetgroup/local/0"),
        } },
        "httpMethod": request.method,
        "path": found.path,
        "queryStringParameters": last(&grouped(query)),
        "headers": last(&headers(request)),
        "body": body.unwrap_or_default(),
        "isBase64Encoded": encoded,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Route;

    fn request(method: &str, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Incoming {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(hyper::header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        Incoming {
            method: method.into(),
            query: query.into(),
            headers: map,
            body: Bytes::copy_from_slice(body),
            peer: [127, 0, 0, 1].into(),
            protocol: "HTTP/1.1".into(),
            port: 8080,
            request_id: "r-1".into(),
            time: 1_767_225_600_000,
        }
    }

    fn found(flavor: Flavor, path: &str, real: &str, parameters: &[(&str, &str)]) -> Found {
        Found {
            route: Route {
                function: "F".into(),
                method: "GET".into(),
                path: path.into(),
                flavor,
                authorization: Authorization::Jwt("Staff".into()),
            },
            parameters: parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            path: real.into(),
        }
    }

    #[test]
    fn many_names_are_grouped_in_one_pass() {
        let pairs = (0..200_000).map(|number| (format!("n{}", number % 100_000), number.to_string()));
        let groups = grouped(pairs);
        assert_eq!((groups.len(), groups[7].clone()), (100_000, ("n7".into(), vec!["7".into(), "100007".into()])));
    }

    #[test]
    fn format_two_joins_values_and_leaves_out_what_is_not_there() {
        let request = request(
            "GET",
            "a=1&a=2&q=O%27Brien+%26+co",
            &[
                ("Host", "shop.example:80"),
                ("X-A", "1"),
                ("X-A", "2"),
                ("Cookie", "s=1; t=2"),
                ("Connection", "x-hop"),
                ("X-Hop", "1"),
            ],
            b"",
        );
        let event = event(&request, &found(Flavor::Http, "/orders/{id}", "/orders/a%20b", &[("id", "a b")]));
        assert_eq!(event["routeKey"], "GET /orders/{id}");
        assert_eq!(event["rawPath"], "/orders/a%20b");
        assert_eq!(event["rawQueryString"], "a=1&a=2&q=O%27Brien+%26+co");
        assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "q": "O'Brien & co" }));
        assert_eq!(event["pathParameters"], json!({ "id": "a b" }));
        assert_eq!(event["cookies"], json!(["s=1", "t=2"]));
        assert_eq!(
            event["headers"],
            json!({ "host": "shop.example:80", "x-a": "1,2", "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-port": "8080" })
        );
        assert_eq!(event["requestContext"]["time"], "01/Jan/2026:00:00:00 +0000");
        assert!(event.get("body").is_none() && event["isBase64Encoded"] == false);
    }

    #[test]
    fn format_one_has_every_value_and_null_for_nothing() {
        let request =
            request("GET", "a=1&a=2", &[("content-type", "text/plain"), ("x-a", "1"), ("x-a", "2")], b"hello");
        let event = event(&request, &found(Flavor::Rest, "/orders/{proxy+}", "/orders/x", &[("proxy", "x")]));
        assert_eq!(event["resource"], "/orders/{proxy+}");
        assert_eq!(event["headers"]["X-A"], "2");
        assert_eq!(event["multiValueHeaders"]["X-A"], json!(["1", "2"]));
        assert_eq!(event["queryStringParameters"], json!({ "a": "2" }));
        assert_eq!(event["multiValueQueryStringParameters"], json!({ "a": ["1", "2"] }));
        assert_eq!(event["body"], "hello");
        assert_eq!(event["requestContext"]["path"], "/Prod/orders/x");
        assert_eq!(event["requestContext"]["identity"]["sourceIp"], "127.0.0.1");
    }

    #[test]
    fn what_is_not_text_travels_in_base64() {
        for (kind, body, flavor, expected) in [
            ("application/json", &b"{}"[..], Flavor::Http, ("{}", false)),
            ("application/vnd.api+json; charset=utf-8", b"{}", Flavor::Http, ("{}", false)),
            ("", b"plain", Flavor::Http, ("plain", false)),
            ("application/x-www-form-urlencoded", b"a=b", Flavor::Http, ("YT1i", true)),
            ("application/x-www-form-urlencoded", b"a=b", Flavor::Rest, ("a=b", false)),
            ("image/png", b"\x89PNG", Flavor::FunctionUrl, ("iVBORw==", true)),
            ("text/plain", b"\xff", Flavor::Rest, ("/w==", true)),
        ] {
            let headers: Vec<(&str, &str)> = if kind.is_empty() { vec![] } else { vec![("content-type", kind)] };
            let event = event(&request("POST", "", &headers, body), &found(flavor, "$default", "/", &[]));
            assert_eq!(
                (event["body"].as_str().unwrap(), event["isBase64Encoded"].as_bool().unwrap()),
                expected,
                "{kind}"
            );
        }
        let packed = request("POST", "", &[("content-type", "application/json"), ("content-encoding", "gzip")], b"xx");
        assert_eq!(event(&packed, &found(Flavor::Http, "/", "/", &[]))["isBase64Encoded"], true);
    }

    #[test]
    fn claims_of_a_token_reach_the_function() {
        // {"alg":"none"}.{"sub":"ann"}.
        let request = request("GET", "", &[("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.x")], b"");
        let two = event(&request, &found(Flavor::Http, "/", "/", &[]));
        assert_eq!(two["requestContext"]["authorizer"]["jwt"]["claims"]["sub"], "ann");
        let one = event(&request, &found(Flavor::Rest, "/", "/", &[]));
        assert_eq!(one["requestContext"]["authorizer"]["claims"]["sub"], "ann");
    }

    #[test]
    fn a_function_url_is_told_by_its_domain() {
        let request = request("GET", "", &[("host", "127.0.0.1:8080"), ("cookie", "a=1")], b"");
        let event = event(&request, &found(Flavor::FunctionUrl, "$default", "/x", &[]));
        assert_eq!(event["requestContext"]["domainName"], "f.lambda-url.us-east-1.on.aws");
        assert_eq!(event["routeKey"], "$default");
        assert_eq!((&event["headers"]["cookie"], &event["cookies"]), (&json!("a=1"), &json!(["a=1"])));
    }

    #[test]
    fn a_load_balancer_leaves_the_query_encoded() {
        let event = event(&request("GET", "q=a%20b", &[], b""), &found(Flavor::LoadBalancer, "*", "/x", &[]));
        assert_eq!(event["queryStringParameters"]["q"], "a%20b");
        assert!(event["requestContext"]["elb"].is_object());
    }
}
