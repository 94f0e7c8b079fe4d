//! How an accepted socket gets into its room: it moves to the room's thread and announces itself.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connection::Connection;
use super::throttle::Throttled;
use crate::model::event::SocketId;
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::plugin::supervisor::Refusal;
use crate::protocol::close::CloseReason;
use crate::room::handle::{Closed, Mail, RoomHandle};
use crate::room::outbound::Outbound;
use crate::router::{NoRoom, Router};
use crate::tenant::account::Place;

/// Read attempts fill a buffer of this size: tungstenite's default of 128 KiB costs idle sockets 17 times the memory
/// and busy ones up to 3 times the CPU (design, performance).
const READ_BUFFER_BYTES: usize = 4 << 10;
/// Frames are gathered up to this size before a write; a flush follows when nothing more is queued.
const WRITE_BUFFER_BYTES: usize = 16 << 10;

/// An authorised connection.
pub struct Arrival {
    pub room: RoomHandle,
    pub meta: Meta,
    /// Its place among its tenant's sockets.
    pub place: Place,
    /// What else is counted for as long as the connection lasts.
    pub held: Box<dyn Send>,
}

/// Serves one socket on its room's thread until it ends.
pub fn serve(router: Arc<Router>, stream: std::net::TcpStream, read_ahead: &[u8], arrival: Arrival) {
    // A copy: the HTTP connection's buffer of 8 KiB would live as long as the socket.
    let read_ahead = read_ahead.to_vec();
    let worker = arrival.room.worker;
    let runtime = router.workers().runtime(worker).clone();
    runtime.spawn(async move {
        let workers = Arc::clone(router.workers());
        let _place = workers.place_socket(worker);
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(why) => return tracing::warn!("a socket cannot move to its room's thread: {why}"),
        };
        let limits = Arc::clone(arrival.room.plugin().limits());
        let stream = Throttled::new(stream, limits.inbound_bytes_per_second);
        let config = Some(websocket_config(&limits));
        let ws = WebSocketStream::from_partially_read(stream, read_ahead, Role::Server, config).await;
        let Arrival { room, meta, place, held } = arrival;
        let totals = Arc::clone(&room.plugin().totals);
        let outbound = Arc::new(Outbound::new(&limits, Arc::clone(&room.plugin().account().outbound), place));
        match announce(&router, room, meta, &outbound) {
            Ok((room, id)) => Connection::new(ws, room, id, outbound, limits).run().await,
            Err(reason) => {
                totals.count_close(reason.label());
                super::connection::refuse(ws, reason).await;
            }
        }
        drop(held);
    });
}

/// Puts the socket's arrival into the room's mailbox. A room that ended meanwhile is opened anew.
fn announce(
    router: &Router,
    mut room: RoomHandle,
    meta: Meta,
    outbound: &Arc<Outbound>,
) -> Result<(RoomHandle, SocketId), CloseReason> {
    loop {
        let socket = room.next_socket();
        match room.mailbox.push(Mail::Connect { socket, meta: meta.clone(), outbound: Arc::clone(outbound) }) {
            Ok(()) => return Ok((room, socket)),
            Err(Closed) => {
                room = router.enter(&room.plugin(), &room.key.room).map_err(|why| match why {
                    NoRoom::TooMany => CloseReason::TRY_LATER,
                    NoRoom::Refused(Refusal::Crashed(_)) => CloseReason::CRASHED,
                    NoRoom::Refused(Refusal::Quarantined) => CloseReason::QUARANTINED,
                    NoRoom::Refused(Refusal::Retired) => CloseReason::RETIRED,
                    NoRoom::Draining => CloseReason::RESTART,
                })?;
            }
        }
    }
}

fn websocket_config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(limits.frame_bytes))
        .max_frame_size(Some(limits.frame_bytes))
}
