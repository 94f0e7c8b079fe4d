//! Keys and values: many at once, in pages, and their bounds.

use crate::harness::guests::{answers, serve_calls};
use crate::harness::{Client, Server, json};

async fn served(limits: &str) -> (Server, Client) {
    let server = serve_calls(limits);
    let client = server.join("/calls").await;
    (server, client)
}

#[tokio::test]
async fn many_keys_are_read_written_and_removed_as_one() {
    let (_server, mut client) = served("").await;
    let said = answers(&mut client, json!([["put-many", "k", 3, 5], ["get-many", ["k2", "none", "k0"]]])).await;
    assert_eq!(said, ["ok: ()", "ok: [Some(5), None, Some(5)]"]);
    let said = answers(&mut client, json!([["delete-many", ["k0", "none", "k2"]], ["list", "k", 10]])).await;
    assert_eq!(said, ["ok: 2", "ok: (\"k1=5\", None)"]);
    // To write a key twice is a mistake, and nothing is written.
    let said = answers(&mut client, json!([["put-twice", "d"], ["delete-many", ["k1", "k1"]], ["list", "", 10]])).await;
    assert!(said[..2].iter().all(|said| said.starts_with("invalid: ") && said.contains("twice")), "{said:?}");
    assert_eq!(said[2], "ok: (\"k1=5\", None)");
}

/// A list of keys may come from a client, who names one twice.
#[tokio::test]
async fn a_key_that_is_named_twice_is_read_as_often() {
    let (_server, mut client) = served("").await;
    // Within the turn that wrote it, then from the disk or its cache.
    let asked = json!([["put", "d", 7], ["get-many", ["d", "d", "none", "none"]]]);
    assert_eq!(answers(&mut client, asked).await[1], "ok: [Some(7), Some(7), None, None]");
    let asked = json!([["get-many", ["none", "d", "d"]]]);
    assert_eq!(answers(&mut client, asked).await, ["ok: [None, Some(7), Some(7)]"]);
}

#[tokio::test]
async fn a_key_that_is_named_twice_counts_twice() {
    let (_server, mut client) = served("storage-keys-per-call = 3\nstorage-bytes-per-call = 9").await;
    let asked = json!([["put", "d", 5], ["get-many", ["d", "d", "d", "d"]], ["get-many", ["d", "d"]]]);
    let said = answers(&mut client, asked).await;
    assert_eq!(said[1..], ["limit-exceeded: storage-keys-per-call", "limit-exceeded: storage-bytes-per-call"]);
}

#[tokio::test]
async fn pages_show_what_is_durable_and_what_the_turn_wrote() {
    let (_server, mut client) = served("").await;
    answers(&mut client, json!([["put-many", "p/", 6, 1], ["put", "q", 1]])).await;
    let said =
        answers(&mut client, json!([["delete", "p/1"], ["put", "p/2", 9], ["put", "p/25", 2], ["list", "p/", 4]]))
            .await;
    assert_eq!(said[3], "ok: (\"p/0=1 p/2=9 p/25=2 p/3=1\", Some(\"p/3\"))");
    let said = answers(&mut client, json!([["list", "p/", 4, "p/3"], ["list", "", 1, "p/5"]])).await;
    assert_eq!(said, ["ok: (\"p/4=1 p/5=1\", None)", "ok: (\"q=1\", None)"]);
}

#[tokio::test]
async fn bounds_of_one_call_and_of_one_turn() {
    let (_server, mut client) =
        served("storage-keys-per-call = 3\nstorage-bytes-per-call = 1000\nstorage-bytes-per-turn = 2000").await;
    let said = answers(
        &mut client,
        json!([
            ["put-many", "k", 4, 1],
            ["put-many", "k", 3, 400],
            ["delete-many", ["a", "b", "c", "d"]],
            ["get", "k0"]
        ]),
    )
    .await;
    assert_eq!(
        said,
        [
            "limit-exceeded: storage-keys-per-call",
            "limit-exceeded: storage-bytes-per-call",
            "limit-exceeded: storage-keys-per-call",
            "ok: None"
        ]
    );
    // What a turn writes over itself counts as well: it is all held until it is durable. The rest of the turn commits.
    let said =
        answers(&mut client, json!([["put", "a", 900], ["put", "a", 901], ["put", "b", 900], ["get", "b"]])).await;
    assert_eq!(said, ["ok: ()", "ok: ()", "limit-exceeded: storage-bytes-per-turn", "ok: None"]);
    let said = answers(&mut client, json!([["get", "a"]])).await;
    assert_eq!(said, ["ok: Some(901)"]);
}

#[tokio::test]
async fn rooms_that_keep_something_are_counted() {
    let (server, mut client) = served("storage-rooms-per-tenant = 2").await;
    assert_eq!(answers(&mut client, json!([["put", "k", 1]])).await, ["ok: ()"]);
    let mut second = server.join("/calls?room=second").await;
    assert_eq!(answers(&mut second, json!([["set-alarm", 9e15]])).await, ["ok: ()"]);
    let mut third = server.join("/calls?room=third").await;
    let said = answers(&mut third, json!([["put", "k", 1], ["set-alarm", 9e15], ["get", "k"]])).await;
    let full = "limit-exceeded: storage-rooms-per-tenant";
    assert_eq!(said, [full, full, "ok: None"]);
    // A room that keeps nothing any more leaves its place.
    assert_eq!(answers(&mut second, json!([["cancel-alarm"]])).await, ["ok: ()"]);
    assert_eq!(answers(&mut third, json!([["put", "k", 1]])).await, ["ok: ()"]);
}

#[tokio::test]
async fn an_alarm_has_a_time_that_numbers_can_name() {
    let (_server, mut client) = served("").await;
    let said =
        answers(&mut client, json!([["set-alarm", -1], ["set-alarm", 1e16], ["set-alarm"], ["get-alarm"]])).await;
    assert!(said[..3].iter().all(|answer| answer.starts_with("invalid: ")), "{said:?}");
    assert_eq!(said[3], "ok: None");
}
