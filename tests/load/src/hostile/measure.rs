//! One attack, measured: the good tenant without it and with it, on one fresh server.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, ensure};

use super::attack::{Arena, Attack, Scale, quiet_left};
use super::company::{Company, Visits};
use super::costs::{Costs, Counters, forget_peak};
use super::good::Good;
use super::kinds::ByKind;
use super::log::Log;
use super::probe;
use super::seen::Seen;
use super::stand::{Kit, Setting, Stand};
use crate::load::clients::INTERRUPTED;
use crate::load::server::Clocks;

/// How long an attack may prepare.
const PREPARING: Duration = Duration::from_secs(90);
/// How long before something is due that was prepared the window begins.
const BEFORE_DUE: Duration = Duration::from_millis(200);

/// What a server is started with that only prepares.
const RAISED: &str = "\
rooms-per-tenant = 200000
storage-rooms-per-tenant = 200000
room-linger-ms = 50
sockets-per-address = 20000
upgrades-per-address-per-second = 20000
upgrades-per-address-burst = 20000
tenant-cpu-percent = 100000
memory-tenant-bytes = 100000000000
";

/// How long the windows are, and how large attacks are that can be.
#[derive(Clone, Copy)]
pub struct Extent {
    pub warm_up: Duration,
    pub window: Duration,
    pub scale: Scale,
}

/// What one round showed.
#[derive(Default)]
pub struct Round {
    pub without: ByKind,
    pub with: ByKind,
    pub alarm_ms: (f64, f64),
    /// What the server used beyond what it did without the attack.
    pub costs: Costs,
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
    let seen = Arc::new(Seen::default());
    let mut setting = attack.setting(kit);
    if let Some(earlier) = attack.earlier() {
        // Another server has stored what the attack needs, without the bounds that it would have to wait for.
        let raised = Setting { limits: RAISED.to_owned(), ..setting.clone() };
        let stand = kit.start(&raised).context("the server that prepares")?;
        let arena = Arena { scale: extent.scale, ..Arena::of(&stand, &seen, kit) };
        earlier(&arena, extent.warm_up + extent.window);
        setting.keeps_data = true;
    }
    let mut stand = kit.start(&setting).with_context(|| format!("{}: the server", attack.name()))?;
    let mut round = Round::default();
    // What the log says of files that were in the folder.
    let started = stand.started;
    stand.log.look(&seen, started);
    if attack.is_spin() {
        round.spin_cpu = Some(probe::spin_cpu(&mut stand)?);
    }
    let arena = Arena { scale: extent.scale, ..Arena::of(&stand, &seen, kit) };
    let measured = windows(&mut stand, attack, extent, &arena, &mut round);
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
    Ok(round)
}

/// The load without the attack, then with it.
fn windows(stand: &mut Stand, attack: &Attack, extent: Extent, arena: &Arena, round: &mut Round) -> anyhow::Result<()> {
    // What an attack has to prepare is there in both windows.
    let prepared = attack.prepares().then(|| prepare(attack, arena)).transpose()?;
    let mut good = Good::connect(stand.address())?;
    good.window(extent.warm_up, || false).context("before the attack")?;
    // The counters are asked for when the attack is over as well.
    let asker = Arena { seen: Arc::default(), ..arena.clone() };
    let before = Counters::read(&stand.server, &stand.log, &asker)?;
    let company = Company::start(stand.address());
    let clocks = Clocks::read(&stand.server)?;
    let without = good.window(extent.window, || false);
    let usage = clocks.since(&stand.server)?;
    round.others_share = usage.others.as_secs_f64() / usage.wall.as_secs_f64();
    let visits = company.end();
    round.without = good.latency(visits.open);
    take(round, visits, "without the attack: ");
    stand.log.lines();
    let between = Counters::read(&stand.server, &stand.log, &asker)?;
    without.context("before the attack")?;
    std::thread::sleep(quiet_left(stand.started));
    wait_for_due(&arena.seen);

    forget_peak(&stand.server);
    let begin = Counters::read(&stand.server, &stand.log, &asker)?;
    arena.seen.go();
    let attacker = prepared.unwrap_or_else(|| start(attack, arena));
    let with = beside(stand, &mut good, attack, extent, arena, round);
    let end = Counters::read(&stand.server, &stand.log, &asker)?;
    let (usual, costs) = (between.since(&before, &stand.server), end.since(&begin, &stand.server));
    // The server is charged for nothing but what the attack made it do.
    round.costs = Costs { burnt: (costs.burnt - usual.burnt).max(0.0), ..costs };
    if attacker.join().is_err() {
        round.errors.push("the attack itself panicked".to_owned());
    }
    with.context("beside the attack")
}

/// The load with the attack, until its window has ended and something has stopped it.
fn beside(
    stand: &mut Stand,
    good: &mut Good,
    attack: &Attack,
    extent: Extent,
    arena: &Arena,
    round: &mut Round,
) -> anyhow::Result<()> {
    let (seen, since) = (&arena.seen, SystemTime::now());
    let company = Company::start(stand.address());
    let give_up = Instant::now() + extent.window + attack.patience(extent.scale);
    let look = |log: &mut Log| match attack.ends_itself() {
        true => drop(log.lines()),
        false => log.look(seen, seen.begun().unwrap_or(since)),
    };
    let with = good.window(extent.window, || {
        look(&mut stand.log);
        let is_open = attack.must_stop() && !seen.is_stopped() && seen.noted().is_none();
        let goes_on = is_open && Instant::now() < give_up && !seen.is_over();
        if !goes_on {
            seen.end();
        }
        goes_on
    });
    seen.end();
    let visits = company.end();
    round.with = good.latency(visits.open);
    take(round, visits, "");
    look(&mut stand.log);
    with
}

/// Notes what those met who came, in the first window or in the second.
fn take(round: &mut Round, visits: Visits, prefix: &str) {
    let late = if prefix.is_empty() { &mut round.alarm_ms.1 } else { &mut round.alarm_ms.0 };
    *late = visits.alarm_ms;
    round.errors.extend(visits.errors.into_iter().map(|why| format!("{prefix}{why}")));
}

fn start(attack: &Attack, arena: &Arena) -> JoinHandle<()> {
    let (arena, attack) = (arena.clone(), *attack);
    std::thread::spawn(move || attack.run(&arena))
}

/// Starts an attack that has to prepare, and waits until it has.
fn prepare(attack: &Attack, arena: &Arena) -> anyhow::Result<JoinHandle<()>> {
    let (attacker, end) = (start(attack, arena), Instant::now() + PREPARING);
    while !arena.seen.is_ready() && !attacker.is_finished() {
        ensure!(!INTERRUPTED.load(std::sync::atomic::Ordering::Relaxed), "interrupted");
        if Instant::now() > end {
            arena.seen.end();
            let _ = attacker.join();
            anyhow::bail!("the attack was not prepared within {PREPARING:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(attacker)
}

/// Waits until what was prepared is about to happen.
fn wait_for_due(seen: &Seen) {
    let Some(due) = seen.due() else { return };
    match (due - BEFORE_DUE).duration_since(SystemTime::now()) {
        Ok(left) => std::thread::sleep(left),
        Err(_) => seen.breach("it was due before its window began: the machine prepares too slowly"),
    }
}
