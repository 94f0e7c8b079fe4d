//! What is to run later in a test room: its timers, and its alarm.

use std::collections::BTreeMap;

use crate::host::types::{Payload, Refusal};

use super::bounds;

/// How long a failed alarm waits for its second attempt; twice as long before each further one.
const ALARM_RETRY_MS: u64 = 1_000;
const ALARM_RETRY_MS_MAX: u64 = 5 * 60 * 1_000;
/// The last moment that a number of the contract names exactly.
const LATEST: f64 = 9_007_199_254_740_991.0;

#[derive(Debug, Clone)]
pub(crate) struct Timer {
    pub(crate) due: u64,
    pub(crate) data: Option<Payload>,
    /// Counts what was set in the room: of those due at the same time the first that was set runs first.
    number: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) due: u64,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// When it is tried next.
    next: u64,
}

/// Something whose time has come.
pub(crate) enum Due {
    Timer { name: String, data: Option<Payload> },
    Alarm { due: u64, attempt: u32 },
}

/// The timers and the alarm of a room. A turn works on a copy, which replaces the original when it commits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schedule {
    timers: BTreeMap<String, Timer>,
    alarm: Option<Alarm>,
    timers_set: u64,
}

impl Schedule {
    pub(crate) fn set_timer(&mut self, name: &str, due: u64, data: Option<&Payload>) -> Result<(), Refusal> {
        bounds::check_name("a timer's name", name)?;
        match data {
            Some(Payload::Json(text)) if text.len() > bounds::TIMER_BYTES => {
                return Err(bounds::exceeded("timer-bytes"));
            }
            Some(Payload::Binary(_)) => return Err(bounds::invalid("a timer's data must be JSON")),
            _ => {}
        }
        if self.timers.len() >= bounds::TIMERS_PER_ROOM && !self.timers.contains_key(name) {
            return Err(bounds::exceeded("timers-per-room"));
        }
        self.timers_set += 1;
        self.timers.insert(name.to_owned(), Timer { due, data: data.cloned(), number: self.timers_set });
        Ok(())
    }

    pub(crate) fn cancel_timer(&mut self, name: &str) -> bool {
        self.timers.remove(name).is_some()
    }

    pub(crate) fn set_alarm(&mut self, at: f64) -> Result<(), Refusal> {
        if !(0.0..=LATEST).contains(&at) {
            return Err(bounds::invalid(format!("the time of an alarm must be 0 to {LATEST} ms, not {at}")));
        }
        let due = at as u64;
        self.alarm = Some(Alarm { due, attempts: 0, next: due });
        Ok(())
    }

    pub(crate) fn forget_alarm(&mut self) {
        self.alarm = None;
    }

    pub(crate) fn alarm(&self) -> Option<u64> {
        self.alarm.as_ref().map(|alarm| alarm.due)
    }

    /// The timers in the order in which they run.
    pub(crate) fn timers(&self) -> Vec<(&String, &Timer)> {
        let mut timers: Vec<_> = self.timers.iter().collect();
        timers.sort_by_key(|(_, timer)| (timer.due, timer.number));
        timers
    }

    /// What a restart of the server leaves of it: the alarm, which is tried as if for the first time.
    pub(crate) fn restart(&mut self) {
        self.timers.clear();
        if let Some(alarm) = &mut self.alarm {
            (alarm.attempts, alarm.next) = (0, alarm.due);
        }
    }

    /// Takes out what is to run first, if that is by `until`, and when. A timer is gone with this. The alarm stays, as one
    /// that is tried later, until the turn that runs it commits.
    pub(crate) fn take_due(&mut self, now: u64, until: u64) -> Option<(u64, Due)> {
        let timer = self.timers().first().map(|(name, timer)| ((*name).clone(), timer.due));
        let alarm_at = self.alarm.as_ref().map(|alarm| alarm.next).filter(|at| *at <= until);
        if let Some((name, at)) = timer.filter(|(_, at)| *at <= until && alarm_at.is_none_or(|alarm| *at <= alarm)) {
            let data = self.timers.remove(&name).and_then(|timer| timer.data);
            return Some((at.max(now), Due::Timer { name, data }));
        }
        let at = alarm_at?.max(now);
        let alarm = self.alarm.as_mut()?;
        let doublings = alarm.attempts.min(10);
        alarm.next = at + (ALARM_RETRY_MS << doublings).min(ALARM_RETRY_MS_MAX);
        alarm.attempts = alarm.attempts.saturating_add(1);
        Some((at, Due::Alarm { due: alarm.due, attempt: alarm.attempts }))
    }
}
