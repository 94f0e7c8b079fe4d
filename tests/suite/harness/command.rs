//! The program's other commands, as a user types them.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    pub out: String,
    pub err: String,
}

/// Runs `parlor` with these arguments in a folder.
pub fn parlor(folder: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_parlor"))
        .current_dir(folder)
        .args(arguments)
        .env_remove("PARLOR_OPERATOR_TOKEN")
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Said { success: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
}
