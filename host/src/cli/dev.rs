//! `parlor dev`: the projects of a folder, built and served with their pages.

use std::collections::BTreeMap;

use super::DevArgs;
use super::build::build;
use super::run::run;
use crate::config::{Config, Overrides};
use crate::model::names::PluginName;

pub(super) fn dev(args: &DevArgs) -> anyhow::Result<()> {
    let config = Config::load(Overrides {
        config: args.serve.config.clone(),
        listen: args.serve.listen,
        plugins: Some(args.out.clone()),
        data: Some(args.serve.data.clone()),
    })?;
    let projects = build(&args.dir, &args.out)?;
    let pages = projects
        .into_iter()
        .filter_map(|project| Some((PluginName::new(&project.name).ok()?, project.folder.join("public"))))
        .filter(|(_, folder)| folder.is_dir())
        .collect::<BTreeMap<_, _>>();
    run(config, Some(pages))
}
