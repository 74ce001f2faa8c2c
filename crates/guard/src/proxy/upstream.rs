//! The connection to the platform.

use super::body::Outgoing;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;

/// The platform's Runtime API could not be reached, or did not do what it has to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Runtime API at `{upstream}` is lost: {why}")]
pub struct Lost {
    /// Its address.
    pub upstream: String,
    /// What happened.
    pub why: String,
}

const REFUSED: &str = "no connection: ";
/// Pauses before connecting again.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(20), Duration::from_millis(100)];

impl Lost {
    /// Something that need not happen the next time.
    pub(super) fn once(upstream: &str, why: &str) -> Lost {
        Lost { upstream: upstream.to_owned(), why: why.to_owned() }
    }

    /// Whether nobody is there any more.
    pub(super) fn is_final(&self) -> bool {
        self.why.starts_with(REFUSED)
    }
}

/// One connection, made when needed.
pub(super) struct Upstream {
    address: String,
    sender: Option<SendRequest<Outgoing>>,
    remake: bool,
}

impl Upstream {
    pub(super) fn new(address: String) -> Upstream {
        Upstream { address, sender: None, remake: false }
    }

    /// Lets the next request have a new connection.
    pub(super) fn remake(&mut self) {
        self.remake = true;
    }

    /// Sends a request. One that never left is sent again on a new connection; one that did is not, since nobody knows
    /// what became of it.
    pub(super) async fn send(&mut self, request: Request<Outgoing>) -> Result<Response<Incoming>, Lost> {
        if std::mem::take(&mut self.remake) {
            self.sender = None;
        }
        let mut request = request;
        let mut retried = false;
        loop {
            let mut sender = self.ready().await?;
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.sender = Some(sender);
                    return Ok(response);
                }
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !retried => {
                        request = unsent;
                        retried = true;
                    }
                    _ => return Err(Lost::once(&self.address, &error.into_error().to_string())),
                },
            }
        }
    }

    async fn ready(&mut self) -> Result<SendRequest<Outgoing>, Lost> {
        if let Some(mut sender) = self.sender.take()
            && !sender.is_closed()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let mut why = String::new();
        for pause in PAUSES {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            match self.connect().await {
                Ok(sender) => return Ok(sender),
                Err(error) => why = error,
            }
        }
        Err(Lost { upstream: self.address.clone(), why: format!("{REFUSED}{why}") })
    }

    async fn connect(&self) -> Result<SendRequest<Outgoing>, String> {
        let stream = TcpStream::connect(self.address.as_str()).await.map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let (sender, connection) = Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            // Whoever waits for a response learns of an error there.
            let _ = connection.await;
        });
        Ok(sender)
    }
}
