//! Parlor's load program. `baseline` is a plain axum server that does natively what a Parlor room does with a JSON
//! plugin; `run` measures servers against it, interleaved, in one go; `hostile` attacks Parlor beside a well-behaved
//! tenant. The README beside this crate says how to run it and what each figure means.

mod baseline;
mod bursts;
mod crash;
mod durable;
mod hostile;
mod ledger;
mod load;
mod rest;
mod resume;
mod sleep;
mod swap;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "parlor-load", about = "Measure Parlor against a native server that does the same work")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the native base line.
    Baseline(baseline::Options),
    /// Start the servers, put load on them in turn, and print one table.
    Run(load::Options),
    /// Kill Parlor under load, again and again, and check that what clients saw is there.
    Crash(crash::Options),
    /// Measure durable turns, beside the store alone on the same disk.
    Durable(durable::Options),
    /// Write to the store alone; `durable` runs it.
    #[command(hide = true)]
    RawStore(durable::raw::Options),
    /// Replace a plugin under live sockets, again and again, and check that nothing is lost.
    Swap(swap::Options),
    /// Cut lines at random under sockets that talk, and check that nothing is lost and nothing comes twice.
    Resume(resume::Options),
    /// Let many rooms sleep, and wake them, one by one and all at once.
    Sleep(sleep::Options),
    /// Leave a server alone that has nothing to do, and see how often it wakes and what that costs.
    Rest(rest::Options),
    /// Let many rooms open in a burst, and see what their messages cost and whether anybody is punished for it.
    Bursts(bursts::Options),
    /// Spin; `bursts --neighbour` runs it.
    #[command(hide = true)]
    Spin,
    /// Attack Parlor with hostile plugins and clients, and see what a well-behaved tenant notices of it.
    Hostile(hostile::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Baseline(options) => baseline::serve(&options),
        Command::Run(options) => load::run(&options),
        Command::Crash(options) => crash::run(&options),
        Command::Durable(options) => durable::run(&options),
        Command::RawStore(options) => durable::raw::run(&options),
        Command::Swap(options) => swap::run(&options),
        Command::Resume(options) => resume::run(&options),
        Command::Sleep(options) => sleep::run(&options),
        Command::Rest(options) => rest::run(&options),
        Command::Bursts(options) => bursts::run(&options),
        Command::Spin => bursts::spin(),
        Command::Hostile(options) => hostile::run(&options),
    }
}
