//! A connection that reads no faster than its limit: bytes that come faster wait in the kernel, and then in the client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::rate::coarse_now;
use super::stream::ClientStream;
use crate::model::rate::Rate;

/// The rate counts steps of this many bytes. It keeps time in nanoseconds, which are too coarse for single bytes.
const STEP_BYTES: usize = 64;
/// How many seconds' worth of bytes the host may read at once.
const BURST_SECONDS: u32 = 1;

/// A connection that bounds how fast it reads. The bounds on writing are those of the room's `Outbound`.
#[derive(Debug)]
pub struct Throttled {
    stream: ClientStream,
    rate: Rate,
    /// Set while the connection has to wait.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether any byte came since [`Throttled::take_heard`].
    heard: bool,
}

impl Throttled {
    pub fn new(stream: ClientStream, bytes_per_second: u32) -> Self {
        let steps = bytes_per_second / STEP_BYTES as u32;
        let rate = Rate::new(steps, steps.max(1).saturating_mul(BURST_SECONDS));
        Self { stream, rate, pause: None, heard: false }
    }

    /// Whether any byte came since this was asked last.
    pub fn take_heard(&mut self) -> bool {
        std::mem::take(&mut self.heard)
    }

    /// Whether the connection reads nothing at the moment, because its bytes came too fast.
    pub fn is_paused(&self) -> bool {
        self.pause.is_some()
    }
}

impl AsyncRead for Throttled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        // Each read costs something, however little it brings.
        let bytes = buffer.filled().len() - before;
        self.heard |= bytes > 0;
        let steps = bytes.div_ceil(STEP_BYTES);
        let wait = self.rate.overdraw(u32::try_from(steps).unwrap_or(u32::MAX), coarse_now());
        self.pause = wait.map(|wait| Box::pin(sleep(wait)));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Throttled {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
