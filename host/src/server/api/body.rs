//! How long the body of a request may take: like half a head, half a body holds a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use futures_util::stream::try_unfold;

use super::error::ApiError;
use crate::clock::Instant;
use crate::server::forwarded::RemoteClient;

/// A layer of routes: a request whose body is not there in time is answered with 408, and the connection ends.
pub async fn require_body_in_time(
    State(wait): State<Duration>,
    Extension(client): Extension<RemoteClient>,
    request: Request,
    next: Next,
) -> Response {
    let is_late = Arc::new(AtomicBool::new(false));
    let (noted, deadline) = (Arc::clone(&is_late), Instant::now() + wait);
    let request = request.map(|body| {
        let parts = body.into_data_stream();
        Body::from_stream(try_unfold(parts, move |mut parts| {
            let noted = Arc::clone(&noted);
            async move {
                match tokio::time::timeout_at(deadline, parts.next()).await {
                    Ok(part) => part.transpose().map(|part| part.map(|part| (part, parts))),
                    Err(late) => {
                        noted.store(true, Ordering::Relaxed);
                        Err(axum::Error::new(late))
                    }
                }
            }
        }))
    });
    let response = next.run(request).await;
    if !is_late.load(Ordering::Relaxed) {
        return response;
    }
    let words = format!("the body did not arrive within {} ms: handshake-ms", wait.as_millis());
    tracing::debug!(client = %client.address, "refused a request: {words}");
    let mut response = ApiError::new(StatusCode::REQUEST_TIMEOUT, words).into_response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
