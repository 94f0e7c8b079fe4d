//! A client that wants to come back after its line breaks, and one that does.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;

use super::address::query_value;
use super::entry::Known;
use super::refusal::UpgradeRefusal;
use crate::model::names::{RoomId, RoomKey};
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::protocol::verani;
use crate::room::outbound::Outbound;
use crate::socket::claims::Claim;
use crate::socket::{Seat, SeatClaim, SeatClaims};

/// The key of the query by which a client asks for a session that outlives its line, and its secret where it has one.
const RESUME: &str = "resume";
/// How many frames the client has.
const GOT: &str = "got";

/// A client's wish for a seat that outlives its line.
pub(super) struct Resume {
    claims: Arc<SeatClaims>,
    /// The secret that the client brings of a session before, if any.
    again: Option<Again>,
}

/// A session that a client wants to come back to.
struct Again {
    secret: String,
    got: u64,
    /// None where nobody knows the secret, or it is for another room.
    claim: Option<Arc<Claim<Seat>>>,
}

impl Resume {
    /// What the query of a client's address says of it: nothing, `resume` alone, or `resume=SECRET&got=N`.
    pub(super) fn asked(claims: &Arc<SeatClaims>, plugin: &Plugin, room: &RoomId, uri: &Uri) -> Option<Self> {
        let secret = query_value(uri, RESUME)?;
        let again = (!secret.is_empty()).then(|| {
            let room = RoomKey { plugin: plugin.key.clone(), room: room.clone() };
            let got = query_value(uri, GOT).and_then(|got| got.parse().ok());
            let claim = claims.find(&room, &secret).filter(|_| got.is_some());
            Again { secret, got: got.unwrap_or_default(), claim }
        });
        Some(Self { claims: Arc::clone(claims), again })
    }

    /// Whether the client knows the secret of a socket that is there.
    pub(super) fn goes_on(&self) -> bool {
        self.again.as_ref().is_some_and(|again| again.claim.is_some())
    }

    /// Takes the client's seat over from its last line; none where it has to begin anew.
    pub(super) async fn take_over(&self, plugin: &Plugin, known: &Known) -> Result<Option<Seat>, UpgradeRefusal> {
        let Some(again) = &self.again else { return Ok(None) };
        let seat = match &again.claim {
            None => Err("unknown"),
            Some(claim) => again.take_over(claim, plugin, known).await?,
        };
        plugin.totals.count_resume(seat.as_ref().map_or_else(|why| *why, |_| "resumed"));
        Ok(seat.ok())
    }

    /// Lets a new seat outlive its line, and queues what tells the client how; nothing where resuming is off.
    pub(super) fn begin(
        self,
        plugin: &Plugin,
        room: &RoomId,
        user: Option<String>,
        outbound: &Arc<Outbound>,
    ) -> Result<Option<SeatClaim>, UpgradeRefusal> {
        let limits = plugin.limits();
        if limits.resume_ms == 0 {
            // A client that never was in such a session expects nothing.
            if self.again.is_some() {
                outbound.push(verani::NO_SESSION.into());
            }
            return Ok(None);
        }
        let room = RoomKey { plugin: plugin.key.clone(), room: room.clone() };
        let opened = self.claims.open(room, user, Arc::clone(outbound));
        let (claim, secret) = opened.map_err(|_| UpgradeRefusal::busy("no randomness"))?;
        outbound.survive(limits, Arc::clone(&plugin.account().memory));
        outbound.push(verani::session(&secret, None).into());
        let (wait, address) = (Duration::from_millis(limits.resume_ms), outbound.visitor.address());
        Ok(Some(SeatClaim { claim, claims: self.claims, wait, address, heard: 0, is_unconfirmed: false }))
    }
}

impl Again {
    /// Takes over the seat of a claim; a word for the metrics where the client has to begin anew.
    async fn take_over(
        &self,
        claim: &Arc<Claim<Seat>>,
        plugin: &Plugin,
        known: &Known,
    ) -> Result<Result<Seat, &'static str>, UpgradeRefusal> {
        if !claim.is_of(known.is_named.then_some(known.meta.user_id.as_str())) {
            return Ok(Err("user"));
        }
        let no_randomness = |_| UpgradeRefusal::busy("no randomness");
        let limit = Duration::from_millis(plugin.limits().handshake_ms);
        let Ok(handed_over) = tokio::time::timeout(limit, claim.ask()).await else {
            return Err(UpgradeRefusal::busy("the socket's last line did not hand over in time: handshake-ms"));
        };
        // It ended meanwhile.
        let Ok(mut seat) = handed_over else { return Ok(Err("unknown")) };
        let secret = claim.renew(&self.secret).map_err(no_randomness)?;
        let Some(kept) = seat.claim_mut() else { return Ok(Err("unknown")) };
        (kept.address, kept.is_unconfirmed) = (known.visitor.address(), true);
        let back = verani::session(&secret, Some(kept.heard));
        if !seat.outbound.go_on(self.got, back.into()) {
            seat.leave(CloseReason::BROKEN_OFF);
            return Ok(Err("frames-gone"));
        }
        seat.outbound.pause(known.pause);
        seat.tell_of_line();
        Ok(Ok(seat))
    }
}
