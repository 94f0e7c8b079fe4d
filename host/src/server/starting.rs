//! What the server answers before it can answer anything else: that it starts.

use axum::Router as HttpRouter;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::IntoResponse;
use axum::routing::get;

use super::door::retry_after_seconds;

/// The routes while storage is read and before any plugin is loaded. The server is alive, and not ready.
pub fn starting() -> HttpRouter {
    HttpRouter::new()
        .route("/_parlor/health", get(|| async { "ok\nthe server starts\n" }))
        .fallback(|| async { not_yet("the server starts; try again\n") })
}

/// The answer to a request that comes too early.
pub fn not_yet(words: impl Into<String>) -> impl IntoResponse {
    let seconds = retry_after_seconds(None).to_string();
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, seconds)], words.into())
}
