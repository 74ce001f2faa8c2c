//! What the agent adds to an invocation: one host, the same function twice, once behind the agent; invocations take turns, so
//! that whatever else the machine does hits both sides alike.
//!
//! `bench_agent AGENT [INVOCATIONS [ROUNDS [SIZE]]]`, by `cargo xtask bench agent`. The function is a runtime client in Rust that
//! echoes its event, so nothing of a language's runtime hides in the figures.

use host::{Config, FunctionConfig, Host, InvocationType};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const CLIENT: &str = "RINGFENCE_BENCH_CLIENT";
const WARM_UP: usize = 200;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    if std::env::var_os(CLIENT).is_some() {
        return client();
    }
    let mut arguments = std::env::args().skip(1);
    let agent = arguments.next().ok_or("usage: bench_agent AGENT [INVOCATIONS [ROUNDS [SIZE]]]")?;
    let number = |text: Option<String>, default: usize| text.map_or(Ok(default), |text| text.parse());
    let invocations = number(arguments.next(), 1000)?;
    let rounds = number(arguments.next(), 6)?;
    let size = number(arguments.next(), 1024)?;
    let folder = std::env::temp_dir().join(format!("ringfence-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(measure(&agent, &folder, invocations, rounds, size));
    std::fs::remove_dir_all(&folder)?;
    outcome
}

/// A request as API Gateway hands it on, with a JSON body that fills it up to the size.
fn event(size: usize) -> String {
    let body = |note: &str| {
        format!(
            r#"{{\"customer\":\"Ann O'Brien\",\"items\":[{{\"sku\":\"pen-12\",\"quantity\":2}}],\"note\":\"{note}\"}}"#
        )
    };
    let around = |body: &str| {
        format!(
            r#"{{"version":"2.0","routeKey":"POST /orders","rawPath":"/orders","rawQueryString":"","headers":{{"content-type":"application/json","user-agent":"bench","host":"shop.example"}},"requestContext":{{"http":{{"method":"POST","path":"/orders","sourceIp":"192.0.2.7"}},"requestId":"r-1","stage":"$default"}},"body":"{body}","isBase64Encoded":false}}"#
        )
    };
    let words = "please ring twice and leave it with the neighbour, thank you. ";
    let missing = size.saturating_sub(around(&body("")).len());
    let note: String = words.chars().cycle().take(missing).collect();
    around(&body(&note))
}

const FENCE: &str = r##"version: 1
functions:
  guarded:
    events:
      - { source: http-api, method: POST, path: /orders, body: { $ref: "#/schemas/Order" } }
schemas:
  Order:
    type: object
    required: [customer, items]
    properties:
      customer: { type: string, maxLength: 200 }
      note: { type: string }
      items: { type: array, maxItems: 100, items: { type: object, required: [sku, quantity] } }
"##;

async fn measure(
    agent: &str,
    folder: &std::path::Path,
    invocations: usize,
    rounds: usize,
    size: usize,
) -> Result<(), Failure> {
    let fence = folder.join("fence.yaml");
    std::fs::write(&fence, FENCE)?;
    let own: OsString = std::env::current_exe()?.into();
    let guard = [
        agent,
        "--fence",
        &fence.display().to_string(),
        "--function",
        "guarded",
        "--records",
        &folder.join("records").display().to_string(),
        "--",
    ]
    .map(OsString::from);
    let function = |name: &str, command: Vec<OsString>, guarded: bool| FunctionConfig {
        name: name.into(),
        runtime: "provided.al2023".into(),
        command,
        guarded,
        directory: folder.to_path_buf(),
        environment: vec![(CLIENT.into(), "1".into())],
        timeout: Duration::from_secs(10),
        arn: format!("arn:aws:lambda:us-east-1:123456789012:function:{name}"),
        triggers: vec!["http-api".into()],
        current: Default::default(),
    };
    let guarded_command = guard.into_iter().chain([own.clone()]).collect();
    let functions = vec![function("plain", vec![own], false), function("guarded", guarded_command, true)];
    let host = Host::start(Config::new(functions, Arc::new(|_| {})));
    let event = event(size);
    let bytes = event.clone().into_bytes();
    let mut sides = [Vec::new(), Vec::new()];
    let mut differences = Vec::new();
    println!("event of {} bytes, {rounds} rounds of {invocations} pairs", bytes.len());
    for round in 0..=rounds {
        let count = if round == 0 { WARM_UP } else { invocations };
        let (mut plain, mut guarded) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            for (name, times) in [("plain", &mut plain), ("guarded", &mut guarded)] {
                let response = host.invoke(name, bytes.clone().into(), InvocationType::RequestResponse).await?;
                if response.payload.as_ref() != event.as_bytes() {
                    return Err(format!(
                        "{name} answered something else: {}",
                        String::from_utf8_lossy(&response.payload)
                    )
                    .into());
                }
                times.push(response.duration.as_nanos() as f64 / 1000.0);
            }
        }
        if round > 0 {
            let (without, with) = (quantile(&plain, 0.5), quantile(&guarded, 0.5));
            println!("  round {round}: p50 {without:.0} us without, {with:.0} us with, {:+.0} us", with - without);
            differences.extend(plain.iter().zip(&guarded).map(|(plain, guarded)| guarded - plain));
            sides[0].append(&mut plain);
            sides[1].append(&mut guarded);
        }
    }
    host.stop().await;
    println!("             p50       p90       p99");
    for (name, times) in [("without", &sides[0]), ("with", &sides[1]), ("added", &differences)] {
        println!(
            "{name:8} {:7.0} us {:7.0} us {:7.0} us",
            quantile(times, 0.5),
            quantile(times, 0.9),
            quantile(times, 0.99)
        );
    }
    let added = quantile(&sides[1], 0.5) - quantile(&sides[0], 0.5);
    println!(
        "the agent adds {added:.0} us at the median ({:.2} times the invocation without it)",
        quantile(&sides[1], 0.5) / quantile(&sides[0], 0.5)
    );
    Ok(())
}

fn quantile(times: &[f64], at: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = ((sorted.len().saturating_sub(1)) as f64 * at).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// A runtime client that echoes, over one connection.
fn client() -> Result<(), Failure> {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    let mut stream = TcpStream::connect(&api)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        write!(stream, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {api}\r\n\r\n")?;
        let (headers, event) = message(&mut reader)?;
        let id = headers
            .iter()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("lambda-runtime-aws-request-id:").map(|id| id.trim().to_string())
            })
            .ok_or("no request id")?;
        let mut answer = format!(
            "POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nhost: {api}\r\ncontent-length: {}\r\n\r\n",
            event.len()
        )
        .into_bytes();
        answer.extend_from_slice(&event);
        stream.write_all(&answer)?;
        message(&mut reader)?;
    }
}

/// Headers and body of one answer, with a length or in chunks.
fn message(reader: &mut impl BufRead) -> Result<(Vec<String>, Vec<u8>), Failure> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err("the Runtime API hung up".into());
        }
        let line = line.trim_end().to_string();
        if line.is_empty() {
            break;
        }
        headers.push(line);
    }
    let header = |name: &str| {
        headers
            .iter()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(|value| value.trim().to_string()))
    };
    let mut body = Vec::new();
    if let Some(length) = header("content-length:") {
        body.resize(length.parse()?, 0);
        reader.read_exact(&mut body)?;
    } else if header("transfer-encoding:").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16)?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    Ok((headers, body))
}
