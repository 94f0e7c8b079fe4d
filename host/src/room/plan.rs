//! What a room waits for: a pure decision, made anew before each wait.

use std::time::Duration;

use crate::clock::Instant;
use crate::model::limits::Limits;

/// How things stand in a room between two turns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    /// When the earliest timer is due or, if that is earlier, the earliest ask times out.
    pub(super) timer: Option<Instant>,
    /// Since when no socket is in the room.
    pub(super) empty_since: Option<Instant>,
    /// Whether turns wait for their writes.
    pub(super) is_pending: bool,
    /// Whether there is an instance that has had nothing to do for a while.
    pub(super) is_idle: bool,
    /// Whether the room closes: then timers do not keep it open.
    pub(super) is_closing: bool,
    /// When the last turn began.
    pub(super) active: Instant,
}

/// What the room does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Run the timer that is due, or end the ask that timed out.
    Timer,
    /// Wait for mail: nothing else can come. This is what a room in use does most often.
    Mail,
    Wait(Wait),
}

/// What a room waits for beside mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// For the oldest write.
    pub(super) settled: bool,
    /// For a timer, or for an ask to time out.
    pub(super) timer: Option<Instant>,
    /// What the room does if no mail comes until then, or earlier where somebody else wants its place.
    pub(super) rest: Option<Rest>,
}

/// What a room does when nothing happens in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It gives its instance up.
    SleepAt(Instant),
    /// It ends.
    EndAt(Instant),
}

impl Rest {
    pub(super) fn at(self) -> Instant {
        match self {
            Self::SleepAt(at) | Self::EndAt(at) => at,
        }
    }
}

/// Decides what the room does next. The time is asked for only where a timer is set: most rooms in use have none.
pub(super) fn plan(now: impl FnOnce() -> Instant, situation: &Situation, limits: &Limits) -> Plan {
    let Situation { timer, empty_since, is_pending, is_idle, is_closing, active } = *situation;
    if timer.is_some_and(|due| due <= now()) {
        return Plan::Timer;
    }
    let linger = Duration::from_millis(if is_closing { 0 } else { limits.room_linger_ms });
    let rest = match empty_since {
        _ if is_pending => None,
        Some(since) if timer.is_none() || is_closing => Some(Rest::EndAt(since + linger)),
        _ => is_idle.then(|| Rest::SleepAt(active + Duration::from_millis(limits.room_sleep_ms))),
    };
    if !is_pending && timer.is_none() && rest.is_none() {
        return Plan::Mail;
    }
    Plan::Wait(Wait { settled: is_pending, timer, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: u64 = 1_000;
    const SLEEP: u64 = 30_000;

    fn after(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    /// What the room does 100 ms after its last turn began, in every situation that differs from one in use by these.
    fn planned(change: impl FnOnce(Instant, &mut Situation)) -> (Instant, Plan) {
        let start = Instant::now();
        let limits = Limits { room_linger_ms: LINGER, room_sleep_ms: SLEEP, ..Limits::default() };
        let mut situation = Situation {
            timer: None,
            empty_since: None,
            is_pending: false,
            is_idle: false,
            is_closing: false,
            active: start,
        };
        change(start, &mut situation);
        (start, plan(|| after(start, 100), &situation, &limits))
    }

    #[test]
    fn a_room_in_use_waits_for_mail_alone() {
        assert_eq!(planned(|_, _| ()).1, Plan::Mail);
        // A room that closes waits for its sockets to go.
        assert_eq!(planned(|_, now| now.is_closing = true).1, Plan::Mail);
    }

    #[test]
    fn a_timer_that_is_due_comes_before_all_else() {
        for ms in [0, 50, 100] {
            let (_, plan) = planned(|start, now| {
                *now = Situation { timer: Some(after(start, ms)), is_pending: true, is_closing: true, ..*now };
            });
            assert_eq!(plan, Plan::Timer);
        }
    }

    #[test]
    fn what_a_room_waits_for() {
        type SituationChange = fn(Instant, &mut Situation);
        type Expected = fn(Instant) -> Wait;
        let idle: SituationChange = |_, now| now.is_idle = true;
        let table: [(&str, SituationChange, Expected); 9] = [
            ("a write", |_, now| now.is_pending = true, |_| Wait { settled: true, timer: None, rest: None }),
            (
                "a timer",
                |start, now| now.timer = Some(after(start, 200)),
                |start| Wait { settled: false, timer: Some(after(start, 200)), rest: None },
            ),
            ("sleep", idle, |start| Wait {
                settled: false,
                timer: None,
                rest: Some(Rest::SleepAt(after(start, SLEEP))),
            }),
            (
                "no sleep while a write is on its way",
                |_, now| *now = Situation { is_idle: true, is_pending: true, ..*now },
                |_| Wait { settled: true, timer: None, rest: None },
            ),
            (
                "sleep, and a timer that wakes the room",
                |start, now| *now = Situation { is_idle: true, timer: Some(after(start, 200)), ..*now },
                |start| Wait {
                    settled: false,
                    timer: Some(after(start, 200)),
                    rest: Some(Rest::SleepAt(after(start, SLEEP))),
                },
            ),
            (
                "the end, where nobody is there",
                |start, now| *now = Situation { empty_since: Some(after(start, 40)), is_idle: true, ..*now },
                |start| Wait { settled: false, timer: None, rest: Some(Rest::EndAt(after(start, 40 + LINGER))) },
            ),
            (
                "no end before the last write is safe",
                |start, now| *now = Situation { empty_since: Some(start), is_pending: true, ..*now },
                |_| Wait { settled: true, timer: None, rest: None },
            ),
            (
                "a timer, which keeps an empty room open",
                |start, now| *now = Situation { empty_since: Some(start), timer: Some(after(start, 200)), ..*now },
                |start| Wait { settled: false, timer: Some(after(start, 200)), rest: None },
            ),
            (
                "the end at once, where the room closes, whatever its timers",
                |start, now| {
                    *now = Situation {
                        empty_since: Some(after(start, 40)),
                        timer: Some(after(start, 200)),
                        is_closing: true,
                        ..*now
                    };
                },
                |start| Wait {
                    settled: false,
                    timer: Some(after(start, 200)),
                    rest: Some(Rest::EndAt(after(start, 40))),
                },
            ),
        ];
        for (what, change, expected) in table {
            let (start, plan) = planned(change);
            assert_eq!(plan, Plan::Wait(expected(start)), "{what}");
        }
    }
}
