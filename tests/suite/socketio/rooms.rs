//! Rooms over Socket.IO, beside a socket that speaks Verani's frames.

use super::Session;
use crate::harness::{Server, json};

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
