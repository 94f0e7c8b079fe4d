//! `parlor check` and `parlor limits`: what a user is told before anything is served.

use std::fs;
use std::path::{Path, PathBuf};

use hostile_guests::{bare, with_core_instances};

use crate::harness::command::{Said, parlor};
use crate::harness::{Server, guest};

/// A folder with these files.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, files: &[(&str, &[u8])]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        for (file, bytes) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, bytes).expect("a file");
        }
        Self(path)
    }

    fn parlor(&self, arguments: &[&str]) -> Said {
        parlor(&self.0, arguments)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_good_component_is_described() {
    let folder = Folder::with("good", &[("echo.wasm", &guest("echo"))]);
    let said = folder.parlor(&["check", "echo.wasm"]);
    assert!(said.success, "{said:?}");
    for words in [
        "echo.wasm: ",
        "imports  parlor:room/",
        "wasi:io/poll@",
        "exports  parlor:room/guest@0.1.0",
        "needs    core instances ",
        "language Rust",
        " s of CPU, to ",
        " of native code",
        "a room   1.1 MiB of memory, of which ",
        " KiB are its own; opening it takes ",
        "path     /echo",
        "events   ",
        "the tenant default can load it as echo",
    ] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    // It leaves nothing behind.
    assert_eq!(fs::read_dir(&folder.0).expect("the folder").count(), 1);
}

#[test]
fn what_a_tenant_may_not_import_is_named() {
    let config = "[tenants.acme]\nimports = [\"parlor:room/events\", \"parlor:room/logging\", \"wasi:*\"]";
    let wrong = Folder::with("wrong", &[("parlor.toml", config.as_bytes()), ("bare.wasm", &bare(&[]))]);
    let said = wrong.parlor(&["check", "bare.wasm", "--tenant", "acme"]);
    assert!(!said.success && said.err.contains("tenants.acme.imports") && said.err.contains("wasi:*"), "{said:?}");

    let config = "[tenants.acme]\nimports = [\"parlor:room/events\"]";
    let folder = Folder::with("grants", &[("parlor.toml", config.as_bytes()), ("bare.wasm", &bare(&[]))]);
    let said = folder.parlor(&["check", "bare.wasm", "--tenant", "acme"]);
    let outbox = "parlor:room/outbox@0.1.0";
    assert!(!said.success && said.out.contains(&format!("{outbox}  (not granted)")), "{said:?}");
    assert_eq!(
        said.err.lines().last(),
        Some(&*format!(
            "parlor: the tenant acme could not load it as bare: imports {outbox}, which its tenant is not granted"
        ))
    );
    assert!(folder.parlor(&["check", "bare.wasm"]).success);
}

#[tokio::test]
async fn an_import_that_is_not_granted_keeps_the_plugin_out() {
    let server = Server::builder()
        .file("acme/bare.wasm", bare(&[]))
        .file("bare.wasm", bare(&[]))
        .config("[tenants.acme]\nimports = [\"parlor:room/events\", \"wasi:io/*\"]")
        .start();
    let line = server.wait_for_log(&["acme/bare.wasm is not served"]).await;
    assert!(line.contains("imports parlor:room/outbox@0.1.0, which its tenant is not granted"), "{line}");
    server.join("/bare").await;
}

#[test]
fn bad_files_are_told_of_in_one_line() {
    let many = with_core_instances(&bare(&[]), "(module)", 65);
    let folder = Folder::with(
        "bad",
        &[
            ("text.wasm", b"#!/bin/sh"),
            ("Bad Name.wasm", &bare(&[])),
            ("many.wasm", &many),
            ("empty.wasm", b""),
            ("core.wasm", b"\0asm\x01\0\0\0"),
            ("room/index.ts", b"export {};"),
            ("room/lib.rs", b"fn f() {}"),
        ],
    );
    for (file, words) in [
        ("text.wasm", "is no WebAssembly component"),
        ("empty.wasm", "is empty"),
        ("nowhere.wasm", "cannot read nowhere.wasm"),
        ("Bad Name.wasm", "--plugin"),
        ("core.wasm", "is a core module, not a component; build it for wasm32-wasip2"),
        ("room/index.ts", "is source code: `parlor build room/index.ts` makes a component of it"),
        ("room/lib.rs", "is source code: `parlor build` makes a component of its project's folder"),
        ("room", "is a folder: `parlor build room` makes components of the projects in it"),
        ("many.wasm", "core instances, more than core-instances-per-component: at most 64"),
    ] {
        let said = folder.parlor(&["check", file]);
        assert!(!said.success && said.err.contains(words), "{file}: {said:?}");
        assert_eq!(said.err.lines().filter(|line| line.starts_with("parlor: ")).count(), 1, "{said:?}");
    }
    assert!(folder.parlor(&["check", "Bad Name.wasm", "--plugin", "good-name"]).success);
    let said = folder.parlor(&["simulate", "."]);
    assert!(!said.success && said.err.contains(". is a folder: `parlor build .` makes"), "{said:?}");
}

/// What a component says of itself moves no terminal's cursor, and stands in its own line.
#[test]
fn what_a_component_says_is_printed_as_text() {
    let title = bare(&[("at the end", "(data (i32.const 16) \"\\1b\\0aZ\")")]);
    let folder = Folder::with("title", &[("title.wasm", &title)]);
    let said = folder.parlor(&["check", "title.wasm"]);
    assert!(said.success && said.out.contains("name     \u{fffd}\u{fffd}Z\n"), "{said:?}");
    assert!(!said.out.contains('\u{1b}') && !said.out.lines().any(|line| line.starts_with('Z')), "{said:?}");
}

/// The folder of the native code is one that nobody else on the machine can have made before.
#[test]
fn a_planted_folder_is_not_used() {
    let folder = Folder::with("planted", &[("bare.wasm", &bare(&[]))]);
    let script = "mkdir -p tmp/parlor-check-$$/compiled && TMPDIR=$PWD/tmp exec \"$0\" check bare.wasm";
    let parlor = env!("CARGO_BIN_EXE_parlor");
    let checked = std::process::Command::new("sh").args(["-c", script, parlor]).current_dir(&folder.0).output();
    let checked = checked.expect("a shell");
    assert!(checked.status.success(), "{checked:?}");
    let left: Vec<_> = fs::read_dir(folder.0.join("tmp")).expect("the folder").flatten().collect();
    assert!(left.len() == 1 && left[0].path().join("compiled").is_dir(), "the planted folder alone is left: {left:?}");
}

/// Too little memory even for the compiler's own threads is told like any other lack of it.
#[test]
fn no_memory_to_begin_with() {
    let config = "[limits]\ncompile-memory-bytes = 1";
    let folder = Folder::with("memory", &[("parlor.toml", config.as_bytes()), ("bare.wasm", &bare(&[]))]);
    let said = folder.parlor(&["check", "bare.wasm"]);
    assert!(!said.success && said.err.ends_with("more memory to compile than compile-memory-bytes: 1\n"), "{said:?}");
}

#[test]
fn a_table_that_is_too_large_is_named() {
    let large = bare(&[("at the end", "(table $large 20001 funcref)")]);
    let folder = Folder::with("table", &[("large.wasm", &large)]);
    let said = folder.parlor(&["check", "large.wasm"]);
    let words = "begins with a table of 20001 elements, more than table-elements: at most 20000\n";
    assert!(!said.success && said.err.ends_with(words), "{said:?}");
}

/// The line of a bound: its value, its scope and its source.
fn line<'a>(said: &'a Said, key: &str) -> Vec<&'a str> {
    let line = said.out.lines().find(|line| line.split(' ').next() == Some(key));
    line.unwrap_or_else(|| panic!("no {key}: {}", said.out))
        .split("  ")
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .collect()
}

#[test]
fn limits_say_where_they_come_from() {
    let file = "[limits]\nframe-bytes = 1_000\n[tenants.acme.limits]\nroom-linger-ms = 15_000";
    let tenant = "[limits]\nrooms-per-tenant = 7\n[plugins.chat.limits]\nturn-cpu-ms = 20";
    let folder =
        Folder::with("limits", &[("parlor.toml", file.as_bytes()), ("tenants/umbrella.toml", tenant.as_bytes())]);
    let own = folder.parlor(&["limits"]);
    assert!(own.success, "{own:?}");
    assert_eq!(line(&own, "frame-bytes"), ["frame-bytes", "1000 B", "plugin", "parlor.toml"]);
    assert_eq!(line(&own, "memory-bytes"), ["memory-bytes", "64 MiB", "plugin", "default"]);
    let acme = folder.parlor(&["limits", "acme"]);
    assert_eq!(line(&acme, "room-linger-ms"), ["room-linger-ms", "15 s", "plugin", "parlor.toml, tenants.acme"]);
    assert_eq!(line(&acme, "frame-bytes")[3], "parlor.toml");
    let chat = folder.parlor(&["limits", "umbrella/chat"]);
    assert_eq!(
        line(&chat, "turn-cpu-ms"),
        ["turn-cpu-ms", "20 ms", "plugin", "tenants/umbrella.toml, tenants.umbrella.plugins.chat"]
    );
    assert_eq!(line(&chat, "rooms-per-tenant")[1..], ["7", "tenant", "tenants/umbrella.toml, tenants.umbrella"]);
    let stranger = folder.parlor(&["limits", "stranger"]);
    assert!(stranger.success && stranger.err.contains("stranger"), "{stranger:?}");
    let json = folder.parlor(&["limits", "acme", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert!(rows.as_array().is_some_and(|rows| rows.len() > 50), "{rows}");
    let why = folder.parlor(&["limits", "--why"]).out;
    assert!(why.contains("Fifty times") && why.lines().all(|line| line.chars().count() <= 120), "{why}");
}

#[test]
fn a_bound_in_the_wrong_place_is_named() {
    for (file, words) in [
        ("[tenants.acme.limits]\ndrain-ms = 5", "tenants.acme: limits.drain-ms is a bound of the whole host"),
        ("[tenants.acme.limits]\nmemory-bytes = 100_000_000", "limits.memory-bytes must be at most 67108864"),
        ("tenant-files = \"nowhere\"", "tenant-files: cannot read the folder nowhere"),
    ] {
        let folder = Folder::with("place", &[("parlor.toml", file.as_bytes())]);
        let said = folder.parlor(&["limits"]);
        assert!(!said.success && said.err.contains(words), "{words}: {said:?}");
    }
}
