//! What no client causes: a timer that is due, and the room's alarm.

use std::time::Duration;

use serde_json::json;

use super::actor::Room;
use super::gate::{Origin, TurnKind};
use crate::clock::Instant;
use crate::clock::unix_ms;
use crate::model::effect::UnixMs;
use crate::model::event::{Event, Payload, hook};
use crate::model::json::Json;

impl Room {
    /// Runs the earliest timer that is due. It is gone then, whatever becomes of its turn.
    pub(super) async fn timer_due(&mut self) {
        // A timer runs only when the turn that set it is safe.
        self.until_said().await;
        self.follow_losses().await;
        let Some((name, timer)) = self.state.timers.take_due(Instant::now()) else { return };
        if !self.make_ready().await || !self.asks_for(hook::TIMER) {
            return log!(debug, &self.shared.key, name, "a timer is due that nobody hears");
        }
        let event = Event {
            cause: hook::TIMER.to_owned(),
            name,
            channel: None,
            payload: timer.data.map(Payload::Json),
            socket: None,
            answer_wanted: false,
            accepted_at: unix_ms(),
        };
        self.give(event).await;
    }

    /// The room's alarm rings. It is forgotten in the turn that it runs, which may set it anew.
    pub(super) async fn alarm_due(&mut self, due: UnixMs, attempt: u32) {
        if self.storage.kept().alarm != Some(due) {
            // A turn changed it meanwhile. Where that is not durable yet, what is said here holds until it is.
            return self.alarms.ensure(&self.shared.key, self.storage.durable_alarm());
        }
        if !self.make_ready().await {
            return self.alarm_failed();
        }
        let payload = Json::of(&json!({ "due": due, "attempt": attempt }));
        let event = Event::hook(hook::ALARM, Some(payload), None, unix_ms());
        if !self.asks_for(hook::ALARM) {
            log!(warn, &self.shared.key, "an alarm is due that nobody hears; it is forgotten");
            return self.forget_alarm(Origin { kind: TurnKind::Other, ..Origin::of(&event) });
        }
        if let Err((origin, failure)) = self.turn(event).await {
            self.alarm_failed();
            self.tell(&origin, &failure);
            self.follow_up(&origin, &failure).await;
        }
    }

    /// The alarm's turn did not come about: it rings again.
    pub(super) fn alarm_failed(&self) {
        let limits = &self.limits;
        let [first, longest] = [limits.alarm_retry_ms, limits.alarm_retry_max_ms].map(Duration::from_millis);
        self.alarms.failed(&self.shared.key, first, longest);
    }
}
