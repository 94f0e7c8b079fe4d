//! What a user of the room can rely on, tested without a server.

use parlor_guest::{
    Meta, Value, json,
    testing::{TestRoom, TestSocket},
};
use {{crate}}::room;

/// A room with Ada and Bob in it, who were welcomed.
fn ada_and_bob() -> (TestRoom, TestSocket, TestSocket) {
    let test = TestRoom::builder().config("motd", "be brief").build(room);
    let (ada, bob) = (test.connect_as(Meta::new("ada")), test.connect_as(Meta::new("bob")));
    let welcome = |user: &str| json!({ "type": "welcome", "userId": user, "motd": "be brief", "said": 0 });
    assert_eq!(ada.events(), [welcome("ada")]);
    assert_eq!(bob.events(), [welcome("bob")]);
    (test, ada, bob)
}

#[test]
fn everybody_hears_what_is_said() {
    let (_test, ada, bob) = ada_and_bob();
    ada.send("say", json!({ "text": "hello" }));
    let said = json!({ "type": "said", "number": 1, "from": "ada", "text": "hello" });
    assert_eq!(ada.events(), [said.clone()]);
    assert_eq!(bob.events(), [said]);
}

#[test]
fn what_is_refused_leaves_no_trace() {
    let (test, ada, bob) = ada_and_bob();
    ada.send("say", json!({ "text": " " }));
    assert_eq!(ada.events(), [json!({ "type": "error", "code": "say.empty", "message": "say something" })]);
    assert_eq!(bob.events(), [] as [Value; 0]);
    assert_eq!(test.stored::<u64>("count"), None);
}

#[test]
fn the_count_outlives_a_restart_of_the_server() {
    let (test, ada, _bob) = ada_and_bob();
    ada.send("say", json!({ "text": "hello" }));
    test.restart();
    assert_eq!(test.connect_as(Meta::new("cat")).events()[0]["said"], 1);
}
