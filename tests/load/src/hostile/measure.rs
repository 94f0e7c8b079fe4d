//! One attack, measured: the good tenant without it and with it, on one fresh server.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};

use super::attack::{Arena, Attack, quiet_left};
use super::good::{Good, Latency, Newcomer, Visits};
use super::probe;
use super::seen::Seen;
use super::stand::{Kit, Stand};
use crate::load::clients::INTERRUPTED;
use crate::load::server::Clocks;

/// How long the windows are.
#[derive(Clone, Copy)]
pub struct Extent {
    pub warm_up: Duration,
    pub window: Duration,
}

/// What one round showed.
#[derive(Default)]
pub struct Round {
    pub without: Latency,
    pub with: Latency,
    pub newcomer_without: Visits,
    pub newcomer_with: Visits,
    /// What stopped the attack, and how long after its first action.
    pub stopped: Option<(String, Duration)>,
    /// How often it acted.
    pub acts: u64,
    /// CPU that a spinning handler used at most before it was stopped.
    pub spin_cpu: Option<Duration>,
    pub note: Option<String>,
    /// Share of a core that other processes of the machine used in the window without the attack.
    pub others_share: f64,
    /// Everything that must not be: lost or wrong frames, closed sockets, what the host let through.
    pub errors: Vec<String>,
}

/// Measures one round on a fresh server.
pub fn round(kit: &Kit, attack: &Attack, extent: Extent) -> anyhow::Result<Round> {
    let mut stand = kit.start(&attack.setting()).with_context(|| format!("{}: the server", attack.name()))?;
    let mut round = Round::default();
    let seen = Arc::new(Seen::default());
    // What the log says of files that were in the folder.
    let started = stand.started;
    stand.log.look(&seen, started);
    if attack.is_spin() {
        round.spin_cpu = Some(probe::spin_cpu(&mut stand)?);
    }
    let measured = windows(&mut stand, attack, extent, &seen, &mut round);
    ensure!(!INTERRUPTED.load(std::sync::atomic::Ordering::Relaxed), "interrupted");
    if let Err(why) = measured {
        round.errors.push(format!("{why:#}"));
    }
    if let Some(status) = stand.server.ended() {
        round.errors.push(format!("THE SERVER ENDED: {status}"));
    }
    round.stopped = seen.summary();
    round.acts = seen.acts();
    round.note = seen.noted().map(str::to_owned);
    round.errors.extend(seen.breaches());
    round.errors.extend(round.newcomer_without.errors.iter().map(|why| format!("without the attack: {why}")));
    round.errors.append(&mut round.newcomer_with.errors);
    Ok(round)
}

/// The load without the attack, then with it.
fn windows(
    stand: &mut Stand,
    attack: &Attack,
    extent: Extent,
    seen: &Arc<Seen>,
    round: &mut Round,
) -> anyhow::Result<()> {
    let mut good = Good::connect(stand.address())?;
    good.window(extent.warm_up, || false).context("before the attack")?;
    let newcomer = Newcomer::start(stand.address());
    let clocks = Clocks::read(&stand.server)?;
    let without = good.window(extent.window, || false);
    let usage = clocks.since(&stand.server)?;
    round.others_share = usage.others.as_secs_f64() / usage.wall.as_secs_f64();
    round.newcomer_without = newcomer.end();
    round.without = good.latency();
    without.context("before the attack")?;
    std::thread::sleep(quiet_left(stand.started));

    let since = SystemTime::now();
    // From here on the log speaks of the attack.
    stand.log.lines();
    let arena = Arena { server: stand.address(), seen: Arc::clone(seen) };
    let attacker = {
        let (arena, attack) = (arena.clone(), *attack);
        std::thread::spawn(move || attack.run(&arena))
    };
    let newcomer = Newcomer::start(stand.address());
    let give_up = Instant::now() + extent.window + attack.patience();
    let with = good.window(extent.window, || {
        stand.log.look(seen, seen.begun().unwrap_or(since));
        let is_open = attack.must_stop() && !seen.is_stopped() && seen.noted().is_none();
        let goes_on = is_open && Instant::now() < give_up && !seen.is_over();
        if !goes_on {
            seen.end();
        }
        goes_on
    });
    seen.end();
    round.with = good.latency();
    round.newcomer_with = newcomer.end();
    stand.log.look(seen, seen.begun().unwrap_or(since));
    if attacker.join().is_err() {
        round.errors.push("the attack itself panicked".to_owned());
    }
    with.context("beside the attack")
}
