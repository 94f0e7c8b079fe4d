//! How a running guest is charged for what it executes, and made to yield.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Store, UpdateDeadline};

use super::state::GuestState;

/// Makes each tick charge a running guest and have it yield: to other tenants' work on its thread for one round, and to
/// other rooms of its own tenant in the order of the line.
pub fn meter(store: &mut Store<GuestState>) {
    store.epoch_deadline_callback(|mut context| {
        let state = context.data_mut();
        if state.cpu.end_slice() {
            return Ok(UpdateDeadline::Interrupt);
        }
        state.context.pace.used(state.cpu.used());
        let lane = Arc::clone(state.context.account.lane());
        if state.reserved.is_none() {
            state.reserved = Some(lane.reserve(Duration::from_millis(state.context.limits.turn_cpu_ms)));
        }
        // The next slice begins when the call is polled again.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(async move { lane.next_slice().await })))
    });
}
