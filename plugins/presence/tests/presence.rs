//! What a user of presence can rely on.

use parlor_guest::{
    Value, json,
    testing::{TestRoom, TestSocket},
};
use presence::presence;

fn connect(room: &TestRoom, user: &str) -> TestSocket {
    room.connect(format!("/ws/presence?userId={user}").as_str())
}

/// The events of these names that a socket got.
fn only(socket: &TestSocket, names: &[&str]) -> Vec<Value> {
    socket.events().into_iter().filter(|event| names.iter().any(|name| event["type"] == *name)).collect()
}

const COMINGS: [&str; 3] = ["presence.online", "presence.devices", "presence.offline"];

#[test]
fn a_user_id_is_needed() {
    assert_eq!(TestRoom::new(presence).try_connect("/ws/presence").unwrap_err().status, 401);
}

#[test]
fn a_user_is_online_from_the_first_device_to_the_last() {
    let room = TestRoom::builder().time(7).build(presence);
    let ada = connect(&room, "ada");
    ada.received();
    let (phone, laptop) = (connect(&room, "bob"), connect(&room, "bob"));
    phone.disconnect(1000, "");
    laptop.disconnect(1000, "");
    let devices = |event: &str, n: u32| json!({ "type": event, "userId": "bob", "status": "online", "devices": n });
    assert_eq!(
        only(&ada, &COMINGS),
        [
            devices("presence.online", 1),
            devices("presence.devices", 2),
            devices("presence.devices", 1),
            json!({ "type": "presence.offline", "userId": "bob", "lastSeen": 7 }),
        ]
    );
    assert_eq!(room.stored_keys(), ["user/ada"]);
}

#[test]
fn the_list_has_everybody_with_status_and_devices() {
    let room = TestRoom::new(presence);
    let ada = connect(&room, "ada");
    connect(&room, "bob");
    connect(&room, "bob");
    ada.send("presence.status", json!({ "status": "away" }));
    ada.received();
    ada.send_empty("presence.list");
    let users = json!([
        { "userId": "ada", "status": "away", "devices": 1, "isTyping": false },
        { "userId": "bob", "status": "online", "devices": 2, "isTyping": false },
    ]);
    assert_eq!(ada.events(), [json!({ "type": "presence.list", "users": users })]);
}

#[test]
fn a_status_is_told_to_everybody_and_an_unknown_one_refused() {
    let room = TestRoom::new(presence);
    let (ada, bob) = (connect(&room, "ada"), connect(&room, "bob"));
    ada.received();
    bob.received();
    ada.send("presence.status", json!({ "status": "busy" }));
    assert_eq!(bob.events(), [json!({ "type": "presence.status", "userId": "ada", "status": "busy" })]);
    ada.received();
    ada.send("presence.status", json!({ "status": "asleep" }));
    assert_eq!(ada.events()[0]["code"], "bad-data");
    assert!(bob.events().is_empty());
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
fn a_crash_loses_nobody_who_is_there() {
    let room = TestRoom::new(presence);
    let ada = connect(&room, "ada");
    room.restore("crash");
    ada.received();
    ada.send_empty("presence.list");
    let users = json!([{ "userId": "ada", "status": "online", "devices": 1, "isTyping": false }]);
    assert_eq!(ada.events()[0]["users"], users);
}

#[test]
fn who_types_is_known_to_those_who_come_later_also_after_sleep_and_in_a_new_version() {
    let room = TestRoom::new(presence);
    let (ada, bob) = (connect(&room, "ada"), connect(&room, "bob"));
    ada.send("presence.typing", json!({ "isTyping": true }));
    let typing = |socket: &TestSocket| {
        let lists = only(socket, &["presence.list"]);
        lists
            .iter()
            .filter_map(|list| list["users"].as_array())
            .flatten()
            .filter(|user| user["isTyping"] == true)
            .count()
    };
    room.sleep();
    assert_eq!(typing(&connect(&room, "cat")), 1);
    room.swap(presence).expect("takes its own state");
    assert_eq!(typing(&connect(&room, "dan")), 1);
    ada.disconnect(1000, "");
    bob.received();
    bob.send_empty("presence.list");
    assert_eq!(typing(&bob), 0);
    assert!(room.failures().is_empty());
}
