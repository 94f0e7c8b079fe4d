//! The bounds of a turn: past one the turn cannot commit, whatever the guest does, and `$error` is told its name. And
//! refusals, which change nothing and let the turn go on.

use super::names;
use crate::harness::guests::{answers, serve_calls};
use crate::harness::{Client, Server, Value, json};

/// The turn of these calls fails with this code, and nothing of it is seen.
async fn assert_fails(client: &mut Client, calls: Value, code: &str) {
    client.send("run", calls.clone()).await;
    let frames = client.sync().await;
    assert_eq!(names(&frames), ["failed"], "{calls}");
    assert!(frames[0].contains(&format!("\"code\":\"{code}\"")), "{calls}: {}", frames[0]);
}

/// As [`assert_fails`]; the sender hears as well that what it sent is too large to be passed on.
async fn assert_too_large(client: &mut Client, calls: Value, code: &str) {
    client.send("run", calls.clone()).await;
    let told = client.expect("error").await;
    assert_eq!(told["code"], "limit-exceeded", "{calls}");
    assert_eq!(told["message"], format!("run was not handled: its turn passed the bound {code}"), "{calls}");
    assert_eq!(client.expect("failed").await["code"], code, "{calls}");
    client.expect_silence().await;
}

#[tokio::test]
async fn a_turn_past_its_emits_cannot_commit() {
    // The guest's own answer is an emit as well.
    let server = serve_calls("emits-per-turn = 4");
    let mut client = server.join("/calls").await;
    let within = answers(&mut client, json!([["times", 3, "emit", "leak", "1"]])).await;
    assert_eq!(within, ["ok: 1"]);
    assert_fails(&mut client, json!([["times", 5, "emit", "leak", "1"]]), "emits-per-turn").await;
}

#[tokio::test]
async fn a_turn_past_the_bytes_of_an_emit_cannot_commit() {
    let server = serve_calls("emit-bytes = 300");
    let mut client = server.join("/calls").await;
    assert_eq!(answers(&mut client, json!([["emit-size", 300]])).await, ["ok: 1"]);
    assert_too_large(&mut client, json!([["emit-size", 301]]), "emit-bytes").await;
}

#[tokio::test]
async fn a_turn_past_the_bytes_of_its_emits_cannot_commit() {
    let server = serve_calls("emit-bytes-per-turn = 1_000");
    let mut client = server.join("/calls").await;
    assert_eq!(answers(&mut client, json!([["times", 2, "emit-size", 400]])).await, ["ok: 1"]);
    assert_too_large(&mut client, json!([["times", 3, "emit-size", 400]]), "emit-bytes-per-turn").await;
}

#[tokio::test]
async fn a_turn_past_its_deliveries_cannot_commit() {
    let server = serve_calls("deliveries-per-turn = 5");
    let (mut client, mut other) = (server.join("/calls").await, server.join("/calls").await);
    other.expect_silence().await;
    let twice = json!([["times", 2, "to-channel", "default", "heard-by-all"]]);
    assert_eq!(answers(&mut client, twice).await, ["ok: 2"]);
    client.sync().await;
    assert_eq!(names(&other.sync().await), ["heard-by-all", "heard-by-all"]);
    let thrice = json!([["times", 3, "to-channel", "default", "heard-by-all"]]);
    assert_fails(&mut client, thrice, "deliveries-per-turn").await;
    other.expect_silence().await;
}

#[tokio::test]
async fn a_turn_past_its_host_calls_cannot_commit_and_is_stopped_in_the_end() {
    let server = serve_calls("host-calls-per-turn = 20\ncalls-after-bound = 10");
    let mut client = server.join("/calls").await;
    assert_eq!(answers(&mut client, json!([["times", 19, "count"]])).await, ["ok: 1"]);
    assert_fails(&mut client, json!([["emit", "leak", "1"], ["times", 21, "count"]]), "host-calls-per-turn").await;
    assert_fails(&mut client, json!([["emit", "leak", "1"], ["times", 40, "count"]]), "host-call-quota").await;
    client.expect_silence().await;
}

/// The bounds that the documents state, as they are by default.
#[tokio::test]
async fn the_defaults_are_those_of_the_contract() {
    // The numbers are at issue here, not the time that a busy machine takes for them.
    let server = serve_calls("turn-cpu-ms = 5_000");
    let mut client = server.join("/calls").await;
    assert_fails(&mut client, json!([["times", 1_001, "emit", "leak", "1"]]), "emits-per-turn").await;
    assert_too_large(&mut client, json!([["emit-size", 262_145]]), "emit-bytes").await;
    assert_too_large(&mut client, json!([["times", 3, "emit-size", 262_144]]), "emit-bytes-per-turn").await;
    assert_fails(&mut client, json!([["times", 10_001, "count"]]), "host-calls-per-turn").await;
    assert_fails(&mut client, json!([["times", 11_001, "count"]]), "host-call-quota").await;
    assert_too_large(&mut client, json!([["emit-size", 4_000_000]]), "emit-bytes").await;
    // What is larger by far than any argument may be is not even copied.
    assert_fails(&mut client, json!([["emit-size", 5_000_000]]), "trap").await;
    let within = json!([["times", 1_000, "count"], ["random", 4_096], ["random", 4_097]]);
    assert_eq!(answers(&mut client, within).await, ["ok: 1", "ok: 4096", "limit-exceeded: random-bytes"]);
}

#[tokio::test]
async fn what_is_no_json_is_refused_and_the_turn_goes_on() {
    let server = serve_calls("");
    let mut client = server.join("/calls").await;
    let deep = format!("{}1{}", "[".repeat(129), "]".repeat(129));
    let breaking_out = "1},\"type\":\"forged\",\"x\":{\"y\":1";
    for bad in ["", "{bad", "1 2", "'a'", "NaN", "{\"a\":1,}", "\"\u{1}\"", breaking_out, &deep] {
        let said = answers(&mut client, json!([["emit", "leak", bad]])).await;
        assert!(said[0].starts_with("invalid: data"), "{bad}: {said:?}");
    }
    for call in [json!(["emit", "$connect", "1"]), json!(["emit", "", "1"])] {
        let said = answers(&mut client, json!([call])).await;
        assert!(said[0].starts_with("invalid: "), "{call}: {said:?}");
    }
    client.expect_silence().await;
}

#[tokio::test]
async fn outside_of_a_turn_nothing_acts() {
    let acting = json!([
        ["room-id"],
        ["count"],
        ["meta", 1],
        ["emit", "leak", "1"],
        ["to-channel", "default", "leak"],
        ["join", "a"],
        ["fields", "{}"],
        ["close", 1000, ""],
        ["get", "k"],
        ["put", "k", 1],
    ]);
    let refused = vec!["no-turn".to_owned(); 10];
    let config = |place: &str, calls: &Value| format!("[tenants.default.plugins.calls.config]\n{place} = '{calls}'");
    let builder = Server::builder().guest_as("limit_calls", "calls");
    let server = builder.clone().config(&config("in-init", &acting)).start();
    let mut client = server.join("/calls").await;
    client.send("init", json!({})).await;
    assert_eq!(client.expect("in-init").await["answers"], json!(refused));
    assert_eq!(answers(&mut client, json!([["get", "k"]])).await, ["ok: None"]);

    let server = builder.clone().config(&config("in-authorize", &acting)).start();
    assert_eq!(server.refused("/calls").await.json(), json!(refused));

    let answering = json!([["now"], ["random", 8], ["log", "from nowhere"], ["on", "novel"], ["off", "novel"]]);
    let server = builder.config(&config("in-authorize", &answering)).start();
    assert_eq!(server.refused("/calls").await.json(), json!(["ok: true", "ok: 8", "ok", "no-turn", "no-turn"]));
    server.wait_for_log(&["guest", "from nowhere", "room=\"\""]).await;
}

#[tokio::test]
async fn events_are_asked_for_and_given_up_while_the_room_runs() {
    let server = serve_calls("");
    let mut client = server.join("/calls").await;
    client.send("novel", json!(1)).await;
    client.expect_silence().await;
    assert_eq!(answers(&mut client, json!([["on", "novel"], ["on", "novel"]])).await, ["ok: ()", "ok: ()"]);
    client.send("novel", json!(1)).await;
    assert_eq!(client.expect("heard").await, json!({ "type": "heard", "cause": "novel", "name": "novel" }));
    assert_eq!(answers(&mut client, json!([["off", "novel"], ["off", "unknown"]])).await, ["ok: ()", "ok: ()"]);
    client.send("novel", json!(1)).await;
    client.expect_silence().await;
    // The fallback carries the event's own name.
    answers(&mut client, json!([["on", "$message"]])).await;
    client.send("novel", json!(1)).await;
    assert_eq!(client.expect("heard").await, json!({ "type": "heard", "cause": "$message", "name": "novel" }));
}

/// `on` and `off` are no effects: they stay where their turn is undone.
#[tokio::test]
async fn registrations_outlive_a_failed_turn() {
    let server = serve_calls("emits-per-turn = 2");
    let mut client = server.join("/calls").await;
    assert_fails(&mut client, json!([["on", "novel"], ["times", 3, "emit", "leak", "1"]]), "emits-per-turn").await;
    client.send("novel", json!(1)).await;
    client.expect("heard").await;
    // They go with the instance.
    assert_fails(&mut client, json!([["emit-size", 5_000_000]]), "trap").await;
    client.send("novel", json!(1)).await;
    client.expect_silence().await;
}

#[tokio::test]
async fn a_hook_that_the_host_does_not_know_is_refused() {
    let server = serve_calls("");
    let mut client = server.join("/calls").await;
    let said =
        answers(&mut client, json!([["on", "$novel"], ["on", ""], ["on", "n".repeat(129)], ["on", "n".repeat(128)]]))
            .await;
    assert!(said[0].starts_with("invalid: ") && said[0].contains("$novel") && said[0].contains("$connect"), "{said:?}");
    assert!(said[1].starts_with("invalid: ") && said[2].starts_with("invalid: "), "{said:?}");
    assert_eq!(said[3], "ok: ()");
}
