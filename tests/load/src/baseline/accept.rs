//! Listening and the upgrade, in the two ways that are measured.

use std::collections::hash_map::DefaultHasher;
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::response::Response;
use axum::serve::ListenerExt;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Handle, Runtime};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connection::{FRAME_BYTES, READ_BUFFER_BYTES, WRITE_BUFFER_BYTES, serve};
use super::room::Rooms;

/// The path that is served, the same as the bench plugin's; with Socket.IO it is the namespace.
pub const PATH: &str = "/bench";

/// The query of a client's address.
#[derive(Deserialize)]
pub struct Address {
    #[serde(default = "default_room")]
    pub room: String,
}

fn default_room() -> String {
    "default".to_owned()
}

/// Axum from the listener to the frame.
pub async fn with_axum(listener: TcpListener) -> anyhow::Result<()> {
    type AxumRooms = Rooms<axum::extract::ws::Utf8Bytes>;
    async fn upgrade(
        State(rooms): State<AxumRooms>,
        Query(address): Query<Address>,
        upgrade: WebSocketUpgrade,
    ) -> Response {
        upgrade
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(FRAME_BYTES)
            .max_frame_size(FRAME_BYTES)
            .on_upgrade(move |wire| serve(wire, rooms, address.room))
    }
    let router =
        axum::Router::new().route(PATH, axum::routing::any(upgrade)).with_state(AxumRooms::new(Handle::current()));
    serve_router(listener, router).await
}

/// Serves what axum routes.
pub async fn serve_router(listener: TcpListener, router: axum::Router) -> anyhow::Result<()> {
    // Without it the kernel may hold a small frame back until the one before it is acknowledged.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await.context("serve")
}

/// Hyper up to the upgrade, then the TCP stream alone, on the thread that owns its room.
pub async fn with_hyper(listener: TcpListener, shards: Arc<Shards>) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        let shards = shards.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(|request| {
                let shards = shards.clone();
                async move { Ok::<_, Infallible>(upgrade(request, &shards)) }
            });
            // A client that goes away during its handshake is no concern of the server's.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        });
    }
}

fn upgrade(mut request: Request<Incoming>, shards: &Arc<Shards>) -> hyper::Response<String> {
    let mut response = hyper::Response::new(String::new());
    let room = Query::<Address>::try_from_uri(request.uri()).map(|Query(address)| address.room);
    let (PATH, Some(key), Ok(room)) = (request.uri().path(), request.headers().get(SEC_WEBSOCKET_KEY), room) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let Ok(accept) = derive_accept_key(key.as_bytes()).parse() else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let headers = response.headers_mut();
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(CONNECTION, hyper::header::HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, hyper::header::HeaderValue::from_static("websocket"));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let upgraded = hyper::upgrade::on(&mut request);
    let shards = shards.clone();
    tokio::spawn(async move {
        if let Ok(upgraded) = upgraded.await
            && let Err(error) = shards.hand_over(upgraded, room)
        {
            eprintln!("hand over a connection: {error:#}");
        }
    });
    response
}

/// The runtimes that rooms and their sockets live on.
pub struct Shards {
    rooms: Vec<(Handle, Rooms<Utf8Bytes>)>,
    /// Whether a stream must be taken out of the runtime that accepted it, and registered with another.
    moves: bool,
}

impl Shards {
    /// Everything on the runtime that accepts.
    pub fn one(runtime: Handle) -> Arc<Self> {
        Arc::new(Self { rooms: vec![(runtime.clone(), Rooms::new(runtime))], moves: false })
    }

    /// The runtime that accepts is the first shard, `further` ones get a thread each.
    pub fn spawn(first: Handle, further: Vec<Runtime>) -> anyhow::Result<Arc<Self>> {
        let moves = !further.is_empty();
        let mut rooms = vec![(first.clone(), Rooms::new(first))];
        for (index, runtime) in further.into_iter().enumerate() {
            rooms.push((runtime.handle().clone(), Rooms::new(runtime.handle().clone())));
            std::thread::Builder::new()
                .name(format!("shard-{}", index + 1))
                .spawn(move || runtime.block_on(std::future::pending::<()>()))
                .context("start a shard's thread")?;
        }
        Ok(Arc::new(Self { moves, rooms }))
    }

    fn hand_over(&self, upgraded: hyper::upgrade::Upgraded, room: String) -> anyhow::Result<()> {
        let parts = upgraded
            .downcast::<TokioIo<TcpStream>>()
            .map_err(|_| anyhow!("the upgraded connection is not the TCP stream that was accepted"))?;
        let mut hasher = DefaultHasher::new();
        room.hash(&mut hasher);
        let (runtime, rooms) = &self.rooms[hasher.finish() as usize % self.rooms.len()];
        let (rooms, moves) = (rooms.clone(), self.moves);
        let stream = parts.io.into_inner();
        // A copy: hyper's own buffer is of 8 KiB, and would live as long as the connection.
        let early = parts.read_buf.to_vec();
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_message_size(Some(FRAME_BYTES))
            .max_frame_size(Some(FRAME_BYTES));
        runtime.spawn(async move {
            let stream = if moves { stream.into_std().and_then(TcpStream::from_std) } else { Ok(stream) };
            if let Ok(stream) = stream {
                let wire = WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await;
                serve(wire, rooms, room).await;
            }
        });
        Ok(())
    }
}
