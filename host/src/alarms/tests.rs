use super::*;
use crate::model::names::{PluginKey, PluginName, RoomId, TenantName};

fn room(name: &str) -> RoomKey {
    room_of("t", name)
}

fn room_of(tenant: &str, name: &str) -> RoomKey {
    let (tenant, plugin) = (TenantName::new(tenant).unwrap(), PluginName::new("p").unwrap());
    RoomKey { plugin: PluginKey { tenant, plugin }, room: RoomId::new(name).unwrap() }
}

fn wall() -> UnixMs {
    unix_ms() as UnixMs
}

fn names(rings: &[Ring]) -> Vec<&str> {
    rings.iter().map(|ring| ring.room.room.as_str()).collect()
}

#[test]
fn due_alarms_ring_in_order_and_again_only_after_a_while() {
    let alarms = Alarms::default();
    let now = wall();
    alarms.set(&room("later"), Some(now + 60_000));
    alarms.found(&room("second"), now - 10);
    alarms.found(&room("first"), now - 20);
    assert_eq!(names(&alarms.due(10)), ["first", "second"]);
    assert!(alarms.due(10).is_empty());
    let mut inner = alarms.inner.lock();
    assert_eq!(names(&inner.due(now, Instant::now() + PATIENCE + WALL_CLOCK_LOOK, 1)).len(), 1);
}

#[test]
fn tenants_take_turns_however_many_alarms_one_has() {
    let alarms = Alarms::default();
    let now = wall();
    for number in 0..1_000 {
        alarms.found(&room_of("many", &number.to_string()), now - 10_000 + number);
    }
    for tenant in ["one", "other", "third"] {
        alarms.found(&room_of(tenant, "single"), now - 1);
    }
    let tenants = |rings: &[Ring]| rings.iter().map(|ring| ring.room.plugin.tenant.to_string()).collect::<Vec<_>>();
    assert_eq!(tenants(&alarms.due(2)), ["many", "one"]);
    assert_eq!(tenants(&alarms.due(3)), ["other", "third", "many"]);
    let late = alarms.late();
    assert_eq!((late.len(), late[0].count), (1, 998));
    assert!(late[0].late >= Duration::from_millis(9_998));
}

#[test]
fn a_tenant_has_so_many_alarms_ringing_at_once() {
    let alarms = Alarms::default();
    for number in 0..1_000 {
        alarms.set(&room(&number.to_string()), Some(1));
    }
    let ringing = alarms.due(1_000);
    assert_eq!(ringing.len(), queue::RINGING_AT_ONCE);
    assert!(alarms.due(1_000).is_empty());
    // Whatever a room says makes a place.
    alarms.set(&ringing[0].room, None);
    alarms.failed(&ringing[1].room, PATIENCE, PATIENCE);
    alarms.postpone(&ringing[2].room, PATIENCE);
    assert_eq!(alarms.due(1_000).len(), 3);
    // One whose room never says anything rings again, in its own place.
    let late = Instant::now() + PATIENCE;
    assert_eq!(alarms.inner.lock().due(wall(), late, 5).len(), 5);
}

#[test]
fn a_tenant_that_is_held_rings_nothing_for_a_while_and_is_told_of_once() {
    let alarms = Alarms::default();
    let tenant = room("a").plugin.tenant;
    alarms.set(&room("a"), Some(1));
    assert!(alarms.hold(&tenant, PATIENCE) && !alarms.hold(&tenant, PATIENCE));
    assert!(alarms.due(1).is_empty());
    assert_eq!(alarms.inner.lock().due(wall(), Instant::now() + PATIENCE, 1).len(), 1);
}

#[test]
fn an_alarm_for_the_past_comes_behind_those_that_waited() {
    let alarms = Alarms::default();
    alarms.set(&room("waits"), Some(wall()));
    std::thread::sleep(Duration::from_millis(2));
    alarms.set(&room("eager"), Some(1));
    assert_eq!(names(&alarms.due(2)), ["waits", "eager"]);
}

#[test]
fn a_clock_that_jumps_rings_at_whichever_comes_first() {
    let alarms = Alarms::default();
    let (now, start) = (wall(), Instant::now());
    alarms.set(&room("a"), Some(now + 10_000));
    alarms.set(&room("b"), Some(now + 10_000));
    let mut inner = alarms.inner.lock();
    // Put forward by an hour: due at once. Put back by an hour: due when the time is over that was asked for.
    assert_eq!(inner.due(now + 3_600_000, start, 1).len(), 1);
    assert!(inner.due(now - 3_600_000, start + Duration::from_secs(9), 1).is_empty());
    assert_eq!(inner.due(now - 3_600_000, start + Duration::from_secs(11), 1).len(), 1);
    assert!(inner.next(now, start).unwrap() > Duration::from_secs(5));
}

#[test]
fn failures_wait_longer_until_the_alarm_is_set_anew() {
    let alarms = Alarms::default();
    let (first, longest) = (Duration::from_secs(1), Duration::from_secs(3));
    alarms.set(&room("a"), Some(5));
    let mut waits = Vec::new();
    for attempt in 1..=4 {
        let far = Instant::now() + Duration::from_secs(100);
        let rings = alarms.inner.lock().due(0, far, 1);
        assert_eq!(rings[0].attempt, attempt);
        alarms.failed(&room("a"), first, longest);
        waits.push(alarms.inner.lock().next(0, Instant::now()).unwrap().as_secs_f64().round() as u32);
    }
    assert_eq!(waits, [1, 2, 3, 3]);
    alarms.ensure(&room("a"), Some(5));
    assert!(alarms.due(1).is_empty());
    alarms.set(&room("a"), Some(5));
    assert_eq!(alarms.due(1)[0].attempt, 1);
    alarms.set(&room("a"), None);
    assert!(alarms.is_empty() && alarms.inner.lock().next(0, Instant::now()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_failed_alarm_rings_later_each_time_and_an_unanswered_one_after_a_minute() {
    let alarms = Alarms::default();
    let start = Instant::now();
    alarms.set(&room("a"), Some(wall() + 5_000));
    let mut rang = Vec::new();
    while rang.len() < 5 {
        alarms.wait().await;
        for ring in alarms.due(1) {
            rang.push(start.elapsed().as_secs_f64().round() as u64);
            // The fourth time its room says nothing.
            if ring.attempt < 4 {
                alarms.failed(&ring.room, Duration::from_secs(1), Duration::from_secs(3));
            }
        }
    }
    assert_eq!(rang, [5, 6, 8, 11, 71]);
}

#[test]
fn the_far_future_is_no_overflow() {
    let alarms = Alarms::default();
    alarms.set(&room("a"), Some(UnixMs::MAX));
    assert!(alarms.due(1).is_empty());
}
