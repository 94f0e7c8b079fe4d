//! What a plugin's author can rely on when the instance goes: sleeping, waking, swapping, and the state that goes over.

use std::{cell::Cell, rc::Rc};

use parlor_guest::{Failed, Suspended, prelude::*, testing::TestRoom};

/// A counter of this version: `say` tells the count, which `count/VERSION` carries over, and the log tells how it began.
fn counter(version: u32, takes: &'static [u32]) -> impl Fn(&mut Room) + 'static {
    move |room| {
        let count = Rc::new(Cell::new(0));
        let counts = Rc::clone(&count);
        room.on("say", move |ctx, _: Value| {
            counts.set(counts.get() + 1);
            ctx.emit("said", json!({ "version": version, "count": counts.get() }))
        });
        let saved = Rc::clone(&count);
        room.on_suspend(&format!("count/{version}"), move |actor, suspend| {
            actor.log().info(format_args!("{version} goes: {}", suspend.reason));
            Ok(saved.get())
        });
        for from in takes {
            let count = Rc::clone(&count);
            room.on_resume(&format!("count/{from}"), move |actor, state: u32| {
                count.set(state);
                actor.log().info(format_args!("{version} takes {from}"));
            });
        }
        room.on_restore(move |actor, restore| actor.log().info(format_args!("{version} anew: {}", restore.reason)));
        room.on_error(|actor, failed: Failed| actor.log().warn(format_args!("{}: {}", failed.event, failed.code)));
    }
}

/// The text `said` of the last event of a socket.
fn said(version: u32, count: u32) -> Value {
    json!({ "type": "said", "version": version, "count": count })
}

#[test]
fn a_room_that_wakes_goes_on_where_it_fell_asleep() {
    let room = TestRoom::new(counter(1, &[1]));
    let ada = room.connect("/ws");
    ada.send("say", json!({}));
    room.sleep();
    room.sleep();
    assert!(room.is_asleep());
    let state = room.suspended().expect("a state");
    assert_eq!((&*state.schema, state.read::<u32>().unwrap()), ("count/1", 1));
    ada.send("say", json!({}));
    assert!(!room.is_asleep() && room.suspended().is_none());
    assert_eq!(ada.events(), [said(1, 1), said(1, 2)]);
    assert_eq!(room.log(), ["info: 1 goes: sleep", "info: 1 takes 1"]);
}

#[test]
fn a_state_is_given_once() {
    let room = TestRoom::new(counter(1, &[1]));
    let ada = room.connect("/ws");
    room.sleep();
    ada.send("say", json!({}));
    room.restore("crash");
    ada.send("say", json!({}));
    room.sleep();
    // A crash of the server: nobody was there who could have kept it.
    room.restart();
    assert!(!room.is_asleep() && room.suspended().is_none());
    assert_eq!(ada.events(), [said(1, 1), said(1, 1)]);
    let expected = ["1 goes: sleep", "1 takes 1", "1 anew: crash", "1 goes: sleep"];
    assert_eq!(room.log(), expected.map(|line| format!("info: {line}")));
}

#[test]
fn only_what_the_plugin_asked_for_wakes_the_room() {
    let room = TestRoom::new(|room| {
        room.on("ask", |ctx, _: Value| drop(ctx.room().on("later", |_, _: Value| {})));
        room.on_disconnect(|_, _| {});
    });
    let ada = room.connect("/ws");
    ada.send("ask", json!({}));
    room.sleep();
    ada.send_frame(json!({ "type": "ping" }));
    ada.send("nobody's", json!({}));
    // What a handler registered went with its instance.
    ada.send("later", json!({}));
    let bob = room.connect("/ws");
    assert!(room.is_asleep());
    bob.disconnect(1000, "");
    assert!(!room.is_asleep());
}

#[test]
fn a_keepalive_wakes_the_room_where_it_has_a_handler() {
    let room = TestRoom::new(|room| drop(room.on("ping", |_, _: Value| {})));
    let ada = room.connect("/ws");
    room.sleep();
    ada.send_frame(json!({ "type": "ping" }));
    assert!(!room.is_asleep());
}

#[test]
fn sockets_timers_and_the_alarm_outlast_the_instance_and_wake_the_room() {
    let room = TestRoom::builder().time(1_000).build(|room| {
        room.on_connect(|ctx| {
            ctx.join("club")?;
            ctx.set_fields(&json!({ "role": "host" }))?;
            ctx.timers().set("tick", Duration::from_secs(1), ())?;
            ctx.alarm().set_in(Duration::from_secs(2))
        });
        room.on_timer("tick", |actor, _: ()| actor.to("club").emit("tick", actor.now()));
        room.on_alarm(|actor, _| actor.emit("alarm", actor.now()));
        room.on("role", |ctx, _: Value| ctx.emit("role", ctx.meta().fields::<Value>()?));
    });
    let ada = room.connect("/ws");
    for _ in 0..2 {
        room.sleep();
        room.advance(Duration::from_secs(1));
        assert!(!room.is_asleep());
    }
    room.swap(|room| drop(room.on("role", |ctx, _: Value| ctx.emit("role", ctx.meta().fields::<Value>()?)))).unwrap();
    ada.send("role", json!({}));
    let events = ada.events();
    assert_eq!(
        (&events[0]["data"], &events[1]["data"], &events[2]["role"]),
        (&json!(2_000), &json!(3_000), &json!("host"))
    );
    assert_eq!((ada.closed(), ada.meta().channels), (None, vec!["default".to_owned(), "club".to_owned()]));
}

#[test]
fn without_a_state_or_a_handler_for_it_the_new_instance_restores() {
    let restores = |room: &mut Room| {
        room.on_restore(|actor, restore| actor.log().info(restore.reason));
        room.on("say", |_, _: Value| {});
    };
    // Only suspends, only resumes, neither.
    let suspends = TestRoom::new(move |room| {
        restores(room);
        room.on_suspend("count/1", |_, _| Ok(1));
    });
    let resumes = TestRoom::new(move |room| {
        restores(room);
        room.on_resume("count/1", |_, _: u32| {});
    });
    for room in [suspends, resumes, TestRoom::new(restores)] {
        let ada = room.connect("/ws");
        room.sleep();
        ada.send("say", json!({}));
        room.swap(restores).unwrap();
        assert_eq!(room.log(), ["info: wake", "info: swap"]);
    }
}

#[test]
fn a_new_version_takes_the_states_of_older_ones() {
    let room = TestRoom::new(counter(1, &[1]));
    let ada = room.connect("/ws");
    ada.send("say", json!({}));
    room.swap(counter(2, &[1, 2])).unwrap();
    ada.send("say", json!({}));
    // Asleep, and swapped so.
    room.sleep();
    room.swap(counter(3, &[1, 2, 3])).unwrap();
    ada.send("say", json!({}));
    assert_eq!(ada.events(), [said(1, 1), said(2, 2), said(3, 3)]);
    let expected = ["1 goes: swap", "2 takes 1", "2 goes: sleep", "3 takes 2"];
    assert_eq!(room.log(), expected.map(|line| format!("info: {line}")));
}

#[test]
fn a_swap_is_undone_where_the_state_is_not_taken() {
    let room = TestRoom::new(counter(1, &[1]));
    let ada = room.connect("/ws");
    ada.send("say", json!({}));
    let failed = room.swap(counter(2, &[2, 3])).unwrap_err();
    assert_eq!((&*failed.event, &*failed.code), ("$resume", "resume.schema"));
    assert_eq!(failed.message, r#"no on_resume takes a state of the schema "count/1", only count/2, count/3"#);
    let failed = room
        .swap(|room| {
            room.on_resume("count/1", |_, _: String| {});
            room.on_error(|_, _| -> Result { panic!("this version is gone") });
        })
        .unwrap_err();
    assert_eq!(failed.code, "resume.shape");
    assert!(failed.message.starts_with(r#"the state of the schema "count/1" does not fit: invalid type"#));
    let failed = room.swap(|room| room.on_resume("count/1", |_, _: u32| Error::new("mine", "not today"))).unwrap_err();
    assert_eq!(failed.code, "mine");
    ada.send("say", json!({}));
    assert_eq!(ada.events(), [said(1, 1), said(1, 2)]);
    assert_eq!(room.failures().len(), 3);
    assert_eq!(room.log(), ["info: 1 goes: swap", "info: 1 takes 1"].repeat(3));
}

#[test]
fn a_version_that_does_not_start_changes_nothing() {
    let room = TestRoom::new(counter(1, &[1]));
    let ada = room.connect("/ws");
    ada.send("say", json!({}));
    let failed = room.swap(|_| -> Result { Err(Error::msg("set `tokens`")) }).unwrap_err();
    assert_eq!((&*failed.event, &*failed.message), ("init", "set `tokens`"));
    ada.send("say", json!({}));
    assert_eq!(ada.events()[1], said(1, 2));
    room.sleep();
    assert!(room.swap(|_| -> Result { Err(Error::msg("set `tokens`")) }).is_err());
    assert!(room.is_asleep() && room.suspended().is_some());
}

#[test]
fn a_state_that_the_waking_version_cannot_read_is_lost_and_told() {
    let room = TestRoom::new(counter(1, &[2]));
    let ada = room.connect("/ws");
    ada.send("say", json!({}));
    room.sleep();
    ada.send("say", json!({}));
    assert_eq!(ada.events(), [said(1, 1), said(1, 1)]);
    assert_eq!(room.log(), ["info: 1 goes: sleep", "info: 1 anew: wake"]);
    assert_eq!(room.failures()[0].code, "resume.schema");
}

#[test]
fn what_no_handler_takes_goes_to_the_one_for_all_others() {
    let any = |room: &mut Room| {
        room.on_resume("b", |actor, number: u32| actor.log().info(number));
        room.on_resume_any(|actor, found: Suspended| {
            actor.log().info(format_args!("{:?} {}", found.schema, found.state));
            if found.schema == "no" { Err(Error::new("resume.schema", "not this one")) } else { Ok(()) }
        });
    };
    let room = TestRoom::new(|room| room.on_suspend("a", |_, _| Ok(1)));
    room.swap(any).unwrap();
    room.swap(|room| room.on_suspend("b", |_, _| Ok("no number"))).unwrap();
    room.swap(any).unwrap();
    room.swap(|room| room.on_suspend("b", |_, _| Ok(2))).unwrap();
    room.swap(any).unwrap();
    // As another SDK may write it.
    room.swap(|room| drop(room.on("$suspend", |_, _: Value| answer(&json!({ "x": 3 }))))).unwrap();
    room.swap(any).unwrap();
    room.swap(|room| room.on_suspend("no", |_, _| Ok(()))).unwrap();
    assert_eq!(room.swap(any).unwrap_err().message, "not this one");
    let expected = [r#""a" 1"#, r#""b" "no number""#, "2", r#""" {"x":3}"#, r#""no" null"#];
    assert_eq!(room.log(), expected.map(|line| format!("info: {line}")));
}

#[test]
fn suspending_is_a_turn_as_any_other_and_where_it_fails_there_is_no_state() {
    let room = TestRoom::new(|room| {
        room.on_suspend("big", |actor, _| {
            let bytes: usize = actor.storage().get("bytes")?.unwrap_or_default();
            actor.storage().put("suspended", bytes)?;
            actor.emit("suspends", bytes)?;
            if bytes == 1 { Err(Error::new("mine", "not today")) } else { Ok("x".repeat(bytes)) }
        });
        room.on_restore(|actor, restore| actor.log().info(restore.reason));
        room.on("bytes", |ctx, bytes: usize| ctx.storage().put("bytes", bytes));
    });
    let ada = room.connect("/ws");
    let envelope = r#"{"schema":"big","state":""}"#.len();
    for (bytes, fails) in
        [((256 << 10) - envelope, None), ((256 << 10) - envelope + 1, Some("suspend-bytes")), (1, Some("mine"))]
    {
        ada.send("bytes", json!(bytes));
        let (stored, failures) = (room.stored::<usize>("suspended"), room.failures().len());
        room.sleep();
        assert_eq!(room.suspended().is_none(), fails.is_some());
        assert_eq!(room.failures().get(failures).map(|failed| &*failed.code), fails);
        // Undone as a whole where it fails.
        assert_eq!(room.stored("suspended"), if fails.is_some() { stored } else { Some(bytes) });
        assert_eq!(ada.events().len(), usize::from(fails.is_none()));
    }
    ada.send("bytes", json!(0));
    assert_eq!(room.log(), ["info: wake", "info: wake", "info: wake"]);
}

#[test]
fn a_room_has_one_state_and_one_handler_a_schema() {
    let room = TestRoom::new(|room| {
        room.on_suspend("a", |_, _| Ok(1));
        room.on_suspend("b", |_, _| Ok(2));
        room.on_resume("b", |_, _: u32| Error::msg("replaced"));
        room.on_resume("b", |actor, number: u32| actor.log().info(number));
        room.on_resume_any(|_, _| Error::msg("replaced"));
        room.on_resume_any(|_, _| {});
        room.on("none", |ctx, _: Value| assert!(ctx.room().off_all("$suspend")));
    });
    assert_eq!(room.registered(), ["$resume", "$suspend", "none"]);
    let ada = room.connect("/ws");
    room.sleep();
    assert_eq!(room.suspended().expect("a state").schema, "b");
    ada.send("none", json!({}));
    room.sleep();
    assert!(room.suspended().is_none());
    assert_eq!(room.log(), ["info: 2"]);
    assert!(room.failures().is_empty());
}

#[test]
fn a_schema_has_1_to_128_bytes() {
    for schema in [String::new(), "x".repeat(129)] {
        let why = format!("a schema must be 1 to 128 bytes, not {}", schema.len());
        let name = schema.clone();
        assert_eq!(TestRoom::builder().try_build(move |room| room.on_suspend(&name, |_, _| Ok(1))).unwrap_err(), why);
        let refused = TestRoom::builder().try_build(move |room| room.on_resume(&schema, |_, _: u32| {}));
        assert_eq!(refused.unwrap_err(), why);
    }
}
