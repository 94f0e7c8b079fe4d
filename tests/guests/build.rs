//! Makes a copy of the plugin `tickets` that loses seats: whoever bought one may let it go as if it were held. The source is the plugin's
//! own, so that the copy has no other fault.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// What refuses to give back a seat that is sold, and what stands in its place.
const RIGHT: &str = "Err(reject(\"seat.sold\", format!(\"you have bought {name}\")))";
const WRONG: &str = "Ok(())";
const MODULE: &str = "mod hall;";

/// A file of the plugin, without what is only for the head of a crate or of a module.
fn source(name: &str) -> String {
    let file = Path::new("../../plugins/tickets/src").join(name);
    println!("cargo::rerun-if-changed={}", file.display());
    let source = fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    source.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect()
}

fn main() {
    let plugin = source("lib.rs");
    assert!(plugin.contains(RIGHT) && plugin.contains(MODULE), "`tickets` is another one now: plant the fault anew");
    let planted = plugin.replace(RIGHT, WRONG).replace(MODULE, &format!("mod hall {{\n{}}}", source("hall.rs")));
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo names a folder"));
    fs::write(folder.join("lost_seat.rs"), planted).expect("the copy can be written");
}
