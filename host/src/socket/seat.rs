//! A socket's place in its room. The server takes it before it tells the client that it is connected, so that the client
//! misses nothing that the room says from then on. The seat is given up once, whatever ends the connection. One that has a
//! claim outlives its line: it waits in [`wait`] until the client comes back, or for as long as it may.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::claims::{Claim, Claims, HandOver};
use crate::model::event::SocketId;
use crate::model::meta::Meta;
use crate::protocol::close::CloseReason;
use crate::room::handle::{Mail, RoomClosed, RoomHandle};
use crate::room::outbound::{EndOfLine, Outbound};

/// The claims to seats.
pub type SeatClaims = Claims<Seat>;

/// The seat of one socket. Dropping it without [`Seat::leave`] means that the connection broke off.
pub struct Seat {
    pub room: RoomHandle,
    pub id: SocketId,
    pub outbound: Arc<Outbound>,
    is_left: bool,
    /// Boxed, since most seats have none.
    claim: Option<Box<SeatClaim>>,
}

/// What lets a seat outlive its line. Dropping it ends the claim.
pub struct SeatClaim {
    pub claim: Arc<Claim<Seat>>,
    pub claims: Arc<SeatClaims>,
    /// The address of the client, as it is counted.
    pub address: Option<IpAddr>,
    /// How many of the client's frames were taken, over all lines.
    pub heard: u64,
    /// Whether the client has come back, and may not have its next secret yet.
    pub is_unconfirmed: bool,
}

impl Drop for SeatClaim {
    fn drop(&mut self) {
        self.claims.end(&self.claim);
    }
}

impl Seat {
    /// Puts the socket's arrival into the room's order. Fails where the room has ended.
    pub fn take(room: RoomHandle, meta: Meta, outbound: Arc<Outbound>) -> Result<Self, RoomClosed> {
        let id = room.next_socket();
        room.mailbox.push(Mail::Connect { socket: id, meta, outbound: Arc::clone(&outbound) })?;
        Ok(Self { room, id, outbound, is_left: false, claim: None })
    }

    /// Lets the seat outlive its line.
    pub fn outliving(mut self, claim: Box<SeatClaim>) -> Self {
        self.claim = Some(claim);
        self
    }

    /// Whether the seat outlives its line.
    pub fn outlives_line(&self) -> bool {
        self.claim.is_some()
    }

    pub fn claim_mut(&mut self) -> Option<&mut SeatClaim> {
        self.claim.as_deref_mut()
    }

    /// Counts one of the client's frames: the room has it in its order, or the host dropped it as a bad one.
    pub fn count_heard(&mut self) {
        if let Some(claim) = &mut self.claim {
            claim.heard += 1;
            if std::mem::take(&mut claim.is_unconfirmed) {
                // It sends nothing before it has heard that it is back.
                claim.claim.confirm();
            }
        }
    }

    /// Tells the room that the host reads no more of this socket. The room closes it with this reason, behind the answers
    /// to what came before. Fails where the room has ended.
    pub fn say_last_words(&self, reason: CloseReason) -> Result<(), RoomClosed> {
        self.room.mailbox.push(Mail::LastWords { socket: self.id, reason })
    }

    /// From now on the socket takes no frames and sends no events. [`Seat::leave`] follows, once the reason is final.
    pub fn fall_silent(&self) {
        self.outbound.abandon();
        self.room.mailbox.give_up_place(self.id);
    }

    /// Tells the room, once, why the socket is gone.
    pub fn leave(&mut self, reason: CloseReason) {
        if !std::mem::replace(&mut self.is_left, true) {
            self.claim = None;
            self.outbound.abandon();
            // Fails only where the room has ended, and then nobody needs to know.
            let _ = self.room.mailbox.push(Mail::Disconnect { socket: self.id, reason });
        }
    }

    /// The line is gone, and the client said no goodbye: a seat with a claim waits for the next line, others are left.
    pub fn lose_line(&mut self, reason: CloseReason) {
        if self.is_left {
            return;
        }
        let plugin = self.room.plugin();
        let (limits, detached) = (plugin.limits(), &plugin.account().detached);
        let wait_max = Duration::from_millis(limits.resume_ms);
        let Some(claim) = self.claim.take() else { return self.leave(reason) };
        let Some(of_tenant) = detached.place() else {
            plugin.totals.count_resume("detached-per-tenant");
            return self.leave(reason);
        };
        let Some(of_address) = claim.claims.detach(claim.address, limits) else {
            plugin.totals.count_resume("sockets-per-address");
            return self.leave(reason);
        };
        self.room.mailbox.give_up_place(self.id);
        if !self.outbound.lose_line() {
            return self.leave(self.outbound.closes_with().unwrap_or(reason));
        }
        let seat = self.moved();
        seat.tell_of_line();
        let runtime = claim.claims.workers.runtime(self.room.worker).clone();
        let places = (of_tenant, of_address);
        runtime.spawn(wait(seat, claim, wait_max, reason, places));
    }

    /// Hands the seat over to the line that takes over. Where that is gone as well, it waits for another.
    pub fn hand_over(&mut self) {
        match self.claim.as_ref().and_then(|claim| claim.claim.next_line()) {
            // Whoever drops the seat detaches it.
            Some(next) => drop(next.send(HandOver::Socket(self.moved()))),
            None => self.lose_line(CloseReason::BROKEN_OFF),
        }
    }

    /// The seat in other hands: these have none any more.
    fn moved(&mut self) -> Self {
        Self {
            room: Arc::clone(&self.room),
            id: self.id,
            outbound: Arc::clone(&self.outbound),
            is_left: std::mem::replace(&mut self.is_left, true),
            claim: self.claim.take(),
        }
    }

    /// Tells the room that the line broke, or that the seat has another one.
    pub fn tell_of_line(&self) {
        if self.outbound.note_news() {
            // Fails only where the room has ended, and then nobody needs to know.
            let _ = self.room.mailbox.push(Mail::Line { socket: self.id });
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.lose_line(CloseReason::BROKEN_OFF);
    }
}

/// A seat without a line, for so long. It has its claim beside it, so that dropping it at the end of its runtime leaves the room.
async fn wait(mut seat: Seat, claim: Box<SeatClaim>, wait_max: Duration, reason: CloseReason, places: impl Send) {
    let end = poll_fn(|context| seat.outbound.poll_end_of_line(context));
    match tokio::time::timeout(wait_max, end).await {
        Ok(EndOfLine::HandOver) => {
            drop(places);
            seat.outliving(claim).hand_over();
        }
        Ok(EndOfLine::Close(reason, _)) => {
            seat.room.plugin().totals.count_close(reason.label());
            seat.leave(reason);
        }
        Err(_) => seat.leave(reason),
    }
}
