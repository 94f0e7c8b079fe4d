//! The child: it takes its bounds upon itself, reads a component, writes native code, and ends.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{
    Resource, Rlimit, Signal, nice, set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};
use serde::{Deserialize, Serialize};

use super::engine_hash;
use crate::model::limits::Limits;
use crate::plugin::engine::{self, one_line};

/// Descriptors of the child: its three streams, and what the compiler's threads wait on.
const DESCRIPTORS: u64 = 64;
/// Low priority: what is served comes first. Beside threads that never rest this is a tenth of a core; the lowest one (19)
/// would be a sixtieth, and what compiles in half a second would not be there after half a minute.
const NICENESS: i32 = 10;

/// What the child is told: its bounds, and for which engine it compiles.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    guest_stack_bytes: usize,
    cpu_ms: u64,
    memory_bytes: u64,
    output_bytes: u64,
    engine_hash: u64,
}

impl Job {
    pub fn new(limits: &Limits, engine_hash: u64) -> Self {
        Self {
            guest_stack_bytes: limits.guest_stack_bytes,
            cpu_ms: limits.compile_cpu_ms,
            memory_bytes: limits.compile_memory_bytes,
            output_bytes: limits.compiled_bytes,
            engine_hash,
        }
    }

    /// As one argument of the command line.
    pub fn to_argument(&self) -> String {
        serde_json::json!(self).to_string()
    }

    pub fn of_argument(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).context("not what the server says to the child that compiles")
    }

    /// Compiles what comes in on standard input; the code goes to standard output, which is a file.
    pub fn run(&self) -> anyhow::Result<()> {
        // Of a panic the server wants one line, and no place in a source that it does not have.
        std::panic::set_hook(Box::new(|panic| {
            let words = panic.payload_as_str().unwrap_or_default();
            eprintln!("the compiler crashed: {words}");
        }));
        self.bound_this_process()?;
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).context("the component cannot be read")?;
        let engine = engine::for_compiling(self.guest_stack_bytes)?;
        ensure!(engine_hash(&engine) == self.engine_hash, "the child's engine is not the server's");
        let code = match engine.precompile_component(&bytes) {
            Ok(code) => code,
            Err(why) => bail!("{}", one_line(&why)),
        };
        std::io::stdout().write_all(&code).context("the code cannot be written")
    }

    fn bound_this_process(&self) -> anyhow::Result<()> {
        // Whoever waits for the code is gone: nobody needs it.
        set_parent_process_death_signal(Some(Signal::KILL)).context("prctl")?;
        set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).context("prctl")?;
        // A process that may not lower its own priority compiles at the one it has.
        let _ = nice(NICENESS);
        let cpu_seconds = self.cpu_ms.div_ceil(1_000);
        for (resource, current, maximum) in [
            (Resource::Core, 0, 0),
            (Resource::Nofile, DESCRIPTORS, DESCRIPTORS),
            (Resource::Fsize, self.output_bytes, self.output_bytes),
            (Resource::As, self.memory_bytes, self.memory_bytes),
            // At the first of these comes a signal of its own, which tells it from other ends.
            (Resource::Cpu, cpu_seconds, cpu_seconds + 1),
        ] {
            setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })
                .with_context(|| format!("the bound {resource:?} cannot be set"))?;
        }
        Ok(())
    }
}
