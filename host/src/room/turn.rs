//! What a turn is, as all parts of a room speak of it: plain data. How a failed turn is worded stands here and nowhere else.

use crate::guest::instance::Fault;
use crate::model::effect::{Close, Emit};
use crate::model::event::{Event, Failure, Payload, SocketId, hook};
use crate::model::failure::FailureKind;
use crate::model::refusal::Bound;
use crate::storage::{StorageError, StorageErrorKind};

/// What a turn was for, where that decides what follows from its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnKind {
    Connect,
    Restore,
    Resume,
    Suspend,
    Error,
    Alarm,
    /// An event of a client, a timer, a socket's end.
    Other,
}

impl TurnKind {
    /// Whether the room gives the event to the version before, where it loses a version on trial in this turn. What a new
    /// instance is told has its own rule.
    pub(super) fn is_given_again(self) -> bool {
        !matches!(self, Self::Restore | Self::Resume | Self::Suspend)
    }

    /// Whether `$error` runs when the turn's writes are lost after it ran. What a new instance is told is told again
    /// anyway, and a failed `$error` must not cause another.
    pub(super) fn runs_error_hook_when_lost(self) -> bool {
        !matches!(self, Self::Error | Self::Restore | Self::Resume)
    }

    /// The hook of a turn that no client causes: where its code faults, what the room stores made it fail, or it fails
    /// always.
    pub(super) fn unprovoked_hook(self) -> Option<&'static str> {
        match self {
            Self::Restore => Some(hook::RESTORE),
            Self::Resume => Some(hook::RESUME),
            Self::Alarm => Some(hook::ALARM),
            Self::Connect | Self::Suspend | Self::Error | Self::Other => None,
        }
    }
}

/// Where a turn came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) kind: TurnKind,
    pub(super) name: String,
    pub(super) socket: Option<SocketId>,
}

impl Origin {
    pub(super) fn of(event: &Event) -> Self {
        // The cause, since a timer may have any name.
        let kind = match event.cause.as_str() {
            hook::CONNECT => TurnKind::Connect,
            hook::RESTORE => TurnKind::Restore,
            hook::RESUME => TurnKind::Resume,
            hook::SUSPEND => TurnKind::Suspend,
            hook::ERROR => TurnKind::Error,
            hook::ALARM => TurnKind::Alarm,
            _ => TurnKind::Other,
        };
        Self { kind, name: event.name.clone(), socket: event.socket }
    }
}

/// How a turn ended for whoever gave its event.
#[derive(Debug)]
pub(super) enum TurnEnd {
    /// It committed, and the handler answered this.
    Committed(Option<Payload>),
    /// It ran on writes of earlier turns that failed meanwhile. It comes back as one of the lost turns.
    Lost,
    /// It left no trace.
    Failed(FailedTurn),
}

/// A turn that left no trace, and why.
#[derive(Debug)]
pub(super) struct FailedTurn {
    pub(super) origin: Origin,
    pub(super) failure: TurnFailure,
}

/// What leaves the room for a turn.
#[derive(Debug)]
pub(super) enum Output {
    /// A turn that succeeded.
    Turn { emits: Vec<Emit>, closes: Vec<Close> },
    /// The words for the sender of an event that the handler rejected.
    Rejection { socket: Option<SocketId>, failure: TurnFailure },
}

/// What follows when writes fail, one for each turn that waited for them.
#[derive(Debug)]
pub(super) enum Loss {
    /// A turn that ran, and of which nothing stays.
    Turn(FailedTurn),
    /// The words of a rejection: they hold whatever becomes of the writes.
    Rejection(Output),
}

/// Why a turn left no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TurnFailure {
    /// A stable word: a fault's or a bound's name, or what the guest says.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) kind: FailureKind,
    /// The handler rejected the event, and its sender is told why.
    pub(super) for_sender: bool,
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

    /// Guests and clients hear that the disk failed; what is wrong with it is for the operator's log.
    pub(super) fn of_storage(why: &StorageError) -> Self {
        let words = match why.kind {
            StorageErrorKind::Full => "the turn's writes could not be made durable: no space is left",
            _ => "the turn's writes could not be made durable",
        };
        Self::of(FailureKind::Storage, "storage", words.to_owned())
    }

    pub(super) fn no_instance() -> Self {
        Self::of(FailureKind::NoInstance, "no-instance", "the plugin's instance cannot be made".to_owned())
    }

    /// Whether `$error` runs. A handler that rejected the event on purpose needs no `$error`.
    pub(super) fn runs_error_hook(&self) -> bool {
        !self.for_sender
    }
}
