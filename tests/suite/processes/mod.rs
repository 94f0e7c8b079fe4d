//! The server as a process: what it writes for people, the signals that it hears, where it listens, and what it answers
//! before all of its plugins are loaded.

mod claims;
mod logs;
mod signals;
mod sockets;
mod starting;
mod systemd;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::Server;

/// A pipe with a name, in a folder of its own. Whoever opens it for reading and writing waits for nobody.
fn named_pipe() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    (folder, path)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// What a check answers: its status and its words.
async fn asked(server: &Server, path: &str) -> (u16, String) {
    let answer = server.request("GET", path).send().await;
    (answer.status, answer.body)
}
