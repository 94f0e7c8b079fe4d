//! Valid frames in both directions, to the letter: what a client sends is what a handler sees, and what a handler emits
//! is what a client gets.

use crate::harness::{Client, Server, json};

/// The frame of an event of the guest `echo` to its own socket.
fn frame(event: &str, rest: &str) -> String {
    format!(r#"{{"type":"event","channel":"default","data":{{"type":"{event}"{rest}}}}}"#)
}

async fn echo(server: &Server) -> Client {
    server.enter("/echo").await
}

#[tokio::test]
async fn a_handler_sees_what_the_frame_held_and_what_it_did_not() {
    let server = Server::with_guest("echo");
    let mut client = echo(&server).await;
    let seen = |channel: &str, text: Option<&str>| {
        let text = text.map_or("null".to_owned(), |text| json!(text).to_string());
        let has_data = text != "null";
        frame("seen", &format!(r#","channel":{channel},"hasData":{has_data},"name":"x","text":{text}"#))
    };
    for (sent, expected) in [
        (r#"{"type":"x"}"#, seen("null", None)),
        (r#"{"type":"x","data":null}"#, seen("null", Some("null"))),
        (r#"{"type":"x","data":0}"#, seen("null", Some("0"))),
        (r#"{"type":"x","data":""}"#, seen("null", Some("\"\""))),
        (r#"{"type":"x","data":false}"#, seen("null", Some("false"))),
        (r#"{"type":"x","data":[ 1 , 2 ]}"#, seen("null", Some("[ 1 , 2 ]"))),
        (r#"{"data":{"b":1,"a":2},"type":"x"}"#, seen("null", Some(r#"{"b":1,"a":2}"#))),
        (r#"{"type":"x","channel":"red"}"#, seen("\"red\"", None)),
        // As serialisers of other languages write what is not set.
        (r#"{"type":"x","channel":null,"data":{},"id":null}"#, seen("null", Some("{}"))),
        (r#"{"type":"x","channel":"","data":null}"#, seen("null", Some("null"))),
        (r#" {"type" : "x", "other": [{}], "channel":"r\u0065d" } "#, seen("\"red\"", None)),
    ] {
        client.send_text(sent).await;
        assert_eq!(client.frame().await, expected, "{sent}");
    }
}

#[tokio::test]
async fn what_is_sent_as_data_arrives_as_it_was_sent() {
    let server = Server::with_guest("echo");
    let mut client = echo(&server).await;
    for (data, arrives) in [
        ("null", r#","data":null"#),
        ("0", r#","data":0"#),
        ("-0.0", r#","data":-0.0"#),
        ("\"\"", r#","data":"""#),
        ("false", r#","data":false"#),
        ("[]", r#","data":[]"#),
        ("[{\"type\":\"inner\"}]", r#","data":[{"type":"inner"}]"#),
        ("12345678901234567890.123456789", r#","data":12345678901234567890.123456789"#),
        ("\"\\u00e9 \\ud83d\\ude00\"", r#","data":"\u00e9 \ud83d\ude00""#),
        ("{}", ""),
        ("{\"z\":1,\"a\":{\"type\":\"inner\"}}", r#","z":1,"a":{"type":"inner"}"#),
        ("{\"data\":1,\"channel\":\"forged\"}", r#","data":1,"channel":"forged""#),
    ] {
        client.send_text(&format!(r#"{{"type":"echo","data":{data}}}"#)).await;
        assert_eq!(client.frame().await, frame("echo", arrives), "{data}");
    }
}

#[tokio::test]
async fn data_never_overrides_the_events_name() {
    let server = Server::with_guest("echo");
    let mut client = echo(&server).await;
    for data in [
        r#"{"type":"forged","x":1}"#,
        r#"{"x":1,"type":"forged"}"#,
        r#"{"type":"forged","x":1,"type":{"forged":2}}"#,
        r#"{"\u0074ype":"forged","x":1}"#,
    ] {
        client.send_text(&format!(r#"{{"type":"echo","data":{data}}}"#)).await;
        assert_eq!(client.frame().await, frame("echo", r#","x":1"#), "{data}");
    }
}

#[tokio::test]
async fn of_a_key_that_stands_twice_the_last_counts() {
    let server = Server::with_guest("echo");
    let mut client = echo(&server).await;
    client.send_text(r#"{"type":"unknown","data":1,"type":"echo","data":2}"#).await;
    assert_eq!(client.frame().await, frame("echo", r#","data":2"#));
}

#[tokio::test]
async fn names_and_channels_are_escaped_where_they_must_be() {
    let server = Server::with_guest("echo");
    let mut client = server.enter(r#"/echo?in=a%22%5C%0A"#).await;
    client.send("emit", json!({ "event": "say \"hi\"\\\n", "data": {} })).await;
    assert_eq!(client.frame().await, r#"{"type":"event","channel":"a\"\\\n","data":{"type":"say \"hi\"\\\n"}}"#);
    client.send_text("{\"type\":\"\u{1f600} \\u0000\"}").await;
    assert_eq!(client.expect("seen").await["name"], "\u{1f600} \0");
}

#[tokio::test]
async fn the_channel_of_a_frame_is_its_target_or_the_sockets_first() {
    let server = Server::with_guest("echo");
    let mut client = server.enter("/echo?in=red,default").await;
    client.send("echo", json!({})).await;
    assert!(client.frame().await.starts_with(r#"{"type":"event","channel":"red","#));
    client.send("emit", json!({ "event": "e", "data": {}, "channel": "default" })).await;
    assert!(client.frame().await.starts_with(r#"{"type":"event","channel":"default","#));
}

#[tokio::test]
async fn names_have_up_to_128_bytes() {
    let server = Server::with_guest("echo");
    let mut client = echo(&server).await;
    // 64 characters of two bytes each.
    let longest = "é".repeat(64);
    client.send("emit", json!({ "event": longest, "data": {} })).await;
    client.expect(&longest).await;
    client.send_bare(&longest).await;
    assert_eq!(client.expect("seen").await["name"], longest.as_str());
    client.send_text(&json!({ "type": "x", "channel": longest }).to_string()).await;
    assert_eq!(client.expect("seen").await["channel"], longest.as_str());

    let too_long = format!("{longest}x");
    for event in [too_long.as_str(), "", "$connect", "$anything"] {
        client.send("emit", json!({ "event": event, "data": {} })).await;
        assert_eq!(client.expect("refused").await["code"], "invalid", "{event}");
    }
    client.send("emit", json!({ "event": "e", "data": {}, "channel": too_long })).await;
    assert_eq!(client.expect("refused").await["code"], "invalid");
}

#[tokio::test]
async fn data_nests_up_to_128_levels() {
    let server = Server::with_guest("echo");
    let mut client = echo(&server).await;
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deepest = format!("{}0{}", open.repeat(128), close.repeat(128));
        client.send_text(&format!(r#"{{"type":"echo","data":{deepest}}}"#)).await;
        let frame = client.frame().await;
        // The outermost bracket of an object is that of the envelope.
        assert!(frame.contains(&deepest[1..]), "{frame}");
    }
    // Brackets within a text are no levels.
    let text = "[".repeat(1_000);
    client.send("echo", json!(text)).await;
    assert_eq!(client.expect("echo").await["data"], text.as_str());
}

#[tokio::test]
async fn a_bare_ping_is_answered_without_the_plugin() {
    let server = Server::with_guest("wild");
    let mut client = server.enter("/wild").await;
    for ping in [r#"{"type":"ping"}"#, r#"{"ts":1,"type":"ping"}"#, r#"{"type":"ping","channel":null,"data":null}"#] {
        client.send_text(ping).await;
        assert_eq!(client.frame().await, r#"{"type":"pong"}"#);
    }
    // Neither `*` nor the fallback saw it; a ping with data is an event like any other.
    client.expect_silence().await;
    client.send("ping", json!({})).await;
    assert_eq!(client.expect("any").await["name"], "ping");
    client.expect_silence().await;
}

#[tokio::test]
async fn a_bare_ping_is_answered_by_the_host_and_by_a_handler_where_there_is_one() {
    let server = Server::with_guest("pinged");
    let mut client = server.enter("/pinged").await;
    for ping in [r#"{"type":"ping"}"#, r#"{"type":"ping","data":null}"#] {
        client.send_text(ping).await;
        assert_eq!(client.frame().await, r#"{"type":"pong"}"#);
        assert_eq!(client.expect("pinged").await["hasData"], false);
    }
    // Only the handler by name: the wildcard goes without the bare keepalive.
    client.expect_silence().await;
    client.send("ping", json!({})).await;
    assert_eq!(client.expect("pinged").await["hasData"], true);
    client.expect("any").await;
}
