//! The accept loop. It is our own because `axum::serve` bounds neither the headers, nor the time that they take, nor the
//! connections of one address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_service::Service as _;

use super::door::{ConnectionPlace, Door, TurnedAway, retry_after_seconds};
use super::listen::Listener;
use super::starting::{Routes, starting};
use crate::socket::ClientStream;
use crate::tenant::account::{Counter, CounterPlace};

/// Bytes of a request's head: enough for cookies and tokens.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// The pause after a failed `accept`: usually the process has run out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How many refused connections get an answer at the same time; in a flood the others close without one.
const FAREWELLS: usize = 64;
/// How long the server reads from a refused connection before it closes it: an earlier close could be a reset, which
/// overtakes the answer.
const FAREWELL: Duration = Duration::from_millis(500);

/// Accepts connections for as long as it is polled. Each request is answered by the routes of its moment.
pub async fn serve(listener: Listener, http: Routes, door: Arc<Door>) {
    let farewells = Arc::new(Counter::new(FAREWELLS));
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(why) => {
                tracing::warn!("cannot accept a connection: {why}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match door.enter(remote.ip()) {
            Ok(place) => {
                tokio::spawn(serve_connection(stream, remote, http.clone(), door.handshake_wait, place));
            }
            Err(why) => {
                if let Some(farewell) = farewells.place() {
                    tokio::spawn(turn_away(stream, why, farewell));
                }
            }
        }
    }
}

async fn serve_connection(
    stream: ClientStream,
    remote: SocketAddr,
    http: Routes,
    header_limit: Duration,
    place: ConnectionPlace,
) {
    stream.send_at_once();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        request.extensions_mut().insert(place.clone());
        let started = http.borrow().clone();
        let mut routes = started.unwrap_or_else(|| starting(http.clone(), header_limit));
        routes.call(request)
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

/// Answers a refused connection with the reason, without reading its request.
async fn turn_away(mut stream: ClientStream, why: TurnedAway, _farewell: CounterPlace) {
    let (status, words) = match why {
        TurnedAway::HostIsFull => ("503 Service Unavailable", "the server is full: sockets-of-host\n"),
        TurnedAway::AddressIsFull => {
            ("429 Too Many Requests", "too many connections of this address: sockets-per-address\n")
        }
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
         retry-after: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{words}",
        retry_after_seconds(None),
        words.len(),
    );
    let said = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1_024];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Closes a peer that neither reads nor hangs up.
    let _ = tokio::time::timeout(FAREWELL, said).await;
}
