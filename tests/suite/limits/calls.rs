//! Bounds of single calls: past them the call is refused, and the turn goes on.

use crate::harness::guests::{answers, serve_calls};
use crate::harness::json;

#[tokio::test]
async fn registrations() {
    // The guest has six of its own.
    let server = serve_calls("registrations = 8");
    let mut client = server.join("/calls").await;
    let said =
        answers(&mut client, json!([["on", "a"], ["on", "b"], ["on", "c"], ["on", "a"], ["off", "b"], ["on", "c"]]))
            .await;
    let ok = "ok: ()";
    assert_eq!(said, [ok, ok, "limit-exceeded: registrations", ok, ok, ok]);
}

#[tokio::test]
async fn channels_of_a_socket() {
    let server = serve_calls("channels-per-socket = 3");
    let mut client = server.join("/calls").await;
    let said =
        answers(&mut client, json!([["join", "a"], ["join", "b"], ["join", "c"], ["join", "a"], ["meta", 1]])).await;
    let ok = "ok: ()";
    assert_eq!(said, [ok, ok, "limit-exceeded: channels-per-socket", ok, "ok: 3"]);
    let said = answers(&mut client, json!([["join", ""], ["join-size", 129], ["meta", 99]])).await;
    assert!(said[0].starts_with("invalid: ") && said[1].starts_with("invalid: "), "{said:?}");
    assert_eq!(said[2], "no-such-socket");
}

#[tokio::test]
async fn fields_of_a_socket() {
    let server = serve_calls("meta-fields-bytes = 20");
    let mut client = server.join("/calls").await;
    let said =
        answers(&mut client, json!([["fields-size", 20], ["fields-size", 21], ["fields", "[1]"], ["fields", "{"]]))
            .await;
    assert_eq!(said[..2], ["ok: ()", "limit-exceeded: meta-fields-bytes"]);
    assert!(said[2].starts_with("invalid: ") && said[3].starts_with("invalid: "), "{said:?}");
}

#[tokio::test]
async fn storage() {
    let server = serve_calls("storage-key-bytes = 5\nstorage-value-bytes = 10\nstorage-room-bytes = 24");
    let mut client = server.join("/calls").await;
    let said = answers(
        &mut client,
        json!([
            ["put-key-size", 5],
            ["put-key-size", 6],
            ["put-key-size", 0],
            ["put", "a", 10],
            ["put", "a", 11],
            ["put", "b", 3],
            ["put", "b", 2],
            ["get", "b"],
            ["get", "a"],
        ]),
    )
    .await;
    // "xxxxx" with "value" takes ten bytes, "a" with ten bytes eleven.
    assert_eq!(said[..2], ["ok: ()", "limit-exceeded: storage-key-bytes"]);
    assert!(said[2].starts_with("invalid: "), "{said:?}");
    assert_eq!(said[3..5], ["ok: ()", "limit-exceeded: storage-value-bytes"]);
    assert_eq!(said[5..], ["limit-exceeded: storage-room-bytes", "ok: ()", "ok: Some(2)", "ok: Some(10)"]);
    // The bound holds over turns, and another room has its own.
    let full = json!([["put", "c", 1], ["put", "a", 10], ["put", "a", 9]]);
    assert_eq!(answers(&mut client, full.clone()).await, ["limit-exceeded: storage-room-bytes", "ok: ()", "ok: ()"]);
    let mut other = server.join("/calls?room=other").await;
    assert_eq!(answers(&mut other, full).await, ["ok: ()"; 3]);
}

#[tokio::test]
async fn randomness() {
    let server = serve_calls("random-bytes = 16");
    let mut client = server.join("/calls").await;
    let said = answers(&mut client, json!([["random", 16], ["random", 0], ["random", 17]])).await;
    assert_eq!(said, ["ok: 16", "ok: 0", "limit-exceeded: random-bytes"]);
}

#[tokio::test]
async fn closes() {
    let server = serve_calls("");
    let mut client = server.join("/calls").await;
    for code in [0, 999, 1001, 1005, 1006, 1015, 2999, 5000] {
        let said = answers(&mut client, json!([["close", code, ""]])).await;
        assert!(said[0].starts_with("invalid: "), "{code}: {said:?}");
    }
    let long = answers(&mut client, json!([["close", 3000, "r".repeat(124)]])).await;
    assert!(long[0].starts_with("invalid: ") && long[0].contains("123"), "{long:?}");
    client.send("run", json!([["close", 3000, "r".repeat(123)]])).await;
    let closed = client.closed().await;
    assert_eq!((closed.code, closed.reason), (3000, "r".repeat(123)));
}

#[tokio::test]
async fn lines_of_the_log() {
    let server = serve_calls("log-lines-per-turn = 3\nlog-line-bytes = 12");
    let mut client = server.join("/calls").await;
    answers(&mut client, json!([["times", 5, "log", "counted line"]])).await;
    server.wait_for_log(&["2 lines left out", "log-lines-per-turn", "plugin=\"calls\""]).await;
    // Another turn has lines of its own.
    answers(&mut client, json!([["log-size", 50], ["log", "wide üüü end"]])).await;
    let cut = server.wait_for_log(&["guest: xxxxxxxxxxxx "]).await;
    assert!(!cut.contains(&"x".repeat(13)), "{cut}");
    server.wait_for_log(&["guest: wide üüü "]).await;
    let log = server.log();
    assert_eq!(log.iter().filter(|line| line.contains("counted line")).count(), 3, "{log:#?}");
}

/// A line of a guest is never taken for one of the host.
#[tokio::test]
async fn lines_of_the_log_cannot_be_forged() {
    let server = serve_calls("");
    let mut client = server.join("/calls").await;
    answers(&mut client, json!([["log", "first\nERROR parlor: forged\r\u{1b}[31mred"]])).await;
    let forged = server.wait_for_log(&["forged"]).await;
    assert!(forged.contains("guest: ERROR parlor: forged"), "{forged}");
    assert!(!forged.contains('\u{1b}') && !forged.contains('\r'), "{forged:?}");
    // Nor are its words taken for fields, or shown in another order than they stand.
    answers(&mut client, json!([["log", "more tenant=\"other\" a\u{2028}b\u{202e}c\u{2066}d"]])).await;
    let forged = server.wait_for_log(&["more tenant"]).await;
    assert!(
        forged.contains("guest: \"more tenant=\\\"other\\\" a\u{fffd}b\u{fffd}c\u{fffd}d\" tenant=\"default\""),
        "{forged:?}"
    );
}
