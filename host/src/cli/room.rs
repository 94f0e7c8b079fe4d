//! `parlor room`: a component's room in this process, driven by lines of JSON on standard input.

use std::collections::BTreeMap;
use std::io::{BufRead, ErrorKind, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::arguments::{ComponentArgs, pair};
use super::check::refuse_source;
use super::run::THIS_PROGRAM;
use super::sdk;
use crate::config::Config;
use crate::harness::{HEARD, Harness, HarnessOptions, StepAnswer, parse, without_rates};
use crate::logs;
use crate::tenant::log_gate::GUEST_TARGET;

/// The longest line of the input, its end included.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// What a room in this process is made with.
#[derive(Debug, Args)]
pub struct HarnessArgs {
    #[command(flatten)]
    pub component: ComponentArgs,
    /// Where all randomness begins: the same seed and steps give the same answers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Set a key of the plugin's configuration; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Keep compiled code in this folder [default: parlor in $XDG_CACHE_HOME, else in ~/.cache].
    #[arg(long, value_name = "DIR", env = "PARLOR_CACHE", hide_env_values = true)]
    pub cache: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RoomArgs {
    #[command(flatten)]
    pub harness: HarnessArgs,
    /// Read steps from standard input, one JSON value a line, and write one answer a line on standard output.
    #[arg(long, required = true)]
    pub stdio: bool,
    /// The second version, which the steps `swap` and `swap-fails` deploy.
    #[arg(long, value_name = "FILE")]
    pub second: Option<PathBuf>,
}

/// Has the harness told of what the plugin logs and of the turns that fail. Standard error has lines from this level on, where the
/// environment says nothing.
pub(super) fn log(shown: LevelFilter) -> Result<(), String> {
    let observed =
        Targets::new().with_target(GUEST_TARGET, LevelFilter::DEBUG).with_target("parlor", LevelFilter::WARN);
    logs::log_to_stderr_and(observed, shown, |event| HEARD.note(event))
}

pub(super) fn room(args: RoomArgs) -> anyhow::Result<()> {
    let second = args.second;
    let options = args.harness.options().map(|options| HarnessOptions { second, ..options });
    let harness = options.and_then(Harness::start);
    let mut harness = match harness {
        Ok(harness) => harness,
        Err(why) => return Err(told(why)),
    };
    match drive(&mut harness, std::io::stdin().lock()) {
        Ok(0) => Ok(()),
        Ok(errors) => bail!("{errors} steps had an error"),
        Err(why) => Err(told(why)),
    }
}

/// Tells whoever reads the answers as well why nothing can go on.
fn told(why: anyhow::Error) -> anyhow::Error {
    // Where nobody reads the answers, standard error has it all the same.
    let _ = write(&StepAnswer::last(&format!("{why:#}")));
    why
}

impl HarnessArgs {
    pub(super) fn options(self) -> anyhow::Result<HarnessOptions> {
        let component = self.component;
        refuse_source(&component.file)?;
        // Cargo writes a package's name so.
        let key = component.key(|file| file.replace('_', "-"))?;
        let config = Config::load(component.config.overrides())?;
        let cache = self.cache.map_or_else(sdk::cache, Ok).context("say --cache DIR")?;
        std::fs::create_dir_all(&cache).with_context(|| format!("cannot make the folder {}", cache.display()))?;
        Ok(HarnessOptions {
            config: without_rates(config).map_err(anyhow::Error::msg)?,
            values: BTreeMap::from_iter(self.set),
            key,
            seed: self.seed,
            first: component.file,
            second: None,
            cache,
            tapes: None,
            program: THIS_PROGRAM.into(),
        })
    }
}

/// Does one step a line, to the last; answers how many had an error.
fn drive(harness: &mut Harness, mut input: impl BufRead) -> anyhow::Result<u64> {
    let (mut steps, mut errors) = (0, 0);
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.context("cannot read standard input")?;
        ensure!(
            (read as u64) < LINE_BYTES_MAX || line.ends_with(b"\n"),
            "step {} is a line of more than {LINE_BYTES_MAX} bytes",
            steps + 1
        );
        if read == 0 {
            return Ok(errors);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        steps += 1;
        let (verb, step) = parse(&line);
        let (result, goes_on) = match step {
            Ok(step) => harness.step(step),
            Err(why) => (Err(why), true),
        };
        let answer = StepAnswer::new(steps, verb, result);
        errors += u64::from(answer.is_error());
        write(&answer)?;
        if !goes_on {
            return Ok(errors);
        }
    }
}

/// Writes an answer at once: whoever wrote the step waits for it.
fn write(answer: &StepAnswer) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(format!("{}\n", answer.line()).as_bytes()).and_then(|()| out.flush());
    match written {
        Err(why) if why.kind() == ErrorKind::BrokenPipe => bail!("nobody reads the answers any more"),
        written => written.context("cannot write to standard output"),
    }
}
