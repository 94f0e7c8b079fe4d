//! One client that makes a plugin fault as often as it can, beside good ones in the same plugin: it is slowed and refused,
//! and nobody else loses a room.

use super::{fail, failing, member, stranger};
use crate::harness::{Client, Response, Server, json, soon};

const REFUSED: &str = "this client made the plugin fail too often: client-faults";

/// A user of one of this machine's addresses asks for a room.
async fn enter(server: &Server, path: &str, room: &str, user: &str, address: u8) -> Result<Client, Response> {
    let path = format!("{path}?room={room}&user={user}");
    server.request("GET", &path).coming_from_loopback(address).websocket().upgrade().await
}

/// Sends faults until the socket is closed, and says how.
async fn until_closed(client: &mut Client, how: &str) -> (u16, String) {
    for _ in 0..5 {
        fail(client, how).await;
    }
    let closed = client.closed().await;
    (closed.code, closed.reason)
}

/// Has one client fail in its own rooms and in those of others, time and again, and a good one beside it.
async fn one_against_all(guest: &str, path: &str, how: &str) {
    let limits = "[limits]\nclient-slow-ms = 1\nclient-refused-ms = 30\nclient-refused-max-ms = 60\nroom-backoff-ms = 1
        upgrades-per-address-burst = 1000\nturn-cpu-ms = 50";
    let server = Server::builder().guest_as(guest, "turns").config(limits).start();
    let mut good = enter(&server, path, "good", "ada", 1).await.expect("a socket");
    let mut shared = enter(&server, path, "shared", "bob", 2).await.expect("a socket");
    let mut refusals = 0;
    for round in 0..25 {
        let room = if round % 2 == 0 { "shared".to_owned() } else { format!("own-{round}") };
        // Sometimes with a name of its own, which does not help.
        let user = if round % 3 == 0 { format!("eve-{round}") } else { "eve".to_owned() };
        let mut eve = soon("the refusal to end", async {
            loop {
                match enter(&server, path, &room, &user, 66).await {
                    Ok(client) => return client,
                    Err(refused) => {
                        assert_eq!((refused.status, &*refused.body), (429, REFUSED));
                        assert!(refused.header("retry-after").is_some());
                        refusals += 1;
                    }
                }
            }
        })
        .await;
        assert_eq!(until_closed(&mut eve, how).await, (1008, REFUSED.to_owned()));
    }
    assert!(refusals > 0);
    // Neither the one beside it in other rooms nor the one in the same room was closed or refused.
    good.sync().await;
    shared.sync().await;
    enter(&server, path, "own-1", "carol", 3).await.expect("a room that nobody is kept from").expect_silence().await;
    assert_eq!(server.plugin("default", "turns").await["state"], "serving");
}

#[tokio::test]
async fn one_hostile_user_puts_nothing_of_a_rust_plugin_out_of_service() {
    one_against_all("fault_turns", "/turns", "panic").await;
}

#[tokio::test]
async fn one_hostile_user_puts_nothing_of_a_script_out_of_service() {
    one_against_all("script/turns", "/scripted", "spin").await;
}

#[tokio::test]
async fn a_client_waits_after_each_fault_and_loses_nothing() {
    let server = failing("client-faults = 4\nclient-slow-ms = 200\nroom-backoff-ms = 1");
    let mut beside = stranger(&server, "evil", "a", 10).await;
    let mut client = stranger(&server, "evil", "a", 66).await;
    let start = std::time::Instant::now();
    fail(&mut client, "panic").await;
    client.expect("restored").await;
    client.sync().await;
    assert!(start.elapsed().as_millis() >= 200, "{:?}", start.elapsed());
    fail(&mut client, "panic").await;
    client.expect("restored").await;
    // Another connection of the same user waits for its first event.
    let start = std::time::Instant::now();
    let mut again = enter(&server, "/t/evil/turns", "b", "stranger-66", 67).await.expect("a socket");
    again.sync().await;
    assert!(start.elapsed().as_millis() >= 200, "{:?}", start.elapsed());
    beside.sync().await;
}

#[tokio::test]
async fn a_user_is_refused_at_every_address_and_an_address_for_every_user() {
    let server = failing("client-slow-ms = 1\nroom-backoff-ms = 1\naddress-faults = 4");
    let mut neighbour = enter(&server, "/t/evil/turns", "a", "neighbour", 66).await.expect("a socket");
    let mut other = enter(&server, "/t/evil/turns", "a", "stranger-66", 68).await.expect("a socket");
    let mut client = stranger(&server, "evil", "a", 66).await;
    assert_eq!(until_closed(&mut client, "panic").await, (1008, REFUSED.to_owned()));
    // All of the user's sockets in the room are closed; the neighbour at its address caused nothing, and stays.
    assert_eq!(other.closed().await.code, 1008);
    neighbour.sync().await;
    // Others at the same address may come in, until more fault there than one user may cause.
    let mut mallory = enter(&server, "/t/evil/turns", "a", "mallory", 66).await.expect("a socket");
    fail(&mut mallory, "panic").await;
    assert_eq!(mallory.closed().await.code, 1008);
    neighbour.sync().await;
    for (user, address) in [("stranger-66", 69), ("somebody-new", 66)] {
        let refused = enter(&server, "/t/evil/turns", "b", user, address).await.expect_err("a refusal");
        assert_eq!((refused.status, &*refused.body), (429, REFUSED));
        let seconds: u64 = refused.header("retry-after").expect("a time").parse().expect("seconds");
        assert!((20..=40).contains(&seconds), "{seconds}");
    }
    // Others, and other plugins, do not know of it.
    stranger(&server, "evil", "b", 70).await;
    stranger(&server, "good", "a", 66).await;
    member(&server, "evil", "a").await;
}

#[tokio::test]
async fn faults_in_authorize_count_for_the_address() {
    let server = Server::builder().guest("door").config("[limits]\nupgrades-per-address-burst = 100").start();
    let ask = |address: u8, query: &str| {
        let request = server.request("GET", &format!("/door?{query}")).coming_from_loopback(address).websocket();
        async move { request.upgrade().await.err().map(|refused| (refused.status, refused.body)) }
    };
    for _ in 0..10 {
        assert_eq!(ask(66, "trap=1").await, Some((500, String::new())));
    }
    assert_eq!(ask(66, "user=eve").await, Some((429, REFUSED.to_owned())));
    assert_eq!(ask(1, "user=ada").await, None);
    assert_eq!(server.plugin("default", "door").await["failures_by_kind"], json!({ "authorize": 10 }));
}
