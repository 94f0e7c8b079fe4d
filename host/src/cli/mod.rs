//! The commands.

mod build;
mod descriptors;
mod dev;
mod run;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Overrides;

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
    /// Build the plugin projects of a folder and serve them, with their pages, on this machine.
    Dev(DevArgs),
    /// Build the plugin projects of a folder into components.
    Build(BuildArgs),
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
struct DevArgs {
    /// The folder of plugin projects, or one project.
    #[arg(default_value = "plugins")]
    dir: PathBuf,
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
    /// The folder of plugin projects, or one project.
    #[arg(default_value = "plugins")]
    dir: PathBuf,
    /// Where the components go.
    #[arg(long, value_name = "DIR", default_value = "target/plugins")]
    out: PathBuf,
}

impl Cli {
    /// Does what the command line says.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(args) => serve::serve(args.into()),
            Command::Dev(args) => dev::dev(&args),
            Command::Build(args) => build::build(&args.dir, &args.out).map(|_| ()),
        }
    }
}

impl From<ServeArgs> for Overrides {
    fn from(args: ServeArgs) -> Self {
        let ServeArgs { config, plugins, data, listen } = args;
        Self { config, listen, plugins, data }
    }
}
