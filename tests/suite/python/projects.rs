//! `parlor new`, `build`, `check` and `dev` in Python, and the SDK's own tests.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::left_out;
use crate::dev::{build, told};
use crate::harness::command::{Said, said};
use crate::harness::folder::Folder;
use crate::harness::{Server, json, root, toolchains};

/// Runs a program with the compilers on its PATH, and leaves nothing behind in the sources.
pub fn run(folder: &Path, program: &Path, arguments: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", toolchains::path()).env("XDG_CACHE_HOME", toolchains::cache());
    command.env("PARLOR", env!("CARGO_BIN_EXE_parlor")).env("PYTHONDONTWRITEBYTECODE", "1");
    said(command, folder)
}

#[track_caller]
pub fn runs(folder: &Path, program: &Path, arguments: &[&str]) -> Said {
    let said = run(folder, program, arguments);
    assert!(said.success, "{arguments:?}: {}\n{}", said.out, said.err);
    said
}

/// Runs the command.
#[track_caller]
pub fn succeeds(folder: &Path, arguments: &[&str]) -> Said {
    runs(folder, Path::new(env!("CARGO_BIN_EXE_parlor")), arguments)
}

fn fails(folder: &Path, arguments: &[&str]) -> String {
    let said = run(folder, Path::new(env!("CARGO_BIN_EXE_parlor")), arguments);
    assert!(!said.success, "{arguments:?}: {}", said.out);
    said.err
}

/// Saves a file in one step.
fn save(file: &Path, text: &str) {
    let part = file.with_file_name(".saved");
    fs::write(&part, text).expect("a file");
    fs::rename(part, file).expect("a file");
}

#[tokio::test]
async fn a_new_project_is_built_checked_and_served_with_what_it_imports() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    let made = succeeds(folder.path(), &["new", "fresh-python", "--lang", "python"]);
    for words in ["made fresh-python, a plugin in Python", "parlor dev", "python3 -m unittest"] {
        assert!(made.out.contains(words), "{words}: {}", made.out);
    }
    let project = folder.path().join("fresh-python");
    let mypy = toolchains::program("mypy");
    runs(&project, &mypy, &["--strict", "--cache-dir", "/dev/null", "src", "tests"]);
    let built = succeeds(&project, &["build", "--out", "dist"]);
    assert!(built.err.contains("fresh-python: making a component of the plugin and of Python"), "{}", built.err);
    let checked = succeeds(&project, &["check", "dist/fresh-python.wasm"]).out;
    assert!(checked.contains("parlor:room/storage") && !checked.contains("parlor:room/alarm"), "{checked}");
    assert!(!checked.contains("wasi:"), "{checked}");
    let component = fs::read(project.join("dist/fresh-python.wasm")).expect("a component");
    crate::new::serves_component(component, "fresh-python").await;
}

/// What is wrong is told where the author looks, with its place: by a build, and by `parlor dev`.
#[tokio::test]
async fn a_save_is_served_and_mistakes_are_told_with_their_lines() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    succeeds(folder.path(), &["new", "dev-python", "--lang", "python", "rooms/one"]);
    let code = folder.path().join("rooms/one/src/room.py");
    let server = Server::builder()
        .dev(&folder.path().join("rooms"))
        .env("PATH", toolchains::path().to_str().expect("a path"))
        .env("XDG_CACHE_HOME", toolchains::cache().to_str().expect("a path"))
        .start();
    let mut ada = server.join("/dev-python").await;
    assert_eq!(ada.next_event("welcome").await["motd"], "be kind", "what pyproject.toml configures");
    let good = fs::read_to_string(&code).expect("a room");

    let imports =
        good.replace("import Ctx", "import Ctx, RoomError").replace("from parlor", "import words\nfrom parlor");
    save(&code.with_file_name("words.py"), "LOUD = 'HEY '\n");
    told(&server, 1, &["dev-python: saved -> served in", " s"]).await;
    let better = imports.replace("\"text\": message.text", "\"text\": words.LOUD + message.text");
    save(&code, &better);
    told(&server, 2, &["dev-python: saved -> served in", " s"]).await;
    ada.send("say", json!({ "text": "hi" })).await;
    assert_eq!(ada.next_event("said").await["text"], "HEY hi");

    let broken = [
        (better.replace("def say(", "def say(("), "SyntaxError"),
        (better.replace("import words", "import nowhere"), "ModuleNotFoundError: nowhere"),
        (better.replace("COUNT = \"count\"", "COUNT = 1 / 0"), "ZeroDivisionError: division by zero"),
        (better.replace("message: Say", "message: Nobody"), "'Nobody' is not defined"),
    ];
    for (number, (text, words)) in broken.into_iter().enumerate() {
        save(&code, &text);
        told(&server, 1, &["dev-python: ", words]).await;
        told(&server, number + 1, &["dev-python: the server goes on to serve"]).await;
        let failed = build(&server, "dev-python").await;
        let told = failed["words"].as_str().expect("words");
        assert!(failed["state"] == "failed" && told.contains(words), "{failed}");
        let has_place = told.contains("room.py:") || words.contains("Nobody");
        assert!(has_place, "{told}");
        ada.send("say", json!({ "text": "hi" })).await;
        assert_eq!(ada.next_event("said").await["text"], "HEY hi", "the version before serves on");
    }
    save(&code, &good);
    told(&server, 3, &["dev-python: saved -> served in", " s"]).await;
}

#[test]
fn what_is_wrong_with_a_project_is_told() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    succeeds(folder.path(), &["new", "bad", "--lang", "python"]);
    let project = folder.path().join("bad");
    let manifest = fs::read_to_string(project.join("pyproject.toml")).expect("a manifest");
    let room = fs::read_to_string(project.join("src/room.py")).expect("a room");
    for (text, words) in [
        (manifest.replace("src/room.py", "src/nowhere.py"), "src/nowhere.py"),
        (manifest.replace("\"sockets\"", "\"disk\""), "`imports` names \"disk\", which the contract does not have"),
        (manifest.replace("entry =", "entrance ="), "unknown field `entrance`"),
    ] {
        fs::write(project.join("pyproject.toml"), text).expect("a manifest");
        let said = fails(&project, &["build", ".", "--out", "dist"]);
        assert!(said.contains(words), "{words}: {said}");
    }
    fs::write(project.join("pyproject.toml"), &manifest).expect("a manifest");
    fs::write(project.join("src/room.py"), room.replace("COUNT = \"count\"", "COUNT = 1 / 0")).expect("a room");
    let words = fails(&project, &["build", ".", "--out", "dist"]);
    assert!(words.contains("room.py") && words.contains("ZeroDivisionError") && words.contains("line 9"), "{words}");

    // Without the compiler one line says what to install.
    let nothing = folder.path().join("nothing");
    fs::create_dir(&nothing).expect("a folder");
    let mut build = Command::new(env!("CARGO_BIN_EXE_parlor"));
    build.args(["build", "."]).env("PATH", &nothing).env("XDG_CACHE_HOME", toolchains::cache());
    let missing = said(build, &project);
    assert!(
        missing.err.contains("componentize-py is missing: `pip install componentize-py` installs it"),
        "{missing:?}"
    );
}

#[test]
fn the_sdks_examples_run_its_types_hold_and_the_quiz_passes_its_tests() {
    if left_out() {
        return;
    }
    let (sdk, quiz, python) =
        (root().join("guest-sdk/python"), root().join("plugins/quiz"), toolchains::program("python"));
    let pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"];
    runs(&sdk, &python, &[&pytest[..], &["--doctest-modules", "parlor"]].concat());
    runs(&sdk, &python, &["-m", "mypy", "--cache-dir", "/dev/null"]);
    runs(&quiz, &python, &pytest);
    runs(&root().join("tests/guests/python/faults"), &python, &pytest);
    runs(&quiz, &python, &["-m", "mypy", "--strict", "--cache-dir", "/dev/null", "src/quiz.py"]);
}
