//! What requests of HTTP ask of a session, and what they are answered.

use tokio::sync::oneshot;

use super::probe::Opening;
use crate::protocol::engineio::{BadEnginePacket, PollingBody};

/// A request of HTTP that concerns a session.
pub enum Knock {
    /// A GET: the answer is what is to be said to the client. Dropping the other end ends the session.
    Poll(oneshot::Sender<PollAnswer>),
    /// A POST: it is answered when the rooms have a place for what it brings.
    Post { body: Result<PollingBody, BadEnginePacket>, taken: oneshot::Sender<PostAnswer> },
    /// A WebSocket that is to take over, and the counted places of its connection.
    Upgrade { opening: Opening, held: Box<dyn Send> },
}

/// The answer to a GET.
#[derive(Debug)]
pub enum PollAnswer {
    Payload(String),
    /// Two polls at a time: the session is gone.
    Overlap,
}

/// The answer to a POST.
#[derive(Debug)]
pub enum PostAnswer {
    Taken,
    /// Why the session ended over it.
    Wrong(String),
}
