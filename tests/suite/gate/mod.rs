//! The output gate: nobody hears of a turn before its writes, and those of the turns before it, are durable; where they
//! fail, everything from there on never was. Every short sequence of turns is tried with every way in which a store can
//! answer, slow, broken or full, against a model of a few lines.

mod model;
mod rig;
mod store;

use std::time::Duration;

use model::{ACTS, Act, Model, waits};
use parlor::model::durability::Durability;
use parlor::storage::StorageErrorKind;
use rig::{Guest, Room};

use crate::harness::{Value, json};

/// Turns of a sequence.
const TURNS: usize = 3;

/// What the store does behind each turn: nothing yet, or it answers one batch, if one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Wait,
    Succeed,
    Fail,
    Full,
}

const STEPS: [Step; 4] = [Step::Wait, Step::Succeed, Step::Fail, Step::Full];

fn calls(act: Act, number: usize) -> (&'static str, Value) {
    let key = json!(["put", format!("key-{number}"), number + 1]);
    let join = json!(["join", format!("channel-{number}")]);
    let say = json!(["to-channel", "default", format!("said-{number}")]);
    match act {
        Act::Write => ("run", json!([key, say])),
        Act::Say => ("run", json!([say])),
        Act::Join => ("run", json!([join, say])),
        Act::Fail => ("fail", json!([key, join, say])),
        Act::Reject => ("reject", json!([key, say])),
        // The second socket has the number 2.
        Act::Close => ("run", json!([["close-socket", 2]])),
    }
}

/// Every list of so many choices.
fn sequences<T: Copy>(choices: &[T], length: usize) -> Vec<Vec<T>> {
    (0..length).fold(vec![Vec::new()], |lists, _| {
        lists.iter().flat_map(|list| choices.iter().map(|choice| [list.as_slice(), &[*choice]].concat())).collect()
    })
}

async fn step(step: Step, room: &Room, model: &mut Model) {
    if model.waiting() == 0 {
        return;
    }
    match step {
        Step::Wait => {}
        Step::Succeed => {
            room.store.succeed().await;
            model.succeed();
        }
        Step::Fail | Step::Full => {
            room.store.fail(if step == Step::Fail { StorageErrorKind::Io } else { StorageErrorKind::Full });
            model.fail();
        }
    }
    room.ran().await;
}

async fn hears_the_same(room: &Room, model: &mut Model, tried: &str) {
    for place in [0, 1] {
        let expected = std::mem::take(&mut model.heard[place]);
        assert_eq!(room.heard(place).await, expected, "socket {place}: {tried}");
    }
}

async fn try_one(guest: &Guest, acts: &[Act], steps: &[Step]) {
    let tried = format!("{acts:?} with {steps:?}");
    let room = guest.open(Durability::Strict).await;
    let mut model = Model::default();
    for (number, (act, answer)) in acts.iter().zip(steps).enumerate() {
        let (event, calls) = calls(*act, number);
        room.request(event, &calls, waits(number).then_some(number as u64)).await;
        model.turn(*act);
        hears_the_same(&room, &mut model, &tried).await;
        step(*answer, &room, &mut model).await;
        hears_the_same(&room, &mut model, &tried).await;
    }
    while model.waiting() > 0 {
        step(Step::Succeed, &room, &mut model).await;
        hears_the_same(&room, &mut model, &tried).await;
    }
    assert_eq!(room.store.waiting(), 0, "{tried}");
    let keys: Vec<String> = (0..acts.len()).map(|number| format!("key-{number}")).collect();
    let stored = room.stored(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let expected: Vec<Option<usize>> =
        (0..acts.len()).map(|number| model.stored.contains(&number).then_some(number + 1)).collect();
    assert_eq!(stored, expected, "{tried}");
    let joined = model.joined.iter().map(|number| format!("channel-{number}"));
    let channels: Vec<String> = std::iter::once("default".to_owned()).chain(joined).collect();
    assert_eq!(room.channels().await, Some(channels), "{tried}");
}

#[tokio::test]
async fn every_turn_is_heard_after_its_writes_or_never() {
    let guest = Guest::load().await;
    for acts in sequences(&ACTS, TURNS) {
        // Without a write the store has no say.
        let with_store = acts.contains(&Act::Write);
        for steps in sequences(if with_store { &STEPS } else { &STEPS[..1] }, TURNS) {
            try_one(&guest, &acts, &steps).await;
        }
    }
}

#[tokio::test]
async fn later_turns_see_what_is_still_being_written() {
    let guest = Guest::load().await;
    let room = guest.open(Durability::Strict).await;
    room.give("run", &json!([["put", "a/1", 1], ["put", "a/2", 2]])).await;
    room.give("run", &json!([["delete", "a/1"], ["put", "a/3", 3]])).await;
    room.give("run", &json!([["list", "a/", 10], ["get", "a/1"]])).await;
    assert_eq!(room.heard(0).await, Vec::<String>::new());
    room.store.succeed().await;
    room.store.succeed().await;
    room.ran().await;
    assert_eq!(
        room.answers(0).await,
        [
            json!(["ok: ()", "ok: ()"]),
            json!(["ok: true", "ok: ()"]),
            json!(["ok: (\"a/2=2 a/3=3\", None)", "ok: None"])
        ]
    );
    // A failed write takes with it what was read over it.
    room.give("run", &json!([["put", "a/2", 9]])).await;
    room.give("run", &json!([["get", "a/2"]])).await;
    room.store.fail(StorageErrorKind::Io);
    room.ran().await;
    assert_eq!(room.heard(0).await, ["error", "failed", "error", "failed"]);
    room.give("run", &json!([["get", "a/2"]])).await;
    assert_eq!(room.answers(0).await, [json!(["ok: Some(2)"])]);
}

#[tokio::test]
async fn the_alarm_and_timers_are_part_of_their_turn() {
    let guest = Guest::load().await;
    let room = guest.open(Durability::Strict).await;
    let far = 9e15;
    let kept = async || {
        room.give("run", &json!([["get-alarm"], ["cancel-timer", "t"]])).await;
        room.answers(0).await
    };
    room.give("fail", &json!([["set-alarm", far], ["set-timer", "t", 4_000_000_000u32, 0]])).await;
    assert_eq!(kept().await, [json!({ "failed": "told" }), json!(["ok: None", "ok: false"])]);
    room.give("run", &json!([["set-alarm", far], ["set-timer", "t", 4_000_000_000u32, 0]])).await;
    room.store.fail(StorageErrorKind::Full);
    room.ran().await;
    assert_eq!(
        kept().await,
        [json!({ "failed": "storage" }), json!({ "failed": "storage" }), json!(["ok: None", "ok: false"])]
    );
    room.give("run", &json!([["set-alarm", far], ["set-timer", "t", 4_000_000_000u32, 0]])).await;
    room.store.succeed().await;
    room.ran().await;
    assert_eq!(kept().await, [json!(["ok: ()", "ok: ()"]), json!(["ok: Some(9000000000000000.0)", "ok: true"])]);
    // A cancelled alarm is back where the cancelling fails.
    room.give("run", &json!([["cancel-alarm"], ["get-alarm"]])).await;
    room.store.fail(StorageErrorKind::Io);
    room.ran().await;
    assert_eq!(kept().await[2], json!(["ok: Some(9000000000000000.0)", "ok: false"]));
}

#[tokio::test]
async fn relaxed_turns_are_heard_at_once_until_the_disk_is_late() {
    let guest = Guest::load().await;
    let room = guest.open(Durability::Relaxed).await;
    room.give("run", &json!([["put", "a", 1]])).await;
    assert_eq!(room.heard(0).await, ["ran"]);
    // What may be lost grows no further than 100 ms behind the oldest write.
    tokio::time::sleep(Duration::from_millis(120)).await;
    room.give("run", &json!([["put", "b", 1]])).await;
    room.give("run", &json!([])).await;
    assert_eq!(room.heard(0).await, Vec::<String>::new());
    room.store.succeed().await;
    room.store.succeed().await;
    room.ran().await;
    assert_eq!(room.heard(0).await, ["ran", "ran"]);
    // A write that fails takes back what was heard of it, and says so.
    room.give("run", &json!([["put", "a", 7], ["join", "lost"]])).await;
    assert_eq!(room.heard(0).await, ["ran"]);
    room.store.fail(StorageErrorKind::Full);
    room.ran().await;
    assert_eq!(room.heard(0).await, ["error", "failed"]);
    assert_eq!((room.stored(&["a"]).await, room.channels().await), (vec![Some(1)], Some(vec!["default".to_owned()])));
}

#[tokio::test]
async fn a_room_runs_on_only_so_far_ahead_of_its_disk() {
    let guest = Guest::load().await;
    let room = guest.open(Durability::Strict).await;
    let limits = room.shared.plugin().limits().clone();
    for _ in 0..limits.pending_turns {
        room.give("run", &json!([["put", "a", 1]])).await;
    }
    assert_eq!(room.store.waiting(), limits.pending_turns);
    room.send("run", &json!([["put", "a", 2]]), None).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(room.store.waiting(), limits.pending_turns);
    room.store.succeed().await;
    room.ran().await;
    assert_eq!((room.store.waiting(), room.heard(1).await.len()), (limits.pending_turns, 0));
    assert_eq!(room.heard(0).await, ["ran"]);
}
