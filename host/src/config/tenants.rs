//! What is configured for tenants: in tables of the server's file, and in files of their own, one for each tenant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::file::{PluginTable, TenantTable};
use super::tokens;
use super::toml_file;
use crate::model::limits::{Layers, LimitsTable, Scope, Source};
use crate::model::names::{PluginName, TenantName};
use crate::model::web::{HostName, PageOrigin, is_token};
use crate::tenant::{Imports, PluginSettings, TenantSettings};

/// The folder of tenants' files, unless the operator names another.
const DEFAULT_TENANTS: &str = "tenants";

/// All tenants of the configuration. `folder` holds their own files; where none is named, the default one need not exist.
pub fn all(
    tables: BTreeMap<String, TenantTable>,
    source: &Source,
    folder: Option<&Path>,
    host: &Layers,
) -> anyhow::Result<BTreeMap<TenantName, TenantSettings>> {
    let mut told: Vec<(String, TenantTable, Source)> =
        tables.into_iter().map(|(name, table)| (name, table, source.clone())).collect();
    for path in files(folder)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(
            !told.iter().any(|(other, ..)| *other == name),
            "{} configures the tenant {name}, which [tenants.{name}] configures already",
            path.display()
        );
        let table = toml_file::read(&path)?;
        told.push((name, table, Source(path.display().to_string())));
    }
    let mut tenants = BTreeMap::new();
    let mut hosts: BTreeMap<HostName, String> = BTreeMap::new();
    for (name, table, source) in told {
        let tenant = TenantName::new(&name).with_context(|| format!("tenants.{name}"))?;
        let settings = settings(&tenant, table, &source, host).with_context(|| source.0.clone())?;
        for host in &settings.hosts {
            if let Some(other) = hosts.insert(host.clone(), name.clone()) {
                bail!("tenants.{name}.hosts: {} is a host name of the tenant {other} already", host.as_str());
            }
        }
        tenants.insert(tenant, settings);
    }
    Ok(tenants)
}

/// The tenants' own files: `NAME.toml` each.
fn files(folder: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
    let default = Path::new(DEFAULT_TENANTS);
    let folder = match folder {
        Some(folder) => folder,
        None if default.is_dir() => default,
        None => return Ok(Vec::new()),
    };
    let unreadable = || format!("tenant-files: cannot read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn settings(tenant: &TenantName, table: TenantTable, source: &Source, host: &Layers) -> anyhow::Result<TenantSettings> {
    let token = tokens::tenant(tenant, &table)?;
    let imports = match &table.imports {
        Some(names) => Imports::only(names).map_err(|why| anyhow::anyhow!("tenants.{tenant}.imports: {why}"))?,
        None => Imports::default(),
    };
    let mut limits = host.clone();
    let lay = |layers: &mut Layers, table: &LimitsTable, scope, place: &str| {
        let source = Source(format!("{}, {place}", source.0));
        layers.lay(table, scope, &source).map_err(|why| anyhow::anyhow!("{place}: {why}"))
    };
    lay(&mut limits, &table.limits, Scope::Tenant, &format!("tenants.{tenant}"))?;
    let mut plugins = BTreeMap::new();
    for (name, PluginTable { config, client_channels, durability, subprotocols, record, limits: own }) in table.plugins
    {
        let place = format!("tenants.{tenant}.plugins.{name}");
        let plugin = PluginName::new(&name).with_context(|| place.clone())?;
        let mut limits = limits.clone();
        lay(&mut limits, &own, Scope::Plugin, &place)?;
        check_subprotocols(&subprotocols).map_err(|why| anyhow::anyhow!("{place}.subprotocols: {why}"))?;
        plugins.insert(plugin, PluginSettings { config, client_channels, durability, subprotocols, record, limits });
    }
    let hosts = each(tenant, "hosts", &table.hosts, HostName::configured)?;
    let origins = each(tenant, "origins", &table.origins, PageOrigin::configured)?;
    let socket_io_default = table.socket_io_default.as_deref().map(PluginName::new).transpose();
    let socket_io_default = socket_io_default.with_context(|| format!("tenants.{tenant}.socket-io-default"))?;
    let (scripts, socket_io) = (table.scripts, table.socket_io.unwrap_or(true));
    Ok(TenantSettings { hosts, origins, token, imports, scripts, socket_io, socket_io_default, limits, plugins })
}

/// Reads each value of a tenant's list.
fn each<T>(
    tenant: &TenantName,
    key: &str,
    list: &[String],
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<Vec<T>> {
    let wrong = |why| anyhow::anyhow!("tenants.{tenant}.{key}: {why}");
    list.iter().map(|text| read(text).map_err(wrong)).collect()
}

/// Refuses what no client can offer: a subprotocol's name is a token (RFC 9110, 5.6.2).
fn check_subprotocols(names: &[String]) -> Result<(), String> {
    match names.iter().find(|name| !is_token(name)) {
        Some(bad) => Err(format!("{bad:?} is no subprotocol's name: write letters, digits and any of !#$%&'*+-.^_`|~")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<BTreeMap<TenantName, TenantSettings>> {
        let file: crate::config::file::ConfigFile = toml::from_str(text)?;
        all(file.tenants, &Source("parlor.toml".into()), None, &Layers::default())
    }

    #[test]
    fn every_error_names_its_key() {
        for (text, words) in [
            ("[tenants.Acme]", "tenants.Acme"),
            ("[tenants.a]\nhosts=[\"X\"]\n[tenants.b]\nhosts=[\"x\"]", "tenants.b.hosts"),
            ("[tenants.a.limits]\nframe-bytes = 0", "tenants.a: limits.frame-bytes"),
            ("[tenants.a.plugins.p.limits]\ndrain-ms = 1", "tenants.a.plugins.p: limits.drain-ms"),
            ("[tenants.a]\ntoken = \"short\"", "tenants.a.token"),
            ("[tenants.a]\nhosts=[\"a.example\"]\n[tenants.b]\nhosts=[\"A.example.\"]", "tenants.b.hosts"),
            ("[tenants.a]\nhosts=[\"https://a.example\"]", "tenants.a.hosts: \"https://a.example\" has a scheme"),
            ("[tenants.a]\norigins=[\"a.example\"]", "tenants.a.origins: \"a.example\" has no scheme"),
            ("[tenants.a.plugins.p]\nsubprotocols=[\"a b\"]", "tenants.a.plugins.p.subprotocols: \"a b\""),
            ("[tenants.a]\nimports = [\"novel:host/thing\"]", "tenants.a.imports"),
        ] {
            let why = format!("{:#}", parse(text).unwrap_err());
            assert!(why.contains(words), "{words}: {why}");
        }
    }

    #[test]
    fn a_plugin_takes_over_what_its_tenant_says() {
        let tenants =
            parse("[tenants.a.limits]\nframe-bytes = 9\n[tenants.a.plugins.p.limits]\nbad-frames = 1").unwrap();
        let tenant = &tenants[&TenantName::new("a").unwrap()];
        let plugin = &tenant.plugins[&PluginName::new("p").unwrap()];
        assert_eq!((plugin.limits.limits().frame_bytes, plugin.limits.limits().bad_frames), (9, 1));
        assert_eq!(plugin.limits.source("frame-bytes"), "parlor.toml, tenants.a");
        assert_eq!(tenant.limits.source("bad-frames"), "default");
    }
}
