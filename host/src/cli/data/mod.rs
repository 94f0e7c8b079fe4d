//! `parlor data`: what tenants' rooms keep, for the operator, while no server holds the file.

mod export;
mod import;
mod line;
mod progress;
mod report;

use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};

use super::print::print;
use crate::config::{Config, Overrides};
use crate::model::names::TenantName;
use crate::storage::durable::inspect::{Inspected, delete};

/// The folder of tenants' files in the folder of data.
const TENANTS: &str = "tenants";

#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check a tenant's file: its pages, its names, and that its counts agree with its entries.
    Check(Whose),
    /// Print what a tenant keeps, and its biggest rooms.
    Stats(StatsArgs),
    /// Write all that a tenant keeps as lines of JSON.
    Export(ExportArgs),
    /// Make a tenant's file of what was exported.
    Import(ImportArgs),
    /// Delete all that a tenant keeps.
    Delete(DeleteArgs),
}

/// Which file is meant.
#[derive(Debug, Args)]
struct Whose {
    /// The tenant.
    tenant: String,
    /// The configuration file [default: parlor.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server keeps what it makes [default: parlor-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct StatsArgs {
    #[command(flatten)]
    whose: Whose,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    whose: Whose,
    /// Where to write to [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ImportArgs {
    #[command(flatten)]
    whose: Whose,
    /// What was exported; - for standard input.
    file: PathBuf,
    /// Replace what the tenant has.
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    #[command(flatten)]
    whose: Whose,
    /// Yes, delete it.
    #[arg(long)]
    yes: bool,
}

/// A tenant, and the folder where its file is.
struct Place {
    tenant: TenantName,
    folder: PathBuf,
}

impl Whose {
    fn place(self) -> anyhow::Result<Place> {
        let tenant = TenantName::new(&self.tenant).with_context(|| format!("{:?}", self.tenant))?;
        let config = Config::load(Overrides { config: self.config, data: self.data, ..Overrides::default() })?;
        Ok(Place { tenant, folder: config.data.join(TENANTS) })
    }
}

impl Place {
    fn open(&self) -> anyhow::Result<Inspected> {
        let Self { tenant, folder } = self;
        let file = Inspected::open(folder, tenant)?;
        file.with_context(|| format!("the tenant {tenant} keeps nothing: it has no file in {}", folder.display()))
    }
}

pub(super) fn data(args: DataArgs) -> anyhow::Result<()> {
    match args.action {
        Action::Check(whose) => report::check(&whose.place()?),
        Action::Stats(StatsArgs { whose, json }) => report::stats(&whose.place()?, json),
        Action::Export(ExportArgs { whose, out }) => export::export(&whose.place()?, out.as_deref()),
        Action::Import(ImportArgs { whose, file, replace }) => import::import(&whose.place()?, &file, replace),
        Action::Delete(DeleteArgs { whose, yes }) => {
            let Place { tenant, folder } = whose.place()?;
            ensure!(yes, "this deletes all that the rooms of the tenant {tenant} keep; say --yes to do it");
            if !delete(&folder, &tenant)? {
                bail!("the tenant {tenant} keeps nothing: it has no file in {}", folder.display());
            }
            print(&format!("deleted what the tenant {tenant} kept\n"))
        }
    }
}
