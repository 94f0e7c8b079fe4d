//! The threads that rooms and sockets run on: each with a runtime of its own, a room and its sockets on one of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::nice;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::clock::Instant;
use crate::tenant::lane;

/// Ready sockets that are taken up at once. A few of them are worked off to the write while their memory is in the
/// cache; tokio's default of 1,024 reads all of them first. At 2,000 busy sockets 16 cost 5 to 25 per cent less CPU, and
/// the 99th percentile fell from 53 to 41 ms (ARCHITECTURE.md, threads).
const IO_EVENTS_PER_TICK: usize = 16;
/// Tasks that run between two looks at the sockets; large, so that what was read is handled and answered first.
const TASKS_PER_TICK: u32 = 256;

/// How much the threads of long calls stand back: about a tenth of what other threads get where all want to run.
const SLOW_NICENESS: i32 = 10;
/// How often each thread notes whether it comes late.
const BEAT: Duration = Duration::from_millis(10);

/// One of the threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerId(usize);

/// All of them. They end with the process.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    /// As many threads of low priority, for calls of plugins that take long.
    slow: Vec<Handle>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    sockets: AtomicUsize,
    rooms: AtomicUsize,
    /// By how much a timer was late at most since it was last asked for.
    latest_us: Arc<AtomicU64>,
}

/// A place on a worker that is given back when it is dropped.
#[derive(Debug)]
pub struct Place<'a>(&'a AtomicUsize);

impl Workers {
    /// Starts so many threads.
    pub fn start(count: usize) -> anyhow::Result<Self> {
        let count = count.max(1);
        let workers = (0..count).map(Worker::start).collect::<anyhow::Result<_>>()?;
        let slow = (0..count).map(|index| start_slow(index, count + index)).collect::<anyhow::Result<_>>()?;
        Ok(Self { workers, slow })
    }

    /// How many threads run plugins, those of low priority included.
    pub fn threads(count: usize) -> usize {
        2 * count.max(1)
    }

    /// The runtime of low priority beside a worker's, to spawn on.
    pub fn slow_runtime(&self, id: WorkerId) -> &Handle {
        &self.slow[id.0]
    }

    /// All workers.
    pub fn ids(&self) -> impl Iterator<Item = WorkerId> + use<> {
        (0..self.workers.len()).map(WorkerId)
    }

    /// The worker with the fewest sockets, and of those the one with the fewest rooms.
    pub fn least_busy(&self) -> WorkerId {
        let load = |worker: &Worker| (worker.sockets.load(Ordering::Relaxed), worker.rooms.load(Ordering::Relaxed));
        let least = self.workers.iter().enumerate().min_by_key(|(_, worker)| load(worker));
        WorkerId(least.map_or(0, |(index, _)| index))
    }

    /// For how long each thread was held at most since this was last asked, by the lateness of a timer that is due every
    /// 10 ms: the whole of what is on the thread waits as long.
    pub fn take_longest_holds(&self) -> Vec<Duration> {
        let take = |worker: &Worker| Duration::from_micros(worker.latest_us.swap(0, Ordering::Relaxed));
        self.workers.iter().map(take).collect()
    }

    /// Sockets that are not quite gone yet.
    pub fn sockets(&self) -> usize {
        self.workers.iter().map(|worker| worker.sockets.load(Ordering::Relaxed)).sum()
    }

    /// The runtime of a worker, to spawn on.
    pub fn runtime(&self, id: WorkerId) -> &Handle {
        &self.workers[id.0].runtime
    }

    /// Counts a socket for as long as the place is held.
    pub fn place_socket(&self, id: WorkerId) -> Place<'_> {
        Place::take(&self.workers[id.0].sockets)
    }

    /// Counts a room for as long as the place is held.
    pub fn place_room(&self, id: WorkerId) -> Place<'_> {
        Place::take(&self.workers[id.0].rooms)
    }
}

impl Worker {
    fn start(index: usize) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_io_events_per_tick(IO_EVENTS_PER_TICK)
            .event_interval(TASKS_PER_TICK)
            .build()
            .context("a runtime cannot be made")?;
        let handle = run_on_thread(format!("parlor-room-{index}"), runtime, move || lane::number_thread(index))?;
        let latest_us = Arc::new(AtomicU64::new(0));
        handle.spawn(beat(Arc::clone(&latest_us)));
        Ok(Self { runtime: handle, sockets: AtomicUsize::new(0), rooms: AtomicUsize::new(0), latest_us })
    }
}

/// Starts a thread of low priority.
fn start_slow(index: usize, number: usize) -> anyhow::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build().context("a runtime cannot be made")?;
    run_on_thread(format!("parlor-slow-{index}"), runtime, move || {
        lane::number_thread(number);
        // Of this thread alone, on Linux. Where it may not be lowered, it competes like the others.
        if let Err(why) = nice(SLOW_NICENESS) {
            tracing::warn!("the priority of a thread cannot be lowered: {why}");
        }
    })
}

fn run_on_thread(name: String, runtime: Runtime, first: impl FnOnce() + Send + 'static) -> anyhow::Result<Handle> {
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name(name)
        .spawn(move || {
            first();
            runtime.block_on(std::future::pending::<()>());
        })
        .context("a thread cannot be started")?;
    Ok(handle)
}

/// Notes how late its thread is.
async fn beat(latest_us: Arc<AtomicU64>) {
    loop {
        let due = Instant::now() + BEAT;
        tokio::time::sleep_until(due).await;
        lane::note_cpu();
        latest_us.fetch_max(due.elapsed().as_micros() as u64, Ordering::Relaxed);
    }
}

impl<'a> Place<'a> {
    fn take(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
