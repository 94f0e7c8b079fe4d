//! What guests can ask of the host: one file for each interface of the contract. Imports only read, or add to the
//! turn's effects: nobody sees an effect before the turn commits.

mod alarm;
mod clock;
mod config;
mod events;
mod history;
mod inbox;
mod logging;
mod outbox;
mod random;
mod room;
mod sockets;
mod storage;
mod timers;
mod wasi;

use wasmtime::component::Linker;

use super::bindings::Plugin;
use super::bindings::parlor::room::types as wit;
use super::call_error::{CallError, CallResult};
use super::convert::refusal_to_guest;
use super::state::{GuestState, Phase};
use super::tape::boundary::{Taped, TapedCalls};
use crate::model::refusal::{Bound, Refusal};
use crate::model::turn::{CallsExhausted, Counted, Turn};

/// Adds all that guests can import to a linker.
pub fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    wasi::link(linker)?;
    Plugin::add_to_linker::<_, TapedCalls>(linker, |state| Taped(state))
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
    /// The current turn. The caller has counted its call already.
    fn current_turn(&mut self) -> Option<&mut Turn> {
        match &mut self.phase {
            Phase::Turn => Some(&mut self.turn),
            _ => None,
        }
    }

    /// Counts a call, and returns the current turn.
    fn turn(&mut self) -> CallResult<&mut Turn> {
        self.count_call()?;
        self.current_turn().ok_or(CallError::Refused(Refusal::NoTurn))
    }

    /// Counts a call. Refuses it past `host-calls-per-turn`, and stops a guest that goes on regardless.
    fn count_call(&mut self) -> CallResult<()> {
        let counted = match &mut self.phase {
            Phase::Turn => self.turn.count_call(),
            Phase::Init | Phase::Outside => self.calls.count(&self.context.limits, false),
        };
        match counted {
            Ok(Counted::Within) => Ok(()),
            Ok(Counted::Past) => Err(Refusal::LimitExceeded(Bound::HostCallsPerTurn).into()),
            Err(CallsExhausted) => {
                self.calls_exhausted = true;
                Err(CallError::Trap(wasmtime::Error::msg("went on calling past host-calls-per-turn")))
            }
        }
    }

    /// Counts a call that the contract does not let the host refuse.
    fn count_answered_call(&mut self) -> wasmtime::Result<()> {
        match self.count_call() {
            Ok(()) | Err(CallError::Refused(_)) => Ok(()),
            Err(CallError::Trap(trap)) => Err(trap),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wasmtime::Engine;
    use wasmtime::component::ResourceType;

    use super::*;
    use crate::tenant::OFFERED;

    /// Reads which interfaces are linked from the lines that link them.
    fn linked() -> BTreeSet<String> {
        let wasi = include_str!("wasi.rs").lines().filter_map(|line| line.split_once("::add_to_linker::<"));
        let wasi = wasi.map(|(path, _)| format!("wasi:{}", path.trim().replace("::", "/").replace('_', "-")));
        let contract = include_str!("../../../../wit/world.wit").lines();
        let contract = contract.filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';'));
        let types = ["types"];
        wasi.chain(contract.chain(types).map(|name| format!("parlor:room/{name}"))).collect()
    }

    #[test]
    fn what_is_offered_is_what_is_linked() {
        let offered: BTreeSet<String> = OFFERED.map(str::to_owned).into();
        assert_eq!(linked(), offered);
        let mut linker = Linker::new(&Engine::default());
        link(&mut linker).unwrap();
        // The linker refuses a name that it already has.
        let mut is_taken =
            |name: &str| linker.root().resource(name, ResourceType::host::<()>(), |_, _| Ok(())).is_err();
        for name in OFFERED {
            let version = if name.starts_with("wasi:") { "0.2.12" } else { "0.1.0" };
            assert!(is_taken(&format!("{name}@{version}")), "{name} is not linked");
        }
        assert!(!is_taken("wasi:sockets/tcp@0.2.12"));
    }
}
