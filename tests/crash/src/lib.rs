//! The crash test: a server under load is killed at random points, started again on the same data, and compared with
//! what all its clients saw. `parlor-load crash` runs it for long, the test suite for a moment.
//!
//! SIGKILL takes the process and what it had in mind, and leaves what it gave to the system: that a commit is on the disk
//! itself shows only when the power fails, which the storage's own tests stand in for.

mod alarms;
mod hearing;
mod id;
mod ledger;
mod life;
mod random;
mod room;
mod seen;
mod server;
mod stalls;
mod summary;
mod wire;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

use hearing::wall_ms;
use life::Life;
use random::Random;
use room::{Counts, Room};
use seen::End;
use server::{Server, Stand, TENANTS};
use stalls::Stalls;
pub use summary::Summary;

/// Rooms of a tenant at a time.
const ROOMS: usize = 3;
/// After so many kills one life is a rest: all alarms must ring, and rooms of new names follow.
const REST_EVERY: u32 = 20;
/// How often a life looks whether it should end.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The server's program.
    pub program: &'a Path,
    /// The component of the test guest `ledger`.
    pub plugin: &'a [u8],
    /// An empty folder for all that the server is given and writes. It stays.
    pub folder: &'a Path,
    /// Where compiled code is kept, if not in there.
    pub compiled: Option<&'a Path>,
    pub kills: u32,
    pub seed: u64,
    /// Whether the run tells how far it is.
    pub tells: bool,
}

/// When a life is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kill {
    /// So long after its start, whatever it does then.
    Starting(Duration),
    /// So long after it began to serve.
    Serving(Duration),
    /// When all rooms are compared and all alarms have rung.
    Rested,
}

struct Run<'a> {
    plan: Plan<'a>,
    stand: Stand,
    random: Random,
    /// Rooms that are loaded, and those that were.
    rooms: Vec<Room>,
    old: Vec<Room>,
    ends: Vec<End>,
    counts: Counts,
    summary: Summary,
}

/// Kills and compares as often as the plan says. An error is a violation, or that the test could not be run.
pub fn run(plan: Plan<'_>) -> anyhow::Result<Summary> {
    let stand = Stand::lay_out(plan.program, plan.plugin, plan.folder, plan.compiled)?;
    let mut run = Run {
        plan,
        stand,
        random: Random::new(plan.seed),
        rooms: rooms_of(0),
        old: Vec::new(),
        ends: Vec::new(),
        counts: Counts::default(),
        summary: Summary::default(),
    };
    for number in 1..=plan.kills {
        let kill = run.kill_of(number);
        run.live(kill)?;
        if kill == Kill::Rested {
            let rooms = std::mem::replace(&mut run.rooms, rooms_of(number));
            run.old.extend(rooms);
        }
        if plan.tells && number.is_multiple_of(10) {
            eprintln!("{number} of {} kills, {}", plan.kills, run.summary.so_far(&run.counts));
        }
    }
    // Once more, with every room that there ever was.
    let old = std::mem::take(&mut run.old);
    run.rooms.extend(old);
    run.live(Kill::Rested)?;
    run.summary.kills -= 1;
    run.summary.close(&run.counts, &run.rooms);
    Ok(run.summary)
}

fn rooms_of(generation: u32) -> Vec<Room> {
    let tenants = TENANTS.iter().flat_map(|tenant| std::iter::repeat_n(tenant, ROOMS));
    let named = tenants.enumerate();
    named.map(|(place, (tenant, relaxed))| Room::new(tenant, format!("g{generation}-{place}"), *relaxed)).collect()
}

impl Run<'_> {
    /// Every fifth kill hits the server while it starts, soon after the one before; every fifth hits the first moments of
    /// its service.
    fn kill_of(&mut self, number: u32) -> Kill {
        let start_ms = self.summary.median_start().as_millis() as u64;
        match number {
            _ if number.is_multiple_of(REST_EVERY) || number == self.plan.kills => Kill::Rested,
            _ if number.is_multiple_of(5) => {
                Kill::Starting(Duration::from_millis(self.random.within(0, start_ms * 3 / 2 + 10)))
            }
            _ if number % 5 == 3 => Kill::Serving(Duration::from_millis(self.random.within(0, 40))),
            _ => Kill::Serving(Duration::from_millis(self.random.within(20, 600))),
        }
    }

    /// One life of the server, and its end.
    fn live(&mut self, kill: Kill) -> anyhow::Result<()> {
        self.summary.kills += 1;
        let mut server = self.stand.start()?;
        if let Kill::Starting(after) = kill {
            std::thread::sleep(after);
            self.summary.kills_starting += 1;
            self.ends.push(End { at: server.kill()?, stall: Duration::ZERO, wait: Duration::ZERO });
            server.gone();
            return Ok(());
        }
        let address = server.serves().with_context(|| self.told(self.stand.last_words()))?;
        self.summary.starts.push(server.started.elapsed());
        let (ends, stalls, waits) = (std::mem::take(&mut self.ends), Stalls::default(), Stalls::default());
        let life = Life {
            number: ends.len() as u32 + 1,
            address,
            started: server.started,
            served_ms: wall_ms(),
            is_rest: kill == Kill::Rested,
            ends: &ends,
            stalls: &stalls,
            waits: &waits,
            counts: &self.counts,
            killed: AtomicBool::new(false),
            verdict: Mutex::new(None),
            compared: Mutex::new(Vec::new()),
        };
        let randoms: Vec<Random> = self.rooms.iter().map(|_| Random::new(self.random.next())).collect();
        let at = play(&life, kill, &mut server, &self.rooms, randoms)?;
        let end = End { at, stall: stalls.longest(), wait: waits.longest() };
        let compared = life.compared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if compared.len() == self.rooms.len() {
            self.summary.recoveries.extend(compared.into_iter().max());
        }
        let verdict = life.verdict.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = server.ended();
        server.gone();
        if let Some((room, wrong)) = verdict {
            let words = format!("room {room}:\n  expected {}\n  found    {}", wrong.expected, wrong.found);
            let status = ended.map(|status| format!("\nthe server's end: {status}")).unwrap_or_default();
            return Err(anyhow!(self.told(format!("{words}{status}\nit said last:\n{}", self.stand.last_words()))));
        }
        self.ends = ends;
        self.ends.push(end);
        Ok(())
    }

    fn told(&self, words: String) -> String {
        let (seed, kill) = (self.plan.seed, self.summary.kills);
        format!(
            "seed {seed}, life {kill} (behind {} kills), data kept in {}\n{words}",
            kill - 1,
            self.plan.folder.display()
        )
    }
}

/// Lets all rooms be compared and loaded, and kills the server; answers when.
fn play(
    life: &Life<'_>,
    kill: Kill,
    server: &mut Server,
    rooms: &[Room],
    randoms: Vec<Random>,
) -> anyhow::Result<Instant> {
    let served = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| life.stalls.watch());
        let pairs = rooms.iter().zip(randoms);
        let threads: Vec<_> =
            pairs.map(|(room, mut random)| scope.spawn(move || life.room(room, &mut random))).collect();
        let is_due = || match kill {
            Kill::Serving(after) => served.elapsed() >= after,
            _ => threads.iter().all(std::thread::ScopedJoinHandle::is_finished),
        };
        while !is_due() && !life.is_wrong() {
            std::thread::sleep(LOOK_EVERY);
        }
        life.killed.store(true, Ordering::SeqCst);
        let at = server.kill();
        life.stalls.end();
        at
    })
}
