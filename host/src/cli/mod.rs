//! The commands.

mod build;
mod check;
mod data;
mod descriptors;
mod dev;
mod limits;
mod new;
mod print;
mod project;
mod remote;
mod run;
mod sdk;
mod serve;
mod units;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::config::Overrides;
use crate::folder::scan::is_project;
use crate::plugin::compiler::CompileJob;

/// Hosts realtime rooms whose logic is somebody else's WebAssembly component.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the components of a folder.
    Serve(ServeArgs),
    /// Make a new plugin project, in Rust or in TypeScript, with tests.
    New(NewArgs),
    /// Build the plugin projects of a folder and serve them, with their pages, on this machine; again at each save.
    Dev(DevArgs),
    /// Build the plugin projects of a folder, or a file of TypeScript, into components.
    Build(BuildArgs),
    /// Say what a component imports, exports, registers and needs, and whether a tenant could load it. Serves nothing.
    Check(CheckArgs),
    /// Print every bound that holds, and who set it.
    Limits(LimitsArgs),
    /// Print what a running server serves: versions, rooms on each, sockets, what it refused.
    Plugins(remote::PluginsArgs),
    /// Let a running server serve an older version of a plugin again.
    Rollback(remote::RollbackArgs),
    /// Check, count, export, import or delete what a tenant's rooms keep, while no server has it open.
    Data(data::DataArgs),
    /// What the server starts to compile a component.
    #[command(hide = true)]
    CompileComponent { job: String },
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The configuration file [default: parlor.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of components: NAME.wasm is a plugin of the tenant `default`, TENANT/NAME.wasm of another [default:
    /// plugins].
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// Where the server keeps what it makes, compiled code for one [default: parlor-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address to listen on; port 0 picks a free one [default: 127.0.0.1:7070].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct NewArgs {
    /// The plugin's name: 1 to 63 of a-z, 0-9 and -.
    name: String,
    /// The language.
    #[arg(long, value_enum)]
    lang: new::Lang,
    /// The folder to make; there must be none of this name yet [default: NAME].
    dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct DevArgs {
    /// The folder of plugin projects, one project, or one file of TypeScript [default: plugins, where there is such a folder;
    /// else the project here].
    #[arg(value_name = "DIR|FILE.ts")]
    place: Option<PathBuf>,
    /// Where the components go.
    #[arg(long, value_name = "DIR", default_value = "target/plugins")]
    out: PathBuf,
    #[command(flatten)]
    serve: DevServeArgs,
}

#[derive(Debug, Args)]
struct DevServeArgs {
    /// The configuration file [default: parlor.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server keeps what it makes.
    #[arg(long, value_name = "DIR", default_value = "target/parlor-data")]
    data: PathBuf,
    /// The address to listen on; port 0 picks a free one [default: 127.0.0.1:7070].
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct BuildArgs {
    /// The folder of plugin projects, one project, or one file of TypeScript [default: plugins, where there is such a folder;
    /// else the project here].
    #[arg(value_name = "DIR|FILE.ts")]
    place: Option<PathBuf>,
    /// Where the components go.
    #[arg(long, value_name = "DIR", default_value = "target/plugins")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The component.
    file: PathBuf,
    /// The tenant that would load it.
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// The name that it would have [default: the file's].
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    /// The configuration file [default: parlor.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct LimitsArgs {
    /// TENANT or TENANT/PLUGIN; the server's own bounds where it is left out.
    #[arg(value_name = "TENANT[/PLUGIN]")]
    whose: Option<String>,
    /// The configuration file [default: parlor.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also what each bound is for, and why it is this number.
    #[arg(long)]
    why: bool,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// Does what the command line says.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(args) => serve::serve(args.into()),
            Command::New(args) => new::new(&args),
            Command::Dev(args) => dev::dev(&args),
            Command::Build(args) => build::build(&place(args.place.as_deref()), &args.out),
            Command::Check(args) => check::check(&args),
            Command::Limits(args) => limits::limits(&args),
            Command::Plugins(args) => remote::plugins(&args),
            Command::Rollback(args) => remote::rollback(&args),
            Command::Data(args) => data::data(args),
            Command::CompileComponent { job } => CompileJob::of_argument(&job)?.run(),
        }
    }
}

/// What is built where nothing is named.
fn place(named: Option<&Path>) -> PathBuf {
    let plugins = Path::new("plugins");
    let default = if !plugins.is_dir() && is_project(Path::new(".")) { Path::new(".") } else { plugins };
    named.unwrap_or(default).to_owned()
}

impl From<ServeArgs> for Overrides {
    fn from(args: ServeArgs) -> Self {
        let ServeArgs { config, plugins, data, listen } = args;
        Self { config, listen, plugins, data }
    }
}
