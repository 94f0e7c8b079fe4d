//! How a room's instance is made, and what follows where none can be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Code, RestoreReason};
use crate::clock::{Instant, now_ns};
use crate::guest::instance::OpenError;
use crate::guest::tape::data::TapeBase;
use crate::model::failure::FailureKind;
use crate::model::text::for_log;
use crate::plugin::failures::FailureRecord;
use crate::protocol::close::CloseReason;
use crate::room::visitors::Visitors;
use crate::storage::view::StorageView;
use crate::tenant::latency::Timed;
use crate::traces::{KeyValue, SpanWords, text_of};

/// How often a room that has sockets waits for a place for its instance (`instance-wait-ms`) before it closes.
const TRIES_OF_A_ROOM_IN_USE: u32 = 5;

impl Code {
    /// Makes an instance, and notes how long that took.
    pub(super) async fn open_timed(
        &mut self,
        view: &Arc<StorageView>,
        sockets: usize,
        base: Option<Arc<TapeBase>>,
    ) -> Result<(), OpenError> {
        let reason = self.owed.as_ref().map(|owed| owed.reason);
        let wakes = reason == Some(RestoreReason::Wake);
        let begin = now_ns();
        let span = self.plugin.account().traces.as_deref().and_then(|traces| traces.begin(None));
        let opened = self.open(view, sockets, base.as_ref()).await;
        if let Some(span) = span {
            let reason = reason.map_or("open", RestoreReason::as_str);
            let attributes = self.place().into_iter().chain([text_of("parlor.reason", reason)]).collect();
            let failed = opened.as_ref().err().map(ToString::to_string);
            span.end(SpanWords { name: "open room".into(), attributes, failed });
        }
        opened?;
        let timed = if wakes { Timed::Wake } else { Timed::Open };
        self.plugin.totals.latencies.note(timed, now_ns().saturating_sub(begin));
        Ok(())
    }

    /// Whose code it is, as spans say it.
    pub(in crate::room) fn place(&self) -> Vec<KeyValue> {
        let (key, version) = (&self.room.key, self.plugin.version.as_str());
        let of = [
            ("parlor.tenant", key.plugin.tenant.as_str()),
            ("parlor.plugin", key.plugin.plugin.as_str()),
            ("parlor.version", version),
            ("parlor.room", key.room.as_str()),
        ];
        of.map(|(key, text)| text_of(key, text)).into()
    }

    /// Makes an instance. A room that has sockets waits for a place more than once.
    async fn open(
        &mut self,
        view: &Arc<StorageView>,
        sockets: usize,
        base: Option<&Arc<TapeBase>>,
    ) -> Result<(), OpenError> {
        for _ in 1..TRIES_OF_A_ROOM_IN_USE {
            match self.try_open(view, base).await {
                Err(why) if !why.is_of_code() && sockets > 0 => {}
                tried => return tried,
            }
        }
        self.try_open(view, base).await
    }

    async fn try_open(&mut self, view: &Arc<StorageView>, base: Option<&Arc<TapeBase>>) -> Result<(), OpenError> {
        // Each fault makes the next instance wait longer.
        if let Some(wait) = self.faults.back_off(Instant::now(), &self.limits) {
            tokio::time::sleep(wait).await;
        }
        let (plugin, room, view) = (Arc::clone(&self.plugin), self.room.key.room.clone(), Arc::clone(view));
        let (entering, turns) = (Arc::clone(plugin.pace()), Arc::clone(&self.room.pace));
        let base = base.cloned();
        let opened = async move { plugin.open(room, turns, view, base).await };
        let instance = self.aside.run(&*entering, opened).await?;
        self.room.wants_ping.store(instance.registrations().has_ping(), Ordering::Relaxed);
        self.room.stats.awake.store(true, Ordering::Relaxed);
        self.owner.awoke(&self.room);
        self.histories_wanted = Some(instance.registrations().histories().to_vec());
        // Of an instance that was lost between two turns.
        self.end_life(false);
        self.instance = Some(Box::new(instance));
        Ok(())
    }

    /// Logs and counts that no instance could be made; answers the reason for which the room ends.
    pub(super) fn cannot_open(&mut self, why: &OpenError, visitors: &Visitors) -> CloseReason {
        let (key, plugin) = (&self.room.key, &self.plugin);
        log!(error, key, version = plugin.version, "the room cannot be opened: {}", for_log(&why.to_string()));
        if !why.is_of_code() {
            return CloseReason::TRY_LATER;
        }
        let words = why.to_string();
        let failure = FailureRecord::now(Some(key.room.clone()), "init", "no-instance", &words);
        plugin.record(FailureKind::NoInstance, failure);
        self.crash(&words, visitors)
    }

    /// Reports that the room crashed, which keeps it closed for a while.
    pub(super) fn crash(&self, why: &str, visitors: &Visitors) -> CloseReason {
        let (version, sockets) = (self.plugin.version.as_str(), self.room.stats.sockets.load(Ordering::Relaxed));
        log!(error, &self.room.key, version, sockets, "the room crashed and closes: {}", for_log(why));
        // What the room keeps may be the work of somebody who is long gone: such a crash says nothing of the version.
        let suspects = if self.faults.are_all_of_clients() { visitors.suspects() } else { Vec::new() };
        self.owner.crashed(&self.room, &self.plugin, why, suspects);
        CloseReason::CRASHED
    }
}
