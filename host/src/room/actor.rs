//! A room's task. It takes one mail after the other from the mailbox, and gives each event that the plugin wants one
//! turn. It also decides when the room waits, sleeps, moves to another version and ends.

mod asks;
mod moving;
mod news;
mod requests;
mod users;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::conductor::Conductor;
use super::handle::Mail;
use super::outbound::Outbound;
use super::owner::RoomOwner;
use super::plan::{Plan, Rest, Situation, Wait, plan};
use super::turn::{Origin, Output, TurnEnd, TurnKind, WordsForSender};
use crate::clock::{Instant, unix_ms};
use crate::guest::tape::data::{BetweenTurns, TapedMember};
use crate::model::effect::UnixMs;
use crate::model::event::{ClientEvent, ClientMessage, Event, SocketId, hook};
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::protocol::close::CloseReason;
use crate::storage::{Durable, StorageError};

/// A room; owned by its task alone.
pub(super) struct Room {
    /// The room's people, ledger and code, and the turns that run through them.
    turns: Conductor,
    owner: Arc<dyn RoomOwner>,
    /// Why the room closes, once somebody told it to. Its sockets close with this.
    closing: Option<CloseReason>,
    /// Since when no socket is in the room.
    empty_since: Option<Instant>,
}

/// What happens next in a room.
enum Happening {
    Mail(Mail),
    /// The oldest turn at the gate is settled.
    Settled(Result<Durable, StorageError>),
    /// A timer is due, or an ask timed out.
    Timer,
    /// Nothing happens: the room gives up its instance.
    Sleep,
    /// The room was empty for long enough, or somebody else wants its place.
    End,
}

impl Happening {
    /// Whether it may run the plugin's code, and so has to wait for the tenant's share of the thread.
    fn runs_turns(&self) -> bool {
        match self {
            Self::Timer | Self::Sleep => true,
            Self::Mail(mail) => !matches!(
                mail,
                Mail::LastWords { .. } | Mail::Request(_) | Mail::Close(_) | Mail::Idle | Mail::Quarantined
            ),
            Self::Settled(_) | Self::End => false,
        }
    }
}

/// Waits until a moment; for ever where there is none.
async fn at(due: Option<Instant>) {
    match due {
        // A timer ends at a whole millisecond, and so behind a moment that has just passed.
        Some(due) if due <= Instant::now() => {}
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let reason = self.turns.door.end_reason();
        self.turns.code.end(reason == CloseReason::RESTART);
        self.turns.people.close(&reason);
    }
}

impl Room {
    pub(super) fn new(turns: Conductor, owner: Arc<dyn RoomOwner>) -> Self {
        Self { turns, owner, closing: None, empty_since: None }
    }

    pub(super) async fn live(mut self: Box<Self>) {
        // Boxed, so that the memory that turns need is free while the room sleeps.
        while Box::pin(self.work()).await {
            let due = self.turns.people.state.next_due();
            tokio::select! {
                biased;
                () = self.turns.door.mailbox.ready() => {}
                () = at(due) => {}
            }
        }
        Box::pin(self.finish()).await;
    }

    /// Does one happening after the other until the room sleeps (true) or ends (false).
    async fn work(&mut self) -> bool {
        while !self.turns.is_ending() {
            let next = self.next().await;
            // The rest runs no code of the plugin, and need not wait for the tenant's CPU time.
            if next.runs_turns() {
                self.turns.wait_for_share().await;
            }
            match next {
                Happening::Mail(mail) => self.take(mail).await,
                Happening::Settled(settled) => self.turns.take_up(settled).await,
                Happening::Timer => self.timer_due().await,
                Happening::Sleep => self.sleep(false).await,
                Happening::End => return false,
            }
            self.turns.follow_losses().await;
            if self.turns.code.needs_checkpoint() {
                self.sleep(true).await;
            }
            // Turns that end at their first poll would otherwise keep the thread from its other tasks.
            tokio::task::consume_budget().await;
            if self.is_dormant() && !self.turns.is_ending() {
                return true;
            }
        }
        false
    }

    /// Whether the room has nothing to wait for but mail, timers and asks.
    fn is_dormant(&self) -> bool {
        !self.turns.code.is_awake() && self.turns.ledger.is_settled() && !self.turns.people.nobody_is_here()
    }

    /// Waits until the room's last writes are durable or lost, does what follows from losses, and tells the owner
    /// whether the room keeps anything.
    async fn finish(&mut self) {
        self.turns.until_settled().await;
        self.turns.follow_losses().await;
        self.owner.note_kept(&self.turns.door.key, self.turns.ledger.is_anything_stored());
    }

    /// Waits for whatever happens next, as `plan` decides.
    async fn next(&mut self) -> Happening {
        // Counted from the end of the last socket, so that requests of administration do not keep an empty room open.
        let is_empty = self.turns.people.nobody_is_here();
        self.empty_since = is_empty.then(|| self.empty_since.unwrap_or_else(Instant::now));
        let situation = Situation {
            timer: self.turns.people.state.next_due(),
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
            // Mail that came at the last moment keeps the room open.
            Some(Rest::EndAt(_)) if mailbox.close_if_empty() => Happening::End,
            Some(Rest::EndAt(_)) => Happening::Mail(mailbox.next().await),
            Some(Rest::SleepAt(_)) | None => Happening::Sleep,
        }
    }

    /// Does what one mail asks for.
    async fn take(&mut self, mail: Mail) {
        match mail {
            Mail::Connect { socket, meta, outbound } => self.connect(socket, meta, outbound).await,
            Mail::Message { socket, message, accepted_at, accepted_ns } => {
                self.turns.accepted_ns = accepted_ns;
                if self.hears(socket).await {
                    match message {
                        ClientMessage::Event(event) => self.client_event(socket, event, accepted_at).await,
                        ClientMessage::Answer(answer) => self.answered(socket, answer, accepted_at).await,
                    }
                }
                return self.turns.handled(socket);
            }
            Mail::Line { socket } => return self.line_changed(socket).await,
            Mail::LastWords { socket, reason } => {
                return self.turns.say_in_order(Some(Output::LastWords { socket, reason })).await;
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

    /// Makes a socket a member, and runs its `$connect`. Where that fails, the socket is a member no more.
    async fn connect(&mut self, socket: SocketId, meta: Meta, outbound: Arc<Outbound>) {
        if let Some(reason) = &self.closing {
            return outbound.close(reason.clone());
        }
        if self.turns.people.sockets() >= self.turns.limits.sockets_per_room {
            return outbound.close(CloseReason::ROOM_FULL);
        }
        // Already now, because the code may fault in making an instance.
        self.turns.people.visitors.note(socket, &outbound.visitor);
        if !self.turns.make_ready().await {
            return outbound.close(self.turns.door.end_reason());
        }
        self.turns.code.note_between(|| BetweenTurns::Admitted(TapedMember::new(socket, &meta, true)));
        self.turns.people.admit(socket, meta, outbound);
        if !self.turns.code.asks_for(hook::CONNECT) {
            self.turns.say_in_order(Some(self.turns.welcome(socket))).await;
            return self.user_came(socket).await;
        }
        let event = Event::hook(hook::CONNECT, None, Some(socket), unix_ms());
        self.turns.people.arriving = Some(socket);
        let end = self.turns.turn(event).await;
        self.turns.people.arriving = None;
        if let TurnEnd::Failed(failed) = end {
            self.turns.tell(&failed).await;
            // Before `follow_up`, whose `$restore` may look at who is here.
            self.turns.code.note_between(|| BetweenTurns::Forgotten(socket));
            self.turns.people.refuse(socket);
            return self.turns.follow_up(&failed).await;
        }
        self.user_came(socket).await;
    }

    /// Whether the room listens to a socket. It ignores what a socket still sends after a turn closed it.
    async fn hears(&mut self, socket: SocketId) -> bool {
        if self.turns.people.is_heard(socket) {
            return true;
        }
        if self.turns.people.is_closing(socket) {
            // Where the writes of the turn that closed the socket fail, the socket stays, and what it sends counts.
            self.turns.until_said().await;
            self.turns.follow_losses().await;
        }
        self.turns.people.is_heard(socket)
    }

    /// Gives a client's event a turn, if the plugin wants it.
    async fn client_event(&mut self, socket: SocketId, event: ClientEvent, accepted_at: f64) {
        let ClientEvent { name, channel, data, ack } = event;
        // First, so that an event that nobody wants does not wake a room that sleeps.
        let mut cause = self.turns.code.cause_of(&name);
        if cause.is_some() && !self.turns.code.is_ready() {
            if !self.turns.make_ready().await {
                return;
            }
            // Again, because a new instance may want other events.
            cause = self.turns.code.cause_of(&name);
        }
        let Some(cause) = cause else {
            return self.turns.say_in_order(WordsForSender::unwanted(socket, ack)).await;
        };
        let (cause, socket) = (cause.to_owned(), Some(socket));
        let event = Event { cause, name, channel, data, socket, caused_by: socket, ack, accepted_at };
        self.turns.give(event).await;
    }

    /// Takes a socket out of all counts and channels, and then runs `$ack` for what it was asked and its `$disconnect`, which
    /// can still read its meta.
    async fn disconnect(&mut self, socket: SocketId, reason: CloseReason) {
        if !self.turns.people.depart(socket) {
            return;
        }
        self.turns.code.note_between(|| BetweenTurns::Departed(socket));
        self.gone(socket).await;
        // First, so that a `$disconnect` that nobody wants does not wake a room that sleeps.
        if self.turns.code.wants(hook::DISCONNECT) && !self.turns.make_ready().await {
            log!(
                error,
                &self.turns.door.key,
                socket,
                "the room cannot make an instance to run $disconnect for this socket"
            );
        }
        if self.turns.code.asks_for(hook::DISCONNECT) {
            let payload = Json::of(&json!({ "code": reason.code, "reason": reason.reason }));
            self.turns.give(Event::hook(hook::DISCONNECT, Some(payload), Some(socket), unix_ms())).await;
        }
        self.user_left(socket).await;
        self.turns.code.note_between(|| BetweenTurns::Forgotten(socket));
        self.turns.people.forget(socket);
    }

    /// Runs the earliest timer that is due, or the `$ack` of an ask that timed out before it. Either is gone then, even if
    /// its turn fails.
    async fn timer_due(&mut self) {
        // The turn that set the timer may be lost with its writes, and the timer with it.
        self.turns.until_said().await;
        self.turns.follow_losses().await;
        let state = &mut self.turns.people.state;
        if state.asks.next_due().is_some_and(|ask| state.timers.next_due().is_none_or(|timer| ask < timer)) {
            return self.timed_out().await;
        }
        let Some((name, timer)) = state.timers.take_due(Instant::now()) else { return };
        self.turns.code.note_between(|| BetweenTurns::TimerTaken(name.clone()));
        if !self.turns.make_ready().await || !self.turns.code.asks_for(hook::TIMER) {
            return log!(debug, &self.turns.door.key, name, "a timer is due, and the plugin has no handler for timers");
        }
        let event = Event::hook(hook::TIMER, timer.data, None, unix_ms());
        self.turns.give(Event { name, caused_by: timer.set_by, ..event }).await;
    }

    /// Runs the room's alarm. Its turn forgets the alarm, and may set it anew.
    async fn alarm_due(&mut self, due: UnixMs, attempt: u32) {
        if self.turns.ledger.alarm() != Some(due) {
            // A turn changed the alarm meanwhile: go by the durable one until that change is durable.
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
                "an alarm is due, and the plugin has no handler for alarms: the room forgets it"
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
}

#[cfg(test)]
mod tests;
