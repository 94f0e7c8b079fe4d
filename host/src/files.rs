//! Files that nobody ever sees a part of: written under another name, and renamed when they are whole.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;

/// What the extension of an unfinished file begins with.
pub const PARTIAL: &str = "tmp-";

/// An extension for an unfinished file that no other file has.
pub fn partial_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{PARTIAL}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Writes a file so that nobody ever sees a part of it.
pub fn write_whole(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let partial = file.with_extension(partial_name());
    let write = || {
        let mut new = File::create(&partial)?;
        new.write_all(bytes)?;
        // The name says that the file is whole, after a power failure too.
        new.sync_data()?;
        std::fs::rename(&partial, file)
    };
    write()
        .inspect_err(|_| drop(std::fs::remove_file(&partial)))
        .with_context(|| format!("cannot write {}", file.display()))
}
