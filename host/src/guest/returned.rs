//! How a call ended: what it returned, or the fault that ended it.

use wasmtime::WasmBacktrace;

use super::fault::Fault;
use super::state::GuestState;
use super::tape::Tape;
use crate::model::text::printable;

/// A call took longer than `call-wall-ms`.
pub(super) struct TimedOut;

/// What a call returned, or the fault that ended it.
pub(super) fn returned<T>(state: &mut GuestState, called: Result<wasmtime::Result<T>, TimedOut>) -> Result<T, Fault> {
    match called {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(why)) => Err(fault_of(state, &why)),
        Err(TimedOut) => Err(Fault::Timeout),
    }
}

/// Names the fault behind an error of wasmtime.
fn fault_of(state: &mut GuestState, why: &wasmtime::Error) -> Fault {
    if let Tape::Replay(replayer) = &mut state.tape {
        replayer.trace = why.downcast_ref::<WasmBacktrace>().map(ToString::to_string);
    }
    if state.cpu.exceeded() {
        tracing::debug!(target: "guest", plugin = %state.context.plugin, "stopped in {}", functions_of(why));
        return Fault::Deadline;
    }
    if state.calls_exhausted {
        return Fault::HostCalls;
    }
    if state.memory.refused() {
        return Fault::Memory;
    }
    tracing::debug!(target: "guest", plugin = %state.context.plugin, "{why:?}");
    let words = why.root_cause().to_string();
    // wasmtime's own words are for whoever embeds it.
    if words.contains("fuel allocated for hostcalls") {
        return Fault::Trap(
            "it handed the host more in one call than the host copies: 4 MiB, or twice the largest bound".to_owned(),
        );
    }
    Fault::Trap(words)
}

/// The names of the functions that a guest was in, the innermost first.
fn functions_of(why: &wasmtime::Error) -> String {
    const SHOWN: usize = 12;
    let frames = why.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let mut names: Vec<&str> = frames.iter().map(|frame| frame.func_name().unwrap_or("?")).collect();
    names.dedup();
    names.truncate(SHOWN);
    printable(&names.join(" < "))
}
