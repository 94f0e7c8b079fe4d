//! Says what becomes of the lines of its sockets, and to each sender what it took: a client that numbers its events sees
//! whether one was lost, came twice or came out of order.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "lines", path = "/lines")]
fn lines(room: &mut Room) {
    test_guests::sync(room);
    test_guests::believe(room);
    let sockets = Rc::new(RefCell::new(HashMap::new()));
    let known = Rc::clone(&sockets);
    room.on_connect(move |ctx| {
        known.borrow_mut().insert(ctx.meta().user_id.clone(), ctx.id());
    });
    room.on_disconnect(|ctx, end| {
        ctx.actor().emit("gone", json!({ "user": ctx.meta().user_id, "code": end.code })).map(|_| ())
    });
    room.on_lost(|ctx| ctx.actor().to("watchers").emit("lost", json!({ "user": ctx.meta().user_id })));
    room.on_back(|ctx| ctx.actor().to("watchers").emit("back", json!({ "user": ctx.meta().user_id })));
    room.on("number", |ctx, n: u64| ctx.emit("took", json!({ "n": n })));
    room.on("tell", |ctx, n: u64| ctx.actor().emit("told", json!({ "n": n })));
    room.on("add", |_ctx, (a, b): (u64, u64)| answer(&json!(a + b)));
    let known = Rc::clone(&sockets);
    room.on("ask", move |ctx, user: String| match known.borrow().get(&user) {
        Some(id) => ctx.actor().socket(*id).ask("question", json!({}), Duration::from_secs(60)),
        None => Err(Error::msg("nobody of that name")),
    });
    room.on_ack("question", |ctx, ack: Ack<Value>| {
        let outcome = ack.answered().unwrap_or_else(|| json!("none"));
        ctx.actor().to("watchers").emit("answered", json!({ "answer": outcome }))
    });
    room.on("kick", move |ctx, user: String| match sockets.borrow().get(&user) {
        Some(id) => ctx.actor().socket(*id).close(4_003, "kicked"),
        None => Err(Error::msg("nobody of that name")),
    });
    room.on("crash", |_ctx, _: Value| -> Result<(), Error> { std::process::abort() });
}
