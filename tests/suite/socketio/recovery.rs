//! Connection state recovery: a client that asked for it comes back as the member that it was, and misses no event.

use super::{Session, WEBSOCKET};
use crate::harness::{Client, Server, Value, json};

fn lines(config: &str) -> Server {
    Server::builder().guest("lines").config(config).start()
}

async fn watcher(server: &Server) -> Client {
    server.enter("/lines?user=watcher&in=default,watchers").await
}

/// Opens a session of a client that asks for recovery, and comes into its namespace; answers what it is told then.
async fn enter(server: &Server, user: &str, auth: &Value) -> (Session, Value) {
    let mut session = Session::open_at(server, &format!("{WEBSOCKET}&user={user}&resume=")).await;
    session.send(&format!("40/lines,{auth}")).await;
    let welcome = session.packet().await;
    let welcome = welcome.strip_prefix("40/lines,").unwrap_or_else(|| panic!("{welcome}"));
    (session, serde_json::from_str(welcome).expect("JSON"))
}

/// The number and the offset of the next event, `told`.
async fn told(session: &mut Session) -> (u64, String) {
    let packet = session.packet().await;
    let event: Value =
        serde_json::from_str(packet.strip_prefix("42/lines,").unwrap_or_else(|| panic!("{packet}"))).expect("JSON");
    assert_eq!(event[0], "told", "{packet}");
    (event[1]["n"].as_u64().expect("a number"), event[2].as_str().expect("an offset").to_owned())
}

async fn tell(watcher: &mut Client, n: u64) {
    watcher.send("tell", json!(n)).await;
    assert_eq!(watcher.next_event("told").await["n"], n);
}

#[tokio::test]
async fn who_comes_back_by_its_pid_misses_no_event() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let (mut ben, welcome) = enter(&server, "ben", &json!({})).await;
    for n in 0..3 {
        tell(&mut watcher, n).await;
    }
    let (n, offset) = told(&mut ben).await;
    assert_eq!(n, 0);
    ben.client.break_off();
    watcher.expect("lost").await;
    tell(&mut watcher, 3).await;
    let auth = json!({ "pid": welcome["pid"], "offset": offset });
    let (mut ben, back) = enter(&server, "ben", &auth).await;
    assert_eq!(back, welcome, "the same socket, by the same pid: so its client knows that it is back");
    for expected in 1..4 {
        assert_eq!(told(&mut ben).await.0, expected);
    }
    watcher.expect("back").await;
    ben.send(r#"42/lines,5["add",[2,3]]"#).await;
    ben.expect("43/lines,5[5]").await;
    // A line that seems alive is taken over from.
    let (mut next, again) =
        enter(&server, "ben", &json!({ "pid": welcome["pid"], "offset": told_last(&mut watcher, &mut ben).await }))
            .await;
    assert_eq!(again, welcome);
    ben.expect("41/lines,").await;
    tell(&mut watcher, 5).await;
    assert_eq!(told(&mut next).await.0, 5);
    // A goodbye is one.
    next.send("41/lines,").await;
    assert_eq!(watcher.next_event("gone").await["user"], "ben");
}

async fn told_last(watcher: &mut Client, ben: &mut Session) -> String {
    tell(watcher, 4).await;
    told(ben).await.1
}

#[tokio::test]
async fn who_cannot_come_back_is_a_new_member() {
    let server = lines("");
    let mut watcher = watcher(&server).await;
    let (mut ben, welcome) = enter(&server, "ben", &json!({})).await;
    tell(&mut watcher, 0).await;
    let (_, offset) = told(&mut ben).await;
    ben.client.break_off();
    watcher.expect("lost").await;
    let pid = &welcome["pid"];
    for (user, auth) in [
        ("eve", json!({ "pid": pid, "offset": offset })),
        ("ben", json!({ "pid": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "offset": offset })),
        ("ben", json!({ "pid": 7 })),
    ] {
        let (_other, told) = enter(&server, user, &auth).await;
        assert!(told["pid"] != *pid && told["sid"] != welcome["sid"], "{told}");
    }
    // Not over Verani's frames either.
    let mut verani = server.join(&format!("/lines?user=ben&resume={}&got=0", pid.as_str().expect("a pid"))).await;
    assert!(verani.frame().await.contains(r#""resumed":false"#));
    let (_ben, back) = enter(&server, "ben", &json!({ "pid": pid, "offset": offset })).await;
    assert_eq!(back, welcome);
}

#[tokio::test]
async fn who_does_not_ask_gets_neither_pid_nor_offsets() {
    for (config, wish) in [("", ""), ("[limits]\nresume-ms = 0", "&resume=")] {
        let server = lines(config);
        let mut watcher = watcher(&server).await;
        let mut ben = Session::open_at(&server, &format!("{WEBSOCKET}&user=ben{wish}")).await;
        ben.send("40/lines,").await;
        let welcome = ben.packet().await;
        assert!(!welcome.contains("pid"), "{welcome}");
        tell(&mut watcher, 0).await;
        ben.expect(r#"42/lines,["told",{"n":0}]"#).await;
        ben.client.break_off();
        assert_eq!(watcher.expect("gone").await["user"], "ben");
    }
}
