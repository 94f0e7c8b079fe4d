//! What is said in a session, whatever carries it: packets of the client go to the rooms of its namespaces, and what rooms
//! say to it comes out in order.

mod parting;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Sleep;

use super::heartbeat::{Beat, Heartbeat};
use super::reception::{NotAdmitted, Reception};
use crate::model::json::Json;
use crate::model::limits::Limits;
use crate::protocol::Packet;
use crate::protocol::close::CloseReason;
use crate::protocol::engineio::{self, BadEnginePacket, EnginePacket};
use crate::protocol::socketio::encode;
use crate::protocol::socketio::reader::PacketReader;
use crate::protocol::socketio::{ClientContent, ClientPacket};
use crate::room::outbound::ToWrite;
use crate::socket::Seat;
use crate::socket::held::HeldMessage;
use crate::socket::rate::FrameRate;

/// How many packets of its own a session queues, such as refusals, before it reads on only when some have left.
const OWN_PACKETS_MAX: usize = 16;
/// How long rooms have to answer what came before a packet that ends the session.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// What `$disconnect` learns of a client that leaves one namespace.
const LEFT: &str = "client namespace disconnect";
/// What `$disconnect` learns of a client that ends its session.
const CLOSED: &str = "client disconnect";

/// How a session ended.
#[derive(Debug)]
pub(super) enum SessionEnd {
    /// The client said goodbye or broke off.
    Client(CloseReason),
    /// The host closes, and tells the client where it can.
    Host(CloseReason),
}

/// The client's place in one namespace.
struct Visit {
    namespace: String,
    seat: Seat,
}

/// A wish to come into a namespace, until it is granted or refused.
struct Arrival {
    namespace: String,
    seated: BoxFuture<'static, Result<Seat, NotAdmitted>>,
}

/// The host reads no more, and rooms still answer what came before.
struct LastAnswers {
    reason: CloseReason,
    until: Pin<Box<Sleep>>,
}

/// One session's conversation.
pub(super) struct Conversation {
    reception: Arc<dyn Reception>,
    limits: Arc<Limits>,
    visits: Vec<Visit>,
    /// Nothing is read while the client waits to come into a namespace.
    arrival: Option<Arrival>,
    /// An event or an answer that waits for its place in the room of this namespace.
    held: (String, HeldMessage),
    reader: PacketReader,
    /// What the session itself says: pings, refusals, the end of a visit.
    own: VecDeque<Packet>,
    heartbeat: Heartbeat,
    frames: FrameRate,
    packets_read: u64,
    /// When the client must have come into a namespace; none once it has.
    connect_by: Option<Pin<Box<Sleep>>>,
    last_answers: Option<LastAnswers>,
    /// The host cannot let the client in at the moment: it is to come back.
    is_put_off: bool,
    /// The client came into a namespace since packets were asked for: nobody listens to that room yet.
    is_newly_in: bool,
}

impl Conversation {
    pub(super) fn new(reception: Arc<dyn Reception>, limits: Arc<Limits>) -> Self {
        let connect_by = tokio::time::sleep(Duration::from_millis(limits.engine_connect_ms));
        Self {
            reception,
            visits: Vec::new(),
            arrival: None,
            held: (String::new(), HeldMessage::Nothing),
            reader: PacketReader::new(limits.attachments_per_event, limits.frame_bytes),
            own: VecDeque::new(),
            heartbeat: Heartbeat::new(&limits),
            frames: FrameRate::new(&limits),
            packets_read: 0,
            connect_by: Some(Box::pin(connect_by)),
            last_answers: None,
            is_put_off: false,
            is_newly_in: false,
            limits,
        }
    }

    pub(super) fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    /// The seat of the first namespace that the client came into and is still in.
    pub(super) fn first_seat(&self) -> Option<&Seat> {
        self.visits.first().map(|visit| &visit.seat)
    }

    /// Moves the timers to the runtime of this thread.
    pub(super) fn attach(&mut self) {
        self.heartbeat.attach();
    }

    /// Says something of the session's own.
    pub(super) fn say(&mut self, packet: Packet) {
        self.own.push_back(packet);
    }

    /// Whether to ask for packets again, whatever was heard when last asked.
    pub(super) fn has_words(&self) -> bool {
        !self.own.is_empty() || self.is_put_off || self.is_newly_in
    }

    /// Waits until the conversation takes the client's next packet.
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        ready!(self.poll_arrival(context));
        ready!(self.poll_held(context));
        if self.own.len() >= OWN_PACKETS_MAX || self.last_answers.is_some() || self.is_put_off {
            return Poll::Pending;
        }
        self.frames.goes_on();
        Poll::Ready(())
    }

    /// Moves the event that waits into its room. Where the room has ended, its queue says so.
    fn poll_held(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (namespace, held) = &mut self.held;
        if held.is_nothing() {
            return Poll::Ready(());
        }
        let seat = self.visits.iter().find(|visit| visit.namespace == *namespace).map(|visit| &visit.seat);
        match seat.map(|seat| held.poll(context, seat)) {
            Some(Poll::Pending) => {
                self.frames.is_held();
                return Poll::Pending;
            }
            Some(Poll::Ready(Ok(()))) => {}
            Some(Poll::Ready(Err(_))) | None => *held = HeldMessage::Nothing,
        }
        Poll::Ready(())
    }

    fn poll_arrival(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(arrival) = &mut self.arrival else { return Poll::Ready(()) };
        let seated = ready!(arrival.seated.as_mut().poll(context));
        let Some(Arrival { namespace, .. }) = self.arrival.take() else { return Poll::Ready(()) };
        match seated {
            Ok(seat) => {
                self.connect_by = None;
                self.visits.push(Visit { namespace, seat });
                self.is_newly_in = true;
            }
            // Stock clients come back by themselves where a transport closes, and stay away where a namespace refuses them.
            Err(NotAdmitted::Refused { passes: true, .. }) if self.visits.is_empty() => self.is_put_off = true,
            Err(why) => self.own.push_back(refusal(&namespace, &why)),
        }
        Poll::Ready(())
    }

    /// Takes one packet of the client. Call it when [`Conversation::poll_ready`] says so.
    pub(super) fn take(&mut self, packet: Result<EnginePacket<'_>, BadEnginePacket>) -> Result<(), SessionEnd> {
        if !self.frames.allows_one() {
            return Err(SessionEnd::Host(CloseReason::TOO_FAST.at_packet(self.packets_read + 1, None)));
        }
        self.packets_read += 1;
        let read = match packet {
            Ok(EnginePacket::Message(text)) => self.reader.read_text(text),
            Ok(EnginePacket::Bytes(bytes)) => self.reader.read_bytes(bytes),
            Ok(EnginePacket::Pong) => {
                self.heartbeat.pong();
                Ok(None)
            }
            Ok(EnginePacket::Noop) => Ok(None),
            Ok(EnginePacket::Close) => {
                return Err(SessionEnd::Client(CloseReason::given(1000, CLOSED.to_owned())));
            }
            Ok(EnginePacket::Probe | EnginePacket::Upgrade) => {
                return Err(self.wrong("a WebSocket that carries the session already is to take it over"));
            }
            Err(why) => return Err(self.wrong(why.words())),
        };
        match read {
            Ok(Some(ClientPacket { namespace, content })) => self.obey(&namespace, content),
            Ok(None) => Ok(()),
            Err(why) => Err(self.wrong(why.words())),
        }
    }

    /// Ends the session because of the packet that came last.
    fn wrong(&self, words: &str) -> SessionEnd {
        SessionEnd::Host(CloseReason::BAD_PACKET.at_packet(self.packets_read, Some(words)))
    }

    /// Does what a packet asks for.
    fn obey(&mut self, namespace: &str, content: ClientContent) -> Result<(), SessionEnd> {
        let is_in = self.visits.iter().any(|visit| visit.namespace == namespace);
        let message = match content {
            ClientContent::Connect(_) if is_in => return Err(self.wrong("the client is in this namespace already")),
            ClientContent::Connect(auth) => {
                self.arrive(namespace, auth);
                return Ok(());
            }
            ClientContent::Disconnect => {
                self.end_visit(namespace, CloseReason::given(1000, LEFT.to_owned()));
                return Ok(());
            }
            ClientContent::Message(message) => message,
        };
        if !is_in {
            return Err(self.wrong("the client is not in this namespace"));
        }
        self.held = (namespace.to_owned(), HeldMessage::Uncounted(message));
        Ok(())
    }

    fn arrive(&mut self, namespace: &str, auth: Option<Json>) {
        if self.visits.len() >= self.limits.engine_namespaces {
            let words = "this connection is in as many namespaces as it may be: engine-namespaces".to_owned();
            self.own.push_back(refusal(namespace, &NotAdmitted::Refused { status: 429, words, passes: false }));
            return;
        }
        let seated = self.reception.connect(namespace, auth);
        self.arrival = Some(Arrival { namespace: namespace.to_owned(), seated });
    }

    fn end_visit(&mut self, namespace: &str, reason: CloseReason) {
        if let Some(place) = self.visits.iter().position(|visit| visit.namespace == namespace) {
            self.visits.remove(place).seat.leave(reason);
        }
    }

    /// Reads no more, because of a packet. The rooms still handle what came before it, and the session ends behind their
    /// answers.
    pub(super) fn stop_reading(&mut self, reason: CloseReason) {
        for visit in &self.visits {
            // Fails where the room has ended, and then its queue says so.
            let _ = visit.seat.say_last_words(reason.clone());
        }
        let until = Box::pin(tokio::time::sleep(LAST_ANSWERS));
        self.last_answers = Some(LastAnswers { reason, until });
    }

    /// What is to be sent next, or how the session ends.
    pub(super) fn poll_packet(&mut self, context: &mut Context<'_>) -> Poll<Result<Packet, SessionEnd>> {
        // What a client waits for, it gets even while nothing more of it is read.
        let _ = self.poll_arrival(context);
        self.is_newly_in = false;
        if self.last_answers.is_some() {
            let _ = self.poll_held(context);
        }
        if self.is_put_off {
            return Poll::Ready(Err(SessionEnd::Host(CloseReason::TRY_LATER)));
        }
        loop {
            if let Some(packet) = self.own.pop_front() {
                return Poll::Ready(Ok(packet));
            }
            let (mut closed, mut handed_over) = (None, None);
            for (place, visit) in self.visits.iter().enumerate() {
                match visit.seat.outbound.poll_next(context) {
                    Poll::Ready(ToWrite::Packet(packet)) => return Poll::Ready(Ok(packet)),
                    Poll::Ready(ToWrite::Close(reason)) => {
                        closed = Some((place, reason));
                        break;
                    }
                    Poll::Ready(ToWrite::HandOver) => {
                        handed_over = Some(place);
                        break;
                    }
                    Poll::Pending => {}
                }
            }
            if let Some(place) = handed_over {
                self.hand_over(place);
                continue;
            }
            let Some((place, reason)) = closed else { break };
            if let Some(end) = self.visit_closed(place, reason) {
                return Poll::Ready(Err(end));
            }
        }
        self.poll_last_answers(context).map(Err)
    }

    /// A room closed the client's visit. Says so where the session goes on.
    fn visit_closed(&mut self, place: usize, reason: CloseReason) -> Option<SessionEnd> {
        if self.last_answers.is_some() {
            // The session ends when all rooms have answered.
            self.visits.remove(place).seat.leave(reason);
            return None;
        }
        let Visit { namespace, mut seat } = self.visits.remove(place);
        seat.room.plugin().totals.count_close(reason.label());
        let was_welcomed = seat.outbound.is_welcomed();
        let ends_session = reason.is_to_come_back() && (was_welcomed || reason != CloseReason::CONNECT_FAILED);
        seat.fall_silent();
        seat.leave(reason.clone());
        if ends_session {
            return Some(SessionEnd::Host(reason));
        }
        if was_welcomed {
            self.own.push_back(encode::closed(&namespace, reason.code, &reason.reason));
            self.own.push_back(encode::disconnected(&namespace));
        } else if !seat.outbound.is_refused() {
            let words = reason.reason.into_owned();
            self.own.push_back(refusal(&namespace, &NotAdmitted::Refused { status: 500, words, passes: false }));
        }
        None
    }

    /// Waits for the rooms' last answers, where the host reads no more.
    fn poll_last_answers(&mut self, context: &mut Context<'_>) -> Poll<SessionEnd> {
        let Some(last) = &mut self.last_answers else { return Poll::Pending };
        if !self.visits.is_empty() {
            ready!(last.until.as_mut().poll(context));
        }
        Poll::Ready(SessionEnd::Host(last.reason.clone()))
    }

    /// Waits until time ends the session. Queues pings meanwhile, which the caller sends.
    pub(super) fn poll_time(&mut self, context: &mut Context<'_>) -> Poll<SessionEnd> {
        if let Some(connect_by) = &mut self.connect_by
            && self.arrival.is_none()
            && connect_by.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(SessionEnd::Host(CloseReason::NO_NAMESPACE));
        }
        let listens = self.arrival.is_none() && self.held.1.is_nothing() && self.last_answers.is_none();
        while let Poll::Ready(beat) = self.heartbeat.poll(context, listens) {
            match beat {
                Beat::Ping => self.own.push_back(engineio::PING.into()),
                Beat::Gone => return Poll::Ready(SessionEnd::Host(CloseReason::NO_PONG)),
            }
        }
        Poll::Pending
    }
}

/// Tells a client that it does not come into a namespace.
fn refusal(namespace: &str, why: &NotAdmitted) -> Packet {
    match why {
        NotAdmitted::NoSuchNamespace => encode::refused(namespace, "Invalid namespace", None),
        NotAdmitted::Refused { status, words, .. } => encode::refused(namespace, words, Some(*status)),
    }
}
