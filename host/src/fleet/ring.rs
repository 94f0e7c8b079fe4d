//! Tells rooms that their alarm is due, and opens those that are not open.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Fleet;
use super::refusal::NoRoom;
use crate::alarms::Ring;
use crate::room::handle::Mail;
use crate::tenant::charge::Charging;

/// Rooms that are told at once: thousands of alarms may be due when the server starts.
const RINGS_AT_ONCE: usize = 64;
/// The pause between two such groups, in which the server does its other work.
const PAUSE: Duration = Duration::from_millis(5);

/// How long an alarm waits for its room to end, before the next try opens another.
const ROOM_ENDS: Duration = Duration::from_millis(100);
/// How long an alarm waits where its tenant has as many open rooms as it may.
const NO_PLACE: Duration = Duration::from_secs(1);
/// How long alarms wait where their tenant has as many awake rooms as it may.
const NO_AWAKE_PLACE: Duration = Duration::from_millis(10);
/// As many idle rooms of the tenant are asked then to give up their instance: a place for each alarm that may ring at once.
const ROOMS_ASKED: usize = RINGS_AT_ONCE;
/// How long an alarm waits for a plugin that may still be loaded since the start.
const NOT_LOADED: Duration = Duration::from_millis(100);
/// How long an alarm waits for its plugin to be deployed, or to be back in service.
const NO_PLUGIN: Duration = Duration::from_secs(10);

/// Why an alarm does not ring now, and for how long.
enum Postponed {
    /// Its room or its plugin cannot take it.
    Alarm(Duration),
    /// Its tenant has no place or no CPU time for any.
    Tenant(Duration, &'static str),
}

/// Rings every alarm when it is due, for as long as the server lives.
pub async fn ring_alarms(fleet: Arc<Fleet>) {
    loop {
        let due = fleet.alarms.due(RINGS_AT_ONCE);
        if due.is_empty() {
            fleet.alarms.wait().await;
            continue;
        }
        for ring in &due {
            match wake(&fleet, ring) {
                Ok(()) => {}
                Err(Postponed::Alarm(wait)) => fleet.alarms.postpone(&ring.room, wait),
                Err(Postponed::Tenant(wait, why)) => {
                    fleet.alarms.postpone(&ring.room, wait);
                    let tenant = &ring.room.plugin.tenant;
                    if fleet.alarms.hold(tenant, wait) {
                        tracing::warn!(tenant = tenant.as_str(), "alarms of this tenant are due and wait: {why}");
                    }
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells a room that its alarm is due, or says how long to wait before the next try.
fn wake(fleet: &Arc<Fleet>, ring: &Ring) -> Result<(), Postponed> {
    let Some(plugin) = fleet.get(&ring.room.plugin) else {
        let has_started = fleet.started.load(Ordering::Relaxed);
        return Err(Postponed::Alarm(if has_started { NO_PLUGIN } else { NOT_LOADED }));
    };
    let account = plugin.account();
    let _meter = Charging::start(&account.cpu);
    if let Some(wait) = account.cpu.next_look() {
        return Err(Postponed::Tenant(wait, "it used more CPU time than tenant-cpu-percent"));
    }
    let is_awake = fleet.find(&ring.room).is_some_and(|room| room.stats.is_awake());
    if !is_awake && account.awake.left() == 0 {
        (0..ROOMS_ASKED).for_each(|_| account.wanted.notify_one());
        return Err(Postponed::Tenant(NO_AWAKE_PLACE, "it has as many awake rooms as it may: awake-rooms-per-tenant"));
    }
    let room = fleet.enter(&ring.room.plugin, &ring.room.room).map_err(|why| match why {
        NoRoom::TooMany => Postponed::Tenant(NO_PLACE, "it has as many open rooms as it may: rooms-per-tenant"),
        NoRoom::Crashed(left) | NoRoom::Quarantined(left) => Postponed::Alarm(left),
        NoRoom::NotServed | NoRoom::Refused(_) | NoRoom::Draining => Postponed::Alarm(NO_PLUGIN),
    })?;
    room.mailbox.push(Mail::Alarm { due: ring.due, attempt: ring.attempt }).map_err(|_| Postponed::Alarm(ROOM_ENDS))
}
