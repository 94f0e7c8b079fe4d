//! A slow disk for one process and without a right to ask for: put before it with `LD_PRELOAD`, every `fdatasync` and
//! `fsync` takes `SLOW_DISK_MS` longer. Only who waits for the disk waits for it: no core is busy meanwhile, and no other
//! process has to load the disk.

// It stands in for functions of the C library, which cannot be done otherwise.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_long};
use std::sync::OnceLock;
use std::time::Duration;

#[cfg(target_arch = "x86_64")]
const FSYNC_AND_FDATASYNC: [c_long; 2] = [74, 75];
/// The numbers of all newer architectures.
#[cfg(not(target_arch = "x86_64"))]
const FSYNC_AND_FDATASYNC: [c_long; 2] = [82, 83];

// SAFETY: the C library's own function, of this signature.
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

fn late(number: c_long, file: c_int) -> c_int {
    static WAIT: OnceLock<Duration> = OnceLock::new();
    let told = || std::env::var("SLOW_DISK_MS").ok().and_then(|text| text.parse().ok());
    std::thread::sleep(*WAIT.get_or_init(|| Duration::from_millis(told().unwrap_or(0))));
    // SAFETY: both calls take one descriptor and touch no memory; the C library sets `errno` as their callers expect.
    unsafe { syscall(number, file) as c_int }
}

/// Takes the place of the C library's.
// SAFETY: of the same signature and meaning.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(file: c_int) -> c_int {
    late(FSYNC_AND_FDATASYNC[0], file)
}

/// Takes the place of the C library's.
// SAFETY: of the same signature and meaning.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(file: c_int) -> c_int {
    late(FSYNC_AND_FDATASYNC[1], file)
}
