//! The threads that rooms and sockets run on: each with a runtime of its own, a room and its sockets on one of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use tokio::runtime::{Builder, Handle};

/// Ready sockets that are taken up at once. A few of them are worked off to the write while their memory is in the
/// cache; tokio's default of 1,024 reads all of them first. At 2,000 busy sockets 16 cost 5 to 25 per cent less CPU, and
/// the 99th percentile fell from 53 to 41 ms (ARCHITECTURE.md, threads).
const IO_EVENTS_PER_TICK: usize = 16;
/// Tasks that run between two looks at the sockets; large, so that what was read is handled and answered first.
const TASKS_PER_TICK: u32 = 256;

/// One of the threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerId(usize);

impl WorkerId {
    /// Its number, from 0 on.
    pub fn number(self) -> usize {
        self.0
    }
}

/// All of them. They end with the process.
#[derive(Debug)]
pub struct Workers {
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    sockets: AtomicUsize,
    rooms: AtomicUsize,
}

/// A place on a worker that is given back when it is dropped.
#[derive(Debug)]
pub struct Place<'a>(&'a AtomicUsize);

impl Workers {
    /// Starts so many threads.
    pub fn start(count: usize) -> anyhow::Result<Self> {
        let workers = (0..count.max(1)).map(Worker::start).collect::<anyhow::Result<_>>()?;
        Ok(Self { workers })
    }

    /// The worker with the fewest sockets, and of those the one with the fewest rooms.
    pub fn least_busy(&self) -> WorkerId {
        let load = |worker: &Worker| (worker.sockets.load(Ordering::Relaxed), worker.rooms.load(Ordering::Relaxed));
        let least = self.workers.iter().enumerate().min_by_key(|(_, worker)| load(worker));
        WorkerId(least.map_or(0, |(index, _)| index))
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
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name(format!("parlor-room-{index}"))
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .context("a thread cannot be started")?;
        Ok(Self { runtime: handle, sockets: AtomicUsize::new(0), rooms: AtomicUsize::new(0) })
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
