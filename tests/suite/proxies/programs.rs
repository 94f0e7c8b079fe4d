//! Real proxies in front of the server, with the configurations of `docs/operators/proxies.md`: addresses, certificates and
//! listeners are a test's own, and nothing else is changed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::docs::blocks::{Block, page};
use crate::harness::command::parlor;
use crate::harness::{Folder, PATIENCE, Request, Server, TOKEN, Value};

const PAGE: &str = "docs/operators/proxies.md";
/// The address that clients come from: the proxies have another.
const CLIENT: &str = "127.0.0.2";

/// What a client may write to be somebody else.
const FORGED: [(&str, &str); 7] = [
    ("forwarded", "for=198.51.100.1;proto=https;host=evil.example"),
    ("x-forwarded-for", "198.51.100.1"),
    ("x-real-ip", "198.51.100.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-port", "8443"),
    ("x-forwarded-prefix", "/evil"),
];

/// A proxy that runs as long as this value lives.
struct Proxy {
    child: Child,
    folder: Folder,
    address: SocketAddr,
    certificate: String,
}

/// The `number`-th block of the page in a language.
fn block(language: &str, number: usize) -> String {
    let blocks: Vec<Block> = page(PAGE).blocks().into_iter().filter(|block| block.language == language).collect();
    blocks.get(number).unwrap_or_else(|| panic!("{PAGE} has no block {number} for {language}")).text.clone()
}

/// Replaces what stands in a configuration of the page.
fn replace(text: &str, what: &str, by: &str) -> String {
    assert!(text.contains(what), "{PAGE} has no {what:?} any more");
    text.replace(what, by)
}

impl Proxy {
    /// Starts nginx with a block of the page. `tls` is whether clients speak TLS to it.
    fn nginx(server: &Server, text: &str, tls: bool) -> Self {
        Self::start("nginx", "nginx-light", |folder, port| {
            let listen = if tls { format!("{port} ssl;") } else { format!("127.0.0.1:{port};") };
            let text = replace(text, "listen 443 ssl;", &format!("listen {listen}"));
            let text = replace(&text, "127.0.0.1:7070", &server.address().to_string());
            let file = |key: &str, name: &str| format!("{key} {};", folder.path().join(name).display());
            let lines = text.lines().map(|line| match line.split_whitespace().next() {
                Some("ssl_certificate") if tls => file("ssl_certificate", "cert.pem"),
                Some("ssl_certificate_key") if tls => file("ssl_certificate_key", "key.pem"),
                Some(key) if key.starts_with("ssl_") => String::new(),
                _ => line.to_owned(),
            });
            let own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
            let own = own.map(|of| file(&format!("{of}_temp_path"), "temp")).join("\n");
            let http = format!("http {{\naccess_log off;\n{own}\n{}\n}}", lines.collect::<Vec<_>>().join("\n"));
            let pid = file("pid", "nginx.pid");
            let whole = format!("daemon off;\nmaster_process off;\n{pid}\nevents {{}}\n{http}\n");
            let config = folder.path().join("nginx.conf");
            fs::write(&config, whole).expect("a configuration");
            vec!["-e".to_owned(), "stderr".to_owned(), "-c".to_owned(), config.display().to_string()]
        })
    }

    fn haproxy(server: &Server, text: &str) -> Self {
        Self::start("haproxy", "haproxy", |folder, port| {
            let text = replace(text, "bind :443", &format!("bind 127.0.0.1:{port}"));
            let pem = folder.path().join("both.pem").display().to_string();
            let text = replace(&text, "/etc/haproxy/rooms.example.pem", &pem);
            let text = replace(&text, "127.0.0.1:7070", &server.address().to_string());
            fs::write(folder.path().join("haproxy.cfg"), text).expect("a configuration");
            vec!["-db".to_owned(), "-f".to_owned(), folder.path().join("haproxy.cfg").display().to_string()]
        })
    }

    fn caddy(server: &Server, text: &str) -> Self {
        Self::start("caddy", "caddy", |folder, port| {
            let text =
                replace(text, "rooms.example {", &format!("http://127.0.0.1:{port}, http://rooms.example:{port} {{"));
            let text = replace(&text, "127.0.0.1:7070", &server.address().to_string());
            fs::write(folder.path().join("Caddyfile"), format!("{{\nadmin off\n}}\n{text}")).expect("a configuration");
            let file = folder.path().join("Caddyfile").display().to_string();
            ["run", "--adapter", "caddyfile", "--config", &file].map(str::to_owned).to_vec()
        })
    }

    /// Starts a program on a free port, and waits until it listens. `configure` writes its files and answers its
    /// arguments.
    fn start(program: &str, package: &str, configure: impl Fn(&Folder, u16) -> Vec<String>) -> Self {
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let is_there = path.split(':').any(|folder| std::path::Path::new(folder).join(program).is_file());
        assert!(is_there, "there is no {program}: apt-get install {package}");
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["rooms.example".to_owned()]).expect("a certificate");
        let (certificate, key) = (cert.pem(), signing_key.serialize_pem());
        // Another program may take the port before this one does.
        for _ in 0..5 {
            let folder = Folder::new();
            for (name, text) in [("cert.pem", &certificate), ("key.pem", &key)] {
                fs::write(folder.path().join(name), text).expect("a file");
            }
            fs::write(folder.path().join("both.pem"), format!("{certificate}{key}")).expect("a file");
            let free = TcpListener::bind("127.0.0.1:0").expect("a port");
            let address = free.local_addr().expect("an address");
            drop(free);
            let arguments = configure(&folder, address.port());
            let log = fs::File::create(folder.log()).expect("a file for the log");
            let mut command = Command::new(program);
            command.args(arguments).current_dir(folder.path()).env("PATH", &path);
            command
                .env("HOME", folder.path())
                .env("XDG_DATA_HOME", folder.path())
                .env("XDG_CONFIG_HOME", folder.path());
            command.stdin(Stdio::null()).stdout(log.try_clone().expect("a descriptor")).stderr(log);
            let mut proxy =
                Self { child: command.spawn().expect(program), folder, address, certificate: certificate.clone() };
            if proxy.listens() {
                return proxy;
            }
        }
        panic!("{program} does not start");
    }

    /// Waits until the proxy listens; false where it ended.
    fn listens(&mut self) -> bool {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            if self.child.try_wait().expect("a child of ours").is_some() {
                eprintln!("{}", self.log());
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the proxy does not listen:\n{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.log()).unwrap_or_default()
    }

    /// A request of a client to the host of the page.
    fn request(&self, path: &str) -> Request {
        Request::new(self.address, "GET", path).from(CLIENT).header("host", &self.host())
    }

    fn host(&self) -> String {
        format!("rooms.example:{}", self.address.port())
    }

    /// What the plugin is told of a client that sends these headers.
    async fn told(&self, path: &str, headers: &[(&str, &str)]) -> (Value, Value) {
        let request =
            headers.iter().fold(self.request(path).websocket(), |request, (name, value)| request.line(name, value));
        let mut client = match request.upgrade().await {
            Ok(client) => client,
            Err(refused) => panic!("{refused:?}\n{}", self.log()),
        };
        let told = client.expect("request").await;
        client.expect_silence().await;
        (told["remote"].clone(), told["uri"].clone())
    }

    /// What the plugin tells a client that speaks TLS with the proxy.
    fn told_over_tls(&self) -> String {
        let mut roots = RootCertStore::empty();
        let pem = self.certificate.lines().filter(|line| !line.starts_with("-----")).collect::<String>();
        roots.add(data_encoding::BASE64.decode(pem.as_bytes()).expect("a certificate").into()).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("rooms.example").expect("a name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let socket = TcpStream::connect(self.address).expect("the proxy listens");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket's option");
        let mut stream = StreamOwned::new(connection, socket);
        let head = "GET /door HTTP/1.1\r\nHost: rooms.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("the proxy reads");
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains("\"uri\"") {
            let mut chunk = [0; 4_096];
            let length = stream.read(&mut chunk).expect("an answer");
            assert!(length > 0, "{}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&chunk[..length]);
        }
        String::from_utf8_lossy(&heard).into_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server(by: &str, config: &str) -> Server {
    let trusted = format!("trusted-proxies = [\"127.0.0.1\"]\nforwarded-by = \"{by}\"");
    Server::builder().guest("door").plugin("chat").config(&trusted).config(config).start()
}

/// A client behind the proxy is seen as it is, whatever it writes.
async fn assert_sees_clients(proxy: &Proxy) {
    let honest = (CLIENT.into(), format!("ws://{}/door?a=1", proxy.host()).into());
    assert_eq!(proxy.told("/door?a=1", &[]).await, honest);
    for forged in FORGED {
        assert_eq!(proxy.told("/door?a=1", &[forged]).await, honest, "{forged:?}");
    }
    assert_eq!(proxy.told("/door?a=1", &FORGED).await, honest);
}

/// How many of 20 upgrades at once are accepted, and the most that may be.
async fn accepted(proxy: &Proxy, is_forged: bool) -> (u64, u64) {
    let (mut accepted, since) = (0, Instant::now());
    for number in 0..20 {
        let address = format!("198.51.100.{number}");
        let request = proxy.request("/door").websocket();
        let request = if is_forged {
            request.line("forwarded", &format!("for={address}")).line("x-forwarded-for", &address)
        } else {
            request
        };
        accepted += u64::from(request.upgrade().await.is_ok());
    }
    (accepted, 5 + 1 + since.elapsed().as_secs())
}

#[tokio::test]
async fn nginx_tells_of_its_clients_and_they_cannot_lie() {
    let server = server("x-forwarded-for", "");
    let proxy = Proxy::nginx(&server, &block("nginx", 0), false);
    assert_sees_clients(&proxy).await;
}

#[tokio::test]
async fn the_bounds_of_an_address_hold_behind_nginx() {
    for is_forged in [false, true] {
        let limits = "[limits]\nupgrades-per-address-per-second = 1\nupgrades-per-address-burst = 5";
        let server = server("x-forwarded-for", limits);
        let proxy = Proxy::nginx(&server, &block("nginx", 0), false);
        let (accepted, most) = accepted(&proxy, is_forged).await;
        assert!((5..=most).contains(&accepted), "{accepted} of 20 upgrades, forged: {is_forged}");
    }
}

#[tokio::test]
async fn nginx_ends_tls_and_says_so() {
    let server = server("x-forwarded-for", "");
    let proxy = Proxy::nginx(&server, &block("nginx", 0), true);
    let told = tokio::task::spawn_blocking(move || proxy.told_over_tls()).await.expect("an answer");
    assert!(told.contains("\"uri\":\"wss://rooms.example/door\""), "{told}");
}

#[tokio::test]
async fn nginx_that_speaks_http_1_0_is_told_what_to_set() {
    let server = server("x-forwarded-for", "");
    let forgotten = replace(&block("nginx", 0), "proxy_http_version 1.1;", "");
    let proxy = Proxy::nginx(&server, &forgotten, false);
    let refused = proxy.request("/door").websocket().send().await;
    assert_eq!(refused.status, 426);
    assert!(refused.body.contains("HTTP/1.0") && refused.body.contains("proxy_http_version 1.1"), "{refused:?}");
    server.wait_for_log(&["WARN", "HTTP/1.0", "proxy_http_version 1.1", CLIENT]).await;
}

#[tokio::test]
async fn pages_and_api_work_under_a_path_of_nginx() {
    let server = server("x-forwarded-for", "");
    let proxy = Proxy::nginx(&server, &block("nginx", 1), false);
    let host = proxy.host();
    let told = (CLIENT.into(), format!("ws://{host}/rt/door?a=1").into());
    assert_eq!(proxy.told("/rt/door?a=1", &[]).await, told);
    assert_eq!(proxy.told("/rt/door?a=1", &FORGED).await, told);

    let get = async |path: &str| proxy.request(path).operator().send().await;
    let moved = get("/rt/_parlor").await;
    assert_eq!((moved.status, moved.header("location")), (308, Some("_parlor/")), "relative to /rt/");
    let page = get("/rt/_parlor/").await;
    assert_eq!(page.status, 200);
    let links: Vec<&str> = ["href=\"", "src=\""].iter().flat_map(|key| page.body.split(key).skip(1)).collect();
    let links = links.iter().filter_map(|rest| rest.split('"').next()).filter(|link| !link.starts_with('#'));
    let links: Vec<&str> = links.collect();
    assert!(links.len() >= 6, "{links:?}");
    for link in links {
        assert_eq!(get(&format!("/rt/_parlor/{link}")).await.status, 200, "{link}");
    }
    for path in ["api/plugins", "api/tenants", "client.js", "health", "metrics"] {
        assert_eq!(get(&format!("/rt/_parlor/{path}")).await.status, 200, "{path}");
    }
    fs::write(proxy.folder.path().join("token"), TOKEN).expect("a file");
    let url = format!("http://{}/rt", proxy.address);
    let said = parlor(proxy.folder.path(), &["plugins", "--server", &url, "--token-file", "token"]);
    assert!(said.success && said.out.contains("default/door"), "{said:?}");
    assert_eq!(get("/_parlor/").await.status, 404, "the path alone is Parlor's");
}

#[tokio::test]
async fn caddy_tells_of_its_clients_and_they_cannot_lie() {
    let server = server("x-forwarded-for", "");
    assert_sees_clients(&Proxy::caddy(&server, &block("caddyfile", 0))).await;
}

#[tokio::test]
async fn haproxy_tells_of_its_clients_and_they_cannot_lie() {
    for (number, by) in [(0, "proxy-protocol"), (1, "x-forwarded-for")] {
        let server = server(by, "");
        let plain = block("haproxy", number)
            .replace(" ssl crt /etc/haproxy/rooms.example.pem", " # /etc/haproxy/rooms.example.pem");
        assert_sees_clients(&Proxy::haproxy(&server, &plain)).await;
        let proxy = Proxy::haproxy(&server, &block("haproxy", number));
        let told = tokio::task::spawn_blocking(move || proxy.told_over_tls()).await.expect("an answer");
        assert!(told.contains("\"uri\":\"wss://rooms.example/door\""), "{by}: {told}");
    }
}
