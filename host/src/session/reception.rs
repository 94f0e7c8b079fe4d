//! Who lets a session's client into namespaces: the server knows addresses, plugins and tenants, the session does not.

use futures_util::future::BoxFuture;

use crate::model::json::Json;
use crate::socket::Seat;

/// Lets one session's client into namespaces.
pub trait Reception: Send + Sync {
    /// Has the plugin of a namespace say who the client is, and takes a seat in the room that it asks for. `auth` is what the
    /// client sent with its wish.
    fn connect(&self, namespace: &str, auth: Option<Json>) -> BoxFuture<'static, Result<Seat, NotAdmitted>>;
}

/// Why a client does not come into a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAdmitted {
    /// No plugin serves it.
    NoSuchNamespace,
    /// With an HTTP status, and words for people. What `passes` is no verdict on the client: it may come back.
    Refused { status: u16, words: String, passes: bool },
}
