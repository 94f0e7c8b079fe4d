//! What changes in the folder of plugins while a server runs: whole and good files serve, all else changes nothing.

mod commands;
mod files;
mod links;
mod lost;
mod refused;
mod settings;
mod storms;
mod together;
mod versions;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hostile_guests::bare;

use crate::harness::{Server, Value, json, soon};

/// How often a test looks again.
const POLL: Duration = Duration::from_millis(20);

/// A place in the folder of plugins, in a folder that is there.
fn place(server: &Server, file: &str) -> PathBuf {
    let place = server.folder().join("plugins").join(file);
    fs::create_dir_all(place.parent().expect("a file lies in a folder")).expect("a folder");
    place
}

/// Writes a file where it is.
fn write(server: &Server, file: &str, bytes: &[u8]) {
    fs::write(place(server, file), bytes).expect("a plugin's file");
}

/// Puts a file into its place as a whole.
fn replace(server: &Server, file: &str, bytes: &[u8]) {
    let place = place(server, file);
    let partial = place.with_extension("tmp");
    fs::write(&partial, bytes).and_then(|()| fs::rename(partial, place)).expect("a plugin's file");
}

/// Points a link elsewhere, in one step.
fn point(link: &Path, to: impl AsRef<Path>) {
    let new = link.with_file_name(".new-link");
    symlink(to, &new).and_then(|()| fs::rename(new, link)).expect("a link");
}

fn remove(server: &Server, file: &str) {
    fs::remove_file(place(server, file)).expect("a file");
}

/// Waits until a new room at this path answers `say` with this event.
async fn serves(server: &Server, path: &str, event: &str) {
    static ROOM: AtomicUsize = AtomicUsize::new(0);
    let served = async {
        loop {
            let room = ROOM.fetch_add(1, Ordering::Relaxed);
            if let Ok(mut client) = server.connect(&format!("{path}?room=r{room}")).await {
                client.send("say", json!({})).await;
                // The plugin may be retired in this moment.
                if client.event_or_end().await.is_some_and(|said| said["type"] == event) {
                    return;
                }
            }
            tokio::time::sleep(POLL).await;
        }
    };
    soon(&format!("{path} to answer with {event}"), served).await;
}

/// Waits until nothing serves this path.
async fn is_gone(server: &Server, path: &str) {
    let gone = async {
        while server.connect(path).await.is_ok() {
            tokio::time::sleep(POLL).await;
        }
    };
    soon(&format!("the end of {path}"), gone).await;
    assert_eq!(server.refused(path).await.status, 404);
}

/// Makes sure that what was written so far is dealt with, by the deployment of a file behind it.
async fn settle(server: &Server) {
    static PROBE: AtomicUsize = AtomicUsize::new(0);
    // Longer than a part of a file is borne with, and than a missing file is waited for.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let number = PROBE.fetch_add(1, Ordering::Relaxed);
    write(server, &format!("probe/p{number}.wasm"), &bare(&[]));
    server.wait_for_log(&["loaded", "probe", &format!("p{number}")]).await;
    remove(server, &format!("probe/p{number}.wasm"));
    server.wait_for_log(&["retired", "probe", &format!("p{number}")]).await;
}

/// How many lines of the log hold all of these words.
fn lines(server: &Server, words: &[&str]) -> usize {
    server.log().iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

/// What the API says of a plugin, served or not.
async fn told(server: &Server, plugin: &str) -> Value {
    server.request("GET", &format!("/_parlor/api/plugins/{plugin}")).operator().send().await.json()
}

/// What happened to a plugin, the oldest first.
async fn history(server: &Server, plugin: &str) -> Vec<String> {
    let told = told(server, plugin).await;
    let entries = told["history"].as_array().unwrap_or_else(|| panic!("a history: {told}"));
    entries.iter().rev().map(|entry| entry["what"].as_str().expect("a word").to_owned()).collect()
}

async fn version(server: &Server, plugin: &str) -> String {
    told(server, plugin).await["version"].as_str().expect("a version").to_owned()
}
