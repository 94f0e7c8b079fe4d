//! What a user of the chat can rely on.

use chat::chat;
use parlor_guest::{
    Value, json,
    testing::{TestRoom, TestSocket},
};

/// A room with Ada and Bob in it, greetings heard.
fn ada_and_bob() -> (TestRoom, TestSocket, TestSocket) {
    let room = TestRoom::new(chat);
    let (ada, bob) = (room.connect("/ws?userId=ada"), room.connect("/ws?userId=bob"));
    ada.received();
    bob.received();
    (room, ada, bob)
}

#[test]
fn a_newcomer_is_welcomed_and_announced_to_the_others() {
    let room = TestRoom::new(chat);
    let ada = room.connect("/ws?userId=ada");
    ada.received();
    let bob = room.connect("/ws?userId=bob");
    let welcome = json!({ "type": "welcome", "message": "Connected!", "userId": "bob", "users": ["ada", "bob"] });
    assert_eq!(bob.events(), [welcome]);
    assert_eq!(ada.events(), [json!({ "type": "user.join", "userId": "bob", "count": 2, "users": ["ada", "bob"] })]);
}

#[test]
fn who_does_not_say_a_user_id_gets_one_and_a_bad_one_is_refused() {
    let room = TestRoom::new(chat);
    assert!(!room.connect("/ws").meta().user_id.is_empty());
    assert_eq!(room.try_connect("/ws?userId=").unwrap_err().status, 400);
    assert_eq!(room.try_connect(format!("/ws?userId={}", "x".repeat(129)).as_str()).unwrap_err().status, 400);
}

#[test]
fn a_message_reaches_everybody_with_its_sender_and_time() {
    let (room, ada, bob) = ada_and_bob();
    room.set_time(1_234);
    ada.send("chat.message", json!({ "text": "hi", "from": "somebody else" }));
    let message = json!({ "type": "chat.message", "from": "ada", "text": "hi", "timestamp": 1_234 });
    assert_eq!(ada.events(), std::slice::from_ref(&message));
    assert_eq!(bob.events(), [message]);
}

#[test]
fn an_empty_message_is_refused_to_its_sender_alone() {
    let (_room, ada, bob) = ada_and_bob();
    ada.send("chat.message", json!({ "text": "  " }));
    assert_eq!(ada.events(), [json!({ "type": "error", "code": "chat.empty", "message": "say something first" })]);
    assert_eq!(bob.events(), Vec::<Value>::new());
}

#[test]
fn typing_is_told_and_a_ping_is_answered() {
    let (_room, ada, bob) = ada_and_bob();
    ada.send("user.typing", json!({ "isTyping": true }));
    assert_eq!(bob.events(), [json!({ "type": "user.typing", "userId": "ada", "isTyping": true })]);
    bob.send_empty("ping");
    let frames = bob.received();
    assert_eq!(frames[0], json!({ "type": "pong" }));
    assert_eq!(frames[1]["data"]["type"], "pong");
}

#[test]
fn an_unknown_event_is_answered_with_an_error() {
    let (_room, ada, _bob) = ada_and_bob();
    ada.send("chat.dance", json!({}));
    assert_eq!(ada.events(), [json!({ "type": "error", "message": "Unknown event: chat.dance" })]);
}

#[test]
fn who_leaves_is_announced() {
    let (_room, ada, bob) = ada_and_bob();
    bob.disconnect(1006, "");
    assert_eq!(ada.events(), [json!({ "type": "user.leave", "userId": "bob", "count": 1, "users": ["ada"] })]);
}
