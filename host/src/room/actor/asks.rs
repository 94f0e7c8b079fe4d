//! How what the room asked its clients ends: with an answer, without one in time, or with the socket.

use bytes::Bytes;

use super::Room;
use crate::clock::{Instant, unix_ms};
use crate::model::asks::Ask;
use crate::model::body::{EventData, Payload};
use crate::model::event::{ClientAnswer, Event, SocketId, hook};
use crate::model::json::Json;

/// What a plugin finds in the place of an answer that is bytes.
const BYTES: &str = r#"{"_placeholder":true,"num":0}"#;

impl Room {
    /// A client answers an ask. An answer to nothing is ignored.
    pub(super) async fn answered(&mut self, socket: SocketId, answer: ClientAnswer, accepted_at: f64) {
        let ClientAnswer { ask, data } = answer;
        if let Some(ask) = self.turns.people.state.asks.take((socket, ask)) {
            self.run_ack(socket, ask.name, outcome("answered", data), Some(socket), accepted_at).await;
        }
    }

    /// Ends the ask that timed out first.
    pub(super) async fn timed_out(&mut self) {
        if let Some((socket, Ask { name, set_by, .. })) = self.turns.people.state.asks.take_due(Instant::now()) {
            self.run_ack(socket, name, outcome("timeout", EventData::default()), set_by, unix_ms()).await;
        }
    }

    /// Ends what a socket was asked that is gone.
    pub(super) async fn gone(&mut self, socket: SocketId) {
        while let Some(ask) = self.turns.people.state.asks.take_of(socket) {
            self.run_ack(socket, ask.name, outcome("gone", EventData::default()), Some(socket), unix_ms()).await;
            // One end of a socket may be many turns.
            self.turns.wait_for_share().await;
        }
    }

    async fn run_ack(
        &mut self,
        socket: SocketId,
        name: String,
        data: EventData,
        caused_by: Option<SocketId>,
        accepted_at: f64,
    ) {
        // First, so that an answer that nobody wants does not wake a room that sleeps.
        let is_wanted = self.turns.code.wants(hook::ACK) && self.turns.make_ready().await;
        if !is_wanted || !self.turns.code.asks_for(hook::ACK) {
            return log!(
                debug,
                &self.turns.door.key,
                name,
                "an ask is over, and the plugin has no handler for answers"
            );
        }
        let event = Event::hook(hook::ACK, None, Some(socket), accepted_at);
        self.turns.give(Event { name, data, caused_by, ..event }).await;
    }
}

/// What `$ack` gets: how the ask ended, with the client's answer.
fn outcome(word: &str, answer: EventData) -> EventData {
    let (value, attachments) = match answer.payload {
        Some(Payload::Json(json)) => (Some(json.into_text()), answer.attachments),
        Some(Payload::Binary(bytes)) => (Some(BYTES.to_owned()), vec![Bytes::from(bytes)]),
        None => (None, Vec::new()),
    };
    let word = format!("\"{word}\"");
    let members = [("outcome", Some(word)), ("data", value)];
    let members = members.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    EventData { attachments, ..EventData::of(Some(Payload::Json(Json::of_members(members)))) }
}
