//! `parlor dev`: builds the projects of a folder and serves them with their pages, again at each save.

mod compile;
mod follow;
mod rebuild;
mod sources;

use std::sync::Arc;

use anyhow::Context as _;

use self::follow::RebuildThread;
use self::rebuild::DevBuilds;
use super::arguments::DevArgs;
use super::run::run;
use crate::config::{Config, Overrides};
use crate::server::dev::DevProjects;

pub(super) fn dev(args: &DevArgs) -> anyhow::Result<()> {
    let out = &args.build.out;
    let config = Config::load(Overrides {
        listen: args.listen.listen,
        plugins: Some(out.clone()),
        data: Some(args.data.clone()),
        ..args.config.overrides()
    })?;
    let dev = Arc::new(DevProjects::default());
    let mut projects = DevBuilds::new(&args.build.place(), Arc::clone(&dev));
    projects.find()?;
    std::fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    // A project that does not build keeps no other from being served; it is built again when it changes.
    projects.build(None, &mut |project, component| {
        project.install(&component, out).map(|()| true).map_err(|why| format!("{why:#}"))
    });
    let (means, poll) = (config.watch, config.watch_poll);
    run(&config, Some(dev), |deploys| RebuildThread::start(projects, Arc::clone(deploys), means, poll))
}
