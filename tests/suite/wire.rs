//! The wire.

use crate::harness::{Server, json};

#[tokio::test]
async fn an_event_is_answered() {
    let server = Server::with_guest("echo");
    let mut client = server.join("/echo").await;
    client.send("echo", json!({ "a": 1 })).await;
    assert_eq!(client.frame().await, r#"{"type":"event","channel":"default","data":{"type":"echo","a":1}}"#);
    client.expect_silence().await;
}
