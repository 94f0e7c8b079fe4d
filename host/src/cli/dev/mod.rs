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
use super::run::ServerLife;
use crate::config::{Config, Overrides};
use crate::server::dev::DevProjects;

pub(super) fn dev(args: DevArgs) -> anyhow::Result<()> {
    let life = ServerLife::begin()?;
    let place = args.build.place();
    let DevArgs { build, config, data, listen } = args;
    let out = build.out;
    let config = Config::load(Overrides {
        listen: listen.listen,
        plugins: Some(out.clone()),
        data: Some(data),
        ..config.overrides()
    })?;
    let dev = Arc::new(DevProjects::default());
    let mut projects = DevBuilds::new(&place, Arc::clone(&dev));
    let (means, poll) = (config.watch, config.watch_poll);
    let build = move || {
        projects.find()?;
        std::fs::create_dir_all(&out).with_context(|| format!("cannot make the folder {}", out.display()))?;
        // A project that does not build keeps no other from being served; it is built again when it changes.
        projects.build(None, &mut |project, component| {
            project.install(&component, &out).map(|()| true).map_err(|why| format!("{why:#}"))
        });
        Ok(projects)
    };
    life.serve(config, Some(dev), build, |projects, deploys| {
        RebuildThread::start(projects, Arc::clone(deploys), means, poll)
    })
}
