//! What was seen survives kill -9: the crash test with a handful of kills. `parlor-load crash` makes hundreds.

use std::path::Path;

use crash_check::Plan;

use crate::harness::{Folder, guest};

#[test]
fn what_clients_saw_survives_kills_under_load() {
    let folder = Folder::new();
    let summary = crash_check::run(Plan {
        program: Path::new(env!("CARGO_BIN_EXE_parlor")),
        plugin: &guest("ledger"),
        folder: &folder.path().join("crash"),
        compiled: Some(&folder.path().join("data/compiled")),
        kills: 6,
        seed: 4,
        tells: false,
    });
    let summary = summary.unwrap_or_else(|why| {
        // What was found wrong can be looked at.
        std::mem::forget(folder);
        panic!("{why:#}")
    });
    assert!(summary.acknowledged > 100 && summary.acks > 100 && summary.armed > 0, "hardly a load: {summary}");
    assert_eq!(summary.armed, summary.rang, "{summary}");
}
