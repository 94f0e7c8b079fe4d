//! The promises of the ledger, tried with every short sequence of turns and every answer of the store.

mod model;
mod store;

use futures_util::FutureExt as _;
use serde_json::json;

use self::model::{Act, Heard, LedgerModel};
use self::store::SteppedRoom;
use super::*;
use crate::model::body::{Body, Payload};
use crate::model::event::{AckId, Event, hook};
use crate::model::json::Json;
use crate::model::meta::Meta;
use crate::model::names::TenantName;
use crate::model::turn::{EmitTarget, KeyWrite, Turn};
use crate::room::turn::{TurnKind, WordsForSender};
use crate::storage::StorageErrorKind;

/// How the store answers behind a turn, where a batch waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    NotYet,
    Succeeds,
    Fails,
    IsFull,
}

const ANSWERS: [Answer; 4] = [Answer::NotYet, Answer::Succeeds, Answer::Fails, Answer::IsFull];

/// When the answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    BetweenTurns,
    /// While the next turn runs, and the state is away with it.
    DuringTheNext,
}

/// A ledger with its state and its store.
struct LedgerRig {
    store: Arc<SteppedRoom>,
    limits: Arc<Limits>,
    durability: Durability,
    ledger: Ledger,
    state: Box<RoomState>,
    heard: Vec<Heard>,
}

impl LedgerRig {
    fn new(account: &Arc<Account>, durability: Durability) -> Self {
        let store = Arc::new(SteppedRoom::default());
        let view = Arc::new(StorageView::new(Arc::clone(&store) as _, 1 << 10));
        let mut state = Box::<RoomState>::default();
        state.members.insert(1, Meta::anonymous("u".to_owned(), "c".to_owned(), vec!["default".to_owned()]));
        Self {
            ledger: Ledger::new(view, Arc::clone(&store) as _, Arc::clone(account)),
            limits: Arc::clone(&account.limits),
            store,
            durability,
            state,
            heard: Vec::new(),
        }
    }

    fn hear(&mut self, output: Option<Output>) {
        let mut next = output;
        while let Some(output) = next {
            match output {
                Output::Turn { emits, answer, .. } => {
                    self.heard.extend(emits.iter().map(|emit| Heard::Turn(emit.event.parse().unwrap())));
                    self.heard.extend(answer.map(|answer| Heard::Answer(answer.id as usize)));
                }
                Output::Rejection(WordsForSender { code, .. }) => {
                    self.heard.push(Heard::Rejection(code.parse().unwrap()))
                }
                Output::Welcome { .. } | Output::LastWords { .. } => {}
            }
            next = self.ledger.next_relaxed(self.durability);
        }
    }

    fn begin(&mut self, number: usize, act: Act) -> Turn {
        let storage = self.ledger.storage_use();
        let mut turn =
            Turn::begin(std::mem::take(&mut self.state), storage, Some(1), Some(1), 0.0, Arc::clone(&self.limits));
        turn.set_timer(format!("timer-{number}"), crate::clock::Instant::now(), None).unwrap();
        if matches!(act, Act::Writes | Act::WritesAndEmits | Act::Rejected) {
            let key = format!("key-{number}");
            turn.write(vec![KeyWrite { key, value: Some(vec![0; 10]), old_bytes: 0 }]).unwrap();
        }
        if act == Act::SetsAlarm {
            turn.set_alarm(Some(1_000 + number as UnixMs)).unwrap();
        }
        if act.speaks() {
            let body = Body::of(Payload::Json(Json::of(&json!({}))));
            turn.emit(EmitTarget::Socket(1), number.to_string(), body).unwrap();
        }
        turn
    }

    fn end(&mut self, number: usize, act: Act, turn: Turn) {
        let name = number.to_string();
        let origin = Origin { kind: TurnKind::Other, ..Origin::of(&Event::hook(hook::TIMER, None, Some(1), 0.0)) };
        let ack = act.is_answered().then_some(number as AckId);
        let origin = Origin { name: name.clone(), ack, ..origin };
        if self.ledger.is_broken() {
            self.ledger.lose(origin);
            self.state = turn.roll_back();
        } else if act == Act::Rejected {
            self.state = turn.roll_back();
            self.reconcile();
            let rejection = WordsForSender { socket: Some(1), ack: None, code: name, message: None };
            let words = self.ledger.in_order(&self.state, Output::Rejection(rejection));
            self.hear(words);
        } else {
            let (state, ended) = turn.end();
            self.state = state;
            let answer = origin.acknowledged(&mut None);
            let output = self.ledger.commit(&mut self.state, origin, ended, answer, self.durability);
            self.hear(output);
        }
        self.reconcile();
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::NotYet => {}
            Answer::Succeeds => self.store.succeed(),
            Answer::Fails => self.store.fail(StorageErrorKind::Io),
            Answer::IsFull => self.store.fail(StorageErrorKind::Full),
        }
        while !self.ledger.is_settled()
            && !self.ledger.is_broken()
            && let Some(settled) = self.ledger.settled().now_or_never()
        {
            let settled = self.ledger.settle(&settled);
            let durability = self.durability;
            let output = settled.output.or_else(|| self.ledger.next_relaxed(durability));
            self.hear(output);
        }
    }

    fn reconcile(&mut self) {
        self.ledger.reconcile(&mut self.state);
        while let Some(loss) = self.ledger.next_loss() {
            match loss {
                Loss::Turn(lost) => {
                    assert_eq!(lost.failure.code, "storage");
                    self.heard.push(Heard::Loss(lost.origin.name.parse().unwrap()));
                    self.heard.extend(lost.origin.ack.map(|ack| Heard::Refusal(ack as usize)));
                }
                Loss::Words(words) => self.hear(Some(words)),
            }
        }
    }
}

/// Every list of so many choices.
fn sequences<T: Copy>(choices: &[T], length: usize) -> Vec<Vec<T>> {
    (0..length).fold(vec![Vec::new()], |lists, _| {
        lists.iter().flat_map(|list| choices.iter().map(|choice| [list.as_slice(), &[*choice]].concat())).collect()
    })
}

fn account(limits: Limits) -> Arc<Account> {
    Arc::new(Account::new(TenantName::of_the_host(), limits, &crate::tenant::Demand::new(1)))
}

/// Gives the store's answer to the ledger and to the model; says whether writes failed.
fn step(answer: Answer, rig: &mut LedgerRig, model: &mut LedgerModel) -> bool {
    if model.batches() == 0 {
        return false;
    }
    rig.answer(answer);
    match answer {
        Answer::NotYet => false,
        Answer::Succeeds => {
            model.succeed();
            false
        }
        Answer::Fails | Answer::IsFull => {
            model.fail();
            true
        }
    }
}

fn agree(rig: &LedgerRig, model: &LedgerModel, tried: &dyn Fn() -> String) {
    assert_eq!(rig.heard, model.heard, "{}", tried());
    assert_eq!(rig.store.waiting(), model.batches(), "{}", tried());
}

fn try_one(account: &Arc<Account>, durability: Durability, moment: Moment, acts: &[Act], answers: &[Answer]) {
    let tried = || format!("{durability:?}, {moment:?}: {acts:?} with {answers:?}");
    let mut rig = LedgerRig::new(account, durability);
    let mut model = LedgerModel::new(durability == Durability::Relaxed);
    let mut earlier = Answer::NotYet;
    for (number, (act, answer)) in acts.iter().zip(answers).enumerate() {
        let turn = rig.begin(number, *act);
        let is_broken = step(earlier, &mut rig, &mut model);
        rig.end(number, *act, turn);
        model.turn(number, *act, is_broken);
        agree(&rig, &model, &tried);
        match moment {
            Moment::BetweenTurns => {
                step(*answer, &mut rig, &mut model);
                rig.reconcile();
            }
            Moment::DuringTheNext => earlier = *answer,
        }
        agree(&rig, &model, &tried);
    }
    while model.batches() > 0 {
        step(Answer::Succeeds, &mut rig, &mut model);
        rig.reconcile();
        agree(&rig, &model, &tried);
    }
    assert!(rig.ledger.is_settled() && !rig.ledger.has_losses(), "{}", tried());
    let timers: Vec<usize> =
        (0..acts.len()).filter(|number| rig.state.timers.has(&format!("timer-{number}"))).collect();
    assert_eq!(timers, model.changed, "{}", tried());
    let is_key = |number: &&usize| acts[**number] != Act::SetsAlarm;
    let keys: Vec<String> = model.durable.iter().filter(is_key).map(|number| format!("key-{number}")).collect();
    assert_eq!(rig.store.keys(), keys, "{}", tried());
    let alarm = model.durable.iter().rev().find(|number| acts[**number] == Act::SetsAlarm);
    let alarm = alarm.map(|number| 1_000 + *number as UnixMs);
    assert_eq!((rig.ledger.alarm(), rig.ledger.durable_alarm()), (alarm, alarm), "{}", tried());
    // The tenant is charged for what is durable, to the byte.
    let stored = keys.iter().map(|key| key.len() + 10).sum();
    assert_eq!(account.storage.used(), stored, "{}", tried());
    assert_eq!(rig.ledger.is_anything_stored(), !model.durable.is_empty(), "{}", tried());
    account.storage.give(stored);
}

#[tokio::test(start_paused = true)]
async fn every_sequence_of_turns_with_every_answer_of_the_store() {
    // A full disk and a broken one differ in their words alone: three turns tell that.
    let long = (Durability::Strict, 4, &ANSWERS[..3]);
    for (durability, turns, store) in
        [(Durability::Strict, 3, &ANSWERS[..]), (Durability::Relaxed, 3, &ANSWERS[..]), long]
    {
        let account = account(Limits::default());
        for acts in sequences(&Act::ALL, turns) {
            // Without a batch the store has no say.
            let with_store = acts.iter().any(|act| act.has_batch());
            for answers in sequences(if with_store { store } else { &store[..1] }, turns) {
                for moment in [Moment::BetweenTurns, Moment::DuringTheNext] {
                    try_one(&account, durability, moment, &acts, &answers);
                    // A task that polls more than so often without a break finds nothing ready any more.
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn relaxed_turns_are_let_out_for_100_ms_behind_the_oldest() {
    let mut rig = LedgerRig::new(&account(Limits::default()), Durability::Relaxed);
    let turn = |rig: &mut LedgerRig, number| {
        let turn = rig.begin(number, Act::WritesAndEmits);
        rig.end(number, Act::WritesAndEmits, turn);
        std::mem::take(&mut rig.heard)
    };
    let advance = |ms| tokio::time::advance(std::time::Duration::from_millis(ms));
    assert_eq!(turn(&mut rig, 0), [Heard::Turn(0), Heard::Answer(0)]);
    advance(99).await;
    assert_eq!(turn(&mut rig, 1), [Heard::Turn(1), Heard::Answer(1)]);
    advance(1).await;
    assert_eq!(turn(&mut rig, 2), []);
    // The oldest is safe: what may be lost begins with the next one now.
    rig.answer(Answer::Succeeds);
    assert_eq!(std::mem::take(&mut rig.heard), [Heard::Turn(2), Heard::Answer(2)]);
    advance(99).await;
    assert_eq!(turn(&mut rig, 3), []);
    rig.answer(Answer::Succeeds);
    assert_eq!(std::mem::take(&mut rig.heard), [Heard::Turn(3), Heard::Answer(3)]);
    rig.answer(Answer::Fails);
    rig.reconcile();
    // Both were let out, acknowledged as well: each is told of as lost, and no acknowledgement comes twice.
    assert_eq!(rig.heard, [Heard::Loss(2), Heard::Loss(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_room_runs_only_so_far_ahead_of_its_disk() {
    let limits = Limits { pending_turns: 2, pending_bytes: 100, ..Limits::default() };
    let mut rig = LedgerRig::new(&account(limits.clone()), Durability::Strict);
    for number in 0..2 {
        assert!(!rig.ledger.is_full(&limits));
        let turn = rig.begin(number, Act::Writes);
        rig.end(number, Act::Writes, turn);
    }
    assert!(rig.ledger.is_full(&limits));
    rig.answer(Answer::Succeeds);
    assert!(!rig.ledger.is_full(&limits));
    let few_bytes = Limits { pending_bytes: 10, ..limits };
    assert!(rig.ledger.is_full(&few_bytes));
}

/// Two rooms of a tenant, and a turn of each at once: every write asks what is left at that moment.
#[tokio::test(start_paused = true)]
async fn two_rooms_never_pass_the_tenants_bound_together() {
    let account = account(Limits { storage_tenant_bytes: 40, ..Limits::default() });
    let (mut one, mut two) =
        (LedgerRig::new(&account, Durability::Strict), LedgerRig::new(&account, Durability::Strict));
    let write = |turn: &mut Turn, key: &str, bytes: usize, old_bytes: usize| {
        let value = (bytes > 0).then(|| vec![0; bytes - key.len()]);
        turn.write(vec![KeyWrite { key: key.to_owned(), value, old_bytes }])
    };
    let full = Err(crate::model::refusal::Refusal::LimitExceeded(crate::model::refusal::Bound::StorageTenantBytes));
    let (mut first, mut second) = (one.begin(0, Act::Silent), two.begin(0, Act::Silent));
    assert_eq!(write(&mut first, "a", 20, 0), Ok(()));
    assert_eq!(write(&mut second, "a", 15, 0), Ok(()));
    assert_eq!(write(&mut second, "b", 10, 0), full);
    assert_eq!(write(&mut first, "b", 6, 0), full);
    assert_eq!(write(&mut first, "b", 5, 0), Ok(()));
    assert_eq!(account.storage.used(), 40);
    // What a turn frees it may fill again; for others it is free when the turn has committed.
    assert_eq!(write(&mut first, "a", 0, 20), Ok(()));
    assert_eq!(write(&mut second, "b", 10, 0), full);
    assert_eq!(write(&mut first, "c", 15, 0), Ok(()));
    one.end(0, Act::Silent, first);
    assert_eq!(account.storage.used(), 35);
    assert_eq!(write(&mut second, "b", 5, 0), Ok(()));
    // A turn that leaves no trace gives back what it took.
    two.state = second.roll_back();
    assert_eq!(account.storage.used(), 20);
    // So does one whose writes fail later.
    one.answer(Answer::Fails);
    one.reconcile();
    assert_eq!((account.storage.used(), one.ledger.is_anything_stored()), (0, false));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_rooms_of_a_tenant_keep_something() {
    let account = account(Limits { storage_rooms_per_tenant: 1, ..Limits::default() });
    let mut room = LedgerRig::new(&account, Durability::Strict);
    let turn = room.begin(0, Act::Writes);
    room.end(0, Act::Writes, turn);
    room.answer(Answer::Succeeds);
    // The room that keeps something may keep more; the bound is for others.
    let turn = room.begin(1, Act::Writes);
    room.end(1, Act::Writes, turn);
    let mut other = LedgerRig::new(&account, Durability::Strict);
    other.ledger.backend = Arc::clone(&room.store) as _;
    let mut turn = other.begin(0, Act::Silent);
    let bound = crate::model::refusal::Refusal::LimitExceeded(crate::model::refusal::Bound::StorageRoomsPerTenant);
    assert_eq!(turn.set_alarm(Some(1)), Err(bound.clone()));
    let write = KeyWrite { key: "k".to_owned(), value: Some(Vec::new()), old_bytes: 0 };
    assert_eq!(turn.write(vec![write]), Err(bound));
    assert_eq!(turn.set_alarm(None), Ok(()));
}
