//! Requests byte by byte: the tests send what no well-behaved client would, and read refusals as they are.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use super::client::Client;
use super::events::Events;
use super::{TOKEN, Value, soon};

/// A request to be.
#[derive(Debug, Clone)]
pub struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    version: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    preface: Vec<u8>,
    from: Option<IpAddr>,
    receive_buffer: Option<u32>,
}

/// An answer that is no WebSocket.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    /// The first value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {:?}", self.body))
    }
}

impl Request {
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("host".to_owned(), address.to_string())],
            body: Vec::new(),
            version: "HTTP/1.1".to_owned(),
            preface: Vec::new(),
            from: None,
            receive_buffer: None,
        }
    }

    /// Speaks another version than HTTP/1.1.
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// Sends bytes before its first line, as a proxy may.
    pub fn behind(mut self, preface: impl Into<Vec<u8>>) -> Self {
        self.preface = preface.into();
        self
    }

    /// Has so little room for what it does not read that the server soon cannot send it more.
    pub fn with_little_room(mut self) -> Self {
        self.receive_buffer = Some(4 << 10);
        self
    }

    /// Comes from 127.0.0.`last`, which is this machine as well.
    pub fn coming_from_loopback(self, last: u8) -> Self {
        self.from(&format!("127.0.0.{last}"))
    }

    /// Comes from this address of the machine.
    pub fn from(mut self, address: &str) -> Self {
        self.from = Some(address.parse().expect("an address"));
        self
    }

    /// Adds a header; a `host` takes the place of the default one.
    pub fn header(self, name: &str, value: &str) -> Self {
        let own = if name == "host" { self.without("host") } else { self };
        own.line(name, value)
    }

    /// Adds a line to its head, whatever stands there already.
    pub fn line(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header out.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self
    }

    /// Adds the operator's token.
    pub fn operator(self) -> Self {
        self.header("authorization", &format!("Bearer {TOKEN}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-type", content_type).header("content-length", &length)
    }

    /// Makes it ask for a WebSocket, as RFC 6455 says.
    pub fn websocket(self) -> Self {
        self.header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    }

    /// Sends it and reads the answer, which is no WebSocket.
    pub async fn send(self) -> Response {
        let line = format!("{} {}", self.method, self.path);
        match self.exchange().await {
            Ok(_) => panic!("{line}: the server switched protocols"),
            Err(response) => response,
        }
    }

    /// Sends it; a socket, or why there is none.
    pub async fn upgrade(self) -> Result<Client, Response> {
        let Upgraded { stream, read_ahead, headers } = self.exchange().await?;
        let chosen = headers.into_iter().find(|(name, _)| name == "sec-websocket-protocol");
        Ok(Client::new(stream, read_ahead, chosen.map(|(_, value)| value)).await)
    }

    async fn exchange(self) -> Result<Upgraded, Response> {
        let what = format!("an answer to {} {}", self.method, self.path);
        soon(&what, self.exchange_now()).await
    }

    /// Sends it, and listens to the server-sent events of the answer.
    pub async fn listen(self) -> Events {
        Events::of(self.sent().await).await
    }

    async fn exchange_now(self) -> Result<Upgraded, Response> {
        read_response(self.sent().await).await
    }

    /// The connection, once the request is on its way.
    async fn sent(self) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0)).expect("an address of this machine");
        }
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes).expect("a socket's option");
        }
        let mut stream = socket.connect(self.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a socket's option");
        let mut head = format!("{} {} {}\r\n", self.method, self.path, self.version);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        // A server that refuses before it has read everything may close on us: what counts is its answer.
        let _ = stream.write_all(&[&self.preface, head.as_bytes(), &self.body].concat()).await;
        stream
    }
}

/// A connection that is a WebSocket now.
struct Upgraded {
    stream: TcpStream,
    read_ahead: Vec<u8>,
    headers: Vec<(String, String)>,
}

async fn read_response(mut stream: TcpStream) -> Result<Upgraded, Response> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break end;
        }
        let read = stream.read_buf(&mut bytes).await.expect("an answer");
        assert!(read > 0, "the server closed before its answer was whole: {bytes:?}");
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let mut body = bytes.split_off(end + 4);
    let mut lines = head.split("\r\n");
    let status_line = lines.next().expect("a status line");
    let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("{status_line:?} is no status line"));
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if status == 101 {
        return Ok(Upgraded { stream, read_ahead: body, headers });
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
    while body.len() < length {
        let read = stream.read_buf(&mut body).await.expect("a body");
        assert!(read > 0, "the server closed within a body");
    }
    let body = String::from_utf8(body).expect("a body that is text");
    Err(Response { status, headers, body })
}
