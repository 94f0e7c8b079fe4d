//! What a new instance must hear before it gets events: the state that the last one handed over, or why it has to
//! rebuild what the last one knew.

use std::sync::Arc;

use crate::model::body::Payload;
use crate::tenant::Account;

/// What the next instance is owed.
pub(super) struct Owed {
    pub(super) reason: RestoreReason,
    /// What the last instance handed over.
    pub(super) state: Option<Suspended>,
}

impl Owed {
    pub(super) fn because(reason: RestoreReason) -> Self {
        Self { reason, state: None }
    }
}

/// Why a new instance has to rebuild what the last one knew: `$restore` gets this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::room) enum RestoreReason {
    /// The last instance was lost in a turn.
    Crash,
    /// The server started anew since the room was last open.
    Restart,
    /// The room slept.
    Wake,
    /// The room moved to another version, or back.
    Swap,
}

impl RestoreReason {
    /// The reason for a room that opens and has something in storage. `was_open`: it was open before since the server
    /// started.
    pub(in crate::room) fn of_opening(was_open: bool) -> Self {
        if was_open { Self::Wake } else { Self::Restart }
    }

    pub(in crate::room) fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Restart => "restart",
            Self::Wake => "wake",
            Self::Swap => "swap",
        }
    }
}

/// What an instance handed over. It counts as memory of the tenant's for as long as it is kept.
pub(in crate::room) struct Suspended {
    state: Payload,
    account: Arc<Account>,
}

impl Suspended {
    pub(super) fn new(state: Payload, account: &Arc<Account>) -> Self {
        account.memory.add(state.bytes());
        Self { state, account: Arc::clone(account) }
    }

    /// The state, while this keeps it.
    pub(in crate::room) fn state(&self) -> Payload {
        self.state.clone()
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        self.account.memory.give(self.state.bytes());
    }
}
