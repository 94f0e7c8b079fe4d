//! What systemd gives a service, and what it hears from it.

use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};

use super::text;
use crate::harness::{PATIENCE, Server, soon};

#[tokio::test]
async fn a_server_serves_on_the_socket_that_it_inherits() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    fcntl_setfd(&listener, FdFlags::empty()).expect("a descriptor for the child");
    let script = format!("exec 3<&{}; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", listener.as_raw_fd());
    // The configured address is nobody's.
    let server = Server::builder().guest("plain").script(&script).flag("--listen", "192.0.2.1:1").start();
    assert_eq!(server.address(), address);
    server.enter_after("/plain", "hello").await;
    server.wait_for_log(&["inherited its sockets (LISTEN_FDS)"]).await;
}

#[tokio::test]
async fn a_service_manager_hears_when_the_server_is_ready_and_when_it_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).expect("a socket");
    manager.set_read_timeout(Some(PATIENCE)).expect("a bound");
    let heard = |manager: &UnixDatagram| {
        let mut state = [0; 256];
        let length = manager.recv(&mut state).expect("a state");
        String::from_utf8_lossy(&state[..length]).into_owned()
    };
    let mut server = Server::builder().guest("plain").env("NOTIFY_SOCKET", text(&path)).start();
    assert_eq!(heard(&manager), "READY=1\nSTATUS=loading plugins");
    assert_eq!(heard(&manager), "STATUS=serving");
    assert!(server.terminate().await.success());
    assert_eq!(heard(&manager), "STOPPING=1");
    // A manager that does not listen any more holds nothing up.
    drop(manager);
    let mut alone = Server::builder().guest("plain").env("NOTIFY_SOCKET", text(&path)).start();
    let ended = tokio::time::timeout(Duration::from_secs(30), alone.terminate());
    assert!(soon("its end", ended).await.expect("an end").success());
}
