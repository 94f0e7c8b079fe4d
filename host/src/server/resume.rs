//! A client that wants to come back after its line breaks, and one that does.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;

use super::address::query_value;
use super::known::Known;
use super::refusal::UpgradeRefusal;
use crate::model::names::{RoomId, RoomKey};
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::protocol::verani;
use crate::room::outbound::{Got, Outbound};
use crate::socket::claims::{Claim, GivenSecret, HandOver, NewClaim};
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

/// What a client of Socket.IO sends as `auth` where it was connected before.
#[derive(serde::Deserialize)]
struct WithPid {
    pid: Option<String>,
    offset: Option<String>,
}

/// A session that a client wants to come back to.
struct Again {
    secret: GivenSecret,
    got: Got,
    /// None where nobody knows the secret, or it is for another room.
    claim: Option<Arc<Claim<Seat>>>,
}

impl Resume {
    /// What the query of a client's address says of it: nothing, `resume` alone, or `resume=SECRET&got=N`. A client of
    /// Socket.IO, of which the namespace is given and its `auth`, says the latter as `pid` and `offset` of that.
    pub(super) fn asked(
        claims: &Arc<SeatClaims>,
        plugin: &Plugin,
        room: &RoomId,
        uri: &Uri,
        socket_io: Option<(&str, Option<&str>)>,
    ) -> Option<Self> {
        let secret = query_value(uri, RESUME)?;
        let said = match socket_io {
            None => (!secret.is_empty()).then(|| {
                let got = query_value(uri, GOT).and_then(|got| got.parse().ok());
                (secret, got.map(Got::Packets))
            }),
            Some((_, auth)) => auth
                .and_then(|auth| serde_json::from_str::<WithPid>(auth).ok())
                .and_then(|auth| Some((auth.pid?, Some(Got::UpTo(auth.offset))))),
        };
        let again = said.map(|(secret, got)| {
            let secret = GivenSecret { room: key_of(plugin, room), text: secret };
            let speaks_so =
                |claim: &Arc<Claim<Seat>>| claim.outbound.wire.is_of(socket_io.map(|(namespace, _)| namespace));
            let claim = claims.find(&secret).filter(|claim| got.is_some() && speaks_so(claim));
            Again { secret, got: got.unwrap_or(Got::Packets(0)), claim }
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

    /// A claim for a new seat in this room; none where resuming is off.
    pub(super) fn draw(&self, plugin: &Plugin, room: &RoomId) -> Result<Option<NewClaim>, UpgradeRefusal> {
        let is_on = plugin.limits().resume_ms > 0;
        let draw = || NewClaim::draw(&key_of(plugin, room)).map_err(|_| UpgradeRefusal::busy("no randomness"));
        is_on.then(draw).transpose()
    }

    /// Lets a new seat outlive its line, and queues what tells the client how.
    pub(super) fn begin(
        self,
        plugin: &Plugin,
        is_named: bool,
        new: Option<NewClaim>,
        outbound: &Arc<Outbound>,
    ) -> Option<SeatClaim> {
        let (limits, is_verani) = (plugin.limits(), outbound.wire.is_of(None));
        let Some(new) = new else {
            // A client that never was in such a session expects nothing.
            if self.again.is_some() && is_verani {
                outbound.push(verani::NO_SESSION.into());
            }
            return None;
        };
        let claim = self.claims.open(&new, is_named, Arc::clone(outbound));
        outbound.survive(limits, Arc::clone(&plugin.account().memory));
        if is_verani {
            outbound.push(verani::session(&new.secret, None).into());
        }
        let address = outbound.visitor.address();
        Some(SeatClaim { claim, claims: self.claims, address, heard: 0, is_unconfirmed: false })
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
        // Asking who the client is took a while, in which the secret's successor may have been used.
        let asked = claim.ask(&self.secret).ok_or_else(another_line)?;
        let Ok(handed_over) = tokio::time::timeout(limit, asked).await else {
            return Err(UpgradeRefusal::busy("the socket's last line did not hand over in time: handshake-ms"));
        };
        let mut seat = match handed_over {
            Ok(HandOver::Socket(seat)) => seat,
            Ok(HandOver::AnotherLine) => return Err(another_line()),
            // It ended meanwhile.
            Err(_) => return Ok(Err("unknown")),
        };
        let welcome = seat.outbound.wire.welcome();
        let Some(kept) = seat.claim_mut() else { return Ok(Err("unknown")) };
        kept.address = known.visitor.address();
        let back = match welcome {
            // The `pid` stays: by that its client knows that it is back.
            Some(welcome) => welcome,
            None => {
                // Where it is not known any more, the seat waits for whoever knows the other.
                let secret = claim.renew(&self.secret).map_err(no_randomness)?.ok_or_else(another_line)?;
                kept.is_unconfirmed = true;
                verani::session(&secret, Some(kept.heard)).into()
            }
        };
        if !seat.outbound.go_on(&self.got, back) {
            let reason = seat.outbound.closes_with().unwrap_or(CloseReason::BROKEN_OFF);
            seat.leave(reason);
            return Ok(Err("frames-gone"));
        }
        seat.outbound.pause(known.pause);
        seat.tell_of_line();
        Ok(Ok(seat))
    }
}

/// Of two lines of one client the one that asks first gets nothing: it was given up, most likely, and a new member would stay
/// in the room for as long as a client may take to come back. A client that does use it tries again.
fn another_line() -> UpgradeRefusal {
    UpgradeRefusal::busy("another line of the same session asked for the socket")
}

fn key_of(plugin: &Plugin, room: &RoomId) -> RoomKey {
    RoomKey { plugin: plugin.key.clone(), room: room.clone() }
}
