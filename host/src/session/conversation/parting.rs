//! How a session parts from its rooms: for good, or until its client comes back over another line.

use std::task::{Context, Poll};

use super::{CLOSED, Conversation, SessionEnd, Visit};
use crate::protocol::close::CloseReason;
use crate::protocol::socketio::encode;
use crate::room::outbound::EndOfLine;

impl Conversation {
    /// The client came back to a namespace over another line, and leaves it over this one.
    pub(super) fn hand_over(&mut self, place: usize) {
        let Visit { namespace, mut seat } = self.visits.remove(place);
        if self.held.0 == namespace {
            self.held.1.give_up(&seat);
        }
        seat.hand_over();
        self.own.push_back(encode::disconnected(&namespace));
    }

    /// From now on no room hears of this client or says anything to it, but for seats that outlive a line which broke.
    /// [`Conversation::leave`] follows.
    pub(in crate::session) fn fall_silent(&mut self, end: &SessionEnd) {
        let lost = match end {
            // Who leaves for good leaves its namespaces before it closes the session.
            SessionEnd::Client(reason) if !reason.is_goodbye() || reason.reason == CLOSED => Some(reason),
            SessionEnd::Host(reason) if *reason == CloseReason::NO_PONG => Some(reason),
            _ => None,
        };
        if let Some(reason) = lost.filter(|_| self.last_answers.is_none()) {
            for Visit { namespace, mut seat } in self.visits.extract_if(.., |visit| visit.seat.outlives_line()) {
                if self.held.0 == namespace {
                    self.held.1.give_up(&seat);
                }
                seat.lose_line(reason.clone());
            }
        }
        self.visits.iter().for_each(|visit| visit.seat.fall_silent());
    }

    /// Tells every room why the client is gone.
    pub(in crate::session) fn leave(&mut self, end: &SessionEnd) {
        let (SessionEnd::Client(reason) | SessionEnd::Host(reason)) = end;
        for mut visit in self.visits.drain(..) {
            if let SessionEnd::Host(_) = end {
                visit.seat.room.plugin().totals.count_close(reason.label());
            }
            visit.seat.leave(reason.clone());
        }
    }

    /// Waits until a room closes the client's visit. For a session that cannot say anything at the moment.
    pub(in crate::session) fn poll_closing(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let mut place = 0;
        while let Some(visit) = self.visits.get(place) {
            match visit.seat.outbound.poll_end_of_line(context) {
                Poll::Ready(EndOfLine::Close(reason, _)) => return Poll::Ready(reason),
                Poll::Ready(EndOfLine::HandOver) => self.hand_over(place),
                Poll::Pending => place += 1,
            }
        }
        Poll::Pending
    }
}
