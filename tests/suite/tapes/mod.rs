//! Tapes: a turn that failed is lived again in another process, and whoever did not do what was recorded is told where.

mod dev;
mod languages;
mod lives;
mod other;
mod served;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::command::{Said, parlor};
use crate::harness::{Builder, Server, soon};

/// The configuration of a plugin that is recorded.
fn recorded(plugin: &str, record: &str) -> String {
    format!("[tenants.default.plugins.{plugin}]\nrecord = \"{record}\"")
}

/// A server that records what fails in a plugin.
fn recording(server: Builder, plugin: &str) -> Builder {
    server.config(&recorded(plugin, "failures"))
}

/// The tapes of a plugin of the tenant `default`, by name.
fn tapes(server: &Server, plugin: &str) -> Vec<PathBuf> {
    let folder = server.folder().join("data/tapes/default").join(plugin);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut tapes: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "tape")).collect();
    tapes.sort();
    tapes
}

/// Waits for so many tapes of a plugin.
pub async fn tapes_of(server: &Server, plugin: &str, count: usize) -> Vec<PathBuf> {
    let wait = async {
        loop {
            let found = tapes(server, plugin);
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("the tapes", wait).await
}

/// Lives a tape again, with the component of the server.
fn replay(server: &Server, tape: &Path, plugin: &str, more: &[&str]) -> Said {
    let component = server.folder().join("plugins").join(format!("{plugin}.wasm"));
    let component = component.to_str().expect("a path of text");
    let tape = tape.to_str().expect("a path of text");
    parlor(server.folder(), &[&["replay", tape, "--component", component], more].concat())
}
