//! The bodies that go through: as they come, or made here; and what is kept of them on the way.

use hyper::Request;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// Bytes of an answer that are kept for its record.
const KEPT: usize = 1 << 20;

/// A body on its way out.
pub(super) enum Outgoing {
    Full(Option<Bytes>),
    Through(Incoming, Option<Captured>),
}

impl Outgoing {
    pub(super) fn empty() -> Outgoing {
        Outgoing::Full(None)
    }

    pub(super) fn full(bytes: Bytes) -> Outgoing {
        Outgoing::Full((!bytes.is_empty()).then_some(bytes))
    }

    pub(super) fn through(body: Incoming) -> Outgoing {
        Outgoing::Through(body, None)
    }

    /// A request whose body goes through, and what will have been seen of it; `whole` keeps its bytes, within bounds.
    pub(super) fn captured(request: Request<Incoming>, whole: bool) -> (Request<Outgoing>, Captured) {
        let captured = Captured(Arc::new(Mutex::new(Seen { keep: whole, ..Seen::default() })));
        (request.map(|body| Outgoing::Through(body, Some(captured.clone()))), captured)
    }
}

/// What was seen of a body.
#[derive(Clone)]
pub(super) struct Captured(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    bytes: u64,
    failed: bool,
    keep: bool,
    kept: Vec<Bytes>,
}

impl Captured {
    pub(super) fn of(bytes: Bytes) -> Captured {
        Captured(Arc::new(Mutex::new(Seen { bytes: bytes.len() as u64, kept: vec![bytes], ..Seen::default() })))
    }

    fn see(&self, frame: &Frame<Bytes>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(data) = frame.data_ref() {
            seen.bytes += data.len() as u64;
            if seen.keep && seen.bytes <= KEPT as u64 {
                seen.kept.push(data.clone());
            } else {
                // Half an answer can't be read.
                seen.keep = false;
                seen.kept.clear();
            }
        }
        if let Some(trailers) = frame.trailers_ref() {
            seen.failed |= trailers.contains_key("lambda-runtime-function-error-type");
        }
    }

    /// How many bytes there were.
    pub(super) fn bytes(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Whether the trailers said that the function failed.
    pub(super) fn failed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed
    }

    /// The bytes, where they were kept.
    pub(super) fn kept(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).kept.concat()
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Outgoing::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Outgoing::Through(body, captured) => {
                let polled = Pin::new(body).poll_frame(context);
                if let (Poll::Ready(Some(Ok(frame))), Some(captured)) = (&polled, captured) {
                    captured.see(frame);
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Outgoing::Full(bytes) => bytes.is_none(),
            Outgoing::Through(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Outgoing::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Outgoing::Through(body, _) => body.size_hint(),
        }
    }
}
