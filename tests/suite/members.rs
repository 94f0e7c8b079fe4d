//! Membership: channels, meta, counts, and the end of a socket.

use crate::harness::{Client, Server, Value, json};

async fn fields(client: &mut Client) -> Value {
    client.send("get", json!({})).await;
    let mut fields = client.expect("fields").await;
    fields.as_object_mut().expect("an object").remove("type");
    fields
}

async fn channels(client: &mut Client) -> Value {
    client.send("channels", json!({})).await;
    client.expect("channels").await["data"].take()
}

/// How many sockets the channel has, as an emit to it counts them. Whoever is in it hears it.
async fn count(client: &mut Client, channel: &str) -> Value {
    client.send("to", json!(channel)).await;
    client.next_event("sent").await["data"].take()
}

#[tokio::test]
async fn counts_are_those_of_the_moment_of_the_call() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members?user=ada").await;
    let mut bob = server.enter("/members?user=bob&in=red").await;
    ada.send("join.count", json!("red")).await;
    assert_eq!(ada.expect("joined").await["type"], "joined");
    // Before the join one, with it two, of others one, and after the leave one again.
    assert_eq!(ada.expect("counts").await["data"], json!([1, 2, 1, 1]));
    for event in ["before", "joined", "others", "left"] {
        bob.expect(event).await;
    }
    bob.expect_silence().await;
}

#[tokio::test]
async fn a_join_and_a_leave_hold_from_their_turn_on() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members?user=ada").await;
    let mut bob = server.enter("/members?user=bob").await;
    for _ in 0..2 {
        // Twice is once.
        ada.send("join", json!("red")).await;
    }
    assert_eq!(channels(&mut ada).await, json!(["default", "red"]));
    assert_eq!(count(&mut bob, "red").await, 1);
    assert_eq!(ada.expect("heard").await["channel"], "red");
    for _ in 0..2 {
        ada.send("leave", json!("red")).await;
    }
    assert_eq!(channels(&mut ada).await, json!(["default"]));
    assert_eq!(count(&mut bob, "red").await, 0);
    ada.expect_silence().await;
    // A socket may leave its last channel; what is for it alone still reaches it.
    ada.send("leave", json!("default")).await;
    assert_eq!(channels(&mut ada).await, json!([]));
    assert_eq!(count(&mut bob, "default").await, 1);
    ada.expect_silence().await;
}

#[tokio::test]
async fn meta_is_each_sockets_own_and_stays_with_it() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members?user=ada").await;
    let mut phone = server.enter("/members?user=ada").await;
    assert_eq!(fields(&mut ada).await, json!({}));
    ada.send("set", json!({ "name": "Ada", "n": [1, null] })).await;
    assert_eq!(fields(&mut ada).await, json!({ "name": "Ada", "n": [1, null] }));
    assert_eq!(fields(&mut phone).await, json!({}));
    ada.send("set", json!({})).await;
    assert_eq!(fields(&mut ada).await, json!({}));
}

#[tokio::test]
async fn a_failed_turn_changes_nothing_and_nobody_sees_it() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members?user=ada").await;
    let mut bob = server.enter("/members?user=bob").await;
    ada.send("set", json!({ "kept": true })).await;
    ada.send("fail.after", json!("red")).await;
    ada.expect_silence().await;
    bob.expect_silence().await;
    assert_eq!(channels(&mut ada).await, json!(["default"]));
    assert_eq!(fields(&mut ada).await, json!({ "kept": true }));
    assert_eq!(count(&mut bob, "red").await, 0);
    assert_eq!(server.room("default/members/default").await["sockets"], 2);
}

#[tokio::test]
async fn emits_reach_the_clients_that_they_name_and_spare_those_that_they_except() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members?user=ada&client=a").await;
    let mut bob = server.enter("/members?user=bob&client=b").await;
    let mut eve = server.enter("/members?user=eve&client=e&in=red").await;
    ada.send("to.clients", json!(["b", "e", "b", "nobody"])).await;
    assert_eq!(ada.expect("sent").await["data"], 2);
    bob.expect("picked").await;
    eve.expect("picked").await;
    ada.send("to.except", json!(["b", "nobody"])).await;
    ada.expect("not excepted").await;
    assert_eq!(ada.expect("sent").await["data"], 1);
    bob.expect_silence().await;
    eve.expect_silence().await;
}

#[tokio::test]
async fn codes_and_reasons_that_no_close_frame_may_carry_are_refused() {
    let server = Server::with_guest("members");
    let mut ada = server.enter("/members").await;
    let refused = [0, 999, 1001, 1002, 1004, 1005, 1006, 1007, 1009, 1010, 1014, 1015, 2999, 5000, 65535];
    for code in refused {
        ada.send("close.refused", json!({ "code": code, "reason": "" })).await;
        assert_eq!(ada.expect("refused").await["data"], "invalid", "{code}");
    }
    let too_long = "x".repeat(124);
    ada.send("close.refused", json!({ "code": 3000, "reason": too_long })).await;
    assert_eq!(ada.expect("refused").await["data"], "invalid");
    ada.expect_silence().await;
}

#[tokio::test]
async fn who_leaves_is_out_of_all_counts_and_can_still_be_named() {
    let server = Server::with_guest("members");
    let mut bob = server.enter("/members?user=bob&in=red").await;
    let mut ada = server.enter("/members?user=ada&in=red,blue").await;
    ada.send("set", json!({ "name": "Ada" })).await;
    ada.expect_silence().await;
    ada.close(4001, "tired").await;
    let line = server.wait_for_log(&["gone", "ada"]).await;
    let json = &line[line.find('{').expect("JSON")..=line.rfind('}').expect("JSON")];
    let gone: Value = serde_json::from_str(json).unwrap_or_else(|why| panic!("{why}: {line}"));
    assert_eq!(
        gone,
        json!({
            "who": "ada", "code": 4001, "reason": "tired", "channels": ["red", "blue"], "fields": { "name": "Ada" },
            "sessions": 1, "own": 0, "others": 1,
        })
    );
    let told = json!({ "type": "gone", "userId": "ada", "code": 4001 });
    assert_eq!(bob.event().await, told);
    assert_eq!(count(&mut bob, "blue").await, 0);
    let room = server.room("default/members/default").await;
    assert_eq!(room, json!({ "sockets": 1, "users": ["bob"] }));
}

#[tokio::test]
async fn a_user_is_there_as_long_as_one_of_its_sockets() {
    let server = Server::with_guest("members");
    let mut watcher = server.enter("/members?user=eve").await;
    let mut ada = server.enter("/members?user=ada").await;
    let mut phone = server.enter("/members?user=ada").await;
    let room = "default/members/default";
    assert_eq!(server.room(room).await, json!({ "sockets": 3, "users": ["ada", "eve"] }));
    ada.close(1000, "").await;
    watcher.next_event("gone").await;
    assert_eq!(server.room(room).await, json!({ "sockets": 2, "users": ["ada", "eve"] }));
    phone.close(1000, "").await;
    watcher.next_event("gone").await;
    assert_eq!(server.room(room).await, json!({ "sockets": 1, "users": ["eve"] }));
}
