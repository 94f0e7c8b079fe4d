//! Which tenant's file a command is about.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::cli::arguments::ConfigArgs;
use crate::config::{Config, Overrides};
use crate::model::names::TenantName;
use crate::storage::durable::inspect::Inspected;

/// The folder of tenants' files in the folder of data.
const TENANTS: &str = "tenants";

/// Which tenant's file to use.
#[derive(Debug, Args)]
pub struct TenantArgs {
    /// The tenant's name.
    tenant: String,
    #[command(flatten)]
    config: ConfigArgs,
    /// The folder in which the server keeps what rooms store [default: parlor-data].
    #[arg(long, value_name = "DIR", env = "PARLOR_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
}

/// A tenant, and the folder where its file is.
pub struct TenantPlace {
    pub tenant: TenantName,
    pub folder: PathBuf,
}

impl TenantArgs {
    pub fn place(self) -> anyhow::Result<TenantPlace> {
        let tenant = TenantName::new(&self.tenant).with_context(|| format!("{:?}", self.tenant))?;
        let config = Config::load(Overrides { data: self.data, ..self.config.overrides() })?;
        Ok(TenantPlace { tenant, folder: config.data.join(TENANTS) })
    }
}

impl TenantPlace {
    pub fn open(&self) -> anyhow::Result<Inspected> {
        let Self { tenant, folder } = self;
        let file = Inspected::open(folder, tenant)?;
        file.with_context(|| format!("the tenant {tenant} keeps nothing: it has no file in {}", folder.display()))
    }
}
