//! The store alone: batches as the rooms of the guest `ledger` make them, without rooms, guests and sockets. A process of
//! its own, on the cores that the server has, so that what it uses can be compared.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesOrdered;
use hdrhistogram::Histogram;
use parlor::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use parlor::storage::durable::{DurableStorage, WRITERS};
use parlor::storage::{Batch, Durability, NobodyPays, RoomStorage, Storage as _};
use rustix::time::{ClockId, clock_gettime};

use super::Figures;
use crate::load::server::machine_cpu;

/// How much is written.
#[derive(Args)]
pub struct Options {
    /// An empty folder for the store.
    #[arg(long)]
    folder: PathBuf,
    /// Rooms.
    #[arg(long)]
    rooms: usize,
    /// Batches that each has under way.
    #[arg(long)]
    depth: usize,
    /// Seconds of the measured window.
    #[arg(long)]
    seconds: f64,
    /// Seconds before it.
    #[arg(long)]
    warm_up: f64,
}

/// Writes, and prints the figures as JSON.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("no runtime")?;
    let figures = runtime.block_on(measure(options))?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

async fn measure(options: &Options) -> anyhow::Result<Figures> {
    let storage = DurableStorage::start(&options.folder, WRITERS, Arc::new(NobodyPays), Arc::default())?;
    let mut rooms = Vec::new();
    for number in 0..options.rooms {
        rooms.push(storage.open(&key(number)?).await?);
    }
    let begin = Instant::now() + Duration::from_secs_f64(options.warm_up);
    let end = begin + Duration::from_secs_f64(options.seconds);
    let window = Window { begin, end, depth: options.depth };
    let before = Cell::new(None);
    let writers = rooms.into_iter().map(|room| write(room, &window, &before));
    let mut latency = histogram()?;
    for one in join_all(writers).await {
        latency.add(one?).map_err(|why| anyhow!("{why}"))?;
    }
    let (cpu_before, machine_before) = before.get().context("the window never began")?;
    let (cpu, machine) = (cpu_now() - cpu_before, machine_cpu()?.saturating_sub(machine_before));
    let others_share = machine.saturating_sub(cpu).as_secs_f64() / options.seconds;
    Ok(Figures { others_share, ..Figures::of(&latency, options.seconds, cpu) })
}

/// When batches count.
struct Window {
    begin: Instant,
    end: Instant,
    depth: usize,
}

/// One room: always as many batches under way.
async fn write(
    room: Arc<dyn RoomStorage>,
    window: &Window,
    before: &Cell<Option<(Duration, Duration)>>,
) -> anyhow::Result<Histogram<u64>> {
    let (mut under_way, mut latency, mut count) = (FuturesOrdered::new(), histogram()?, 0);
    loop {
        let now = Instant::now();
        if now >= window.begin && before.get().is_none() {
            before.set(Some((cpu_now(), machine_cpu()?)));
        }
        while under_way.len() < window.depth && now < window.end {
            count += 1;
            let (sent, written) = (Instant::now(), room.commit(batch(count), Durability::Strict));
            under_way.push_back(async move { written.await.map(|_| sent) });
        }
        let Some(sent) = under_way.next().await else { return Ok(latency) };
        let (sent, now) = (sent?, Instant::now());
        if now >= window.begin && now < window.end {
            latency.saturating_record((now - sent).as_nanos() as u64);
        }
    }
}

/// What `add` of the guest `ledger` writes.
fn batch(count: u64) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in [(super::entry(count), 1), ("total".to_owned(), count), ("count".to_owned(), count)] {
        batch.writes.insert(key, Some(value.to_string().into_bytes()));
    }
    batch
}

fn key(number: usize) -> anyhow::Result<RoomKey> {
    let name = |why: &dyn std::fmt::Display| anyhow!("{why}");
    let tenant = TenantName::new("default").map_err(|why| name(&why))?;
    let plugin = PluginName::new("ledger").map_err(|why| name(&why))?;
    let room = RoomId::new(&format!("room-{number}")).map_err(|why| name(&why))?;
    Ok(RoomKey { plugin: PluginKey { tenant, plugin }, room })
}

pub fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(100, 60_000_000_000, 3)?)
}

fn cpu_now() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
