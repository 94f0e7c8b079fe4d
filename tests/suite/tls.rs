//! The commands that ask a running server, over https: a proxy in front of the server speaks TLS, as in production.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::command::parlor;
use crate::harness::guests::saying;
use crate::harness::{Server, TOKEN};

/// Speaks TLS for a server under the name `localhost`; answers the port, and the certificate as PEM.
fn proxy_for(server: SocketAddr) -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a configuration");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = Arc::new(config);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A client that does not trust the certificate hangs up.
            let _ = pass_on(client, server, Arc::clone(&config));
        }
    });
    (port, cert.pem())
}

/// Passes one request on, and its answer back.
fn pass_on(client: TcpStream, server: SocketAddr, config: Arc<ServerConfig>) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut client = StreamOwned::new(connection, client);
    let mut request = Vec::new();
    let mut chunk = [0; 4_096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = client.read(&mut chunk)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&chunk[..length]);
    }
    // The answer ends where the server closes.
    request.truncate(request.len() - 2);
    request.extend_from_slice(b"connection: close\r\n\r\n");
    let mut server = TcpStream::connect(server)?;
    server.write_all(&request)?;
    io::copy(&mut server, &mut client)?;
    client.conn.send_close_notify();
    client.flush()
}

#[tokio::test]
async fn a_server_behind_tls_is_asked_where_its_certificate_is_trusted() {
    let server = Server::builder().file("bare.wasm", saying("one")).start();
    let (port, certificate) = proxy_for(server.address());
    let folder = server.folder();
    for (name, text) in [("token", TOKEN), ("ca.pem", certificate.as_str()), ("empty.pem", "")] {
        fs::write(folder.join(name), text).expect("a file");
    }
    let ask = |url: &str, more: &[&str]| {
        parlor(folder, &[&["plugins", "--server", url, "--token-file", "token"], more].concat())
    };
    let url = format!("https://localhost:{port}");
    let said = ask(&url, &["--ca-file", "ca.pem"]);
    assert!(said.success && said.out.contains("default/bare"), "{said:?}");

    let strange = ask(&url, &[]);
    assert!(!strange.success && strange.err.contains(&format!("{url} is not trusted")), "{strange:?}");
    let other_name = ask(&format!("https://127.0.0.1:{port}"), &["--ca-file", "ca.pem"]);
    assert!(!other_name.success && other_name.err.contains("is not trusted"), "{other_name:?}");
    let empty = ask(&url, &["--ca-file", "empty.pem"]);
    assert!(!empty.success && empty.err.contains("empty.pem holds no certificate"), "{empty:?}");
    // A server that speaks plain HTTP is no server of https.
    let plain = ask(&format!("https://localhost:{}", server.address().port()), &["--ca-file", "ca.pem"]);
    assert!(!plain.success && plain.err.lines().count() == 1, "{plain:?}");
}
