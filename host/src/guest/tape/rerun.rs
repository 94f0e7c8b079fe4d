//! Lives a taped life with another component: its events, with answers that the real model of a room computes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Tape;
use super::data::{BetweenTurns, TapeBase, TapedAnswer, TapedCall, TapedEvent, TapedMember, TapedVerdict};
use super::file::{self, TapeFile, TapedTurn};
use super::recorder::{Recorder, TapeBound};
use crate::clock::Instant;
use crate::guest::RoomContext;
use crate::guest::bindings::parlor::room::storage::{Entry, Page};
use crate::guest::bindings::parlor::room::types::Payload as WitPayload;
use crate::guest::instance::{Instance, OpenError, Outcome, Template};
use crate::model::asks::Asks;
use crate::model::body::{EventData, Payload};
use crate::model::durability::Durability;
use crate::model::effect::Batch;
use crate::model::event::{Event, cause_of, hook};
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::state::RoomState;
use crate::model::timers::Timer;
use crate::model::turn::{StorageUse, Turn};
use crate::storage::view::StorageView;
use crate::storage::{RoomStorage, StorageError};

/// The tape of the other life is never full.
const BOUND: TapeBound = TapeBound { turns: u64::MAX, bytes: 256 << 20 };

/// Why a life cannot go on with another component.
#[derive(Debug)]
pub enum CannotRerun {
    Open(OpenError),
    Storage(StorageError),
    /// The other tape cannot be read.
    Unreadable,
}

impl std::fmt::Display for CannotRerun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(why) => why.fmt(f),
            Self::Storage(why) => why.fmt(f),
            Self::Unreadable => f.write_str("its calls are more than a tape holds"),
        }
    }
}

/// The other life.
pub struct Rerun {
    /// Each turn that it was given, with the number that this has on the tape.
    pub turns: Vec<(u64, TapedTurn)>,
    /// The turns that it could not be given, and why.
    pub left_out: BTreeMap<u64, String>,
}

/// A room as another component finds it.
struct OtherRoom {
    instance: Instance,
    state: Box<RoomState>,
    view: Arc<StorageView>,
    context: Arc<RoomContext>,
}

/// Lives the life again. `storage` is an empty one.
pub async fn rerun(
    template: &Template,
    context: Arc<RoomContext>,
    tape: &TapeFile,
    storage: Arc<dyn RoomStorage>,
) -> Result<Rerun, CannotRerun> {
    fill(&*storage, tape).await.map_err(CannotRerun::Storage)?;
    let view = Arc::new(StorageView::new(storage, context.limits.storage_cache_bytes));
    let mut recorder = Recorder::comparing(&tape.base, BOUND, Arc::clone(&context.account));
    if let Some(init) = tape.turns.first() {
        recorder.give(&init.calls, &init.end);
    }
    let recording = Tape::Record(Box::new(recorder));
    let opened = Instance::open(template, Arc::clone(&context), Some(Arc::clone(&view)), recording).await;
    let (instance, _) = opened.map_err(CannotRerun::Open)?;
    let state = state_of(&tape.base);
    let mut room = OtherRoom { instance, state, view, context };
    let (mut given, mut left_out) = (Vec::new(), BTreeMap::new());
    for turn in tape.turns.iter().skip(1) {
        match room.turn(turn).await {
            Ok(lives_on) => {
                given.push(turn.number);
                if !lives_on {
                    break;
                }
            }
            Err(why) => drop(left_out.insert(turn.number, why)),
        }
    }
    let read = room.instance.take_recorder().and_then(|recorder| {
        let frames = recorder.frames()?;
        file::read(&file::write(frames)).ok()
    });
    let turns = read.ok_or(CannotRerun::Unreadable)?.turns.into_iter().skip(1);
    Ok(Rerun { turns: given.into_iter().zip(turns).collect(), left_out })
}

impl OtherRoom {
    /// Gives it a turn's event; answers whether its instance lives on, or why the event was not given.
    async fn turn(&mut self, taped: &TapedTurn) -> Result<bool, String> {
        for what in &taped.between {
            self.happens(what);
        }
        let Some(event) = &taped.event else { return Ok(true) };
        let event = self.event(event)?;
        if let Some(recorder) = self.instance.recorder() {
            recorder.give(&taped.calls, &taped.end);
        }
        let kept = self.view.kept();
        let storage = StorageUse { room_bytes: kept.bytes, keeps_already: true, alarm: kept.alarm, tenant: None };
        let (state, limits) = (std::mem::take(&mut self.state), Arc::clone(&self.context.limits));
        let mut turn = Turn::begin(state, storage, event.socket, event.caused_by, event.accepted_at, limits);
        if event.cause == hook::ALARM {
            turn.forget_alarm();
        }
        let (turn, outcome) = self.instance.handle(event, Box::new(turn)).await;
        let failure = match (&outcome, turn.poison()) {
            (Outcome::Done(_), None) => None,
            (Outcome::Done(_), Some(bound)) => {
                Some((bound.name().to_owned(), "the turn passed a bound".to_owned(), false))
            }
            (Outcome::Failed(why), _) => Some((why.code.clone(), why.message.clone(), why.for_sender)),
            (Outcome::Faulted(fault), _) => Some((fault.code().to_owned(), fault.to_string(), false)),
        };
        let verdict = match failure {
            None => {
                let (state, ended) = turn.end();
                self.state = state;
                self.commit(ended.effects.batch, ended.room_bytes).await.map_err(|why| why.to_string())?;
                TapedVerdict::Committed
            }
            Some((code, message, for_sender)) => {
                self.state = turn.roll_back();
                TapedVerdict::RolledBack { code, message, for_sender }
            }
        };
        self.state.make_final(self.state.mark());
        // Nobody answers here.
        self.state.asks = Asks::default();
        if let Some(recorder) = self.instance.recorder() {
            recorder.judged(&verdict);
        }
        Ok(!matches!(outcome, Outcome::Faulted(_)))
    }

    async fn commit(&self, batch: Batch, room_bytes: usize) -> Result<(), StorageError> {
        if !batch.is_empty() {
            let (number, written) = self.view.write(batch, room_bytes, Durability::Relaxed);
            written.await?;
            self.view.written(number);
        }
        Ok(())
    }

    fn happens(&mut self, what: &BetweenTurns) {
        let RoomState { members, timers, .. } = &mut *self.state;
        match what {
            BetweenTurns::Admitted(member) => members.insert(member.socket, meta_of(member)),
            BetweenTurns::Departed(socket) => members.depart(*socket),
            BetweenTurns::Forgotten(socket) => members.forget(*socket),
            BetweenTurns::TimerTaken(name) => {
                timers.change(name.clone(), None);
            }
        }
    }

    /// The event as this component asks for it; an error where it asks for none of it.
    fn event(&self, taped: &TapedEvent) -> Result<Event, String> {
        let TapedEvent { event, arguments, attachments } = taped;
        let registrations = self.instance.registrations();
        let is_of_client = event.cause == event.name && !event.name.starts_with('$') || event.cause == hook::MESSAGE;
        let cause = match is_of_client {
            true => cause_of(&event.name, |name| registrations.has(name)).map(str::to_owned),
            false => registrations.has(&event.cause).then(|| event.cause.clone()),
        };
        let payload = event.payload.as_ref().map(|payload| match payload {
            WitPayload::Json(text) => Json::parse(text.clone()).map(Payload::Json),
            WitPayload::Binary(bytes) => Ok(Payload::Binary(bytes.clone())),
        });
        Ok(Event {
            cause: cause.ok_or("no handler asks for it")?,
            name: event.name.clone(),
            channel: event.channel.clone(),
            data: EventData {
                payload: payload.transpose().map_err(|why| why.to_string())?,
                arguments: *arguments,
                attachments: attachments.iter().map(|bytes| Bytes::from(bytes.clone())).collect(),
            },
            socket: event.socket,
            caused_by: event.socket,
            ack: event.answer_wanted.then_some(0),
            accepted_at: event.accepted_at,
        })
    }
}

fn meta_of(member: &TapedMember) -> Meta {
    let TapedMember { user, client, channels, fields, .. } = member.clone();
    Meta { user_id: user, client_id: client, channels, fields }
}

fn state_of(base: &TapeBase) -> Box<RoomState> {
    let (mut state, now) = (Box::<RoomState>::default(), Instant::now());
    for member in &base.members {
        state.members.insert(member.socket, meta_of(member));
        if !member.is_present {
            state.members.depart(member.socket);
        }
    }
    for timer in &base.timers {
        let data = timer.data.clone().and_then(|data| Json::parse(data).ok());
        let due = now + std::time::Duration::from_millis(timer.due_in_ms);
        state.timers.change(timer.name.clone(), Some(Timer { due, data, set_by: None }));
    }
    state.make_final(state.mark());
    state
}

/// Puts what the tape knows into an empty storage.
async fn fill(storage: &dyn RoomStorage, tape: &TapeFile) -> Result<(), StorageError> {
    let TapeBase { storage: whole, alarm, .. } = &tape.base;
    let writes = match whole {
        Some(entries) => entries.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect(),
        None => read_by(tape),
    };
    storage.commit(Batch { writes, alarm: Some(*alarm) }, Durability::Relaxed).await.map(drop)
}

/// What the recorded life read before it wrote it: so it was stored at the begin.
fn read_by(tape: &TapeFile) -> BTreeMap<String, Option<Vec<u8>>> {
    let (mut stored, mut written) = (BTreeMap::new(), HashSet::new());
    for call in tape.turns.iter().flat_map(|turn| &turn.calls) {
        for (key, value) in entries_of(call) {
            match value {
                Some(value) if !written.contains(&key) => {
                    stored.entry(key).or_insert(value);
                }
                Some(_) => {}
                None => {
                    written.insert(key);
                }
            }
        }
    }
    stored
}

/// The keys of a call, each with what the storage has under it where the call is a read.
fn entries_of(call: &TapedCall) -> Vec<(String, Option<Option<Vec<u8>>>)> {
    fn of<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        postcard::from_bytes(bytes).ok()
    }
    fn value<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        match of::<TapedAnswer<T>>(bytes)? {
            TapedAnswer::Value(value) => Some(value),
            TapedAnswer::Refused(_) | TapedAnswer::Stopped => None,
        }
    }
    let found = || match call.name.as_str() {
        "storage.get" => Some(vec![(of::<(String,)>(&call.args)?.0, Some(value::<Option<Vec<u8>>>(&call.answer)?))]),
        "storage.get_many" => {
            let (keys, values) = (of::<(Vec<String>,)>(&call.args)?.0, value::<Vec<Option<Vec<u8>>>>(&call.answer)?);
            Some(keys.into_iter().zip(values.into_iter().map(Some)).collect())
        }
        "storage.scan" => {
            let page = value::<Page>(&call.answer)?;
            Some(page.entries.into_iter().map(|Entry { key, value }| (key, Some(Some(value)))).collect())
        }
        "storage.put" => Some(vec![(of::<(String, Vec<u8>)>(&call.args)?.0, None)]),
        "storage.put_many" => {
            let entries = of::<(Vec<Entry>,)>(&call.args)?.0;
            Some(entries.into_iter().map(|entry| (entry.key, None)).collect())
        }
        "storage.delete" => Some(vec![(of::<(String,)>(&call.args)?.0, None)]),
        "storage.delete_many" => Some(of::<(Vec<String>,)>(&call.args)?.0.into_iter().map(|key| (key, None)).collect()),
        _ => None,
    };
    found().unwrap_or_default()
}

/// The first turn of another life that read what the tape does not hold, and what. A tape holds no histories, and what was
/// stored up to a size.
pub fn unknown_read(tape: &TapeFile, other: &[(u64, TapedTurn)]) -> Option<(u64, String)> {
    let is_whole = tape.base.storage.is_some();
    let mut known: HashSet<String> = read_by(tape).into_keys().collect();
    for (number, call) in other.iter().flat_map(|(number, turn)| turn.calls.iter().map(|call| (*number, call))) {
        if call.name == "history.read" || call.name == "history.position" {
            return Some((number, "the history of a channel".to_owned()));
        }
        if is_whole {
            continue;
        }
        if call.name == "storage.scan" {
            return Some((number, "a listing of keys".to_owned()));
        }
        for (key, read) in entries_of(call) {
            if read.is_some() && !known.contains(&key) {
                return Some((number, format!("the key {key:?}")));
            }
            known.insert(key);
        }
    }
    None
}
