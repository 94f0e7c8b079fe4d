//! Asks for everything that a turn can ask for, and then fails it in the way that the client wishes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use parlor_guest::prelude::*;
use parlor_guest::{Failed, Restore};

#[derive(Deserialize)]
struct Wish {
    /// How the turn ends: see `end`.
    how: String,
}

#[parlor_guest::room(name = "turns", path = "/turns")]
fn turns(room: &mut Room) {
    test_guests::sync(room);
    // Guest memory: what the instance counts is not rolled back, and is gone with the instance.
    let attempts = Rc::new(Cell::new(0u32));
    let restored = Rc::new(RefCell::new(None::<String>));

    room.authorize(|request: &Request| -> Result<Meta, Rejection> {
        Ok(Meta::new(request.query("user").unwrap_or_else(|| "somebody".to_owned())))
    });
    let count = Rc::clone(&attempts);
    room.on("attempt", move |ctx, wish: Wish| {
        count.set(count.get() + 1);
        ask_for_everything(ctx)?;
        end(&wish.how)
    });
    let (count, reason) = (Rc::clone(&attempts), Rc::clone(&restored));
    room.on("state", move |ctx, _: Value| {
        let meta = ctx.meta();
        let stored: Option<String> = ctx.storage().get("written")?;
        ctx.emit(
            "state",
            json!({
                "channels": meta.channels,
                "fields": meta.fields::<Value>()?,
                "stored": stored,
                "attempts": count.get(),
                "sockets": ctx.session_count(),
                "users": ctx.user_ids(),
                "restored": *reason.borrow(),
            }),
        )
    });
    room.on_error(|actor, failed: Failed| {
        let data = json!({ "event": failed.event, "code": failed.code, "message": failed.message });
        match actor.cause() {
            Some(socket) => actor.socket(socket).emit("failed", data),
            None => Ok(0),
        }
    });
    let reason = Rc::clone(&restored);
    room.on_restore(move |actor, restore: Restore| {
        *reason.borrow_mut() = Some(restore.reason.clone());
        actor.emit("restored", json!({ "reason": restore.reason, "sockets": actor.session_count() }))
    });
}

fn ask_for_everything(ctx: &Ctx) -> Result {
    ctx.emit("leak", json!({ "to": "self" }))?;
    ctx.actor().emit("leak", json!({ "to": "all" }))?;
    ctx.join("secret")?;
    ctx.leave("default")?;
    ctx.set_fields(&json!({ "leaked": true }))?;
    ctx.storage().put("written", "leaked")?;
    ctx.close(4000, "leaked")
}

fn end(how: &str) -> Result {
    match how {
        "error" => Err(Error::new("fault.error", "failed on purpose")),
        "reject" => Err(reject("fault.reject", "rejected on purpose")),
        "panic" => panic!("panicked on purpose"),
        "spin" => spin(),
        "recurse" => Err(Error::msg(recurse(1).to_string())),
        "grow" => grow(),
        "exit" => std::process::exit(0),
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_secs(3_600));
            Ok(())
        }
        other => Err(Error::msg(format!("no way to fail is called {other:?}"))),
    }
}

fn spin() -> ! {
    let mut count = 0u64;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

#[expect(unconditional_recursion, reason = "that is its purpose")]
fn recurse(depth: u64) -> u64 {
    let page = std::hint::black_box([depth; 128]);
    recurse(depth + 1) + std::hint::black_box(page)[7]
}

fn grow() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![1u8; 1 << 20]));
    }
}
