//! What the server answers before it can answer anything else: that it starts.

use std::time::Duration;

use axum::Router as HttpRouter;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, UPGRADE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::refusal::retry_after_seconds;

/// The routes of the server; none while it starts.
pub type Routes = watch::Receiver<Option<HttpRouter>>;

/// The routes while storage is read and before any plugin is loaded. The server is alive, and not ready; a client that asks
/// for a socket waits this long for the server.
pub fn starting(routes: Routes, patience: Duration) -> HttpRouter {
    let early = move |request: Request| {
        let mut routes = routes.clone();
        async move {
            if request.headers().contains_key(UPGRADE) {
                let started = tokio::time::timeout(patience, routes.wait_for(Option::is_some)).await;
                if let Some(routes) = started.ok().and_then(|routes| routes.ok()?.clone()) {
                    return match routes.oneshot(request).await {
                        Ok(answer) => answer,
                        Err(never) => match never {},
                    };
                }
            }
            not_yet("the server starts; try again\n")
        }
    };
    HttpRouter::new().route("/_parlor/health", get(|| async { "ok\nthe server starts\n" })).fallback(early)
}

/// The answer to a request that comes too early.
pub fn not_yet(words: impl Into<String>) -> Response {
    let seconds = retry_after_seconds(None).to_string();
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, seconds)], words.into()).into_response()
}
