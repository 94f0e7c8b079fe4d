//! What guests may ask of the host: one file an interface of the contract. Imports only read, or add to the turn's
//! effects; nothing that they do is seen by anyone before the turn commits.

mod clock;
mod config;
mod events;
mod logging;
mod outbox;
mod random;
mod room;
mod sockets;
mod storage;

pub use clock::unix_ms;
use wasmtime::component::{HasSelf, Linker};

use super::bindings::Plugin;
use super::bindings::parlor::room::types as wit;
use super::convert::refusal_to_guest;
use super::state::{GuestState, Phase};
use super::wasi;
use crate::model::refusal::{Bound, Refusal};
use crate::model::turn::{CallsExhausted, Counted, Turn};

/// How a host call ends that does not succeed.
#[derive(Debug)]
pub enum CallError {
    /// The guest is told, and may go on.
    Refused(Refusal),
    /// The guest is stopped.
    Trap(wasmtime::Error),
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

type CallResult<T> = Result<T, CallError>;

/// Offers guests the contract and their part of WASI.
pub fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    wasi::link(linker)?;
    Plugin::add_to_linker::<_, HasSelf<GuestState>>(linker, |state| state)
}

impl wit::Host for GuestState {
    fn convert_refusal(&mut self, error: CallError) -> wasmtime::Result<wit::Refusal> {
        match error {
            CallError::Refused(refusal) => Ok(refusal_to_guest(refusal)),
            CallError::Trap(trap) => Err(trap),
        }
    }
}

impl GuestState {
    /// The current turn, within a call that was counted already.
    fn current_turn(&mut self) -> Option<&mut Turn> {
        match &mut self.phase {
            Phase::Turn(turn) => Some(turn),
            _ => None,
        }
    }

    /// The current turn, with this call counted.
    fn turn(&mut self) -> CallResult<&mut Turn> {
        self.count_call()?;
        self.current_turn().ok_or(CallError::Refused(Refusal::NoTurn))
    }

    /// Counts a host call. Past the bound it is refused; a guest that calls on regardless is stopped.
    fn count_call(&mut self) -> CallResult<()> {
        let counted = match &mut self.phase {
            Phase::Turn(turn) => turn.count_call(),
            Phase::Init | Phase::Outside => self.calls.count(&self.context.limits, false),
        };
        match counted {
            Ok(Counted::Within) => Ok(()),
            Ok(Counted::Past) => Err(Refusal::LimitExceeded(Bound::HostCallsPerTurn).into()),
            Err(CallsExhausted) => {
                self.calls_exhausted = true;
                Err(CallError::Trap(wasmtime::Error::msg("called on behind the bound host-calls-per-turn")))
            }
        }
    }

    /// Counts a call that cannot be refused.
    fn count_answered_call(&mut self) -> wasmtime::Result<()> {
        match self.count_call() {
            Ok(()) | Err(CallError::Refused(_)) => Ok(()),
            Err(CallError::Trap(trap)) => Err(trap),
        }
    }
}
