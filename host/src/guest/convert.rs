//! Conversions between the contract's generated types and the model's.

use super::bindings::exports::parlor::room::guest;
use super::bindings::parlor::room::types as wit;
use crate::model::body::Payload;
use crate::model::event::{Event, Failure};
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::refusal::{Bound, Refusal};

pub fn event_to_guest(event: Event) -> wit::Event {
    wit::Event {
        cause: event.cause,
        name: event.name,
        channel: event.channel,
        payload: event.data.payload.map(payload_to_guest),
        socket: event.socket,
        answer_wanted: event.ack.is_some(),
        accepted_at: event.accepted_at,
    }
}

pub fn payload_to_guest(payload: Payload) -> wit::Payload {
    match payload {
        Payload::Json(json) => wit::Payload::Json(json.into_text()),
        Payload::Binary(bytes) => wit::Payload::Binary(bytes),
    }
}

/// Takes a payload from a guest, and checks that its JSON is JSON.
pub fn payload_from_guest(payload: wit::Payload) -> Result<Payload, Refusal> {
    match payload {
        wit::Payload::Json(text) => {
            Json::parse(text).map(Payload::Json).map_err(|why| Refusal::invalid(format!("data: {why}")))
        }
        wit::Payload::Binary(bytes) => Ok(Payload::Binary(bytes)),
    }
}

pub fn payload_bytes(payload: &wit::Payload) -> usize {
    match payload {
        wit::Payload::Json(text) => text.len(),
        wit::Payload::Binary(bytes) => bytes.len(),
    }
}

pub fn meta_to_guest(meta: &Meta) -> wit::Meta {
    let Meta { user_id, client_id, channels, fields } = meta.clone();
    wit::Meta { user_id, client_id, channels, fields }
}

pub fn meta_from_guest(meta: wit::Meta) -> Meta {
    let wit::Meta { user_id, client_id, channels, fields } = meta;
    let fields = if fields.is_empty() { "{}".to_owned() } else { fields };
    Meta { user_id, client_id, channels, fields }
}

/// Takes a failure from a guest. Cuts its code and message, which go into logs and to clients.
pub fn failure_from_guest(failure: guest::Failure) -> Failure {
    let guest::Failure { mut code, mut message, for_sender } = failure;
    code.truncate(code.floor_char_boundary(128));
    message.truncate(message.floor_char_boundary(1_024));
    Failure { code, message, for_sender }
}

pub fn refusal_to_guest(refusal: Refusal) -> wit::Refusal {
    match refusal {
        Refusal::LimitExceeded(bound) => wit::Refusal::LimitExceeded(bound.name().to_owned()),
        Refusal::NoSuchSocket => wit::Refusal::NoSuchSocket,
        Refusal::NoTurn => wit::Refusal::NoTurn,
        Refusal::Invalid(why) => wit::Refusal::Invalid(why),
        Refusal::Other(why) => wit::Refusal::Other(why),
    }
}

/// Takes a refusal back from a tape.
pub fn refusal_of_tape(refusal: wit::Refusal) -> Refusal {
    match refusal {
        wit::Refusal::LimitExceeded(name) => match Bound::ALL.iter().find(|bound| bound.name() == name) {
            Some(bound) => Refusal::LimitExceeded(*bound),
            None => Refusal::Other(format!("the bound {name} would be passed")),
        },
        wit::Refusal::NoSuchSocket => Refusal::NoSuchSocket,
        wit::Refusal::NoTurn => Refusal::NoTurn,
        wit::Refusal::Invalid(why) => Refusal::Invalid(why),
        wit::Refusal::Other(why) => Refusal::Other(why),
    }
}
