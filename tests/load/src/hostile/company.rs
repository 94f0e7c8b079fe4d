//! Who comes to the well-behaved tenant and goes again, and who waits for its alarm.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::kinds::{Latency, Times};
use super::seen::Seen;
use super::stand::GOOD;
use super::wire::{Got, Wire};

/// Where newcomers come from, and who waits for the alarm.
const NEWCOMER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const WAITER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);
/// From one newcomer to the next, each in a room of its own: five a second.
const COMES_EVERY: Duration = Duration::from_millis(200);
/// Newcomers that may be on their way at once: who comes late counts from when it was due.
const NEWCOMERS: u32 = 4;
/// How long a newcomer waits to be in and to be answered. An error past it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longer than a measurement: whoever waits for the alarm waits until it is over.
const LONG: Duration = Duration::from_secs(3_600);
/// How far ahead the alarm is set.
const AHEAD_MS: u64 = 500;

/// Numbers the rooms of newcomers, so that none is opened twice.
static ROOMS: AtomicU64 = AtomicU64::new(0);

/// What they met.
#[derive(Debug, Default)]
pub struct Visits {
    pub open: Latency,
    /// The most that an alarm was late, in milliseconds: one that has not rung counts until now.
    pub alarm_ms: f64,
    /// Visits that failed, and why.
    pub errors: Vec<String>,
}

/// Those who come, and the one who waits.
pub struct Company {
    seen: Arc<Seen>,
    newcomers: Vec<JoinHandle<(Times, Vec<String>)>>,
    waiter: JoinHandle<(f64, Vec<String>)>,
}

impl Company {
    /// They begin to come.
    pub fn start(server: SocketAddr) -> Self {
        let (seen, begin) = (Arc::new(Seen::default()), Instant::now());
        let newcomers = (0..NEWCOMERS).map(|number| {
            let seen = Arc::clone(&seen);
            let first = begin + COMES_EVERY * (number + 1);
            std::thread::spawn(move || come(server, &seen, first))
        });
        let newcomers = newcomers.collect();
        let own = Arc::clone(&seen);
        let waiter = std::thread::spawn(move || wait_for_alarms(server, &own));
        Self { seen, newcomers, waiter }
    }

    /// They no longer come.
    pub fn end(self) -> Visits {
        self.seen.end();
        let (mut times, mut errors) = (Times::new(), Vec::new());
        for newcomer in self.newcomers {
            let (own, failed) = newcomer.join().unwrap_or_else(|_| (Times::new(), vec!["panicked".to_owned()]));
            times.merge(&own);
            errors.extend(failed.into_iter().map(|why| format!("a newcomer: {why}")));
        }
        let (alarm_ms, failed) = self.waiter.join().unwrap_or_else(|_| (0.0, vec!["panicked".to_owned()]));
        errors.extend(failed.into_iter().map(|why| format!("the alarm: {why}")));
        Visits { open: times.latency(), alarm_ms, errors }
    }
}

fn come(server: SocketAddr, seen: &Seen, mut due: Instant) -> (Times, Vec<String>) {
    let (mut times, mut errors) = (Times::new(), Vec::new());
    while seen.pause(due.saturating_duration_since(Instant::now())) {
        match visit(server, seen) {
            Ok(()) => times.add(due.elapsed()),
            // One who was not answered yet has waited that long at least.
            Err(_) if seen.is_over() => times.add(due.elapsed()),
            Err(why) => errors.push(why),
        }
        due += COMES_EVERY * NEWCOMERS;
    }
    (times, errors)
}

fn visit(server: SocketAddr, seen: &Seen) -> Result<(), String> {
    let path = format!("/t/{GOOD}/bench?room=visit-{}", ROOMS.fetch_add(1, Ordering::Relaxed));
    let mut wire = Wire::open(NEWCOMER, server, &path, seen).map_err(|refused| refused.words())?;
    wire.text(br#"{"type":"echo","data":{"n":1,"text":"hello"}}"#);
    text(&mut wire, seen, PATIENCE)?.map(drop).ok_or_else(|| format!("not answered within {PATIENCE:?}"))
}

/// The next text within a time, or until it is over.
fn text(wire: &mut Wire, seen: &Seen, patience: Duration) -> Result<Option<Vec<u8>>, String> {
    let end = Instant::now() + patience;
    while Instant::now() < end && !seen.is_over() {
        match wire.receive() {
            Got::Text(text) => return Ok(Some(text)),
            Got::Closed(why) => return Err(why),
            Got::Nothing => {}
        }
    }
    Ok(None)
}

/// Sets an alarm, hears it ring, and sets the next; answers how late one was at most.
fn wait_for_alarms(server: SocketAddr, seen: &Seen) -> (f64, Vec<String>) {
    let mut latest: f64 = 0.0;
    let mut alarms = || -> Result<(), String> {
        let path = format!("/t/{GOOD}/bench?room=alarm-{}", ROOMS.fetch_add(1, Ordering::Relaxed));
        let mut wire = Wire::open(WAITER, server, &path, seen).map_err(|refused| refused.words())?;
        let ring = format!(r#"{{"type":"ring","data":{{"in_ms":{AHEAD_MS}}}}}"#);
        while !seen.is_over() {
            let asked = now_ms();
            wire.text(ring.as_bytes());
            let rang = text(&mut wire, seen, LONG)?;
            // One that has not rung was due at the latest when its answer could have come at once.
            let due = rang.map_or(asked + AHEAD_MS as f64, |text| due_of(&text).unwrap_or_default());
            latest = latest.max(now_ms() - due);
        }
        Ok(())
    };
    let errors = alarms().err().filter(|_| !seen.is_over());
    (latest, errors.into_iter().collect())
}

fn due_of(text: &[u8]) -> Option<f64> {
    serde_json::from_slice::<Value>(text).ok()?["data"]["due"].as_f64()
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}
