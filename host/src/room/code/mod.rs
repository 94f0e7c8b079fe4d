//! A room's code: the version of the plugin that the room is on, and the instance that runs it, where there is one. It
//! opens, loses and gives up instances, tries versions and goes back from them. It answers as data what the room has to
//! do then.

mod elsewhere;
mod faults;
mod opening;
mod owed;
mod tapes;
mod trial;
mod wishes;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use self::faults::Faults;
use self::owed::Owed;
use self::trial::Trial;
use super::handle::RoomHandle;
use super::owner::{Penalty, RoomOwner};
use super::turn::TurnKind;
use super::visitors::Visitors;
use crate::clock::Instant;
use crate::guest::instance::{Instance, Outcome};
use crate::guest::tape::data::TapeBase;
use crate::guest::tape::recorder::Recorder;
use crate::model::body::Payload;
use crate::model::event::{Event, hook};
use crate::model::history::HistoryKeep;
use crate::model::limits::Limits;
use crate::model::text::for_log;
use crate::model::turn::Turn;
use crate::model::visitor::Visitor;
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::storage::view::StorageView;
use crate::tenant::aside::Aside;
use crate::tenant::lane::Lane;
use crate::tenant::latency::Timed;

pub(super) use self::faults::Consequence;
pub(super) use self::owed::{RestoreReason, Suspended};

/// An instance with more memory than this is dropped on a thread of low priority: the kernel takes some 0.1 ms a MiB.
const DROP_HERE_BYTES: usize = 4 << 20;

/// The code of one room.
pub(super) struct Code {
    room: RoomHandle,
    owner: Arc<dyn RoomOwner>,
    limits: Arc<Limits>,
    /// The version that the room is on.
    plugin: Arc<Plugin>,
    /// None until the first event, while the room sleeps, and after a fault.
    instance: Option<Box<Instance>>,
    /// What the next instance must hear before any event.
    owed: Option<Owed>,
    /// The version that the room came from, while it tries its own.
    trial: Option<Trial>,
    faults: Faults,
    /// The histories that a new instance asked for, until the room takes that up.
    histories_wanted: Option<Vec<HistoryKeep>>,
    /// Whether somebody nudged the room since its last turn: it may give up its instance.
    idle: bool,
    /// The tenant's lane on the room's thread.
    lane: Arc<Lane>,
    /// The thread of low priority for calls that take long.
    aside: Arc<Aside>,
    tapes: RoomTapes,
    /// Whether the room ends with the server.
    is_drained: bool,
}

/// What the room keeps of tapes beside the one of its instance.
#[derive(Debug, Default)]
struct RoomTapes {
    /// How many turns the room had in the lives that are over.
    turns: u64,
    /// The tape of an instance that is gone, until the room has judged its last turn.
    ended: Option<Box<Recorder>>,
    /// The tape before that of the instance, where a checkpoint is between them.
    before: Option<Box<Recorder>>,
}

/// What the room has to do before its code can be given an event.
pub(super) enum Readiness {
    /// Nothing: there is an instance, and it knows what it has to.
    Ready,
    /// Give the new instance what the last one handed over.
    Resume { handed_over: Suspended, reason: RestoreReason },
    /// Tell the new instance to rebuild what the last one knew.
    Restore(RestoreReason),
    /// Ask again: no instance of the version on trial could be made, and the room is back on the version before.
    WentBack,
    /// End: no instance can be made.
    End(CloseReason),
}

impl Code {
    pub(super) fn new(room: RoomHandle, owner: Arc<dyn RoomOwner>, slow: Handle, owed: Option<RestoreReason>) -> Self {
        let plugin = room.plugin();
        Self {
            owner,
            limits: Arc::clone(plugin.limits()),
            instance: None,
            owed: owed.map(Owed::because),
            trial: None,
            faults: Faults::default(),
            histories_wanted: None,
            idle: false,
            lane: Arc::clone(plugin.account().lane()),
            aside: Arc::new(Aside::new(slow, Arc::clone(plugin.account()))),
            plugin,
            room,
            tapes: RoomTapes::default(),
            is_drained: false,
        }
    }

    /// The version that the room is on.
    pub(super) fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// The tenant's lane on the room's thread.
    pub(super) fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// Whether there is an instance.
    pub(super) fn is_awake(&self) -> bool {
        self.instance.is_some()
    }

    /// Whether the instance is there and nothing has happened for a while.
    pub(super) fn is_idle(&self) -> bool {
        self.idle && self.is_awake()
    }

    /// Nothing happened in the room for a while.
    pub(super) fn note_idle(&mut self) {
        self.idle = true;
    }

    /// Notes that a turn begins, so that the room is not idle.
    pub(super) fn note_turn(&mut self) {
        if self.room.stats.note_turn(Instant::now()) {
            self.owner.awoke(&self.room);
        }
        self.idle = false;
    }

    /// Takes the instance out for a call; [`Code::put_back`] must follow.
    pub(super) fn take(&mut self) -> Option<Box<Instance>> {
        self.instance.take()
    }

    /// Has the instance handle an event, on a thread of low priority where the room's turns take long or this one does.
    pub(super) fn call(
        &self,
        instance: Box<Instance>,
        event: Event,
        turn: Box<Turn>,
    ) -> impl Future<Output = (Box<Instance>, Box<Turn>, Outcome)> + Send {
        self.aside.run(&*self.room.pace, instance.run(event, turn))
    }

    /// The same for a room that does something else meanwhile.
    pub(super) fn call_meanwhile(
        &self,
        instance: Box<Instance>,
        event: Event,
        turn: Box<Turn>,
    ) -> impl Future<Output = (Box<Instance>, Box<Turn>, Outcome)> + Send + use<> {
        let (aside, pace) = (Arc::clone(&self.aside), Arc::clone(&self.room.pace));
        async move { aside.run(&*pace, instance.run(event, turn)).await }
    }

    /// Takes the instance back from a call; answers what the call executed.
    pub(super) fn put_back(&mut self, instance: Box<Instance>) -> u64 {
        let executed = instance.executed_ns();
        self.plugin.totals.latencies.note(Timed::TurnCpu, executed);
        let wants_ping = instance.registrations().has_ping();
        if self.room.wants_ping.load(Ordering::Relaxed) != wants_ping {
            self.room.wants_ping.store(wants_ping, Ordering::Relaxed);
        }
        self.instance = Some(instance);
        executed
    }

    /// Whether the version before gets this event if the version on trial faults in it: it may manage what the new one
    /// cannot.
    pub(super) fn can_go_back_from(&self, kind: TurnKind) -> bool {
        self.trial.is_some() && kind.is_given_again()
    }

    /// Whether the room may go back to the version before.
    pub(super) fn is_on_trial(&self) -> bool {
        self.trial.is_some()
    }

    /// Counts a turn that went well: enough of them end a trial. Says whether this did.
    pub(super) fn passed(&mut self) -> bool {
        let is_passed = self.trial.as_mut().is_some_and(Trial::passed);
        if is_passed {
            self.trial = None;
            self.owner.stayed(&self.plugin);
        }
        is_passed
    }

    /// Drops the instance that faulted, since wasmtime never enters the store of such a guest again, and counts the
    /// fault. It does not count faults of a version on trial, because the room goes back from it.
    pub(super) fn faulted(&mut self, by: Option<&Arc<Visitor>>, fault: &str, visitors: &Visitors) -> Consequence {
        self.lose();
        if self.trial.is_some() {
            return Consequence::default();
        }
        let penalty = by.map(|by| self.owner.faulted(&self.plugin, by));
        let is_one_too_many = match (by, penalty) {
            (Some(by), Some(Penalty::Refused)) => {
                self.faults.forget(by);
                false
            }
            _ => self.faults.count(by, Instant::now(), &self.limits),
        };
        Consequence { penalty, ends: is_one_too_many.then(|| self.crash(fault, visitors)) }
    }

    /// Drops an instance that cannot or must not be entered again.
    pub(super) fn lose(&mut self) {
        self.drop_instance();
        self.owed = Some(Owed::because(RestoreReason::Crash));
    }

    /// Whether the instance can take an event at once.
    pub(super) fn is_ready(&self) -> bool {
        self.instance.is_some() && self.owed.is_none()
    }

    /// Makes an instance if there is none, and answers what the room has to do next. Call it again until it says
    /// `Ready`.
    /// `base` is what its tape begins with, where the room is recorded.
    pub(super) async fn prepare(
        &mut self,
        view: &Arc<StorageView>,
        sockets: usize,
        visitors: &Visitors,
        base: Option<Arc<TapeBase>>,
    ) -> Readiness {
        if self.instance.is_none()
            && let Err(why) = self.open_timed(view, sockets, base).await
        {
            let handed_over = self.owed.take().and_then(|owed| owed.state);
            if why.is_of_code() && self.goes_back(&why.to_string(), handed_over) {
                return Readiness::WentBack;
            }
            return Readiness::End(self.cannot_open(&why, visitors));
        }
        let Some(Owed { reason, state }) = self.owed.take() else { return Readiness::Ready };
        match state.filter(|_| self.asks_for(hook::RESUME)) {
            Some(handed_over) => Readiness::Resume { handed_over, reason },
            None if self.asks_for(hook::RESTORE) => Readiness::Restore(reason),
            None => Readiness::Ready,
        }
    }

    /// Goes on after a `$resume` that failed: back to the version before, which gets the state again, or else with a
    /// `$restore`.
    pub(super) fn resume_failed(&mut self, why: &str, handed_over: Suspended, reason: RestoreReason) {
        if !self.goes_back(why, Some(handed_over)) {
            self.owed = Some(Owed::because(reason));
        }
    }

    /// Goes on after a `$restore` that failed: back to the version before, if the code of a version on trial faulted,
    /// or else as if it had not failed.
    pub(super) fn restore_failed(&mut self, why: &str) {
        let is_lost = self.instance.is_none();
        if !is_lost || !self.goes_back(why, None) {
            self.owed = None;
        }
    }

    /// Keeps what `$suspend` answered for the next instance.
    pub(super) fn hand_over(&self, state: Payload) -> Suspended {
        Suspended::new(state, self.plugin.account())
    }

    /// Gives up the instance until the next event, and keeps what it handed over for the next one. At a checkpoint, which ends
    /// a full tape, that tape is kept for a while.
    pub(super) fn sleep(&mut self, handed_over: Option<Suspended>, is_checkpoint: bool) {
        // If the instance was lost meanwhile, the next one still hears of the crash.
        let reason = self.owed.take().map_or(RestoreReason::Wake, |owed| owed.reason);
        self.owed = Some(Owed { reason, state: handed_over });
        self.drop_instance();
        self.end_life(is_checkpoint);
    }

    /// Moves to another version, whose first instance gets what the last one handed over. A room that sleeps kept that
    /// when it fell asleep, and a room that never had an instance has nothing to hand over.
    pub(super) fn move_to(&mut self, plugin: Arc<Plugin>, handed_over: Option<Suspended>) {
        let kept = self.owed.take();
        if self.instance.is_some() {
            self.owed = Some(Owed { reason: RestoreReason::Swap, state: handed_over });
        } else if let Some(Owed { state, .. }) = kept {
            self.owed = Some(Owed { reason: RestoreReason::Swap, state });
        }
        self.drop_instance();
        self.end_life(true);
        let before = Arc::clone(&self.plugin);
        self.go_on_with(plugin);
        // No room goes back to a condemned version.
        let is_good = !self.owner.is_condemned(&before);
        self.trial = is_good.then(|| Trial::new(before, self.limits.swap_trial_turns));
        log!(debug, &self.room.key, version = self.plugin.version, "the room moved to another version");
    }

    /// Goes back to the version before, and reports it; false where no version is on trial.
    fn goes_back(&mut self, why: &str, handed_over: Option<Suspended>) -> bool {
        let failed = self.go_back(why, handed_over);
        failed.inspect(|failed| self.report_back(failed, why, None)).is_some()
    }

    /// Reports that the room went back from a version that failed; in an event of this client, where it was one.
    pub(super) fn report_back(&self, failed: &Plugin, why: &str, by: Option<Arc<Visitor>>) {
        self.owner.went_back(failed, why, by);
    }

    /// Goes back to the version before; answers the one that failed, or none where no version is on trial. The next
    /// instance is of the version before, and gets the state that this one could not take.
    pub(super) fn go_back(&mut self, why: &str, handed_over: Option<Suspended>) -> Option<Arc<Plugin>> {
        let Trial { before, .. } = self.trial.take()?;
        let failed = Arc::clone(&self.plugin);
        let (version, back_to) = (failed.version.as_str(), before.version.as_str());
        log!(error, &self.room.key, version, back_to, "the room goes back to the version before: {}", for_log(why));
        self.room.refuse(&failed);
        self.drop_instance();
        self.end_life(false);
        self.go_on_with(before);
        self.owed = Some(Owed { reason: RestoreReason::Swap, state: handed_over });
        Some(failed)
    }

    /// From now on the room's instances are of this version.
    pub(super) fn go_on_with(&mut self, plugin: Arc<Plugin>) {
        self.owner.moved(&self.room, &plugin);
        self.plugin = plugin;
    }

    /// Drops the instance, where there is one.
    fn drop_instance(&mut self) {
        self.room.stats.awake.store(false, Ordering::Relaxed);
        let Some(mut instance) = self.instance.take() else { return };
        self.end_tape(&mut instance);
        if instance.memory_bytes() > DROP_HERE_BYTES {
            self.aside.spawn(async move { drop(instance) });
        }
    }
}
