//! The real server as a place where a case runs: one room of it, with real sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use conformance::{Address, Closing, Place, Refusal};
use tokio::sync::RwLock;

use crate::harness::{Client, PATIENCE, Server, Value, json};

/// How often is looked again for what must come.
pub(super) const POLL: Duration = Duration::from_millis(10);
/// How much later than asked for time has passed for certain.
const SLACK_MS: u64 = 30;

/// A socket, what it got and how it ended.
struct Peer {
    client: Client,
    frames: Vec<Value>,
    closed: Option<Closing>,
    /// Where it is to come back, with its secret and how many frames it got; none where it did not ask for that.
    session: Option<Session>,
    /// Whether its line broke, and it has no other.
    is_lost: bool,
}

/// What a client keeps of its session.
struct Session {
    path: String,
    secret: String,
    got: u64,
}

impl Peer {
    /// Waits until the room has handled all that this socket sent, or the socket ended.
    async fn settle(&mut self) {
        if self.closed.is_some() || self.is_lost {
            return;
        }
        let (frames, closed) = self.client.sync_or_end().await;
        self.take(frames);
        if let Some(session) = self.session.as_mut().filter(|_| closed.is_none()) {
            // The answer to its `sync`.
            session.got += 1;
        }
        self.closed = closed.map(|closed| Closing { code: closed.code, reason: closed.reason });
    }

    fn take(&mut self, frames: Vec<String>) {
        for text in frames {
            let frame: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
            match (&mut self.session, frame["type"] == "session") {
                (Some(session), true) => frame["id"].as_str().unwrap_or_default().clone_into(&mut session.secret),
                (Some(session), false) => session.got += 1,
                (None, _) => {}
            }
            if frame["type"] != "session" {
                self.frames.push(frame);
            }
        }
    }
}

pub struct Real {
    server: Arc<RwLock<Server>>,
    room: String,
    /// The plugin's second version.
    second: Arc<Vec<u8>>,
    peers: BTreeMap<String, Peer>,
}

impl Real {
    pub fn new(server: &Arc<RwLock<Server>>, room: &str, second: &Arc<Vec<u8>>) -> Self {
        Self { server: Arc::clone(server), room: room.to_owned(), second: Arc::clone(second), peers: BTreeMap::new() }
    }

    fn peer(&mut self, who: &str) -> Result<&mut Peer, String> {
        self.peers.get_mut(who).ok_or_else(|| format!("there is no socket {who}"))
    }

    /// What the API says of the room; `null` where it is not open.
    async fn entry(&self) -> Value {
        let server = self.server.read().await;
        let path = "/_parlor/api/rooms/default/conformance?limit=1000";
        let list = server.request("GET", path).operator().send().await.json();
        let rooms = list["rooms"].as_array().expect("a list of rooms");
        rooms.iter().find(|entry| entry["room"] == *self.room).cloned().unwrap_or_default()
    }

    /// How many of the room's sockets have no line.
    async fn detached(&self) -> usize {
        let path = format!("/_parlor/api/rooms/default/conformance/{}/sockets", self.room);
        let list = self.server.read().await.request("GET", &path).operator().send().await.json();
        let sockets = list["sockets"].as_array().expect("a list of sockets");
        sockets.iter().filter(|socket| socket["detached"] == true).count()
    }

    /// Waits until the API says of the room what it should.
    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Result<(), String> {
        let looked = async {
            while !holds(&self.entry().await) {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, looked).await;
        waited.map_err(|_| format!("waited {} s for {what}", PATIENCE.as_secs()))
    }

    /// The lines of the log that are about this room.
    async fn lines(&self) -> Vec<Value> {
        let lines = self.server.read().await.log();
        let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")));
        lines.filter(|line: &Value| line["room"] == *self.room).collect()
    }

    async fn failures_now(&self) -> Vec<Value> {
        let failure = |line: Value| {
            let message = line["message"].as_str()?.strip_prefix("turn failed: ")?;
            Some(json!({ "event": line["event"], "code": line["code"], "message": message }))
        };
        self.lines().await.into_iter().filter_map(failure).collect()
    }

    /// What the plugin logged.
    async fn logged_now(&self) -> Vec<String> {
        let line = |line: Value| {
            let (level, message) = (line["level"].as_str()?.to_lowercase(), line["message"].as_str()?);
            (line["target"] == "guest").then(|| format!("{level}: {message}"))
        };
        self.lines().await.into_iter().filter_map(line).collect()
    }
}

impl Place for Real {
    async fn connect(&mut self, who: &str, address: &Address) -> Result<(), Refusal> {
        let asked = {
            let server = self.server.read().await;
            let request = server.request("GET", &address.path);
            address.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
        };
        match asked.websocket().upgrade().await {
            Ok(client) => {
                let asks = address.path.contains("&resume=");
                let path = address.path.replace("&resume=", "");
                let session = asks.then(|| Session { path, secret: String::new(), got: 0 });
                let mut peer = Peer { client, frames: Vec::new(), closed: None, session, is_lost: false };
                peer.settle().await;
                self.peers.insert(who.to_owned(), peer);
                Ok(())
            }
            Err(response) => Err(Refusal { status: response.status, body: response.body }),
        }
    }

    async fn send(&mut self, who: &str, frame: Value) -> Result<(), String> {
        let peer = self.peer(who)?;
        peer.client.send_text(&frame.to_string()).await;
        peer.settle().await;
        Ok(())
    }

    async fn received(&mut self, who: &str, wanted: usize) -> Result<Vec<Value>, String> {
        let peer = self.peer(who)?;
        let waited = async {
            peer.settle().await;
            while peer.frames.len() < wanted && peer.closed.is_none() {
                tokio::time::sleep(POLL).await;
                peer.settle().await;
            }
        };
        // Where it was in vain the case says what is missing.
        let _ = tokio::time::timeout(PATIENCE, waited).await;
        Ok(std::mem::take(&mut self.peer(who)?.frames))
    }

    async fn closed(&mut self, who: &str, is_wanted: bool) -> Option<Closing> {
        let peer = self.peers.get_mut(who)?;
        if is_wanted && peer.closed.is_none() {
            let (frames, closed) = peer.client.frames_until_closed().await;
            peer.take(frames);
            peer.closed = Some(Closing { code: closed.code, reason: closed.reason });
        }
        peer.closed.clone()
    }

    async fn leave(&mut self, who: &str, code: u16, reason: &str) -> Result<(), String> {
        let before = self.entry().await["sockets"].as_u64().unwrap_or_default();
        let peer = self.peer(who)?;
        peer.client.close(code, reason).await;
        peer.closed = Some(Closing { code, reason: reason.to_owned() });
        let is_out = |entry: &Value| entry["sockets"].as_u64().unwrap_or_default() < before;
        self.until("the end of a socket", is_out).await
    }

    async fn lose_line(&mut self, who: &str) -> Result<(), String> {
        let before = self.detached().await;
        let peer = self.peer(who)?;
        peer.is_lost = true;
        // What is left of it is a client that nobody serves.
        peer.client.cut().await;
        let looked = async {
            while self.detached().await == before {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, looked).await;
        waited.map_err(|_| format!("waited {} s for a socket without a line", PATIENCE.as_secs()))
    }

    async fn come_back(&mut self, who: &str) -> Result<(), String> {
        let server = Arc::clone(&self.server);
        let peer = self.peer(who)?;
        let Some(Session { path, secret, got }) = &peer.session else { return Err(format!("{who} has no session")) };
        let wish = format!("{path}&resume={secret}&got={got}");
        let request = server.read().await.request("GET", &wish);
        peer.client = request.websocket().upgrade().await.map_err(|no| format!("refused: {no:?}"))?;
        peer.is_lost = false;
        peer.settle().await;
        Ok(())
    }

    async fn failures(&mut self, wanted: usize) -> Result<Vec<Value>, String> {
        let waited = async {
            while self.failures_now().await.len() < wanted {
                tokio::time::sleep(POLL).await;
            }
        };
        // Where it was in vain the case says what is missing.
        let _ = tokio::time::timeout(PATIENCE, waited).await;
        Ok(self.failures_now().await)
    }

    async fn log(&mut self, wanted: usize) -> Result<Vec<String>, String> {
        // A thread of the server's own writes the log, a moment after the frames.
        let waited = async {
            while self.logged_now().await.len() < wanted {
                tokio::time::sleep(POLL).await;
            }
        };
        // Where it was in vain the case says what is missing.
        let _ = tokio::time::timeout(PATIENCE, waited).await;
        Ok(self.logged_now().await)
    }

    async fn advance(&mut self, ms: u64) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(ms + SLACK_MS)).await;
        Ok(())
    }

    async fn sleep(&mut self) -> Result<(), String> {
        self.until("the room's sleep", |entry| entry["awake"] == false).await
    }

    async fn crash(&mut self, who: &str) -> Result<(), String> {
        self.send(who, json!({ "type": "hang" })).await
    }

    async fn restart(&mut self) -> Result<(), String> {
        self.peers.clear();
        let mut server = self.server.write().await;
        server.kill();
        server.start_again();
        Ok(())
    }

    async fn swap(&mut self, fails: Option<&str>) -> Result<(), String> {
        let put = {
            let server = self.server.read().await;
            let put = server.request("PUT", "/_parlor/api/plugins/default/conformance").operator();
            put.body("application/wasm", self.second.to_vec()).send().await
        };
        if put.status != 200 {
            return Err(format!("the second version was refused: {put:?}"));
        }
        let version = put.json()["version"].clone();
        let Some(code) = fails else {
            return self.until("the swap", |entry| entry["version"] == version).await;
        };
        let waited = async {
            while !self.failures_now().await.iter().any(|it| it["event"] == "$resume" && it["code"] == code) {
                tokio::time::sleep(POLL).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waited).await;
        waited.map_err(|_| format!("waited {} s for a $resume that fails with {code}", PATIENCE.as_secs()))
    }

    async fn stored(&mut self) -> Option<BTreeMap<String, Value>> {
        // The server has its file open: it is looked at when the server has ended.
        None
    }
}
