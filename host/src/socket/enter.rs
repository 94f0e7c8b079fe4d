//! Moves a socket that has its seat to its room's thread, and serves it there.

use std::pin::pin;
use std::sync::Arc;

use super::connection::Connection;
use super::seat::Seat;
use super::stream::DetachedStream;
use super::ws;
use crate::seldom::Seldom;
use crate::workers::Workers;

static NOT_MOVED: Seldom = Seldom::new();

/// Serves one socket on its room's thread until it ends. `held` are the counted places that the connection occupies
/// until then.
pub fn serve(workers: Arc<Workers>, stream: DetachedStream, read_ahead: Vec<u8>, seat: Seat, held: Box<dyn Send>) {
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
        let ws = ws::open(stream, read_ahead, &limits).await;
        let mut connection = Connection::new(ws, seat, &limits);
        drop(limits);
        // Pinned here: by value, the socket's task would hold its memory twice.
        lane.run(pin!(connection.run())).await;
        drop(held);
    });
}
