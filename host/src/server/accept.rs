//! The accept loop. It is our own because `axum::serve` bounds neither the headers, nor the time that they take, nor the
//! connections of one address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower_service::Service as _;

use super::door::{ConnectionPlace, Door, TurnedAway};
use super::forwarded::Peer;
use super::keep_alive::HeadTimer;
use super::listen::Listener;
use super::proxy_protocol::{self, BadProxyHeader};
use super::refusal::retry_after_seconds;
use super::starting::{Routes, starting};
use crate::seldom::Seldom;
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

static NO_PROXY_HEADER: Seldom = Seldom::new();
static NO_ACCEPT: Seldom = Seldom::new();
static NO_HTTP: Seldom = Seldom::new();

/// Accepts connections for as long as it is polled. Each request is answered by the routes of its moment.
pub async fn serve(listener: Arc<Listener>, http: Routes, door: Arc<Door>) {
    let farewells = Arc::new(Counter::new(FAREWELLS));
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(why) => {
                NO_ACCEPT.tell(|left_out| tracing::warn!(left_out, "cannot accept a connection: {why}"));
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        match door.enter(remote.ip()) {
            Ok(place) => {
                let (http, door, farewells) = (http.clone(), Arc::clone(&door), Arc::clone(&farewells));
                tokio::spawn(welcome(stream, remote, http, door, place, farewells));
            }
            Err(why) => {
                if let Some(farewell) = farewells.place() {
                    tokio::spawn(turn_away(stream, why, farewell));
                }
            }
        }
    }
}

/// Reads what a proxy says of its client, where it is to say something, and serves the connection.
async fn welcome(
    mut stream: ClientStream,
    remote: SocketAddr,
    http: Routes,
    door: Arc<Door>,
    place: ConnectionPlace,
    farewells: Arc<Counter>,
) {
    stream.send_at_once();
    let peer = door.peer(remote.ip());
    if !door.expects_proxy_header(peer) {
        return serve_connection(stream, peer, http, &door, place).await;
    }
    let told = match tokio::time::timeout(door.handshake_wait, proxy_protocol::read(&mut stream)).await {
        Ok(Ok(told)) => told,
        Ok(Err(BadProxyHeader::Nothing)) => return,
        Ok(Err(why)) => return close_unintroduced(remote, &why.to_string()),
        Err(_) => return close_unintroduced(remote, "it sent no PROXY header in time: handshake-ms"),
    };
    match door.introduce(peer, place, told) {
        Ok((client, place)) => serve_connection(stream, client, http, &door, place).await,
        Err(why) => {
            if let Some(farewell) = farewells.place() {
                turn_away(stream, why, farewell).await;
            }
        }
    }
}

fn close_unintroduced(remote: SocketAddr, why: &str) {
    NO_PROXY_HEADER.tell(|left_out| {
        tracing::warn!(%remote, left_out, "closed a connection of a trusted proxy, as forwarded-by is proxy-protocol: {why}");
    });
}

async fn serve_connection(stream: ClientStream, peer: Peer, http: Routes, door: &Arc<Door>, place: ConnectionPlace) {
    let (seen_by, patience) = (Arc::clone(door), door.handshake_wait);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        let client = seen_by.client(request.headers(), peer);
        request.extensions_mut().insert(client);
        request.extensions_mut().insert(place.clone());
        let started = http.borrow().clone();
        let mut routes = started.unwrap_or_else(|| starting(http.clone(), patience));
        routes.call(request)
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(HeadTimer::new(door.keep_alive))
        .header_read_timeout(door.handshake_wait)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    let Err(why) = served else { return };
    let remote = peer.address;
    match door.hint(peer).filter(|_| why.is_parse()) {
        Some(hint) => NO_HTTP.tell(|left_out| {
            tracing::warn!(%remote, left_out, "closed a connection that speaks no HTTP ({why}); {hint}");
        }),
        None => tracing::debug!(%remote, "the connection failed: {why}"),
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
