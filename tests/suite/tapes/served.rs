//! Tapes of a server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::{recorded, recording, replay, tapes, tapes_of};
use crate::harness::command::{parlor, said};
use crate::harness::{Server, TOKEN, Value, json};

fn turns() -> Server {
    recording(Server::builder().guest_as("fault_turns", "turns"), "turns").start()
}

#[tokio::test]
async fn a_turn_that_fails_is_lived_again_in_another_process() {
    let server = turns();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    ana.send("state", json!({})).await;
    ana.expect("state").await;
    ana.send("attempt", json!({ "how": "panic" })).await;
    let tape = tapes_of(&server, "turns", 1).await.remove(0);
    // Two turns before it, which are `sync` and `state`, count as well.
    let name = tape.file_name().expect("a name").to_str().expect("text").to_owned();
    assert!(name.starts_with("lobby-") && name.ends_with(".tape"), "{name}");
    let mode = fs::metadata(&tape).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others could read what users said");

    let said = replay(&server, &tape, "turns", &[]);
    assert!(said.success && said.out.contains("the same outcome"), "{said:?}");
    assert!(said.out.contains("turns, room lobby") && said.out.contains("trap: trapped"), "{said:?}");
    assert!(said.out.contains("attempt") && said.out.contains("rolled back, trap"), "{said:?}");
    // Rust says where it panicked.
    assert!(said.err.contains("panicked at ") && said.err.contains("fault_turns.rs:"), "{said:?}");
    // The functions that it was in.
    assert!(said.out.contains("rust_panic"), "{said:?}");
}

#[tokio::test]
async fn a_tape_is_shown_as_json_and_turn_by_turn() {
    let server = turns();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    ana.send("attempt", json!({ "how": "panic" })).await;
    let tape = tapes_of(&server, "turns", 1).await.remove(0);
    let dumped = parlor(server.folder(), &["replay", tape.to_str().expect("text"), "--dump"]);
    assert!(dumped.success, "{dumped:?}");
    let lines: Vec<Value> = dumped.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let base = &lines[0]["base"];
    assert_eq!((&base["plugin"], &base["room"], &base["reason"]), (&json!("turns"), &json!("lobby"), &json!("open")));
    assert!(base["limits"].as_array().is_some_and(|limits| limits.contains(&json!(["turn-cpu-ms", 50]))), "{base}");
    let last = lines.last().expect("a turn");
    assert_eq!((&last["event"]["name"], &last["verdict"].is_string()), (&json!("attempt"), &true), "{last}");
    let calls = last["calls"].as_array().expect("calls");
    let put = calls.iter().find(|call| call["call"] == "storage.put").expect("a write");
    assert_eq!(put["args"][0], "written", "{put}");
    assert!(lines[1]["calls"].as_array().is_some_and(|calls| calls.iter().any(|call| call["call"] == "events.on")));

    let number = last["turn"].to_string();
    let shown = replay(&server, &tape, "turns", &["--turn", &number]);
    assert!(shown.success && shown.out.contains("storage.put(\"written\", "), "{shown:?}");
    let unknown = replay(&server, &tape, "turns", &["--turn", "999"]);
    assert!(!unknown.success && unknown.err.contains("not 999"), "{unknown:?}");
}

#[tokio::test]
async fn what_was_not_recorded_is_told_with_its_call() {
    let server = turns();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    ana.send("attempt", json!({ "how": "panic" })).await;
    let tape = tapes_of(&server, "turns", 1).await.remove(0);
    // Another component is no replay at all.
    let other = server.folder().join("other.wasm");
    fs::write(&other, crate::harness::guests::saying("hello")).expect("a file");
    let said = parlor(
        server.folder(),
        &["replay", tape.to_str().expect("text"), "--component", other.to_str().expect("text")],
    );
    assert!(!said.success && said.err.contains("is not the component that was recorded"), "{said:?}");
    let said = parlor(server.folder(), &["replay", tape.to_str().expect("text")]);
    assert!(!said.success && said.err.contains("say --component FILE"), "{said:?}");
}

#[tokio::test]
async fn a_replay_that_does_something_else_says_where_and_ends_with_1() {
    const SHOP: &str = "the-key-of-the-shop";
    let config =
        format!("{}\n[tenants.default.plugins.coupons.config]\nshop-token = \"{SHOP}\"", recorded("coupons", "all"));
    let server = Server::builder().guest("coupons").config(&config).start();
    let mut ana = server.join("/coupons?room=lobby").await;
    ana.sync().await;
    ana.send("keep", json!({})).await;
    ana.next_event("kept").await;
    drop(ana);
    server.signal_end();
    let tape = tapes_of(&server, "coupons", 1).await.remove(0);
    // A secret of the configuration is not on the tape: without it the guest does something else.
    let other = replay(&server, &tape, "coupons", &[]);
    assert_eq!(other.code, Some(1), "{other:?}");
    let words = "parlor: diverged at call 2 of turn 2: recorded storage.put(\"the-key-of-the-shop\", ";
    assert!(other.err.starts_with(words), "{other:?}");
    assert!(other.err.contains("now storage.put(\"(not on the tape)\", "), "{other:?}");
    assert!(!other.out.contains("the same outcome"), "{other:?}");
    let same = replay(&server, &tape, "coupons", &["--set", &format!("shop-token={SHOP}")]);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.out.contains("the same outcome: 2 turns"), "{same:?}");
}

#[tokio::test]
async fn a_file_that_is_cut_off_or_foreign_is_told_so() {
    let server = turns();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    ana.send("attempt", json!({ "how": "panic" })).await;
    let tape = tapes_of(&server, "turns", 1).await.remove(0);
    let whole = fs::read(&tape).expect("a tape");
    let mut damaged = whole.clone();
    let middle = damaged.len() - 40;
    damaged[middle] ^= 1;
    for (bytes, words) in [
        (&whole[..whole.len() / 2], "is cut off"),
        (&whole[..whole.len() - 1], "is cut off"),
        (b"\0asm\x0d\0\x01\0", "is no tape"),
        (&damaged, "is damaged"),
    ] {
        let file = server.folder().join("wrong.tape");
        fs::write(&file, bytes).expect("a file");
        let said = parlor(server.folder(), &["replay", "wrong.tape", "--dump"]);
        assert!(!said.success && said.err.contains("wrong.tape") && said.err.contains(words), "{words}: {said:?}");
    }
}

#[tokio::test]
async fn a_server_records_what_the_operator_asks_for() {
    // By default nothing.
    let server = Server::builder().guest_as("fault_turns", "turns").start();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    ana.send("attempt", json!({ "how": "panic" })).await;
    server.wait_for_log(&["turn failed", "attempt"]).await;
    assert!(tapes(&server, "turns").is_empty() && !server.folder().join("data/tapes").exists());

    // Each life, where that is asked for.
    let server = Server::builder().guest_as("fault_turns", "turns").config(&recorded("turns", "all")).start();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    ana.send("state", json!({})).await;
    ana.expect("state").await;
    drop(ana);
    server.signal_end();
    let tape = tapes_of(&server, "turns", 1).await.remove(0);
    let said = replay(&server, &tape, "turns", &[]);
    assert!(said.success && said.out.contains("the same outcome"), "{said:?}");
}

/// Lets a room have so many turns, and then one that fails; answers its tapes.
async fn fails_after(turns: u64, tapes: usize) -> (Server, Vec<PathBuf>) {
    let server = self::turns();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    for _ in 0..turns {
        ana.send("state", json!({})).await;
        ana.next_event("state").await;
    }
    ana.send("attempt", json!({ "how": "panic" })).await;
    let found = tapes_of(&server, "turns", tapes).await;
    (server, found)
}

#[tokio::test]
async fn a_full_tape_is_followed_by_another_and_the_room_goes_on() {
    let (server, found) = fails_after(1_050, 1).await;
    let said = replay(&server, &found[0], "turns", &[]);
    assert!(said.success && said.out.contains("the same outcome"), "{said:?}");
    // The instance was made anew, as after a sleep.
    let (title, _) = said.out.split_once(" turns since its instance was made (wake)").expect("a checkpoint");
    let since: u64 = title.rsplit(' ').next().expect("a number").parse().expect("a number");
    assert!(since < 1_000, "{said:?}");

    // Where a failure comes soon after that, the tape before is kept as well.
    let (server, found) = fails_after(1_050 - since + 30, 2).await;
    let before = found.iter().find(|tape| tape.to_string_lossy().ends_with("-before.tape")).expect("the tape before");
    for tape in &found {
        let said = replay(&server, tape, "turns", &[]);
        assert!(said.success && said.out.contains("the same outcome"), "{before:?}: {said:?}");
    }
}

#[tokio::test]
async fn a_tenants_token_reaches_its_own_tapes_alone() {
    const ACME: &str = "the-token-of-acme";
    const OTHER: &str = "the-token-of-other";
    let config = format!(
        "[tenants.acme]\ntoken = \"{ACME}\"\n[tenants.acme.plugins.turns]\nrecord = \"failures\"\n\
         [tenants.other]\ntoken = \"{OTHER}\""
    );
    let server = Server::builder().guest_as("fault_turns", "acme/turns").config(&config).start();
    let mut ana = server.enter("/t/acme/turns?room=lobby&user=ana").await;
    ana.send("attempt", json!({ "how": "panic" })).await;
    server.wait_for_log(&["the tape of a room is kept"]).await;
    let list = "/_parlor/api/plugins/acme/turns/tapes";
    let ask = async |method: &str, path: &str, token: &str| {
        server.request(method, path).header("authorization", &format!("Bearer {token}")).send().await
    };
    let found = ask("GET", list, ACME).await.json();
    let name = found["tapes"][0]["name"].as_str().expect("a name").to_owned();
    let path = format!("{list}/{name}");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-o", "got.tape", "-w", "%{http_code} %{content_type}", "-H"]);
    curl.arg(format!("Authorization: Bearer {ACME}")).arg(format!("http://{}{path}", server.address()));
    assert_eq!(said(curl, server.folder()).out, "200 application/octet-stream");
    let got = fs::read(server.folder().join("got.tape")).expect("a file");
    assert_eq!(found["tapes"][0]["bytes"], got.len());
    assert!(got.starts_with(b"PARLORTP"));
    let json = format!("{path}?as=json");
    for (method, path) in [("GET", list), ("GET", path.as_str()), ("GET", json.as_str()), ("DELETE", path.as_str())] {
        assert_eq!(ask(method, path, OTHER).await.status, 404, "{method} {path}");
        assert_eq!(ask(method, path, "wrong-wrong-wrong-wrong").await.status, 401, "{method} {path}");
    }
    for other in ["..", "..%2f..%2fturns.wasm", "lobby", ".tape", "none.tape"] {
        assert!([400, 404].contains(&ask("GET", &format!("{list}/{other}"), ACME).await.status), "{other}");
    }
    assert_eq!(ask("DELETE", &path, ACME).await.json(), json!({ "deleted": true }));
    assert_eq!(ask("GET", list, TOKEN).await.json(), json!({ "tapes": [] }));
}

#[tokio::test]
async fn the_api_gives_a_tape_as_json_in_pages_of_what_a_dump_prints() {
    let server = turns();
    let mut ana = server.enter("/turns?room=lobby&user=ana").await;
    for _ in 0..5 {
        ana.send("state", json!({})).await;
        ana.next_event("state").await;
    }
    ana.send("attempt", json!({ "how": "panic" })).await;
    let tape = tapes_of(&server, "turns", 1).await.remove(0);
    let dumped = parlor(server.folder(), &["replay", tape.to_str().expect("text"), "--dump"]);
    let lines: Vec<Value> = dumped.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let name = tape.file_name().expect("a name").to_str().expect("text").to_owned();
    let get = async |query: &str| {
        let path = format!("/_parlor/api/plugins/default/turns/tapes/{name}?{query}");
        server.request("GET", &path).operator().send().await
    };
    let whole = get("as=json").await.json();
    assert_eq!((&whole["base"], &whole["more"]), (&lines[0]["base"], &json!(false)));
    assert_eq!(whole["turns"], json!(lines[1..]));
    let (mut turns, mut page) = (Vec::new(), get("as=json&limit=2").await.json());
    loop {
        turns.extend(page["turns"].as_array().expect("turns").iter().cloned());
        if page["more"] == json!(false) {
            break;
        }
        assert_eq!(page["turns"].as_array().map(Vec::len), Some(2));
        page = get(&format!("as=json&limit=2&after={}", turns.last().expect("a turn")["turn"])).await.json();
        assert_eq!(page["base"], json!(null));
    }
    assert_eq!(json!(turns), whole["turns"]);
    for bad in ["as=text", "as=json&limit=0", "as=json&limit=201", "after=1", "novel=1"] {
        assert_eq!(get(bad).await.status, 400, "{bad}");
    }
    fs::write(&tape, b"PARLORTP").expect("a file");
    let cut = get("as=json").await;
    assert!(cut.status == 422 && cut.body.contains("is cut off"), "{cut:?}");
}
