//! `parlor data export`.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use anyhow::Context as _;
use data_encoding::BASE64;

use super::line::{ExportLine, FORMAT, VERSION};
use super::place::TenantPlace;
use super::progress::Progress;
use crate::files::begin_private;
use crate::storage::durable::inspect::Inspected;

pub fn export(place: &TenantPlace, out: Option<&Path>) -> anyhow::Result<()> {
    let file = place.open()?;
    match out {
        None => match write(place, &file, io::stdout().lock()) {
            // The reader has seen enough and closed its end.
            Err(why) if is_broken_pipe(&why) => {}
            written => written.context("cannot print")?,
        },
        Some(out) => write_file(place, &file, out)?,
    }
    Ok(file.close()?)
}

fn is_broken_pipe(why: &anyhow::Error) -> bool {
    why.downcast_ref::<io::Error>().is_some_and(|why| why.kind() == ErrorKind::BrokenPipe)
}

/// Writes a file that only this user can read, and that is there as a whole or not at all.
fn write_file(place: &TenantPlace, file: &Inspected, out: &Path) -> anyhow::Result<()> {
    let write_and_rename = || {
        let partial = begin_private(out)?;
        write(place, file, partial.as_file())?;
        partial.as_file().sync_all()?;
        partial.persist(out)?;
        anyhow::Ok(())
    };
    write_and_rename().with_context(|| format!("cannot write {}", out.display()))
}

fn write(place: &TenantPlace, file: &Inspected, out: impl Write) -> anyhow::Result<()> {
    let mut out = BufWriter::new(out);
    line(
        &mut out,
        &ExportLine::Header { format: FORMAT.to_owned(), version: VERSION, tenant: place.tenant.to_string() },
    )?;
    let rooms = file.rooms()?;
    for summary in &rooms {
        let (plugin, room) = (summary.room.plugin.plugin.to_string(), summary.room.room.to_string());
        line(&mut out, &ExportLine::Room { plugin, room, alarm: summary.alarm })?;
    }
    let (mut entries, mut progress) = (0, Progress::new("exported"));
    file.each_entry(|room, key, value| {
        (entries, ()) = (entries + 1, progress.entry());
        let (plugin, room) = (room.plugin.plugin.to_string(), room.room.to_string());
        line(&mut out, &ExportLine::Entry { plugin, room, key: key.to_owned(), value: BASE64.encode(value) })
    })??;
    line(&mut out, &ExportLine::End { rooms: rooms.len() as u64, entries })?;
    Ok(out.flush()?)
}

fn line(out: &mut impl Write, line: &ExportLine) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(out.write_all(&text)?)
}
