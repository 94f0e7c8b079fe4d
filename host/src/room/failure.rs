//! A turn that failed: in one place, who is told what.

use super::actor::Room;
use super::gate::Origin;
use super::handle::RoomShared;
use crate::guest::instance::Fault;
use crate::model::event::{Failure, SocketId};
use crate::model::failure::FailureKind;
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::names::DEFAULT;
use crate::model::refusal::Bound;
use crate::model::text::printable;
use crate::plugin::failures::FailureRecord;
use crate::protocol::verani;
use crate::storage::{StorageError, StorageErrorKind};

/// Why a turn left no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TurnFailure {
    /// A stable word: a fault's or a bound's name, or what the guest says.
    pub(super) code: String,
    pub(super) message: String,
    kind: FailureKind,
    for_sender: bool,
}

impl TurnFailure {
    fn of(kind: FailureKind, code: &str, message: String) -> Self {
        Self { kind, code: code.to_owned(), message, for_sender: false }
    }

    pub(super) fn of_fault(fault: &Fault) -> Self {
        let kind = match fault {
            Fault::Trap(_) => FailureKind::Trap,
            Fault::Deadline => FailureKind::Deadline,
            Fault::Timeout => FailureKind::Timeout,
            Fault::Memory => FailureKind::Memory,
            Fault::HostCalls => FailureKind::HostCalls,
        };
        Self::of(kind, fault.code(), fault.to_string())
    }

    pub(super) fn of_bound(bound: Bound) -> Self {
        Self::of(FailureKind::Bound, bound.name(), format!("the turn passed the bound {}", bound.name()))
    }

    pub(super) fn of_guest(failure: Failure) -> Self {
        let Failure { code, message, for_sender } = failure;
        Self { for_sender, ..Self::of(FailureKind::Returned, &code, message) }
    }

    /// The operator is told what is wrong with the disk, guests and clients that it is.
    pub(super) fn of_storage(room: &RoomShared, why: &StorageError) -> Self {
        log!(error, &room.key, "{why}");
        let words = match why.kind {
            StorageErrorKind::Full => "the turn's writes could not be made durable: no space is left",
            _ => "the turn's writes could not be made durable",
        };
        Self::of(FailureKind::Storage, "storage", words.to_owned())
    }

    pub(super) fn no_instance() -> Self {
        Self::of(FailureKind::NoInstance, "no-instance", "the plugin's instance cannot be made".to_owned())
    }

    /// What the sender was told needs no `$error`: the handler refused knowingly.
    pub(super) fn runs_error_hook(&self) -> bool {
        !self.for_sender
    }
}

impl Room {
    /// Tells the log and, where the handler wants it, the sender.
    pub(super) fn tell(&mut self, origin: &Origin, failure: &TurnFailure) {
        let (key, version, event) = (&self.shared.key, self.plugin.version.as_str(), origin.name.as_str());
        let (code, message) = (printable(&failure.code), printable(&failure.message));
        if failure.for_sender {
            log!(debug, key, version, event, code, "rejected: {message}");
            match self.gate.holds_output() {
                true => self.hold_rejection(origin.clone(), failure.clone()),
                false => self.send_error(origin.socket, failure),
            }
        } else {
            log!(warn, key, version, event, code, "turn failed: {message}");
            let record = FailureRecord::now(Some(key.room.clone()), event, &code, &message);
            self.plugin.record(failure.kind, record);
        }
    }

    pub(super) fn send_error(&self, socket: Option<SocketId>, failure: &TurnFailure) {
        let Some((id, outbound)) = socket.and_then(|id| Some((id, self.outbound.get(&id)?))) else {
            return;
        };
        let channel = self.state.members.meta(id).map_or(DEFAULT, Meta::first_channel);
        let data = Json::of(&serde_json::json!({ "code": failure.code, "message": failure.message }));
        outbound.push(verani::encode(channel, "error", &data));
    }
}
