//! The verbs that look at what became of sockets, turns and what is stored.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::harness::compare::{differs, matches, stored_as_written};
use crate::harness::heard::HEARD;
use crate::harness::outcome::{StepError, StepResult, result};
use crate::harness::session::Harness;
use crate::harness::step::PeerClosing;
use crate::model::names::RESERVED_KEYS;
use crate::storage::{PageBounds, Storage as _};

/// All that a room stores is one page.
const ALL: PageBounds = PageBounds { entries: usize::MAX, bytes: usize::MAX };

impl Harness {
    pub(in crate::harness) fn closed(&mut self, expected: &BTreeMap<String, PeerClosing>) -> StepResult {
        for (who, PeerClosing { code, reason }) in expected {
            let found = self.peer(who)?.closing();
            let is_so = found.as_ref().is_some_and(|found| {
                found.code == *code && matches(&Value::from(reason.as_str()), &Value::from(found.reason.as_str()))
            });
            if !is_so {
                let found = found.map_or("an open socket".to_owned(), |it| format!("{} {:?}", it.code, it.reason));
                return Err(StepError::new(format!("{who}: expected {code} {reason:?}, found {found}")));
            }
        }
        result(())
    }

    pub(in crate::harness) fn how_closed(&mut self, who: &str) -> StepResult {
        result(self.peer(who)?.closing())
    }

    pub(in crate::harness) fn failures(&mut self, expected: Option<&[Value]>) -> StepResult {
        let found = Value::Array(HEARD.take_failures());
        if let Some(expected) = expected {
            differs(&json!(expected), &found).map_err(StepError::new)?;
        }
        result(found)
    }

    pub(in crate::harness) fn log(&mut self, expected: Option<&[String]>) -> StepResult {
        let found = HEARD.take_lines();
        let mut left = found.iter();
        let mut is_there = |line: &&String| {
            let line = Value::from(line.as_str());
            left.any(|found| matches(&line, &Value::from(found.as_str())))
        };
        if let Some(missing) = expected.unwrap_or_default().iter().find(|line| !is_there(line)) {
            let words = format!("{missing:?} is not in the log, or not in its place: {found:?}");
            return Err(StepError::new(words));
        }
        result(found)
    }

    pub(in crate::harness) fn stored(&mut self, expected: Option<&BTreeMap<String, Value>>) -> StepResult {
        let key = self.room_key();
        let storage = &self.storage;
        let read = self.world.run(async { storage.open(&key).await?.scan("", None, ALL).await });
        let page = read.map_err(|why| StepError::new(why.to_string()))?;
        // The host's own keys are no business of a plugin's test.
        let entries = page.entries.into_iter().filter(|(key, _)| !key.starts_with(RESERVED_KEYS));
        let entries = entries.map(|(key, value)| (key, stored_as_written(&value)));
        let found = entries.collect::<BTreeMap<_, _>>();
        if let Some(expected) = expected {
            differs(&json!(expected), &json!(found)).map_err(StepError::new)?;
        }
        result(found)
    }

    pub(in crate::harness) fn look(&mut self) -> StepResult {
        let (key, storage, world) = (self.room_key(), &self.storage, &self.world);
        let alarm = world.run(async { storage.open(&key).await.map(|room| room.kept().alarm) });
        let alarm = alarm.map_err(|why| StepError::new(why.to_string()))?;
        let room = world.find(&key);
        let count = |of: fn(&crate::room::handle::RoomStats) -> usize| room.as_ref().map_or(0, |room| of(&room.stats));
        let version = room.as_ref().map(|room| room.plugin().version.clone());
        result(json!({
            "room": key.room.as_str(),
            "open": room.is_some(),
            "awake": room.as_ref().is_some_and(|room| room.stats.is_awake()),
            "sockets": count(|stats| stats.sockets.load(Ordering::Relaxed)),
            "users": count(|stats| stats.users.load(Ordering::Relaxed)),
            "version": version,
            "now": world.now(),
            "alarm": alarm,
        }))
    }
}
