//! Realtime rooms for Parlor, in Rust.
//!
//! A room is a function that says what happens on which event. The attribute [`macro@room`] makes a component of it,
//! which a Parlor server loads from its folder of plugins; [`testing::TestRoom`] runs the same function in a plain
//! `cargo test`, without wasm and without a server.
//!
//! ```
//! //! Chat: greets newcomers, relays messages, refuses empty ones.
//! use parlor_guest::{prelude::*, testing::TestRoom};
//!
//! #[derive(Deserialize)]
//! struct ChatMessage {
//!     text: String,
//! }
//!
//! #[parlor_guest::room(name = "chat", path = "/ws")]
//! fn chat(room: &mut Room) {
//!     room.on_connect(|ctx| ctx.emit("welcome", json!({ "userId": ctx.meta().user_id })));
//!
//!     room.on("chat.message", |ctx, message: ChatMessage| {
//!         if message.text.trim().is_empty() {
//!             return Err(reject("chat.empty", "say something first"));
//!         }
//!         ctx.actor().emit("chat.message", json!({ "from": ctx.meta().user_id, "text": message.text }))
//!     });
//! }
//!
//! # fn main() {
//! let room = TestRoom::new(chat);
//! let ada = room.connect_as(Meta::new("ada"));
//! ada.send("chat.message", json!({ "text": "hi" }));
//! assert_eq!(ada.events(), [
//!     json!({ "type": "welcome", "userId": "ada" }),
//!     json!({ "type": "chat.message", "from": "ada", "text": "hi" }),
//! ]);
//! # }
//! ```
//!
//! # A plugin's Cargo.toml
//! `parlor new NAME --lang rust` makes a project with this SDK in it:
//! ```toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//!
//! [dependencies]
//! parlor-guest = { path = ".parlor/sdk/rust" }
//! serde = { version = "1", features = ["derive"] }
//! ```
//! `serde` stands there because the code that its derives write names the crate; everything else comes from
//! [`prelude`].
//!
//! # Turns
//! One event is one turn, and a turn is atomic: if a handler returns an error, panics or runs too long, none of its
//! emits, writes, joins, leaves, closes, timers and alarms happen. Emits leave when the turn commits, in call order.
//!
//! A panic ends the instance: its message goes to the room's log, the sockets stay, and the next event is served by a
//! new instance, after [`Room::on_restore`]'s handlers.
//!
//! # What lasts
//! The instance may go at any time: in a crash, for a new version, or because the room was quiet.
//!
//! | what | survives the instance | a restart or crash of the server |
//! |---|---|---|
//! | [`Actor::storage`], and [`Actor::alarm`] | yes | yes |
//! | [`Actor::timers`], and what [`Ctx::ask`] waits for | yes | no |
//! | sockets, their channels and fields | yes | no |
//! | what [`Room::on_suspend`] returns | yes, where the room sleeps or is swapped; no, where it crashes | no |
//! | [`Room::keep_history`] | yes | where it is durable |
//! | what closures keep in memory | no | no |
//!
//! Storage and alarm are durable before any emit of their turn leaves: what a client was told is not lost. How durable
//! that is the operator decides: `strict` is on the disk before anybody hears of it; `relaxed` is faster, and loses up to the
//! last 100 ms where the machine or the server crashes.
//!
//! What closures keep is a cache: it is not rolled back with a failed turn either. Rebuild it in [`Room::on_restore`], and
//! hand over in [`Room::on_suspend`] what would be dear to rebuild: [`Room::on_resume`] gets it.
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

// Lets the code that the macro writes name this crate in its own tests and examples.
extern crate self as parlor_guest;

mod acks;
mod actor;
mod anywhere;
mod base64;
#[doc(hidden)]
pub mod bindings;
mod bytes;
mod check;
mod context;
mod ctx;
mod error;
mod event;
#[cfg(target_arch = "wasm32")]
mod exports;
mod history;
mod hooks;
mod host;
mod logging;
mod message;
mod meta;
mod metas;
mod outcome;
mod payload;
mod presence;
mod registry;
mod request;
mod room;
mod runtime;
mod selection;
mod socket;
mod socket_id;
mod storage;
mod suspend;
mod suspended;
mod target;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod timers;

pub use acks::Ack;
pub use anywhere::{config, now, random_bytes, random_id};
pub use bytes::{Args, Bytes};
pub use context::{Actor, Ctx, Room};
pub use error::{Error, Result, reject};
pub use event::Event;
pub use history::{History, HistoryEntry, HistoryPage, Keep};
pub use hooks::{Alarm, Disconnect, Failed, Restore, Suspend, User};
pub use logging::{Log, log};
pub use meta::Meta;
pub use outcome::{Answer, Outcome, Reply, Setup, answer};
pub use registry::Handler;
pub use request::{Rejection, Request};
pub use selection::{Elsewhere, Selection};
pub use socket::Socket;
pub use socket_id::SocketId;
pub use storage::{Entries, Entry, Page, Storage};
pub use suspended::Suspended;
pub use target::{Channel, Target};
pub use timers::{AlarmClock, Timers};

/// Makes a plugin of a room's function: `#[parlor_guest::room(name = "chat", path = "/ws")]`.
///
/// `name` is for display (the plugin's identity is its file name). `path` is the websocket path that the plugin
/// serves: 1 to 128 bytes of `/A-Za-z0-9._~-`, beginning with `/`, without `..`, not below `/t/`, and not `/_parlor`,
/// `/socket.io` or below them. Both are checked when the plugin is compiled.
///
/// The function takes a `&mut Room` and returns nothing, or a `parlor_guest::Result` whose error refuses the plugin. It
/// stays an ordinary function, for `TestRoom::new(chat)`. A crate holds one room.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// #[parlor_guest::room(name = "echo", path = "/ws/echo")]
/// fn echo(room: &mut Room) {
///     room.on("echo", |ctx, data: Value| ctx.emit("echo", data));
/// }
///
/// # fn main() {
/// let room = TestRoom::new(echo);
/// let ada = room.connect("/ws/echo");
/// ada.send("echo", json!({ "text": "ho" }));
/// assert_eq!(ada.events(), [json!({ "type": "echo", "text": "ho" })]);
/// # }
/// ```
pub use parlor_guest_macros::room;

pub use serde::{Deserialize, Serialize};
pub use serde_json::{self, Value, json, value::RawValue};

/// All that a plugin needs: `use parlor_guest::prelude::*;`.
///
/// ```
/// use parlor_guest::prelude::*;
///
/// fn echo(room: &mut Room) {
///     room.on("echo", |ctx, data: Value| ctx.emit("echo", data));
/// }
/// ```
pub mod prelude {
    pub use crate::{
        Ack, Actor, Answer, Ctx, Deserialize, Error, Meta, RawValue, Rejection, Request, Result, Room, Serialize,
        SocketId, Value, answer, json, reject,
    };
    pub use std::time::Duration;
}

/// What the code that the macro writes needs. Not for anybody else.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings;
    pub use crate::runtime::{Plugin, setup};
}
