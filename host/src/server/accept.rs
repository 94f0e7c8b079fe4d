//! Accepting connections: a loop of our own, since `axum::serve` bounds neither the headers nor the time they take, nor
//! who may have how many.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

use super::Server;
use super::addresses::AddressPlace;
use crate::tenant::account::{Counter, CounterPlace};

/// Bytes of a request's head; cookies and tokens fit, floods do not.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// After a failed `accept`, of which running out of descriptors is the usual one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Connections that are turned away with words at once; in a flood the others are closed without any.
const FAREWELLS: usize = 64;
/// How long such a connection is listened to, so that the words are not lost in a reset.
const FAREWELL: Duration = Duration::from_millis(500);
/// What a client that comes too early is told to wait at least, and how far that varies: those who were turned away
/// together must not come back together.
const RETRY_AFTER_SECONDS: (u64, u64) = (2, 8);

/// One connection's place among all, and among those of its address; held by whoever serves it.
#[derive(Debug, Clone)]
pub struct ConnectionPlace {
    _of_host: Arc<CounterPlace>,
    _of_address: Option<Arc<AddressPlace>>,
}

/// Why a connection is turned away.
enum TurnedAway {
    HostIsFull,
    AddressIsFull,
}

/// Accepts connections for as long as it is polled.
pub async fn serve(listener: TcpListener, server: Arc<Server>) {
    let http = super::http(Arc::clone(&server));
    let farewells = Arc::new(Counter::new(FAREWELLS));
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(why) => {
                tracing::warn!("a connection was not accepted: {why}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let limit = Duration::from_millis(server.config.limits().handshake_ms);
        match take_place(&server, remote.ip()) {
            Ok(place) => {
                tokio::spawn(serve_connection(stream, remote, http.clone(), limit, place));
            }
            Err(why) => {
                if let Some(farewell) = farewells.place() {
                    tokio::spawn(turn_away(stream, why, farewell));
                }
            }
        }
    }
}

fn take_place(server: &Server, peer: IpAddr) -> Result<ConnectionPlace, TurnedAway> {
    let of_host = server.connections.place().ok_or(TurnedAway::HostIsFull)?;
    let of_address = if is_proxy(server, peer) {
        None
    } else {
        Some(Arc::new(server.addresses.connect(peer).ok_or(TurnedAway::AddressIsFull)?))
    };
    Ok(ConnectionPlace { _of_host: Arc::new(of_host), _of_address: of_address })
}

/// A client behind a trusted proxy is counted by the address that the proxy names, once it is known.
pub fn place_behind_proxy(server: &Server, peer: SocketAddr, client: IpAddr) -> Result<Option<AddressPlace>, ()> {
    if is_proxy(server, peer.ip()) { server.addresses.connect(client).map(Some).ok_or(()) } else { Ok(None) }
}

fn is_proxy(server: &Server, peer: IpAddr) -> bool {
    let peer = peer.to_canonical();
    server.config.trusted_proxies.iter().any(|net| net.contains(&peer))
}

async fn serve_connection(
    stream: TcpStream,
    remote: SocketAddr,
    http: axum::Router,
    header_limit: Duration,
    place: ConnectionPlace,
) {
    // Frames are small and wait for nobody. Where it cannot be set, they are only later.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        request.extensions_mut().insert(place.clone());
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

/// Answers whatever the connection would ask.
async fn turn_away(mut stream: TcpStream, why: TurnedAway, _farewell: CounterPlace) {
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
    // Who does not listen is closed all the same.
    let _ = tokio::time::timeout(FAREWELL, said).await;
}

/// What `Retry-After` says: at least `wait`, and not the same to everybody.
pub fn retry_after_seconds(wait: Option<Duration>) -> u64 {
    let (least, spread) = RETRY_AFTER_SECONDS;
    let mut byte = [0];
    // Without randomness all are told the same, which is no reason to say nothing.
    let _ = getrandom::fill(&mut byte);
    wait.map_or(least, |wait| wait.as_secs() + 1) + u64::from(byte[0]) % (spread + 1)
}
