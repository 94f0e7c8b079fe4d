//! Where a server listens: addresses, names, and Unix sockets.

use std::net::ToSocketAddrs as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::text;
use crate::harness::{Builder, Request, Server, soon};

/// A server on a Unix socket: it tells its socket, so that there is no address to read.
fn on(socket: &Path) -> Builder {
    Server::builder().guest("plain").flag("--listen", &format!("unix:{}", text(socket)))
}

/// Sends a request over a Unix socket, and reads until the answer holds these words.
async fn answer(socket: &Path, head: &str, until: &str) -> String {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await.expect("the server listens");
        stream.write_all(format!("{head}\r\nhost: localhost\r\n\r\n").as_bytes()).await.expect("a request");
        let mut heard = Vec::new();
        while !String::from_utf8_lossy(&heard).contains(until) {
            assert!(stream.read_buf(&mut heard).await.expect("an answer") > 0, "{}", String::from_utf8_lossy(&heard));
        }
        String::from_utf8_lossy(&heard).into_owned()
    };
    soon(until, exchange).await
}

#[tokio::test]
async fn a_name_stands_for_all_its_addresses() {
    let mut server = Server::builder().guest("plain").flag("--listen", "localhost:0").start();
    server.enter_after("/plain", "hello").await;
    assert!(server.address().is_ipv4());
    let has_both = ("localhost", 0).to_socket_addrs().expect("a name").any(|address| address.is_ipv6());
    if has_both && std::net::TcpListener::bind("[::1]:0").is_ok() {
        let second = server.says();
        let address = second.strip_prefix("parlor listening on http://").expect("a second address");
        let address: std::net::SocketAddr = address.parse().expect("an address");
        assert_eq!((address.is_ipv6(), address.port()), (true, server.address().port()));
        assert_eq!(Request::new(address, "GET", "/_parlor/health").send().await.status, 200);
    }
}

#[tokio::test]
async fn a_unix_socket_serves_and_is_gone_with_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("parlor.sock");
    // One that a crash left behind is replaced.
    drop(UnixListener::bind(&socket).expect("a socket"));
    let mut server = on(&socket).config("listen-mode = \"600\"").start();
    let mode = socket.metadata().expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    answer(&socket, "GET /_parlor/health HTTP/1.1", "ok\n").await;
    let upgrade = "GET /plain HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let heard = answer(&socket, upgrade, "hello").await;
    assert!(heard.starts_with("HTTP/1.1 101"), "{heard}");
    // A second server on it is refused, and takes nothing away.
    let second = on(&socket).try_start().expect_err("the socket is in use");
    let last = second.log.last().expect("a reason");
    assert!(last.contains("another process listens on it") && last.contains(text(&socket)), "{last}");
    answer(&socket, "GET /_parlor/health HTTP/1.1", "ok\n").await;
    assert_eq!(server.terminate().await.code(), Some(0));
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_file_that_is_no_socket_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "dear").expect("a file");
    let refused = on(&file).try_start().expect_err("it is no socket");
    assert!(refused.log.last().expect("a reason").contains("it is no socket"));
    assert_eq!(std::fs::read(&file).expect("the file"), b"dear");
    let bad = on(&folder.path().join("s")).config("listen-mode = \"rw\"").try_start().expect_err("no mode");
    assert!(bad.log.last().expect("a reason").contains("listen-mode"));
}
