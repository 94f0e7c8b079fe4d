//! `parlor new` and `parlor build`: what an author meets first, in both languages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::command::{Said, parlor, parlor_in, said};
use crate::harness::folder::Folder;
use crate::harness::{Server, json, target_with_guests};

/// What is built in Rust is built where the tests' guests are, so that what they share is compiled once.
fn build(folder: &Path, arguments: &[&str]) -> Said {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    parlor_in(folder, arguments, &[("CARGO_TARGET_DIR", target_with_guests()), ("XDG_CACHE_HOME", &cache)])
}

#[track_caller]
fn succeeds(said: Said) -> Said {
    assert!(said.success, "{}\n{}", said.out, said.err);
    said
}

/// A new project's room, on a real server.
async fn serves(component: &Path, name: &str) {
    serves_component(fs::read(component).expect("a component"), name).await;
}

pub async fn serves_component(bytes: Vec<u8>, name: &str) {
    let server = Server::builder()
        .file(&format!("{name}.wasm"), bytes)
        .config(&format!("[tenants.default.plugins.{name}]\nconfig = {{ motd = \"be brief\" }}"))
        .start();
    let mut ada = server.join(&format!("/{name}")).await;
    let welcome = ada.next_event("welcome").await;
    assert_eq!((&welcome["motd"], &welcome["said"]), (&json!("be brief"), &json!(0)));
    ada.send("say", json!({ "text": " " })).await;
    assert_eq!(ada.next_event("error").await["code"], "say.empty");
    ada.send("say", json!({ "text": "hello" })).await;
    let said = ada.next_event("said").await;
    assert_eq!((&said["number"], &said["text"], &said["from"]), (&json!(1), &json!("hello"), &welcome["userId"]));
}

#[tokio::test]
async fn a_new_project_in_rust_builds_is_tested_and_served() {
    let folder = Folder::new();
    let made = succeeds(parlor(folder.path(), &["new", "fresh-crate", "--lang", "rust"]));
    for words in ["made fresh-crate", "cd fresh-crate", "parlor dev", "cargo test", "parlor build"] {
        assert!(made.out.contains(words), "{words}: {}", made.out);
    }
    let project = folder.path().join("fresh-crate");
    succeeds(build(&project, &["build", "--out", "dist"]));
    serves(&project.join("dist/fresh-crate.wasm"), "fresh-crate").await;

    let mut test = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    test.args(["test", "--release"]).env("CARGO_TARGET_DIR", target_with_guests());
    assert!(succeeds(said(test, &project)).out.contains("3 passed"));
    nothing_of_this_machine(&project);
}

#[tokio::test]
async fn a_new_project_in_typescript_builds_is_tested_and_served() {
    let folder = Folder::new();
    let made = succeeds(parlor(folder.path(), &["new", "fresh-script", "--lang", "ts", "rooms/one"]));
    assert!(made.out.contains("cd rooms/one") && made.out.contains("npm test"), "{}", made.out);
    nothing_of_this_machine(&folder.path().join("rooms/one"));
    // All projects of a folder are built; a hidden folder, and a package that is something else, are none.
    fs::create_dir(folder.path().join("rooms/page")).expect("a folder");
    fs::write(folder.path().join("rooms/page/package.json"), "{ \"name\": \"page\" }").expect("a file");
    let built = succeeds(build(folder.path(), &["build", "rooms", "--out", "dist"]));
    assert!(built.err.contains("rooms/page is skipped: its package.json neither depends on"), "{}", built.err);
    assert!(built.err.contains("fresh-script: installing the packages of "), "{}", built.err);
    serves(&folder.path().join("dist/fresh-script.wasm"), "fresh-script").await;
    let checked = succeeds(parlor(folder.path(), &["check", "dist/fresh-script.wasm"]));
    assert!(checked.out.contains("language TypeScript (@parlor/guest "), "{}", checked.out);

    let project = folder.path().join("rooms/one");
    for script in ["test", "build"] {
        let mut npm = Command::new("npm");
        npm.args(["run", script]);
        succeeds(said(npm, &project));
    }
    assert!(project.join("dist/fresh-script.wasm").is_file());
}

/// A project can be moved and shared: no file of it names a place of this machine.
fn nothing_of_this_machine(project: &Path) {
    let mut folders = vec![project.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            let is_made = entry.ends_with("dist") || entry.ends_with("target") || entry.ends_with("node_modules");
            assert!(!entry.is_symlink(), "{}", entry.display());
            if entry.is_dir() && !is_made {
                folders.push(entry);
            } else if entry.is_file() {
                // The engine of scripts is no text.
                let text = String::from_utf8_lossy(&fs::read(&entry).expect("a file")).into_owned();
                let place = env!("CARGO_MANIFEST_DIR").trim_end_matches("/host");
                let is_filled_in = !text.contains("{{name}}") && !text.contains("{{crate}}");
                assert!(!text.contains(place) && is_filled_in, "{}", entry.display());
            }
        }
    }
}

#[test]
fn what_cannot_be_made_is_told_and_nothing_is_made() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("there")).expect("a folder");
    let before = fs::read_dir(folder.path()).expect("the folder").count();
    let long = "n".repeat(64);
    for (arguments, words) in [
        (["new", "there", "--lang", "ts"], "there is there already"),
        (["new", "Upper", "--lang", "ts"], "1 to 63 of a-z, 0-9 and -, not beginning with -"),
        (["new", &long, "--lang", "ts"], "1 to 63 of a-z"),
        (["new", "../out", "--lang", "ts"], "1 to 63 of a-z"),
        (["new", "1st", "--lang", "rust"], "begins with a letter"),
        (["new", "async", "--lang", "rust"], "means something else to Rust"),
        (["new", "fine", "--lang", "cobol"], "[possible values: rust, ts, c, go, python]"),
    ] {
        let said = parlor(folder.path(), &arguments);
        assert!(!said.success && said.err.contains(words), "{words}: {said:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), before);
}

/// Two files of code, of which one is wrong.
fn scripts(folder: &Path) {
    let good = "import { defineRoom } from \"verani\";\n\
                const room = defineRoom({ websocketPath: \"/lone\" });\n\
                room.on(\"say\", async (ctx, data: { text: string }) => ctx.emit.emit(\"said\", data));\n";
    fs::write(folder.join("lone.ts"), good).expect("a file");
    fs::write(folder.join("wrong.ts"), good.replace("data)", "data.txt)")).expect("a file");
    fs::write(folder.join("cut.js"), "import { defineRoom } from \"verani\";\ndefineRoom({").expect("a file");
}

#[tokio::test]
async fn one_file_is_a_plugin() {
    let folder = Folder::new();
    scripts(folder.path());
    succeeds(build(folder.path(), &["build", "lone.ts", "--out", "dist"]));
    let bytes = fs::read(folder.path().join("dist/lone.wasm")).expect("a component");
    let server = Server::builder().file("lone.wasm", bytes).start();
    let mut ada = server.join("/lone").await;
    ada.send("say", json!({ "text": "hi" })).await;
    assert_eq!(ada.next_event("said").await["text"], "hi");

    let wrong = build(folder.path(), &["build", "wrong.ts", "--out", "dist"]);
    assert!(!wrong.success && wrong.err.contains("wrong.ts(3,") && wrong.err.contains("'txt'"), "{wrong:?}");
    assert!(!build(folder.path(), &["build", "cut.js", "--out", "dist"]).success);
    assert_eq!(fs::read_dir(folder.path().join("dist")).expect("dist").count(), 1);
    for (place, words) in [
        (
            "plugins",
            "there is no plugin project in plugins: no folder with a Cargo.toml, package.json, pyproject.toml or plugin.toml",
        ),
        ("data", "there is no plugin project in data"),
        ("nowhere.ts", "cannot read the folder nowhere.ts"),
        ("parlor.toml", "parlor.toml is no plugin"),
    ] {
        fs::write(folder.path().join("parlor.toml"), "").expect("a file");
        let said = build(folder.path(), &["build", place]);
        assert!(!said.success && said.err.contains(words), "{words}: {said:?}");
    }
}

/// A package.json of a plugin, of which nothing is installed.
fn add_package(folder: &Path, text: &str) -> PathBuf {
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::write(folder.join("package.json"), text).expect("a manifest");
    fs::write(folder.join("src/index.ts"), "").expect("code");
    folder.to_owned()
}

#[test]
fn what_is_missing_is_named_with_what_installs_it() {
    let folder = Folder::new();
    let nothing = folder.path().join("nothing");
    fs::create_dir(&nothing).expect("a folder");
    add_package(&folder.path().join("script"), "{ \"name\": \"script\", \"parlor\": {} }");
    fs::create_dir(folder.path().join("rust")).expect("a folder");
    fs::write(folder.path().join("rust/Cargo.toml"), "[package]\nname = \"rust\"").expect("a manifest");

    let without = |place: &str| parlor_in(folder.path(), &["build", place], &[("PATH", &nothing)]);
    for (place, words) in [
        ("script", "script: node is missing: plugins in TypeScript need Node 20 or newer with npm; on Debian"),
        ("rust", "rust: cargo is missing: plugins in Rust need Rust 1.95 or newer, which rustup installs"),
    ] {
        let said = without(place);
        assert!(!said.success && said.err.starts_with(&format!("building {place} (1 of 1)\n")), "{said:?}");
        assert!(said.err.contains(words) && said.err.lines().count() == 2, "{words}: {said:?}");
    }

    // A Node that is too old.
    let old = folder.path().join("old");
    fs::create_dir(&old).expect("a folder");
    fs::write(old.join("node"), "#!/bin/sh\necho v18.20.4\n").expect("a program");
    fs::set_permissions(old.join("node"), fs::Permissions::from_mode(0o755)).expect("a program");
    let said = parlor_in(folder.path(), &["build", "script"], &[("PATH", &old)]);
    assert!(!said.success && said.err.contains("node is v18.20.4, which is too old"), "{said:?}");
}

#[test]
fn a_manifest_that_says_nonsense_is_told_of_and_keeps_nobody_else_from_being_built() {
    let folder = Folder::new();
    let rooms = folder.path().join("rooms");
    for (name, text) in [
        ("a-name", "{ \"name\": \"@x/y\", \"parlor\": {} }"),
        ("b-entry", "{ \"name\": \"entry\", \"parlor\": { \"entry\": \"gone.ts\" } }"),
        ("c-config", "{ \"name\": \"config\", \"parlor\": { \"config\": { \"seats\": 5 } } }"),
        ("d-json", "{ \"name\": "),
    ] {
        add_package(&rooms.join(name), text);
    }
    add_package(&rooms.join("e-good"), "{ \"name\": \"good\", \"parlor\": {} }");
    fs::write(rooms.join("e-good/src/index.ts"), "import { defineRoom } from \"verani\";\ndefineRoom({});\n")
        .expect("code");
    let said = build(folder.path(), &["build", "rooms", "--out", "dist"]);
    assert!(!said.success, "{said:?}");
    for words in [
        "rooms/a-name: the name \"@x/y\" in ",
        "gone.ts, which `parlor.entry` of ",
        "invalid type: integer `5`, expected a string at line 1",
        "d-json/package.json is not what it must be: EOF while parsing",
        "parlor: 4 of 5 projects did not build: rooms/a-name, rooms/b-entry, rooms/c-config, rooms/d-json\n",
    ] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    assert!(folder.path().join("dist/good.wasm").is_file());
}
