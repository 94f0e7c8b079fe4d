//! The program's other commands, as a user types them.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    /// None where a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs `parlor` with these arguments in a folder.
pub fn parlor(folder: &Path, arguments: &[&str]) -> Said {
    parlor_in(folder, arguments, &[])
}

/// The same, with these variables in its environment.
pub fn parlor_in(folder: &Path, arguments: &[&str], variables: &[(&str, &Path)]) -> Said {
    let mut parlor = Command::new(env!("CARGO_BIN_EXE_parlor"));
    parlor.args(arguments).env_remove("PARLOR_OPERATOR_TOKEN").envs(variables.iter().copied());
    said(parlor, folder)
}

/// Runs a program in a folder to its end.
pub fn said(mut program: Command, folder: &Path) -> Said {
    let output = program.current_dir(folder).stdin(Stdio::null()).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let status = output.status;
    Said { success: status.success(), code: status.code(), out: text(output.stdout), err: text(output.stderr) }
}
