//! Where the server listens: addresses of its own, Unix sockets, and sockets that it inherited from systemd.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tokio::net::{TcpListener, UnixListener};

use crate::config::ListenAddress;
use crate::socket::ClientStream;

/// A socket that accepts connections.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// All sockets of the server. Dropping them removes the files of those that it made.
#[derive(Debug, Default)]
pub struct Listeners {
    pub listeners: Vec<Listener>,
    files: Vec<SocketFile>,
}

/// The file of a Unix socket that this server made.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    inode: (u64, u64),
}

impl Listener {
    /// Waits for a connection. Whoever comes over a Unix socket is on this machine and counts as 127.0.0.1.
    pub async fn accept(&self) -> io::Result<(ClientStream, SocketAddr)> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, remote)| (ClientStream::Tcp(stream), remote)),
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((ClientStream::Unix(stream), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))
            }
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "http://{address}"),
                Err(why) => write!(f, "an address that cannot be told: {why}"),
            },
            Self::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                write!(f, "unix:{}", path.unwrap_or(Path::new("")).display())
            }
        }
    }
}

impl Listeners {
    /// Binds all addresses that the operator's one stands for. `mode` is who may connect to a Unix socket.
    pub async fn bind(address: &ListenAddress, mode: u32) -> anyhow::Result<Self> {
        let mut all = Self::default();
        let bound = match address {
            ListenAddress::Ip(address) => {
                TcpListener::bind(address).await.map(|listener| all.listeners.push(Listener::Tcp(listener)))
            }
            ListenAddress::Name { host, port } => return Self::bind_name(host, *port).await,
            ListenAddress::Unix(path) => return all.bind_file(path, mode).map(|()| all),
        };
        bound.map(|()| all).with_context(|| format!("cannot listen on {address}"))
    }

    /// Listens on every address of a name that this machine has.
    async fn bind_name(host: &str, port: u16) -> anyhow::Result<Self> {
        let found = tokio::net::lookup_host((host, port)).await;
        let addresses = found.with_context(|| format!("cannot listen on {host}:{port}: nobody knows the name"))?;
        // The address of IPv4 is the one that people and scripts know, so it is told first.
        let mut addresses: Vec<SocketAddr> = addresses.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let (mut all, mut port, mut missing) = (Self::default(), port, None);
        for mut address in addresses {
            // Where any port will do, all addresses have the same.
            address.set_port(port);
            match TcpListener::bind(address).await {
                Ok(listener) => {
                    port = listener.local_addr().context("no address")?.port();
                    all.listeners.push(Listener::Tcp(listener));
                }
                // A machine without IPv6 may still know `localhost` by it.
                Err(why) if why.kind() == ErrorKind::AddrNotAvailable || is_unsupported(&why) => missing = Some(why),
                Err(why) => return Err(why).with_context(|| format!("cannot listen on {address}, which is {host}")),
            }
        }
        match missing {
            Some(why) if all.listeners.is_empty() => {
                Err(why).with_context(|| format!("cannot listen on {host}:{port}: it is no address of this machine"))
            }
            _ => Ok(all),
        }
    }

    /// Makes a Unix socket, in place of one that a server left behind.
    fn bind_file(&mut self, path: &Path, mode: u32) -> anyhow::Result<()> {
        let why = || format!("cannot listen on unix:{}", path.display());
        if let Ok(found) = path.symlink_metadata() {
            ensure!(found.file_type().is_socket(), "{}: the file is there already, and it is no socket", why());
            match std::os::unix::net::UnixStream::connect(path) {
                Err(none) if none.kind() == ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path).with_context(why)?
                }
                Err(none) => return Err(none).with_context(why),
                Ok(_) => bail!("{}: another process listens on it", why()),
            }
        }
        let listener = UnixListener::bind(path).with_context(why)?;
        let found = path.symlink_metadata().with_context(why)?;
        self.files.push(SocketFile { path: path.to_owned(), inode: (found.dev(), found.ino()) });
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).with_context(why)?;
        self.listeners.push(Listener::Unix(listener));
        Ok(())
    }

    /// Takes the sockets that systemd, or another program that speaks its protocol, opened for this server.
    pub fn inherit(mut inherited: listenfd::ListenFd) -> anyhow::Result<Self> {
        let mut all = Self::default();
        for index in 0..inherited.len() {
            let listener = match inherited.take_tcp_listener(index) {
                Ok(Some(tcp)) => tcp.set_nonblocking(true).and_then(|()| TcpListener::from_std(tcp)).map(Listener::Tcp),
                Ok(None) => continue,
                Err(_) => match inherited.take_unix_listener(index) {
                    Ok(Some(unix)) => {
                        unix.set_nonblocking(true).and_then(|()| UnixListener::from_std(unix)).map(Listener::Unix)
                    }
                    Ok(None) => continue,
                    Err(why) => Err(why),
                },
            };
            let words = || format!("LISTEN_FDS: the socket {index} that this server inherited is of no use to it");
            all.listeners.push(listener.with_context(words)?);
        }
        Ok(all)
    }
}

/// Whether this machine has no such kind of addresses.
fn is_unsupported(why: &io::Error) -> bool {
    why.raw_os_error().is_some_and(|code| rustix::io::Errno::from_raw_os_error(code) == rustix::io::Errno::AFNOSUPPORT)
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Unless another server has made its own meanwhile.
        if self.path.symlink_metadata().is_ok_and(|found| (found.dev(), found.ino()) == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
