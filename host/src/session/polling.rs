//! A session's polling: the client asks by GET for what is to be said to it, and posts what it says itself.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::sync::{mpsc, oneshot};
use tokio::time::Sleep;

use super::conversation::{Conversation, SessionEnd};
use super::knock::{Knock, PollAnswer, PostAnswer};
use super::probe::{ProbeStep, UpgradeProbe};
use super::socket::SessionSocket;
use super::table::SessionEntry;
use crate::protocol::Frame;
use crate::protocol::close::CloseReason;
use crate::protocol::engineio::{self, PollingBody, PollingReply};
use crate::socket::ws::FAREWELL;

/// How a step of the polling ended.
pub(super) enum PollingStep {
    Ended(SessionEnd),
    /// A WebSocket has taken over.
    Upgraded {
        line: Box<SessionSocket>,
        held: Box<dyn Send>,
    },
}

/// A body of packets that are being taken.
struct PostedPackets {
    body: PollingBody,
    taken: oneshot::Sender<PostAnswer>,
}

/// The state of a session's polling.
pub(super) struct Polling {
    knocks: mpsc::Receiver<Knock>,
    waiting: Option<oneshot::Sender<PollAnswer>>,
    posted: Option<PostedPackets>,
    probe: Option<UpgradeProbe>,
    /// Set while a room closes a client that does not ask.
    farewell: Option<Pin<Box<Sleep>>>,
    /// Its place in the table of sessions, by which requests find it.
    _entry: SessionEntry,
}

impl Polling {
    pub(super) fn new(knocks: mpsc::Receiver<Knock>, entry: SessionEntry) -> Self {
        Self { knocks, waiting: None, posted: None, probe: None, farewell: None, _entry: entry }
    }

    /// Whether nothing of it belongs to the runtime of this thread.
    pub(super) fn can_move(&self) -> bool {
        self.probe.is_none()
    }

    pub(super) fn poll(&mut self, context: &mut Context<'_>, conversation: &mut Conversation) -> Poll<PollingStep> {
        let ended = |end| Poll::Ready(PollingStep::Ended(end));
        if let Err(end) = self.take_knocks(context, conversation) {
            return ended(end);
        }
        if let Some(waiting) = &mut self.waiting
            && waiting.poll_closed(context).is_ready()
        {
            return ended(SessionEnd::Client(CloseReason::BROKEN_OFF));
        }
        if let Poll::Ready(end) = self.poll_posted(context, conversation) {
            return ended(end);
        }
        if let Poll::Ready(end) = conversation.poll_time(context) {
            return ended(end);
        }
        if let Poll::Ready(end) = self.poll_answer(context, conversation) {
            return ended(end);
        }
        match ready!(self.poll_probe(context)) {
            ProbeStep::TakesOver(line) => {
                self.answer(reply(engineio::NOOP));
                let held = self.probe.take().map_or_else(|| Box::new(()) as _, UpgradeProbe::into_held);
                Poll::Ready(PollingStep::Upgraded { line, held })
            }
            ProbeStep::GaveUp => {
                self.probe = None;
                Poll::Pending
            }
        }
    }

    fn take_knocks(&mut self, context: &mut Context<'_>, conversation: &Conversation) -> Result<(), SessionEnd> {
        while let Poll::Ready(Some(knock)) = self.knocks.poll_recv(context) {
            match knock {
                Knock::Poll(answer) if self.waiting.is_some() => {
                    self.answer(reply(engineio::CLOSE));
                    let _ = answer.send(PollAnswer::Overlap);
                    return Err(overlap("two polls at a time"));
                }
                Knock::Poll(answer) => self.waiting = Some(answer),
                Knock::Post { taken, .. } if self.posted.is_some() => {
                    let _ = taken.send(PostAnswer::Wrong("two posts at a time".to_owned()));
                    return Err(overlap("two posts at a time"));
                }
                Knock::Post { body: Ok(body), taken } => self.posted = Some(PostedPackets { body, taken }),
                Knock::Post { body: Err(why), taken } => {
                    let _ = taken.send(PostAnswer::Wrong(why.words().to_owned()));
                    return Err(SessionEnd::Host(CloseReason::BAD_PACKET.at_packet(1, Some(why.words()))));
                }
                // A second one: its connection ends when this drops it.
                Knock::Upgrade { .. } if self.probe.is_some() => {}
                Knock::Upgrade { opening, held } => {
                    self.probe = Some(UpgradeProbe::new(opening, held, conversation.limits()));
                }
            }
        }
        Ok(())
    }

    /// Brings what was posted to the rooms, as fast as they take it.
    fn poll_posted(&mut self, context: &mut Context<'_>, conversation: &mut Conversation) -> Poll<SessionEnd> {
        let Some(posted) = &mut self.posted else { return Poll::Pending };
        loop {
            // Before each packet, and until the last one's event has its place as well.
            ready!(conversation.poll_ready(context));
            let Some(packet) = posted.body.next_packet() else { break };
            if let Err(end) = conversation.take(packet) {
                self.end_post(&end);
                return Poll::Ready(end);
            }
        }
        if let Some(posted) = self.posted.take() {
            let _ = posted.taken.send(PostAnswer::Taken);
        }
        Poll::Pending
    }

    fn end_post(&mut self, end: &SessionEnd) {
        let Some(posted) = self.posted.take() else { return };
        let _ = posted.taken.send(match end {
            SessionEnd::Client(_) => PostAnswer::Taken,
            SessionEnd::Host(reason) => PostAnswer::Wrong(reason.reason.to_string()),
        });
    }

    /// Answers the GET that waits with all that is to be said.
    fn poll_answer(&mut self, context: &mut Context<'_>, conversation: &mut Conversation) -> Poll<SessionEnd> {
        if self.waiting.is_none() {
            let reason = ready!(conversation.poll_closing(context));
            let farewell = self.farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
            ready!(farewell.as_mut().poll(context));
            return Poll::Ready(SessionEnd::Host(reason));
        }
        self.farewell = None;
        let mut payload = PollingReply::default();
        let mut end = None;
        while payload.len() < conversation.limits().frame_bytes {
            match conversation.poll_packet(context) {
                Poll::Ready(Ok(packet)) => {
                    payload.push(&packet.text);
                    packet.attachments().iter().for_each(|bytes| payload.push_bytes(bytes));
                }
                Poll::Ready(Err(why)) => {
                    end = Some(why);
                    break;
                }
                Poll::Pending => break,
            }
        }
        // While a WebSocket is to take over, the client waits until its poll is answered.
        if payload.is_empty() && end.is_none() && self.probe.as_ref().is_some_and(UpgradeProbe::is_confirmed) {
            payload = reply(engineio::NOOP);
        }
        if !payload.is_empty() {
            if end.as_ref().is_some_and(is_final) {
                payload.push(&engineio::CLOSE);
            }
            self.answer(payload);
        }
        end.map_or(Poll::Pending, Poll::Ready)
    }

    fn poll_probe(&mut self, context: &mut Context<'_>) -> Poll<ProbeStep> {
        // What was posted comes before what the WebSocket brings.
        match &mut self.probe {
            Some(probe) if self.posted.is_none() => probe.poll(context),
            _ => Poll::Pending,
        }
    }

    fn answer(&mut self, payload: PollingReply) {
        if let Some(waiting) = self.waiting.take() {
            // Fails where the client has gone.
            let _ = waiting.send(PollAnswer::Payload(payload.into_text()));
        }
    }

    /// Says goodbye: a client whose poll waits learns that the session is over.
    pub(super) fn finish(&mut self, end: &SessionEnd) {
        self.end_post(end);
        match end {
            SessionEnd::Client(_) => self.answer(reply(engineio::NOOP)),
            SessionEnd::Host(_) if is_final(end) => self.answer(reply(engineio::CLOSE)),
            // The poll fails: some clients stay away after a close packet, and all come back after an error.
            SessionEnd::Host(_) => self.waiting = None,
        }
    }
}

/// Whether the client is not to come back by itself.
fn is_final(end: &SessionEnd) -> bool {
    matches!(end, SessionEnd::Host(reason) if !reason.is_to_come_back())
}

/// A reply of one packet.
fn reply(packet: Frame) -> PollingReply {
    let mut reply = PollingReply::default();
    reply.push(&packet);
    reply
}

fn overlap(words: &str) -> SessionEnd {
    SessionEnd::Client(CloseReason::given(1002, words.to_owned()))
}
