//! What somebody does who reads the README: a new project, its room replaced by the one on the page, built and served.

use std::fs;
use std::path::Path;

use super::blocks::page;
use crate::harness::command::parlor_in;
use crate::harness::folder::Folder;
use crate::harness::{Server, json, target_with_guests};

async fn greets(language: &str, file: &str, block: &str) {
    let room = page("README.md").blocks().into_iter().find(|it| it.language == block).expect("a room in the README");
    let folder = Folder::new();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let variables = [("CARGO_TARGET_DIR", target_with_guests()), ("XDG_CACHE_HOME", &cache)];
    let run = |folder: &Path, arguments: &[&str]| {
        let said = parlor_in(folder, arguments, &variables);
        assert!(said.success, "{arguments:?}: {}\n{}", said.out, said.err);
    };
    run(folder.path(), &["new", "greeter", "--lang", language]);
    let project = folder.path().join("greeter");
    fs::write(project.join(file), &room.text).expect("a file");
    run(&project, &["build", "--out", "dist"]);

    let component = fs::read(project.join("dist/greeter.wasm")).expect("a component");
    let server = Server::builder().file("greeter.wasm", component).start();
    let (mut ana, mut ben) = (server.join("/greet").await, server.join("/greet").await);
    for client in [&mut ana, &mut ben] {
        assert!(client.next_event("welcome").await["userId"].is_string());
    }
    ana.send("hello", json!({ "name": "" })).await;
    let refused = ana.next_event("error").await;
    assert_eq!((&refused["code"], &refused["message"]), (&json!("hello.nameless"), &json!("say who you are")));
    ana.send("hello", json!({ "name": "Ana" })).await;
    for client in [&mut ana, &mut ben] {
        assert_eq!(client.event().await, json!({ "type": "hello", "text": "Ana says hello" }));
    }
}

#[tokio::test]
async fn the_readmes_plugin_in_rust_is_built_and_greets() {
    greets("rust", "src/lib.rs", "rust").await;
}

#[tokio::test]
async fn the_readmes_plugin_in_typescript_is_built_and_greets() {
    greets("ts", "src/index.ts", "ts").await;
}

/// Both pages that begin with this room show the same one.
#[test]
fn the_first_room_is_the_one_of_the_readme() {
    let room = |path: &str, language: &str| {
        let found = page(path).blocks().into_iter().find(|block| block.language == language);
        found.unwrap_or_else(|| panic!("no {language} in {path}")).text
    };
    for language in ["rust", "ts"] {
        assert_eq!(room("README.md", language), room("docs/authors/first-room.md", language));
    }
}
