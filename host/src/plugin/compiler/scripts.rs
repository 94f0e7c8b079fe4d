//! Scripts in tenants' folders, of which a child process makes components. It is another run of this program, which bounds
//! itself, starts node with the SDK's build, and waits for all that comes of that, so that the system tells what all of it
//! used.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::bounds::ALLOCATOR_RESERVE;
use super::prevented::{self, Prevented, unwritten};
use super::supervision::{ChildEnd, EndedChild, wait};
use crate::model::limits::Limits;
use crate::model::names::PluginKey;
use crate::tenant::Account;

/// The child's exit code where the machine has no tools for scripts, of `sysexits.h`: `EX_UNAVAILABLE`.
pub const EXIT_LACKING: i32 = 69;
/// What a shell adds to the number of the signal that a program ended by.
pub const BY_SIGNAL: i32 = 128;
/// What is read of what a build says.
const WORDS_BYTES_MAX: u64 = 16 << 10;
/// How long the child may be late with ending what it started.
const LATE: Duration = Duration::from_secs(5);
/// What of the server's own environment the tools are found by. Its secrets are in there as well.
const VARIABLES: [&str; 3] = ["PATH", "HOME", "XDG_CACHE_HOME"];

/// What the server tells the child.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScriptJob {
    /// The folder that the script may read.
    pub root: PathBuf,
    /// Whether it may read only the files directly in there: the folders are other tenants'.
    pub flat: bool,
    /// The script's file in that folder.
    pub entry: String,
    /// The plugin's name.
    pub name: String,
    pub cpu_ms: u64,
    pub wall_ms: u64,
    pub memory_bytes: u64,
    pub output_bytes: u64,
}

impl ScriptJob {
    /// The job for a plugin's file; `max` is how large the component may become.
    pub fn new(key: &PluginKey, file: &Path, flat: bool, limits: &Limits, max: u64) -> anyhow::Result<Self> {
        let root = std::path::absolute(file.parent().context("a script lies in a folder")?)?;
        Ok(Self {
            root,
            flat,
            entry: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            name: key.plugin.to_string(),
            cpu_ms: limits.compile_cpu_ms,
            wall_ms: limits.compile_wall_ms,
            memory_bytes: limits.compile_memory_bytes,
            output_bytes: max,
        })
    }

    pub fn of_argument(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).context("this is not a job from a server")
    }
}

/// What became of a script.
#[derive(Debug)]
pub struct ScriptBuild {
    /// The files that the build looked at, those that are not there included.
    pub files: Vec<PathBuf>,
    /// The component, or what is wrong, with file and line.
    pub made: anyhow::Result<Vec<u8>>,
}

/// Why no script is built here: the machine has no tools for it.
#[derive(Debug)]
pub struct LackingTools(String);

impl fmt::Display for LackingTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LackingTools {}

/// What builds scripts: this program, in a child process that writes into files without names in a folder of the server's.
pub struct ScriptBuilder<'a> {
    pub program: &'a Path,
    pub folder: &'a Path,
}

impl ScriptBuilder<'_> {
    /// Builds a script. What that uses is charged to the account.
    pub fn build(&self, key: &PluginKey, account: &Account, job: &ScriptJob) -> anyhow::Result<ScriptBuild> {
        let (output, words) = self.files().map_err(|why| unwritten(self.folder, why))?;
        let for_child = |file: &File| file.try_clone().map_err(|why| unwritten(self.folder, why));
        let (stdout, stderr) = (for_child(&output)?, for_child(&words)?);
        let mut child = Command::new(self.program)
            .arg("build-script")
            .arg(serde_json::json!(job).to_string())
            .env_clear()
            .env(ALLOCATOR_RESERVE.0, ALLOCATOR_RESERVE.1)
            .envs(VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            // The child's children end when this pipe does: with the server.
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(|why| Prevented(format!("cannot start {} to build: {why}", self.program.display())))?;
        let ended = ended(&mut child, key, account, job);
        drop(child);
        let status = ended?;
        let said = read(words, WORDS_BYTES_MAX)?;
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        let answer = read(output, job.output_bytes.saturating_add(WORDS_BYTES_MAX))?;
        let (files, component) = split(&job.root, answer);
        let made = judge(status, &said, job).and_then(|()| {
            ensure!(!component.is_empty(), "the build of scripts answered nothing");
            Ok(component)
        });
        Ok(ScriptBuild { files, made })
    }

    /// Files without names, for what a build makes and for what it says.
    fn files(&self) -> io::Result<(File, File)> {
        Ok((tempfile::tempfile_in(self.folder)?, tempfile::tempfile_in(self.folder)?))
    }
}

/// How the child ended; what it and all that it started has used is charged.
fn ended(child: &mut Child, key: &PluginKey, account: &Account, job: &ScriptJob) -> anyhow::Result<ExitStatus> {
    let patience = Duration::from_millis(job.wall_ms) + LATE;
    let (tenant, plugin) = (key.tenant.as_str(), key.plugin.as_str());
    let tell_begun = || tracing::info!(tenant, plugin, "building ...");
    let EndedChild { end, cpu } = wait(child, patience, &AtomicBool::new(false), tell_begun)?;
    account.cpu.charge_deployment(cpu.as_nanos() as u64);
    match end {
        ChildEnd::Itself(status) => Ok(status),
        ChildEnd::StoodStill | ChildEnd::GivenUp => {
            Err(Prevented("was not built: the child that builds had to be killed".to_owned()).into())
        }
    }
}

fn read(mut file: File, max: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.rewind()?;
    file.take(max).read_to_end(&mut content)?;
    Ok(content)
}

/// The files that a build names in its first line, in their folder, and the component behind it. The text of a tenant's has
/// part in the names, so that none counts which leads out of the folder.
fn split(root: &Path, mut answer: Vec<u8>) -> (Vec<PathBuf>, Vec<u8>) {
    let Some(end) = answer.iter().position(|byte| *byte == b'\n') else { return (Vec::new(), Vec::new()) };
    let component = answer.split_off(end + 1);
    let names: Vec<String> = serde_json::from_slice(&answer).unwrap_or_default();
    let is_inner = |name: &&String| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    (names.iter().filter(is_inner).map(|name| root.join(name)).collect(), component)
}

/// Says what was wrong, by how the child ended and by its words.
fn judge(status: ExitStatus, words: &str, job: &ScriptJob) -> anyhow::Result<()> {
    let signal = |signal: Signal| Some(BY_SIGNAL + signal.as_raw());
    let code = status.code();
    if code == Some(0) {
        return Ok(());
    }
    if code == Some(EXIT_LACKING) {
        return Err(LackingTools(words.to_owned()).into());
    }
    if code == Some(prevented::EXIT_CODE) {
        return Err(Prevented(format!("was not built: {words}")).into());
    }
    if code == signal(Signal::XCPU) {
        anyhow::bail!("needs more CPU time to build than compile-cpu-ms: {} ms", job.cpu_ms);
    }
    if code == signal(Signal::XFSZ) {
        anyhow::bail!("becomes larger by building than component-bytes: {}", job.output_bytes);
    }
    let is_full = ["out of memory", "Allocation failed", "Cannot allocate memory", "ENOMEM"];
    if is_full.iter().any(|sign| words.contains(sign)) {
        anyhow::bail!("needs more memory to build than compile-memory-bytes: {}", job.memory_bytes);
    }
    if code == Some(1) && !words.is_empty() {
        anyhow::bail!("{words}");
    }
    let first = words.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    anyhow::bail!("does not build: the build of scripts crashed ({status}): {first}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_names_files_of_its_folder_alone() {
        let answer =
            b"[\"a.ts\",\"lib/b.ts\",\"/etc/passwd\",\"../other/c.ts\",\"lib/../../d.ts\"]\ncomponent".to_vec();
        let root = Path::new("/srv/acme");
        assert_eq!(split(root, answer), (vec![root.join("a.ts"), root.join("lib/b.ts")], b"component".to_vec()));
    }
}
