//! What was seen survives kill -9: the crash test with a handful of kills. `parlor-load crash` makes hundreds.

use std::path::Path;

use crash_check::Plan;

use crate::harness::{guest, scratch};

#[test]
fn what_clients_saw_survives_kills_under_load() {
    let folder = scratch("crash");
    let summary = crash_check::run(Plan {
        program: Path::new(env!("CARGO_BIN_EXE_parlor")),
        plugin: &guest("ledger"),
        folder: folder.path(),
        compiled: None,
        kills: 6,
        seed: 4,
        tells: false,
    });
    let summary = summary.unwrap_or_else(|why| panic!("{why:#}"));
    assert!(summary.acknowledged > 100 && summary.armed > 0, "hardly a load: {summary}");
    assert_eq!(summary.armed, summary.rang, "{summary}");
}
