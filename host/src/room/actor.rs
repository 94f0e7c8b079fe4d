//! A room's task: it takes one mail after the other and gives each event that is wanted one turn; it works, waits, sleeps,
//! moves to other versions and ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::code::Suspended;
use super::conductor::Conductor;
use super::handle::{Mail, RoomOverview, RoomRequest};
use super::outbound::Outbound;
use super::owner::RoomOwner;
use super::plan::{Plan, Rest, Situation, Wait, plan};
use super::turn::{Origin, TurnEnd, TurnKind};
use crate::clock::{Instant, unix_ms};
use crate::model::effect::UnixMs;
use crate::model::event::{ClientEvent, Event, Payload, SocketId, hook};
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::storage::{Durable, StorageError};

/// A room; owned by its task alone.
pub(super) struct Room {
    /// The room's people, ledger and code, and the turns that run through them.
    turns: Conductor,
    owner: Arc<dyn RoomOwner>,
    /// The room closes, and its sockets are told this.
    closing: Option<CloseReason>,
    /// Since when no socket is in the room.
    empty_since: Option<Instant>,
}

/// What happens next in a room.
enum Happening {
    Mail(Mail),
    /// The oldest turn at the gate is settled.
    Settled(Result<Durable, StorageError>),
    Timer,
    /// Nothing happens, and the instance is worth more elsewhere.
    Sleep,
    /// Nobody was in the room for long enough, or it gives way.
    End,
}

impl Happening {
    fn runs_turns(&self) -> bool {
        match self {
            Self::Timer | Self::Sleep => true,
            Self::Mail(mail) => !matches!(mail, Mail::Request(_) | Mail::Close(_) | Mail::Idle | Mail::Quarantined),
            Self::Settled(_) | Self::End => false,
        }
    }
}

/// Waits until a moment; for ever where there is none.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.turns.code.drop_instance();
        self.turns.people.close(&self.turns.door.end_reason());
    }
}

impl Room {
    pub(super) fn new(turns: Conductor, owner: Arc<dyn RoomOwner>) -> Self {
        Self { turns, owner, closing: None, empty_since: None }
    }

    pub(super) async fn live(mut self: Box<Self>) {
        // Boxed: what turns need would otherwise be part of the room's task while it sleeps as well.
        while Box::pin(self.work()).await {
            let due = self.turns.people.state.timers.next_due();
            tokio::select! {
                biased;
                () = self.turns.door.mailbox.ready() => {}
                () = at(due) => {}
            }
        }
        Box::pin(self.finish()).await;
    }

    /// Takes what comes until the room sleeps; false where it ends.
    async fn work(&mut self) -> bool {
        let (lane, door) = (Arc::clone(self.turns.code.lane()), Arc::clone(&self.turns.door));
        while !self.turns.is_ending() {
            let next = self.next().await;
            // Administration asks for what is known already and waits for no CPU time of the tenant's.
            if next.runs_turns() {
                let closing = self.closing.is_some();
                lane.start(|| closing || door.mailbox.ends()).await;
                while self.turns.ledger.is_full(&self.turns.limits) {
                    self.turns.settle_next().await;
                }
                self.turns.follow_losses().await;
            }
            match next {
                Happening::Mail(mail) => self.take(mail).await,
                Happening::Settled(settled) => self.turns.take_up(settled).await,
                Happening::Timer => self.timer_due().await,
                Happening::Sleep => self.sleep().await,
                Happening::End => return false,
            }
            self.turns.follow_losses().await;
            // A turn that ends at its first poll would never let its thread's other tasks run.
            tokio::task::consume_budget().await;
            if self.is_dormant() && !self.turns.is_ending() {
                return true;
            }
        }
        false
    }

    /// Whether nothing can come but mail and timers.
    fn is_dormant(&self) -> bool {
        !self.turns.code.is_awake() && self.turns.ledger.is_settled() && !self.turns.people.nobody_is_here()
    }

    /// What was written is safe soon; who asked for it is told.
    async fn finish(&mut self) {
        self.turns.until_settled().await;
        self.turns.follow_losses().await;
        self.owner.note_kept(&self.turns.door.key, self.turns.ledger.keeps());
    }

    /// Waits for what the plan says.
    async fn next(&mut self) -> Happening {
        // Counted from the last socket's end: requests of administration keep no empty room.
        let is_empty = self.turns.people.nobody_is_here();
        self.empty_since = is_empty.then(|| self.empty_since.unwrap_or_else(Instant::now));
        let situation = Situation {
            timer: self.turns.people.state.timers.next_due(),
            empty_since: self.empty_since,
            is_pending: !self.turns.ledger.is_settled(),
            is_idle: self.turns.code.is_idle(),
            is_closing: self.closing.is_some(),
            active: self.turns.door.stats.active(),
        };
        let (mailbox, plugin) = (&self.turns.door.mailbox, self.turns.code.plugin());
        let Wait { settled, timer, rest } = match plan(Instant::now, &situation, &self.turns.limits) {
            Plan::Timer => return Happening::Timer,
            Plan::Mail => return Happening::Mail(mailbox.next().await),
            Plan::Wait(wait) => wait,
        };
        let wanted = async {
            tokio::select! {
                () = plugin.engine().wanted.notified() => {}
                () = plugin.account().wanted.notified() => {}
            }
        };
        tokio::select! {
            biased;
            settled = self.turns.ledger.settled(), if settled => return Happening::Settled(settled),
            mail = mailbox.next() => return Happening::Mail(mail),
            () = at(timer), if timer.is_some() => return Happening::Timer,
            () = at(rest.map(Rest::at)), if rest.is_some() => {}
            () = wanted, if rest.is_some() => {}
        }
        match rest {
            // What came at the last moment keeps the room open.
            Some(Rest::EndAt(_)) if mailbox.close_if_empty() => Happening::End,
            Some(Rest::EndAt(_)) => Happening::Mail(mailbox.next().await),
            Some(Rest::SleepAt(_)) | None => Happening::Sleep,
        }
    }

    async fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Connect { socket, meta, outbound } => self.connect(socket, meta, outbound).await,
            Mail::Event { socket, event, accepted_at } => {
                self.client_event(socket, event, accepted_at).await;
                return self.turns.people.handled(socket);
            }
            Mail::Disconnect { socket, reason } => self.disconnect(socket, reason).await,
            Mail::Request(request) => return self.answer(request).await,
            Mail::Alarm { due, attempt } => return self.alarm_due(due, attempt).await,
            Mail::Swap(plugin) => return self.swap(plugin).await,
            Mail::Idle => return self.turns.code.note_idle(),
            Mail::Close(reason) => {
                self.turns.until_said().await;
                self.turns.people.close(&reason);
                self.closing = Some(reason);
            }
            Mail::Quarantined => self.turns.end(CloseReason::QUARANTINED),
        }
        let (stats, members) = (&self.turns.door.stats, &self.turns.people.state.members);
        stats.sockets.store(members.count(), Ordering::Relaxed);
        stats.users.store(members.user_count(), Ordering::Relaxed);
    }

    /// A socket is a member from its own `$connect` turn on, and none if that fails.
    async fn connect(&mut self, socket: SocketId, meta: Meta, outbound: Arc<Outbound>) {
        if let Some(reason) = &self.closing {
            return outbound.close(reason.clone());
        }
        if self.turns.people.sockets() >= self.turns.limits.sockets_per_room {
            return outbound.close(CloseReason::ROOM_FULL);
        }
        if !self.turns.make_ready().await {
            return outbound.close(self.turns.door.end_reason());
        }
        self.turns.people.admit(socket, meta, outbound);
        if !self.turns.code.asks_for(hook::CONNECT) {
            return;
        }
        let event = Event::hook(hook::CONNECT, None, Some(socket), unix_ms());
        if let TurnEnd::Failed(failed) = self.turns.turn(event).await {
            self.turns.tell(&failed).await;
            // Before anyone rebuilds who is here: this socket is not.
            self.turns.people.refuse(socket);
            self.turns.follow_up(&failed).await;
        }
    }

    async fn client_event(&mut self, socket: SocketId, event: ClientEvent, accepted_at: f64) {
        if self.turns.people.is_closing(socket) {
            // Closed by a turn: for good only when that turn's writes are safe.
            self.turns.until_said().await;
            self.turns.follow_losses().await;
        }
        // A socket that a turn closed is heard no more, whatever it still sends.
        if !self.turns.people.is_heard(socket) {
            return;
        }
        // What nobody wants wakes no room.
        if self.turns.code.cause_of(&event.name).is_none() || !self.turns.make_ready().await {
            return;
        }
        let Some(cause) = self.turns.code.cause_of(&event.name) else { return };
        let event = Event {
            cause: cause.to_owned(),
            name: event.name,
            channel: event.channel,
            payload: event.payload,
            socket: Some(socket),
            answer_wanted: false,
            accepted_at,
        };
        self.turns.give(event).await;
    }

    /// The socket is out of all counts and channels in its own `$disconnect`; its meta can still be read.
    async fn disconnect(&mut self, socket: SocketId, reason: CloseReason) {
        if !self.turns.people.depart(socket) {
            return;
        }
        // What nobody wants wakes no room.
        if self.turns.code.wants(hook::DISCONNECT) && !self.turns.make_ready().await {
            log!(error, &self.turns.door.key, socket, "no instance could be made for its $disconnect");
        }
        if self.turns.code.asks_for(hook::DISCONNECT) {
            let payload = Json::of(&json!({ "code": reason.code, "reason": reason.reason }));
            self.turns.give(Event::hook(hook::DISCONNECT, Some(payload), Some(socket), unix_ms())).await;
        }
        self.turns.people.forget(socket);
    }

    /// Answers administration. Whoever asked may have gone; then nobody needs the answer.
    async fn answer(&mut self, request: RoomRequest) {
        let members = &self.turns.people.state.members;
        match request {
            RoomRequest::View { view } => {
                let _ = view.send(RoomOverview { sockets: members.count(), users: members.user_ids() });
            }
            RoomRequest::Sockets { after, limit, sockets } => {
                let found = members.present_after(after).take(limit);
                let _ = sockets.send(found.map(|(id, meta)| (id, meta.clone())).collect());
            }
            RoomRequest::Emit { to, event, data, sent } => {
                // It overtakes nothing.
                self.turns.until_said().await;
                let _ = sent.send(self.turns.people.announce(to, event, data, self.turns.code.lane()).await);
            }
        }
    }

    /// Runs the earliest timer that is due. It is gone then, whatever becomes of its turn.
    async fn timer_due(&mut self) {
        // A timer runs only when the turn that set it is safe.
        self.turns.until_said().await;
        self.turns.follow_losses().await;
        let Some((name, timer)) = self.turns.people.state.timers.take_due(Instant::now()) else { return };
        if !self.turns.make_ready().await || !self.turns.code.asks_for(hook::TIMER) {
            return log!(debug, &self.turns.door.key, name, "a timer is due, and the plugin has no handler for timers");
        }
        let payload = timer.data.map(Payload::Json);
        self.turns.give(Event { name, payload, ..Event::hook(hook::TIMER, None, None, unix_ms()) }).await;
    }

    /// The room's alarm rings. It is forgotten in the turn that it runs, which may set it anew.
    async fn alarm_due(&mut self, due: UnixMs, attempt: u32) {
        if self.turns.ledger.alarm() != Some(due) {
            // A turn changed it meanwhile. Where that is not durable yet, what is said here holds until it is.
            return self.turns.alarms.ensure(&self.turns.door.key, self.turns.ledger.durable_alarm());
        }
        if !self.turns.make_ready().await {
            return self.turns.alarm_failed();
        }
        let payload = Json::of(&json!({ "due": due, "attempt": attempt }));
        let event = Event::hook(hook::ALARM, Some(payload), None, unix_ms());
        if !self.turns.code.asks_for(hook::ALARM) {
            log!(
                warn,
                &self.turns.door.key,
                "an alarm is due, and the plugin has no handler for alarms: it is forgotten"
            );
            let origin = Origin { kind: TurnKind::Other, ..Origin::of(&event) };
            let durability = self.turns.durability();
            return self.turns.ledger.forget_alarm(&self.turns.people.state, origin, durability);
        }
        if let TurnEnd::Failed(failed) = self.turns.turn(event).await {
            self.turns.alarm_failed();
            self.turns.tell(&failed).await;
            self.turns.follow_up(&failed).await;
        }
    }

    /// Gives up the instance while nothing happens. The next event makes another.
    async fn sleep(&mut self) {
        if self.turns.code.is_awake() {
            let handed_over = self.suspend("sleep").await;
            self.turns.code.sleep(handed_over);
        }
    }

    /// Moves to another version, between two turns.
    async fn swap(&mut self, plugin: Arc<Plugin>) {
        if plugin.version == self.turns.code.plugin().version {
            return self.turns.code.go_on_with(plugin);
        }
        let was_awake = self.turns.code.is_awake();
        let handed_over = if was_awake { self.suspend("swap").await } else { None };
        self.turns.code.move_to(plugin, handed_over);
        if was_awake {
            self.turns.make_ready().await;
        }
    }

    /// Runs `$suspend`, waits until nothing is pending, and answers what the instance hands over to the next one.
    async fn suspend(&mut self, reason: &str) -> Option<Suspended> {
        let mut state = None;
        if self.turns.code.asks_for(hook::SUSPEND) {
            let payload = Json::of(&json!({ "reason": reason }));
            state = self.turns.give(Event::hook(hook::SUSPEND, Some(payload), None, unix_ms())).await;
        }
        self.turns.until_settled().await;
        // A state that rests on writes which are not there is none.
        let is_true = !self.turns.ledger.has_losses();
        self.turns.follow_losses().await;
        state.filter(|_| is_true).map(|state| self.turns.code.hand_over(state))
    }
}

#[cfg(test)]
mod tests;
