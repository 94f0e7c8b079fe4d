//! Why a component was not compiled.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};

use rustix::process::Signal;

use super::prevented::{self, Prevented};
use crate::model::limits::Limits;
use crate::model::text::printable;

/// How many bytes the server reads of the child's error.
const WORDS_BYTES_MAX: u64 = 4 << 10;

/// Explains why the child failed, by its exit status and its words.
pub fn failure(status: ExitStatus, words: &str, limits: &Limits) -> anyhow::Error {
    if status.code() == Some(prevented::EXIT_CODE) {
        return Prevented(format!("was not compiled: {words}")).into();
    }
    // The last sign is what a thread gets for which there is no memory for a stack.
    let out_of_memory = ["memory allocation of", "os error 12", "Cannot allocate memory", "code: 11, kind: WouldBlock"];
    if out_of_memory.iter().any(|sign| words.contains(sign)) {
        return anyhow::anyhow!(
            "needs more memory to compile than compile-memory-bytes: {}",
            limits.compile_memory_bytes
        );
    }
    match status.signal() {
        Some(signal) if signal == Signal::XCPU.as_raw() => {
            anyhow::anyhow!("needs more CPU time to compile than compile-cpu-ms: {} ms", limits.compile_cpu_ms)
        }
        Some(signal) if signal == Signal::XFSZ.as_raw() => {
            anyhow::anyhow!("becomes larger by compiling than compiled-bytes: {}", limits.compiled_bytes)
        }
        Some(signal) if signal == Signal::KILL.as_raw() => {
            let words = "was not compiled: the compiler was killed from outside; the machine may lack memory";
            Prevented(words.to_owned()).into()
        }
        Some(signal) => anyhow::anyhow!("does not compile: the compiler crashed with signal {signal}"),
        None => anyhow::anyhow!("does not compile: {words}"),
    }
}

/// Reads the child's error as one line.
pub fn words_of(child: &mut Child) -> String {
    let mut words = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // If this fails, the error has no words.
        let _ = stderr.take(WORDS_BYTES_MAX).read_to_end(&mut words);
    }
    let words = String::from_utf8_lossy(&words);
    printable(words.trim().trim_start_matches("parlor: "))
}
