//! One server at a time uses a data folder.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// The file in the data folder that the server holds a lock on, with the number of its process in it. The lock ends with
/// the process, however that ends; the file stays.
const FILE: &str = "lock";

/// The claim on a data folder, for as long as this lives.
#[derive(Debug)]
pub struct DataLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl DataLock {
    /// Claims the folder, which is made if it is missing. Fails where another server has it.
    pub fn take(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(FILE);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("data: {}", data.display()))?;
        let mut options = File::options();
        let open = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = open.with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Without the number the answer is still right.
                let _ = file.read_to_string(&mut holder);
                bail!(
                    "the data folder {} is in use by another server, process {}; a second server needs a data folder of \
                     its own",
                    data.display(),
                    holder.trim()
                );
            }
            Err(TryLockError::Error(why)) => {
                return Err(why).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        // The lock holds without the number, as on a full disk.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
}
