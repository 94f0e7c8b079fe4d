//! What a plugin's author can rely on: data in and out, targets and counts, storage, and what is refused.

use parlor_guest::{prelude::*, testing::TestRoom};

/// The names of the events that a socket got.
fn names(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn a_passed_bound_fails_the_turn_even_if_the_handler_goes_on() {
    let room = TestRoom::new(|room| {
        room.on("flood", |ctx, _: Value| {
            for number in 0..1_001 {
                let _ = ctx.emit("number", number);
            }
        });
        room.on("read", |ctx, _: Value| {
            for _ in 0..10_001 {
                ctx.actor().session_count();
            }
        });
    });
    let ada = room.connect("/ws");
    ada.send("flood", json!({}));
    ada.send("read", json!({}));
    assert!(ada.received().is_empty());
    let codes: Vec<String> = room.failures().into_iter().map(|failed| failed.code).collect();
    assert_eq!(codes, ["emits-per-turn", "host-calls-per-turn"]);
}

#[test]
fn targets_are_channels_users_and_clients() {
    let room = TestRoom::new(|room| {
        room.on("count", |ctx, to: String| {
            let actor = ctx.actor();
            let counts = [
                ctx.to(&to).emit("x", json!({}))?,
                actor.to(&to).emit("x", json!({}))?,
                actor.to_user(&to).emit("x", json!({}))?,
                actor.to_clients([&to, &to]).emit("x", json!({}))?,
                actor.to("news").except([&to]).emit("x", json!({}))?,
            ];
            ctx.log().info(format_args!("{counts:?}"));
            Ok(())
        });
    });
    let ada = room.connect_as(Meta::new("ada").with_client_id("laptop").in_channels(["news"]));
    room.connect_as(Meta::new("ada").with_client_id("phone").in_channels(["news", "default"]));
    room.connect_as(Meta::new("bob").with_client_id("tablet"));
    for to in ["news", "default", "ada", "phone"] {
        ada.send("count", json!(to));
    }
    // `ctx.to("default")` means a user here: Ada's laptop is not in that channel.
    let counts = ["[1, 2, 0, 0, 2]", "[0, 2, 0, 0, 2]", "[2, 0, 2, 0, 2]", "[0, 0, 0, 1, 1]"];
    assert_eq!(room.log(), counts.map(|line| format!("info: {line}")));
}

#[test]
fn frames_carry_the_channel_of_their_target_and_the_name_that_was_emitted() {
    let room = TestRoom::new(|room| {
        room.on("go", |ctx, _: Value| {
            ctx.emit("own", json!({ "type": "forged", "a": 1 }))?;
            ctx.actor().to("b").emit("other", [1, 2])
        });
    });
    let ada = room.connect_as(Meta::new("ada").in_channels(["a", "b"]));
    ada.send("go", json!({}));
    let frames = [
        json!({ "type": "event", "channel": "a", "data": { "type": "own", "a": 1 } }),
        json!({ "type": "event", "channel": "b", "data": { "type": "other", "data": [1, 2] } }),
    ];
    assert_eq!(ada.received(), frames);
}

#[test]
fn absent_data_reads_as_null_where_that_fits_and_as_an_empty_object_where_not() {
    #[derive(Deserialize, Default, Debug)]
    #[serde(default)]
    struct Options {
        size: u32,
    }
    #[derive(Deserialize)]
    struct Strict {
        _text: String,
    }
    let room = TestRoom::new(|room| {
        room.on("any", |ctx, data: Value| ctx.log().info(format_args!("{data} {}", ctx.event().has_data())));
        room.on("option", |ctx, data: Option<u32>| ctx.log().info(format_args!("{data:?}")));
        room.on("defaults", |ctx, data: Options| ctx.log().info(format_args!("{}", data.size)));
        room.on("strict", |_, _: Strict| {});
        room.on("text", |_, _: String| {});
    });
    let ada = room.connect("/ws");
    for event in ["any", "option", "defaults", "strict", "text"] {
        ada.send_empty(event);
    }
    assert_eq!(room.log(), ["info: null false", "info: None", "info: 0"]);
    let events = ada.events();
    assert!(events.iter().all(|event| event["code"] == "bad-data"), "{events:?}");
    assert!(events[0]["message"].as_str().is_some_and(|words| words.starts_with("missing field")), "{events:?}");
    assert!(events[1]["message"].as_str().is_some_and(|words| words.contains("null")), "{events:?}");
}

#[test]
fn listings_page_through_all_entries_in_order() {
    let room = TestRoom::new(|room| {
        room.on_connect(|ctx| {
            ctx.storage().put("other", 0)?;
            (0..600).try_for_each(|number| ctx.storage().put(&format!("n/{number:03}"), number))
        });
        room.on("sum", |ctx, _: Value| {
            let page = ctx.storage().page("n/", Some("n/000"), 2)?;
            assert_eq!((page.entries[0].key.as_str(), page.next.as_deref()), ("n/001", Some("n/002")));
            let numbers: Vec<u32> = ctx.storage().list("n/").map(|entry| entry?.json()).collect::<Result<_>>()?;
            assert_eq!(numbers, (0..600).collect::<Vec<_>>());
            assert!(ctx.storage().delete("n/000")? && !ctx.storage().delete("n/000")?);
            ctx.emit("done", json!({}))
        });
    });
    let ada = room.connect("/ws");
    ada.send("sum", json!({}));
    assert_eq!(names(&ada.events()), ["done"]);
    assert_eq!(room.stored_keys().len(), 600);
}

#[test]
fn each_refusal_says_what_and_the_bound() {
    let room = TestRoom::new(|room| {
        room.on("try", |ctx, _: Value| {
            let refusals = [
                ctx.close(1001, "").unwrap_err(),
                ctx.close(1000, &"x".repeat(124)).unwrap_err(),
                ctx.emit("", json!({})).unwrap_err(),
                ctx.set_fields(&[1]).unwrap_err(),
                ctx.storage().put(&"k".repeat(513), 1).unwrap_err(),
                ctx.socket(999).join("x").unwrap_err(),
            ];
            refusals.iter().for_each(|refusal| ctx.log().info(format_args!("{refusal:?}")));
        });
    });
    room.connect("/ws").send("try", json!({}));
    let expected = [
        "invalid: the close code 1001 must be 1000, 1008, 1011 to 1013 or 3000 to 4999",
        "invalid: a close reason must be at most 123 bytes",
        "invalid: the event must be 1 to 128 bytes, not 0",
        "invalid: a socket's fields are a JSON object",
        "limit-exceeded: the bound storage-key-bytes would be passed",
        "no-such-socket: no such socket in this room; it may have left",
    ];
    assert_eq!(room.log(), expected.map(|line| format!("info: {line}")));
}

#[test]
fn many_keys_are_read_written_and_removed_in_their_order_or_not_at_all() {
    let room = TestRoom::new(|room| {
        room.on("go", |ctx, _: Value| {
            let storage = ctx.storage();
            storage.put_many([("a", 1), ("b", 2), ("c", 3)])?;
            assert_eq!(storage.get_many::<u32>(["c", "missing", "a"])?, [Some(3), None, Some(1)]);
            assert_eq!(storage.delete_many(["a", "missing", "b"])?, 2);
            assert_eq!(storage.get_many::<u32>(Vec::<String>::new())?, []);
            storage.put("words", "four")?;
            assert_eq!(storage.get_many::<u32>(["c", "words"]).unwrap_err().code(), "json");
            assert_eq!(storage.put_many([("d", 1), ("", 2)]).unwrap_err().code(), "invalid");
            ctx.emit("done", json!({}))
        });
    });
    let ada = room.connect("/ws");
    ada.send("go", json!({}));
    assert_eq!(names(&ada.events()), ["done"], "{:?}", room.failures());
    assert_eq!(room.stored_keys(), ["c", "words"]);
}

#[test]
fn what_a_call_and_a_turn_read_and_write_is_bounded() {
    let room = TestRoom::new(|room| {
        room.on("try", |ctx, _: Value| {
            let storage = ctx.storage();
            let keys = |count: u32| (0..count).map(|number| format!("key/{number:03}"));
            let large = "x".repeat((128 << 10) - 2);
            let entries = |count| keys(count).map(|key| (key, &large));
            storage.put_many(keys(128).map(|key| (key, 0)))?;
            storage.get_many::<Value>(keys(128))?;
            let mut refusals = vec![
                storage.put_many(keys(129).map(|key| (key, 0))).unwrap_err(),
                storage.get_many::<Value>(keys(129)).unwrap_err(),
                storage.delete_many(keys(129)).unwrap_err(),
                storage.put_many([("a", 1), ("a", 2)]).unwrap_err(),
                storage.put_many(entries(8)).unwrap_err(),
            ];
            storage.put_many(entries(7))?;
            storage.put("key/007", &large)?;
            storage.get_many::<Value>(keys(8))?;
            storage.put("key/008", &large)?;
            refusals.push(storage.get_many::<Value>(keys(9)).unwrap_err());
            // What was written before counts too, one over the other.
            let full = (0..).find_map(|_| storage.put("key/009", &large).err()).expect("a bound");
            refusals.push(full);
            refusals.iter().for_each(|refusal| ctx.log().info(format_args!("{refusal:?}")));
            Ok(())
        });
    });
    let ada = room.connect("/ws");
    ada.send("try", json!({}));
    let bound = |name: &str| format!("info: limit-exceeded: the bound {name} would be passed");
    let expected = [
        bound("storage-keys-per-call"),
        bound("storage-keys-per-call"),
        bound("storage-keys-per-call"),
        "info: invalid: the key \"a\" is named twice".to_owned(),
        bound("storage-bytes-per-call"),
        bound("storage-bytes-per-call"),
        bound("storage-bytes-per-turn"),
    ];
    assert_eq!(room.log(), expected);
    // A refused call is no failed turn.
    assert!(room.failures().is_empty());
    assert_eq!(room.stored_keys().len(), 128);
}
