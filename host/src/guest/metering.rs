//! How a running guest is charged for what it executes, and made to yield.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Store, UpdateDeadline};

use super::state::GuestState;
use crate::tenant::aside;

/// Makes each tick charge a running guest and have it yield: to other tenants' work on its thread for one round, and to
/// other rooms of its own tenant in the order of the line. A call that turns out to be long leaves its room's thread.
pub fn meter(store: &mut Store<GuestState>) {
    store.epoch_deadline_callback(|mut context| {
        let state = context.data_mut();
        if state.cpu.end_slice() {
            return Ok(UpdateDeadline::Interrupt);
        }
        let lane = Arc::clone(state.context.account.lane());
        if state.reserved.is_none() {
            state.reserved = Some(lane.reserve(Duration::from_millis(state.context.limits.turn_cpu_ms)));
        }
        state.tell_if_long();
        // The next slice begins when the call is polled again.
        if state.cpu.slices() > 0 && aside::leave() {
            return Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(async move { lane.next_slice().await })))
    });
}
