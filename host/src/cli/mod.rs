//! The commands.

mod arguments;
mod build;
mod build_script;
mod check;
mod child;
mod cost;
mod data;
mod data_lock;
mod descriptors;
mod dev;
mod limits;
mod new;
mod print;
mod project;
mod remote;
mod replay;
mod rerun;
mod room;
mod run;
mod sdk;
mod serve;
mod signals;
mod simulate;
mod systemd;
mod units;
mod variables;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use tracing_subscriber::filter::LevelFilter;

use crate::logs;
use crate::plugin::compiler::{CompileJob, ScriptJob};
use arguments::{BuildCommandArgs, ComponentArgs, DevArgs, LimitsArgs, NewArgs, ServeArgs};

/// Hosts realtime rooms whose logic is WebAssembly components: plugins, in any language.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, after_help = variables::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the plugins of a folder.
    ///
    /// The server loads each component of the folder, and loads it again when its file changes. SIGTERM, SIGHUP or
    /// Ctrl-C closes the sockets and ends the server.
    Serve(ServeArgs),
    /// Make a new plugin project with tests, in Rust, TypeScript, C, Go or Python.
    New(NewArgs),
    /// Build plugin projects and serve them on this machine, again at each save.
    Dev(DevArgs),
    /// Build plugin projects, or a TypeScript file, into components.
    Build(BuildCommandArgs),
    /// Say what a component imports, exports and needs, and whether a tenant could load it.
    ///
    /// This loads the component as the server would, and serves nothing.
    Check(ComponentArgs),
    /// Run a component's room in this process, driven line by line: the harness for tests in any language.
    ///
    /// It is the server's own room, with sockets in memory, a clock that stands still between two steps and randomness from
    /// a seed. docs/authors/harness.md says what the lines are.
    Room(room::RoomArgs),
    /// Live a room's taped life again: the same outcome, or the first call that differs.
    ///
    /// `parlor dev` writes a tape of each turn that fails. The room's instance is made again and gets the tape's answers;
    /// nothing else is run. Where it does not do what was recorded, the command fails.
    Replay(replay::ReplayArgs),
    /// Let users, crashes, failing disks and time happen to a component's room, in an order that a seed gives.
    ///
    /// It fails at the first trap, deadline, failed $restore or $resume, or where the plugin's own $check says so, and leaves the
    /// shortest list of steps that it found and a tape of it. The same seed finds the same again. docs/authors/simulate.md
    /// says what happens to the room.
    Simulate(simulate::SimulateArgs),
    /// Print every limit, its value and where that was set.
    Limits(LimitsArgs),
    /// List the plugins of a running server: versions, rooms, sockets, and what it refused.
    Plugins(remote::PluginsArgs),
    /// Make a running server serve an older version of a plugin again.
    Rollback(remote::RollbackArgs),
    /// Check, count, export, import or delete what a tenant's rooms store.
    ///
    /// No server may have the tenant's file open meanwhile.
    Data(data::DataArgs),
    /// Compile a component in a child process of the server.
    #[command(hide = true)]
    CompileComponent { job: String },
    /// Build a tenant's script in a child process of the server.
    #[command(hide = true)]
    BuildScript { job: String },
}

impl Cli {
    /// Reads the command line and the environment. What is wrong with them is printed, and ends the program.
    pub fn from_command_line() -> Self {
        Self::try_parse().unwrap_or_else(|why| variables::named(why, Self::command()).exit())
    }

    /// Runs the command, and says why it failed. This is the one place where an error's chain is printed.
    pub fn run(self) -> ExitCode {
        let logged = match &self.command {
            Command::Room(_) => room::log(LevelFilter::ERROR),
            // Disks that fail and instances that are lost are its own doing.
            Command::Simulate(_) => room::log(LevelFilter::OFF),
            _ => logs::log_to_stderr(),
        };
        let done = logged.and_then(|()| self.run_command().map_err(|why| format!("{why:#}")));
        if let Err(why) = &done {
            logs::STDERR.line(&format!("parlor: {why}"));
        }
        logs::flush();
        if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn run_command(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(args) => serve::serve(args.into()),
            Command::New(args) => new::new(&args),
            Command::Dev(args) => dev::dev(args),
            Command::Build(args) => build::build(&args),
            Command::Check(args) => check::check(&args),
            Command::Room(args) => room::room(args),
            Command::Replay(args) => replay::replay(args),
            Command::Simulate(args) => simulate::simulate(args),
            Command::Limits(args) => limits::limits(&args),
            Command::Plugins(args) => remote::plugins(&args),
            Command::Rollback(args) => remote::rollback(&args),
            Command::Data(args) => data::data(args),
            Command::CompileComponent { job } => CompileJob::of_argument(&job)?.run(),
            Command::BuildScript { job } => build_script::run(&ScriptJob::of_argument(&job)?),
        }
    }
}
