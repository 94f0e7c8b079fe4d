//! Namespaces: which plugin serves them, who may come in, and how a visit ends.

use super::{Session, WEBSOCKET};
use crate::harness::{Server, Value, json};

fn server() -> Server {
    Server::builder().guest("echo").guest("door").start()
}

#[tokio::test]
async fn a_namespace_that_no_plugin_serves_is_invalid() {
    let server = server();
    let mut session = Session::open(&server).await;
    session.send("40/random,").await;
    session.expect(r#"44/random,{"message":"Invalid namespace"}"#).await;
    // Of two plugins neither is the default.
    session.send("40").await;
    session.expect(r#"44{"message":"Invalid namespace"}"#).await;
    session.enter("/echo", "").await;
}

#[tokio::test]
async fn the_namespace_without_a_name_is_the_default_plugin_or_the_only_one() {
    let only = Server::builder().guest("echo").start();
    let named =
        Server::builder().guest("echo").guest("door").config("[tenants.default]\nsocket-io-default = \"echo\"").start();
    for server in [only, named] {
        let mut session = Session::open(&server).await;
        session.enter("/", "").await;
        session.send(r#"42["echo",1]"#).await;
        session.expect(r#"42["echo",1]"#).await;
    }
}

#[tokio::test]
async fn the_plugin_learns_who_asks() {
    let server = server();
    let address = format!("{WEBSOCKET}&t=x&userId=ana&x=a%20b&room=query-room");
    let mut session = Session::open_at(&server, &address).await;
    session.send(r#"40/door,{"token":"secret"}"#).await;
    assert!(session.packet().await.starts_with("40/door,{\"sid\":"));
    let request = session.packet().await;
    let told: Value = serde_json::from_str(request.strip_prefix("42/door,").expect("an event")).unwrap();
    let told = &told[1];
    assert_eq!(told["uri"], format!("ws://{}/door?userId=ana&x=a%20b&room=query-room", server.address()));
    assert_eq!(
        (&told["room"], &told["auth"], &told["wire"]),
        (&json!("query-room"), &json!({ "token": "secret" }), &json!("socket.io"))
    );
}

#[tokio::test]
async fn the_room_may_be_named_in_auth() {
    let server = server();
    let mut session = Session::open_at(&server, &format!("{WEBSOCKET}&room=one")).await;
    session.enter("/echo", r#"{"room":"two"}"#).await;
    assert_eq!(server.room("default/echo/two").await["sockets"], 1);
    let mut bad = Session::open(&server).await;
    bad.send(r#"40/echo,{"room":"a b"}"#).await;
    let refused = bad.packet().await;
    assert!(refused.starts_with("44/echo,") && refused.contains("auth.room") && refused.contains("400"), "{refused}");
}

#[tokio::test]
async fn a_refusal_has_the_plugins_words_and_its_status() {
    let server = server();
    let mut session = Session::open_at(&server, &format!("{WEBSOCKET}&status=403&words=not+you")).await;
    session.send("40/door,").await;
    session.expect(r#"44/door,{"message":"not you","data":{"status":403}}"#).await;
    // The session lives on.
    session.enter("/echo", "").await;
}

#[tokio::test]
async fn no_client_can_send_what_the_host_adds() {
    let server = server();
    let forged =
        |request: crate::harness::Request| request.header("parlor-wire", "x").header("parlor-auth", "{\"admin\":true}");
    let mut verani = forged(server.request("GET", "/door")).websocket().upgrade().await.expect("a socket");
    let told = verani.expect("request").await;
    assert_eq!((&told["auth"], &told["wire"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_client_that_leaves_a_namespace_keeps_its_session() {
    let server = server();
    let mut session = Session::open(&server).await;
    session.enter("/echo", r#"{"room":"a"}"#).await;
    session.send("41/echo,").await;
    session.enter("/echo", r#"{"room":"b"}"#).await;
    session.send(r#"42/echo,["echo",1]"#).await;
    session.expect(r#"42/echo,["echo",1]"#).await;
}

#[tokio::test]
async fn a_connection_may_be_in_so_many_namespaces() {
    let server = Server::builder().guest("echo").guest("door").config("[limits]\nengine-namespaces = 1").start();
    let mut session = Session::open(&server).await;
    session.enter("/echo", "").await;
    session.send("40/door,").await;
    let refused = session.packet().await;
    assert!(refused.starts_with("44/door,") && refused.contains("engine-namespaces"), "{refused}");
}

#[tokio::test]
async fn a_plugins_close_ends_the_visit_and_a_restart_the_transport() {
    let mut server = Server::builder().guest("echo").guest_as("script/mirror", "mirror").start();
    let mut session = Session::open(&server).await;
    session.enter("/echo", "").await;
    session.enter("/mirror", "").await;
    session.send(r#"42/mirror,["close",4000]"#).await;
    session.expect(r#"42/mirror,["$close",{"code":4000,"reason":"as you wish"}]"#).await;
    session.expect("41/mirror,").await;
    session.send(r#"42/echo,["echo",1]"#).await;
    session.expect(r#"42/echo,["echo",1]"#).await;
    // 1012 says: come back. Only a transport that closes has stock clients do that.
    session.enter("/mirror", "").await;
    session.send(r#"42/mirror,["close",1012]"#).await;
    let (_, closed) = session.client.frames_until_closed().await;
    assert_eq!(closed.code, 1012, "{closed:?}");
    let mut session = Session::open(&server).await;
    session.enter("/echo", "").await;
    server.signal_end();
    let (_, closed) = session.client.frames_until_closed().await;
    assert_eq!(closed.code, 1012, "{closed:?}");
    server.exited().await;
}

#[tokio::test]
async fn what_a_room_asks_is_answered_by_an_acknowledgement() {
    let server = Server::builder().guest_as("script/mirror", "mirror").start();
    let mut session = Session::open(&server).await;
    session.enter("/mirror", "").await;
    session.send(r#"42/mirror,["ask","question"]"#).await;
    let asked = session.packet().await;
    let id = asked.strip_prefix("42/mirror,").and_then(|rest| rest.split('[').next()).expect("an id").to_owned();
    assert_eq!(asked, format!(r#"42/mirror,{id}["question",1]"#));
    session.send(&format!(r#"43/mirror,{id}["yes"]"#)).await;
    session.expect(r#"42/mirror,["answered",{"outcome":"answered","data":"yes"}]"#).await;
}

#[tokio::test]
async fn a_connect_that_fails_is_refused_and_leaves_no_member() {
    for way in ["error", "panic"] {
        let config = format!("[tenants.default.plugins.hooks.config]\nhook = \"$connect\"\nway = \"{way}\"");
        let server = Server::builder().guest_as("fault_hooks", "hooks").config(&config).start();
        let mut session = Session::open_at(&server, &format!("{WEBSOCKET}&user=unlucky")).await;
        session.send("40/hooks,").await;
        let refused = session.packet().await;
        assert!(refused.starts_with("44/hooks,") && refused.contains("$connect"), "{way}: {refused}");
        assert_eq!(server.room("default/hooks/default").await["sockets"], 0, "{way}");
        let mut other = Session::open_at(&server, &format!("{WEBSOCKET}&user=lucky")).await;
        other.enter("/hooks", "").await;
    }
}

#[tokio::test]
async fn a_tenant_is_reached_by_the_path() {
    let server = Server::builder().guest_as("echo", "acme/echo").start();
    let mut session = Session::open_at(&server, &format!("/t/acme{WEBSOCKET}")).await;
    session.enter("/echo", "").await;
    session.send(r#"42/echo,["echo","x"]"#).await;
    session.expect(r#"42/echo,["echo","x"]"#).await;
    // A session is found by its own tenant alone.
    let opened = server.request("GET", "/t/acme/socket.io/?EIO=4&transport=polling").send().await;
    let sid = super::sid_of(&opened.body);
    let foreign = server.request("GET", &format!("/socket.io/?EIO=4&transport=polling&sid={sid}")).send().await;
    assert_eq!(foreign.status, 400);
}
