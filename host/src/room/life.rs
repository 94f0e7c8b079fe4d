//! The life of a room: what it waits for, when it works, when it only waits, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Instant;

use super::actor::Room;
use super::handle::Mail;
use crate::storage::{Durable, StorageError};

/// What happens next in a room.
enum Next {
    Mail(Mail),
    /// The oldest turn at the gate is settled.
    Settled(Result<Durable, StorageError>),
    Timer,
    /// Nothing happens, and the instance is worth more elsewhere.
    Sleep,
    /// Nobody was in the room for long enough, or it gives way.
    End,
}

impl Next {
    fn runs_turns(&self) -> bool {
        let of_turns =
            |mail: &Mail| !matches!(mail, Mail::Request(_) | Mail::Close(_) | Mail::Idle | Mail::Quarantined);
        matches!(self, Self::Timer | Self::Sleep) || matches!(self, Self::Mail(mail) if of_turns(mail))
    }
}

/// Waits until a moment; for ever where there is none.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Room {
    pub(super) async fn live(mut self: Box<Self>) {
        // Boxed: what turns need would otherwise be part of the room's task while it sleeps as well.
        while Box::pin(self.work()).await {
            let due = self.state.timers.next_due();
            tokio::select! {
                biased;
                () = self.shared.mailbox.ready() => {}
                () = at(due) => {}
            }
        }
        Box::pin(self.finish()).await;
    }

    /// Takes what comes until the room sleeps; false where it ends.
    async fn work(&mut self) -> bool {
        let (lane, shared) = (Arc::clone(&self.lane), Arc::clone(&self.shared));
        let mut empty_since = None;
        while !self.is_ending() {
            let next = self.next(&mut empty_since).await;
            // Administration asks for what is known already and waits for no CPU time of the tenant's.
            if next.runs_turns() {
                let closing = self.closing.is_some();
                lane.start(|| closing || shared.mailbox.ends()).await;
                while self.gate.is_full(&self.limits) {
                    self.settle_next().await;
                }
                self.follow_losses().await;
            }
            match next {
                Next::Mail(mail) => self.take(mail).await,
                Next::Settled(settled) => {
                    self.settle(settled).await;
                    self.recover();
                }
                Next::Timer => self.timer_due().await,
                Next::Sleep => self.sleep().await,
                Next::End => return false,
            }
            self.follow_losses().await;
            // A turn that ends at its first poll would never let its thread's other tasks run.
            tokio::task::consume_budget().await;
            if self.is_dormant() && !self.is_ending() {
                return true;
            }
        }
        false
    }

    /// Whether nothing can come but mail and timers.
    fn is_dormant(&self) -> bool {
        self.instance.is_none() && self.gate.is_empty() && !self.outbound.is_empty()
    }

    /// What was written is safe soon; who asked for it is told.
    async fn finish(&mut self) {
        while !self.gate.is_empty() {
            self.settle_next().await;
        }
        self.follow_losses().await;
        self.owner.note_kept(&self.shared.key, self.storage.kept().is_known);
    }

    async fn next(&mut self, empty_since: &mut Option<Instant>) -> Next {
        let due = self.state.timers.next_due();
        if due.is_some_and(|due| due <= Instant::now()) {
            return Next::Timer;
        }
        let (mailbox, plugin, gate) = (&self.shared.mailbox, &self.plugin, &mut self.gate);
        let (quiet, awake) = (gate.is_empty(), self.instance.is_some());
        let sleepy = self.idle && awake && quiet;
        if !self.outbound.is_empty() {
            *empty_since = None;
            // Most often nothing else can come.
            if quiet && due.is_none() && !sleepy {
                return Next::Mail(mailbox.next().await);
            }
        }
        // Counted from the last socket's end: requests of administration keep no empty room.
        let empty = self.outbound.is_empty().then(|| *empty_since.get_or_insert_with(Instant::now));
        // Nothing is pending, no timer runs: the room may end.
        let may_end = empty.is_some() && quiet && (due.is_none() || self.closing.is_some());
        let linger = if self.closing.is_some() { 0 } else { self.limits.room_linger_ms };
        let end = empty.unwrap_or_else(Instant::now) + Duration::from_millis(linger);
        let sleep = self.shared.stats.active() + Duration::from_millis(self.limits.room_sleep_ms);
        let wanted = async {
            tokio::select! {
                () = plugin.engine().wanted.notified() => {}
                () = plugin.account().wanted.notified() => {}
            }
        };
        tokio::select! {
            biased;
            settled = gate.settled(), if !quiet => return Next::Settled(settled),
            mail = mailbox.next() => return Next::Mail(mail),
            () = at(due) => return Next::Timer,
            () = tokio::time::sleep_until(end), if may_end => {}
            () = tokio::time::sleep_until(sleep), if sleepy && !may_end => return Next::Sleep,
            () = wanted, if may_end || sleepy => {
                if !may_end {
                    return Next::Sleep;
                }
            }
        }
        // What came at the last moment keeps the room open.
        if mailbox.close_if_empty() { Next::End } else { Next::Mail(mailbox.next().await) }
    }
}
