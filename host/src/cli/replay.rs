//! `parlor replay`: lives a room's taped life again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use super::arguments::pair;
use super::print::print;
use super::rerun;
use super::units::bytes;
use crate::guest::RoomContext;
use crate::guest::instance::Template;
use crate::guest::tape::data::TapeBase;
use crate::guest::tape::file::{self, TapeFile, TapedTurn};
use crate::guest::tape::player::{PATIENCE, Player, Replayed};
use crate::guest::tape::show::{answer_words, call_words, dump, logged, outcome_words, turn as shown_turn};
use crate::model::limits::{Layers, Limits};
use crate::model::names::{PluginKey, PluginName, RoomId, TenantName};
use crate::model::text::printable;
use crate::plugin::tapes::{COMPONENTS, template_for_replay};
use crate::tenant::Tenants;

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The tape, a .tape file.
    pub file: PathBuf,
    /// The component that was recorded [default: the one that lies in `components` beside the tape].
    #[arg(long, value_name = "FILE")]
    pub component: Option<PathBuf>,
    /// Give the events to this component instead, in a room that begins as the tape does, and say what it does differently. It
    /// fails where a turn fails.
    #[arg(long, value_name = "NEW.wasm", conflicts_with_all = ["component", "turn"])]
    pub with: Option<PathBuf>,
    /// Show this turn: its event, its calls with their answers, and where the guest trapped.
    #[arg(long, value_name = "N")]
    pub turn: Option<u64>,
    /// Print the tape as JSON, an object a line, and run nothing.
    #[arg(long, conflicts_with_all = ["component", "turn", "with"])]
    pub dump: bool,
    /// Give a key of the plugin's configuration the value that the tape left out; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

pub(super) fn replay(args: ReplayArgs) -> anyhow::Result<()> {
    let place = args.file.display();
    let read = fs::read(&args.file).with_context(|| format!("cannot read {place}"))?;
    let tape = file::read(&read).with_context(|| format!("{place}"))?;
    if args.dump {
        return dump(&tape).iter().try_for_each(|line| print(&format!("{line}\n")));
    }
    if let Some(number) = args.turn {
        let last = tape.turns.last().map_or(0, |turn| turn.number);
        let known = tape.turns.iter().any(|turn| turn.number == number);
        ensure!(known, "{place} has the turns {} to {last}, not {number}", tape.base.turns_before);
    }
    let component = match &args.with {
        Some(other) => fs::read(other).with_context(|| format!("cannot read {}", other.display()))?,
        None => component(&args, &tape.base)?,
    };
    print(&format!("{}\n", title(&tape)))?;
    // A replay is answered from the tape, and needs no configuration but what that leaves out.
    let configured = tape.base.config.iter().filter(|_| args.with.is_some()).cloned();
    let playing = Playing::new(&tape.base, &component, configured.chain(args.set).collect())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    match args.with {
        Some(_) => runtime.block_on(rerun::with(&playing.template, playing.context, &tape)),
        None => runtime.block_on(playing.play(&tape, args.turn)),
    }
}

/// Whose life it is.
fn title(tape: &TapeFile) -> String {
    let TapeBase { plugin, room, version, reason, stored_bytes, members, .. } = &tape.base;
    let (turns, stored) = (tape.turns.len().saturating_sub(1), bytes(*stored_bytes));
    let words = format!(
        "{plugin}, room {room}, version {version}: {turns} turns since its instance was made ({reason}), \
         with {} sockets and {stored} stored",
        members.len()
    );
    printable(&words)
}

/// The component that was recorded, and no other.
fn component(args: &ReplayArgs, base: &TapeBase) -> anyhow::Result<Vec<u8>> {
    let beside = || {
        let folder = args.file.parent().unwrap_or(Path::new(".")).join(COMPONENTS);
        folder.join(format!("{}.wasm", base.component))
    };
    let place = args.component.clone().unwrap_or_else(beside);
    let words = || format!("cannot read the component {}: say --component FILE", place.display());
    let read = fs::read(&place).with_context(words)?;
    let found = blake3::hash(&read).to_hex();
    ensure!(
        found.as_str() == base.component,
        "{} is not the component that was recorded, which has the hash {}",
        place.display(),
        base.component
    );
    Ok(read)
}

/// What lives the life again.
struct Playing {
    template: Template,
    context: Arc<RoomContext>,
}

impl Playing {
    fn new(base: &TapeBase, component: &[u8], values: BTreeMap<String, String>) -> anyhow::Result<Self> {
        let limits = patient(base)?;
        let template = template_for_replay(component, &limits)?;
        let key = PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new(&base.plugin)? };
        let terms = Tenants::new(BTreeMap::new(), Layers::default(), 1).terms(&key.tenant, &key.plugin);
        let context = RoomContext {
            plugin: key,
            version: base.version.clone(),
            room: Some(RoomId::new(&base.room)?),
            limits: Arc::new(limits),
            config: Arc::new(values),
            pace: Arc::clone(&terms.totals.pace),
            room_pace: None,
            log: Arc::clone(&terms.totals.log),
            account: terms.account,
        };
        Ok(Self { template, context: Arc::new(context) })
    }

    /// Lives it again, and says how it went. `shown` is the turn to show.
    async fn play(self, tape: &TapeFile, shown: Option<u64>) -> anyhow::Result<()> {
        let Self { template, context } = self;
        let opened = Player::open(&template, context, tape).await;
        let (mut player, init) = opened.map_err(|why| anyhow::anyhow!("{why}"))?;
        let (mut turns, mut calls) = (0, init.calls);
        let mut last = (tape.turns.first(), init);
        if let (Some(turn), replayed) = &last
            && shown == Some(turn.number)
        {
            show(turn, replayed)?;
        }
        for turn in player.turns() {
            if last.1.difference.is_some() {
                break;
            }
            let Some(replayed) = player.turn(turn).await else { break };
            turns += 1;
            calls += replayed.calls;
            if shown == Some(turn.number) {
                show(turn, &replayed)?;
            }
            last = (Some(turn), replayed);
        }
        if let (Some(turn), replayed) = &last
            && replayed.difference.is_none()
            && shown.is_none()
        {
            say_last(turn, replayed)?;
        }
        match last.1.difference {
            Some(difference) => bail!("{}", printable(&difference.to_string())),
            None => print(&format!("the same outcome: {turns} turns, {calls} calls to the host compared\n")),
        }
    }
}

/// The limits that held, with more time: what is compared is what the guest does, and not how fast.
fn patient(base: &TapeBase) -> anyhow::Result<Limits> {
    let limits = Limits::of_values(base.limits.iter().map(|(key, value)| (key.as_str(), *value)));
    let limits = limits.map_err(|why| anyhow::anyhow!("the limits of the tape: {why}"))?;
    let call_wall_ms = limits.call_wall_ms.saturating_mul(PATIENCE);
    Ok(Limits { call_wall_ms, init_cpu_ms: limits.init_cpu_ms.saturating_mul(PATIENCE), ..limits })
}

/// Says how the last turn went: a tape ends with the one that it was kept for.
fn say_last(turn: &TapedTurn, replayed: &Replayed) -> anyhow::Result<()> {
    let event = turn.event.as_ref().map_or("init", |event| event.event.name.as_str());
    print(&format!("turn {}, {}: {}\n", turn.number, printable(event), printable(&outcome_words(&replayed.outcome))))?;
    if let Some(verdict) = &turn.verdict {
        print(&format!("  {}\n", printable(&verdict.words())))?;
    }
    logged(&turn.calls).iter().try_for_each(|line| print(&format!("  {}\n", printable(line))))?;
    say_trace(replayed)
}

/// Says where the guest trapped.
fn say_trace(replayed: &Replayed) -> anyhow::Result<()> {
    let lines = replayed.trace.iter().flat_map(|trace| trace.lines());
    lines.map(printable).try_for_each(|line| print(&format!("  {line}\n")))
}

fn show(turn: &TapedTurn, replayed: &Replayed) -> anyhow::Result<()> {
    let json = shown_turn(turn);
    for part in ["between", "event"] {
        print(&format!("{part}: {}\n", json[part]))?;
    }
    for (number, call) in turn.calls.iter().enumerate() {
        let (words, answer) = (call_words(&call.name, &call.args), answer_words(call));
        print(&format!("call {}: {} -> {}\n", number + 1, printable(&words), printable(&answer)))?;
    }
    print(&format!("effects: {}\n", json["effects"]))?;
    say_last(turn, replayed)
}
