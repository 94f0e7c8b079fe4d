//! Tells rooms that their alarm is due, and opens those that are not open.

use std::sync::Arc;
use std::time::Duration;

use super::Fleet;
use super::refusal::NoRoom;
use crate::alarms::Ring;
use crate::room::handle::Mail;

/// Rooms that are told at once: thousands of alarms may be due when the server starts.
const RINGS_AT_ONCE: usize = 64;
/// The pause between two such groups, in which the server does its other work.
const PAUSE: Duration = Duration::from_millis(5);

/// How long an alarm waits for its room to end, before the next try opens another.
const ROOM_ENDS: Duration = Duration::from_millis(100);
/// How long an alarm waits where its tenant has as many open rooms as it may.
const NO_PLACE: Duration = Duration::from_secs(1);
/// How long an alarm waits for its plugin to be loaded, or to be back in service.
const NO_PLUGIN: Duration = Duration::from_secs(10);

/// Rings every alarm when it is due, for as long as the server lives.
pub async fn ring_alarms(fleet: Arc<Fleet>) {
    loop {
        let due = fleet.alarms.due(RINGS_AT_ONCE);
        if due.is_empty() {
            fleet.alarms.wait().await;
            continue;
        }
        for ring in &due {
            if let Err(wait) = wake(&fleet, ring) {
                fleet.alarms.postpone(&ring.room, wait);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells a room that its alarm is due, or says how long to wait before the next try.
fn wake(fleet: &Arc<Fleet>, ring: &Ring) -> Result<(), Duration> {
    let room = fleet.enter(&ring.room.plugin, &ring.room.room).map_err(|why| match why {
        NoRoom::TooMany => NO_PLACE,
        NoRoom::Crashed(left) | NoRoom::Quarantined(left) => left,
        NoRoom::NotServed | NoRoom::Refused(_) | NoRoom::Draining => NO_PLUGIN,
    })?;
    room.mailbox.push(Mail::Alarm { due: ring.due, attempt: ring.attempt }).map_err(|_| ROOM_ENDS)
}
