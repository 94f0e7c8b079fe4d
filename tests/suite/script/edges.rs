//! What the engine of scripts has to bear: nothing of it may cost the instance.

use crate::harness::{Client, Server, Value, json};

fn server() -> Server {
    Server::builder().guest_as("script/edges", "edges").start()
}

async fn client(server: &Server) -> Client {
    server.join("/edges").await
}

fn no_instance_was_lost(server: &Server) {
    let log = server.log().join("\n");
    assert!(!log.contains("code=\"trap\"") && !log.contains("code=\"deadline\""), "{log}");
}

#[tokio::test]
async fn recursion_without_an_end_is_an_error_that_a_handler_catches() {
    let server = server();
    let mut ana = client(&server).await;
    ana.send("forms", json!({})).await;
    let forms = ana.expect("forms").await;
    for form in forms["data"].as_array().expect("names").iter().filter_map(Value::as_str) {
        ana.send("deep", json!({ "form": form })).await;
        let ended = ana.expect("ended").await;
        assert_eq!((&ended["form"], &ended["name"]), (&json!(form), &json!("RangeError")), "{ended}");
        assert!(form != "plain" || ended["depth"].as_u64() >= Some(500), "{ended}");
    }
    ana.send("deepest", json!({})).await;
    ana.send("forms", json!({})).await;
    ana.expect("forms").await;
    no_instance_was_lost(&server);
}

/// What passes a bound by far is refused as what passes it by a little.
#[tokio::test]
async fn too_much_for_the_host_is_an_error_that_a_handler_catches() {
    let config = "[limits]\nturn-cpu-ms = 10_000\ncall-wall-ms = 60_000";
    let server = Server::builder().guest_as("script/edges", "edges").config(config).start();
    let mut ana = client(&server).await;
    ana.send("hands", json!({})).await;
    let all = ana.expect("hands").await;
    for what in all["data"].as_array().expect("names") {
        ana.send("hand", json!({ "what": what })).await;
        // Past a bound of the turn nothing of it is said, not even this.
        let said = ana.event().await;
        assert!(said["why"] == "RoomError" || said["code"] == "limit-exceeded", "{what}: {said}");
    }
    no_instance_was_lost(&server);
}

#[tokio::test]
async fn half_of_a_pair_is_a_replacement_character_for_the_host() {
    let server = server();
    let mut ana = client(&server).await;
    let ways = [
        "log", "event", "target", "channel", "user", "clients", "join", "meta", "ask", "timer", "storage", "handler",
        "config", "reject", "throw", "answer", "close",
    ];
    for how in ways {
        ana.send_text(&format!(r#"{{"type":"text","data":{{"how":"{how}","text":"a\ud83d"}}}}"#)).await;
        match how {
            "reject" => assert_eq!(ana.next_event("error").await["message"], "a\u{fffd}"),
            "throw" | "close" | "answer" => {}
            _ => assert_eq!(ana.next_event("fine").await["how"], how),
        }
    }
    server.wait_for_log(&["guest", "said a\u{fffd}"]).await;
    no_instance_was_lost(&server);
}

#[tokio::test]
async fn what_javascript_promises_holds() {
    let server = server();
    let mut ana = client(&server).await;
    ana.send_text(r#"{"type":"clone","data":{"__proto__":{"admin":true}}}"#).await;
    let cloned = ana.expect("cloned").await;
    assert_eq!((&cloned["admin"], &cloned["keys"]), (&Value::Null, &json!(["__proto__"])));
    ana.send("promise", json!({})).await;
    assert_eq!(ana.expect("promise").await["value"], json!({}));
    ana.send("time", json!({})).await;
    assert_eq!(ana.expect("time").await["isSame"], true);
    ana.send("finally", json!({})).await;
    assert_eq!(ana.expect("finally").await["data"], json!(["1", "finally"]));
    ana.send("unreadable", json!({})).await;
    ana.send("promise", json!({})).await;
    ana.expect("promise").await;
    no_instance_was_lost(&server);
}
