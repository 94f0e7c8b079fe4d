//! Stock clients in three languages against the example plugins, over each transport, beside a socket that speaks Verani's
//! frames. The programs are in `tests/clients`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use crate::harness::scripts::{install, script};
use crate::harness::toolchains::environment;
use crate::harness::{Builder, PATIENCE, Server, Value, json, plugin, root, target};

/// What the clients are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    JavaScript,
    Python,
    Rust,
}

use Language::{JavaScript, Python, Rust};

const ALL: [(Language, &str); 9] = [
    (JavaScript, "websocket"),
    (JavaScript, "polling"),
    (JavaScript, "upgrade"),
    (Python, "websocket"),
    (Python, "polling"),
    (Python, "upgrade"),
    (Rust, "websocket"),
    (Rust, "polling"),
    (Rust, "upgrade"),
];

impl Language {
    fn command(self) -> Command {
        let clients = root().join("tests/clients");
        match self {
            JavaScript => {
                let folder = clients.join("javascript");
                install(&folder).unwrap_or_else(|why| panic!("{why}"));
                let mut command = Command::new("node");
                command.arg(folder.join("client.mjs"));
                command
            }
            Python => {
                let mut command = Command::new(python());
                command.arg(clients.join("python/client.py"));
                command
            }
            Rust => Command::new(rust()),
        }
    }
}

/// A Python with the client, in an environment of its own.
fn python() -> &'static PathBuf {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let requirements = root().join("tests/clients/python/requirements.txt");
        environment("stock-python", &requirements).unwrap_or_else(|why| panic!("{why}")).join("bin/python")
    })
}

fn rust() -> &'static PathBuf {
    static RUST: OnceLock<PathBuf> = OnceLock::new();
    RUST.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = [
            "build",
            "--release",
            "--quiet",
            "--locked",
            "--manifest-path",
            "tests/clients/rust/Cargo.toml",
            "--target-dir",
        ];
        run(Command::new(cargo).current_dir(root()).args(build).arg(target()));
        target().join("release/stock-client")
    })
}

fn run(command: &mut Command) {
    match command.status() {
        Ok(status) if status.success() => {}
        other => panic!("{command:?} failed: {other:?}; these tests need Python 3 with venv, and Node 20"),
    }
}

/// A client that does what it is told.
struct Stock {
    child: Child,
    lines: Receiver<Value>,
    name: String,
}

impl Stock {
    fn start(server: &Server, (language, transport): (Language, &str)) -> Self {
        let mut command = language.command();
        command.arg(format!("http://{}", server.address())).arg(transport);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a client");
        let (said, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"));
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, name: format!("{language:?} over {transport}") }
    }

    fn tell(&mut self, line: &Value) {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        writeln!(stdin, "{line}").unwrap_or_else(|why| panic!("{} ended: {why}", self.name));
    }

    /// The value of the next line with this key; others before it are passed over.
    fn next(&mut self, key: &str) -> Value {
        let mut passed = Vec::new();
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("{} said no {key}, but {passed:?}", self.name));
            if !line[key].is_null() {
                return line[key].clone();
            }
            passed.push(line);
        }
    }

    /// The arguments of the next event of this name.
    fn event(&mut self, name: &str) -> Vec<Value> {
        loop {
            let event = self.next("event");
            let mut parts = event.as_array().expect("an array").clone();
            if parts.remove(0) == name {
                return parts;
            }
        }
    }

    /// Comes into a namespace.
    fn enter(server: &Server, client: (Language, &str), wish: &Value) -> Self {
        let mut stock = Self::start(server, client);
        stock.tell(&json!({ "connect": wish }));
        stock.next("connected");
        stock
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The plugins, once every client can be started: what is built later, sockets that nobody reads would not outlive.
fn plugins() -> Builder {
    for language in [JavaScript, Python, Rust] {
        drop(language.command());
    }
    Server::builder()
        .plugin("chat")
        .plugin("tickets")
        .file("inbox.wasm", script("plugins/inbox/src/index.ts", "inbox"))
        .guest_as("script/mirror", "mirror")
        .config(
            "[tenants.default.plugins.inbox.config]\ntokens = '{\"key-ana\": {\"id\": \"ana\", \"role\": \"admin\"}, \"key-ben\": {\"id\": \"ben\"}}'",
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stock_client_chats_with_a_verani_socket() {
    let server = plugins().start();
    for client in ALL {
        let room = format!("{:?}-{}", client.0, client.1);
        let mut ana = server.join(&format!("/ws?userId=ana&room={room}")).await;
        ana.expect("welcome").await;
        let wish = json!({ "namespace": "/ws", "query": { "userId": "ben", "room": room } });
        let mut ben = Stock::enter(&server, client, &wish);
        assert_eq!(ana.expect("user.join").await["userId"], "ben", "{client:?}");
        ana.send("chat.message", json!({ "text": "hello" })).await;
        ana.expect("chat.message").await;
        assert_eq!(ben.event("chat.message")[0]["text"], "hello", "{client:?}");
        ben.tell(&json!({ "request": ["chat.message", { "text": "hi" }] }));
        assert_eq!(ben.next("ack"), json!([]), "{client:?}");
        assert_eq!(ana.expect("chat.message").await["text"], "hi", "{client:?}");
        ben.tell(&json!({ "request": ["chat.message", { "text": " " }] }));
        let refused = json!([{ "error": { "code": "chat.empty", "message": "say something first" } }]);
        assert_eq!(ben.next("ack"), refused, "{client:?}");
        ben.tell(&json!({ "leave": true }));
        assert_eq!(ana.expect("user.leave").await["userId"], "ben", "{client:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_acknowledged_when_it_is_durable() {
    let server = plugins().start();
    for client in ALL {
        let seats = format!("{:?}-{}", client.0, client.1);
        let wish = json!({ "namespace": "/ws/tickets", "query": { "room": seats, "userId": "ben" } });
        let mut ben = Stock::enter(&server, client, &wish);
        for action in ["seat.hold", "seat.buy"] {
            ben.tell(&json!({ "request": [action, { "seat": "A1" }] }));
            assert_eq!(ben.next("ack"), json!([]), "{client:?} {action}");
        }
        assert_eq!(server.room(&format!("default/tickets/{seats}")).await["sockets"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_known_is_refused_in_the_plugins_words() {
    let server = plugins().start();
    for client in ALL {
        let mut nobody = Stock::start(&server, client);
        nobody.tell(&json!({ "connect": { "namespace": "/ws/inbox" } }));
        let refused = nobody.next("refused");
        assert_eq!(refused["message"], "add ?token= to the address", "{client:?}");
        assert_eq!(refused["data"]["status"], 401, "{client:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_reach_a_user_whom_auth_or_the_address_names() {
    let server = plugins().start();
    for (number, client) in ALL.into_iter().enumerate() {
        let room = format!("{:?}-{}", client.0, client.1);
        let mut ana = server.join(&format!("/ws/inbox?token=key-ana&room={room}")).await;
        ana.expect("inbox").await;
        let key = if number % 2 == 0 { "auth" } else { "query" };
        let wish = json!({ "namespace": "/ws/inbox", key: { "token": "key-ben", "room": room } });
        let mut ben = Stock::enter(&server, client, &wish);
        assert_eq!(ben.event("inbox")[0]["userId"], "ben", "{client:?}");
        let text = format!("number {number}");
        ana.send("note.send", json!({ "userId": "ben", "text": text })).await;
        assert_eq!(ana.expect("note.sent").await["devices"], 1, "{client:?}");
        assert_eq!(ben.event("inbox.changed")[0]["note"]["text"], text, "{client:?}");
        ben.tell(&json!({ "request": ["note.read", {}] }));
        assert_eq!(ben.event("inbox.read")[0]["unread"], 0, "{client:?}");
        assert_eq!(ben.next("ack"), json!([]), "{client:?}");
        ben.tell(&json!({ "request": ["note.send", { "userId": "nobody", "text": "hi" }] }));
        let refused = json!([{ "error": { "code": "user.unknown", "message": "there is no user nobody" } }]);
        assert_eq!(ben.next("ack"), refused, "{client:?}");
        ben.tell(&json!({ "leave": true }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stock_client_recovers_its_connection() {
    let server = plugins().start();
    for transport in ["websocket", "polling", "upgrade"] {
        let mut ana = server.join(&format!("/ws?userId=ana&room={transport}")).await;
        ana.expect("welcome").await;
        let wish = json!({ "namespace": "/ws", "query": { "userId": "ben", "room": transport, "resume": "" } });
        let mut ben = Stock::enter(&server, (JavaScript, transport), &wish);
        ben.event("welcome");
        for text in ["one", "two"] {
            ben.tell(&json!({ "cut": true }));
            ben.next("disconnected");
            ana.send("chat.message", json!({ "text": text })).await;
            assert_eq!(ben.next("recovered"), true, "{transport}");
            assert_eq!(ben.event("chat.message")[0]["text"], text, "{transport}");
        }
        assert_eq!(server.room(&format!("default/chat/{transport}")).await["sockets"], 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_and_several_arguments_go_both_ways() {
    let server = plugins().start();
    for client in ALL {
        let mut ben = Stock::enter(&server, client, &json!({ "namespace": "/mirror" }));
        for arguments in [json!([{ "$bytes": "AQID/w==" }]), json!([1, "two", { "three": 3 }])] {
            let mut line = vec![json!("mirror")];
            line.extend(arguments.as_array().expect("an array").clone());
            ben.tell(&json!({ "emit": line }));
            assert_eq!(json!(ben.event("mirror")), arguments, "{client:?}");
        }
        if client.0 != Rust {
            let nested = json!([{ "picture": { "$bytes": "AQID" }, "more": [{ "$bytes": "/w==" }] }, 7]);
            ben.tell(&json!({ "emit": ["mirror", nested[0], nested[1]] }));
            assert_eq!(json!(ben.event("mirror")), nested, "{client:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_clients_come_back_after_a_restart_and_stay_over_a_swap() {
    let mut server = plugins().early().start();
    server.wait_for_log(&["loaded", "plugin=\"mirror\""]).await;
    server.wait_for_log(&["loaded", "plugin=\"chat\""]).await;
    let wish = json!({ "namespace": "/ws", "query": { "userId": "ben", "room": "r" } });
    let mut clients: Vec<Stock> = ALL.into_iter().map(|client| Stock::enter(&server, client, &wish)).collect();
    // The same code under another version: rooms move, and nobody is disconnected.
    let again = [plugin("chat"), vec![0, 2, 1, b'x']].concat();
    let put = server.request("PUT", "/_parlor/api/plugins/default/chat").operator();
    let put = put.body("application/wasm", again).send().await;
    assert_eq!(put.status, 200, "{put:?}");
    for client in &mut clients {
        client.tell(&json!({ "request": ["chat.message", { "text": "after the swap" }] }));
        assert_eq!(client.next("ack"), json!([]), "{}", client.name);
    }
    server.terminate().await;
    server.start_again();
    for client in &mut clients {
        client.next("disconnected");
        client.next("connected");
        client.tell(&json!({ "request": ["chat.message", { "text": "after the restart" }] }));
        assert_eq!(client.next("ack"), json!([]), "{}", client.name);
    }
}
