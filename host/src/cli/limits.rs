//! `parlor limits`: every bound that holds for the server, a tenant or a plugin, and who set it.

use anyhow::Context as _;
use serde::Serialize;

use super::LimitsArgs;
use super::print::{print, wrapped};
use super::units::in_unit_of;
use crate::config::{Config, Overrides};
use crate::model::limits::{Layers, Limit};
use crate::model::names::{PluginName, TenantName};
use crate::tenant::Tenants;

/// A bound for programs.
#[derive(Serialize)]
struct Row<'a> {
    key: &'static str,
    value: u64,
    scope: &'static str,
    source: &'a str,
    why: &'static str,
}

pub(super) fn limits(args: &LimitsArgs) -> anyhow::Result<()> {
    let config = Config::load(Overrides { config: args.config.clone(), ..Overrides::default() })?;
    let tenants = Tenants::new(config.tenants.clone(), config.limits.clone(), 0);
    let layers = match &args.whose {
        Some(whose) => of_tenant(&tenants, whose)?,
        None => config.limits.clone(),
    };
    let all = layers.limits().all();
    if args.json {
        let rows: Vec<Row<'_>> = all.iter().map(|limit| for_programs(limit, &layers)).collect();
        return print(&format!("{}\n", serde_json::to_string_pretty(&rows).context("a table")?));
    }
    let mut table = format!("{:<32} {:>12}  {:<7} SOURCE\n", "KEY", "VALUE", "SCOPE");
    for limit in &all {
        let (value, source) = (in_unit_of(limit.key, limit.value), layers.source(limit.key));
        table.push_str(&format!("{:<32} {value:>12}  {:<7} {source}\n", limit.key, limit.scope.as_str()));
        if args.why {
            table.push_str(&wrapped(limit.why, "    "));
        }
    }
    print(&table)
}

/// `TENANT` or `TENANT/PLUGIN`.
fn of_tenant(tenants: &Tenants, whose: &str) -> anyhow::Result<Layers> {
    let (tenant, plugin) = whose.split_once('/').map_or((whose, None), |(tenant, plugin)| (tenant, Some(plugin)));
    let tenant = TenantName::new(tenant)?;
    let plugin = plugin.map(PluginName::new).transpose()?;
    if !tenants.named().contains_key(&tenant) {
        eprintln!("nothing is said of the tenant {tenant}; these would hold for it");
    }
    Ok(tenants.layers(&tenant, plugin.as_ref()).clone())
}

fn for_programs<'a>(limit: &Limit, layers: &'a Layers) -> Row<'a> {
    let Limit { key, scope, value, why, .. } = *limit;
    Row { key, value, scope: scope.as_str(), source: layers.source(key), why }
}
