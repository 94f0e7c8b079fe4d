//! A WebSocket that is to take a polling session over: it says `2probe`, hears `3probe`, and takes over with `5`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Sleep;

use super::socket::{Said, SessionSocket};
use crate::model::limits::Limits;
use crate::protocol::engineio::{self, EnginePacket};
use crate::socket::DetachedStream;
use crate::socket::ws::{self, Ws};

/// A connection behind its 101, on its way to the session's thread.
pub struct Opening {
    pub stream: DetachedStream,
    pub read_ahead: Vec<u8>,
}

impl Opening {
    /// Opens the WebSocket on this thread; none where the connection cannot come here.
    pub(super) async fn open(self, limits: Arc<Limits>) -> Option<Ws> {
        let stream = self.stream.attach().ok()?;
        Some(ws::open(stream, self.read_ahead, &limits).await)
    }
}

/// What became of a probe.
pub(super) enum ProbeStep {
    TakesOver(Box<SessionSocket>),
    GaveUp,
}

/// A WebSocket that has not taken over yet.
pub(super) struct UpgradeProbe {
    opening: Option<BoxFuture<'static, Option<Ws>>>,
    line: Option<Box<SessionSocket>>,
    is_confirmed: bool,
    until: Pin<Box<Sleep>>,
    /// The counted places of its connection.
    held: Box<dyn Send>,
}

impl UpgradeProbe {
    pub(super) fn new(opening: Opening, held: Box<dyn Send>, limits: &Arc<Limits>) -> Self {
        let until = tokio::time::sleep(Duration::from_millis(limits.engine_upgrade_ms));
        let opening = Box::pin(opening.open(Arc::clone(limits)));
        Self { opening: Some(opening), line: None, is_confirmed: false, until: Box::pin(until), held }
    }

    /// The counted places of the connection that has taken over.
    pub(super) fn into_held(self) -> Box<dyn Send> {
        self.held
    }

    /// Whether the client knows that the WebSocket works.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<ProbeStep> {
        if self.until.as_mut().poll(context).is_ready() {
            return Poll::Ready(ProbeStep::GaveUp);
        }
        if let Some(opening) = &mut self.opening {
            let ws = ready!(opening.as_mut().poll(context));
            self.opening = None;
            self.line = ws.map(|ws| Box::new(SessionSocket::new(ws)));
        }
        loop {
            let Some(line) = &mut self.line else { return Poll::Ready(ProbeStep::GaveUp) };
            if ready!(line.poll_send(context)).is_err() || ready!(line.poll_flush(context)).is_err() {
                return Poll::Ready(ProbeStep::GaveUp);
            }
            let said = match ready!(line.poll_said(context)) {
                Ok(Said::Text(text)) => text,
                Ok(Said::Bytes(_)) | Err(_) => return Poll::Ready(ProbeStep::GaveUp),
            };
            match engineio::decode(&said) {
                Ok(EnginePacket::Probe) if !self.is_confirmed => {
                    self.is_confirmed = true;
                    line.push(&engineio::PROBED.into());
                    // The poll that waits is answered in the session's next round.
                    context.waker().wake_by_ref();
                }
                Ok(EnginePacket::Upgrade) if self.is_confirmed => {
                    return Poll::Ready(self.line.take().map_or(ProbeStep::GaveUp, ProbeStep::TakesOver));
                }
                _ => return Poll::Ready(ProbeStep::GaveUp),
            }
        }
    }
}
