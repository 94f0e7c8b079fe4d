//! The operations, by what of the SDK they call.

mod control;
mod emits;
mod sockets;
mod storage;
mod time;

use parlor_guest::{Result, Value};

use crate::scene::{Args, bad};

/// Runs an operation.
pub fn run(name: &str, args: &Args<'_>) -> Result<Value> {
    let groups = [emits::run, sockets::run, storage::run, time::run, control::run];
    let done = groups.iter().find_map(|group| group(name, args).transpose());
    done.unwrap_or_else(|| Err(bad(format!("there is no operation {name:?}"))))
}
