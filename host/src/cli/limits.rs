//! `parlor limits`: every limit of the server, a tenant or a plugin, and where it was set.

use serde::Serialize;

use super::arguments::LimitsArgs;
use super::print::{note, print, print_json, wrapped};
use super::units::in_unit_of;
use crate::config::Config;
use crate::model::limits::{Layers, Limit};
use crate::model::names::{PluginName, TenantName};
use crate::tenant::Tenants;

/// A limit as `--json` prints it.
#[derive(Serialize)]
struct LimitRow<'a> {
    key: &'static str,
    value: u64,
    scope: &'static str,
    source: &'a str,
    why: &'static str,
}

pub(super) fn limits(args: &LimitsArgs) -> anyhow::Result<()> {
    let config = Config::load(args.config.overrides())?;
    let tenants = Tenants::new(config.tenants.clone(), config.limits.clone(), 0);
    let layers = match &args.whose {
        Some(whose) => of_tenant(&tenants, whose)?,
        None => config.limits.clone(),
    };
    let all = layers.limits().all();
    if args.json {
        let rows: Vec<LimitRow<'_>> = all.iter().map(|limit| for_programs(limit, &layers)).collect();
        return print_json(&rows);
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
        note(&format!("the configuration does not name the tenant {tenant}; it would have these limits"));
    }
    Ok(tenants.layers(&tenant, plugin.as_ref()).clone())
}

fn for_programs<'a>(limit: &Limit, layers: &'a Layers) -> LimitRow<'a> {
    let Limit { key, scope, value, why, .. } = *limit;
    LimitRow { key, value, scope: scope.as_str(), source: layers.source(key), why }
}
