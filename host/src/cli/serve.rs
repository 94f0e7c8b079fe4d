//! `parlor serve`.

use crate::cli::run::run;
use crate::config::{Config, Overrides};

pub fn serve(overrides: Overrides) -> anyhow::Result<()> {
    run(&Config::load(overrides)?, None, |_| Ok(()))
}
