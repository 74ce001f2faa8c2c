//! Telling the platform, and whoever reads the log, why the function was not started.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

/// `EX_CONFIG` of sysexits: something in the configuration.
const CONFIGURATION: u8 = 78;
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the agent gave up.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The type of the error as the platform shows it.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn configuration(message: impl Into<String>) -> Problem {
        Problem { kind: "Ringfence.Configuration", message: message.into() }
    }

    pub(crate) fn fence(message: impl Into<String>) -> Problem {
        Problem { kind: "Ringfence.Fence", message: message.into() }
    }

    pub(crate) fn perimeter(message: impl Into<String>) -> Problem {
        Problem { kind: "Ringfence.Perimeter", message: message.into() }
    }
}

/// Says it to the platform, where one is there, and on standard error.
pub(crate) fn give_up(problem: &Problem) -> ExitCode {
    eprintln!("ringfence-agent: {}; the function was not started", problem.message);
    if let Some(api) = std::env::var_os("AWS_LAMBDA_RUNTIME_API").and_then(|api| api.into_string().ok()) {
        // It may be the very thing that can't be reached.
        let _ = tell(&api, problem);
    }
    ExitCode::from(CONFIGURATION)
}

fn tell(api: &str, problem: &Problem) -> std::io::Result<()> {
    let body = serde_json::json!({
        "errorType": problem.kind,
        "errorMessage": format!("{}; the function was not started", problem.message),
        "stackTrace": [],
    })
    .to_string();
    let address = api.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {api}\r\nContent-Type: application/json\r\n\
         Lambda-Runtime-Function-Error-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        problem.kind,
        body.len()
    )?;
    // Until the platform has answered it may not have read it.
    let mut answer = [0; 256];
    stream.read(&mut answer).map(|_| ())
}
