//! The answer to a client that gets no socket: a status, and words for people.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Response, StatusCode};

use crate::fleet::NoRoom;
use crate::session::NotAdmitted;

/// The least `Retry-After`, and how far it varies, so that clients who were turned away together do not come back
/// together.
const RETRY_AFTER_SECONDS: (u64, u64) = (2, 8);

/// Why there is no socket: a status, and words for people.
pub struct UpgradeRefusal {
    status: StatusCode,
    words: String,
    /// How long the client has to wait until another try can succeed; none where nobody knows.
    retry_after: Option<Duration>,
    /// Whether it is the host's own, and about the moment.
    passes: bool,
}

impl UpgradeRefusal {
    pub fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, words: words.into(), retry_after: None, passes: false }
    }

    pub fn nobody() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no plugin serves this path")
    }

    pub fn busy(words: &str) -> Self {
        Self { passes: true, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, words) }
    }

    pub fn too_many(words: &str) -> Self {
        Self { passes: true, ..Self::new(StatusCode::TOO_MANY_REQUESTS, words) }
    }

    /// The room cannot be entered.
    pub fn no_room(why: NoRoom) -> Self {
        match why {
            NoRoom::NotServed => Self::busy("the plugin is retired"),
            NoRoom::TooMany => Self::busy("too many open rooms: rooms-per-tenant"),
            NoRoom::Crashed(wait) => {
                Self { retry_after: Some(wait), ..Self::busy("the room failed too often: room-faults") }
            }
            NoRoom::Quarantined(wait) => {
                Self { retry_after: Some(wait), ..Self::busy("the plugin is out of service: quarantined") }
            }
            NoRoom::Refused(wait) => {
                let words = "this client made the plugin fail too often: client-faults";
                Self { retry_after: Some(wait), ..Self::too_many(words) }
            }
            NoRoom::Draining => Self::busy("the server is shutting down"),
        }
    }

    /// Whether no plugin serves the path.
    pub fn is_nobody(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// The status and the words, for a client that needs no response.
    pub fn into_parts(self) -> (u16, String) {
        (self.status.as_u16(), self.words)
    }

    /// The same refusal for a client of a session.
    pub fn into_not_admitted(self) -> NotAdmitted {
        NotAdmitted::Refused { status: self.status.as_u16(), words: self.words, passes: self.passes }
    }

    pub fn into_response(self) -> Response<Body> {
        let Self { status, words, retry_after, .. } = self;
        let mut response = plain(status, words);
        let headers = response.headers_mut();
        if status == StatusCode::UPGRADE_REQUIRED {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            // Whatever else waits in the connection is not read.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds(retry_after)));
        }
        response
    }
}

/// An answer that is text for people, and is never taken for anything else.
pub fn plain(status: StatusCode, words: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(words.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The seconds for `Retry-After`: more than `wait`, and not the same for everybody.
pub fn retry_after_seconds(wait: Option<Duration>) -> u64 {
    let (least, spread) = RETRY_AFTER_SECONDS;
    let mut byte = [0];
    // If the system gives no randomness, everybody gets the same number, which is better than none.
    let _ = getrandom::fill(&mut byte);
    wait.map_or(least, |wait| wait.as_secs() + 1) + u64::from(byte[0]) % (spread + 1)
}
