//! Data as the types that handlers name, and the standard library in a room.

use super::answer;
use crate::harness::json;
use crate::language::PYTHON;

#[tokio::test]
async fn data_is_what_the_handler_says_or_its_sender_is_told_why_not() {
    if PYTHON.is_left_out() {
        return;
    }
    let server = PYTHON.faulty("turn-cpu-ms = 2_000").start();
    let mut ana = server.join("/faults").await;
    let halved = answer(&mut ana, "point", json!({ "x": 5.0, "tags": ["a"], "more": 1 })).await;
    assert_eq!(halved, json!({ "x": 2, "y": 0.25, "tags": ["a"] }));
    for (data, words) in [
        (json!({}), "data.x is missing"),
        (json!({ "x": 1.5 }), "data.x must be a whole number, not the number 1.5"),
        (json!({ "x": true }), "data.x must be a whole number, not true"),
        (json!({ "x": 1, "tags": ["a", 2] }), "data.tags[1] must be a text, not the number 2"),
        (json!([1]), "data must be an object (Point), not a list"),
        (json!("x"), "data must be an object (Point), not the text 'x'"),
    ] {
        ana.send("point", data).await;
        let error = ana.next_event("error").await;
        assert_eq!((error["code"].as_str(), error["message"].as_str()), (Some("bad-data"), Some(words)));
    }
    ana.send_bare("point").await;
    assert_eq!(ana.next_event("error").await["message"], "data.x is missing");
}

#[tokio::test]
async fn the_library_has_the_hosts_time_and_randomness_and_its_log() {
    if PYTHON.is_left_out() {
        return;
    }
    let server = PYTHON.faulty("turn-cpu-ms = 2_000").start();
    let (mut ana, mut bo) = (server.join("/faults?room=a").await, server.join("/faults?room=b").await);
    let (one, other) = (answer(&mut ana, "library", json!({})).await, answer(&mut bo, "library", json!({})).await);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs_f64();
    for found in [&one, &other] {
        assert_eq!(found["isinstance"], true);
        let time = found["time"].as_f64().expect("a time");
        assert!((now - time).abs() < 60.0 && (time - found["now"].as_f64().expect("a time")).abs() < 0.01, "{found}");
        assert_eq!(found["text"], found["year"].to_string());
    }
    // No two rooms throw the same dice.
    for key in ["ids", "secret", "random", "sample"] {
        assert_ne!(one[key], other[key], "{key}");
    }
    server.wait_for_log(&["guest", "printed 1"]).await;
    server.wait_for_log(&["guest", "logged 2"]).await;
    let trace = answer(&mut ana, "trace", json!({})).await;
    assert!(trace.as_str().is_some_and(|trace| trace.contains("KeyError") && trace.contains("in deeper")), "{trace}");
}
