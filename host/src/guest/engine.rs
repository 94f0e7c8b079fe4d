//! The one wasmtime engine of the process, and the clock that interrupts its guests.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Notify;
use wasmtime::{
    CacheStore, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use crate::model::limits::Limits;
use crate::model::text::printable;
use crate::tenant::lane::SLICE;

/// How often running guests are interrupted, so that others on their thread get a turn and CPU time is charged.
/// A spinning guest delays its neighbours by this much at a time; each tick costs a core some 5 us.
pub const EPOCH_TICK: Duration = SLICE;
/// Native stack of a guest's fiber beyond the guest's own: host calls run on it as well.
const HOST_STACK_BYTES: usize = 512 << 10;
/// Memory maps that one resident instance takes: its memory image and heap, and its stack with a guard page.
const MAPS_PER_INSTANCE: u32 = 6;
/// Memory maps that the rest of the process may take: threads, code, libraries.
const MAPS_RESERVED: u32 = 4_000;
/// The fewest instances that make a pool worth its while.
const INSTANCES_MIN: u32 = 64;
/// Of a dropped instance's memory this much stays mapped and is zeroed instead, which saves page faults at the next.
const KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// What is told of an error: a component's names are up to 100,000 bytes long.
const ERROR_BYTES_MAX: usize = 1 << 10;

/// The engine, and how many instances it can hold.
pub struct GuestEngine {
    pub engine: Engine,
    /// Instances that may live at once; none where they are allocated on demand.
    pub pool_slots: Option<u32>,
    /// Told of each instance that ends, for openings that wait for its place.
    pub freed: Notify,
    /// Told by an opening that waits, for rooms that nobody needs now.
    pub wanted: Notify,
    /// Told as well, also where a tenant's own bound is full: whoever knows the rooms may ask those that are idle.
    pub pressure: Notify,
}

impl GuestEngine {
    fn new(engine: Engine, pool_slots: Option<u32>) -> Self {
        Self { engine, pool_slots, freed: Notify::new(), wanted: Notify::new(), pressure: Notify::new() }
    }

    /// Instances that live now.
    pub fn instances(&self) -> Option<u64> {
        self.engine.pooling_allocator_metrics().map(|metrics| metrics.component_instances())
    }
}

/// Makes the engine: with a pool of instances where the address space allows it, on demand where not.
pub fn start(limits: &Limits) -> anyhow::Result<GuestEngine> {
    let mut slots = pool_slots_by_maps(limits.instances_of_host);
    let guest_engine = loop {
        let mut config = base_config(limits.guest_stack_bytes);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, slots)));
        match Engine::new(&config) {
            Ok(engine) => {
                break GuestEngine::new(engine, Some(slots));
            }
            // A smaller pool may fit where the address space is bounded (ulimit -v, small virtual machines).
            Err(why) if slots > INSTANCES_MIN => {
                tracing::debug!("no pool of {slots} instances: {why:#}");
                slots /= 4;
            }
            Err(why) => {
                tracing::warn!("no room for a pool of instances, they are allocated on demand: {why:#}");
                let engine = Engine::new(&base_config(limits.guest_stack_bytes))
                    .map_err(|why| anyhow::anyhow!("wasmtime cannot start: {}", one_line(&why)))?;
                break GuestEngine::new(engine, None);
            }
        }
    };
    start_clock(&guest_engine.engine)?;
    Ok(guest_engine)
}

/// An engine for a process that only compiles: the same code, without a pool and without a clock.
/// Functions that were compiled before come from `functions`, where there are any.
pub fn for_compiling(guest_stack_bytes: usize, functions: Option<Arc<dyn CacheStore>>) -> anyhow::Result<Engine> {
    let mut config = base_config(guest_stack_bytes);
    let cached = functions.map_or(Ok(()), |functions| config.enable_incremental_compilation(functions).map(drop));
    let made = cached.and_then(|()| Engine::new(&config));
    made.map_err(|why| anyhow::anyhow!("wasmtime cannot start: {}", one_line(&why)))
}

fn base_config(guest_stack_bytes: usize) -> Config {
    let mut config = Config::new();
    // Without concurrency support a call costs a third to a quarter (measured; see docs of the design).
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
    // Every total is set: each of them is 1,000 by default, which 76 rooms of a 13-module component would use up.
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(4))
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

/// As many instances as the kernel's bound on memory maps lets live, and as are wanted.
fn pool_slots_by_maps(wanted: u32) -> u32 {
    let max_maps = std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok())
        // The kernel's default, and a sane number where there is no such bound.
        .unwrap_or(65_530);
    (max_maps.saturating_sub(MAPS_RESERVED) / MAPS_PER_INSTANCE).max(INSTANCES_MIN).min(wanted)
}

/// Ticks from an OS thread of its own, so that a guest that holds every worker is still interrupted. The thread ends
/// with the engine.
fn start_clock(engine: &Engine) -> anyhow::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("parlor-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(EPOCH_TICK);
            }
        })
        .context("cannot start the thread that interrupts guests")?;
    Ok(())
}

impl std::fmt::Debug for GuestEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestEngine").field("pool_slots", &self.pool_slots).finish_non_exhaustive()
    }
}

/// A wasmtime error as one line: its chain, without a backtrace. It may quote names out of a component, and these may be
/// anything.
pub fn one_line(why: &wasmtime::Error) -> String {
    let chain: Vec<String> = why.chain().map(|cause| cause.to_string().replace('\n', " ")).collect();
    let line = printable(&chain.join(": "));
    if line.len() <= ERROR_BYTES_MAX {
        return line;
    }
    format!("{}...", &line[..line.floor_char_boundary(ERROR_BYTES_MAX)])
}

/// Shared by everything that makes instances.
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
