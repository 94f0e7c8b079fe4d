//! `parlor dev`: the projects of a folder, built and served with their pages, and again at each save.

mod compile;
mod follow;
mod rebuild;
mod sources;

use std::sync::Arc;

use anyhow::Context as _;

use self::follow::Following;
use self::rebuild::Projects;
use super::run::run;
use super::{DevArgs, place};
use crate::config::{Config, Overrides};
use crate::server::dev::Dev;

pub(super) fn dev(args: &DevArgs) -> anyhow::Result<()> {
    let config = Config::load(Overrides {
        config: args.serve.config.clone(),
        listen: args.serve.listen,
        plugins: Some(args.out.clone()),
        data: Some(args.serve.data.clone()),
    })?;
    let dev = Arc::new(Dev::default());
    let mut projects = Projects::new(&place(args.place.as_deref()), Arc::clone(&dev));
    projects.find()?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    // What does not build keeps nothing else from being served, and is built when it is mended.
    projects.build(None, &mut |project, component| {
        project.install(&component, &args.out).map(|()| true).map_err(|why| format!("{why:#}"))
    });
    run(config, Some(dev), |server| Following::start(projects, server))
}
