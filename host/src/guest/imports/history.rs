//! `parlor:room/history`.

use std::time::Duration;

use super::super::bindings::parlor::room::history::{Entry, Host, Page};
use super::super::convert::payload_to_guest;
use super::super::state::{GuestState, Phase};
use crate::guest::call_error::CallResult;
use crate::model::body::{Body, Payload};
use crate::model::effect::UnixMs;
use crate::model::history::{HistoryKeep, HistoryPosition};
use crate::model::names::is_short_name;
use crate::model::placeholder::filled;
use crate::model::refusal::Refusal;

/// A page ends early at this many bytes.
const PAGE_BYTES: usize = 256 << 10;
/// How many entries a page has at most.
const PAGE_ENTRIES_MAX: u32 = 1_000;

fn not_kept(channel: &str) -> Refusal {
    Refusal::invalid(format!("the history of the channel {channel:?} is not kept: `keep` it in `init`"))
}

/// The data of an entry, with its bytes in the places that name them.
fn data_of(body: &Body) -> Payload {
    match &body.data {
        Payload::Json(json) if !body.attachments.is_empty() => Payload::Json(filled(json, &body.attachments)),
        data => data.clone(),
    }
}

impl Host for GuestState {
    fn keep(&mut self, channel: String, entries: u32, ttl_ms: u32, durable: bool) -> CallResult<()> {
        self.count_call()?;
        match self.phase {
            Phase::Init => {}
            Phase::Turn => return Err(Refusal::invalid("a history is kept from `init` on, and not in an event").into()),
            Phase::Outside => return Err(Refusal::NoTurn.into()),
        }
        if !is_short_name(&channel) {
            return Err(Refusal::invalid(format!("the channel must be 1 to 128 bytes, not {}", channel.len())).into());
        }
        if entries == 0 || ttl_ms == 0 {
            return Err(Refusal::invalid("a history keeps 1 entry for 1 ms, or more").into());
        }
        let keep =
            HistoryKeep { channel, entries: entries as usize, ttl: Duration::from_millis(ttl_ms.into()), durable };
        Ok(self.registrations.want_history(keep, &self.context.limits)?)
    }

    fn read(&mut self, channel: String, after: Option<String>, limit: u32) -> CallResult<Page> {
        let turn = self.turn()?;
        if !(1..=PAGE_ENTRIES_MAX).contains(&limit) {
            return Err(Refusal::invalid(format!("limit must be 1 to {PAGE_ENTRIES_MAX}, not {limit}")).into());
        }
        let (bounds, now) = ((limit as usize, PAGE_BYTES), turn.accepted_at() as UnixMs);
        let page = turn.histories().read(&channel, after.as_deref(), bounds, now).ok_or_else(|| not_kept(&channel))?;
        let entries = page.entries.iter().map(|entry| Entry {
            position: page.position(entry).to_string(),
            event: entry.event.clone(),
            data: payload_to_guest(data_of(&entry.body)),
            at: entry.at as f64,
        });
        Ok(Page { entries: entries.collect(), recovered: page.recovered })
    }

    fn position(&mut self, channel: String) -> CallResult<String> {
        let position = self.turn()?.histories().position(&channel);
        Ok(position.as_ref().map(HistoryPosition::to_string).ok_or_else(|| not_kept(&channel))?)
    }
}
