//! `parlor new`, `build`, `check` and `dev` in Python, and the SDK's own tests.

use std::fs;

use crate::harness::folder::Folder;
use crate::harness::{root, toolchains};
use crate::language::{PYTHON, is_refused, parlor, save, succeeds};

#[tokio::test]
async fn a_new_project_is_built_checked_and_served_with_what_it_imports() {
    if PYTHON.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let project = PYTHON.project(&folder, "fresh-python", &["python3 -m unittest"]);
    let mypy = toolchains::program("mypy");
    succeeds(&project, mypy, &["--strict", "--cache-dir", "/dev/null", "src", "tests"]);
    let built = parlor(&project, &["build", "--out", "dist"]);
    assert!(built.err.contains("fresh-python: making a component of the plugin and of Python"), "{}", built.err);
    let checked = parlor(&project, &["check", "dist/fresh-python.wasm"]).out;
    assert!(checked.contains("parlor:room/storage") && !checked.contains("parlor:room/alarm"), "{checked}");
    assert!(!checked.contains("wasi:"), "{checked}");
    let component = fs::read(project.join("dist/fresh-python.wasm")).expect("a component");
    crate::new::serves_component(component, "fresh-python").await;
}

/// What is wrong is told where the author looks, with its place: by a build, and by `parlor dev`.
#[tokio::test]
async fn a_save_is_served_and_mistakes_are_told_with_their_lines() {
    if PYTHON.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let mut room = PYTHON.dev(&folder).await;
    let code = room.project.join("src/room.py");
    let good = fs::read_to_string(&code).expect("a room");

    let imports =
        good.replace("import Ctx", "import Ctx, RoomError").replace("from parlor", "import words\nfrom parlor");
    save(&code.with_file_name("words.py"), "LOUD = 'HEY '\n");
    room.served(1).await;
    let better = imports.replace("\"text\": message.text", "\"text\": words.LOUD + message.text");
    save(&code, &better);
    room.served(2).await;
    room.is_loud().await;

    let broken = [
        (better.replace("def say(", "def say(("), "SyntaxError"),
        (better.replace("import words", "import nowhere"), "ModuleNotFoundError: nowhere"),
        (better.replace("COUNT = \"count\"", "COUNT = 1 / 0"), "ZeroDivisionError: division by zero"),
        (better.replace("message: Say", "message: Nobody"), "'Nobody' is not defined"),
    ];
    for (number, (text, words)) in broken.into_iter().enumerate() {
        save(&code, &text);
        let told = room.fails(number + 1, &["dev-python: ", words], words).await;
        let has_place = told.contains("room.py:") || words.contains("Nobody");
        assert!(has_place, "{told}");
        // The version before serves on.
        room.is_loud().await;
    }
    save(&code, &good);
    room.served(3).await;
}

#[test]
fn what_is_wrong_with_a_project_is_told() {
    if PYTHON.is_left_out() {
        return;
    }
    let folder = Folder::new();
    let project = PYTHON.project(&folder, "bad", &[]);
    let manifest = fs::read_to_string(project.join("pyproject.toml")).expect("a manifest");
    let room = fs::read_to_string(project.join("src/room.py")).expect("a room");
    for (text, words) in [
        (manifest.replace("src/room.py", "src/nowhere.py"), "src/nowhere.py"),
        (manifest.replace("\"sockets\"", "\"disk\""), "`imports` names \"disk\", which the contract does not have"),
        (manifest.replace("entry =", "entrance ="), "there is no key `entrance` here; is `entry` meant?"),
    ] {
        fs::write(project.join("pyproject.toml"), text).expect("a manifest");
        is_refused(&project, words);
    }
    fs::write(project.join("pyproject.toml"), &manifest).expect("a manifest");
    fs::write(project.join("src/room.py"), room.replace("COUNT = \"count\"", "COUNT = 1 / 0")).expect("a room");
    let words = is_refused(&project, "ZeroDivisionError");
    assert!(words.contains("room.py") && words.contains("line 9"), "{words}");

    PYTHON.names_its_compiler(&project, "componentize-py is missing: `pip install componentize-py` installs it");
}

#[test]
fn the_sdks_examples_run_its_types_hold_and_the_quiz_passes_its_tests() {
    if PYTHON.is_left_out() {
        return;
    }
    let (sdk, quiz, python) =
        (root().join("guest-sdk/python"), root().join("plugins/quiz"), toolchains::program("python"));
    let pytest = ["-m", "pytest", "-q", "-p", "no:cacheprovider"];
    succeeds(&sdk, &python, &[&pytest[..], &["--doctest-modules", "parlor"]].concat());
    succeeds(&sdk, &python, &["-m", "mypy", "--cache-dir", "/dev/null"]);
    succeeds(&quiz, &python, &pytest);
    succeeds(&root().join("tests/guests/python/faults"), &python, &pytest);
    succeeds(&quiz, &python, &["-m", "mypy", "--strict", "--cache-dir", "/dev/null", "src/quiz.py"]);
}
