//! The bare connection behind a 101: it leaves HTTP and this thread.

use axum::http::Request;
use hyper_util::rt::TokioIo;

use crate::seldom::Seldom;
use crate::socket::{ClientStream, DetachedStream};

static NOT_OURS: Seldom = Seldom::new();
static NOT_MOVED: Seldom = Seldom::new();

/// The connection of a request as soon as its 101 is sent, and what was read of it already; none where it broke off.
pub(super) async fn bare_connection(request: Request<()>) -> Option<(DetachedStream, Vec<u8>)> {
    let upgraded = match hyper::upgrade::on(request).await {
        Ok(upgraded) => upgraded,
        Err(why) => {
            tracing::debug!("an upgrade broke off: {why}");
            return None;
        }
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<ClientStream>>() else {
        NOT_OURS.tell(|left_out| {
            tracing::error!(left_out, "an upgraded connection is not one that this server accepted");
        });
        return None;
    };
    match parts.io.into_inner().detach() {
        // Copied, because a slice of the HTTP connection's buffer would keep its 8 KiB for as long as the socket lives.
        Ok(stream) => Some((stream, parts.read_buf.to_vec())),
        Err(why) => {
            NOT_MOVED.tell(|left_out| {
                tracing::warn!(left_out, "a socket cannot leave the thread that accepted it: {why}");
            });
            None
        }
    }
}
