//! From the basic handlers to the notification system; `handlers` has the rest.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Language;
use crate::harness::{Client, Server, Value, json};

in_each_language!(
    basic_handlers_send_messages_and_typing_to_everybody,
    a_handler_knows_its_user_its_room_and_its_frame,
    a_newcomer_is_welcomed_and_nobody_else_is,
    a_ping_handler_answers_with_a_pong,
    an_emit_to_a_user_reaches_all_sessions_of_that_user_and_nobody_else,
    a_missing_user_id_fails_the_turn_and_no_client_hears_of_it,
    an_emit_to_a_channel_of_mine_reaches_the_others_in_it,
    a_target_is_a_channel_where_it_is_one_of_mine_and_a_user_otherwise,
    an_actors_emit_reaches_the_default_channel_and_counts_its_sockets,
    an_actors_emit_to_a_channel_reaches_all_of_it_whoever_sends,
    notifications_let_in_who_has_a_token,
    notifications_reach_a_users_devices_and_announcements_everybody,
);

/// Takes the timestamp out of an event, which is this moment's.
fn without_timestamp(mut event: Value, key: &str) -> Value {
    let stamp = event.as_object_mut().and_then(|event| event.remove(key));
    let stamp = stamp.and_then(|stamp| stamp.as_u64()).expect("a time in milliseconds");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis() as u64;
    assert!(now.abs_diff(stamp) < 60_000, "{stamp} is not now, which is {now}");
    event
}

/// Two sockets of two users in one room, both of them members.
async fn ada_and_bob(server: &Server, path: &str) -> (Client, Client) {
    let ada = server.enter(&format!("{path}?user=ada")).await;
    let bob = server.enter(&format!("{path}?user=bob")).await;
    (ada, bob)
}

async fn basic_handlers_send_messages_and_typing_to_everybody(language: Language) {
    let server = language.serve("verani-basics");
    let (mut ada, mut bob) = ada_and_bob(&server, "/verani/basics").await;
    ada.send("chat.message", json!({ "text": "hi" })).await;
    bob.send("user.typing", json!({ "isTyping": true })).await;
    for client in [&mut ada, &mut bob] {
        let message = without_timestamp(client.event().await, "timestamp");
        assert_eq!(message, json!({ "type": "chat.message", "from": "ada", "text": "hi" }));
        let typing = json!({ "type": "user.typing", "userId": "bob", "isTyping": true });
        assert_eq!(client.event().await, typing);
        client.expect_silence().await;
    }
}

async fn a_handler_knows_its_user_its_room_and_its_frame(language: Language) {
    let server = language.serve("verani-context");
    let (mut ada, mut bob) = ada_and_bob(&server, "/verani/context").await;
    ada.send("custom.event", json!({ "x": 1 })).await;
    assert_eq!(
        ada.expect("response").await,
        json!({ "type": "response", "received": true, "frameType": "custom.event", "sessions": 2, "data": { "x": 1 } })
    );
    bob.expect_silence().await;
    server.wait_for_log(&["ada of 2 sent an event", "verani-context"]).await;
}

async fn a_newcomer_is_welcomed_and_nobody_else_is(language: Language) {
    let server = language.serve("verani-welcome");
    let mut ada = server.join("/verani/welcome?user=ada").await;
    let welcome = json!({ "type": "welcome", "message": "Connected!", "userId": "ada" });
    assert_eq!(ada.event().await, welcome);
    let mut bob = server.join("/verani/welcome?user=bob").await;
    assert_eq!(bob.event().await["userId"], "bob");
    ada.expect_silence().await;
}

async fn a_ping_handler_answers_with_a_pong(language: Language) {
    let server = language.serve("verani-welcome");
    let mut ada = server.join("/verani/welcome?user=ada").await;
    ada.expect("welcome").await;
    ada.send("ping", json!({})).await;
    assert_eq!(without_timestamp(ada.event().await, "timestamp"), json!({ "type": "pong" }));
    ada.expect_silence().await;
}

async fn an_emit_to_a_user_reaches_all_sessions_of_that_user_and_nobody_else(language: Language) {
    let server = language.serve("verani-inbox");
    let (mut ada, mut bob) = ada_and_bob(&server, "/verani/inbox").await;
    let mut bobs_phone = server.enter("/verani/inbox?user=bob&in=mobile").await;
    ada.send("notification.update", json!({ "userId": "bob", "count": 3 })).await;
    ada.expect_silence().await;
    for device in [&mut bob, &mut bobs_phone] {
        let changed = json!({ "type": "inbox_changed", "count": 3 });
        assert_eq!(device.event().await, changed);
        device.expect_silence().await;
    }
}

async fn a_missing_user_id_fails_the_turn_and_no_client_hears_of_it(language: Language) {
    let server = language.serve("verani-inbox");
    let (mut ada, mut bob) = ada_and_bob(&server, "/verani/inbox").await;
    ada.send("notification.update", json!({ "count": 3 })).await;
    ada.send("notification.update", json!({ "userId": "", "count": 3 })).await;
    ada.expect_silence().await;
    bob.expect_silence().await;
    server.wait_for_log(&["turn failed", "notification.update", "Missing userId"]).await;
    assert_eq!(server.plugin("default", "verani-inbox").await["failures"], 2);
    ada.send("notification.update", json!({ "userId": "bob", "count": 4 })).await;
    assert_eq!(bob.expect("inbox_changed").await["count"], 4);
}

async fn an_emit_to_a_channel_of_mine_reaches_the_others_in_it(language: Language) {
    let server = language.serve("verani-channels");
    let path = "/verani/channels";
    let mut ada = server.enter(&format!("{path}?user=ada&in=default,red")).await;
    let mut bob = server.enter(&format!("{path}?user=bob&in=red")).await;
    let mut eve = server.enter(&format!("{path}?user=eve")).await;

    ada.send("channel.message", json!({ "channel": "red", "text": "in red" })).await;
    assert_eq!(ada.expect("sent").await["data"], 1);
    let message = r#"{"type":"event","channel":"red","data":{"type":"message","from":"ada","text":"in red"}}"#;
    assert_eq!(bob.frame().await, message);
    eve.expect_silence().await;

    ada.send("channel.message", json!({ "text": "to the default" })).await;
    assert_eq!(ada.expect("sent").await["data"], 1);
    assert_eq!(eve.expect("message").await["text"], "to the default");
    bob.expect_silence().await;
}

async fn a_target_is_a_channel_where_it_is_one_of_mine_and_a_user_otherwise(language: Language) {
    let server = language.serve("verani-channels");
    let path = "/verani/channels";
    // `red` is a channel of Ada's and of Bob's, and somebody's user id as well.
    let mut ada = server.enter(&format!("{path}?user=ada&in=red")).await;
    let mut bob = server.enter(&format!("{path}?user=bob&in=red,blue")).await;
    let mut red = server.enter(&format!("{path}?user=red&in=blue")).await;
    let to = |target: &str| json!({ "channel": target, "text": target });

    ada.send("channel.message", to("red")).await;
    assert_eq!(ada.expect("sent").await["data"], 1);
    assert_eq!(bob.expect("message").await["text"], "red");
    red.expect_silence().await;

    // Not in `red`, so it is the user; the frame carries the sender's own first channel.
    red.send("channel.message", to("red")).await;
    let own = r#"{"type":"event","channel":"blue","data":{"type":"message","from":"red","text":"red"}}"#;
    assert_eq!(red.frame().await, own);
    assert_eq!(red.expect("sent").await["data"], 1);

    // `blue` is a channel, but none of Ada's, and nobody's id.
    ada.send("channel.message", to("blue")).await;
    assert_eq!(ada.expect("sent").await["data"], 0);
    ada.expect_silence().await;
    bob.expect_silence().await;
    red.expect_silence().await;
}

async fn an_actors_emit_reaches_the_default_channel_and_counts_its_sockets(language: Language) {
    let server = language.serve("verani-channels");
    let (mut ada, mut bob) = ada_and_bob(&server, "/verani/channels").await;
    let mut red = server.enter("/verani/channels?user=eve&in=red").await;
    ada.send("announcement", json!({ "message": "tea" })).await;
    for client in [&mut ada, &mut bob] {
        let announced = without_timestamp(client.event().await, "timestamp");
        assert_eq!(announced, json!({ "type": "announcement", "message": "tea" }));
    }
    assert_eq!(ada.expect("sent").await["data"], 2);
    red.expect_silence().await;
    server.wait_for_log(&["sent to 2 connections"]).await;
}

async fn an_actors_emit_to_a_channel_reaches_all_of_it_whoever_sends(language: Language) {
    let server = language.serve("verani-channels");
    let mut ada = server.enter("/verani/channels?user=ada").await;
    let mut bob = server.enter("/verani/channels?user=bob&in=red").await;
    let in_red = json!({ "roomId": "red", "text": "hi" });
    ada.send("room.message", in_red.clone()).await;
    assert_eq!(ada.expect("sent").await["data"], 1);
    bob.send("room.message", in_red).await;
    for from in ["ada", "bob"] {
        let message = json!({ "type": "message", "from": from, "text": "hi", "roomId": "red" });
        assert_eq!(bob.event().await, message);
    }
    ada.expect_silence().await;
}

/// The tokens of the notification system's users.
const TOKENS: &str = r#"
[tenants.default.plugins.notifications.config]
tokens = '''{
    "secret-ada": { "id": "ada", "username": "Ada", "role": "admin" },
    "secret-bob": { "id": "bob", "username": "Bob", "role": "member" }
}'''
"#;

/// A socket of the notification system, welcomed.
async fn with_token(server: &Server, token: &str) -> Client {
    let mut client = server.join(&format!("/ws/notifications?token={token}")).await;
    client.expect("welcome").await;
    client
}

async fn notifications_let_in_who_has_a_token(language: Language) {
    let server = language.notifications().config(TOKENS).start();
    for path in ["/ws/notifications", "/ws/notifications?token=guessed"] {
        assert_eq!(server.refused(path).await.status, 401, "{path}");
    }
    let mut ada = server.join("/ws/notifications?token=secret-ada").await;
    let welcome = r#"{"type":"event","channel":"notifications","data":{"type":"welcome","message":"Connected to notifications","userId":"ada"}}"#;
    assert_eq!(ada.frame().await, welcome);
}

async fn notifications_reach_a_users_devices_and_announcements_everybody(language: Language) {
    let server = language.notifications().config(TOKENS).start();
    let mut ada = with_token(&server, "secret-ada").await;
    let (mut bob, mut phone) = (with_token(&server, "secret-bob").await, with_token(&server, "secret-bob").await);

    ada.send("notification.update", json!({ "userId": "bob", "count": 7 })).await;
    bob.next_event("inbox_changed").await;
    bob.send("notification.mark-read", json!({ "id": "n1" })).await;
    bob.send("admin.announcement", json!({ "message": "mine" })).await;
    let read = without_timestamp(bob.expect("notification.read").await, "readAt");
    assert_eq!(read, json!({ "type": "notification.read", "notificationId": "n1" }));
    let unauthorized = json!({ "type": "error", "message": "Unauthorized" });
    assert_eq!(bob.event().await, unauthorized);

    let changed = json!({ "type": "inbox_changed", "count": 7 });
    assert_eq!(phone.event().await, changed);
    phone.expect("notification.read").await;

    // The admin heard of none of it; the next thing that comes is the announcement.
    ada.send("admin.announcement", json!({ "message": "tea" })).await;
    for client in [&mut ada, &mut bob, &mut phone] {
        let announced = without_timestamp(client.event().await, "timestamp");
        assert_eq!(announced, json!({ "type": "announcement", "message": "tea", "from": "Ada" }));
    }
}
