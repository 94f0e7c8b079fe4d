//! Continued: wildcards, removal, the mix with `onMessage`, best practices and the migration.

use super::Language;
use crate::harness::{Client, Value, json};

in_each_language!(
    a_wildcard_sees_every_event_behind_its_own_handlers,
    a_wildcard_limits_each_user_by_what_the_room_stores,
    one_handler_is_removed_and_the_others_stay,
    all_handlers_of_an_event_are_removed_and_the_fallback_takes_it,
    an_event_keeps_the_handlers_that_it_began_with,
    removal_in_one_room_is_no_business_of_another,
    handlers_come_before_on_message_which_takes_the_rest,
    each_event_has_a_function_of_its_own,
    the_emit_api_and_the_explicit_calls_reach_the_same_sockets,
    an_error_that_is_handled_gracefully_is_an_answer,
    meta_and_data_are_typed_and_what_does_not_fit_is_told_to_its_sender,
    on_message_and_a_handler_give_the_same_frames,
);

async fn a_wildcard_sees_every_event_behind_its_own_handlers(language: Language) {
    let server = language.serve("verani-wildcard");
    let mut ada = server.join("/verani/wildcard?user=ada").await;
    ada.send("move", json!({ "x": 1 })).await;
    ada.expect("moved").await;
    let logged = json!({ "type": "logged", "event": "move", "data": { "x": 1 } });
    assert_eq!(ada.event().await, logged);

    // The wildcard is a handler, so the fallback is not asked.
    ada.send("unknown", json!(2)).await;
    let logged = json!({ "type": "logged", "event": "unknown", "data": 2 });
    assert_eq!(ada.event().await, logged);
    server.wait_for_log(&[r#"Event: move of ada with {"x":1}"#]).await;

    // Hooks are no events of clients.
    ada.close(1000, "").await;
    server.wait_for_log(&["one went"]).await;
    assert!(!server.log().iter().any(|line| line.contains("Event: $")));
}

async fn a_wildcard_limits_each_user_by_what_the_room_stores(language: Language) {
    let server = language.serve("verani-rate");
    let mut ada = server.join("/verani/rate?user=ada").await;
    let mut phone = server.join("/verani/rate?user=ada").await;
    for expected in 1..=3 {
        ada.send("anything", json!({})).await;
        assert_eq!(ada.expect("counted").await["data"], expected);
    }
    let too_many = json!({ "type": "error", "message": "Rate limit exceeded" });
    for device in [&mut ada, &mut phone] {
        device.send("anything", json!({})).await;
        assert_eq!(device.event().await, too_many);
    }
    let mut bob = server.join("/verani/rate?user=bob").await;
    bob.send("anything", json!({})).await;
    assert_eq!(bob.expect("counted").await["data"], 1);
}

/// The events that one message leads to.
async fn answers(client: &mut Client, event: &str) -> Vec<String> {
    client.send(event, json!({})).await;
    let name = |frame: &String| {
        let frame: Value = serde_json::from_str(frame).expect("a frame");
        frame["data"]["type"].as_str().expect("an event's name").to_owned()
    };
    client.sync().await.iter().map(name).collect()
}

async fn one_handler_is_removed_and_the_others_stay(language: Language) {
    let server = language.serve("verani-removal");
    let mut ada = server.join("/verani/removal").await;
    assert_eq!(answers(&mut ada, "chat.message").await, ["first", "second"]);
    ada.send("remove.first", json!({})).await;
    assert_eq!(ada.expect("removed").await["data"], true);
    assert_eq!(answers(&mut ada, "chat.message").await, ["second"]);
    ada.send("remove.first", json!({})).await;
    assert_eq!(ada.expect("removed").await["data"], false);
    assert_eq!(answers(&mut ada, "add.third").await, [""; 0]);
    assert_eq!(answers(&mut ada, "chat.message").await, ["second", "third"]);
}

async fn all_handlers_of_an_event_are_removed_and_the_fallback_takes_it(language: Language) {
    let server = language.serve("verani-removal");
    let mut ada = server.join("/verani/removal").await;
    assert_eq!(answers(&mut ada, "remove.all").await, ["removed"]);
    assert_eq!(answers(&mut ada, "chat.message").await, ["fallback"]);
    ada.send("remove.all", json!({})).await;
    assert_eq!(ada.expect("removed").await["data"], false);
    // A handler that comes later is asked again.
    answers(&mut ada, "add.third").await;
    assert_eq!(answers(&mut ada, "chat.message").await, ["third"]);
}

async fn an_event_keeps_the_handlers_that_it_began_with(language: Language) {
    let server = language.serve("verani-removal");
    let mut ada = server.join("/verani/removal").await;
    assert_eq!(answers(&mut ada, "once").await, ["once.first", "once.second"]);
    assert_eq!(answers(&mut ada, "once").await, ["fallback"]);
}

async fn removal_in_one_room_is_no_business_of_another(language: Language) {
    let server = language.serve("verani-removal");
    let mut here = server.join("/verani/removal?room=here").await;
    let mut there = server.join("/verani/removal?room=there").await;
    answers(&mut here, "remove.all").await;
    assert_eq!(answers(&mut there, "chat.message").await, ["first", "second"]);
}

async fn handlers_come_before_on_message_which_takes_the_rest(language: Language) {
    let server = language.serve("verani-fallback");
    let mut ada = server.join("/verani/fallback").await;
    ada.send("chat.message", json!({ "text": "hi" })).await;
    let message = json!({ "type": "chat.message", "text": "hi" });
    assert_eq!(ada.event().await, message);
    ada.send("ping", json!({})).await;
    ada.expect("pong").await;
    ada.send("unknown.event", json!({})).await;
    let unknown = json!({ "type": "error", "message": "Unknown event: unknown.event" });
    assert_eq!(ada.event().await, unknown);
    server.wait_for_log(&["Unhandled event: unknown.event"]).await;
}

async fn each_event_has_a_function_of_its_own(language: Language) {
    let server = language.serve("verani-practices");
    let mut ada = server.enter("/verani/practices?user=ada&username=Ada").await;
    ada.send("user.join", json!("red")).await;
    let joined = r#"{"type":"event","channel":"red","data":{"type":"joined","channel":"red"}}"#;
    assert_eq!(ada.frame().await, joined);
    ada.send("user.leave", json!("red")).await;
    ada.expect("left").await;
    ada.send("message.send", json!({ "text": "hi" })).await;
    ada.expect("chat.message").await;
    ada.expect_silence().await;
}

async fn the_emit_api_and_the_explicit_calls_reach_the_same_sockets(language: Language) {
    let server = language.serve("verani-practices");
    let mut ada = server.enter("/verani/practices?user=ada").await;
    let mut bob = server.enter("/verani/practices?user=bob").await;
    ada.send("notify", json!({ "userId": "bob" })).await;
    let (one, other) = (bob.frame().await, bob.frame().await);
    assert!(one.contains("ctx.emit.to"), "{one}");
    assert_eq!(one.replace("ctx.emit.to", "actor.sendToUser"), other);
    ada.send("update", json!({ "x": 1 })).await;
    for client in [&mut ada, &mut bob] {
        let (one, other) = (client.frame().await, client.frame().await);
        assert_eq!(one, r#"{"type":"event","channel":"default","data":{"type":"update","x":1}}"#);
        assert_eq!(one, other);
        client.expect_silence().await;
    }
}

async fn an_error_that_is_handled_gracefully_is_an_answer(language: Language) {
    let server = language.serve("verani-inbox");
    let mut ada = server.enter("/verani/inbox?user=ada").await;
    ada.send("notification.update-gracefully", json!({ "count": 1 })).await;
    let missing = json!({ "type": "error", "message": "Missing userId" });
    assert_eq!(ada.event().await, missing);
    ada.send("notification.update-gracefully", json!({ "userId": "ada", "count": 1 })).await;
    assert_eq!(ada.expect("inbox_changed").await["count"], 1);
    assert_eq!(server.plugin("default", "verani-inbox").await["failures"], 0);
}

async fn meta_and_data_are_typed_and_what_does_not_fit_is_told_to_its_sender(language: Language) {
    let server = language.serve("verani-practices");
    let mut ada = server.enter("/verani/practices?user=ada&username=Ada%20Lovelace").await;
    let mut bob = server.enter("/verani/practices?user=bob").await;
    ada.send("message.send", json!({ "text": "hi" })).await;
    let message = json!({ "type": "chat.message", "from": "Ada Lovelace", "text": "hi" });
    assert_eq!(ada.event().await, message);
    bob.expect("chat.message").await;
    for wrong in [json!({ "text": 1 }), json!({}), json!("hi")] {
        ada.send("message.send", wrong).await;
        assert_eq!(ada.expect("error").await["code"], "bad-data");
    }
    ada.send_bare("message.send").await;
    assert_eq!(ada.expect("error").await["code"], "bad-data");
    bob.expect_silence().await;
}

async fn on_message_and_a_handler_give_the_same_frames(language: Language) {
    let before = "[tenants.default.plugins.before.config]\nstyle = \"before\"";
    let mut frames = Vec::new();
    for (place, config) in [("before", before), ("after", "")] {
        let server = language.guest_as("verani-migration", place).config(config).start();
        let mut ada = server.join("/verani/migration?user=ada").await;
        ada.send("chat.message", json!({ "text": "hi" })).await;
        frames.push(ada.frame().await);
    }
    let message = r#"{"type":"event","channel":"default","data":{"type":"chat.message","from":"ada","text":"hi"}}"#;
    assert_eq!(frames, [message, message]);
}
