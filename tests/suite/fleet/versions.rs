//! A room that is opened while a new version comes is on the version that serves when it opens.

use crate::harness::{Server, guest, json};

const ROOMS: usize = 10;
/// How long `authorize` takes: longer than it takes to deploy a version that was compiled before.
const AUTHORIZE_MS: u64 = 3_000;

/// The guest `door` as another version: with a custom section that says so.
fn door(version: u8) -> Vec<u8> {
    let mut bytes = guest("door");
    // Section 0, three bytes long: a name of one byte, and one byte more.
    bytes.extend([0, 3, 1, b'v', version]);
    bytes
}

/// Deploys the guest; answers its version.
async fn deploy(server: &Server, version: u8) -> String {
    let request = server.request("PUT", "/_parlor/api/plugins/default/door").operator();
    let put = request.body("application/wasm", door(version)).send().await;
    assert!(put.status == 200 || put.status == 201, "{put:?}");
    put.json()["version"].as_str().expect("a version").to_owned()
}

/// An upgrade that was at `authorize` when a new version came used to open its room on the old one, which stayed there.
#[tokio::test]
async fn upgrades_in_flight_open_their_rooms_on_the_version_that_came_meanwhile() {
    let server = Server::builder().file("door.wasm", door(1)).config("[limits]\nauthorize-at-once = 100").start();
    // Compiled before it matters, and back.
    deploy(&server, 2).await;
    deploy(&server, 1).await;
    let started = std::time::Instant::now();
    let arriving = (0..ROOMS).map(|room| {
        let request = server.request("GET", &format!("/door?room=r{room}&wait={AUTHORIZE_MS}")).websocket();
        tokio::spawn(async move { request.upgrade().await.expect("a socket") })
    });
    let arriving: Vec<_> = arriving.collect();
    server.wait_for_log(&["the door waits"]).await;
    let current = deploy(&server, 2).await;
    assert!(started.elapsed().as_millis() < u128::from(AUTHORIZE_MS), "the deployment took too long to show anything");
    for client in arriving {
        client.await.expect("no panic").expect("request").await;
    }
    let plugin = server.plugin("default", "door").await;
    assert_eq!(plugin["rooms_by_version"], json!({ current: ROOMS }), "{plugin}");
}
