//! Tapes of `parlor dev`, which records always.

use std::fs;

use crate::dev::told;
use crate::harness::command::parlor;
use crate::harness::folder::Folder;
use crate::harness::{Server, json, root};

/// A plugin that keeps a secret, counts, and panics in the line that says so.
const CODE: &str = r#"use parlor_guest::prelude::*;

#[parlor_guest::room(name = "dev-tape", path = "/dev-tape")]
pub fn room(room: &mut Room) {
    room.on("count", |ctx, _: Value| {
        let count = ctx.storage().get::<u32>("count")?.unwrap_or_default() + 1;
        ctx.storage().put("count", &count)?;
        ctx.emit("count", json!({ "is": count, "motd": ctx.config("motd"), "as": ctx.config("api-token").is_some() }))
    });
    room.on("boom", |ctx, _: Value| {
        let count = ctx.storage().get::<u32>("count")?;
        if count == Some(2) { panic!("two is too many"); }
        ctx.emit("fine", json!({}))
    });
}
"#;

#[tokio::test]
async fn a_turn_that_fails_says_how_to_replay_it_and_the_replay_has_file_and_line() {
    let folder = Folder::new();
    let project = folder.path().join("dev-tape");
    fs::create_dir_all(project.join("src")).expect("a folder");
    let sdk = root().join("guest-sdk/rust");
    let manifest = format!(
        "[package]\nname = \"dev-tape\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\nparlor-guest = {{ path = {sdk:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\n\
         [package.metadata.parlor.config]\nmotd = \"be kind\"\napi-token = \"hush\"\n\n[workspace]\n"
    );
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).expect("a lock file");
    fs::write(project.join("src/lib.rs"), CODE).expect("a file of code");
    fs::write(project.join("Cargo.toml"), manifest).expect("a manifest");
    let server = Server::builder().dev(&project).start();
    let mut ada = server.join("/dev-tape?room=lobby").await;
    for count in 1..=2 {
        ada.send("count", json!({})).await;
        let counted = ada.next_event("count").await;
        assert_eq!(
            (&counted["is"], &counted["motd"], &counted["as"]),
            (&json!(count), &json!("be kind"), &json!(true))
        );
    }
    ada.send("boom", json!({})).await;
    let line = told(&server, 1, &["replay it: parlor replay "]).await;
    let (_, command) = line.split_once("parlor replay ").expect("a command");
    let file = command.split_whitespace().next().expect("a file");
    assert_eq!(file, ".parlor/tapes/dev-tape-lobby-3.tape");

    // The component lies beside it.
    let said = parlor(server.folder(), &["replay", file]);
    let panics = CODE.lines().position(|line| line.contains("panic!")).expect("a line") + 1;
    assert!(said.success && said.out.contains("the same outcome: 3 turns"), "{said:?}");
    assert!(said.err.contains(&format!("src/lib.rs:{panics}:")) && said.err.contains("two is too many"), "{said:?}");
    // What looks like a secret is on no tape; the rest is.
    let dumped = parlor(server.folder(), &["replay", file, "--dump"]);
    assert!(!dumped.out.contains("hush") && dumped.out.contains("be kind"), "{dumped:?}");
    let tape = fs::read(server.folder().join(file)).expect("a tape");
    assert!(!tape.windows(4).any(|bytes| bytes == b"hush"));
    // Version control need not know of them.
    assert_eq!(fs::read_to_string(server.folder().join(".parlor/tapes/.gitignore")).expect("a file"), "*\n");
}
