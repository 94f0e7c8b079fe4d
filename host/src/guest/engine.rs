//! The process's wasmtime engine.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::Notify;
use wasmtime::{
    CacheStore, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use super::ticker::Ticker;
use crate::model::limits::Limits;
use crate::model::text::printable;
use crate::watchdog::Watchdog;

/// How much larger a fiber's native stack is than the guest's own: host calls run on it as well.
const HOST_STACK_BYTES: usize = 512 << 10;
/// How many memory maps one live instance takes: its memory image and heap, and its stack with a guard page.
const MAPS_PER_INSTANCE: u32 = 6;
/// How many memory maps are left to the rest of the process: threads, code, libraries.
const MAPS_RESERVED: u32 = 4_000;
/// A smaller pool than this is not worth having.
const INSTANCES_MIN: u32 = 64;
/// How much of a dropped instance's memory stays mapped and is zeroed: the next instance has fewer page faults.
const KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// How much of an error is shown. It may quote a component's names, which are up to 100,000 bytes long.
const ERROR_BYTES_MAX: usize = 1 << 10;
/// Goes up with each change of what the compile child does with a component first (`plugin/compiler/bulk.rs`).
const CODE_EDITION: u32 = 1;

/// The engine, and how many instances it can hold.
pub struct GuestEngine {
    pub engine: Engine,
    /// How many instances may live at once; `None` if they are allocated on demand.
    pub pool_slots: Option<u32>,
    /// The clock that interrupts its guests.
    pub ticker: Arc<Ticker>,
    /// Notified when an instance ends, for those who wait for its place.
    pub freed: Notify,
    /// Notified by whoever waits for a place: an idle room of any tenant should give way.
    pub wanted: Notify,
    /// Notified as well, also if it is a tenant's own limit that is reached: the fleet looks for idle rooms at once.
    pub pressure: Notify,
}

impl GuestEngine {
    fn new(engine: Engine, pool_slots: Option<u32>) -> Self {
        let ticker = Arc::default();
        Self { engine, pool_slots, ticker, freed: Notify::new(), wanted: Notify::new(), pressure: Notify::new() }
    }

    /// How many instances live now.
    pub fn instances(&self) -> Option<u64> {
        self.engine.pooling_allocator_metrics().map(|metrics| metrics.component_instances())
    }
}

/// Starts the engine, with a pool of instances if the address space allows one, otherwise allocating on demand.
pub fn start(limits: &Limits, watchdog: &Arc<Watchdog>) -> anyhow::Result<GuestEngine> {
    let mut slots = pool_slots_by_maps(limits.instances_of_host);
    let guest_engine = loop {
        let mut config = base_config(limits.guest_stack_bytes);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, slots)));
        match Engine::new(&config) {
            Ok(engine) => {
                break GuestEngine::new(engine, Some(slots));
            }
            // The address space may be limited (ulimit -v, small virtual machines): try a smaller pool.
            Err(why) if slots > INSTANCES_MIN => {
                tracing::debug!("cannot reserve a pool of {slots} instances: {why:#}");
                slots /= 4;
            }
            Err(why) => {
                tracing::warn!(
                    "cannot reserve a pool of instances, so each is allocated on demand, which is slower: {why:#}"
                );
                let engine = Engine::new(&base_config(limits.guest_stack_bytes))
                    .map_err(|why| anyhow::anyhow!("wasmtime cannot start: {}", one_line(&why)))?;
                break GuestEngine::new(engine, None);
            }
        }
    };
    start_clock(&guest_engine, watchdog)?;
    Ok(guest_engine)
}

/// Makes an engine for a process that only compiles: it produces the same code, and has neither pool nor clock. It
/// reuses the compiled functions of `functions`.
pub fn for_compiling(guest_stack_bytes: usize, functions: Option<Arc<dyn CacheStore>>) -> anyhow::Result<Engine> {
    let mut config = base_config(guest_stack_bytes);
    let cached = functions.map_or(Ok(()), |functions| config.enable_incremental_compilation(functions).map(drop));
    let made = cached.and_then(|()| Engine::new(&config));
    made.map_err(|why| anyhow::anyhow!("wasmtime cannot start: {}", one_line(&why)))
}

/// Makes an engine for a replay: it has no pool, and it knows the lines of the source where a component does.
pub fn for_replay(limits: &Limits, watchdog: &Arc<Watchdog>) -> anyhow::Result<GuestEngine> {
    let mut config = base_config(limits.guest_stack_bytes);
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    let engine = Engine::new(&config).map_err(|why| anyhow::anyhow!("wasmtime cannot start: {}", one_line(&why)))?;
    let guest_engine = GuestEngine::new(engine, None);
    start_clock(&guest_engine, watchdog)?;
    Ok(guest_engine)
}

fn base_config(guest_stack_bytes: usize) -> Config {
    let mut config = Config::new();
    // Without concurrency support a call costs a third to a quarter of what it costs with it, as measured.
    config.concurrency_support(false);
    config.wasm_threads(false).wasm_memory64(false).wasm_gc(false).gc_support(false);
    config.wasm_stack_switching(false);
    config.epoch_interruption(true);
    config.cranelift_opt_level(OptLevel::Speed);
    config.max_wasm_stack(guest_stack_bytes);
    config.async_stack_size(guest_stack_bytes + HOST_STACK_BYTES);
    config.memory_init_cow(true);
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
}

fn pool(limits: &Limits, slots: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // Set every total: each is 1,000 by default, which 26 rooms in Python would use up. Core instances are only counted,
    // so each instance may have as many as a component can. Memories and tables take address space and memory maps:
    // there are enough for one memory and two tables each, which Rust, C, Go and Python have; QuickJS has three.
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(limits.core_instances_per_component))
        .total_memories(slots)
        .total_tables(slots.saturating_mul(2))
        .total_stacks(slots)
        .total_gc_heaps(0)
        .max_core_instances_per_component(limits.core_instances_per_component)
        .max_memories_per_component(limits.memories_per_component)
        .max_tables_per_component(limits.tables_per_component)
        .max_memory_size(limits.memory_bytes)
        .table_elements(limits.table_elements)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// How many instances the kernel's limit on memory maps allows, up to `wanted`.
fn pool_slots_by_maps(wanted: u32) -> u32 {
    let max_maps = std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok())
        // The kernel's default, also for a system without such a limit.
        .unwrap_or(65_530);
    (max_maps.saturating_sub(MAPS_RESERVED) / MAPS_PER_INSTANCE).max(INSTANCES_MIN).min(wanted)
}

/// Starts the thread that ticks. It is an OS thread of its own, so that guests which hold every worker are interrupted
/// all the same. It ends with the engine.
fn start_clock(guest_engine: &GuestEngine, watchdog: &Arc<Watchdog>) -> anyhow::Result<()> {
    let (engine, ticker) = (guest_engine.engine.weak(), Arc::clone(&guest_engine.ticker));
    let interrupt = move || {
        if let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
        }
    };
    let run = move || ticker.run(&interrupt);
    let ticking = watchdog.keep_thread_alive("epoch", "parlor-epoch".to_owned(), run);
    ticking.map(drop).context("cannot start the thread that interrupts guests")
}

impl Drop for GuestEngine {
    fn drop(&mut self) {
        self.ticker.end();
    }
}

/// Identifies an engine's settings and version, and what is done with a component before it is compiled: an engine accepts code that
/// was compiled with the same hash.
pub fn engine_hash(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    CODE_EDITION.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

impl std::fmt::Debug for GuestEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestEngine").field("pool_slots", &self.pool_slots).finish_non_exhaustive()
    }
}

/// Formats a wasmtime error as one line: its chain of causes, without a backtrace. The error may quote names of a
/// component, which can be any text.
pub fn one_line(why: &wasmtime::Error) -> String {
    let chain: Vec<String> = why.chain().map(|cause| cause.to_string().replace('\n', " ")).collect();
    let line = printable(&chain.join(": "));
    if line.len() <= ERROR_BYTES_MAX {
        return line;
    }
    format!("{}...", &line[..line.floor_char_boundary(ERROR_BYTES_MAX)])
}

/// The engine, shared by all that make instances.
pub type SharedEngine = Arc<GuestEngine>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_short_line_whatever_it_quotes() {
        let why = wasmtime::Error::msg("no export named `\0\u{1b}[2J`\nin").context("does not parse");
        assert_eq!(one_line(&why), "does not parse: no export named `\u{fffd}\u{fffd}[2J` in");
        let long = one_line(&wasmtime::Error::msg("ü".repeat(ERROR_BYTES_MAX)));
        assert_eq!(long, format!("{}...", "ü".repeat(ERROR_BYTES_MAX / 2)));
    }
}
