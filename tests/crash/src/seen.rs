//! When clients saw what they saw, and what a crash may take back of it: nothing, or under relaxed durability the last
//! 100 ms.

use std::fmt;
use std::time::{Duration, Instant};

/// What relaxed durability may lose.
const RELAXED_LOSS: Duration = Duration::from_millis(100);

/// Something is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub expected: String,
    pub found: String,
}

/// The result of a check.
pub type Checked<T = ()> = Result<T, Wrong>;

/// Fails with these words unless it holds.
pub fn expect(holds: bool, expected: impl FnOnce() -> String, found: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Wrong { expected: expected(), found: found() }) }
}

/// When a client saw something first, and in which life of the server.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub at: Instant,
    pub life: u32,
}

/// How a life ended.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// The signal was sent: the server did nothing more.
    pub at: Instant,
    /// The longest stall before of the scheduler, and of a strict turn, whose writes had to wait too.
    pub stall: Duration,
    pub wait: Duration,
}

/// All lives so far; life 1 is the first.
pub type Ends = [End];

/// What clients saw and what is not there any more.
///
/// Under relaxed durability a turn is let out while the oldest one that is not durable is younger than 100 ms; when that
/// becomes durable depends on the disk and on the scheduler. So two things are checked: what is lost was seen within
/// 100 ms; and it was seen not longer than 100 ms and the longest stall before the kill. Stalls are measured: how
/// late a thread that sleeps for a millisecond wakes, and how long strict turns of the same server waited.
#[derive(Debug, Clone, Copy, Default)]
pub struct Losses {
    pub turns: u64,
    /// The longest time from the sight to the kill, and the most that was allowed for any.
    pub oldest: Duration,
    pub allowed: Duration,
    /// How many were older than is promised, and within a stall.
    pub excused: u64,
    /// The longest time from the first to the last sight of what one crash took from one room.
    pub span: Duration,
    /// The same, of what is being compared.
    first: Option<Instant>,
}

impl Losses {
    pub fn add(&mut self, other: Self) {
        self.turns += other.turns;
        self.oldest = self.oldest.max(other.oldest);
        self.allowed = self.allowed.max(other.allowed);
        self.excused += other.excused;
        self.span = self.span.max(other.span);
    }

    /// What was seen is gone. `seen` is none where it was found stored after a restart already.
    pub fn lose(
        &mut self,
        relaxed: bool,
        seen: Option<Seen>,
        ends: &Ends,
        what: impl Fn() -> String + Clone,
        found: impl Fn() -> String + Clone,
    ) -> Checked {
        let is_there = || format!("{} to be stored, since a client saw it", what());
        expect(relaxed, is_there, found.clone())?;
        let kept = || format!("{} to stay stored, since it was found after a restart", what());
        let Some(seen) = seen else { return expect(false, kept, found) };
        let Some(end) = ends.get(seen.life as usize - 1) else {
            return expect(false, || format!("{} to be there while the server lives", what()), found);
        };
        // A turn that was let out in time still needs a commit, which may have to wait as strict turns did.
        let allowed = RELAXED_LOSS + end.stall.max(end.wait);
        let age = end.at.saturating_duration_since(seen.at);
        let young =
            || format!("{} to be stored, since a client saw it {age:?} before the kill ({allowed:?} allowed)", what());
        expect(age <= allowed, young, found)?;
        // However long the commit takes: nothing more is let out after 100 ms. Only the scheduler is forgiven here.
        let first = *self.first.get_or_insert(seen.at);
        let (span, allowed_span) = (seen.at.saturating_duration_since(first), RELAXED_LOSS + end.stall);
        let short = || format!("at most {allowed_span:?} of what was seen to be lost with {}", what());
        expect(span <= allowed_span, short, || format!("{span:?} lost"))?;
        let excused = u64::from(age > RELAXED_LOSS);
        self.add(Self { turns: 1, oldest: age, allowed, excused, span, first: None });
        Ok(())
    }
}

/// Something shown, for the words of a check.
pub fn shown(what: &impl fmt::Debug) -> String {
    format!("{what:?}")
}
