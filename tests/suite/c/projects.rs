//! `parlor new`, `build`, `check` and `dev` in C, and the tests that lie beside the code in C.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::left_out;
use crate::dev::{build, told};
use crate::harness::command::{Said, said};
use crate::harness::folder::Folder;
use crate::harness::{Server, json, root, toolchains};

/// Runs a program with the compilers on its PATH.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path_with_parlor()).env("XDG_CACHE_HOME", toolchains::cache());
    said(command, folder)
}

/// The compilers' PATH, with the program itself.
fn path_with_parlor() -> std::ffi::OsString {
    let parlor = Path::new(env!("CARGO_BIN_EXE_parlor")).parent().expect("a folder").to_owned();
    let folders = std::iter::once(parlor).chain(std::env::split_paths(toolchains::path()));
    std::env::join_paths(folders).expect("a PATH")
}

#[track_caller]
fn succeeds(folder: &Path, program: &str, arguments: &[&str]) -> Said {
    let said = run(folder, program, arguments);
    assert!(said.success, "{program} {arguments:?}: {}\n{}", said.out, said.err);
    said
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
    let made = succeeds(folder.path(), "parlor", &["new", "fresh-c", "--lang", "c"]);
    for words in ["made fresh-c, a plugin in C", "parlor dev", "make test", "parlor build"] {
        assert!(made.out.contains(words), "{words}: {}", made.out);
    }
    let project = folder.path().join("fresh-c");
    let tested = succeeds(&project, "make", &["test"]);
    assert!(tested.out.contains("3 passed"), "{}", tested.out);
    let checked = succeeds(&project, "parlor", &["check", "dist/fresh-c.wasm"]).out;
    assert!(checked.contains("clang") && !checked.contains("wasi:"), "{checked}");
    let component = fs::read(project.join("dist/fresh-c.wasm")).expect("a component");
    let home = folder.path().to_string_lossy().into_owned();
    assert!(!String::from_utf8_lossy(&component).contains(&home), "no place of this machine is in a component");
    crate::new::serves_component(component, "fresh-c").await;
}

/// What is wrong is told where the author looks, with file and line: by a build, and by `parlor dev`.
#[tokio::test]
async fn a_save_is_served_and_mistakes_are_told_with_their_lines() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    succeeds(folder.path(), "parlor", &["new", "dev-c", "--lang", "c", "rooms/one"]);
    let code = folder.path().join("rooms/one/src/room.c");
    let server = Server::builder()
        .dev(&folder.path().join("rooms"))
        .env("PATH", toolchains::path().to_str().expect("a path"))
        .start();
    let mut ada = server.join("/dev-c").await;
    assert_eq!(ada.next_event("welcome").await["motd"], "be kind", "what plugin.toml configures");
    let good = fs::read_to_string(&code).expect("a room");

    save(&code, &good.replace("pl_str(text)));", "pl_str(loud(text))));"));
    told(&server, 1, &["room.c:", "undeclared identifier 'loud'"]).await;
    told(&server, 1, &["dev-c: the server goes on to serve"]).await;
    let failed = build(&server, "dev-c").await;
    let words = failed["words"].as_str().expect("words");
    assert!(failed["state"] == "failed" && words.contains("room.c:2"), "{failed}");

    // A file that is new belongs to the plugin as well.
    let header = "const char *loud(const char *text);\n";
    save(&code.with_file_name("loud.h"), header);
    let text = "#include \"loud.h\"\n#include \"parlor.h\"\n\n\
                const char *loud(const char *text) { return pl_format(\"HEY %s\", text); }\n";
    save(&code.with_file_name("loud.c"), text);
    let louder = good.replace("pl_str(text)));", "pl_str(loud(text))));");
    save(&code, &louder.replace("#include <string.h>", "#include \"loud.h\"\n#include <string.h>"));
    told(&server, 1, &["dev-c: saved -> served in", " s"]).await;
    ada.send("say", json!({ "text": "hi" })).await;
    assert_eq!(ada.next_event("said").await["text"], "HEY hi");
}

#[test]
fn what_is_missing_is_named_in_a_line() {
    if left_out() {
        return;
    }
    let folder = Folder::new();
    succeeds(folder.path(), "parlor", &["new", "lost", "--lang", "c"]);
    let project = folder.path().join("lost");
    let mut parlor = Command::new(env!("CARGO_BIN_EXE_parlor"));
    parlor.args(["build", ".", "--out", "dist"]).env("PATH", "/nowhere");
    let no_zig = said(parlor, &project);
    let words = "zig is missing: plugins in C need zig 0.16 or newer, which is their compiler; `pip install ziglang`";
    assert!(!no_zig.success && no_zig.err.contains(words), "{}", no_zig.err);

    for (manifest, words) in [
        ("name = \"Lost\"\n", "the name \"Lost\" in "),
        ("name = \"lost\"\nsdk = \"nowhere\"\n", "where `sdk` of "),
        ("name = \"lost\"\nflags = 1\n", "plugin.toml is not what it must be"),
    ] {
        fs::write(project.join("plugin.toml"), manifest).expect("a file");
        let wrong = run(&project, "parlor", &["build", ".", "--out", "dist"]);
        assert!(!wrong.success && wrong.err.contains(words), "{words}: {}", wrong.err);
    }
    fs::write(project.join("plugin.toml"), "name = \"lost\"\n").expect("a file");
    fs::remove_dir_all(project.join("src")).expect("its sources");
    let empty = run(&project, "parlor", &["build", ".", "--out", "dist"]);
    assert!(!empty.success && empty.err.contains("there is no file of C in "), "{}", empty.err);
}

/// The example is as small as its page says, and its own tests pass.
#[test]
fn the_counter_is_small_and_its_tests_pass() {
    if left_out() {
        return;
    }
    let counter = root().join("plugins/counter");
    let tested = succeeds(&counter, "make", &["test"]);
    assert!(tested.out.contains("2 passed"), "{}", tested.out);
    let len = fs::metadata(counter.join("dist/counter.wasm")).expect("a component").len();
    assert!(len < 64 << 10, "{len} bytes");
}
