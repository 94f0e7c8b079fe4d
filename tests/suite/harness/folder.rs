//! Where a server of a test runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A temporary folder, gone with this value.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Made with an empty folder of plugins, and with a folder of data whose compiled code all servers share: it is
    /// named by content, so that each component is compiled once a run.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let name = format!("suite-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = all.join(name);
        let compiled = all.join("suite-compiled");
        for folder in [&path.join("plugins"), &path.join("data"), &compiled] {
            fs::create_dir_all(folder).expect("a folder");
        }
        std::os::unix::fs::symlink(compiled, path.join("data/compiled")).expect("a link to a folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The log is a file, so that whoever looks sees all that was written before.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// The whole lines of the log.
    pub fn log_lines(&self) -> Vec<String> {
        let bytes = fs::read(self.log()).expect("the file of the log");
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in Cargo's own temporary folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}
