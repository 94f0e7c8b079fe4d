//! The room on socketioxide, as on Node's socket.io (`tests/load/socketio`): the same namespace, the same handlers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Query;
use serde::Serialize;
use socketioxide::SocketIo;
use socketioxide::extract::{Data, SocketRef};
use tokio::net::TcpListener;

use super::accept::{Address, PATH, serve_router};
use super::connection::{FRAME_BYTES, READ_BUFFER_BYTES};
use super::frames::{Note, now_ms};
use super::room::{KEYS, OUTBOUND_FRAMES};

/// What the rooms keep.
type Kept = Arc<Mutex<HashMap<String, HashMap<&'static str, String>>>>;

/// The data of all answers.
#[derive(Serialize)]
struct Stamped<'a> {
    n: u64,
    text: &'a str,
    at: u64,
}

impl<'a> Stamped<'a> {
    fn of(note: &'a Note) -> Self {
        Self { n: note.n, text: &note.text, at: now_ms() }
    }
}

/// Serves until the process is killed.
pub async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    let (layer, io) = SocketIo::builder()
        .max_buffer_size(OUTBOUND_FRAMES)
        .ws_read_buffer_size(READ_BUFFER_BYTES)
        .ws_max_message_size(FRAME_BYTES)
        .ws_max_frame_size(FRAME_BYTES)
        .build_layer();
    let kept = Kept::default();
    io.ns(PATH, async move |socket: SocketRef| enter(&socket, &kept));
    serve_router(listener, axum::Router::new().layer(layer)).await
}

/// A client has come in. What cannot be sent to it is missed by the load, which ends the run.
fn enter(socket: &SocketRef, kept: &Kept) {
    let Ok(Query(Address { room })) = Query::try_from_uri(&socket.req_parts().uri) else { return };
    socket.join(room.clone());
    socket.on("echo", async |socket: SocketRef, Data(note): Data<Note>| {
        let _ = socket.emit("echo", &Stamped::of(&note));
    });
    let all = room.clone();
    socket.on("say", async move |socket: SocketRef, Data(note): Data<Note>| {
        let _ = socket.within(all).emit("say", &Stamped::of(&note)).await;
    });
    let kept = Arc::clone(kept);
    socket.on("recall", async move |socket: SocketRef, Data(note): Data<Note>| {
        look_up(&kept, room, &note);
        let _ = socket.emit("recall", &Stamped::of(&note));
    });
}

/// Looks up three values of a room; those that are not there become the note's text.
fn look_up(kept: &Kept, room: String, note: &Note) {
    let mut rooms = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let values = rooms.entry(room).or_default();
    for key in KEYS {
        values.entry(key).or_insert_with(|| note.text.clone());
    }
}
