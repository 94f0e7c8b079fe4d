//! `parlor dev`: the projects of a folder, built and served with their pages.

use std::collections::BTreeMap;

use super::DevArgs;
use super::build::{Project, build};
use super::run::run;
use crate::config::{Config, Overrides};
use crate::model::names::TenantName;

pub(super) fn dev(args: &DevArgs) -> anyhow::Result<()> {
    let mut config = Config::load(Overrides {
        config: args.serve.config.clone(),
        listen: args.serve.listen,
        plugins: Some(args.out.clone()),
        data: Some(args.serve.data.clone()),
    })?;
    let projects = build(&args.dir, &args.out)?;
    let tenant = config.tenants.entry(TenantName::default_tenant()).or_default();
    let mut pages = BTreeMap::new();
    for Project { name, folder, dev_config } in projects {
        let settings = tenant.plugins.entry(name.clone()).or_default();
        for (key, value) in dev_config {
            // What the operator's file says of a key counts before what the project says.
            settings.config.entry(key).or_insert(value);
        }
        let public = folder.join("public");
        if public.is_dir() {
            pages.insert(name, public);
        }
    }
    run(config, Some(pages))
}
