//! The program: arguments, logging, and the one place where an error's chain is printed.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use parlor::logs;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

/// Small things are allocated and freed at every turn: about 8 per cent less CPU a message than with glibc's allocator,
/// measured in interleaved runs of the load program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The environment variable that says what is logged: a level, or levels by module.
const FILTER_VARIABLE: &str = "PARLOR_LOG";
/// The environment variable that says how the log is written: `text`, or `json` with one object a line.
const FORMAT_VARIABLE: &str = "PARLOR_LOG_FORMAT";

fn main() -> ExitCode {
    let cli = parlor::cli::Cli::from_command_line();
    let code = match log_to_stderr().and_then(|()| cli.run().map_err(|why| format!("{why:#}"))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            logs::STDERR.line(&format!("parlor: {why}"));
            ExitCode::FAILURE
        }
    };
    logs::flush();
    code
}

/// Writes what the program logs to standard error, as the environment says.
fn log_to_stderr() -> Result<(), String> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let filter = match variable(FILTER_VARIABLE) {
        Some(text) => text.parse::<Targets>().map_err(|why| {
            let levels = "a level (error, warn, info, debug, trace, off), or levels by module as in warn,parlor=debug";
            format!("{FILTER_VARIABLE} must be {levels}, not {text:?}: {why}")
        })?,
        None => Targets::new().with_default(LevelFilter::INFO),
    };
    // The layer would write of a line that it cannot write, to the same place.
    let log = fmt::layer().with_writer(logs::LogWriter).log_internal_errors(false);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    match variable(FORMAT_VARIABLE).as_deref() {
        Some("json") => registry().with(filter).with(log.json().flatten_event(true)).init(),
        Some("text") | None => registry().with(filter).with(log).init(),
        Some(other) => return Err(format!("{FORMAT_VARIABLE} must be text or json, not {other:?}")),
    }
    Ok(())
}
