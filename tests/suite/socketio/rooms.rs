//! Rooms over Socket.IO, beside a socket that speaks Verani's frames.

use super::{Poller, Session};
use crate::harness::{Server, json, toolchains};

#[tokio::test]
async fn both_wires_meet_in_a_room() {
    let server = Server::builder().plugin("chat").start();
    let mut ana = server.join("/ws?userId=ana&room=r").await;
    ana.expect("welcome").await;
    let mut ben = Session::open_at(&server, &format!("{}&userId=ben&room=r", super::WEBSOCKET)).await;
    ben.enter("/", "").await;
    assert!(ben.packet().await.starts_with(r#"42["welcome",{"message":"Connected!","userId":"ben""#));
    assert_eq!(ana.expect("user.join").await["userId"], "ben");
    ben.send(r#"42["chat.message",{"text":"hello"}]"#).await;
    let heard = ana.expect("chat.message").await;
    assert_eq!((&heard["from"], &heard["text"]), (&json!("ben"), &json!("hello")));
    assert!(ben.packet().await.starts_with(r#"42["chat.message",{"from":"ben","text":"hello""#));
    ana.send("chat.message", json!({ "text": "hi" })).await;
    assert!(ben.packet().await.starts_with(r#"42["chat.message",{"from":"ana","text":"hi""#));
}

#[tokio::test]
async fn an_acknowledgement_comes_behind_the_emits_of_its_event() {
    let server = Server::builder().plugin("chat").start();
    let mut ben = Session::open_at(&server, &format!("{}&userId=ben", super::WEBSOCKET)).await;
    ben.enter("/", "").await;
    ben.packet().await;
    ben.send(r#"427["chat.message",{"text":"hello"}]"#).await;
    assert!(ben.packet().await.starts_with(r#"42["chat.message""#));
    ben.expect("437[]").await;
    ben.send(r#"428["chat.message",{"text":" "}]"#).await;
    ben.expect(r#"438[{"error":{"code":"chat.empty","message":"say something first"}}]"#).await;
    ben.send(r#"42["chat.message",{"text":" "}]"#).await;
    ben.expect(r#"42["error",{"code":"chat.empty","message":"say something first"}]"#).await;
}

/// Bytes within data, and several arguments, in a language whose SDK reads and writes them by itself.
#[tokio::test]
async fn a_plugin_in_go_reads_bytes_within_data_and_says_them_among_arguments() {
    if toolchains::is_left_out("go") {
        return;
    }
    let guest = toolchains::built("tests/guests/go/faults", "go-faults");
    let server = Server::builder().file("go-faults.wasm", guest).start();
    let poller = Poller::open(&server).await;
    poller.say("40/go-faults,").await;
    poller.packets().await;
    let said = r#"451-/go-faults,["picture",{"name":"dot","pixels":{"_placeholder":true,"num":0}}]"#;
    poller.say(&format!("{said}\u{1e}bAQID")).await;
    let heard = r#"451-/go-faults,["picture","dot",{"_placeholder":true,"num":0},3,1]"#;
    assert_eq!(poller.packets().await, [heard, "bAQID"]);
}
