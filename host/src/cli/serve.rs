//! `parlor serve`.

use crate::cli::run::ServerLife;
use crate::config::{Config, Overrides};

pub fn serve(overrides: Overrides) -> anyhow::Result<()> {
    let life = ServerLife::begin()?;
    life.serve(Config::load(overrides)?, None, || Ok(()), |(), _| Ok(()))
}
