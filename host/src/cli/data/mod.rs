//! `parlor data`: what the rooms of a tenant store, for the operator, while no server has the file open.

mod export;
mod import;
mod line;
mod place;
mod progress;
mod report;

use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::{Args, Subcommand};

use super::print::print;
use crate::storage::durable::inspect::delete;
use place::{TenantArgs, TenantPlace};

#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Check that a tenant's file is whole, and that its counts agree with its entries.
    Check(TenantArgs),
    /// Print how much a tenant stores, and its biggest rooms.
    Stats(StatsArgs),
    /// Write all that a tenant stores as lines of JSON.
    Export(ExportArgs),
    /// Read an export, and store it for a tenant.
    Import(ImportArgs),
    /// Delete all that a tenant stores.
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
struct StatsArgs {
    #[command(flatten)]
    whose: TenantArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ExportArgs {
    #[command(flatten)]
    whose: TenantArgs,
    /// Write to this file, which only you can read [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ImportArgs {
    #[command(flatten)]
    whose: TenantArgs,
    /// The export to read; - for standard input.
    file: PathBuf,
    /// Replace what the tenant stores now.
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    #[command(flatten)]
    whose: TenantArgs,
    /// Do delete it: nothing is deleted without this.
    #[arg(long)]
    yes: bool,
}

pub(super) fn data(args: DataArgs) -> anyhow::Result<()> {
    match args.command {
        DataCommand::Check(whose) => report::check(&whose.place()?),
        DataCommand::Stats(StatsArgs { whose, json }) => report::stats(&whose.place()?, json),
        DataCommand::Export(ExportArgs { whose, out }) => export::export(&whose.place()?, out.as_deref()),
        DataCommand::Import(ImportArgs { whose, file, replace }) => import::import(&whose.place()?, &file, replace),
        DataCommand::Delete(DeleteArgs { whose, yes }) => {
            let TenantPlace { tenant, folder } = whose.place()?;
            ensure!(yes, "this deletes all that the rooms of the tenant {tenant} keep; say --yes to do it");
            if !delete(&folder, &tenant)? {
                bail!("the tenant {tenant} keeps nothing: it has no file in {}", folder.display());
            }
            print(&format!("deleted what the tenant {tenant} kept\n"))
        }
    }
}
