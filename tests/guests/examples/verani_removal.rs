//! Verani's removal of handlers: one of an event, or all of it, while the room lives.

use std::{cell::RefCell, rc::Rc};

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "removal", path = "/verani/removal")]
fn removal(room: &mut Room) {
    test_guests::sync(room);
    let first = room.on("chat.message", |ctx, _: Value| ctx.emit("first", json!({})));
    room.on("chat.message", |ctx, _: Value| ctx.emit("second", json!({})));
    room.on_message(|ctx, _: Value| ctx.emit("fallback", json!({})));

    let first = Rc::new(RefCell::new(first));
    let removed = Rc::clone(&first);
    room.on("remove.first", move |ctx, _: Value| ctx.emit("removed", ctx.room().off(&removed.borrow())));
    room.on("remove.all", |ctx, _: Value| ctx.emit("removed", ctx.room().off_all("chat.message")));
    room.on("add.third", move |ctx, _: Value| {
        *first.borrow_mut() = ctx.room().on("chat.message", |ctx, _: Value| ctx.emit("third", json!({})));
    });
    // Removes itself: the event that is running keeps the handlers that it began with.
    room.on("once", |ctx, _: Value| {
        ctx.room().off_all("once");
        ctx.emit("once.first", json!({}))
    });
    room.on("once", |ctx, _: Value| ctx.emit("once.second", json!({})));
}
