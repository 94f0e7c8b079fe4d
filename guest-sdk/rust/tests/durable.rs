//! What a plugin's author can rely on: timers, the alarm and what lasts, in virtual time.

use std::{cell::Cell, rc::Rc};

use parlor_guest::{Alarm, Disconnect, Failed, prelude::*, testing::TestRoom};

const START: u64 = 1_000_000;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A room that begins at [`START`].
fn room(setup: impl Fn(&mut Room) + 'static) -> TestRoom {
    TestRoom::builder().time(START).build(setup)
}

/// A room whose clients say `timer [name, ms]` and `alarm ms`, and whose log tells what ran and when.
fn clockwork(more: impl Fn(&mut Room) + 'static) -> TestRoom {
    room(move |room| {
        room.on("timer", |ctx, (name, ms): (String, u64)| ctx.timers().set(&name, Duration::from_millis(ms), ms));
        room.on("alarm", |ctx, ms: u64| ctx.alarm().set_in(Duration::from_millis(ms)));
        for name in ["a", "b", "c"] {
            room.on_timer(name, move |actor, ms: u64| {
                actor.log().info(format_args!("{name} {ms} at {}", actor.now() - START));
            });
        }
        room.on_alarm(|actor, alarm: Alarm| {
            let (due, now) = (alarm.due - START, actor.now() - START);
            actor.log().info(format_args!("alarm {due} attempt {} at {now}", alarm.attempt));
        });
        more(room);
    })
}

#[test]
fn timers_and_the_alarm_run_in_the_order_of_their_times() {
    let room = clockwork(|_| {});
    let ada = room.connect("/ws");
    ada.send("alarm", json!(2_000));
    for timer in [("b", 3_000), ("c", 2_000), ("a", 2_000)] {
        ada.send("timer", json!(timer));
    }
    let names: Vec<String> = room.timers().into_iter().map(|timer| timer.name).collect();
    assert_eq!(names, ["c", "a", "b"]);
    room.advance(Duration::from_millis(1_999));
    assert!(room.log().is_empty());
    room.advance(Duration::from_millis(1));
    // At the same moment: timers as they were set, then the alarm.
    assert_eq!(room.log(), ["info: c 2000 at 2000", "info: a 2000 at 2000", "info: alarm 2000 attempt 1 at 2000"]);
    room.advance(seconds(60));
    assert_eq!(room.log()[3..], ["info: b 3000 at 3000"]);
    assert!(room.timers().is_empty() && room.alarm().is_none());
}

#[test]
fn a_timer_of_the_same_name_replaces_the_first_and_a_cancelled_one_never_runs() {
    let room = clockwork(|room| {
        room.on("cancel", |ctx, name: String| {
            let was = [ctx.timers().cancel(&name)?, ctx.timers().cancel(&name)?];
            ctx.emit("cancelled", was)
        });
    });
    let ada = room.connect("/ws");
    for timer in [("a", 1_000), ("b", 1_000), ("a", 5_000)] {
        ada.send("timer", json!(timer));
    }
    ada.send("cancel", json!("b"));
    assert_eq!(ada.events()[0]["data"], json!([true, false]));
    room.advance(seconds(10));
    assert_eq!(room.log(), ["info: a 5000 at 5000"]);
}

#[test]
fn what_runs_may_set_itself_anew_and_that_runs_in_the_same_stretch_of_time() {
    let room = room(|room| {
        room.on_connect(|ctx| {
            ctx.timers().set("tick", seconds(1), 1)?;
            ctx.alarm().set_in(seconds(2))
        });
        room.on_timer("tick", |actor, number: u64| {
            actor.log().info(format_args!("tick {number} at {}", actor.now() - START));
            actor.timers().set("tick", seconds(1), number + 1)
        });
        room.on_alarm(|actor, _| {
            assert_eq!(actor.alarm().get()?, None);
            actor.alarm().set_in(seconds(2))
        });
    });
    room.connect("/ws");
    room.advance(Duration::from_millis(3_500));
    assert_eq!(room.log(), ["info: tick 1 at 1000", "info: tick 2 at 2000", "info: tick 3 at 3000"]);
    assert_eq!((room.timers()[0].due, room.alarm()), (START + 4_000, Some(START + 4_000)));
}

#[test]
#[should_panic(expected = "for ever")]
fn what_sets_itself_for_the_same_moment_for_ever_is_told_to_the_test() {
    let room = room(|room| {
        room.on_connect(|ctx| ctx.alarm().set_in(Duration::ZERO));
        room.on_alarm(|actor, _| actor.alarm().set_at(0));
    });
    room.connect("/ws");
    room.advance(Duration::ZERO);
}

#[test]
fn setting_and_cancelling_are_effects_that_the_turn_sees_and_that_a_failure_undoes() {
    let room = room(|room| {
        room.on("both", |ctx, fail: bool| {
            ctx.timers().set("a", seconds(1), ())?;
            ctx.alarm().set_at(7)?;
            let seen = (ctx.timers().cancel("a")?, ctx.timers().cancel("kept")?, ctx.alarm().get()?);
            ctx.alarm().cancel()?;
            ctx.log().info(format_args!("{seen:?} {:?}", ctx.alarm().get()?));
            if fail { Err(Error::msg("no")) } else { Ok(()) }
        });
        room.on_connect(|ctx| {
            ctx.timers().set("kept", seconds(9), ())?;
            ctx.alarm().set_at(START + 9)
        });
    });
    let ada = room.connect("/ws");
    for (fail, timers, alarm) in [(true, 1, Some(START + 9)), (false, 0, None)] {
        ada.send("both", json!(fail));
        assert_eq!((room.timers().len(), room.alarm()), (timers, alarm));
    }
    assert_eq!(room.log(), ["info: (true, true, Some(7)) None"; 2]);
}

#[test]
fn a_timer_is_gone_when_it_has_run_whether_its_turn_fails_or_not() {
    let room = clockwork(|room| {
        room.on_timer("a", |actor, _: Value| {
            actor.storage().put("ran", true)?;
            Err::<(), _>(Error::new("cat", "the cat ate it"))
        });
        room.on_error(|actor, failed: Failed| actor.log().warn(format_args!("{} {}", failed.event, failed.code)));
    });
    room.connect("/ws").send("timer", json!(["a", 1_000]));
    room.advance(seconds(60));
    assert_eq!(room.log(), ["info: a 1000 at 1000", "warn: a cat"]);
    assert!(room.timers().is_empty() && room.stored_keys().is_empty());
}

#[test]
fn a_failed_alarm_is_tried_again_later_and_later_and_then_is_gone() {
    let room = clockwork(|room| {
        room.on_alarm(|actor, alarm: Alarm| {
            actor.storage().put("tries", alarm.attempt)?;
            if alarm.attempt <= 11 { Err(Error::msg("not yet")) } else { Ok(()) }
        });
    });
    room.connect("/ws").send("alarm", json!(1_000));
    room.advance(seconds(1));
    assert_eq!((room.alarm(), room.stored::<u32>("tries")), (Some(START + 1_000), None));
    room.advance(seconds(3_600));
    // After 1, 2, 4 ... seconds, and never more than five minutes.
    let at = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 812, 1_112];
    let line = |(attempt, at): (usize, &u64)| format!("info: alarm 1000 attempt {} at {}", attempt + 1, at * 1_000);
    assert_eq!(room.log(), at.iter().enumerate().map(line).collect::<Vec<_>>());
    assert_eq!((room.alarm(), room.stored::<u32>("tries")), (None, Some(12)));
    assert_eq!(room.failures().len(), 11);
}

#[test]
fn an_alarm_that_another_turn_sets_anew_begins_with_its_first_attempt() {
    let room = clockwork(|room| {
        room.on_alarm(|_, alarm: Alarm| if alarm.due < START + 5_000 { Err(Error::msg("no")) } else { Ok(()) });
        // Also in the turn that follows at once from the failure.
        room.on_error(|actor, _| if actor.now() > START + 2_000 { actor.alarm().set_in(seconds(4)) } else { Ok(()) });
    });
    let ada = room.connect("/ws");
    ada.send("alarm", json!(1_000));
    room.advance(seconds(1));
    ada.send("alarm", json!(2_000));
    room.advance(seconds(60));
    let expected = [(1_000, 1_000), (3_000, 3_000), (7_000, 7_000)];
    assert_eq!(room.log(), expected.map(|(due, at)| format!("info: alarm {due} attempt 1 at {at}")));
}

#[test]
fn a_restart_leaves_storage_and_the_alarm_and_nothing_else() {
    let room = clockwork(|room| {
        room.on_connect(|ctx| ctx.storage().put("visits", ctx.storage().get("visits")?.unwrap_or(0) + 1));
        room.on_disconnect(|ctx, _: Disconnect| ctx.storage().put("visits", 0));
        room.on_restore(|actor, restore| {
            let (reason, sockets) = (restore.reason, actor.session_count());
            actor.log().info(format_args!("{reason} with {sockets} sockets"));
        });
        let mut failures = 1;
        room.on_alarm(move |_, _| {
            failures -= 1;
            if failures == 0 { Err(Error::msg("the first attempt of each instance fails")) } else { Ok(()) }
        });
    });
    let ada = room.connect("/ws");
    ada.send("timer", json!(["a", 1_000]));
    ada.send("alarm", json!(5_000));
    room.restore("crash");
    assert_eq!((room.timers().len(), ada.closed()), (1, None));
    room.advance(seconds(5));
    room.restart();
    assert_eq!((room.timers().len(), room.session_count()), (0, 0));
    assert_eq!(ada.closed(), Some((1006, String::new())));
    assert_eq!((room.alarm(), room.stored::<u32>("visits")), (Some(START + 5_000), Some(1)));
    // What is overdue runs at once, as a first attempt, and with the time that it is now.
    room.set_time(START + 8_000);
    room.advance(Duration::ZERO);
    room.advance(seconds(1));
    let expected = [
        "crash with 1 sockets",
        "a 1000 at 1000",
        "alarm 5000 attempt 1 at 5000",
        "restart with 0 sockets",
        "alarm 5000 attempt 1 at 8000",
        "alarm 5000 attempt 2 at 9000",
    ];
    assert_eq!(room.log(), expected.map(|line| format!("info: {line}")));
}

#[test]
fn a_room_that_keeps_nothing_is_new_after_a_restart() {
    let room = room(|room| {
        room.on_restore(|actor, restore| actor.log().info(restore.reason));
        room.on("keep", |ctx, _: Value| ctx.alarm().set_in(seconds(1)));
    });
    room.restart();
    assert!(room.log().is_empty());
    room.connect("/ws").send("keep", json!({}));
    room.restart();
    assert_eq!(room.log(), ["info: restart"]);
}

#[test]
fn what_nobody_hears_is_forgotten() {
    let room = room(|room| {
        room.on_connect(|ctx| {
            ctx.timers().set("a", seconds(1), ())?;
            ctx.alarm().set_in(seconds(1))
        });
    });
    room.connect("/ws");
    room.advance(seconds(1));
    assert!(room.timers().is_empty() && room.alarm().is_none());
    assert!(room.log().is_empty() && room.failures().is_empty());
}

#[test]
fn handlers_of_timers_run_in_order_and_share_one_hook_of_the_server() {
    let room = room(|room| {
        let first = room.on_timer("a", |_, _: Value| Err::<(), _>(Error::msg("removed")));
        room.on_timer("a", |actor, data: Value| actor.log().info(format_args!("first {data}")));
        room.on_timer("a", |actor, data: Option<u32>| actor.log().info(format_args!("second {data:?}")));
        assert!(room.off(&first) && !room.off(&first));
        let later = room.on_timer("b", |_, _: ()| {});
        room.on_connect(|ctx| ctx.timers().set("a", seconds(1), ()));
        room.on("fewer", move |ctx, all: bool| {
            assert!(ctx.room().off(&later) != all);
            if all {
                ctx.room().off_all("$timer");
            }
        });
        room.on("more", |ctx, _: Value| drop(ctx.room().on_timer("c", |_, _: ()| {})));
    });
    let ada = room.connect("/ws");
    room.advance(seconds(1));
    assert_eq!(room.log(), ["info: first null", "info: second None"]);
    let hooks = || room.registered().iter().filter(|name| *name == "$timer").count();
    ada.send("fewer", json!(false));
    assert_eq!(hooks(), 1);
    ada.send("fewer", json!(true));
    assert_eq!(hooks(), 0);
    ada.send("more", json!(null));
    assert_eq!(hooks(), 1);
    assert!(room.failures().is_empty());
}

#[test]
fn a_timer_that_nobody_handles_leaves_a_warning_and_one_whose_data_does_not_fit_fails() {
    let room = clockwork(|room| {
        room.on("odd", |ctx, _: Value| ctx.timers().set("a", seconds(1), "no number"));
    });
    let ada = room.connect("/ws");
    ada.send("timer", json!(["nobody's", 1_000]));
    ada.send("odd", json!({}));
    room.advance(seconds(1));
    assert_eq!(room.log(), ["warn: nobody handles the timer \"nobody's\": add `room.on_timer`"]);
    let failures = room.failures();
    assert_eq!((failures.len(), &*failures[0].event, &*failures[0].code), (1, "a", "bad-data"));
}

#[test]
fn timers_and_alarms_have_bounds_and_past_them_the_call_alone_is_refused() {
    let room = room(|room| {
        room.on("try", |ctx, _: Value| {
            let timers = ctx.timers();
            (0..64).try_for_each(|number| timers.set(&format!("n{number}"), seconds(1), ()))?;
            timers.set("n0", seconds(2), "x".repeat((4 << 10) - 2))?;
            let refusals = [
                timers.set("one more", seconds(1), ()).unwrap_err(),
                timers.set("n0", seconds(1), "x".repeat((4 << 10) - 1)).unwrap_err(),
                timers.set("", seconds(1), ()).unwrap_err(),
                timers.set("n0", seconds(50 * 86_400), ()).unwrap_err(),
                ctx.alarm().set_at(1 << 54).unwrap_err(),
            ];
            refusals.iter().for_each(|refusal| ctx.log().info(format_args!("{refusal:?}")));
            Ok(())
        });
    });
    room.connect("/ws").send("try", json!({}));
    let expected = [
        "limit-exceeded: the bound timers-per-room would be passed",
        "limit-exceeded: the bound timer-bytes would be passed",
        "invalid: a timer's name must be 1 to 128 bytes, not 0",
        "invalid: a timer runs within 49 days: the alarm takes any time",
        "invalid: the time of an alarm must be 0 to 9007199254740991 ms, not 18014398509481984",
    ];
    assert_eq!(room.log(), expected.map(|line| format!("info: {line}")));
    assert!(room.failures().is_empty());
    assert_eq!((room.timers().len(), room.timers()[63].due), (64, START + 2_000));
}

#[test]
fn outside_of_a_turn_nothing_of_it_can_be_reached() {
    let kept = Rc::new(Cell::new(None));
    let slot = Rc::clone(&kept);
    let room = room(move |room| {
        let slot = Rc::clone(&slot);
        room.on_connect(move |ctx| slot.set(Some((ctx.storage(), ctx.timers(), ctx.alarm()))));
    });
    room.connect("/ws");
    let (storage, timers, alarm) = kept.get().expect("what the handler left");
    let refusals = [
        storage.get_many::<u32>(["a"]).unwrap_err(),
        timers.set("a", seconds(1), ()).unwrap_err(),
        timers.cancel("a").unwrap_err(),
        alarm.set_at(1).unwrap_err(),
        alarm.get().unwrap_err(),
        alarm.cancel().unwrap_err(),
    ];
    assert!(refusals.iter().all(|refusal| refusal.code() == "no-turn"), "{refusals:?}");
}
