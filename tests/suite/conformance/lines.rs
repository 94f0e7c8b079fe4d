//! The harness as a place where cases run: `parlor room` gets their steps as they are written, one a line.

use std::collections::BTreeSet;
use std::fs;

use tempfile::TempDir;

use super::Plugin;
use crate::harness::room::{HarnessRoom, room};
use crate::harness::{Value, json};

/// A room of a plugin that begins anew with each case, with its files beside it.
fn begun(plugin: &Plugin) -> (HarnessRoom, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second, config] = ["first.wasm", "second.wasm", "limits.toml"].map(|name| folder.path().join(name));
    fs::write(&first, &plugin.first).expect("a file");
    fs::write(&second, &*plugin.second).expect("a file");
    // As in the server: the cases are not about how much CPU a busy machine needs.
    fs::write(&config, "[limits]\nturn-cpu-ms = 2_000\nresume-ms = 2_000\n").expect("a file");
    let mut room = room(&first);
    room.arg("--second").arg(second).arg("--config").arg(config).args(["--plugin", "conformance"]);
    (HarnessRoom::start(room), folder)
}

/// Who left in a `$disconnect` that trapped is in nobody's presence any more, whether the user is in the room by another socket
/// or not. No case can say so: test rooms have no traps.
pub fn tells_of_who_left_in_a_trap(plugin: &Plugin) {
    let (mut room, _folder) = begun(plugin);
    let alone = json!({ "expect": {} });
    let elsewhere = json!({ "connect": { "as": "bob-2", "query": { "user": "bob", "in": "else" } } });
    for (lobby, before) in [("alone", alone), ("elsewhere", elsewhere)] {
        tells_of_who_left(&mut room, lobby, &before);
    }
    assert!(room.end().success(), "no step had an error");
}

fn tells_of_who_left(room: &mut HarnessRoom, lobby: &str, before: &Value) {
    let endless = json!([["repeat", 1_000_000_000_u64, ["users"]]]);
    let leave =
        json!({ "channel": "present", "data": { "type": "presence.leave", "channel": "present", "userId": "bob" } });
    for step in [
        json!({ "open": { "room": lobby, "config": { "presence": "present" } } }),
        before.clone(),
        json!({ "connect": { "as": "ada", "query": { "in": "default,present" } } }),
        json!({ "connect": { "as": "bob", "query": { "in": "present", "fields": { "disconnect": endless } } } }),
        json!({ "expect": { "ada": ["<any>", "<any>"], "bob": ["<any>"] } }),
        json!({ "leave": { "who": "bob" } }),
        json!({ "failures": [{ "event": "$disconnect", "code": "<any>", "message": "<any>" }] }),
        json!({ "expect": { "ada": [leave] } }),
        json!({ "connect": { "as": "cyd", "query": { "in": "present" } } }),
        json!({ "expect": { "ada": ["<any>"], "cyd": ["<any>"] } }),
    ] {
        room.step(&step).unwrap_or_else(|why| panic!("{lobby}: {step}: {why}"));
    }
}

/// A plugin passes all cases in one process, each in a room that begins anew.
pub fn passes(plugin: &Plugin) {
    let (mut room, _folder) = begun(plugin);
    let cases = conformance::written();
    assert!(cases.len() > 100, "there are {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let why = run(&mut room, case).err()?;
            Some(format!("{} ({}):\n    {why}", case["name"], case["shows"]))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(room.end().success(), "no step had an error");
}

/// Runs a case; the error says at which step it failed, and how.
fn run(room: &mut HarnessRoom, case: &Value) -> Result<(), String> {
    let config = case.get("config").cloned().unwrap_or_else(|| json!({}));
    room.step(&json!({ "open": { "room": case["name"], "config": config } }))?;
    let mut sockets = BTreeSet::new();
    for (number, step) in case["steps"].as_array().expect("a list of steps").iter().enumerate() {
        if step == "restart" {
            room.step(&json!({ "expect": {} })).map_err(|why| format!("before the restart: {why}"))?;
        }
        room.step(step).map_err(|why| format!("step {}, {step}: {why}", number + 1))?;
        note_open(step, &mut sockets);
    }
    room.step(&json!({ "expect": {} })).map_err(|why| format!("at the end: {why}"))?;
    for who in sockets {
        let closing = room.step(&json!({ "closed": who }))?;
        if !closing.is_null() {
            return Err(format!("{who} was closed: {closing}"));
        }
    }
    let Some(stored) = case.get("stored") else { return Ok(()) };
    room.step(&json!({ "stored": stored })).map_err(|why| format!("stored: {why}")).map(drop)
}

/// Notes which sockets are open behind a step, as the case says.
fn note_open(step: &Value, sockets: &mut BTreeSet<String>) {
    if let Some(who) = step["connect"]["as"].as_str() {
        sockets.insert(who.to_owned());
    }
    if let Some(who) = step["leave"]["who"].as_str() {
        sockets.remove(who);
    }
    for who in step["closed"].as_object().into_iter().flat_map(|closed| closed.keys()) {
        sockets.remove(who);
    }
    if step == "restart" {
        sockets.clear();
    }
}
