//! `parlor room` as a program that a test drives line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use super::{Value, target};

/// A component's room in a process of its own. It ends when this is dropped.
pub struct HarnessRoom {
    child: Child,
    steps: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The folder of compiled code that the tests share.
pub fn cache() -> PathBuf {
    target().join("test-room-cache")
}

/// The command, to which arguments may be added.
pub fn room(file: &Path) -> Command {
    let mut room = Command::new(env!("CARGO_BIN_EXE_parlor"));
    room.arg("room").arg(file).arg("--stdio").env("PARLOR_CACHE", cache());
    room
}

impl HarnessRoom {
    pub fn start(mut room: Command) -> Self {
        room.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = room.spawn().expect("the program runs");
        let (steps, answers) = (child.stdin.take(), child.stdout.take().expect("its output"));
        Self { child, steps, answers: BufReader::new(answers) }
    }

    /// Writes a line as it is.
    pub fn write(&mut self, line: &str) {
        let steps = self.steps.as_mut().expect("its input is open");
        steps.write_all(format!("{line}\n").as_bytes()).expect("it reads its steps");
    }

    /// The next answer, as it is.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        assert!(line.ends_with('\n'), "the program ended without an answer; its words are above: {line:?}");
        line
    }

    /// Does a step; answers its result, or the error.
    pub fn step(&mut self, step: &Value) -> Result<Value, String> {
        self.write(&step.to_string());
        let line = self.answer();
        let mut answer: Value = serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"));
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer.as_object_mut().and_then(|answer| answer.remove("ok")).expect("a result")),
        }
    }

    /// Ends its input, and waits for its end.
    pub fn end(mut self) -> ExitStatus {
        drop(self.steps.take());
        self.child.wait().expect("its end")
    }
}

impl Drop for HarnessRoom {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
