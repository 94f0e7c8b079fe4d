//! The threads that rooms and sockets run on. Each has its own runtime, and a room shares one with all its sockets.

mod beat;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::nice;
use tokio::runtime::{Builder, Handle, Runtime};

use self::beat::ThreadBeat;
use crate::tenant::lane;
use crate::watchdog::Watchdog;

/// How many ready sockets a worker takes up at once. It handles a few of them to the end, up to the write, while their
/// memory is in the cache; with tokio's default of 1,024 it reads all of them first. With 2,000 busy sockets, 16 cost 5
/// to 25 per cent less CPU than the default, and the 99th percentile fell from 53 to 41 ms.
const IO_EVENTS_PER_TICK: usize = 16;
/// How many tasks run before a worker polls its sockets again. It is large, so that what was read is answered first.
const TASKS_PER_TICK: u32 = 256;

/// The niceness of the threads for long calls: where all threads want to run, these get a third of what others get, since
/// other programs on the machine are among these as well. Beside one that spins on the core, a long call of 25 ms took 102 ms
/// (278 at 10, 50 at 0). Beside ten rooms that spin, the p99 of others was 3.7 ms (3.6 at 10), and with that program as well 5.3
/// (2.9 at 10, hundreds at 0). `SCHED_BATCH` made no difference.
const SLOW_NICENESS: i32 = 5;
/// Names one of the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerId(usize);

/// All workers. Their threads end with the process.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
    /// As many threads of low priority, for long calls of plugins.
    slow: Vec<Handle>,
    aside: Handle,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    sockets: AtomicUsize,
    rooms: AtomicUsize,
    beat: Arc<ThreadBeat>,
}

/// A place on a worker, given back when this is dropped.
#[derive(Debug)]
pub struct WorkerPlace<'a>(&'a AtomicUsize);

impl Workers {
    /// Starts this many workers.
    pub fn start(count: usize, watchdog: &Arc<Watchdog>) -> anyhow::Result<Self> {
        let count = count.max(1);
        let workers = (0..count).map(|index| Worker::start(index, watchdog)).collect::<anyhow::Result<_>>()?;
        let slow = (0..count).map(|index| start_slow(index, count + index, watchdog)).collect::<anyhow::Result<_>>()?;
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        let aside = run_on_thread(watchdog, "aside", "parlor-aside".to_owned(), runtime, || ())?;
        Ok(Self { workers, slow, aside })
    }

    /// One worker, for all that rooms do: the thread of this runtime, which calls it.
    pub fn on_this_thread(runtime: &Handle) -> Self {
        lane::number_thread(0);
        let worker = Worker {
            runtime: runtime.clone(),
            sockets: AtomicUsize::new(0),
            rooms: AtomicUsize::new(0),
            beat: Arc::default(),
        };
        Self { workers: vec![worker], slow: vec![runtime.clone()], aside: runtime.clone() }
    }

    /// How many threads run plugins where `count` workers are started, those of low priority included.
    pub fn threads(count: usize) -> usize {
        2 * count.max(1)
    }

    /// The runtime of a thread that runs no plugins and accepts no connections: for answers that may take long.
    pub fn aside(&self) -> &Handle {
        &self.aside
    }

    /// The runtime of low priority that belongs to a worker.
    pub fn slow_runtime(&self, id: WorkerId) -> &Handle {
        &self.slow[id.0]
    }

    /// All workers.
    pub fn ids(&self) -> impl Iterator<Item = WorkerId> + use<> {
        (0..self.workers.len()).map(WorkerId)
    }

    /// The worker with the fewest sockets; among equals, the one with the fewest rooms.
    pub fn least_busy(&self) -> WorkerId {
        let load = |worker: &Worker| (worker.sockets.load(Ordering::Relaxed), worker.rooms.load(Ordering::Relaxed));
        let least = self.workers.iter().enumerate().min_by_key(|(_, worker)| load(worker));
        WorkerId(least.map_or(0, |(index, _)| index))
    }

    /// For each worker, how long something blocked it at most since the last call.
    pub fn take_longest_holds(&self) -> Vec<Duration> {
        self.workers.iter().map(|worker| worker.beat.take_longest_hold()).collect()
    }

    /// How many sockets all workers have.
    pub fn sockets(&self) -> usize {
        self.workers.iter().map(|worker| worker.sockets.load(Ordering::Relaxed)).sum()
    }

    /// The runtime of a worker.
    pub fn runtime(&self, id: WorkerId) -> &Handle {
        &self.workers[id.0].runtime
    }

    /// Counts a socket on a worker until the place is dropped.
    pub fn place_socket(&self, id: WorkerId) -> WorkerPlace<'_> {
        WorkerPlace::take(&self.workers[id.0].sockets)
    }

    /// Counts a room on a worker until the place is dropped.
    pub fn place_room(&self, id: WorkerId) -> WorkerPlace<'_> {
        WorkerPlace::take(&self.workers[id.0].rooms)
    }
}

impl Worker {
    fn start(index: usize, watchdog: &Arc<Watchdog>) -> anyhow::Result<Self> {
        let beat = Arc::<ThreadBeat>::default();
        let wakes = Arc::clone(&beat);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_unpark(move || wakes.thread_woke())
            .max_io_events_per_tick(IO_EVENTS_PER_TICK)
            .event_interval(TASKS_PER_TICK)
            .build()
            .context("cannot start a runtime")?;
        let number = move || lane::number_thread(index);
        let handle = run_on_thread(watchdog, "worker", format!("parlor-room-{index}"), runtime, number)?;
        let beats = Arc::clone(&beat);
        handle.spawn(Arc::clone(watchdog).keep_alive("beat", move || Arc::clone(&beats).run()));
        Ok(Self { runtime: handle, sockets: AtomicUsize::new(0), rooms: AtomicUsize::new(0), beat })
    }
}

/// Starts a thread of low priority.
fn start_slow(index: usize, number: usize, watchdog: &Arc<Watchdog>) -> anyhow::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
    run_on_thread(watchdog, "slow", format!("parlor-slow-{index}"), runtime, move || {
        lane::number_thread(number);
        // On Linux this concerns the calling thread alone. If it fails, the thread competes like all others.
        if let Err(why) = nice(SLOW_NICENESS) {
            tracing::warn!("cannot lower the priority of a thread: {why}");
        }
    })
}

/// Runs a runtime on a thread, which does something else first. A task that panics ends alone; where the runtime itself
/// panics, it is entered again, and all of its other tasks go on.
fn run_on_thread(
    watchdog: &Arc<Watchdog>,
    watched_as: &'static str,
    name: String,
    runtime: Runtime,
    first: impl FnOnce() + Send + 'static,
) -> anyhow::Result<Handle> {
    let handle = runtime.handle().clone();
    let mut first = Some(first);
    let run = move || {
        if let Some(first) = first.take() {
            first();
        }
        runtime.block_on(std::future::pending::<()>());
        ControlFlow::Continue(())
    };
    watchdog.keep_thread_alive(watched_as, name, run).context("cannot start a thread")?;
    Ok(handle)
}

impl<'a> WorkerPlace<'a> {
    fn take(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for WorkerPlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
