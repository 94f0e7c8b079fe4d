//! Does to a room what a simulation's steps say, and looks after each whether something failed that must not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::lessons::Lessons;
use super::step::SimulatedStep;
use crate::harness::heard::HEARD;
use crate::harness::opening::OpenStep;
use crate::harness::outcome::StepError;
use crate::harness::peer::InsidePeer;
use crate::harness::session::Harness;
use crate::harness::step::{AnswerStep, ConnectStep, LeaveStep, MemberStep};
use crate::model::event::hook;
use crate::plugin::carried::{CarryingComponent, carrying};
use crate::randomness;
use crate::storage::{RoomStorage, Storage as _};
use crate::tenant::tapes::TapePlace;

/// What a turn fails with whose instance is lost, or could not be made: the code of no handler.
const FAULTS: [&str; 6] = ["trap", "deadline", "timeout", "memory", "host-call-quota", "no-instance"];
/// The hooks that may not fail, whatever the code.
const HOOKS: [&str; 4] = [hook::RESTORE, hook::RESUME, hook::SUSPEND, hook::CHECK];
/// The code of a turn whose writes failed, as the simulation wants it.
const STORAGE: &str = "storage";
/// After so many turns of timers time stops, so that a room that ticks does not take all steps' time.
const TURNS_MAX: u64 = 300;
/// The first piece of time that passes, which doubles.
const PIECE_MS: u64 = 50;
/// The key that makes the second version: it differs from the first in nothing else.
const TWIN: &str = "parlor-simulation";
/// The lines of the log that a failure shows, and the most errors of handlers that are counted by kind.
const LINES_MAX: usize = 20;
const ERRORS_MAX: usize = 100;

/// What must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedFailure {
    /// The event whose turn failed.
    pub event: String,
    pub code: String,
    pub message: String,
    /// What the plugin logged in that step.
    pub log: Vec<String>,
}

impl SimulatedFailure {
    fn new(event: &str, code: &str, message: &str) -> Self {
        Self { event: event.to_owned(), code: code.to_owned(), message: message.to_owned(), log: Vec::new() }
    }

    /// Whether it is the same fault: the words may name other ids.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (&self.event, &self.code) == (&other.event, &other.code)
    }
}

/// Errors of handlers, as they may answer what they were sent: how many of each event and code, with the words of the first.
pub type HandlerErrors = BTreeMap<(String, String), (u64, String)>;

/// A room to which things happen.
pub(super) struct Driver {
    harness: Harness,
    seed: u64,
    query: Vec<(String, String)>,
    is_strict: bool,
    /// Two versions that do the same.
    twins: [Arc<[u8]>; 2],
    pub(super) errors: HandlerErrors,
    /// The words with which the first client was refused.
    pub(super) refusal: Option<String>,
}

impl Driver {
    pub(super) fn new(
        harness: Harness,
        seed: u64,
        query: Vec<(String, String)>,
        is_strict: bool,
    ) -> anyhow::Result<Self> {
        let first = Arc::clone(&harness.first);
        let apart = CarryingComponent::of(&first);
        let mut config = apart.config()?;
        config.insert(TWIN.to_owned(), "the same plugin once more".to_owned());
        let second = carrying(apart.code.to_vec(), &config)?.into();
        let (errors, refusal) = Default::default();
        Ok(Self { harness, seed, query, is_strict, twins: [first, second], errors, refusal })
    }

    /// Begins with an empty room.
    pub(super) fn begin(&mut self) -> anyhow::Result<()> {
        let opening = OpenStep { seed: Some(self.seed), ..OpenStep::default() };
        self.errors.clear();
        self.refusal = None;
        self.harness.open(opening).map(drop).map_err(|why: StepError| anyhow!(why.words))
    }

    /// From the next `begin` on, turns that fail are recorded.
    pub(super) fn record(&mut self, place: TapePlace) {
        self.harness.options.tapes = Some(place);
    }

    /// What the plugin registered for.
    pub(super) fn events(&mut self) -> Vec<String> {
        self.harness.plugin().map(|plugin| plugin.events.clone()).unwrap_or_default()
    }

    /// The sockets that are open.
    pub(super) fn open(&self) -> Vec<String> {
        self.sockets(|peer| !peer.is_lost())
    }

    /// The sockets whose lines broke.
    pub(super) fn lost(&self) -> Vec<String> {
        self.sockets(InsidePeer::is_lost)
    }

    fn sockets(&self, are: impl Fn(&InsidePeer) -> bool) -> Vec<String> {
        let found = self.harness.peers.iter().filter(|(_, peer)| peer.closing().is_none() && are(peer));
        found.map(|(name, _)| name.clone()).collect()
    }

    /// Those of them that were asked something.
    pub(super) fn asked(&self) -> Vec<String> {
        self.sockets(|peer| !peer.is_lost() && peer.inbox.is_asked())
    }

    /// How long it is until the alarm is due.
    pub(super) fn alarm_in(&self) -> Option<u64> {
        let (key, storage, world) = (self.harness.room_key(), &self.harness.storage, &self.harness.world);
        let kept = world.run(async { storage.open(&key).await.map(|room| RoomStorage::kept(&*room)) });
        kept.ok()?.alarm.map(|due| due.saturating_sub(world.now()))
    }

    /// Does a step; answers what failed in it. A step that cannot be done now, since other steps are left out, does nothing.
    pub(super) fn step(&mut self, number: u64, step: &SimulatedStep) -> Option<SimulatedFailure> {
        // Whatever came before, a step draws the same ids: so a prefix can be shortened.
        randomness::seed(Dice::of(!self.seed, number).number());
        let failed = self.apply(number, step);
        let _ = self.harness.check();
        let log = HEARD.take_lines();
        let mut is_of_storage = false;
        let mut found = None;
        for told in HEARD.take_failures() {
            let word = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
            let (event, code, message) = (word("event"), word("code"), word("message"));
            is_of_storage |= code == STORAGE;
            if self.is_failure(&event, &code) {
                found.get_or_insert_with(|| SimulatedFailure::new(&event, &code, &message));
            } else if code != STORAGE && self.errors.len() < ERRORS_MAX {
                self.errors.entry((event, code)).or_insert((0, message)).0 += 1;
            }
        }
        let log = log[log.len().saturating_sub(LINES_MAX)..].to_vec();
        let found = found.or_else(|| failed.filter(|_| !is_of_storage));
        found.map(|failure| SimulatedFailure { log, ..failure })
    }

    fn is_failure(&self, event: &str, code: &str) -> bool {
        code != STORAGE && (self.is_strict || FAULTS.contains(&code) || HOOKS.contains(&event))
    }

    fn apply(&mut self, number: u64, step: &SimulatedStep) -> Option<SimulatedFailure> {
        let harness = &mut self.harness;
        let done = match step {
            SimulatedStep::Connect { socket, user, past } => return self.connect(socket, user, past.as_ref()),
            SimulatedStep::Send { from, event, data } => {
                harness.send_text(from, SimulatedStep::frame(event, data.as_ref(), number))
            }
            SimulatedStep::Answer { from, data } => {
                let frame: Map<String, Value> = data.iter().map(|data| ("data".to_owned(), data.clone())).collect();
                harness.answer(AnswerStep { from: from.clone(), frame }).map(drop)
            }
            SimulatedStep::Leave { socket, code } => {
                harness.leave(&LeaveStep { who: socket.clone(), code: *code, reason: String::new() }).map(drop)
            }
            SimulatedStep::LoseLine(socket) => harness.lose_line(socket).map(drop),
            SimulatedStep::ComeBack(socket) => harness.come_back(socket).map(drop),
            SimulatedStep::Advance(ms) => self.advance(*ms),
            SimulatedStep::Sleep => harness.sleep().map(drop),
            SimulatedStep::Crash => harness.crash().map(drop),
            SimulatedStep::Restart => harness.restart().map(drop),
            SimulatedStep::FailCommit => harness.fail_commits(1).map(drop),
            SimulatedStep::Swap => {
                let other = self.twins.iter().find(|twin| !Arc::ptr_eq(twin, &harness.served)).cloned();
                let swapped = other.map(|other| harness.swap_to(&other, None).map(drop));
                let why = swapped.and_then(Result::err)?;
                return Some(SimulatedFailure::new("swap", "went-back", &why.words));
            }
        };
        // The room is not open, or the socket has gone: then there is nothing to do.
        let _ = done;
        None
    }

    fn connect(&mut self, socket: &str, user: &str, past: Option<&Value>) -> Option<SimulatedFailure> {
        let members = [("user", user), ("userId", user), ("name", user), ("client", socket), ("resume", "")];
        let mut query = Map::from_iter(members.map(|(key, value)| (key.to_owned(), json!(value))));
        query.extend(self.query.iter().map(|(key, value)| (key.clone(), json!(value.replace("{user}", user)))));
        let meta = past.map(|fields| MemberStep {
            user: user.to_owned(),
            client: None,
            channels: None,
            fields: fields.as_object().cloned().unwrap_or_default(),
        });
        let query = meta.is_none().then_some(query);
        let step = ConnectStep { name: socket.to_owned(), query, meta, ..ConnectStep::default() };
        let (status, words) = self.harness.connect(step).err()?.refused?;
        // A plugin that refuses is no failure; one that fails to say is.
        if status == 500 {
            return Some(SimulatedFailure::new("authorize", "500", &words));
        }
        if (400..500).contains(&status) && status != 429 {
            self.refusal.get_or_insert(format!("{status} {words}"));
        }
        None
    }

    /// Lets time pass, less of it where timers ring all the while.
    fn advance(&mut self, ms: u64) -> Result<(), StepError> {
        let turns = |harness: &Harness| {
            let room = harness.world.find(&harness.room_key());
            room.map_or(0, |room| room.stats.turns.load(Ordering::Relaxed))
        };
        let (before, mut left, mut piece) = (turns(&self.harness), ms, PIECE_MS);
        while left > 0 && turns(&self.harness).abs_diff(before) < TURNS_MAX {
            self.harness.advance(piece.min(left))?;
            left = left.saturating_sub(piece);
            piece *= 2;
        }
        Ok(())
    }

    /// Takes what the sockets got.
    pub(super) fn forget_frames(&mut self) {
        for peer in self.harness.peers.values_mut() {
            peer.collect().take_all();
        }
    }

    /// Takes what the sockets got, and learns from it.
    pub(super) fn listen(&mut self, number: u64, step: &SimulatedStep, lessons: &mut Lessons) {
        for peer in self.harness.peers.values_mut() {
            for frame in peer.collect().take_all() {
                let Ok(frame) = serde_json::from_str::<Value>(&frame) else { continue };
                match (step, &frame) {
                    (SimulatedStep::Send { event, data, .. }, frame)
                        if frame["type"] == "ack" && frame["id"] == number =>
                    {
                        match frame.get("error") {
                            None => lessons.sample(event, data.clone().unwrap_or_default()),
                            Some(error) => lessons.error(event, error["message"].as_str().unwrap_or_default()),
                        }
                        lessons.heard(&frame["data"]);
                    }
                    (_, frame) => lessons.heard(&frame["data"]),
                }
            }
        }
    }
}
