//! Fails in the hook that the operator names, in the way that the operator names; serves well otherwise.

use std::cell::RefCell;
use std::rc::Rc;

use parlor_guest::prelude::*;
use parlor_guest::{Failed, Restore, config};

/// The user for whom it fails.
const UNLUCKY: &str = "unlucky";

/// Fails where the operator said so.
fn at(hook: &str) -> Result {
    if config("hook").as_deref() != Some(hook) {
        return Ok(());
    }
    match config("way").as_deref() {
        Some("spin") => {
            let mut count = 0u64;
            loop {
                count = std::hint::black_box(count.wrapping_add(1));
            }
        }
        Some("error") => Err(Error::new("hook.error", format!("failed in {hook}"))),
        _ => panic!("panicked in {hook}"),
    }
}

#[parlor_guest::room(name = "hooks", path = "/hooks")]
fn hooks(room: &mut Room) -> Result {
    at("init")?;
    test_guests::sync(room);
    // What this instance was called for, in order.
    let calls = Rc::new(RefCell::new(Vec::<String>::new()));
    let seen = |what: &'static str| {
        let calls = Rc::clone(&calls);
        move || calls.borrow_mut().push(what.to_owned())
    };

    room.authorize(|request: &Request| -> Result<Meta, Rejection> {
        let user = request.query("user").unwrap_or_else(|| "lucky".to_owned());
        if user == UNLUCKY
            && let Err(error) = at("authorize")
        {
            return Err(Rejection::new(403, error.message()));
        }
        Ok(Meta::new(user))
    });
    let note = seen("$connect");
    room.on_connect(move |ctx| {
        note();
        if ctx.meta().user_id == UNLUCKY { at("$connect") } else { Ok(()) }
    });
    let note = seen("$disconnect");
    room.on_disconnect(move |ctx, _| {
        note();
        parlor_guest::log().info(format!("$disconnect of {}", ctx.meta().user_id));
        ctx.actor().emit("gone", json!({ "user": ctx.meta().user_id }))?;
        if ctx.meta().user_id == UNLUCKY { at("$disconnect") } else { Ok(()) }
    });
    room.on("fail", |_, _: Value| at("event"));
    // For the hooks that follow from a failure.
    room.on("fail-anyway", |_, way: String| -> Result {
        match &*way {
            "panic" => panic!("panicked in an event"),
            _ => Err(Error::new("event.error", "failed in an event")),
        }
    });
    room.on_message(|_, _: Value| at("$message"));
    let note = seen("$error");
    room.on_error(move |actor, failed: Failed| {
        note();
        actor.emit("failed", json!({ "event": failed.event, "code": failed.code, "message": failed.message }))?;
        at("$error")
    });
    let note = seen("$restore");
    room.on_restore(move |actor, restore: Restore| {
        note();
        let (users, reason) = (actor.user_ids(), restore.reason);
        actor.emit("restored", json!({ "reason": reason, "users": users }))?;
        at("$restore")
    });
    let told = Rc::clone(&calls);
    room.on("calls", move |ctx, _: Value| ctx.emit("calls", json!({ "calls": *told.borrow() })));
    Ok(())
}
