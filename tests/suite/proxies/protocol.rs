//! The PROXY protocol: what a balancer says before the first byte of a connection.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Request, Server, Value, soon};

fn server(config: &str) -> Server {
    let trusted = "trusted-proxies = [\"127.0.0.1\"]\nforwarded-by = \"proxy-protocol\"";
    Server::builder().guest("door").config(trusted).config(config).start()
}

const LINE: &str = "PROXY TCP4 203.0.113.7 10.0.0.1 51234 443\r\n";

fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("a short header").to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &length, rest].concat()
}

fn ask(server: &Server) -> Request {
    let forged = server.request("GET", "/door").websocket().header("host", "app.example");
    forged.header("x-forwarded-for", "198.51.100.1").header("forwarded", "for=198.51.100.2;host=evil")
}

async fn told(request: Request) -> Value {
    request.upgrade().await.expect("a socket").expect("request").await
}

#[tokio::test]
async fn the_client_is_whom_the_balancer_names() {
    let server = server("");
    let v4 = [203, 0, 113, 7, 10, 0, 0, 1, 1, 2, 0, 80];
    let v6 = [&[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7][..], &[0; 18], &[1, 187]].concat();
    for (header, remote, uri) in [
        (LINE.as_bytes().to_vec(), "203.0.113.7", "wss://app.example/door"),
        (b"PROXY TCP6 2001:db8::7 ::1 1 80\r\n".to_vec(), "2001:db8::7", "ws://app.example/door"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1", "ws://app.example/door"),
        (version_2(0x21, 0x11, &v4), "203.0.113.7", "ws://app.example/door"),
        (version_2(0x21, 0x21, &v6), "2001:db8::7", "wss://app.example/door"),
        (version_2(0x20, 0, &[]), "127.0.0.1", "ws://app.example/door"),
        (version_2(0x21, 0x31, &[0; 216]), "127.0.0.1", "ws://app.example/door"),
    ] {
        let request = told(ask(&server).behind(header)).await;
        assert_eq!((&request["remote"], &request["uri"]), (&remote.into(), &uri.into()));
    }
    // A balancer's own look at the server.
    let health = server.request("GET", "/_parlor/health").behind(version_2(0x20, 0, &[]));
    assert_eq!(health.send().await.status, 200);
}

#[tokio::test]
async fn the_bounds_of_an_address_count_by_the_client() {
    let server = server("[limits]\nsockets-per-address = 2");
    let _two = [told_and_kept(&server, LINE).await, told_and_kept(&server, LINE).await];
    let refused = ask(&server).behind(LINE).send().await;
    assert!(refused.status == 429 && refused.body.contains("sockets-per-address"), "{refused:?}");
    told_and_kept(&server, "PROXY TCP4 203.0.113.8 10.0.0.1 51234 443\r\n").await;
}

async fn told_and_kept(server: &Server, header: &str) -> crate::harness::Client {
    ask(server).behind(header).upgrade().await.expect("a place")
}

/// What a connection gets until its end.
async fn answer(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    // It may be closed before all is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = soon("the end of the connection", stream.read_to_end(&mut answer)).await;
    answer
}

#[tokio::test]
async fn a_balancer_without_a_header_is_closed_with_a_line_in_the_log() {
    let request = b"GET /_parlor/health HTTP/1.1\r\nHost: a\r\n\r\n";
    for (bytes, why) in [
        (request.to_vec(), "begins with something else"),
        (b"PROXY TCP4 x y 1 2\r\n".to_vec(), "an address is none of its family"),
        ([b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 200]].concat(), "longer than 107 bytes"),
        (version_2(0x21, 0x11, &[0; 5000]), "longer than 4096 bytes"),
        (b"PROXY TCP4 ".to_vec(), "handshake-ms"),
    ] {
        let server = server("[limits]\nhandshake-ms = 500");
        assert_eq!(answer(&server, &bytes).await, b"", "{why}");
        server.wait_for_log(&["WARN", "proxy-protocol", "127.0.0.1", why]).await;
    }
    // Whoever only looks whether somebody listens is no news.
    let server = server("");
    drop(TcpStream::connect(server.address()).await);
    told(ask(&server).behind(LINE)).await;
    assert!(!server.log().iter().any(|line| line.contains("closed a connection")));
}

#[tokio::test]
async fn a_stranger_speaks_for_itself_alone() {
    let server = server("");
    let address = server.address();
    let direct = told(ask(&server).from("127.0.0.2")).await;
    assert_eq!((&direct["remote"], &direct["uri"]), (&"127.0.0.2".into(), &"ws://app.example/door".into()));
    let refused = Request::new(address, "GET", "/door").from("127.0.0.2").behind(LINE).send().await;
    assert_eq!(refused.status, 400);
    server.wait_for_log(&["WARN", "127.0.0.2", "trusted-proxies alone"]).await;
    // A balancer that sends the header where nobody told the server of it.
    let plain = Server::builder().config("trusted-proxies = [\"127.0.0.1\"]\nforwarded-by = \"forwarded\"").start();
    assert_eq!(plain.request("GET", "/").behind(LINE).send().await.status, 400);
    plain.wait_for_log(&["WARN", "where forwarded-by is proxy-protocol"]).await;
}
