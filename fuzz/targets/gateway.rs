#![no_main]
//! Requests as events, and functions' answers as responses. Lines are route, method, path, query, headers and body; the same body
//! is taken as a function's answer.

use gateway::{Answer, Bytes, Flavor, Incoming, Route, Routes, response};
use graph::Authorization;
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};

const FLAVORS: [Flavor; 4] = [Flavor::Rest, Flavor::Http, Flavor::FunctionUrl, Flavor::LoadBalancer];

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(6, |byte| *byte == b'\n');
    let mut line = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (route, method, path, query, headers, body) = (line(), line(), line(), line(), line(), line());
    let body = Bytes::from(body);
    let mut map = HeaderMap::new();
    for header in headers.split(';').take(32) {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            map.append(name, value);
        }
    }
    for flavor in FLAVORS {
        let mut routes = Routes::default();
        routes.add(Route {
            function: "Function".into(),
            method: "ANY".into(),
            path: route.clone(),
            flavor,
            authorization: Authorization::None,
        });
        let request = Incoming {
            method: method.clone(),
            query: query.clone(),
            headers: map.clone(),
            body: body.clone(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            protocol: "HTTP/1.1".into(),
            port: 80,
            request_id: "1".into(),
            time: 0,
        };
        let _ = routes.event(&request, &path);
        for (failed, streamed) in [(false, false), (true, false), (false, true)] {
            let answer = Answer { payload: body.clone(), failed, streamed, ..Answer::default() };
            let _ = response(flavor, Ok(answer));
        }
    }
});
