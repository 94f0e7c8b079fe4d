//! The native base line: one actor a room, Verani frames in and out, JSON read into typed structs and written from
//! them, every frame encoded once and shared, writes coalesced. No plugin, no sandbox, no turn. And the same room on
//! socketioxide.

mod accept;
mod connection;
mod frames;
mod room;
mod socketioxide;

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use tokio::runtime::{Builder, Runtime};

/// How the base line is run.
#[derive(Args)]
pub struct Options {
    /// The address to listen on; port 0 picks one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Which threads run rooms and sockets.
    #[arg(long, value_enum, default_value_t = Threading::Multi)]
    runtime: Threading,
    /// Who speaks WebSocket on a connection. `sharded` always does it itself.
    #[arg(long, value_enum, default_value_t = Sockets::Axum)]
    sockets: Sockets,
    /// Worker threads; by default as many as the process has cores.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Tasks that a worker of the multi-threaded runtime runs between two looks at the queue that all share.
    #[arg(long)]
    global_queue_interval: Option<u32>,
    /// Tasks that a worker runs between two looks at the sockets.
    #[arg(long)]
    event_interval: Option<u32>,
    /// Sockets that one look at the sockets wakes at most.
    #[arg(long)]
    io_events: Option<usize>,
}

/// Which threads run rooms and sockets.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Threading {
    /// One multi-threaded runtime: tasks move between its workers.
    Multi,
    /// One runtime of one thread.
    Single,
    /// A runtime of one thread for each worker; a room and all its sockets live on one of them.
    Sharded,
}

/// Who speaks WebSocket on a connection.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Sockets {
    /// Axum's `ws`, over the connection as hyper hands it out: behind a trait object.
    Axum,
    /// tokio-tungstenite over the TCP stream itself, taken back from hyper after the upgrade.
    Raw,
    /// socketioxide, behind axum: its own rooms, and clients of Socket.IO. Not with `sharded`.
    Socketioxide,
}

/// Serves until the process is killed.
pub fn serve(options: &Options) -> anyhow::Result<()> {
    let runtime = main_runtime(options).context("start the runtime")?;
    let shards = match options.runtime {
        Threading::Sharded => {
            let further = (1..worker_count(options)).map(|_| tuned(Builder::new_current_thread(), options).build());
            accept::Shards::spawn(runtime.handle().clone(), further.collect::<Result<_, _>>()?)?
        }
        Threading::Multi | Threading::Single => accept::Shards::one(runtime.handle().clone()),
    };
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("listen on {}", options.listen))?;
        println!("listening on http://{}", listener.local_addr()?);
        match (options.runtime, options.sockets) {
            (Threading::Multi | Threading::Single, Sockets::Axum) => accept::with_axum(listener).await,
            (Threading::Multi | Threading::Single, Sockets::Socketioxide) => socketioxide::serve(listener).await,
            (Threading::Sharded, Sockets::Socketioxide) => bail!("socketioxide moves no connection to another runtime"),
            _ => accept::with_hyper(listener, shards).await,
        }
    })
}

fn worker_count(options: &Options) -> usize {
    options.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

/// The runtime that accepts; of a sharded server it is the first shard as well.
fn main_runtime(options: &Options) -> std::io::Result<Runtime> {
    match options.runtime {
        Threading::Multi => {
            let mut builder = tuned(Builder::new_multi_thread(), options);
            builder.worker_threads(worker_count(options)).build()
        }
        Threading::Single | Threading::Sharded => tuned(Builder::new_current_thread(), options).build(),
    }
}

fn tuned(mut builder: Builder, options: &Options) -> Builder {
    if let Some(interval) = options.global_queue_interval {
        builder.global_queue_interval(interval.max(1));
    }
    if let Some(interval) = options.event_interval {
        builder.event_interval(interval.max(1));
    }
    if let Some(events) = options.io_events {
        builder.max_io_events_per_tick(events.max(1));
    }
    builder.enable_all();
    builder
}
