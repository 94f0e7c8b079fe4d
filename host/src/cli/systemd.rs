//! Tells systemd, or whoever speaks its protocol, how far the server is. Where nobody asked, by `NOTIFY_SOCKET`, this does
//! nothing.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Names the socket that hears of the server's state.
const VARIABLE: &str = "NOTIFY_SOCKET";

/// Sends a state such as `READY=1`, one a line. It never waits: a service manager that is busy misses it.
pub fn notify(state: &str) {
    let Some(socket) = std::env::var_os(VARIABLE).filter(|socket| !socket.is_empty()) else { return };
    if let Err(why) = send(&socket, state) {
        tracing::warn!("cannot tell {VARIABLE} that {}: {why}", state.replace('\n', ", "));
    }
}

fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to_addr(state.as_bytes(), &address).map(drop)
}
