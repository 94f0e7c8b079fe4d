//! Whose calls take long. They run on threads of low priority, where they hold up nobody. A room is judged by its own calls,
//! and what belongs to no room by the calls of its kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::verdict::{HeavyVerdict, VerdictChange};
use crate::model::names::{PluginKey, RoomId};

/// As many first turns of a room run as those of the plugin's other new rooms do: only then the room is known.
const FIRST_TURNS: u32 = 4;

/// From how many slices on an opening or an authorization is long. Each makes an instance, whose first touch of its memory takes
/// the kernel up to 2 slices where many open at once.
const ENTERING_LONG_FROM: u32 = 3;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceKind {
    /// A room, by its own turns.
    Room,
    /// The first turns of new rooms, which have not shown yet how they are.
    NewRooms,
    /// Openings of instances and authorizations.
    Entering,
}

impl PaceKind {
    pub const ALL: [Self; 3] = [Self::Room, Self::NewRooms, Self::Entering];

    /// As metrics and the log call it, which never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::NewRooms => "new-rooms",
            Self::Entering => "entering",
        }
    }
}

/// What calls are a sample of.
pub trait Paced {
    /// From how many slices on, beyond its first one, a call is long; at least 1.
    fn long_from(&self) -> u32;
    /// Whether the next call runs on a thread of low priority.
    fn is_heavy(&self) -> bool;
    /// A call was short.
    fn note_short(&self);
    /// A call is long; one that held its thread counts as several.
    fn note_long(&self, weight: u32);
}

/// How long the calls of one plugin take that belong to no room, or to rooms that are new. It is itself the sample of
/// openings and authorizations.
#[derive(Debug)]
pub struct Pace {
    plugin: PluginKey,
    entering: HeavyVerdict,
    new_rooms: HeavyVerdict,
    /// How many verdicts were passed, by kind.
    passed: [AtomicU64; PaceKind::ALL.len()],
}

impl Pace {
    pub fn new(plugin: PluginKey) -> Self {
        Self {
            plugin,
            entering: HeavyVerdict::default(),
            new_rooms: HeavyVerdict::default(),
            passed: Default::default(),
        }
    }

    /// How many verdicts were passed on this kind.
    pub fn passed(&self, kind: PaceKind) -> u64 {
        self.passed[kind as usize].load(Ordering::Relaxed)
    }

    /// Whether there is a verdict on openings and authorizations, or on new rooms; each known room has its own. A verdict
    /// that rests on nothing any more ends.
    pub fn is_heavy_now(&self, kind: PaceKind) -> bool {
        let verdict = match kind {
            PaceKind::Room => return false,
            PaceKind::NewRooms => &self.new_rooms,
            PaceKind::Entering => &self.entering,
        };
        self.follow(kind, None, verdict.lapse());
        verdict.is_heavy()
    }

    /// Counts and logs a verdict that changed.
    fn follow(&self, kind: PaceKind, room: Option<&RoomId>, change: Option<VerdictChange>) {
        let Some(change) = change else { return };
        let (tenant, plugin) = (self.plugin.tenant.as_str(), self.plugin.plugin.as_str());
        // The field is there only where there is a room.
        let (room, of) = (room.map(RoomId::as_str), kind.as_str());
        match change {
            VerdictChange::Heavy { percent } => {
                self.passed[kind as usize].fetch_add(1, Ordering::Relaxed);
                tracing::info!(
                    tenant,
                    plugin,
                    room,
                    of,
                    percent,
                    "heavy: of its last calls so many per cent used too much CPU; they run at low priority until they are short again"
                );
            }
            VerdictChange::Light { after } => {
                let seconds = after.as_secs_f64();
                tracing::info!(tenant, plugin, room, of, seconds, "heavy no more: its calls are short again");
            }
        }
    }
}

impl Paced for Pace {
    fn long_from(&self) -> u32 {
        ENTERING_LONG_FROM
    }

    fn is_heavy(&self) -> bool {
        self.entering.is_heavy()
    }

    fn note_short(&self) {
        self.follow(PaceKind::Entering, None, self.entering.note_short());
    }

    fn note_long(&self, weight: u32) {
        self.follow(PaceKind::Entering, None, self.entering.note_long(weight));
    }
}

/// How long the turns of one room take. It outlives the room's instances.
#[derive(Debug)]
pub struct RoomPace {
    room: RoomId,
    plugin: Arc<Pace>,
    verdict: HeavyVerdict,
    /// How many turns it has had, counted up to [`FIRST_TURNS`].
    turns: AtomicU32,
    /// Whether one of its first turns was long already. A room is one sample of what new rooms do, however often it is long.
    was_long: AtomicBool,
}

impl RoomPace {
    pub fn new(room: RoomId, plugin: Arc<Pace>) -> Self {
        let (turns, was_long) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { room, plugin, verdict: HeavyVerdict::default(), turns, was_long }
    }

    /// Whether there is a verdict on the room itself.
    pub fn is_room_heavy(&self) -> bool {
        self.verdict.is_heavy()
    }

    /// Ends a verdict that rests on nothing any more.
    pub fn lapse(&self) {
        self.plugin.follow(PaceKind::Room, Some(&self.room), self.verdict.lapse());
    }

    fn is_new(&self) -> bool {
        self.turns.load(Ordering::Relaxed) < FIRST_TURNS
    }

    /// Counts one of the first turns; answers which it is, from 0 on.
    fn count_turn(&self) -> u32 {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }
}

impl Paced for RoomPace {
    fn long_from(&self) -> u32 {
        1
    }

    fn is_heavy(&self) -> bool {
        self.verdict.is_heavy() || (self.is_new() && self.plugin.new_rooms.is_heavy())
    }

    fn note_short(&self) {
        if self.is_new() && self.count_turn() == 0 {
            self.plugin.follow(PaceKind::NewRooms, None, self.plugin.new_rooms.note_short());
        }
        self.plugin.follow(PaceKind::Room, Some(&self.room), self.verdict.note_short());
    }

    fn note_long(&self, weight: u32) {
        if self.is_new() {
            self.count_turn();
            if !self.was_long.swap(true, Ordering::Relaxed) {
                self.plugin.follow(PaceKind::NewRooms, None, self.plugin.new_rooms.note_long(weight));
            }
        }
        self.plugin.follow(PaceKind::Room, Some(&self.room), self.verdict.note_long(weight));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginName, TenantName};

    fn plugin() -> Arc<Pace> {
        let (tenant, plugin) = (TenantName::default_tenant(), PluginName::new("p").unwrap());
        Arc::new(Pace::new(PluginKey { tenant, plugin }))
    }

    fn room(plugin: &Arc<Pace>, name: &str) -> RoomPace {
        RoomPace::new(RoomId::new(name).unwrap(), Arc::clone(plugin))
    }

    #[test]
    fn a_room_is_judged_by_its_own_turns() {
        let plugin = plugin();
        let (bad, good, mut known) = (room(&plugin, "bad"), room(&plugin, "good"), 0);
        while !bad.is_heavy() {
            bad.note_long(1);
            good.note_short();
            known += 1;
        }
        assert!((2..=8).contains(&known), "{known}");
        assert!(!good.is_heavy() && !room(&plugin, "new").is_heavy() && !plugin.is_heavy());
        let passed = PaceKind::ALL.map(|kind| plugin.passed(kind));
        assert_eq!(passed, [1, 0, 0]);
        (0..100).for_each(|_| bad.note_short());
        assert!(!bad.is_heavy());
    }

    #[test]
    fn one_room_says_nothing_of_new_ones_and_many_do() {
        let plugin = plugin();
        let first = room(&plugin, "r0");
        (0..1_000).for_each(|_| first.note_long(1_000));
        assert!(!plugin.is_heavy_now(PaceKind::NewRooms));
        for number in 1..4 {
            let next = room(&plugin, &format!("r{number}"));
            // As a room does whose `$connect` is short and whose first event is long.
            next.note_short();
            next.note_long(3);
        }
        let new = room(&plugin, "new");
        assert!(new.is_heavy() && !new.is_room_heavy(), "of a plugin whose new rooms spin");
        (0..FIRST_TURNS).for_each(|_| new.note_short());
        assert!(!new.is_heavy(), "after some short turns it is known");
        (0..40).for_each(|number| room(&plugin, &format!("s{number}")).note_short());
        assert!(!room(&plugin, "newer").is_heavy(), "new rooms are short again");
    }

    #[test]
    fn openings_and_authorizations_say_nothing_of_rooms() {
        let plugin = plugin();
        (0..100).for_each(|_| plugin.note_long(1));
        assert!(plugin.is_heavy() && !room(&plugin, "r").is_heavy());
        assert_eq!(plugin.passed(PaceKind::Entering), 1);
        (0..100).for_each(|_| plugin.note_short());
        assert!(!plugin.is_heavy());
    }
}
