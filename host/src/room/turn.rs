//! The plain data by which the parts of a room speak of turns, and the words for every failed turn.

use crate::guest::instance::Fault;
use crate::guest::tape::data::TapedVerdict;
use crate::model::body::Body;
use crate::model::effect::{Acknowledgement, Close, Emit, EmitElsewhere};
use crate::model::event::{AckId, Event, Failure, SocketId, hook};
use crate::model::failure::FailureKind;
use crate::model::history::HistoryAnswer;
use crate::model::refusal::Bound;
use crate::protocol::close::CloseReason;
use crate::storage::{StorageError, StorageErrorKind};
use crate::tenant::costs::HandlerPlace;
use crate::traces::TraceParent;

/// What a turn is for, as far as it decides what follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnKind {
    Connect,
    Restore,
    Resume,
    Suspend,
    Error,
    Alarm,
    /// What the host does by itself: it runs no code.
    Host,
    /// An event of a client or its answer, a timer, a socket's end.
    Other,
}

impl TurnKind {
    /// Whether the version before gets the event again, where the code of a version on trial faults in this turn.
    /// `$restore`, `$resume` and `$suspend` have rules of their own.
    pub(super) fn is_given_again(self) -> bool {
        !matches!(self, Self::Restore | Self::Resume | Self::Suspend)
    }

    /// Whether `$error` runs when the turn's writes are lost after it ran. The next instance gets a `$restore` anyway,
    /// and a failed `$error` must not cause another.
    pub(super) fn runs_error_hook_when_lost(self) -> bool {
        !matches!(self, Self::Error | Self::Restore | Self::Resume | Self::Host)
    }
}

/// Where a turn came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) kind: TurnKind,
    pub(super) name: String,
    pub(super) socket: Option<SocketId>,
    /// The socket whose doing it was.
    pub(super) caused_by: Option<SocketId>,
    /// The socket waits for an acknowledgement with this number.
    pub(super) ack: Option<AckId>,
    /// When a client's event got its place, by `clock::now_ns`; 0 for all else.
    pub(super) accepted_ns: u64,
    /// The handler of the room's version that ran.
    pub(super) handler: HandlerPlace,
    /// The span of the turn, where somebody wants to know of it.
    pub(super) span: Option<Box<TraceParent>>,
}

impl Origin {
    /// The socket that a turn lets in where it commits.
    pub(super) fn welcomes(&self) -> Option<SocketId> {
        self.socket.filter(|_| self.kind == TurnKind::Connect)
    }

    /// The acknowledgement of a turn that committed, where the sender waits for one.
    pub(super) fn acknowledged(&self, body: &mut Option<Body>) -> Option<Acknowledgement> {
        let (socket, id) = self.socket.zip(self.ack)?;
        Some(Acknowledgement { socket, id, body: body.take() })
    }

    /// Of what the host does by itself, without an event.
    pub(super) fn of_host(name: &str) -> Self {
        Self {
            kind: TurnKind::Host,
            name: name.to_owned(),
            socket: None,
            caused_by: None,
            ack: None,
            accepted_ns: 0,
            handler: HandlerPlace::default(),
            span: None,
        }
    }

    pub(super) fn of(event: &Event) -> Self {
        // By the cause and not by the name, since a timer may have any name.
        let kind = match event.cause.as_str() {
            hook::CONNECT => TurnKind::Connect,
            hook::RESTORE => TurnKind::Restore,
            hook::RESUME => TurnKind::Resume,
            hook::SUSPEND => TurnKind::Suspend,
            hook::ERROR => TurnKind::Error,
            hook::ALARM => TurnKind::Alarm,
            _ => TurnKind::Other,
        };
        Self {
            kind,
            name: event.name.clone(),
            socket: event.socket,
            caused_by: event.caused_by,
            ack: event.ack,
            accepted_ns: 0,
            handler: HandlerPlace::default(),
            span: None,
        }
    }
}

/// How a turn ended, as whoever gave the event sees it.
#[derive(Debug)]
pub(super) enum TurnEnd {
    /// It committed, and the handler answered this, which nobody got yet.
    Committed(Option<Body>),
    /// Writes of earlier turns, on which it ran, failed meanwhile. The ledger lists it among the lost turns.
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

/// The bounds on the bytes of what a turn emits.
const SIZES: [&str; 2] = [Bound::EmitBytes.name(), Bound::EmitBytesPerTurn.name()];

impl FailedTurn {
    /// What the sender of the event hears. Whoever waits for an acknowledgement gets the code in any case.
    pub(super) fn words_for_sender(&self) -> Option<Output> {
        let Self { origin: Origin { socket, ack, .. }, failure } = self;
        let rejection = match self.told() {
            Some((code, message)) => WordsForSender { socket: *socket, ack: *ack, code, message: Some(message) },
            None => WordsForSender { socket: *socket, ack: Some((*ack)?), code: failure.code.clone(), message: None },
        };
        Some(Output::Rejection(rejection))
    }

    /// The code and the message for a sender that may know more: why the handler rejected the event, that what it sent is
    /// too large to be passed on, or that it was handled and could not be kept.
    fn told(&self) -> Option<(String, String)> {
        let Self { origin: Origin { kind, name, socket, .. }, failure: TurnFailure { code, message, .. } } = self;
        match self.failure.kind {
            _ if self.failure.for_sender => Some((code.clone(), message.clone())),
            FailureKind::Bound if *kind == TurnKind::Other && SIZES.contains(&code.as_str()) => {
                Some(("limit-exceeded".to_owned(), format!("{name} was not handled: its turn passed the bound {code}")))
            }
            FailureKind::Storage if *kind == TurnKind::Other && socket.is_some() => {
                Some((code.clone(), format!("{name} was not handled: {message}")))
            }
            _ => None,
        }
    }
}

/// What a turn sends to sockets.
#[derive(Debug)]
pub(super) enum Output {
    /// A turn that succeeded.
    Turn {
        /// The socket that it lets in.
        welcomes: Option<SocketId>,
        /// What that socket hears first of what it missed.
        histories: Vec<HistoryAnswer>,
        emits: Vec<Emit>,
        answer: Option<Acknowledgement>,
        /// What other rooms hear, from their own tasks.
        elsewhere: Vec<EmitElsewhere>,
        closes: Vec<Close>,
        /// Of its origin.
        accepted_ns: u64,
    },
    /// A socket is in the room, and no handler wants to know.
    Welcome {
        socket: SocketId,
        histories: Vec<HistoryAnswer>,
    },
    Rejection(WordsForSender),
    /// The close of a socket that the host reads no more, behind the answers to what it read.
    LastWords {
        socket: SocketId,
        reason: CloseReason,
    },
}

impl WordsForSender {
    /// No handler wants the event: whoever waits for an acknowledgement hears it.
    pub(super) fn unwanted(socket: SocketId, ack: Option<AckId>) -> Option<Output> {
        let code = "no-handler".to_owned();
        ack.map(|_| Output::Rejection(Self { socket: Some(socket), ack, code, message: None }))
    }
}

impl Output {
    /// The bytes of what a turn says, while it waits.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Turn { emits, answer, elsewhere, .. } => {
                let answer = answer.as_ref().and_then(|answer| answer.body.as_ref());
                let here: usize = emits.iter().map(|emit| &emit.body).chain(answer).map(Body::bytes).sum();
                here + elsewhere.iter().map(EmitElsewhere::bytes).sum::<usize>()
            }
            Self::Welcome { .. } | Self::Rejection(_) | Self::LastWords { .. } => 0,
        }
    }
}

/// The words for the sender of an event that had no effect: as an acknowledgement where it waits for one.
#[derive(Debug)]
pub(super) struct WordsForSender {
    pub(super) socket: Option<SocketId>,
    pub(super) ack: Option<AckId>,
    pub(super) code: String,
    /// None where the sender learns the code alone.
    pub(super) message: Option<String>,
}

/// What waited at the gate when writes failed.
#[derive(Debug)]
pub(super) enum Loss {
    /// A turn that ran, and was undone.
    Turn(FailedTurn),
    /// What rests on no writes: a socket gets it even so.
    Words(Output),
}

/// Why a turn left no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TurnFailure {
    /// A stable word: a fault's or a bound's name, or what the guest says.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) kind: FailureKind,
    /// Whether the handler rejected the event on purpose, so that its sender gets the code and the message.
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

    /// Says only that the disk failed: the details are for the operator's log, not for guests and clients.
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

    /// As a tape has it.
    pub(super) fn taped(&self) -> TapedVerdict {
        let Self { code, message, for_sender, .. } = self;
        TapedVerdict::RolledBack { code: code.clone(), message: message.clone(), for_sender: *for_sender }
    }

    /// Whether the code faulted, and its instance with it.
    pub(super) fn is_fault(&self) -> bool {
        use FailureKind::{Deadline, HostCalls, Memory, Timeout, Trap};
        matches!(self.kind, Trap | Deadline | Timeout | Memory | HostCalls)
    }

    /// Whether `$error` runs. A handler that rejected the event on purpose needs no `$error`.
    pub(super) fn runs_error_hook(&self) -> bool {
        !self.for_sender
    }
}
