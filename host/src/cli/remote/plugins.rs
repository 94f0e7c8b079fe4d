//! `parlor plugins`: the plugins that a server serves, their versions, and what it refused.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;

use super::arguments::{PluginsArgs, plugin_key_of};
use super::client::ApiClient;
use crate::cli::print::{print, print_json};
use crate::cli::units::ago;
use crate::model::text::printable;

#[derive(Deserialize)]
struct PluginsAnswer {
    plugins: Vec<ListedPlugin>,
    not_served: Vec<ListedPlugin>,
}

/// A plugin. The server tells less of one that it does not serve.
#[derive(Deserialize)]
struct ListedPlugin {
    tenant: String,
    plugin: String,
    state: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    sockets: usize,
    #[serde(default)]
    rooms_heavy: usize,
    #[serde(default)]
    rooms_by_version: BTreeMap<String, usize>,
    last_refused: Option<ListedRefusal>,
    #[serde(default)]
    costs: BTreeMap<String, ListedCost>,
}

/// How long something takes, in seconds.
#[derive(Deserialize)]
struct ListedCost {
    count: u64,
    sum: f64,
    p50: Option<f64>,
    p99: Option<f64>,
}

#[derive(Deserialize)]
struct CostsAnswer {
    handlers: Vec<ListedHandler>,
}

/// What a handler cost so far.
#[derive(Deserialize)]
struct ListedHandler {
    event: String,
    turns: u64,
    failures: u64,
    cpu_seconds: f64,
    cpu_p99: Option<f64>,
    emits: u64,
    deliveries: u64,
    reads: u64,
    writes: u64,
    wait_seconds: f64,
}

#[derive(Deserialize)]
struct ListedRefusal {
    time: f64,
    version: Option<String>,
    why: String,
}

#[derive(Deserialize)]
struct PluginDetails {
    #[serde(flatten)]
    entry: ListedPlugin,
    versions: Vec<ListedVersion>,
    history: Vec<ListedChange>,
}

#[derive(Deserialize)]
struct ListedVersion {
    version: String,
    deployed_at: Option<f64>,
    current: bool,
    rooms: usize,
}

#[derive(Deserialize)]
struct ListedChange {
    time: f64,
    what: String,
    version: Option<String>,
    why: String,
}

pub fn plugins(args: &PluginsArgs) -> anyhow::Result<()> {
    let client = ApiClient::new(&args.remote)?;
    let path = match &args.plugin {
        Some(plugin) => {
            let key = plugin_key_of(plugin)?;
            format!("/_parlor/api/plugins/{}/{}", key.tenant, key.plugin)
        }
        None => "/_parlor/api/plugins".to_owned(),
    };
    let said = client.get(&path)?;
    if args.json {
        return print_json(&said);
    }
    let strange = "the server is of another version than this program: its answer cannot be read";
    if args.plugin.is_some() {
        let one: PluginDetails = serde_json::from_value(said).context(strange)?;
        if !args.costs {
            return print(&details(&one));
        }
        let of_handlers: CostsAnswer = match one.entry.version {
            Some(_) => serde_json::from_value(client.get(&format!("{path}/costs"))?).context(strange)?,
            None => CostsAnswer { handlers: Vec::new() },
        };
        return print(&(costs(&[&one.entry]) + &handlers(&of_handlers.handlers)));
    }
    let PluginsAnswer { plugins, not_served } = serde_json::from_value(said).context(strange)?;
    let all: Vec<_> = plugins.iter().chain(&not_served).collect();
    print(&if args.costs { costs(&all) } else { table(&all) })
}

/// How long what each plugin does takes: a line for each thing that it did.
fn costs(entries: &[&ListedPlugin]) -> String {
    let row = |[plugin, what, count, mean, p50, p99]: [&str; 6]| {
        format!("{plugin:<32} {what:<12} {count:>12} {mean:>10} {p50:>10} {p99:>10}\n")
    };
    let mut text = row(["PLUGIN", "WHAT", "COUNT", "MEAN", "P50 UNDER", "P99 UNDER"]);
    for entry in entries {
        let name = printable(&format!("{}/{}", entry.tenant, entry.plugin));
        for (what, ListedCost { count, sum, p50, p99 }) in entry.costs.iter().filter(|(_, cost)| cost.count > 0) {
            let (count, mean) = (count.to_string(), milliseconds(Some(sum / *count as f64)));
            let (p50, p99) = (milliseconds(*p50), milliseconds(*p99));
            text.push_str(&row([&name, &printable(what), &count, &mean, &p50, &p99]));
        }
    }
    text
}

/// What each handler cost: the one that used most CPU time first.
fn handlers(handlers: &[ListedHandler]) -> String {
    let row = |[event, cpu, turns, mean, p99, failures, emits, deliveries, reads, writes, waited]: [&str; 11]| {
        format!(
            "{event:<32} {cpu:>12} {turns:>10} {mean:>10} {p99:>10} {failures:>8} {emits:>10} {deliveries:>10} {reads:>8} \
             {writes:>8} {waited:>12}\n"
        )
    };
    let head =
        ["HANDLER", "CPU", "TURNS", "MEAN", "P99 UNDER", "FAILED", "EMITS", "DELIVERED", "READS", "WRITES", "WAITED"];
    let mut text = format!("\n{}", row(head));
    for handler in handlers {
        let mean = handler.cpu_seconds / handler.turns.max(1) as f64;
        let [cpu, mean, wait] = [handler.cpu_seconds, mean, handler.wait_seconds].map(|time| milliseconds(Some(time)));
        let counts =
            [handler.turns, handler.failures, handler.emits, handler.deliveries, handler.reads, handler.writes];
        let [turns, failures, emits, deliveries, reads, writes] = counts.map(|count| count.to_string());
        let (event, p99) = (printable(&handler.event), milliseconds(handler.cpu_p99));
        text.push_str(&row([
            &event,
            &cpu,
            &turns,
            &mean,
            &p99,
            &failures,
            &emits,
            &deliveries,
            &reads,
            &writes,
            &wait,
        ]));
    }
    text
}

fn milliseconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{:.3} ms", seconds * 1_000.0))
}

fn row([plugin, version, state, rooms, sockets, path]: [&str; 6]) -> String {
    format!("{plugin:<32} {version:<12}  {state:<11} {rooms:>6} {sockets:>8}  {path}")
}

fn table(entries: &[&ListedPlugin]) -> String {
    let mut lines = vec![row(["PLUGIN", "VERSION", "STATE", "ROOMS", "SOCKETS", "PATH"])];
    for entry in entries {
        let name = format!("{}/{}", entry.tenant, entry.plugin);
        let version = entry.version.as_deref().unwrap_or("-");
        let rooms = |version: &str| entry.rooms_by_version.get(version).copied().unwrap_or_default().to_string();
        let (path, sockets) = (entry.path.as_deref().unwrap_or("-"), entry.sockets.to_string());
        lines.push(row([&name, version, &entry.state, &rooms(version), &sockets, path]));
        for older in entry.rooms_by_version.keys().filter(|older| *older != version) {
            lines.push(row(["", older, "older", &rooms(older), "", ""]));
        }
        if entry.rooms_heavy > 0 {
            lines.push(format!("    {} of its rooms are heavy: their turns run at low priority", entry.rooms_heavy));
        }
        if let Some(ListedRefusal { time, version, why }) = &entry.last_refused {
            let version = version.as_deref().unwrap_or("a file");
            lines.push(format!("    {version} was refused {}: {}", ago(*time), printable(why)));
        }
    }
    lines.iter().map(|line| format!("{}\n", printable(line.trim_end()))).collect()
}

fn details(one: &PluginDetails) -> String {
    let mut text = table(&[&one.entry]);
    text.push_str(&format!("\n{:<12}  {:>6}  DEPLOYED\n", "VERSION", "ROOMS"));
    for ListedVersion { version, deployed_at, current, rooms } in &one.versions {
        let deployed = deployed_at.map_or_else(|| "not kept".to_owned(), ago);
        let note = if *current { ", current" } else { "" };
        text.push_str(&format!("{version:<12}  {rooms:>6}  {deployed}{note}\n"));
    }
    text.push_str("\nHISTORY SINCE THE SERVER STARTED\n");
    for ListedChange { time, what, version, why } in &one.history {
        let version = version.as_deref().unwrap_or("-");
        text.push_str(&format!("{:<16} {what:<12} {version:<12}  {}\n", ago(*time), printable(why)));
    }
    text
}
