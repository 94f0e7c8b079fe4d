//! `parlor data import`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::line::{ExportLine, FORMAT, VERSION};
use super::place::TenantPlace;
use super::progress::Progress;
use crate::cli::print::print;
use crate::model::base64;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::storage::Batch;
use crate::storage::durable::inspect::Replacement;

/// The longest line that is read: beyond the largest value, as base64.
const LINE_BYTES_MAX: u64 = 256 << 20;
/// What goes into one transaction.
const BYTES_PER_TRANSACTION: usize = 8 << 20;
const ENTRIES_PER_TRANSACTION: usize = 20_000;

pub fn import(place: &TenantPlace, from: &Path, replace: bool) -> anyhow::Result<()> {
    let TenantPlace { tenant, folder } = place;
    let (input, name): (Box<dyn BufRead>, _) = if from == Path::new("-") {
        (Box::new(io::stdin().lock()), "standard input".to_owned())
    } else {
        let file = File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
        (Box::new(BufReader::new(file)), from.display().to_string())
    };
    let new = Replacement::begin(folder, tenant)?;
    if let Some(old) = new.old()
        && !old.rooms()?.is_empty()
    {
        let path = old.path.display();
        ensure!(replace, "the tenant {tenant} has data in {path}; --replace replaces it");
    }
    let mut import = ImportRun { tenant, new: &new, batches: Vec::new(), bytes: 0, waiting: 0, rooms: 0, entries: 0 };
    import.read(input, &name)?;
    let (rooms, entries) = (import.rooms, import.entries);
    let keys: u64 = new.rooms()?.iter().map(|room| room.keys).sum();
    ensure!(keys == entries, "{name} has {entries} entries, and names {} of them twice", entries - keys);
    new.finish()?;
    print(&format!("imported {entries} entries of {rooms} rooms for the tenant {tenant}\n"))
}

/// What was read of an export so far.
struct ImportRun<'a> {
    tenant: &'a TenantName,
    new: &'a Replacement,
    /// What the next transaction takes, in the order of the lines.
    batches: Vec<(RoomKey, Batch)>,
    bytes: usize,
    waiting: usize,
    rooms: u64,
    entries: u64,
}

impl ImportRun<'_> {
    fn read(&mut self, mut input: Box<dyn BufRead>, name: &str) -> anyhow::Result<()> {
        let mut progress = Progress::new("imported");
        let mut text = Vec::new();
        for number in 1.. {
            text.clear();
            let read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text);
            let length = read.with_context(|| format!("cannot read {name}"))?;
            ensure!(length > 0, "{name} ends at line {number}, before its last line: it was cut off");
            let ends = self.take(number, &text).with_context(|| format!("line {number} of {name}"))?;
            progress.entry();
            if ends {
                let more =
                    input.by_ref().take(1).read_to_end(&mut text).with_context(|| format!("cannot read {name}"))?;
                ensure!(more == 0, "{name} goes on behind its end, at line {}", number + 1);
                break;
            }
        }
        self.write()
    }

    /// Takes a line, and says whether it is the last.
    fn take(&mut self, number: u64, text: &[u8]) -> anyhow::Result<bool> {
        ensure!(text.ends_with(b"\n"), "it does not end: the file was cut off, or the line is too long");
        let line: ExportLine = serde_json::from_slice(text).context("it is no line of an export")?;
        ensure!((number == 1) == matches!(line, ExportLine::Header { .. }), "a header comes first, and once");
        match line {
            ExportLine::Header { format, version, .. } => {
                ensure!(format == FORMAT, "it is a {format:?}, not a {FORMAT:?}");
                ensure!(
                    version <= VERSION,
                    "a later version of Parlor wrote it: {version}, and {VERSION} is known here"
                );
            }
            ExportLine::Room { plugin, room, alarm } => {
                self.rooms += 1;
                self.batch(&plugin, &room)?.alarm = Some(alarm);
            }
            ExportLine::Entry { plugin, room, key, value } => {
                let value = base64::decode(value.as_bytes()).context("its value is no base64")?;
                self.entries += 1;
                self.waiting += 1;
                self.bytes += key.len() + value.len();
                let doubled = self.batch(&plugin, &room)?.writes.insert(key, Some(value)).is_some();
                ensure!(!doubled, "it names an entry for the second time");
            }
            ExportLine::End { rooms, entries } => {
                let (found_rooms, found_entries) = (self.rooms, self.entries);
                if (rooms, entries) != (found_rooms, found_entries) {
                    bail!(
                        "it counts {rooms} rooms and {entries} entries, and there were {found_rooms} and {found_entries}"
                    );
                }
                return Ok(true);
            }
        }
        if self.bytes >= BYTES_PER_TRANSACTION || self.waiting >= ENTRIES_PER_TRANSACTION {
            self.write()?;
        }
        Ok(false)
    }

    /// The batch of a room, which a line adds to. Lines of a room come together.
    fn batch(&mut self, plugin: &str, room: &str) -> anyhow::Result<&mut Batch> {
        let plugin = PluginKey { tenant: self.tenant.clone(), plugin: PluginName::new(plugin)? };
        let room = RoomKey { plugin, room: RoomId::new(room)? };
        if self.batches.last().is_none_or(|(last, _)| *last != room) {
            self.batches.push((room, Batch::default()));
        }
        self.batches.last_mut().map(|(_, batch)| batch).context("a batch was added")
    }

    fn write(&mut self) -> anyhow::Result<()> {
        self.new.add(&self.batches)?;
        (self.bytes, self.waiting) = (0, 0);
        self.batches.clear();
        Ok(())
    }
}
