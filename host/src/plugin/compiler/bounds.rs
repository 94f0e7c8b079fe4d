//! The bounds of a child process that works on what a tenant gave. The child sets them itself, before it reads anything.

use anyhow::Context as _;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getpriority_process, set_dumpable_behavior,
    set_parent_process_death_signal, setpriority_process, setrlimit,
};

/// How much address space the child's allocator reserves at once. Its default of 1 GiB would count against
/// `compile-memory-bytes`, although most of it is never used.
pub(super) const ALLOCATOR_RESERVE: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "32MiB");
/// How many descriptors the child may have: its three streams, and those that its threads and tools need.
const DESCRIPTORS: u64 = 64;
/// The child's niceness: serving comes first. Beside threads that are always busy, 10 leaves the child a tenth of a
/// core. 19 would leave it a sixtieth: a compilation of half a second would take more than half a minute.
const NICENESS: i32 = 10;
/// The child offers itself to the kernel's memory killer before all others (proc(5): -1000 to 1000).
const OOM_SCORE: &str = "1000";

/// What a child, and each process that it starts, may use.
pub struct ChildBounds {
    pub cpu_ms: u64,
    pub memory: ChildMemory,
    /// How many bytes it may write into a file: at the first number it is told, past the second it cannot be allowed.
    pub written: (u64, u64),
}

/// What of a process's memory counts.
pub enum ChildMemory {
    /// Its address space.
    All(u64),
    /// What it can write to: engines of JavaScript reserve many times what they use.
    Writable(u64),
}

impl ChildBounds {
    pub fn set(&self) -> anyhow::Result<()> {
        // Where the machine lacks memory, the kernel is to end this process and not the server. It comes first: the
        // file belongs to root once no core may be dumped. If this fails, the kernel chooses as it likes.
        let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
        // If the server dies, nobody needs what comes out any more.
        set_parent_process_death_signal(Some(Signal::KILL)).context("cannot tie the child to its parent")?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable).context("cannot forbid core dumps")?;
        // The child has the niceness of the thread that started it. If this fails, it works at that one.
        if getpriority_process(None).is_ok_and(|inherited| inherited < NICENESS) {
            let _ = setpriority_process(None, NICENESS);
        }
        let cpu_seconds = self.cpu_ms.div_ceil(1_000);
        let (memory, bytes) = match self.memory {
            ChildMemory::All(bytes) => (Resource::As, bytes),
            ChildMemory::Writable(bytes) => (Resource::Data, bytes),
        };
        for (resource, current, maximum) in [
            (Resource::Core, 0, 0),
            (Resource::Nofile, DESCRIPTORS, DESCRIPTORS),
            (Resource::Fsize, self.written.0, self.written.1),
            (memory, bytes, bytes),
            // At the soft limit the kernel sends SIGXCPU, by which the server recognises this end.
            (Resource::Cpu, cpu_seconds, cpu_seconds + 1),
        ] {
            bound(resource, current, maximum)?;
        }
        Ok(())
    }
}

pub(super) fn bound(resource: Resource, current: u64, maximum: u64) -> anyhow::Result<()> {
    setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })
        .with_context(|| format!("cannot set the limit {resource:?}"))
}
