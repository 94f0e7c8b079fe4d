//! What is there after the server's end, and what is not.

use crate::harness::{Client, Server, Value, json, soon};

async fn due(client: &mut Client) -> Value {
    client.send("get", json!(null)).await;
    client.expect("alarm").await["due"].clone()
}

#[tokio::test]
async fn what_was_heard_is_there_after_a_crash_and_after_an_end_in_order() {
    let mut server = Server::with_guest("alarm");
    let mut client = server.enter("/alarm").await;
    // The answer comes only when the write is safe.
    client.send("repeat", json!({ "in_ms": 60_000 })).await;
    client.sync().await;
    client.send("set", json!({ "in_ms": 60_000 })).await;
    let set = client.expect("set").await["due"].clone();
    for crash in [true, false] {
        if crash {
            server.kill();
        } else {
            assert!(server.terminate().await.success());
        }
        server.start_again();
        assert_eq!(due(&mut server.enter("/alarm").await).await, set);
    }
    for words in ["found what rooms stored", "restored after restart"] {
        // Lines of the log come behind what they tell of.
        soon(&format!("two lines that say {words:?}"), async {
            while server.log().iter().filter(|line| line.contains(words)).count() != 2 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn timers_are_gone_with_the_server() {
    let mut server = Server::with_guest("timers");
    let mut client = server.enter("/timers").await;
    client.send("set", json!({ "name": "t", "ms": 100, "data": 1 })).await;
    client.expect("set").await;
    server.kill();
    server.start_again();
    let mut client = server.enter("/timers").await;
    client.send("cancel", json!({ "name": "t" })).await;
    assert_eq!(client.expect("cancelled").await["was"], false);
}

#[tokio::test]
async fn a_room_that_is_opened_again_is_told_why() {
    let server = Server::builder().guest("alarm").config("[limits]\nroom-linger-ms = 0").start();
    let mut client = server.enter("/alarm").await;
    client.send("set", json!({ "in_ms": 60_000 })).await;
    client.expect("set").await;
    client.send("crash", json!(null)).await;
    server.wait_for_log(&["restored after crash"]).await;
    client.close(1000, "").await;
    server.rooms_ended("default/alarm").await;
    server.enter("/alarm").await;
    server.wait_for_log(&["restored after wake"]).await;
}

#[tokio::test]
async fn a_tenant_whose_file_cannot_be_read_is_told_of_and_others_are_served() {
    let mut server = Server::builder().guest_as("alarm", "good/alarm").guest_as("alarm", "bad/alarm").start();
    for tenant in ["good", "bad"] {
        let mut client = server.enter(&format!("/t/{tenant}/alarm")).await;
        client.send("set", json!({ "in_ms": 60_000 })).await;
        client.expect("set").await;
    }
    assert!(server.terminate().await.success());
    let files: Vec<_> = std::fs::read_dir(server.folder().join("data/tenants")).expect("a folder").flatten().collect();
    assert_eq!(files.len(), 2, "one file a tenant: {files:?}");
    let bad = files.iter().find(|file| file.file_name().to_string_lossy().starts_with("bad")).expect("its file").path();
    let whole = std::fs::read(&bad).expect("a file");
    std::fs::write(&bad, vec![7; whole.len()]).expect("a file");
    server.start_again();
    let line = server.wait_for_log(&["its rooms cannot be opened", "tenant=\"bad\""]).await;
    assert!(line.contains("bad.") && line.contains("ERROR"), "{line}");
    assert!(due(&mut server.enter("/t/good/alarm").await).await.is_number());
    let closed = server.join("/t/bad/alarm").await.closed().await;
    assert_eq!((closed.code, &*closed.reason), (1013, "the room's storage cannot be read now"));
    // An operator who puts the file back need not restart anything.
    std::fs::write(&bad, whole).expect("a file");
    assert!(due(&mut server.enter("/t/bad/alarm").await).await.is_number());
}
