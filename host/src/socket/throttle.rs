//! A connection that reads no faster than its limit: bytes that come faster wait in the kernel, and then in the client. One
//! whose continuation frames come faster than frames may is not read any more.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::fragments::Fragments;
use super::rate::FrameRate;
use super::stream::{ClientStream, DetachedStream};
use crate::clock::coarse_now;
use crate::model::limits::Limits;
use crate::model::rate::Rate;

/// The rate counts steps of this many bytes. It keeps time in nanoseconds, which are too coarse for single bytes.
const STEP_BYTES: usize = 64;
/// How many seconds' worth of bytes the host may read at once.
const BURST_SECONDS: u32 = 1;

/// Why a connection is not read any more: its continuation frames came too fast.
#[derive(Debug)]
pub struct TooManyFragments;

impl std::error::Error for TooManyFragments {}

impl std::fmt::Display for TooManyFragments {
    fn fmt(&self, words: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        words.write_str("too many continuation frames")
    }
}

/// Where the connection is.
#[derive(Debug)]
enum Place {
    Here(ClientStream),
    /// On its way to another thread: nobody reads or writes it.
    Between,
}

/// A connection that bounds how fast it reads. The bounds on writing are those of the room's `Outbound`.
#[derive(Debug)]
pub struct Throttled {
    stream: Place,
    rate: Rate,
    fragments: Fragments,
    /// How fast continuation frames may come: as fast as frames. None once they came too fast; then what still comes is
    /// only thrown away.
    continuations: Option<FrameRate>,
    /// Set while the connection has to wait.
    pause: Option<Pin<Box<Sleep>>>,
    /// Whether any byte came since [`Throttled::take_heard`].
    heard: bool,
}

impl Throttled {
    /// `read_ahead` is what was read of the stream before.
    pub fn new(stream: ClientStream, limits: &Limits, read_ahead: &[u8]) -> Self {
        let steps = limits.inbound_bytes_per_second / STEP_BYTES as u32;
        let rate = Rate::new(steps, steps.max(1).saturating_mul(BURST_SECONDS));
        let mut fragments = Fragments::default();
        // These few bytes came while the socket opened.
        fragments.count(read_ahead);
        let stream = Place::Here(stream);
        Self { stream, rate, fragments, continuations: Some(FrameRate::new(limits)), pause: None, heard: false }
    }

    /// Takes the connection off the runtime of this thread; [`Throttled::attach`] must follow.
    pub fn detach(&mut self) -> io::Result<DetachedStream> {
        match std::mem::replace(&mut self.stream, Place::Between) {
            Place::Here(stream) => stream.detach(),
            Place::Between => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Gives the connection to the runtime of this thread.
    pub fn attach(&mut self, stream: DetachedStream) -> io::Result<()> {
        self.stream = Place::Here(stream.attach()?);
        Ok(())
    }

    fn here(&mut self) -> io::Result<Pin<&mut ClientStream>> {
        match &mut self.stream {
            Place::Here(stream) => Ok(Pin::new(stream)),
            Place::Between => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Counts the continuation frames of what was read; an error where they came too fast.
    fn count_fragments(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(rate) = &mut self.continuations else { return Ok(()) };
        if !(0..self.fragments.count(bytes)).all(|_| rate.allows_one()) {
            self.continuations = None;
            return Err(io::Error::other(TooManyFragments));
        }
        // Until the next read, it is the host that does not read.
        rate.is_held();
        Ok(())
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
        self.continuations.iter_mut().for_each(FrameRate::goes_on);
        let before = buffer.filled().len();
        ready!(self.here()?.poll_read(context, buffer))?;
        self.count_fragments(&buffer.filled()[before..])?;
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
        self.here()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.here()?.poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Place::Here(stream) => stream.is_write_vectored(),
            Place::Between => false,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_shutdown(context)
    }
}
