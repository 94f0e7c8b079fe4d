//! Sets and cancels timers at a client's word, and tells everybody when one runs.

use parlor_guest::prelude::*;

#[derive(Deserialize)]
struct Set {
    name: String,
    ms: u64,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Fill {
    count: u32,
    ms: u64,
}

#[parlor_guest::room(name = "timers", path = "/timers")]
fn timers(room: &mut Room) {
    test_guests::believe(room);
    test_guests::sync(room);
    room.on("set", |ctx, timer: Set| match set(ctx, &timer) {
        Ok(()) => ctx.emit("set", json!({ "name": timer.name })),
        Err(refused) => ctx.emit("refused", json!({ "code": refused.code(), "message": refused.message() })),
    });
    room.on("set-and-fail", |ctx, timer: Set| {
        set(ctx, &timer)?;
        Err::<(), _>(Error::msg("on purpose"))
    });
    room.on("cancel", |ctx, timer: Named| {
        let was = ctx.timers().cancel(&timer.name)?;
        ctx.emit("cancelled", json!({ "was": was }))
    });
    room.on("cancel-and-fail", |ctx, timer: Named| {
        ctx.timers().cancel(&timer.name)?;
        Err::<(), _>(Error::msg("on purpose"))
    });
    // As many timers as it says, `fill-0` and so on, until one is refused.
    room.on("fill", |ctx, fill: Fill| {
        let set = |number: &u32| {
            let name = format!("fill-{number}");
            ctx.timers().set(&name, Duration::from_millis(fill.ms), number)
        };
        let results: Vec<Result> = (0..fill.count).map(|number| set(&number)).collect();
        let refused = results.iter().find_map(|result| result.as_ref().err()).map(Error::message);
        let set = results.iter().filter(|result| result.is_ok()).count();
        ctx.emit("filled", json!({ "set": set, "refused": refused }))
    });
    room.on("count", |ctx, _: Value| ctx.emit("count", json!({ "ran": ctx.storage().get("ran")?.unwrap_or(0) })));
    room.on("crash", |_, _: Value| -> Result { panic!("on purpose") });
    room.on_timer("fail", |actor, _: Value| {
        actor.emit("timer", json!({ "name": "from a failed turn" }))?;
        Err::<(), _>(Error::new("timer.failed", "on purpose"))
    });
    room.on_timer("crash", |_, _: Value| -> Result { panic!("on purpose, in a timer") });
    // The hook itself: timers of every name, which come with no socket.
    room.on("$timer", |ctx, data: Value| {
        let ran = ctx.storage().get("ran")?.unwrap_or(0) + 1;
        ctx.storage().put("ran", ran)?;
        let caused = ctx.actor().cause().is_some();
        ctx.actor().emit("timer", json!({ "name": ctx.event().name(), "data": data, "socket": caused }))
    });
    room.on_error(|actor, failed| {
        actor.emit("failed", json!({ "event": failed.event, "code": failed.code, "message": failed.message }))
    });
}

fn set(ctx: &Ctx, timer: &Set) -> Result {
    ctx.timers().set(&timer.name, Duration::from_millis(timer.ms), &timer.data)
}
