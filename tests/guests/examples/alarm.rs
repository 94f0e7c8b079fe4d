//! Sets the alarm at a client's word, counts in storage how often it rang, and fails as many attempts as it is told to.

use parlor_guest::{Alarm, prelude::*};

#[derive(Deserialize)]
struct Set {
    in_ms: u64,
}

#[derive(Deserialize)]
struct Fail {
    attempts: u32,
}

#[parlor_guest::room(name = "alarm", path = "/alarm")]
fn alarm(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("set", |ctx, set: Set| {
        ctx.alarm().set_in(Duration::from_millis(set.in_ms))?;
        // What the turn itself sees of it.
        ctx.emit("set", json!({ "due": ctx.alarm().get()? }))
    });
    room.on("set-and-fail", |ctx, set: Set| {
        ctx.alarm().set_in(Duration::from_millis(set.in_ms))?;
        Err::<(), _>(Error::msg("on purpose"))
    });
    room.on("get", |ctx, _: Value| ctx.emit("alarm", json!({ "due": ctx.alarm().get()? })));
    room.on("cancel", |ctx, _: Value| ctx.alarm().cancel());
    // The first so many attempts of each alarm fail from now on. A failed turn's writes vanish: it is told here, not there.
    room.on("fail", |ctx, fail: Fail| ctx.storage().put("fail", fail.attempts));
    // And the alarm that rang sets itself anew, so much later.
    room.on("repeat", |ctx, set: Set| ctx.storage().put("repeat", set.in_ms));
    room.on("rings", |ctx, _: Value| ctx.emit("rings", json!({ "count": ctx.storage().get("rings")?.unwrap_or(0) })));
    room.on("crash", |_, _: Value| -> Result { panic!("on purpose") });
    room.on_alarm(|actor, alarm: Alarm| {
        let storage = actor.storage();
        if let Some(set) = actor.alarm().get()? {
            return Err(Error::new("alarm.set", format!("the alarm that runs is set for {set}")));
        }
        let rings = storage.get("rings")?.unwrap_or(0) + 1;
        storage.put("rings", rings)?;
        actor.emit("alarm", json!({ "due": alarm.due, "attempt": alarm.attempt }))?;
        if let Some(ms) = storage.get("repeat")? {
            actor.alarm().set_in(Duration::from_millis(ms))?;
        }
        let attempts: u32 = storage.get("fail")?.unwrap_or(0);
        if alarm.attempt <= attempts { Err(Error::new("alarm.failed", "on purpose")) } else { Ok(()) }
    });
    room.on_error(|actor, failed| actor.emit("failed", json!({ "event": failed.event, "code": failed.code })));
    room.on_restore(|actor, restore| actor.emit("restored", json!({ "reason": restore.reason })));
}
