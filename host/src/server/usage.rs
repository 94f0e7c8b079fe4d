//! What a tenant uses now, beside what it may use, as the API tells it.

use std::sync::Arc;

use serde::Serialize;

use crate::tenant::Account;
use crate::tenant::account::Counter;

#[derive(Serialize)]
pub struct UsageBody {
    sockets: UsedBody,
    /// Those of them whose line broke, and whose clients may come back.
    detached_sockets: UsedBody,
    rooms: UsedBody,
    awake_rooms: UsedBody,
    memory_bytes: UsedBody,
    storage_bytes: UsedBody,
    outbound_bytes: UsedBody,
    /// Since the server started.
    cpu_seconds: f64,
    /// How long its work waited for tenants that used less of their share, since the server started.
    cpu_waited_seconds: f64,
    /// How long its rooms would have to wait for CPU time now, by its cap.
    cpu_owed_ms: u64,
}

#[derive(Serialize)]
struct UsedBody {
    used: usize,
    max: usize,
}

impl From<&Arc<Counter>> for UsedBody {
    fn from(counter: &Arc<Counter>) -> Self {
        Self { used: counter.used(), max: counter.max() }
    }
}

impl UsageBody {
    pub fn of(account: &Account) -> Self {
        Self {
            sockets: UsedBody::from(&account.sockets),
            detached_sockets: UsedBody::from(&account.detached),
            rooms: UsedBody::from(&account.rooms),
            awake_rooms: UsedBody::from(&account.awake),
            memory_bytes: UsedBody::from(&account.memory),
            storage_bytes: UsedBody::from(&account.storage),
            outbound_bytes: UsedBody::from(&account.outbound),
            cpu_seconds: account.cpu.used().as_secs_f64(),
            cpu_waited_seconds: account.cpu.waited().as_secs_f64(),
            cpu_owed_ms: account.cpu.owes_now().as_millis() as u64,
        }
    }
}
