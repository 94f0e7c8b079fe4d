//! The child process that compiles: it limits its own resources, reads a component, writes native code, and exits.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use rustix::process::Resource;
use serde::{Deserialize, Serialize};

use super::bounds::{ChildBounds, ChildMemory, bound};
use super::bulk;
use super::functions::Functions;
use super::packs;
use super::prevented::{self, Prevented};
use crate::guest::engine::{self, engine_hash, one_line};
use crate::model::limits::Limits;

/// What the server tells the child: its limits, and for which engine it compiles.
#[derive(Debug, Serialize, Deserialize)]
pub struct CompileJob {
    guest_stack_bytes: usize,
    cpu_ms: u64,
    memory_bytes: u64,
    code_bytes: u64,
    functions_bytes: u64,
    /// The packs of languages, in the folder that the child runs in.
    languages: Vec<String>,
    engine_hash: u64,
}

impl CompileJob {
    /// `functions_bytes` is how large the pack may become that the child returns.
    pub fn new(limits: &Limits, functions_bytes: u64, languages: Vec<String>, engine_hash: u64) -> Self {
        Self {
            guest_stack_bytes: limits.guest_stack_bytes,
            cpu_ms: limits.compile_cpu_ms,
            memory_bytes: limits.compile_memory_bytes,
            code_bytes: limits.compiled_bytes,
            functions_bytes,
            languages,
            engine_hash,
        }
    }

    /// Whether the child must run in the folder of the languages' packs.
    pub fn reads_languages(&self) -> bool {
        !self.languages.is_empty()
    }

    /// Formats the job as one argument of the command line.
    pub fn to_argument(&self) -> String {
        serde_json::json!(self).to_string()
    }

    pub fn of_argument(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).context("this is not a job from a server")
    }

    /// Reads functions that were compiled before and a component from standard input, and packs of languages. Writes
    /// native code to standard output, which is a file, followed by the functions to keep.
    pub fn run(&self) -> anyhow::Result<()> {
        // The server wants one line of a panic, without a place in a source file that its operator does not have.
        std::panic::set_hook(Box::new(|panic| {
            let words = panic.payload_as_str().unwrap_or_default();
            let _ = writeln!(std::io::stderr(), "the compiler crashed: {words}");
        }));
        let made = self.compile();
        if let Err(why) = &made
            && why.is::<Prevented>()
        {
            let _ = writeln!(std::io::stderr(), "{why}");
            std::process::exit(prevented::EXIT_CODE);
        }
        made
    }

    /// Fails as [`Prevented`] wherever it is not for the component.
    fn compile(&self) -> anyhow::Result<()> {
        let by_machine = |why: anyhow::Error| Prevented::by(&why);
        self.bound_this_process().map_err(by_machine)?;
        let read = packs::take(std::io::stdin()).context("cannot read the component");
        let (pack, bytes) = read.map_err(by_machine)?;
        // One that cannot be read, or is damaged, costs time and nothing else.
        let languages: Vec<Vec<u8>> = self.languages.iter().filter_map(|file| std::fs::read(file).ok()).collect();
        let functions = (self.functions_bytes > 0 || !languages.is_empty())
            .then(|| Arc::new(Functions::of(pack, self.functions_bytes as usize, languages)));
        let engine = engine::for_compiling(self.guest_stack_bytes, functions.clone().map(|functions| functions as _))?;
        ensure!(engine_hash(&engine) == self.engine_hash, "the child's engine is not the server's");
        let pieces = bulk::in_pieces(&bytes);
        let code = match engine.precompile_component(pieces.as_deref().unwrap_or(&bytes)) {
            // What nobody can read, the compiler refuses in its own words.
            Ok(_) if pieces.is_none() => bail!("its bulk-memory instructions cannot be found"),
            Ok(code) => code,
            Err(why) => bail!("{}", one_line(&why)),
        };
        self.answer(&code, functions.as_deref()).map_err(by_machine)
    }

    fn answer(&self, code: &[u8], functions: Option<&Functions>) -> anyhow::Result<()> {
        let mut answer = std::io::stdout();
        answer.write_all(code).and_then(|()| answer.flush()).context("cannot write the code")?;
        bound(Resource::Fsize, self.output_bytes(), self.output_bytes())?;
        packs::give_back(&mut answer, functions).and_then(|()| answer.flush()).context("cannot write the functions")
    }

    /// How many bytes the child may write: code, functions and the trailer.
    fn output_bytes(&self) -> u64 {
        self.code_bytes.saturating_add(self.functions_bytes).saturating_add(packs::END_BYTES as u64)
    }

    fn bound_this_process(&self) -> anyhow::Result<()> {
        // The soft limit is for the code alone.
        let written = (self.code_bytes, self.output_bytes());
        ChildBounds { cpu_ms: self.cpu_ms, memory: ChildMemory::All(self.memory_bytes), written }.set()
    }
}
