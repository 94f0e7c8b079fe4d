//! What lies in the folder of plugins and is none: one clear line each, and everyone else is served.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use hostile_guests::bare;

use crate::harness::{Builder, Server, guest, json};

/// Serves these files beside a good plugin; each is told of in one line with these words, and the good one serves.
async fn assert_refused(builder: Builder, files: &[(&str, Vec<u8>, &[&str])]) {
    let mut builder = builder.file("zz-good.wasm", guest("echo"));
    for (path, bytes, _) in files {
        builder = builder.file(path, bytes.clone());
    }
    let server = builder.start();
    server.join("/echo").await.expect_silence().await;
    let log = server.log();
    for (path, _, words) in files {
        let lines: Vec<&String> = log.iter().filter(|line| line.contains(path)).collect();
        assert_eq!(lines.len(), 1, "one line for {path}: {lines:#?}");
        assert!(words.iter().all(|word| lines[0].contains(word)), "{path}: {words:?}: {}", lines[0]);
        assert!(!lines[0].contains(" INFO "), "{}", lines[0]);
    }
    // Nothing of them is served: the good one is alone.
    let list = server.request("GET", "/_parlor/api/plugins").operator().send().await.json();
    assert_eq!(list["plugins"].as_array().map(Vec::len), Some(1), "{list}");
}

#[tokio::test]
async fn files_that_are_no_components() {
    let good = bare(&[]);
    let wat = |text: &str| wat::parse_str(text).expect("a sample");
    let refused: &[(&str, Vec<u8>, &[&str])] = &[
        ("empty.wasm", Vec::new(), &["is not served", "is empty"]),
        ("text.wasm", b"#!/bin/sh\necho hello\n".to_vec(), &["is not served", "no WebAssembly component"]),
        ("short.wasm", good[..6].to_vec(), &["is not served", "no WebAssembly component"]),
        ("cut.wasm", good[..good.len() / 2].to_vec(), &["is not served", "does not compile"]),
        ("core.wasm", wat("(module)"), &["is not served", "is a core module, not a component"]),
        ("noise.wasm", [&good[..8], &[0xff; 64]].concat(), &["is not served", "does not compile"]),
    ];
    assert_refused(Server::builder(), refused).await;
}

#[tokio::test]
async fn components_that_are_no_plugins() {
    let wat = |text: &str| wat::parse_str(text).expect("a sample");
    let unknown = "(component (import \"novel:host/thing\" (func)))";
    let refused: &[(&str, Vec<u8>, &[&str])] = &[
        ("bare.wasm", wat("(component)"), &["is not served", "parlor:room/guest@0.1.0"]),
        ("missing.wasm", wat(unknown), &["is not served", "imports", "novel:host/thing"]),
        ("traps.wasm", in_init("unreachable"), &["is not served", "trapped"]),
        ("spins.wasm", in_init("(loop $again (br $again))"), &["is not served", "CPU time"]),
        (
            "grows.wasm",
            in_init("(drop (memory.grow (i32.const 2000))) unreachable"),
            &["is not served", "memory-bytes"],
        ),
        ("errs.wasm", refusing_init(), &["is not served", "not today"]),
        ("place.wasm", with_path("/t/acme"), &["is not served", "/t/acme"]),
        ("dots.wasm", with_path("/a/../b"), &["is not served", "/a/../b"]),
        ("large.wasm", bare(&[("at the end", "(memory $more 2000)")]), &["is not served"]),
    ];
    let bounds = "[limits]\ninit-cpu-ms = 100\nmemory-bytes = 16_777_216";
    assert_refused(Server::builder().config(bounds), refused).await;
}

/// A start function runs before `init`, and `init`'s own beginning is as good a place.
fn in_init(code: &str) -> Vec<u8> {
    bare(&[("at the end", &format!("(func $first {code}) (start $first)"))])
}

/// Writes over the path that `init` returns.
fn with_path(path: &str) -> Vec<u8> {
    let length = path.len();
    let start = format!("(data (i32.const 32) \"{path}\")");
    bare(&[
        ("at the end", &start),
        ("in init", &format!("(i32.store (i32.const 272) (i32.const {length})) (return (i32.const 256))")),
    ])
}

fn refusing_init() -> Vec<u8> {
    let code = "(i32.store8 (i32.const 256) (i32.const 1))
        (i32.store (i32.const 260) (i32.const 640))
        (i32.store (i32.const 264) (i32.const 9))
        (return (i32.const 256))";
    bare(&[("in init", code), ("at the end", "(data (i32.const 640) \"not today\")")])
}

#[tokio::test]
async fn a_path_that_is_taken() {
    let server = Server::builder()
        .file("first.wasm", bare(&[]))
        .file("second.wasm", bare(&[]))
        .file("other/first.wasm", bare(&[]))
        .start();
    let line = server.wait_for_log(&["second.wasm is not served"]).await;
    for word in ["default/second", "/bare", "default/first"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    // The first serves on, and another tenant has paths of its own.
    server.plugin("default", "first").await;
    for path in ["/bare", "/t/other/bare"] {
        let mut client = server.join(path).await;
        client.send("say", json!(path)).await;
        assert_eq!(client.expect("say").await["data"], path);
    }
}

#[tokio::test]
async fn names_that_are_none() {
    let good = bare(&[]);
    let long = format!("{}.wasm", "n".repeat(64));
    let refused: &[(&str, Vec<u8>, &[&str])] = &[
        ("Upper.wasm", good.clone(), &["cannot be a plugin", "a-z"]),
        ("two words.wasm", good.clone(), &["cannot be a plugin", "a-z"]),
        ("-dash.wasm", good.clone(), &["cannot be a plugin", "a-z"]),
        (&long, good.clone(), &["cannot be a plugin", "63"]),
        ("Tenant/fine.wasm", good.clone(), &[]),
    ];
    let (tenant, files) = refused.split_last().expect("a list");
    assert_refused(Server::builder(), files).await;
    let server =
        Server::builder().file(tenant.0, good).file("notes.txt", "of no concern").file(".hidden.wasm", "x").start();
    server.wait_for_log(&["plugins/Tenant is no tenant's folder"]).await;
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains("notes") || line.contains("hidden")), "{log:#?}");
}

#[tokio::test]
async fn a_file_that_is_too_large() {
    let bytes = bare(&[]);
    let bound = format!("[limits]\ncomponent-bytes = {}", bytes.len() - 1);
    let server = Server::builder().file("large.wasm", bytes).config(&bound).start();
    let line = server.wait_for_log(&["large.wasm is not served"]).await;
    assert!(line.contains("component-bytes"), "{line}");
}

#[tokio::test]
async fn a_project_is_skipped() {
    let server = Server::builder()
        .file("chat/Cargo.toml", "[package]")
        .file("chat/stray.wasm", bare(&[]))
        .file("script/package.json", "{}")
        .file("zz-good.wasm", guest("echo"))
        .start();
    for project in ["plugins/chat", "plugins/script"] {
        let line = server.wait_for_log(&[project]).await;
        assert!(line.contains("is a project") && line.contains("parlor dev"), "{line}");
    }
    assert!(!server.log().iter().any(|line| line.contains("stray")));
    server.join("/echo").await.expect_silence().await;
}

/// The one compiled file of a folder, its bytes, and its number, which it has until another takes its place.
fn compiled(folder: &Path) -> (std::path::PathBuf, Vec<u8>, u64) {
    let files: Vec<_> = fs::read_dir(folder).expect("the cache").map(|entry| entry.expect("a file").path()).collect();
    let [file] = &files[..] else { panic!("one compiled file, not {files:?}") };
    let number = file.metadata().expect("a file").ino();
    (file.clone(), fs::read(file).expect("compiled code"), number)
}

/// Serves this component, with a data folder that stays.
fn serve_from(data: &Path, component: Vec<u8>) -> Server {
    let data = data.to_str().expect("a path that is text");
    Server::builder().file("bare.wasm", component).flag("--data", data).start()
}

#[tokio::test]
async fn compiled_code_is_kept_in_a_private_folder_and_mistrusted() {
    let data = tempfolder("cache");
    let start = || serve_from(&data, bare(&[]));
    let serves = async |server: Server| {
        let mut client = server.join("/bare").await;
        client.send("say", json!(1)).await;
        client.expect("say").await;
    };
    serves(start()).await;
    let cache = data.join("compiled/default");
    for folder in [&data.join("compiled"), &cache] {
        assert_eq!(folder.metadata().expect("the cache").permissions().mode() & 0o777, 0o700);
    }
    let (file, code, number) = compiled(&cache);

    // The second start writes nothing anew.
    serves(start()).await;
    assert!(compiled(&cache) == (file.clone(), code.clone(), number));

    // Compiled code that was cut, overwritten or changed in one byte is made anew, and the log says so.
    let flipped = |place: usize| {
        let mut bytes = code.clone();
        bytes[place] ^= 0x40;
        bytes
    };
    let (last, third) = (code.len() - 1, code.len() / 3);
    let mut broken = vec![code[..code.len() / 2].to_vec(), code[..last].to_vec(), Vec::new(), b"no code".to_vec()];
    broken.push([&code[..], b"x"].concat());
    broken.extend([0, 100, third, 2 * third, last - 40, last - 20, last].map(flipped));
    for broken in broken {
        fs::write(&file, &broken).expect("the cache can be written");
        let server = start();
        let line = server.wait_for_log(&["cannot load", ".cwasm", "so the component is compiled again"]).await;
        assert!(line.contains("its checksum is"), "{line}");
        serves(server).await;
        assert!(compiled(&cache).1 == code, "compiled code that was broken is made anew");
    }

    // What was compiled of another component is not loaded, although it is whole.
    fs::write(&file, &code).expect("the cache can be written");
    let other = || serve_from(&data, bare(&[("at the end", "(func $other)")]));
    serves(other()).await;
    let entries = fs::read_dir(&cache).expect("the cache").map(|entry| entry.expect("a file").path());
    let others = entries.into_iter().find(|path| *path != file).expect("the other component's code");
    fs::copy(&file, &others).expect("the cache can be written");
    let server = other();
    server.wait_for_log(&["cannot load", "its checksum is wrong"]).await;
    serves(server).await;

    // Nobody passes it off as a component.
    let server = Server::builder().file("posing.wasm", code).start();
    let line = server.wait_for_log(&["posing.wasm is not served"]).await;
    assert!(line.contains("precompiled"), "{line}");
    fs::remove_dir_all(&data).expect("a folder of ours");
}

/// Files of others are not this server's, although they lie in its folder.
#[tokio::test]
async fn compiled_code_of_another_user_is_not_loaded() {
    let data = tempfolder("foreign");
    let start = || serve_from(&data, bare(&[]));
    drop(start());
    let (file, _, number) = compiled(&data.join("compiled/default"));
    // Only root can give a file away.
    if std::os::unix::fs::chown(&file, Some(12_345), None).is_ok() {
        let server = start();
        server.wait_for_log(&["cannot load", "it belongs to the user 12345"]).await;
        assert_ne!(compiled(&data.join("compiled/default")).2, number);
    }
    fs::remove_dir_all(&data).expect("a folder of ours");
}

/// A folder of this run, made anew.
fn tempfolder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder
}

#[test]
fn a_folder_that_is_missing_or_a_file() {
    for (folder, words) in [("nowhere", "nowhere"), ("parlor.toml", "parlor.toml")] {
        let ended = Server::builder().flag("--plugins", folder).try_start().expect_err("there is nothing to serve");
        let last = ended.log.last().expect("a line that says why");
        assert_eq!(ended.status.code(), Some(1));
        assert!(last.starts_with("parlor: cannot read the plugin folder") && last.contains(words), "{last}");
    }
}
