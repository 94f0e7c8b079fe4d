//! What happens next in a simulation, by the seed and by how things stand.

use super::dice::Dice;
use super::lessons::Lessons;
use super::payload::payload;
use super::step::SimulatedStep;

/// The users, some of whom have several sockets.
const USERS: [&str; 5] = ["ana", "ben", "cem", "dee", "eli"];
/// The most sockets at a time.
const SOCKETS_MAX: usize = 7;
/// How clients leave: in the normal way, going away, with a code of their own.
const CODES: [u16; 3] = [1_000, 1_001, 4_000];
/// The longest time that passes at once, as a power of two of milliseconds: about six days.
const LONGEST: u64 = 29;
/// An event that no plugin knows.
const UNKNOWN: &str = "simulation.unknown";

/// How things stand.
pub(super) struct SimulatedRoom<'a> {
    /// The sockets that are open, by name.
    pub(super) open: &'a [String],
    /// Those whose lines broke.
    pub(super) lost: &'a [String],
    /// Those of the open ones that were asked something.
    pub(super) asked: &'a [String],
    /// How long it is until the alarm is due.
    pub(super) alarm_in: Option<u64>,
    /// What the plugin registered for, of what clients may send.
    pub(super) events: &'a [String],
    /// Whether it takes every event.
    pub(super) takes_all: bool,
    /// Whether clients come in past `authorize`, which refused the first.
    pub(super) is_past: bool,
}

/// The step of this number.
pub(super) fn next(number: u64, now: &SimulatedRoom<'_>, lessons: &Lessons, dice: &mut Dice) -> SimulatedStep {
    if now.open.is_empty() && dice.chance(80) {
        return connect(number, now, lessons, dice);
    }
    match dice.below(100) {
        0..8 if now.open.len() + now.lost.len() < SOCKETS_MAX => connect(number, now, lessons, dice),
        8..12 => match dice.pick(now.open) {
            Some(socket) => {
                SimulatedStep::Leave { socket: socket.clone(), code: *dice.pick(&CODES).unwrap_or(&CODES[0]) }
            }
            None => connect(number, now, lessons, dice),
        },
        12..16 => SimulatedStep::Sleep,
        16..18 => SimulatedStep::Crash,
        18..20 => SimulatedStep::Swap,
        20 => SimulatedStep::Restart,
        21..24 => SimulatedStep::FailCommit,
        24..33 => SimulatedStep::Advance(time(now, dice)),
        33..40 if !now.asked.is_empty() => answer(now, lessons, dice),
        40..43 => match dice.pick(now.open) {
            Some(socket) => SimulatedStep::LoseLine(socket.clone()),
            None => send(now, lessons, dice),
        },
        43..50 => match dice.pick(now.lost) {
            Some(socket) => SimulatedStep::ComeBack(socket.clone()),
            None => send(now, lessons, dice),
        },
        _ => send(now, lessons, dice),
    }
}

fn connect(number: u64, now: &SimulatedRoom<'_>, lessons: &Lessons, dice: &mut Dice) -> SimulatedStep {
    let user = (*dice.pick(&USERS).unwrap_or(&USERS[0])).to_owned();
    let fields = || serde_json::json!({});
    let past = now.is_past.then(|| lessons.any_meta(dice).cloned().unwrap_or_else(fields));
    SimulatedStep::Connect { socket: format!("s{number}"), user, past }
}

/// Up to the alarm, just before it or just behind it; or some time, short or long.
fn time(now: &SimulatedRoom<'_>, dice: &mut Dice) -> u64 {
    match now.alarm_in {
        Some(alarm) if dice.chance(40) => (alarm + dice.below(3)).saturating_sub(1),
        _ => {
            let longest = 1 << dice.below(LONGEST);
            longest / 2 + dice.below(longest / 2 + 1)
        }
    }
}

fn answer(now: &SimulatedRoom<'_>, lessons: &Lessons, dice: &mut Dice) -> SimulatedStep {
    let from = dice.pick(now.asked).cloned().unwrap_or_default();
    SimulatedStep::Answer { from, data: payload("$ack", lessons, dice) }
}

fn send(now: &SimulatedRoom<'_>, lessons: &Lessons, dice: &mut Dice) -> SimulatedStep {
    let Some(from) = dice.pick(now.open).cloned() else { return SimulatedStep::Advance(time(now, dice)) };
    let sent: Vec<&str> = lessons.events().collect();
    let event = match dice.pick(now.events) {
        Some(event) if !now.takes_all || sent.is_empty() || dice.chance(50) => event,
        _ if now.takes_all => dice.pick(&sent).copied().unwrap_or(UNKNOWN),
        _ => UNKNOWN,
    };
    let event = if dice.chance(2) { UNKNOWN } else { event };
    SimulatedStep::Send { from, event: event.to_owned(), data: payload(event, lessons, dice) }
}
