//! The part of WASI that the standard libraries of guests' languages need: clocks, randomness, and standard output and
//! error, which go to the room's log. Guests get no files, no network, no environment and no arguments.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use rand::Rng as _;
use tokio::io::AsyncWrite;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView};

use super::log::{GuestLog, LogLevel};
use super::tape::wasi::WasiTape;
use crate::clock::virtual_now;
use crate::randomness::seeded;

/// How many random bytes one call of WASI may ask for.
const RANDOM_BYTES_MAX: u64 = 4_096;
/// How many bytes a guest may write to a stream at once. The log would cut off more anyway.
const WRITE_BYTES_MAX: usize = 4_096;

/// The WASI state of one instance. Most of it is made at the first use, since many guests use none.
pub struct GuestWasi {
    stdout: LogStream,
    stderr: LogStream,
    ctx: Option<Box<WasiCtx>>,
    table: ResourceTable,
    /// What tells the time and draws in place of the system, for an instance that is taped.
    tape: Option<Arc<WasiTape>>,
}

impl GuestWasi {
    /// `handles_max` is how many streams and pollables the guest may hold at once.
    pub fn new(log: Arc<GuestLog>, handles_max: usize, tape: Option<Arc<WasiTape>>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles_max);
        let stdout = LogStream { log: Arc::clone(&log), level: LogLevel::Info, partial: Arc::default() };
        let stderr = LogStream { log, level: LogLevel::Warn, partial: Arc::default() };
        Self { stdout, stderr, ctx: None, table, tape }
    }

    /// The context and the table of resources that WASI's own functions work on.
    pub fn view(&mut self) -> WasiCtxView<'_> {
        let Self { stdout, stderr, ctx, table, tape } = self;
        let ctx = ctx.get_or_insert_with(|| {
            let mut builder = WasiCtxBuilder::new();
            builder
                .stdout(stdout.clone())
                .stderr(stderr.clone())
                .max_random_size(RANDOM_BYTES_MAX)
                .allow_tcp(false)
                .allow_udp(false);
            if let Some(tape) = tape {
                tape.apply(&mut builder);
                return Box::new(builder.build());
            }
            if virtual_now().is_some() {
                builder.wall_clock(VirtualClock).monotonic_clock(VirtualClock);
            }
            if let (Some(secure), Some(insecure), Some(mut seeds)) = (seeded(), seeded(), seeded()) {
                let seed = u128::from(seeds.next_u64()) << 64 | u128::from(seeds.next_u64());
                builder.secure_random(secure).insecure_random(insecure).insecure_random_seed(seed);
            }
            Box::new(builder.build())
        });
        WasiCtxView { ctx, table }
    }

    /// The table of resources alone.
    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Ends a call: text without a newline at its end becomes a line of the log, too.
    pub fn end_call(&self) {
        if self.ctx.is_some() {
            self.stdout.end_line();
            self.stderr.end_line();
        }
    }
}

/// The clocks of a process that has virtual time.
struct VirtualClock;

impl HostWallClock for VirtualClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        virtual_now().unwrap_or_default()
    }
}

impl HostMonotonicClock for VirtualClock {
    fn resolution(&self) -> u64 {
        Duration::from_millis(1).as_nanos() as u64
    }

    fn now(&self) -> u64 {
        virtual_now().unwrap_or_default().as_nanos() as u64
    }
}

/// Standard output or error, written to the room's log line by line.
#[derive(Clone)]
struct LogStream {
    log: Arc<GuestLog>,
    level: LogLevel,
    /// What the guest wrote since its last newline: some libraries write a line in several pieces.
    partial: Arc<Mutex<Vec<u8>>>,
}

impl LogStream {
    fn print(&self, bytes: &[u8]) {
        let mut partial = self.partial.lock();
        partial.extend_from_slice(bytes);
        let complete = partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        // Cut a line that grows without an end.
        let ready = if partial.len() - complete > WRITE_BYTES_MAX { partial.len() } else { complete };
        if ready > 0 {
            let lines: Vec<u8> = partial.drain(..ready).collect();
            self.log.write(self.level, &String::from_utf8_lossy(&lines));
        }
    }

    fn end_line(&self) {
        let rest = std::mem::take(&mut *self.partial.lock());
        if !rest.is_empty() {
            self.log.write(self.level, &String::from_utf8_lossy(&rest));
        }
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for LogStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
