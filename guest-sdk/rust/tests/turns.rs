//! What a plugin's author can rely on: turns, handlers and their order, sockets that come and go.

use parlor_guest::{Failed, Handler, prelude::*, testing::TestRoom};

/// The names of the events that a socket got.
fn names(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["type"].as_str()).collect()
}

#[test]
fn a_failed_turn_leaves_no_trace() {
    let room = TestRoom::new(|room| {
        room.on("fail", |ctx, _: Value| {
            ctx.actor().emit("seen", json!({}))?;
            ctx.storage().put("key", 1)?;
            ctx.join("club")?;
            ctx.set_fields(&json!({ "role": "admin" }))?;
            ctx.close(1000, "bye")?;
            Err::<(), _>(Error::msg("too late"))
        });
        room.on("role", |ctx, _: Value| ctx.emit("role", ctx.meta().fields::<Value>()?));
    });
    let ada = room.connect("/ws");
    ada.send("fail", json!({}));
    assert!(ada.received().is_empty());
    assert!(room.stored_keys().is_empty());
    assert_eq!(ada.meta().channels, ["default"]);
    assert_eq!(ada.closed(), None);
    ada.send("role", json!({}));
    assert_eq!(ada.events(), [json!({ "type": "role" })]);
}

#[test]
fn a_turn_sees_its_own_changes_and_the_next_turn_the_committed_ones() {
    let room = TestRoom::new(|room| {
        room.on("join", |ctx, fail: bool| {
            let before = ctx.meta().channels.len();
            ctx.join("club")?;
            ctx.storage().put("key", 1)?;
            let sent = ctx.actor().to("club").emit("club", json!({}))?;
            ctx.log().info(format_args!(
                "{before} {} {sent} {:?}",
                ctx.meta().channels.len(),
                ctx.storage().get::<u32>("key")?
            ));
            if fail { Err(Error::msg("no")) } else { Ok(()) }
        });
    });
    let ada = room.connect("/ws");
    ada.send("join", json!(true));
    ada.send("join", json!(false));
    ada.send("join", json!(false));
    assert_eq!(room.log(), ["info: 1 2 1 Some(1)", "info: 1 2 1 Some(1)", "info: 2 2 1 Some(1)"]);
}

#[test]
fn handlers_run_in_order_and_the_first_error_ends_the_turn() {
    let room = TestRoom::new(|room| {
        room.on_any(|ctx, _: Value| ctx.emit("any", json!({})));
        room.on("a", |ctx, _: Value| ctx.emit("first", json!({})));
        room.on("a", |ctx, fail: bool| if fail { Err(Error::msg("no")) } else { ctx.emit("second", json!({})) });
        room.on_message(|ctx, _: Value| ctx.emit("fallback", json!({})));
    });
    let ada = room.connect("/ws");
    ada.send("a", json!(false));
    assert_eq!(names(&ada.events()), ["first", "second", "any"]);
    ada.send("b", json!(null));
    assert_eq!(names(&ada.events()), ["any"]);
    ada.send("a", json!(true));
    assert!(ada.events().is_empty());
}

#[test]
fn handlers_are_those_that_stood_when_the_event_began() {
    let room = TestRoom::new(|room| {
        let mut second: Option<Handler> = None;
        room.on("swap", move |ctx, _: Value| {
            match second.take() {
                Some(handler) => assert!(ctx.room().off(&handler)),
                None => second = Some(ctx.room().on("swap", |ctx, _: Value| ctx.emit("second", json!({})))),
            }
            ctx.emit("first", json!({}))
        });
    });
    let ada = room.connect("/ws");
    let heard: Vec<usize> = (0..4)
        .map(|_| {
            ada.send("swap", json!({}));
            ada.events().len()
        })
        .collect();
    assert_eq!(heard, [1, 2, 1, 2]);
}

#[test]
fn the_server_is_asked_once_a_name_and_no_longer_when_the_last_handler_goes() {
    let room = TestRoom::new(|room| {
        room.on("a", |_, _: Value| {});
        room.on("a", |_, _: Value| {});
        room.off_all("never registered");
        room.on("more", |ctx, _: Value| drop(ctx.room().on("b", |_, _: Value| {})));
        room.on("fewer", |ctx, _: Value| {
            ctx.room().off_all("a");
            Err::<(), _>(Error::msg("registrations are not rolled back"))
        });
    });
    assert_eq!(room.registered(), ["a", "fewer", "more"]);
    let ada = room.connect("/ws");
    ada.send("more", json!({}));
    ada.send("fewer", json!({}));
    assert_eq!(room.registered(), ["b", "fewer", "more"]);
}

#[test]
fn a_name_that_the_server_refuses_fails_the_start_or_the_turn() {
    let refused = TestRoom::builder().try_build(|room| drop(room.on("$nope", |_, _: Value| {})));
    assert_eq!(refused.unwrap_err(), "cannot register `$nope`: $nope is no hook that this host knows");
    let room = TestRoom::new(|room| {
        room.on("later", |ctx, _: Value| drop(ctx.room().on("", |_, _: Value| {})));
    });
    room.connect("/ws").send("later", json!({}));
    assert_eq!(room.failures()[0].code, "invalid");
    assert_eq!(room.registered(), ["later"]);
}

#[test]
fn a_failed_connect_undoes_the_membership_and_no_disconnect_follows() {
    let room = TestRoom::new(|room| {
        room.on_connect(|ctx| {
            ctx.actor().emit("here", json!({ "count": ctx.session_count() }))?;
            if ctx.meta().user_id == "eve" { Err(reject("banned", "not you")) } else { Ok(()) }
        });
        room.on_disconnect(|ctx, _| ctx.actor().emit("left", json!({})));
    });
    let ada = room.connect_as(Meta::new("ada"));
    let eve = room.connect_as(Meta::new("eve"));
    assert_eq!(eve.closed(), Some((1011, "the plugin failed in $connect".to_owned())));
    assert_eq!(eve.events(), [json!({ "type": "error", "code": "banned", "message": "not you" })]);
    assert_eq!(ada.events(), [json!({ "type": "here", "count": 1 })]);
    assert_eq!(room.session_count(), 1);
}

#[test]
fn a_socket_that_ended_is_out_of_everything_but_its_meta_can_be_read() {
    let room = TestRoom::new(|room| {
        room.on_connect(|ctx| ctx.close(3001, "full"));
        room.on_disconnect(|ctx, end| {
            let reached = ctx.emit("bye", json!({}))? + ctx.actor().emit("bye", json!({}))?;
            let refused = ctx.join("club").unwrap_err();
            let (code, user) = (end.code, ctx.meta().user_id.clone());
            ctx.log().info(format_args!("{code} {user} {reached} {} {}", ctx.session_count(), refused.code()));
            Ok(())
        });
    });
    let ada = room.connect_as(Meta::new("ada"));
    assert_eq!(ada.closed(), Some((3001, "full".to_owned())));
    assert_eq!(room.log(), ["info: 3001 ada 0 0 no-such-socket"]);
}

#[test]
fn errors_reach_on_error_and_rejections_the_sender() {
    let room = TestRoom::new(|room| {
        room.on("fail", |_, _: Value| Error::new("cat", "the cat ate it"));
        room.on("refuse", |_, _: Value| reject("no", "never"));
        room.on_error(|actor, failed: Failed| {
            actor.emit("failed", json!({ "event": failed.event, "code": failed.code }))?;
            if failed.code == "cat" { Ok(()) } else { Err(Error::msg("unexpected")) }
        });
    });
    let ada = room.connect("/ws");
    ada.send("fail", json!({}));
    ada.send("refuse", json!({}));
    let told = [
        json!({ "type": "failed", "event": "fail", "code": "cat" }),
        json!({ "type": "error", "code": "no", "message": "never" }),
    ];
    assert_eq!(ada.events(), told);
}

#[test]
fn a_bare_ping_is_an_event_only_where_it_was_registered_by_name() {
    let any = TestRoom::new(|room| drop(room.on_any(|ctx, _: Value| ctx.emit("any", json!({})))));
    let ada = any.connect("/ws");
    ada.send_empty("ping");
    assert_eq!(ada.received(), [json!({ "type": "pong" })]);
    let named = TestRoom::new(|room| drop(room.on("ping", |ctx, _: Value| ctx.emit("pong", json!({ "n": 1 })))));
    let bob = named.connect("/ws");
    bob.send_empty("ping");
    assert_eq!(bob.received().len(), 2);
}

#[test]
fn authorize_has_an_instance_of_its_own_and_can_leave_it_to_the_server() {
    let room = TestRoom::new(|room| {
        let mut asked = 0;
        room.authorize(move |req| {
            asked += 1;
            let number: u32 = req.query("number").unwrap_or_else(|| "0".to_owned()).parse()?;
            Ok((number > 0).then(|| Meta::new(format!("{asked}-{number}"))))
        });
    });
    assert_eq!(room.connect("/ws?number=4").meta().user_id, "1-4");
    assert_eq!(room.connect("/ws?number=5").meta().user_id, "1-5");
    assert_eq!(room.connect("/ws").meta().user_id.len(), 32);
    assert_eq!(room.try_connect("/ws?number=x").unwrap_err(), Rejection::unauthorized(""));
}
