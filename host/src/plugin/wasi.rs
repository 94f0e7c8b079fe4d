//! The part of WASI that guests get: what the standard libraries of their languages cannot do without. Clocks,
//! randomness, and standard output and error to the room's log; no files, no network, no environment, no arguments.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult, bindings};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::guest_log::{GuestLog, Level};
use super::state::GuestState;

/// Handles that a guest may hold at once: streams, pollables.
const RESOURCES_MAX: usize = 256;
/// Bytes of one call for randomness through WASI.
const RANDOM_BYTES_MAX: u64 = 4_096;
/// What a guest may write to a stream at once. More would only be cut by the log.
const WRITE_BYTES_MAX: usize = 4_096;

/// The WASI state of one instance, made when it is first used: many guests never do.
pub struct GuestWasi {
    log: Arc<GuestLog>,
    ctx: Option<Box<WasiCtx>>,
    table: ResourceTable,
}

impl GuestWasi {
    pub fn new(log: Arc<GuestLog>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        Self { log, ctx: None, table }
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let GuestWasi { log, ctx, table } = &mut self.wasi;
        let ctx = ctx.get_or_insert_with(|| {
            let output = |level| LogStream { log: Arc::clone(log), level };
            let ctx = WasiCtxBuilder::new()
                .stdout(output(Level::Info))
                .stderr(output(Level::Warn))
                .max_random_size(RANDOM_BYTES_MAX)
                .allow_tcp(false)
                .allow_udp(false)
                .build();
            Box::new(ctx)
        });
        WasiCtxView { ctx, table }
    }
}

/// Gives the resource table to the interfaces of `wasi:io`.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// Offers guests that part of WASI.
pub fn link(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    use bindings::{cli, clocks, filesystem, io, random};
    type S = GuestState;
    let l = linker;
    io::error::add_to_linker::<S, Table>(l, |state| &mut state.wasi.table)?;
    io::poll::add_to_linker::<S, Table>(l, |state| &mut state.wasi.table)?;
    io::streams::add_to_linker::<S, Table>(l, |state| &mut state.wasi.table)?;
    clocks::wall_clock::add_to_linker::<S, WasiClocks>(l, S::clocks)?;
    clocks::monotonic_clock::add_to_linker::<S, WasiClocks>(l, S::clocks)?;
    random::random::add_to_linker::<S, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    random::insecure::add_to_linker::<S, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<S, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    // Without preopened folders there is no way to a file; the interfaces are there because libraries import them.
    filesystem::types::add_to_linker::<S, WasiFilesystem>(l, S::filesystem)?;
    filesystem::preopens::add_to_linker::<S, WasiFilesystem>(l, S::filesystem)?;
    cli::environment::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::exit::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::stdin::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::stdout::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::stderr::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::terminal_input::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::terminal_output::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::terminal_stdin::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::terminal_stdout::add_to_linker::<S, WasiCli>(l, S::cli)?;
    cli::terminal_stderr::add_to_linker::<S, WasiCli>(l, S::cli)?;
    Ok(())
}

/// Standard output or error, as lines of the room's log.
#[derive(Clone)]
struct LogStream {
    log: Arc<GuestLog>,
    level: Level,
}

impl LogStream {
    fn print(&self, bytes: &[u8]) {
        self.log.write(self.level, &String::from_utf8_lossy(bytes));
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
