//! What the tests stand on: components built once, a real server on a port of its own, and clients that speak to it
//! over real sockets.

mod build;
mod builder;
mod client;
pub mod command;
mod events;
pub mod folder;
pub mod guests;
mod http;
mod raised;
pub mod room;
pub mod scripts;
mod server;
pub mod toolchains;

pub use build::{guest, guests, plugin, root, target, target_with_guests};
pub use builder::Builder;
pub use client::{Client, Closed};
pub use events::Events;
pub use folder::Folder;
pub use http::{Request, Response};
pub use server::Server;

pub use serde_json::{Value, json};

use std::time::Duration;

/// How long a test waits for what must come. Far more than it takes, so that a busy machine fails no test: to compile CPython takes 20 s
/// beside other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The operator's token of every server that is not told otherwise.
pub const TOKEN: &str = "the-token-of-the-test-suite";

/// Waits for something that must come; says what it was if it does not.
pub async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(came) => came,
        Err(_) => panic!("waited {} s for {what}", PATIENCE.as_secs()),
    }
}
