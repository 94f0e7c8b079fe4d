//! A version that crashes everywhere is quarantined, however many other rooms came and went before. Rooms that had ended used
//! to count as open for ever, so that the crashed ones were never half of all.

use crate::harness::Server;
use crate::tenants::{fail, failing, member, stranger};

async fn crash(server: &Server, number: u8) {
    let mut client = stranger(server, "evil", &format!("crashed-{number}"), number).await;
    fail(&mut client, "panic").await;
    client.closed().await;
}

#[tokio::test]
async fn rooms_that_came_and_went_hide_no_crashes() {
    let server = failing("room-faults = 1\nroom-closed-ms = 0\nroom-linger-ms = 0");
    for room in 0..30 {
        let mut client = member(&server, "evil", &format!("gone-{room}")).await;
        client.close(1000, "").await;
    }
    server.rooms_ended("evil/turns").await;
    for number in 10..14 {
        crash(&server, number).await;
    }
    assert_eq!(server.plugin("evil", "turns").await["state"], "serving");
    crash(&server, 14).await;
    server.wait_for_log(&["quarantined", "5 of 5 rooms crashed"]).await;
    let refused = server.refused("/t/evil/turns?room=novel").await;
    assert_eq!((refused.status, &*refused.body), (503, "the plugin is out of service: quarantined"));
}
