//! Answers that may take long are made on a thread of their own, so that nobody who connects meanwhile waits for them.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::refusal::plain;

/// A layer of routes: runs their handlers on a runtime's thread. If the client hangs up, the handler ends.
pub async fn answer_aside(State(thread): State<Handle>, request: Request, next: Next) -> Response<Body> {
    let mut answering = JoinSet::new();
    answering.spawn_on(next.run(request), &thread);
    match answering.join_next().await {
        Some(Ok(response)) => response,
        why => {
            tracing::error!("a request was not answered: {why:?}");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the server failed to answer this request")
        }
    }
}
