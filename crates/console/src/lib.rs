//! The console: a page on loopback that shows the application, what is being stopped, and each function's fence beside what it did.
//!
//! Rendered here, on the server; one style sheet and one small script, both within the program, so that it works offline.
//! What it shows is hostile by definition (the excerpts of attacks): `html` is how none of it becomes markup, and `door`
//! says who may ask at all.
//!
//! Deliberately absent: any action. The console only reads; it has no login, and refuses to listen anywhere but on loopback.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod door;
mod function;
mod html;
mod hunt;
mod layout;
mod live;
mod map;
mod overview;
mod usage;
mod verdict;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::routing::get;
use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// The most bytes a request may bring along.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How many pages may follow the live stream at once.
const MAX_LIVE: usize = 64;

/// What the console shows.
#[derive(Debug)]
pub struct State {
    /// The application's name, for the title.
    pub name: String,
    /// What was read from its source.
    pub estate: graph::Estate,
    /// Its fence.
    pub fence: fence::Fence,
    /// What is happening.
    pub watch: watch::Handle,
    /// What happened.
    pub lake: lake::Reader,
}

#[derive(Debug)]
struct Console {
    state: State,
    live: Arc<Semaphore>,
}

type Shared = axum::extract::State<Arc<Console>>;

/// The console's pages. Whoever serves them elsewhere than through [`serve`] sees to it that it is on loopback.
pub fn router(state: State) -> Router {
    let console = Arc::new(Console { state, live: Arc::new(Semaphore::new(MAX_LIVE)) });
    // The door is the outermost layer: nothing is routed for whom it turns away.
    Router::new()
        .route("/", get(overview::page))
        .route("/function/{name}", get(function::page))
        .route("/hunt", get(hunt::page))
        .route("/live", get(live::stream))
        .route("/assets/style.css", get(style))
        .route("/assets/console.js", get(script))
        .route("/favicon.ico", get(icon))
        .fallback(layout::not_found)
        .with_state(console)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(axum::middleware::from_fn(door::door))
}

/// Why the console couldn't be served.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The listener isn't on loopback.
    NotLoopback(SocketAddr),
    /// The listener failed.
    Listen(std::io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotLoopback(address) => {
                write!(f, "the console has no login and listens on loopback only, not on `{address}`")
            }
            Self::Listen(error) => write!(f, "the console can't listen: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotLoopback(_) => None,
            Self::Listen(error) => Some(error),
        }
    }
}

/// Serves the console on `listener` until `stop` is ready.
///
/// # Errors
/// When the listener isn't on loopback, or fails.
pub async fn serve(listener: TcpListener, state: State, stop: impl Future<Output = ()>) -> Result<(), Error> {
    let address = listener.local_addr().map_err(Error::Listen)?;
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    // Not graceful: a live stream never ends by itself, and a page that is cut off is only drawn again.
    tokio::select! {
        served = axum::serve(listener, router(state)).into_future() => served.map_err(Error::Listen),
        () = stop => Ok(()),
    }
}

async fn style() -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../assets/style.css"))
}

async fn script() -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../assets/console.js"))
}

async fn icon() -> impl axum::response::IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml")], include_str!("../assets/icon.svg"))
}
