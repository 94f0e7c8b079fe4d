//! Many WebSocket clients on one thread: an event loop over epoll, without a runtime, so that the load costs less than
//! what it measures.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use socket2::{Domain, Socket, Type};

use super::dialect::Dialect;
use super::frame::{self, Frame};

/// Handshakes that are under way at once.
const HANDSHAKES: usize = 64;
/// How long a server may take for one answer of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Sockets of one source address: there are some 28,000 ports to each.
const SOCKETS_A_SOURCE: usize = 16_000;
/// Bytes of one read.
const READ_BYTES: usize = 65_536;
/// The longest wait without a look at the clock and at a request to stop.
const TICK: Duration = Duration::from_millis(50);

/// The timer among the sockets.
const TIMER: Token = Token(usize::MAX);

/// Set by a signal: the run ends at the next tick, and kills its servers on the way out.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What decides what the clients say.
pub trait Driver {
    /// Each socket's first words.
    fn start(&mut self, out: &mut Outgoing);
    /// A socket got a frame at the time `now`.
    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, out: &mut Outgoing) -> anyhow::Result<()>;
    /// The server closed a socket, or its connection broke. For most loads that is an error.
    fn closed(&mut self, _socket: usize, why: &str) -> anyhow::Result<()> {
        bail!("{why}")
    }
    /// Says what is due by `now` without a frame, and when more is. Loads that only answer have nothing of the kind.
    fn due(&mut self, _now: Instant, _out: &mut Outgoing) -> Option<Instant> {
        None
    }
}

/// Frames that the clients are about to send.
#[derive(Default)]
pub struct Outgoing {
    unsent: Vec<Vec<u8>>,
    /// Sockets with something unsent that has not been tried yet.
    fresh: Vec<usize>,
    masks: u32,
}

impl Outgoing {
    /// For a test, without connections.
    #[cfg(test)]
    pub fn to_nobody(sockets: usize) -> Self {
        Self { unsent: vec![Vec::new(); sockets], ..Self::default() }
    }

    /// Sends a text frame.
    pub fn text(&mut self, socket: usize, text: &[u8]) {
        let mask = self.next_mask(socket);
        frame::put_text(&mut self.unsent[socket], text, mask);
    }

    fn pong(&mut self, socket: usize, body: &[u8]) {
        let mask = self.next_mask(socket);
        frame::put_pong(&mut self.unsent[socket], body, mask);
    }

    /// Masks guard proxies against a browser's script; a load needs no secret ones.
    fn next_mask(&mut self, socket: usize) -> [u8; 4] {
        if self.unsent[socket].is_empty() {
            self.fresh.push(socket);
        }
        self.masks = self.masks.wrapping_mul(0x9E37_79B1).wrapping_add(0x7F4A_7C15);
        self.masks.to_le_bytes()
    }
}

struct Client {
    stream: mio::net::TcpStream,
    /// The begin of a frame whose rest has not arrived.
    partial: Vec<u8>,
    /// Its connection is over, and the driver was told.
    is_over: bool,
}

/// All clients of one measurement. Dropping it closes them.
pub struct Clients {
    dialect: Dialect,
    poll: Poll,
    events: Events,
    /// Wakes the loop when something is due: the timeouts of epoll are whole milliseconds.
    timer: OwnedFd,
    list: Vec<Client>,
    out: Outgoing,
    buffer: Vec<u8>,
}

impl Clients {
    /// Connects one client of Parlor for each of the `paths` (with query), and waits until all are accepted.
    pub fn connect(server: SocketAddr, paths: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut clients = Self::none(Dialect::Verani)?;
        clients.join(Ipv4Addr::LOCALHOST, server, paths)?;
        Ok(clients)
    }

    /// Nobody yet.
    pub fn none(dialect: Dialect) -> anyhow::Result<Self> {
        let poll = Poll::new().context("open epoll")?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK).context("open a timer")?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self {
            dialect,
            poll,
            timer,
            events: Events::with_capacity(1_024),
            list: Vec::new(),
            out: Outgoing::default(),
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Adds a client for each of the `paths`, from an address of this machine and, where there are many, from those
    /// behind it.
    pub fn join(
        &mut self,
        from: Ipv4Addr,
        server: SocketAddr,
        paths: impl Iterator<Item = String>,
    ) -> anyhow::Result<()> {
        let mut paths = paths.peekable();
        while paths.peek().is_some() {
            let mut opening = Vec::with_capacity(HANDSHAKES);
            for path in paths.by_ref().take(HANDSHAKES) {
                opening.push(request_upgrade(from, server, &path, self.list.len() + opening.len())?);
            }
            for stream in opening {
                self.add(stream)?;
            }
            ensure!(!INTERRUPTED.load(Ordering::Relaxed), "interrupted");
        }
        Ok(())
    }

    /// How many there are, those included whose connection is over.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    fn add(&mut self, mut stream: TcpStream) -> anyhow::Result<()> {
        let number = self.list.len();
        let partial = await_upgrade(&mut stream)
            .and_then(|arrived| self.dialect.enter(&mut stream, arrived))
            .with_context(|| format!("the handshake of socket {number}"))?;
        stream.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(stream);
        self.poll.registry().register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        self.list.push(Client { stream, partial, is_over: false });
        self.out.unsent.push(Vec::new());
        Ok(())
    }

    /// Lets the driver say its first words.
    pub fn start(&mut self, driver: &mut impl Driver) -> anyhow::Result<()> {
        driver.start(&mut self.out);
        self.send_fresh()
    }

    /// Sends and receives until `done` says so or the time is over; says whether it was done.
    pub fn run<D: Driver>(
        &mut self,
        driver: &mut D,
        time: Duration,
        done: impl Fn(&D) -> bool,
    ) -> anyhow::Result<bool> {
        let end = Instant::now() + time;
        loop {
            let now = Instant::now();
            if done(driver) {
                return Ok(true);
            }
            if now >= end {
                return Ok(false);
            }
            ensure!(!INTERRUPTED.load(Ordering::Relaxed), "interrupted");
            if let Some(next) = driver.due(now, &mut self.out) {
                self.wake_at(next)?;
            }
            self.send_fresh()?;
            if let Err(error) = self.poll.poll(&mut self.events, Some(TICK.min(end - now)))
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error).context("wait for the sockets");
            }
            let sockets = self.events.iter().filter(|event| event.token() != TIMER);
            let ready: Vec<(usize, bool, bool)> =
                sockets.map(|event| (event.token().0, event.is_readable(), event.is_writable())).collect();
            for (socket, readable, writable) in ready {
                if writable {
                    self.send(socket)?;
                }
                if readable {
                    self.receive(socket, driver).with_context(|| format!("socket {socket}"))?;
                    self.send_fresh()?;
                }
            }
        }
    }

    /// Sets the timer; a time that is past wakes at once.
    fn wake_at(&self, next: Instant) -> anyhow::Result<()> {
        let left = next.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let value = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once).context("set the timer")?;
        Ok(())
    }

    fn receive(&mut self, socket: usize, driver: &mut impl Driver) -> anyhow::Result<()> {
        let client = &mut self.list[socket];
        loop {
            let count = match client.stream.read(&mut self.buffer) {
                Ok(0) => return self.end(socket, driver, "the server ended the connection"),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return self.end(socket, driver, &format!("read: {error}")),
            };
            let now = Instant::now();
            if client.partial.is_empty() {
                let used = take_frames(&self.buffer[..count], self.dialect, socket, driver, now, &mut self.out)?;
                client.partial.extend_from_slice(&self.buffer[used..count]);
            } else {
                client.partial.extend_from_slice(&self.buffer[..count]);
                let used = take_frames(&client.partial, self.dialect, socket, driver, now, &mut self.out)?;
                client.partial.drain(..used);
            }
            // What arrives after a read that did not fill the buffer is an event of its own.
            if count < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// Nothing comes from this socket any more. A driver that has heard of its close frame hears of this as well.
    fn end(&mut self, socket: usize, driver: &mut impl Driver, why: &str) -> anyhow::Result<()> {
        let client = &mut self.list[socket];
        client.is_over = true;
        self.poll.registry().deregister(&mut client.stream)?;
        driver.closed(socket, why)
    }

    fn send_fresh(&mut self) -> anyhow::Result<()> {
        let mut fresh = std::mem::take(&mut self.out.fresh);
        for socket in fresh.drain(..) {
            self.send(socket)?;
        }
        self.out.fresh = fresh;
        Ok(())
    }

    /// What the kernel does not take now goes when the socket is writable again.
    fn send(&mut self, socket: usize) -> anyhow::Result<()> {
        let unsent = &mut self.out.unsent[socket];
        if self.list[socket].is_over {
            unsent.clear();
        }
        while !unsent.is_empty() {
            match self.list[socket].stream.write(unsent) {
                Ok(count) if count == unsent.len() => unsent.clear(),
                Ok(count) => drop(unsent.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What the server said before it ended the connection is read first, and tells more.
                Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
                    unsent.clear();
                }
                Err(error) => return Err(error).with_context(|| format!("socket {socket}: write")),
            }
        }
        Ok(())
    }
}

/// Gives all whole frames to the driver; answers with how many bytes they were.
fn take_frames(
    bytes: &[u8],
    dialect: Dialect,
    socket: usize,
    driver: &mut impl Driver,
    now: Instant,
    out: &mut Outgoing,
) -> anyhow::Result<usize> {
    let mut used = 0;
    while let Some((frame, length)) = frame::next(&bytes[used..])? {
        used += length;
        match frame {
            Frame::Text(text) => match dialect.answer_to(text) {
                Some(answer) => out.text(socket, answer),
                None => driver.frame(socket, text, now, out)?,
            },
            Frame::Ping(body) => out.pong(socket, body),
            Frame::Pong => {}
            Frame::Close { code, reason } => {
                driver.closed(socket, &format!("closed by the server: {code} {reason}"))?
            }
        }
    }
    Ok(used)
}

fn request_upgrade(from: Ipv4Addr, server: SocketAddr, path: &str, number: usize) -> anyhow::Result<TcpStream> {
    let source = Ipv4Addr::from_bits(from.to_bits() + (number / SOCKETS_A_SOURCE) as u32);
    let mut stream = dial(source, server).with_context(|| format!("socket {number}"))?;
    stream.write_all(upgrade_request(server, path).as_bytes())?;
    Ok(stream)
}

/// Connects from an address of this machine. Closing such a connection drops it at once.
pub fn dial(from: Ipv4Addr, server: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).context("open a socket")?;
    if from != Ipv4Addr::LOCALHOST {
        socket.bind(&SocketAddr::from((from, 0)).into()).with_context(|| format!("use the address {from}"))?;
    }
    // Closing without waiting leaves no ports behind that later rounds would lack.
    socket.set_linger(Some(Duration::ZERO))?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(HANDSHAKE))?;
    socket.connect_timeout(&server.into(), HANDSHAKE).with_context(|| format!("connect to {server}"))?;
    Ok(TcpStream::from(socket))
}

/// The request for a WebSocket at this path.
pub fn upgrade_request(server: SocketAddr, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Reads the answer to the upgrade; what comes behind it belongs to the first frame.
fn await_upgrade(stream: &mut TcpStream) -> anyhow::Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut buffer = [0; 1_024];
    loop {
        let count = stream.read(&mut buffer).context("read the answer to the upgrade")?;
        ensure!(count > 0, "the server ended the connection: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            ensure!(answer.starts_with(b"HTTP/1.1 101 "), "refused: {}", String::from_utf8_lossy(&answer));
            return Ok(answer.split_off(end + 4));
        }
        ensure!(answer.len() < 16_384, "an answer to the upgrade without an end");
    }
}
