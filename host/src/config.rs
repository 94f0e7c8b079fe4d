//! What the operator says: flags before the environment, the environment before the file, the file before defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use ipnet::IpNet;
use serde::Deserialize;

use crate::model::limits::Limits;
use crate::model::names::{PluginName, TenantName};
use crate::tenant::{PluginSettings, TenantSettings};

/// The configuration file that is read where no other is named.
pub const DEFAULT_FILE: &str = "parlor.toml";
/// The environment variable of the operator's token.
pub const TOKEN_VARIABLE: &str = "PARLOR_OPERATOR_TOKEN";
/// The shortest token that is taken: 128 bits in base 64 have 22 characters.
const TOKEN_CHARS_MIN: usize = 16;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

/// Everything that is set, with defaults filled in.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// The folder of plugins.
    pub plugins: PathBuf,
    /// Where the server keeps what it makes: compiled code, later the rooms' storage.
    pub data: PathBuf,
    /// Threads for rooms and sockets.
    pub threads: usize,
    pub operator_token: Option<Secret>,
    /// Proxies whose `Forwarded` and `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    pub limits: Limits,
    pub tenants: BTreeMap<TenantName, TenantSettings>,
}

/// What flags say.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub config: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub plugins: Option<PathBuf>,
    pub data: Option<PathBuf>,
}

/// The file, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    listen: Option<SocketAddr>,
    plugins: Option<PathBuf>,
    data: Option<PathBuf>,
    threads: Option<usize>,
    operator_token: Option<String>,
    operator_token_file: Option<PathBuf>,
    trusted_proxies: Vec<String>,
    limits: Limits,
    tenants: BTreeMap<String, TenantTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct TenantTable {
    hosts: Vec<String>,
    origins: Vec<String>,
    plugins: BTreeMap<String, PluginTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct PluginTable {
    config: BTreeMap<String, String>,
    client_channels: bool,
}

impl Config {
    /// Reads the file and lays flags and environment over it. Every error names its key.
    pub fn load(overrides: Overrides) -> anyhow::Result<Self> {
        let file = match &overrides.config {
            Some(path) => read_file(path)?,
            None if Path::new(DEFAULT_FILE).is_file() => read_file(Path::new(DEFAULT_FILE))?,
            None => File::default(),
        };
        let token = operator_token(&file)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = file.threads.unwrap_or(cores);
        ensure!((1..=256).contains(&threads), "threads must be 1 to 256, not {threads}");
        check_limits(&file.limits)?;
        Ok(Self {
            listen: overrides.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7070))),
            plugins: overrides.plugins.or(file.plugins).unwrap_or_else(|| "plugins".into()),
            data: overrides.data.or(file.data).unwrap_or_else(|| "parlor-data".into()),
            threads,
            operator_token: token,
            trusted_proxies: file.trusted_proxies.iter().map(|text| proxy(text)).collect::<anyhow::Result<_>>()?,
            limits: file.limits,
            tenants: tenants(file.tenants)?,
        })
    }
}

fn read_file(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text)
        .map_err(|why| anyhow::anyhow!("{}{}: {}", path.display(), place(&text, &why), without_value(why.message())))
}

/// What is wrong with a value, without the value itself: it may be a secret that only lacks its quotes.
fn without_value(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((wrong, expected)) if wrong.starts_with("invalid ") => {
            let kind = wrong.split(['`', '"']).next().unwrap_or_default();
            format!("{}, expected {expected}", kind.trim_end())
        }
        _ => message.to_owned(),
    }
}

/// Where a configuration is wrong: the line and its key.
fn place(text: &str, why: &toml::de::Error) -> String {
    let Some(before) = why.span().and_then(|span| text.get(..span.start)) else { return String::new() };
    let line = before.matches('\n').count();
    let key = text.lines().nth(line).and_then(|line| line.split('=').next()).unwrap_or_default();
    format!(", line {}, {}", line + 1, key.trim())
}

/// The environment, else a file of its own, else the configuration itself.
fn operator_token(file: &File) -> anyhow::Result<Option<Secret>> {
    let (token, key) = if let Some(token) = std::env::var_os(TOKEN_VARIABLE) {
        let token = token.into_string().ok().with_context(|| format!("{TOKEN_VARIABLE} is not UTF-8"))?;
        (token, TOKEN_VARIABLE)
    } else if let Some(path) = &file.operator_token_file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("operator-token-file: cannot read {}", path.display()))?;
        (text.trim().to_owned(), "operator-token-file")
    } else if let Some(token) = &file.operator_token {
        (token.clone(), "operator-token")
    } else {
        return Ok(None);
    };
    let chars = token.chars().count();
    ensure!(chars >= TOKEN_CHARS_MIN, "{key}: a token must have at least {TOKEN_CHARS_MIN} characters, not {chars}");
    Ok(Some(Secret(token)))
}

/// A bound of zero would let nothing work at all; it is a mistake, not a wish.
fn check_limits(limits: &Limits) -> anyhow::Result<()> {
    let never_zero = [
        ("turn-cpu-ms", limits.turn_cpu_ms),
        ("init-cpu-ms", limits.init_cpu_ms),
        ("call-wall-ms", limits.call_wall_ms),
        ("memory-bytes", limits.memory_bytes as u64),
        ("guest-stack-bytes", limits.guest_stack_bytes as u64),
        ("component-bytes", limits.component_bytes),
        ("frame-bytes", limits.frame_bytes as u64),
        ("outbound-bytes", limits.outbound_bytes as u64),
        ("outbound-frames", limits.outbound_frames as u64),
        ("mailbox-events", limits.mailbox_events as u64),
        ("mailbox-events-per-socket", u64::from(limits.mailbox_events_per_socket)),
        ("authorize-at-once", limits.authorize_at_once as u64),
        ("handshake-ms", limits.handshake_ms),
        ("idle-socket-ms", limits.idle_socket_ms),
    ];
    match never_zero.iter().find(|(_, value)| *value == 0) {
        Some((key, _)) => bail!("limits.{key} must not be 0"),
        None => Ok(()),
    }
}

/// An address, or a network in CIDR notation.
fn proxy(text: &str) -> anyhow::Result<IpNet> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| address())
        .with_context(|| format!("trusted-proxies: {text:?} is neither an address nor a network such as 10.0.0.0/8"))
}

fn tenants(tables: BTreeMap<String, TenantTable>) -> anyhow::Result<BTreeMap<TenantName, TenantSettings>> {
    let mut tenants = BTreeMap::new();
    let mut hosts: BTreeMap<String, String> = BTreeMap::new();
    for (name, table) in tables {
        let tenant = TenantName::new(&name).with_context(|| format!("tenants.{name}"))?;
        for host in &table.hosts {
            let host = host.to_ascii_lowercase();
            if let Some(other) = hosts.insert(host.clone(), name.clone()) {
                bail!("tenants.{name}.hosts: {host} is a host name of the tenant {other} already");
            }
        }
        let mut plugins = BTreeMap::new();
        for (plugin, PluginTable { config, client_channels }) in table.plugins {
            let key = PluginName::new(&plugin).with_context(|| format!("tenants.{name}.plugins.{plugin}"))?;
            plugins.insert(key, PluginSettings { config, client_channels });
        }
        let hosts = table.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        tenants.insert(tenant, TenantSettings { hosts, origins: table.origins, plugins });
    }
    Ok(tenants)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> anyhow::Result<File> {
        Ok(toml::from_str(text)?)
    }

    #[test]
    fn every_error_names_its_key() {
        let unknown = parse("lisen = \"127.0.0.1:1\"").unwrap_err();
        assert!(format!("{unknown:#}").contains("lisen"), "{unknown:#}");
        let unknown = parse("[limits]\nturn-cpu = 1").unwrap_err();
        assert!(format!("{unknown:#}").contains("turn-cpu"), "{unknown:#}");
        let zero = check_limits(&Limits { frame_bytes: 0, ..Limits::default() }).unwrap_err();
        assert!(format!("{zero}").contains("limits.frame-bytes"));
        let proxy = proxy("nowhere").unwrap_err();
        assert!(format!("{proxy:#}").contains("trusted-proxies"));
        let name = tenants(parse("[tenants.Acme]").unwrap().tenants).unwrap_err();
        assert!(format!("{name:#}").contains("tenants.Acme"), "{name:#}");
        let host = tenants(parse("[tenants.a]\nhosts=[\"X\"]\n[tenants.b]\nhosts=[\"x\"]").unwrap().tenants);
        assert!(format!("{:#}", host.unwrap_err()).contains("tenants.b.hosts"));
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", Secret("hunter2hunter2hunter2".into())), "(secret)");
    }
}
