//! Many rooms of one tenant that write at once.

use crate::harness::{Server, json};

const ROOMS: usize = 100;
const ROUNDS: usize = 20;
const AT_ONCE: usize = 16;

/// A room let out what was durable while its next turn stood in the tenant's line for the thread, and waited in that line
/// itself: behind a call that it no longer polled. All of the tenant's rooms on the thread waited with it, until
/// `call-wall-ms` cut the calls off.
#[tokio::test]
async fn rooms_never_wait_for_each_other_for_ever() {
    let server = Server::builder().guest("ledger").config("threads = 1").start();
    let mut talks = Vec::new();
    for room in 0..ROOMS {
        let mut client = server.join(&format!("/ledger?room=r{room}")).await;
        talks.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                for number in 0..AT_ONCE {
                    let id = format!("{round}-{number}");
                    client.send("add", json!({ "id": id, "amount": 1 })).await;
                }
                for number in 0..AT_ONCE {
                    let added = client.expect("added").await;
                    assert_eq!(added["id"], format!("{round}-{number}"));
                }
            }
        }));
    }
    for talk in talks {
        talk.await.expect("every answer, in order");
    }
    assert!(!server.log().iter().any(|line| line.contains("call-wall-ms")), "a call was cut off");
}
