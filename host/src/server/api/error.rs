//! How the API refuses: a status, and `{"error": words}`.

use std::time::Duration;

use axum::Json as JsonBody;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::model::names::{BadName, PluginKey};
use crate::server::refusal::retry_after_seconds;

/// Why a request is refused.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    words: String,
    /// How long the client has to wait until another try can succeed; none where nobody knows.
    retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct ErrorBody {
    error: String,
}

impl ApiError {
    pub fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), retry_after: None }
    }

    /// The client asks too much, and can try again after this time.
    pub fn too_much(words: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, words) }
    }

    pub fn bad_request(words: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, words)
    }

    pub fn no_plugin(key: &PluginKey) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no plugin {key}"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, JsonBody(ErrorBody { error: self.words })).into_response();
        if [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&self.status) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds(self.retry_after)));
        }
        response
    }
}

impl From<BadName> for ApiError {
    fn from(why: BadName) -> Self {
        Self::bad_request(why.to_string())
    }
}

impl From<PathRejection> for ApiError {
    fn from(why: PathRejection) -> Self {
        Self::bad_request(why.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(why: QueryRejection) -> Self {
        Self::bad_request(why.body_text())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(why: JsonRejection) -> Self {
        Self::new(why.status(), why.body_text())
    }
}
