//! What a user of presence can rely on.

use parlor_guest::{
    Value, json,
    testing::{TestRoom, TestSocket},
};
use presence::presence;

fn connect(room: &TestRoom, user: &str) -> TestSocket {
    room.connect(format!("/ws/presence?userId={user}").as_str())
}

/// What a newcomer hears of the others.
fn about(room: &TestRoom) -> Value {
    let newcomer = connect(room, "newcomer");
    let mut about = newcomer.events().into_iter().find(|event| event["type"] == "presence.about").expect("it comes");
    newcomer.disconnect(1000, "");
    about.as_object_mut().expect("an object").remove("type");
    about
}

#[test]
fn a_user_id_is_needed() {
    assert_eq!(TestRoom::new(presence).try_connect("/ws/presence").unwrap_err().status, 401);
}

#[test]
fn a_user_is_online_from_the_first_device_to_the_last() {
    let room = TestRoom::new(presence);
    let ada = connect(&room, "ada");
    ada.received();
    let (phone, laptop) = (connect(&room, "bob"), connect(&room, "bob"));
    phone.disconnect(1000, "");
    laptop.disconnect(1000, "");
    let told = |event: &str| json!({ "type": event, "channel": "default", "userId": "bob" });
    assert_eq!(ada.events(), [told("presence.join"), told("presence.leave")]);
}

#[test]
fn a_status_is_told_to_everybody_and_an_unknown_one_refused() {
    let room = TestRoom::new(presence);
    let (ada, bob) = (connect(&room, "ada"), connect(&room, "bob"));
    ada.received();
    bob.received();
    ada.send("presence.status", json!({ "status": "busy" }));
    assert_eq!(bob.events(), [json!({ "type": "presence.status", "userId": "ada", "status": "busy" })]);
    assert_eq!(about(&room), json!({ "statuses": { "ada": "busy" }, "typing": [] }));
    ada.received();
    bob.received();
    ada.send("presence.status", json!({ "status": "asleep" }));
    assert_eq!(ada.events()[0]["code"], "bad-data");
    assert!(bob.events().is_empty());
}

#[test]
fn a_status_lasts_as_long_as_its_user_is_online() {
    let room = TestRoom::new(presence);
    let (phone, laptop) = (connect(&room, "ada"), connect(&room, "ada"));
    phone.send("presence.status", json!({ "status": "away" }));
    phone.disconnect(1000, "");
    room.restore("crash");
    assert_eq!(about(&room)["statuses"], json!({ "ada": "away" }));
    laptop.disconnect(1000, "");
    assert_eq!(about(&room)["statuses"], json!({}));
    let again = connect(&room, "ada");
    again.send("presence.status", json!({ "status": "away" }));
    room.restart();
    assert_eq!(about(&room)["statuses"], json!({}));
    assert!(room.stored_keys().is_empty());
}

#[test]
fn typing_is_told_to_the_others() {
    let room = TestRoom::new(presence);
    let (ada, bob) = (connect(&room, "ada"), connect(&room, "bob"));
    ada.received();
    bob.received();
    ada.send("presence.typing", json!({ "isTyping": true }));
    assert_eq!(bob.events(), [json!({ "type": "presence.typing", "userId": "ada", "isTyping": true })]);
    assert!(ada.events().is_empty());
}

#[test]
fn who_types_is_known_to_those_who_come_later_also_after_sleep_and_in_a_new_version() {
    let room = TestRoom::new(presence);
    let ada = connect(&room, "ada");
    ada.send("presence.typing", json!({ "isTyping": true }));
    room.sleep();
    assert_eq!(about(&room)["typing"], json!(["ada"]));
    room.swap(presence).expect("takes its own state");
    assert_eq!(about(&room)["typing"], json!(["ada"]));
    ada.disconnect(1000, "");
    assert_eq!(about(&room)["typing"], json!([]));
    assert!(room.failures().is_empty());
}
