//! What the test guests share. Each of them is an example of this package and shows one behaviour; the integration
//! tests build them to components and serve them.

pub mod swap;

use parlor_guest::{Meta, Rejection, Request, Room, Value};

/// Answers `sync` with `synced` and the same data: a test that has read the answer has read everything that the room
/// did for its socket before.
pub fn sync(room: &Room) {
    room.on("sync", |ctx, data: Value| ctx.emit("synced", data));
}

/// Believes what the query says: `user`, `client`, and `in`, the channels with commas between them. What is not there
/// is made up as the host would.
pub fn believe(room: &Room) {
    room.authorize(|request| Ok::<_, Rejection>(meta_of(request)));
}

/// The meta that a query describes.
pub fn meta_of(request: &Request) -> Meta {
    let mut meta = match request.query("user") {
        Some(user) => Meta::new(user),
        None => Meta::anonymous(),
    };
    if let Some(client) = request.query("client") {
        meta = meta.with_client_id(client);
    }
    if let Some(channels) = request.query("in") {
        meta = meta.in_channels(channels.split(','));
    }
    meta
}
