//! The commands.

mod build;
mod check;
mod child;
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
mod variables;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::config::Overrides;
use crate::folder::scan::is_project;
use crate::plugin::compiler::Job;
use variables::listen_address;

/// Hosts realtime rooms whose logic is WebAssembly components: plugins, in Rust or TypeScript.
#[derive(Debug, Parser)]
#[command(name = "parlor", version, about, after_help = variables::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the plugins of a folder.
    ///
    /// The server loads each component of the folder, and loads it again when its file changes. SIGTERM or Ctrl-C
    /// closes the sockets and ends the server.
    Serve(ServeArgs),
    /// Make a new plugin project with tests, in Rust or TypeScript.
    New(NewArgs),
    /// Build plugin projects and serve them on this machine, again at each save.
    Dev(DevArgs),
    /// Build plugin projects, or a TypeScript file, into components.
    Build(BuildArgs),
    /// Say what a component imports, exports and needs, and whether a tenant could load it.
    ///
    /// This loads the component as the server would, and serves nothing.
    Check(CheckArgs),
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
}

/// Which configuration holds.
#[derive(Debug, Args)]
struct ConfigArgs {
    /// Read the configuration from this file [default: parlor.toml, if there is one].
    #[arg(long, value_name = "FILE", env = "PARLOR_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

/// Where the server listens.
#[derive(Debug, Args)]
struct ListenArgs {
    /// Listen on this address; port 0 picks a free port [default: 127.0.0.1:7070].
    #[arg(long, value_name = "IP:PORT", value_parser = listen_address, env = "PARLOR_LISTEN", hide_env_values = true)]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Serve the components of this folder: NAME.wasm for the tenant `default`, TENANT/NAME.wasm for another
    /// [default: plugins].
    #[arg(long, value_name = "DIR", env = "PARLOR_PLUGINS", hide_env_values = true)]
    plugins: Option<PathBuf>,
    /// Keep what rooms store, and compiled code, in this folder [default: parlor-data].
    #[arg(long, value_name = "DIR", env = "PARLOR_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
    #[command(flatten)]
    listen: ListenArgs,
}

#[derive(Debug, Args)]
struct NewArgs {
    /// The plugin's name: 1 to 63 of a-z, 0-9 and -.
    name: String,
    /// The language to write the plugin in.
    #[arg(long, value_enum)]
    lang: new::PluginLanguage,
    /// The folder to create for the project; it must not exist yet [default: NAME].
    dir: Option<PathBuf>,
}

/// What is built, and where to.
#[derive(Debug, Args)]
struct BuildArgs {
    /// A plugin project, a folder of projects, or one TypeScript file [default: the folder plugins if there is one, else
    /// the project in this folder].
    #[arg(value_name = "DIR|FILE.ts")]
    place: Option<PathBuf>,
    /// Write the components to this folder, as NAME.wasm.
    #[arg(long, value_name = "DIR", default_value = "target/plugins", env = "PARLOR_OUT", hide_env_values = true)]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct DevArgs {
    #[command(flatten)]
    build: BuildArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Keep what rooms store, and compiled code, in this folder.
    #[arg(long, value_name = "DIR", default_value = "target/parlor-data", env = "PARLOR_DATA", hide_env_values = true)]
    data: PathBuf,
    #[command(flatten)]
    listen: ListenArgs,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The component to check, a .wasm file.
    file: PathBuf,
    /// Check against the limits and the allowed imports of this tenant.
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Check it as the plugin of this name [default: the file's name].
    #[arg(long, value_name = "NAME")]
    plugin: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
struct LimitsArgs {
    /// Print the limits of a tenant or of one of its plugins [default: the server's own].
    #[arg(value_name = "TENANT[/PLUGIN]")]
    whose: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Explain what each limit bounds, and why it has this value.
    #[arg(long)]
    why: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Cli {
    /// Reads the command line and the environment. What is wrong with them is printed, and ends the program.
    pub fn from_command_line() -> Self {
        Self::try_parse().unwrap_or_else(|why| variables::named(why).exit())
    }

    /// Runs the command.
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
            Command::CompileComponent { job } => Job::of_argument(&job)?.run(),
        }
    }
}

/// What to build: what the user named, or the default.
fn place(named: Option<&Path>) -> PathBuf {
    let plugins = Path::new("plugins");
    let default = if !plugins.is_dir() && is_project(Path::new(".")) { Path::new(".") } else { plugins };
    named.unwrap_or(default).to_owned()
}

impl From<ServeArgs> for Overrides {
    fn from(args: ServeArgs) -> Self {
        let ServeArgs { config, plugins, data, listen } = args;
        Self { config: config.config, listen: listen.listen, plugins, data }
    }
}

impl ConfigArgs {
    /// The configuration file alone: nothing else is given.
    fn overrides(&self) -> Overrides {
        Overrides { config: self.config.clone(), ..Overrides::default() }
    }
}
