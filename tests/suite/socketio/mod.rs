//! Clients of Socket.IO, byte by byte: what Engine.IO 4 and Socket.IO 5 ask of a server, and what rooms say over them.

mod engine;
mod namespaces;
mod origins;
mod page;
mod polling;
mod recovery;
mod rooms;
mod stock;
mod upgrade;

use crate::harness::{Client, Request, Response, Server, Value};

/// The address of a new session over a WebSocket.
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";
/// The address of a new session that polls.
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// The times that the protocol's own public suites run with.
const QUICK: &str =
    "[limits]\nengine-ping-ms = 300\nengine-pong-ms = 200\nengine-connect-ms = 1000\nframe-bytes = 1000000\n";

/// A session over a WebSocket.
struct Session {
    client: Client,
}

impl Session {
    /// Opens a session, and reads its open packet.
    async fn open(server: &Server) -> Self {
        Self::open_at(server, WEBSOCKET).await
    }

    async fn open_at(server: &Server, address: &str) -> Self {
        let mut session = Self { client: server.join(address).await };
        let opened = session.client.frame().await;
        assert!(opened.starts_with("0{"), "{opened}");
        session
    }

    async fn send(&mut self, packet: &str) {
        self.client.send_text(packet).await;
    }

    /// The next packet but for pings, which it answers.
    async fn packet(&mut self) -> String {
        loop {
            let packet = self.client.frame().await;
            if packet != "2" {
                return packet;
            }
            self.send("3").await;
        }
    }

    /// The next packet, which is this.
    async fn expect(&mut self, packet: &str) {
        assert_eq!(self.packet().await, packet);
    }

    /// Comes into a namespace; answers the socket's id.
    async fn enter(&mut self, namespace: &str, auth: &str) -> String {
        let prefix = if namespace == "/" { String::new() } else { format!("{namespace},") };
        self.send(&format!("40{prefix}{auth}")).await;
        let answer = self.packet().await;
        let welcome = answer.strip_prefix(&format!("40{prefix}"));
        let welcome = welcome.unwrap_or_else(|| panic!("{namespace} was refused: {answer}"));
        let welcome: Value = serde_json::from_str(welcome).expect("a JSON object");
        welcome["sid"].as_str().expect("an id").to_owned()
    }
}

/// A session that polls.
struct Poller<'a> {
    server: &'a Server,
    sid: String,
}

impl<'a> Poller<'a> {
    async fn open(server: &'a Server) -> Self {
        let opened = server.request("GET", POLLING).send().await;
        assert_eq!(opened.status, 200, "{opened:?}");
        Self { server, sid: sid_of(&opened.body) }
    }

    /// A session in the namespace of the guest `echo`.
    async fn in_echo(server: &'a Server) -> Self {
        let poller = Self::open(server).await;
        poller.say("40/echo,").await;
        poller.packets().await;
        poller
    }

    fn request(&self, method: &str) -> Request {
        self.server.request(method, &format!("{POLLING}&sid={}", self.sid))
    }

    /// Waits for what is said.
    async fn get(&self) -> Response {
        self.request("GET").send().await
    }

    /// The packets of the next answer.
    async fn packets(&self) -> Vec<String> {
        let answer = self.get().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body.split('\u{1e}').map(str::to_owned).collect()
    }

    async fn post(&self, body: &str) -> Response {
        self.request("POST").body("text/plain;charset=UTF-8", body).send().await
    }

    /// Posts packets that the server takes.
    async fn say(&self, body: &str) {
        let answer = self.post(body).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
}

/// The session's id in an open packet.
fn sid_of(opened: &str) -> String {
    let terms = opened.strip_prefix('0').unwrap_or_else(|| panic!("{opened} opens no session"));
    let terms: Value = serde_json::from_str(terms).expect("a JSON object");
    terms["sid"].as_str().expect("an id").to_owned()
}
