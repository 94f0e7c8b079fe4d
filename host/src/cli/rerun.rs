//! `parlor replay --with`: what another component does with a taped life.

use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::print::print;
use crate::guest::RoomContext;
use crate::guest::instance::Template;
use crate::guest::tape::compare::{difference, has_failed};
use crate::guest::tape::file::{TapeFile, TapedTurn};
use crate::guest::tape::rerun::{Rerun, rerun, unknown_read};
use crate::model::names::RoomKey;
use crate::model::text::printable;
use crate::storage::Storage as _;
use crate::storage::memory::MemoryStorage;

/// Lives a tape with another component, and says what differs. It fails where a turn of that fails.
pub(super) async fn with(template: &Template, context: Arc<RoomContext>, tape: &TapeFile) -> anyhow::Result<()> {
    let room = context.room.clone().context("a tape is of a room")?;
    let key = RoomKey { plugin: context.plugin.clone(), room };
    let storage = MemoryStorage::default().open(&key).await?;
    let other = rerun(template, context, tape, storage).await.map_err(|why| anyhow::anyhow!("{why}"))?;
    let Rerun { turns, left_out } = other;
    let unknown = unknown_read(tape, &turns);
    let end = unknown.as_ref().map_or(u64::MAX, |(turn, _)| *turn);
    let (mut differing, mut compared, mut failed) = (0, 0, Vec::new());
    for before in tape.turns.iter().skip(1).filter(|turn| turn.number < end) {
        if let Some(why) = left_out.get(&before.number) {
            print(&format!("{}: not given, {why}\n", title(before)))?;
        }
        let Some((_, after)) = turns.iter().find(|(number, _)| *number == before.number) else { continue };
        compared += 1;
        let lines = difference(before, after);
        if !lines.is_empty() {
            differing += 1;
            print(&format!("{}\n", title(before)))?;
            lines.iter().try_for_each(|line| print(&format!("  {}\n", printable(line))))?;
        }
        if has_failed(after) {
            failed.push(before.number);
        }
    }
    if let Some((turn, what)) = unknown {
        print(&format!(
            "turn {turn} reads {}, which the tape does not hold: from here on nothing is compared\n",
            printable(&what)
        ))?;
    }
    print(&format!("{compared} turns with the other component, {differing} of them differ\n"))?;
    match failed.first() {
        Some(first) => bail!("{} turns fail with it, the first is turn {first}", failed.len()),
        None => Ok(()),
    }
}

fn title(turn: &TapedTurn) -> String {
    let name = turn.event.as_ref().map_or("init", |event| event.event.name.as_str());
    format!("turn {}, {}", turn.number, printable(name))
}
