//! `parlor data export`.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use data_encoding::BASE64;

use super::Place;
use super::line::{FORMAT, Line, VERSION};
use super::progress::Progress;
use crate::files::partial_name;
use crate::storage::durable::inspect::Inspected;

pub fn export(place: &Place, out: Option<&Path>) -> anyhow::Result<()> {
    let file = place.open()?;
    match out {
        None => match write(place, &file, io::stdout().lock()) {
            // Whoever reads it has read enough.
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

/// For the operator alone, and there as a whole or not at all.
fn write_file(place: &Place, file: &Inspected, out: &Path) -> anyhow::Result<()> {
    let partial = out.with_added_extension(partial_name());
    let written = (|| {
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        write(place, file, &opened)?;
        opened.sync_all()?;
        anyhow::Ok(fs::rename(&partial, out)?)
    })();
    written.inspect_err(|_| drop(fs::remove_file(&partial))).with_context(|| format!("cannot write {}", out.display()))
}

fn write(place: &Place, file: &Inspected, out: impl Write) -> anyhow::Result<()> {
    let mut out = BufWriter::new(out);
    line(&mut out, &Line::Header { format: FORMAT.to_owned(), version: VERSION, tenant: place.tenant.to_string() })?;
    let rooms = file.rooms()?;
    for summary in &rooms {
        let (plugin, room) = (summary.room.plugin.plugin.to_string(), summary.room.room.to_string());
        line(&mut out, &Line::Room { plugin, room, alarm: summary.alarm })?;
    }
    let (mut entries, mut progress) = (0, Progress::new("exported"));
    file.each_entry(|room, key, value| {
        (entries, ()) = (entries + 1, progress.entry());
        let (plugin, room) = (room.plugin.plugin.to_string(), room.room.to_string());
        line(&mut out, &Line::Entry { plugin, room, key: key.to_owned(), value: BASE64.encode(value) })
    })??;
    line(&mut out, &Line::End { rooms: rooms.len() as u64, entries })?;
    Ok(out.flush()?)
}

fn line(out: &mut impl Write, line: &Line) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(out.write_all(&text)?)
}
