//! Moves a socket that has its seat to its room's thread, and serves it there.

use std::pin::pin;
use std::sync::Arc;

use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connection::Connection;
use super::seat::Seat;
use super::stream::DetachedStream;
use super::throttle::Throttled;
use crate::model::limits::Limits;
use crate::seldom::Seldom;
use crate::workers::Workers;

/// Read attempts fill a buffer of this size: tungstenite's default of 128 KiB costs idle sockets 17 times the memory
/// and busy ones up to 3 times the CPU (`tests/load`).
const READ_BUFFER_BYTES: usize = 4 << 10;
/// Frames are gathered up to this size before a write; a flush follows when nothing more is queued.
const WRITE_BUFFER_BYTES: usize = 16 << 10;

static NOT_MOVED: Seldom = Seldom::new();

/// Serves one socket on its room's thread until it ends. `held` are the counted places that the connection occupies
/// until then.
pub fn serve(workers: Arc<Workers>, stream: DetachedStream, read_ahead: &[u8], seat: Seat, held: Box<dyn Send>) {
    // Copied, because a slice of the HTTP connection's buffer would keep its 8 KiB for as long as the socket lives.
    let read_ahead = read_ahead.to_vec();
    let worker = seat.room.worker;
    let runtime = workers.runtime(worker).clone();
    runtime.spawn(async move {
        let _place = workers.place_socket(worker);
        let stream = match stream.attach() {
            Ok(stream) => stream,
            Err(why) => {
                return NOT_MOVED.tell(|left_out| {
                    tracing::warn!(left_out, "a socket cannot move to its room's thread: {why}");
                });
            }
        };
        let plugin = seat.room.plugin();
        let (limits, lane) = (Arc::clone(plugin.limits()), Arc::clone(plugin.account().lane()));
        drop(plugin);
        let stream = Throttled::new(stream, &limits, &read_ahead);
        let config = Some(websocket_config(&limits));
        let ws = WebSocketStream::from_partially_read(stream, read_ahead, Role::Server, config).await;
        // Pinned here: by value, the socket's task would hold its memory twice.
        lane.run(pin!(Connection::new(ws, seat, &limits).run())).await;
        drop(held);
    });
}

fn websocket_config(limits: &Limits) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(limits.frame_bytes))
        .max_frame_size(Some(limits.frame_bytes))
}
