//! Accepting connections: a loop of our own, since `axum::serve` bounds neither the headers nor the time they take.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

use super::Server;

/// Bytes of a request's head; cookies and tokens fit, floods do not.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// After a failed `accept`, of which running out of descriptors is the usual one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections for as long as it is polled.
pub async fn serve(listener: TcpListener, server: Arc<Server>) {
    let http = super::http(Arc::clone(&server));
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(why) => {
                tracing::warn!("a connection was not accepted: {why}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let limit = Duration::from_millis(server.config.limits.handshake_ms);
        tokio::spawn(serve_connection(stream, remote, http.clone(), limit));
    }
}

async fn serve_connection(stream: TcpStream, remote: SocketAddr, http: axum::Router, header_limit: Duration) {
    // Frames are small and wait for nobody. Where it cannot be set, they are only later.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        http.clone().call(request)
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_limit)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(why) = served {
        tracing::debug!(%remote, "the connection failed: {why}");
    }
}
