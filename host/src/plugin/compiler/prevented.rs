//! Faults of the machine: a component is not compiled, and that is not its fault.

use std::fmt;
use std::path::Path;

/// The child's exit code where the machine prevented it, of `sysexits.h`: `EX_IOERR`.
pub const EXIT_CODE: i32 = 74;

/// Why there is no native code, through no fault of the component: it may compile later.
#[derive(Debug)]
pub struct Prevented(pub(super) String);

impl Prevented {
    /// An error that the machine is to blame for.
    pub(super) fn by(why: &anyhow::Error) -> anyhow::Error {
        Self(format!("{why:#}")).into()
    }
}

impl fmt::Display for Prevented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Prevented {}

/// A file of the host's own cannot be written.
pub(super) fn unwritten(file: &Path, why: impl fmt::Display) -> anyhow::Error {
    Prevented(format!("cannot write {}: {why}", file.display())).into()
}
