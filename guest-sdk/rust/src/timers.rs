//! The room's timers, and its alarm.

use std::time::Duration;

use serde::Serialize;

use crate::{
    Error, Result,
    anywhere::millis,
    host::{alarm, timers},
    payload,
};

/// The room's timers, by name. Each runs once, in a turn of its own: [`Room::on_timer`](crate::Room::on_timer).
///
/// Setting and cancelling are effects: they happen when the turn commits, and the turn's own calls see them. Timers
/// live in the server's memory. They survive the plugin's instance, its crash and the swap to a new version, but not a
/// restart of the server. For what must survive that, use [`Actor::alarm`](crate::Actor::alarm), or set the timer again
/// in [`Room::on_restore`](crate::Room::on_restore).
///
/// A room may have 64 timers. A name has 1 to 128 bytes, the data up to 4 KiB of JSON.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("question", |ctx, text: String| {
///         ctx.timers().set("time-up", Duration::from_secs(20), &text)?;
///         ctx.actor().emit("question", text)
///     });
///     room.on("answer", |ctx, _: Value| {
///         if !ctx.timers().cancel("time-up")? {
///             return Err(reject("quiz.late", "the time was up"));
///         }
///         ctx.actor().emit("answered", json!({ "by": ctx.meta().user_id }))
///     });
///     room.on_timer("time-up", |actor, text: String| actor.emit("time-up", text));
/// });
/// let ada = room.connect_as(Meta::new("ada"));
/// ada.send("question", json!("why?"));
/// room.advance(Duration::from_secs(20));
/// ada.send("answer", json!("because"));
/// let late = json!({ "type": "error", "code": "quiz.late", "message": "the time was up" });
/// assert_eq!(ada.events()[1..], [json!({ "type": "time-up", "data": "why?" }), late]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Timers(());

impl Timers {
    pub(crate) fn new() -> Self {
        Timers(())
    }

    /// Sets a timer that rings once, `delay` after this turn. It replaces a timer of the same name.
    ///
    /// The delay is up to 49 days (2^32 ms); a part of a millisecond counts as a whole one. Say `()` for no data. Fails
    /// with `limit-exceeded` past the bounds of [`Timers`], with `invalid` for a name or a delay that is out of them,
    /// and changes nothing then.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn typing(ctx: &Ctx, _: Value) -> Result {
    ///     let user = &ctx.meta().user_id;
    ///     ctx.timers().set("typing-over", Duration::from_secs(5), user)
    /// }
    /// ```
    pub fn set(self, name: &str, delay: Duration, data: impl Serialize) -> Result {
        let delay_ms = u32::try_from(whole_millis(delay))
            .map_err(|_| Error::new("invalid", "a timer runs within 49 days: the alarm takes any time"))?;
        Ok(timers::set(name, delay_ms, Some(&payload::json(&data)?))?)
    }

    /// Cancels a timer. Returns whether it was set.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn stop(ctx: &Ctx, _: Value) -> Result<u32> {
    ///     let stopped = ctx.timers().cancel("round")?;
    ///     ctx.emit("stopped", stopped)
    /// }
    /// ```
    pub fn cancel(self, name: &str) -> Result<bool> {
        Ok(timers::cancel(name)?)
    }
}

/// The room's one alarm, as durable as its storage: [`Room::on_alarm`](crate::Room::on_alarm) runs when it is due, also
/// after a crash or a restart of the server, and also where nobody is in the room. Where many things are to happen, set
/// it for the earliest of them, and anew each time.
///
/// Setting and cancelling are effects of the turn, and the turn's own [`get`](AlarmClock::get) sees them.
///
/// ```
/// use parlor_guest::{prelude::*, testing::TestRoom};
///
/// let room = TestRoom::new(|room| {
///     room.on("lend", |ctx, book: String| {
///         ctx.storage().put("lent", book)?;
///         ctx.alarm().set_in(Duration::from_secs(14 * 86_400))
///     });
///     room.on("return", |ctx, _: Value| ctx.alarm().cancel());
///     room.on_alarm(|actor, _| {
///         let book: Option<String> = actor.storage().get("lent")?;
///         actor.emit("overdue", json!({ "book": book }))
///     });
/// });
/// let ada = room.connect("/ws");
/// ada.send("lend", json!("Emma"));
/// room.advance(Duration::from_secs(14 * 86_400));
/// assert_eq!(ada.events(), [json!({ "type": "overdue", "book": "Emma" })]);
/// assert_eq!(room.alarm(), None);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct AlarmClock {
    now: u64,
}

impl AlarmClock {
    pub(crate) fn new(now: u64) -> Self {
        AlarmClock { now }
    }

    /// Sets the alarm to a time, in milliseconds since the Unix epoch, in place of the alarm that is set. If the time
    /// is past, the alarm rings at once. Fails with `invalid` past the year 287396 (2^53 ms).
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn schedule(ctx: &Ctx, starts_at: u64) -> Result {
    ///     ctx.alarm().set_at(starts_at)
    /// }
    /// ```
    pub fn set_at(self, unix_millis: u64) -> Result {
        Ok(alarm::set(unix_millis as f64)?)
    }

    /// Sets the alarm to a duration after [`now`](crate::Actor::now), in place of the alarm that is set.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn snooze(ctx: &Ctx, minutes: u64) -> Result {
    ///     ctx.alarm().set_in(Duration::from_secs(60 * minutes))
    /// }
    /// ```
    pub fn set_in(self, delay: Duration) -> Result {
        self.set_at(self.now.saturating_add(whole_millis(delay)))
    }

    /// When the alarm is due, with this turn's own changes; `None` if it is not set. In
    /// [`on_alarm`](crate::Room::on_alarm) the alarm that rings counts as not set.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn at_the_latest(ctx: &Ctx, at: u64) -> Result {
    ///     match ctx.alarm().get()? {
    ///         Some(due) if due <= at => Ok(()),
    ///         _ => ctx.alarm().set_at(at),
    ///     }
    /// }
    /// ```
    pub fn get(self) -> Result<Option<u64>> {
        Ok(alarm::get()?.map(millis))
    }

    /// Cancels the alarm, if it is set.
    ///
    /// ```
    /// # use parlor_guest::prelude::*;
    /// fn call_off(ctx: &Ctx, _: Value) -> Result {
    ///     ctx.alarm().cancel()
    /// }
    /// ```
    pub fn cancel(self) -> Result {
        Ok(alarm::cancel()?)
    }
}

/// Rounds a duration up to milliseconds, so that nothing rings early.
pub(crate) fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
