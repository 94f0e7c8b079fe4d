//! Decides by the query who may enter, and tells who entered what it was told of the request.

use std::time::Duration;

use parlor_guest::prelude::*;

#[parlor_guest::room(name = "door", path = "/door")]
fn door(room: &mut Room) {
    room.authorize(authorize);
    test_guests::sync(room);
    room.on_connect(|ctx| {
        ctx.log().info(format_args!("the room {} is open", ctx.room_id()));
        ctx.emit("request", ctx.meta().fields::<Value>()?)
    });
}

fn authorize(request: &Request) -> Result<Meta, Rejection> {
    if let Some(status) = request.query("status") {
        // What is no number is an error that nobody catches.
        let status = status.parse::<u16>().map_err(Error::from)?;
        return Err(Rejection::new(status, request.query("words").unwrap_or_default()));
    }
    if let Some(wait) = request.query("wait") {
        parlor_guest::log().info("the door waits");
        std::thread::sleep(Duration::from_millis(wait.parse::<u64>().map_err(Error::from)?));
    }
    if request.query("trap").is_some() {
        panic!("the door fell shut");
    }
    let header = |name| request.header(name);
    let fields = json!({
        "uri": request.uri, "room": request.room, "remote": request.remote,
        "auth": request.auth::<Value>()?, "wire": header("parlor-wire"),
        "cookie": header("cookie"), "authorization": header("authorization"), "plain": header("x-plain"),
    });
    Ok(test_guests::meta_of(request).with_fields(&fields)?)
}
