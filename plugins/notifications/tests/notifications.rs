//! What a user of the notifications can rely on.

use notifications::notifications;
use parlor_guest::{
    Value, json,
    testing::{TestRoom, TestSocket},
};

const ADDRESS: &str = "/ws/notifications?token=";

fn room() -> TestRoom {
    let tokens = json!({
        "t-ada": { "id": "ada", "username": "Ada", "role": "admin" },
        "t-bob": { "id": "bob", "username": "Bob" },
    });
    TestRoom::builder().config("tokens", tokens.to_string()).time(99).build(notifications)
}

/// A socket whose welcome was heard.
fn connect(room: &TestRoom, token: &str) -> TestSocket {
    let socket = room.connect(format!("{ADDRESS}{token}").as_str());
    socket.received();
    socket
}

#[test]
fn only_tokens_of_the_configuration_open_the_door() {
    let room = room();
    for refused in ["/ws/notifications", "/ws/notifications?token=", "/ws/notifications?token=demo-ada"] {
        assert_eq!(room.try_connect(refused).unwrap_err().status, 401, "{refused}");
    }
    let ada = room.connect("/ws/notifications?token=t-ada");
    assert_eq!(ada.meta().channels, ["notifications"]);
    let welcome = json!({ "type": "welcome", "message": "Connected to notifications", "userId": "ada" });
    assert_eq!(ada.received(), [json!({ "type": "event", "channel": "notifications", "data": welcome })]);
}

#[test]
fn nobody_gets_in_where_no_tokens_are_configured() {
    let room = TestRoom::new(notifications);
    let refused = room.try_connect("/ws/notifications?token=demo-bob").unwrap_err();
    assert_eq!(refused.status, 401);
    assert_eq!(room.log(), ["error: nobody can connect: `tokens` are not configured"]);
}

#[test]
fn tokens_that_cannot_be_read_let_nobody_in_and_say_why_in_the_log() {
    let room = TestRoom::builder().config("tokens", "none").build(notifications);
    let refused = room.try_connect("/ws/notifications?token=demo-bob").unwrap_err();
    assert_eq!((refused.status, refused.message.as_str()), (401, ""));
    assert!(room.log()[0].starts_with("error: authorize failed: json: "), "{:?}", room.log());
}

#[test]
fn an_update_reaches_all_devices_of_its_user() {
    let room = room();
    let (ada, phone, laptop) = (connect(&room, "t-ada"), connect(&room, "t-bob"), connect(&room, "t-bob"));
    ada.send("notification.update", json!({ "userId": "bob", "count": 3 }));
    for device in [phone, laptop] {
        assert_eq!(device.events(), [json!({ "type": "inbox_changed", "count": 3 })]);
    }
    assert!(ada.events().is_empty());
}

#[test]
fn an_update_without_a_user_fails_and_is_not_told() {
    let room = room();
    let ada = connect(&room, "t-ada");
    ada.send("notification.update", json!({ "count": 3 }));
    assert!(ada.events().is_empty());
    assert_eq!(room.failures()[0].message, "Missing userId");
}

#[test]
fn marking_as_read_is_told_to_all_own_devices() {
    let room = room();
    let (ada, phone, laptop) = (connect(&room, "t-ada"), connect(&room, "t-bob"), connect(&room, "t-bob"));
    phone.send("notification.mark-read", json!({ "id": "n-1" }));
    let read = json!({ "type": "notification.read", "notificationId": "n-1", "readAt": 99 });
    assert_eq!(phone.events(), std::slice::from_ref(&read));
    assert_eq!(laptop.events(), [read]);
    assert!(ada.events().is_empty());
}

#[test]
fn only_admins_announce() {
    let room = room();
    let (ada, bob) = (connect(&room, "t-ada"), connect(&room, "t-bob"));
    bob.send("admin.announcement", json!({ "message": "free cake" }));
    assert_eq!(bob.events(), [json!({ "type": "error", "message": "Unauthorized" })]);
    assert_eq!(ada.events(), Vec::<Value>::new());
    ada.send("admin.announcement", json!({ "message": "free cake" }));
    let cake = json!({ "type": "announcement", "message": "free cake", "from": "Ada", "timestamp": 99 });
    assert_eq!(ada.events(), std::slice::from_ref(&cake));
    assert_eq!(bob.events(), [cake]);
}
