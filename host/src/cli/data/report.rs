//! `parlor data check` and `parlor data stats`.

use std::cmp::Reverse;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::place::TenantPlace;
use crate::cli::print::{print, print_json};
use crate::cli::units::bytes;
use crate::storage::durable::inspect::RoomSummary;

/// How many rooms are listed.
const BIGGEST: usize = 10;

pub fn check(place: &TenantPlace) -> anyhow::Result<()> {
    let mut file = place.open()?;
    let findings = file.check()?;
    let path = file.path.display().to_string();
    file.close()?;
    for wrong in &findings.wrong {
        print(&format!("{wrong}\n"))?;
    }
    if !findings.wrong.is_empty() {
        bail!("{path} is not in order: {} of its parts, as listed", findings.wrong.len());
    }
    let (rooms, entries) = (findings.rooms, findings.entries);
    print(&format!("{path} is in order: {rooms} rooms, {entries} entries, {}\n", bytes(findings.bytes)))
}

/// How much a tenant stores, as `--json` prints it.
#[derive(Debug, Serialize)]
struct TenantStats<'a> {
    tenant: &'a str,
    file: String,
    file_bytes: u64,
    rooms: usize,
    keys: u64,
    bytes: u64,
    alarms: usize,
    /// Milliseconds since the Unix epoch.
    next_alarm: Option<u64>,
    biggest: Vec<BiggestRoom<'a>>,
}

#[derive(Debug, Serialize)]
struct BiggestRoom<'a> {
    plugin: &'a str,
    room: &'a str,
    keys: u64,
    bytes: u64,
    alarm: Option<u64>,
}

impl<'a> BiggestRoom<'a> {
    fn of(summary: &'a RoomSummary) -> Self {
        let RoomSummary { room, keys, bytes, alarm } = summary;
        let (plugin, room) = (room.plugin.plugin.as_str(), room.room.as_str());
        Self { plugin, room, keys: *keys, bytes: *bytes, alarm: *alarm }
    }
}

pub fn stats(place: &TenantPlace, json: bool) -> anyhow::Result<()> {
    let file = place.open()?;
    let mut rooms = file.rooms()?;
    let path = file.path.clone();
    file.close()?;
    rooms.sort_by_key(|room| Reverse(room.bytes));
    let size = std::fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?.len();
    let stats = TenantStats {
        tenant: place.tenant.as_str(),
        file: path.display().to_string(),
        file_bytes: size,
        rooms: rooms.len(),
        keys: rooms.iter().map(|room| room.keys).sum(),
        bytes: rooms.iter().map(|room| room.bytes).sum(),
        alarms: rooms.iter().filter(|room| room.alarm.is_some()).count(),
        next_alarm: rooms.iter().filter_map(|room| room.alarm).min(),
        biggest: rooms.iter().take(BIGGEST).map(BiggestRoom::of).collect(),
    };
    if json {
        return print_json(&stats);
    }
    print(&table(&stats))
}

fn table(stats: &TenantStats<'_>) -> String {
    let alarms = match stats.next_alarm {
        Some(due) => format!("{}, the next {}", stats.alarms, when(due)),
        None => "0".to_owned(),
    };
    let mut table = format!("{}, {}\n", stats.file, bytes(stats.file_bytes));
    for (name, value) in [
        ("rooms", stats.rooms.to_string()),
        ("keys", stats.keys.to_string()),
        ("bytes", bytes(stats.bytes)),
        ("alarms", alarms),
    ] {
        table.push_str(&format!("  {name:<8} {value}\n"));
    }
    if !stats.biggest.is_empty() {
        table.push_str(&format!("\n{:>12} {:>10}  BIGGEST ROOMS\n", "BYTES", "KEYS"));
    }
    for room in &stats.biggest {
        table.push_str(&format!("{:>12} {:>10}  {}/{}\n", bytes(room.bytes), room.keys, room.plugin, room.room));
    }
    table
}

fn when(due: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    match due.checked_sub(now) {
        Some(left) => format!("in {} s", left / 1_000),
        None => "overdue".to_owned(),
    }
}
