//! The page of the harness: its steps have the answers that it shows, and its client in Python works.

use std::process::{Command, Stdio};

use super::blocks::{Page, page};
use crate::harness::plugin;
use crate::harness::room::{HarnessRoom, cache, room};

/// The marker of what a page shows as answers to the steps above.
pub const ANSWERS: &str = "answers";
const PAGE: &str = "docs/authors/harness.md";

/// The steps of a page, each with its answer.
fn steps(page: &Page) -> Vec<(String, String)> {
    let mut blocks = page.blocks().into_iter().filter(|block| block.language == "jsonl");
    let mut steps = Vec::new();
    while let Some(asked) = blocks.next() {
        let answers = blocks.next().filter(|block| block.marker.as_deref() == Some(ANSWERS));
        let answers = answers.unwrap_or_else(|| panic!("{}: no answers follow", asked.place()));
        assert_eq!(asked.text.lines().count(), answers.text.lines().count(), "{}", answers.place());
        let lines = asked.text.lines().zip(answers.text.lines());
        steps.extend(lines.map(|(step, answer)| (step.to_owned(), answer.to_owned())));
    }
    steps
}

fn chat() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("chat.wasm");
    std::fs::write(&file, plugin("chat")).expect("a file");
    (folder, file)
}

#[test]
fn the_steps_of_the_page_have_the_answers_that_it_shows() {
    let (_folder, file) = chat();
    let mut room = HarnessRoom::start(room(&file));
    let steps = steps(&page(PAGE));
    assert!(steps.len() > 5, "{steps:?}");
    for (step, answer) in steps {
        room.write(&step);
        assert_eq!(room.answer().trim_end(), answer, "{step}");
    }
}

#[test]
fn the_client_of_the_page_works() {
    let (folder, file) = chat();
    let clients: Vec<_> = page(PAGE).blocks().into_iter().filter(|block| block.language == "python").collect();
    let [client] = &clients[..] else { panic!("{clients:?}") };
    let script = folder.path().join("client.py");
    std::fs::write(&script, &client.text).expect("a file");
    let mut python = Command::new("python3");
    python.arg(&script).arg(&file).env("PARLOR", env!("CARGO_BIN_EXE_parlor")).env("PARLOR_CACHE", cache());
    let output = python.stdin(Stdio::null()).output().expect("Python 3");
    assert!(output.status.success(), "{}: {}", client.place(), String::from_utf8_lossy(&output.stderr));
}
