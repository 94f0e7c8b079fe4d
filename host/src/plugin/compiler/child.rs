//! The child: it takes its bounds upon itself, reads a component, writes native code, and ends.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{
    Resource, Rlimit, Signal, nice, set_dumpable_behavior, set_parent_process_death_signal, setrlimit,
};
use serde::{Deserialize, Serialize};

use super::functions::Functions;
use super::{engine_hash, packs};
use crate::guest::engine::{self, one_line};
use crate::model::limits::Limits;

/// Descriptors of the child: its three streams, and what the compiler's threads wait on.
const DESCRIPTORS: u64 = 64;
/// Low priority: what is served comes first. Beside threads that never rest this is a tenth of a core; the lowest one (19)
/// would be a sixtieth, and what compiles in half a second would not be there after half a minute.
const NICENESS: i32 = 10;

/// What the child is told: its bounds, and for which engine it compiles.
#[derive(Debug, Serialize, Deserialize)]
pub struct CompileJob {
    guest_stack_bytes: usize,
    cpu_ms: u64,
    memory_bytes: u64,
    code_bytes: u64,
    functions_bytes: u64,
    engine_hash: u64,
}

impl CompileJob {
    pub fn new(limits: &Limits, engine_hash: u64) -> Self {
        Self {
            guest_stack_bytes: limits.guest_stack_bytes,
            cpu_ms: limits.compile_cpu_ms,
            memory_bytes: limits.compile_memory_bytes,
            code_bytes: limits.compiled_bytes,
            functions_bytes: limits.compiled_functions_bytes,
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

    /// Compiles what comes in on standard input, with functions that were compiled before; the code goes to standard output,
    /// which is a file, and behind it what is to be kept of its functions.
    pub fn run(&self) -> anyhow::Result<()> {
        // Of a panic the server wants one line, and no place in a source that it does not have.
        std::panic::set_hook(Box::new(|panic| {
            let words = panic.payload_as_str().unwrap_or_default();
            eprintln!("the compiler crashed: {words}");
        }));
        self.bound_this_process()?;
        let (pack, bytes) = packs::take(std::io::stdin()).context("the component cannot be read")?;
        let functions =
            (self.functions_bytes > 0).then(|| Arc::new(Functions::of(pack, self.functions_bytes as usize)));
        let engine = engine::for_compiling(self.guest_stack_bytes, functions.clone().map(|functions| functions as _))?;
        ensure!(engine_hash(&engine) == self.engine_hash, "the child's engine is not the server's");
        let code = match engine.precompile_component(&bytes) {
            Ok(code) => code,
            Err(why) => bail!("{}", one_line(&why)),
        };
        let mut answer = std::io::stdout();
        answer.write_all(&code).and_then(|()| answer.flush()).context("the code cannot be written")?;
        bound(Resource::Fsize, self.output_bytes(), self.output_bytes())?;
        packs::give_back(&mut answer, functions.as_deref())
            .and_then(|()| answer.flush())
            .context("functions cannot be written")
    }

    /// All that the child writes: code, functions, and some words behind them.
    fn output_bytes(&self) -> u64 {
        self.code_bytes.saturating_add(self.functions_bytes).saturating_add(packs::END_BYTES as u64)
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
            // The code has a bound of its own.
            (Resource::Fsize, self.code_bytes, self.output_bytes()),
            (Resource::As, self.memory_bytes, self.memory_bytes),
            // At the first of these comes a signal of its own, which tells it from other ends.
            (Resource::Cpu, cpu_seconds, cpu_seconds + 1),
        ] {
            bound(resource, current, maximum)?;
        }
        Ok(())
    }
}

fn bound(resource: Resource, current: u64, maximum: u64) -> anyhow::Result<()> {
    setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })
        .with_context(|| format!("the bound {resource:?} cannot be set"))
}
