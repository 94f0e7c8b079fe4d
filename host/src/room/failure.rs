//! A turn that failed: in one place, who is told what.

use super::actor::Room;
use crate::model::event::{Failure, SocketId};
use crate::model::failure::FailureKind;
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::names::DEFAULT;
use crate::model::refusal::Bound;
use crate::plugin::instance::Fault;
use crate::plugin::printable;
use crate::plugin::supervisor::FailureRecord;
use crate::protocol::verani;
use crate::storage::StorageError;

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

    pub(super) fn of_storage(why: &StorageError) -> Self {
        tracing::error!("{why}");
        Self::of(FailureKind::Storage, "storage", "the host's storage failed".to_owned())
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
    pub(super) fn tell(&self, event: &str, socket: Option<SocketId>, failure: &TurnFailure) {
        let (key, version) = (&self.shared.key, self.shared.plugin.version.as_str());
        let (tenant, plugin) = (key.plugin.tenant.as_str(), key.plugin.plugin.as_str());
        let room = key.room.as_str();
        let (code, message) = (printable(&failure.code), printable(&failure.message));
        if failure.for_sender {
            tracing::debug!(tenant, plugin, version, room, event, code, "rejected: {message}");
            self.send_error(socket, failure);
        } else {
            tracing::warn!(tenant, plugin, version, room, event, code, "turn failed: {message}");
            let record = FailureRecord::now(Some(key.room.clone()), event, &code, &message);
            self.shared.plugin.record(failure.kind, record);
        }
    }

    fn send_error(&self, socket: Option<SocketId>, failure: &TurnFailure) {
        let Some((id, outbound)) = socket.and_then(|id| Some((id, self.outbound.get(&id)?))) else {
            return;
        };
        let channel = self.members.meta(id).map_or(DEFAULT, Meta::first_channel);
        let data = Json::of(&serde_json::json!({ "code": failure.code, "message": failure.message }));
        outbound.push(verani::encode(channel, "error", &data));
    }
}
