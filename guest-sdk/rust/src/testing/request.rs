//! The request of a client that connects to a test room.

use crate::Request;

/// The request that a client makes for an address such as `/ws?room=lobby`: without headers, from 127.0.0.1.
///
/// ```
/// use parlor_guest::{prelude::*, testing::{TestRoom, request}};
///
/// let room = TestRoom::new(|room| {
///     room.authorize(|req| Ok(Meta::new(req.header("x-user").unwrap_or("nobody"))));
/// });
/// let mut req = request("/ws");
/// req.headers.push(("x-user".into(), "ada".into()));
/// assert_eq!(room.connect(req).meta().user_id, "ada");
/// ```
pub fn request(address: &str) -> Request {
    let mut request = Request {
        uri: format!("ws://localhost{address}"),
        room: String::new(),
        headers: Vec::new(),
        remote: "127.0.0.1".to_owned(),
    };
    request.room = request.query("room").unwrap_or_else(|| "default".to_owned());
    request
}

impl From<&str> for Request {
    fn from(address: &str) -> Self {
        request(address)
    }
}
