//! A session's task. It begins on the thread that accepted the client, and moves to the thread of the first room that the
//! client comes into.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::conversation::{Conversation, SessionEnd};
use super::polling::{Polling, PollingStep};
use super::probe::Opening;
use super::reception::Reception;
use super::socket::SessionSocket;
use super::table::Sessions;
use crate::model::limits::Limits;
use crate::model::names::TenantName;
use crate::protocol::Frame;
use crate::protocol::close::CloseReason;
use crate::seldom::Seldom;
use crate::socket::DetachedStream;
use crate::socket::ws::{self, FAREWELL};
use crate::tenant::Account;
use crate::tenant::charge::charged;
use crate::workers::{WorkerId, Workers};

static NOT_MOVED: Seldom = Seldom::new();

/// What carries the packets.
enum Transport {
    Polling(Box<Polling>),
    WebSocket(Box<SessionSocket>),
}

/// One client of Engine.IO. It is boxed throughout, since each function that waits for another would hold it once more.
pub struct Session {
    conversation: Conversation,
    transport: Transport,
    /// The counted places that the client occupies, those of a WebSocket that took over included.
    held: Vec<Box<dyn Send>>,
}

/// Where a session stands when it pauses.
enum Stage {
    Ended(SessionEnd),
    /// The client is in a room of this thread.
    Seated(WorkerId),
}

/// What every session is made of.
pub struct NewSession {
    pub id: String,
    pub reception: Arc<dyn Reception>,
    pub limits: Arc<Limits>,
    /// The counted places that the client occupies until the session ends.
    pub held: Box<dyn Send>,
}

impl Session {
    /// A session that polls. The answer to its first GET is its open packet.
    pub fn polling(new: NewSession, sessions: &Arc<Sessions>, tenant: TenantName) -> Box<Self> {
        let (entry, knocks) = sessions.enter(tenant, &new.id);
        Box::new(Self {
            conversation: Conversation::new(new.reception, new.limits),
            transport: Transport::Polling(Box::new(Polling::new(knocks, entry))),
            held: vec![new.held],
        })
    }

    /// A session over a WebSocket from the first, which says `opened` first; none where the connection cannot be opened.
    pub async fn over_websocket(new: NewSession, opened: Frame, opening: Opening) -> Option<Box<Self>> {
        let ws = opening.open(Arc::clone(&new.limits)).await?;
        let mut conversation = Conversation::new(new.reception, new.limits);
        conversation.say(opened.into());
        let transport = Transport::WebSocket(Box::new(SessionSocket::new(ws)));
        Some(Box::new(Self { conversation, transport, held: vec![new.held] }))
    }

    /// Serves the session to its end.
    pub async fn live(mut self: Box<Self>, workers: Arc<Workers>, account: Arc<Account>) {
        let stage = charged(&account.cpu, poll_fn(|context| self.poll_until_seated(context))).await;
        let worker = match stage {
            Stage::Ended(end) => return self.finish(end).await,
            Stage::Seated(worker) => worker,
        };
        let stream = match self.detach() {
            Ok(stream) => stream,
            Err(why) => return self.give_up(&why).await,
        };
        let runtime = workers.runtime(worker).clone();
        runtime.spawn(async move {
            let _place = workers.place_socket(worker);
            if let Err(why) = self.attach(stream) {
                return self.give_up(&why).await;
            }
            let lane = Arc::clone(account.lane());
            lane.run(pin!(self.live_here())).await;
        });
    }

    async fn live_here(mut self: Box<Self>) {
        let end = poll_fn(|context| self.poll(context)).await;
        self.finish(end).await;
    }

    fn poll_until_seated(&mut self, context: &mut Context<'_>) -> Poll<Stage> {
        if let Poll::Ready(end) = self.poll(context) {
            return Poll::Ready(Stage::Ended(end));
        }
        let can_move = match &self.transport {
            Transport::Polling(polling) => polling.can_move(),
            Transport::WebSocket(_) => true,
        };
        match self.conversation.first_seat().filter(|_| can_move) {
            Some(seat) => Poll::Ready(Stage::Seated(seat.room.worker)),
            None => Poll::Pending,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<SessionEnd> {
        loop {
            match &mut self.transport {
                Transport::WebSocket(line) => return line.poll(context, &mut self.conversation),
                Transport::Polling(polling) => match ready!(polling.poll(context, &mut self.conversation)) {
                    PollingStep::Ended(end) => return Poll::Ready(end),
                    PollingStep::Upgraded { line, held } => {
                        self.held.push(held);
                        self.transport = Transport::WebSocket(line);
                    }
                },
            }
        }
    }

    /// Takes the session off the runtime of this thread.
    fn detach(&mut self) -> std::io::Result<Option<DetachedStream>> {
        match &mut self.transport {
            Transport::Polling(_) => Ok(None),
            Transport::WebSocket(line) => line.ws.get_mut().detach().map(Some),
        }
    }

    /// Gives the session to the runtime of this thread.
    fn attach(&mut self, stream: Option<DetachedStream>) -> std::io::Result<()> {
        self.conversation.attach();
        match (&mut self.transport, stream) {
            (Transport::WebSocket(line), Some(stream)) => line.ws.get_mut().attach(stream),
            _ => Ok(()),
        }
    }

    async fn give_up(mut self: Box<Self>, why: &std::io::Error) {
        NOT_MOVED.tell(|left_out| {
            tracing::warn!(left_out, "a session cannot move to its room's thread: {why}");
        });
        self.conversation.leave(&SessionEnd::Client(CloseReason::BROKEN_OFF));
    }

    /// Says goodbye, and tells the rooms.
    async fn finish(mut self: Box<Self>, end: SessionEnd) {
        self.conversation.fall_silent(&end);
        match &mut self.transport {
            Transport::Polling(polling) => {
                polling.finish(&end);
                self.conversation.leave(&end);
            }
            Transport::WebSocket(line) => {
                let told = match &end {
                    SessionEnd::Host(reason) => {
                        let told = tokio::time::timeout(FAREWELL, ws::tell(&mut line.ws, reason.clone())).await;
                        matches!(told, Ok(Ok(())))
                    }
                    SessionEnd::Client(_) => true,
                };
                self.conversation.leave(&end);
                if told {
                    ws::linger(&mut line.ws).await;
                }
            }
        }
    }
}
