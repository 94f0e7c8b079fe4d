//! Projects in Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{build, count, told};
use crate::harness::folder::Folder;
use crate::harness::{Client, Server, Value, json, root, soon};

/// Projects in a folder of their own.
struct Projects(Folder);

impl Projects {
    fn new() -> Self {
        let projects = Self(Folder::new());
        fs::create_dir(projects.folder()).expect("a folder");
        projects
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("projects")
    }

    fn file(&self, file: &str) -> PathBuf {
        self.folder().join(file)
    }

    /// Writes a project of this name, which serves `/NAME`, as its first version.
    fn add(&self, name: &str) {
        let sdk = root().join("guest-sdk/rust");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
             [dependencies]\nparlor-guest = {{ path = {sdk:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\n\
             [package.metadata.parlor.config]\nmotd = \"be kind\"\n\n[workspace]\n"
        );
        fs::create_dir_all(self.file(name).join("src")).expect("a folder");
        // The versions that the repository has, so that nothing is asked of a registry.
        fs::copy(root().join("Cargo.lock"), self.file(name).join("Cargo.lock")).expect("a lock file");
        fs::write(self.file(name).join("src/motd.txt"), "hello").expect("a text");
        self.save(name, "one");
        fs::write(self.file(name).join("Cargo.toml"), manifest).expect("a manifest");
    }

    /// Saves a version of the project's code.
    fn save(&self, name: &str, version: &str) {
        let code = format!(
            "use parlor_guest::prelude::*;\n\n#[parlor_guest::room(name = \"{name}\", path = \"/{name}\")]\n\
             pub fn room(room: &mut Room) {{\n    room.on(\"version\", |ctx, _: Value| {{\n        \
             ctx.emit(\"version\", json!({{ \"is\": \"{version}\", \"motd\": ctx.config(\"motd\"), \
             \"text\": include_str!(\"motd.txt\") }}))\n    }});\n}}\n"
        );
        fs::write(self.code(name), code).expect("a file of code");
    }

    fn code(&self, name: &str) -> PathBuf {
        self.file(name).join("src/lib.rs")
    }
}

/// Which version a room runs.
async fn version(client: &mut Client) -> Value {
    client.send("version", json!({})).await;
    client.next_event("version").await["is"].take()
}

/// Waits until the room of a socket runs a version: rooms move one after the other.
async fn becomes(client: &mut Client, wanted: &str) {
    let moved = async {
        while version(client).await != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(&format!("the room to run {wanted}"), moved).await;
}

#[tokio::test]
async fn what_is_saved_is_served_and_what_does_not_build_is_told() {
    let projects = Projects::new();
    projects.add("dev-one");
    let server = Server::builder().dev(&projects.folder()).start();
    let mut ada = server.join("/dev-one?room=a").await;
    assert_eq!(version(&mut ada).await, "one");

    projects.save("dev-one", "two");
    let line = told(&server, 1, &["dev-one: saved -> served in", " s"]).await;
    assert!(line.starts_with("dev-one: saved -> served in "), "{line}");
    becomes(&mut ada, "two").await;
    let mut bob = server.join("/dev-one?room=b").await;
    assert_eq!(version(&mut bob).await, "two");
    assert_eq!(build(&server, "dev-one").await["state"], "served");

    fs::write(projects.code("dev-one"), "compile_error!(\"broken on purpose\");").expect("a file of code");
    told(&server, 1, &["dev-one: the server goes on to serve what was built before"]).await;
    let failed = build(&server, "dev-one").await;
    let words = failed["words"].as_str().expect("words");
    assert!(failed["state"] == "failed" && words.contains("broken on purpose"), "{failed}");
    assert!(!words.contains('\x1b'));
    assert_ne!(count(&server, "error: broken on purpose"), 0, "the terminal shows what the compiler says");
    assert_eq!(version(&mut bob).await, "two");

    projects.save("dev-one", "three");
    told(&server, 2, &["dev-one: saved -> served in"]).await;
    let mut cat = server.join("/dev-one?room=c").await;
    assert_eq!(version(&mut cat).await, "three");
    // Sockets live through all of it, and speak to the newest version.
    for socket in [&mut ada, &mut bob] {
        becomes(socket, "three").await;
    }
    let builds = count(&server, "dev-one: building");

    // A file that is only touched, what an editor leaves beside it, and what cargo and the server write, are no changes.
    let code = fs::read(projects.code("dev-one")).expect("code");
    fs::write(projects.code("dev-one"), code).expect("a file of code");
    fs::write(projects.file("dev-one/src/.lib.rs.swp"), "x").expect("a file");
    fs::write(projects.file("dev-one/src/lib.rs~"), "x").expect("a file");
    fs::write(projects.file("dev-one/notes.md"), "x").expect("a file");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(count(&server, "dev-one: building"), builds);

    // What the code includes is part of it.
    fs::write(projects.file("dev-one/src/motd.txt"), "good morning").expect("a text");
    told(&server, 3, &["dev-one: saved -> served in"]).await;
    let mut dan = server.join("/dev-one?room=d").await;
    dan.send("version", json!({})).await;
    assert_eq!(dan.next_event("version").await["text"], "good morning");
}

#[tokio::test]
async fn a_project_that_comes_later_is_served_with_its_configuration_and_its_pages() {
    let projects = Projects::new();
    projects.add("dev-two");
    fs::write(projects.code("dev-two"), "nonsense").expect("a file of code");
    // What does not build at the start keeps nobody from starting.
    let mut server = Server::builder().dev(&projects.folder()).start();
    assert_eq!(build(&server, "dev-two").await["state"], "failed");
    assert_eq!(server.refused("/dev-two").await.status, 404);

    projects.add("dev-three");
    fs::create_dir(projects.file("dev-three/public")).expect("a folder");
    fs::write(projects.file("dev-three/public/index.html"), "<p>three</p>").expect("a page");
    told(&server, 1, &["dev-three: saved -> served in"]).await;
    let mut ada = server.join("/dev-three").await;
    ada.send("version", json!({})).await;
    assert_eq!(ada.next_event("version").await["motd"], "be kind");
    let page = server.request("GET", "/_parlor/pages/dev-three/").send().await;
    assert_eq!(page.status, 200);
    assert_eq!(server.request("GET", "/_parlor/example-client.js").send().await.status, 200);

    projects.save("dev-two", "mended");
    told(&server, 1, &["dev-two: saved -> served in"]).await;
    let mut bob = server.join("/dev-two").await;
    assert_eq!(version(&mut bob).await, "mended");

    // Its end ends the build that runs.
    projects.save("dev-two", "never served");
    told(&server, 3, &["dev-two: building"]).await;
    server.signal_interrupt();
    assert!(server.exited().await.success());
    assert!(!is_served(&server.folder().join("plugins/dev-two.wasm"), "never served"));
}

#[tokio::test]
async fn pages_get_the_client_of_socket_io_that_npm_installed_for_their_project_or_beside_it() {
    const PACKAGE: &str = "node_modules/socket.io-client/dist";
    let projects = Projects::new();
    projects.add("dev-one");
    fs::create_dir(projects.file("dev-one/public")).expect("a folder");
    // What projects share is no project that is skipped.
    fs::write(projects.file("package.json"), "{}").expect("a package");
    let server = Server::builder().dev(&projects.folder()).start();
    assert_eq!(count(&server, "is skipped"), 0);
    let get = async |file: &str| {
        let answer = server.request("GET", &format!("/_parlor/pages/dev-one/{PACKAGE}/{file}")).send().await;
        (answer.status, answer.header("access-control-allow-origin").map(str::to_owned), answer.body)
    };
    assert_eq!(get("client.js").await.0, 404);
    for (folder, text) in [("", "beside"), ("dev-one/", "inside")] {
        let dist = projects.file(&format!("{folder}{PACKAGE}"));
        fs::create_dir_all(&dist).expect("a folder");
        fs::write(dist.join("client.js"), text).expect("a file");
        assert_eq!(get("client.js").await, (200, Some("*".to_owned()), text.to_owned()));
    }
    for elsewhere in ["../package.json", "%2e%2e/package.json", "..%2fpackage.json"] {
        fs::write(projects.file("dev-one/node_modules/socket.io-client/package.json"), "{}").expect("a file");
        assert_eq!(get(elsewhere).await.0, 404, "{elsewhere}");
    }
}

/// Whether a component has these words in it.
fn is_served(component: &Path, words: &str) -> bool {
    let bytes = fs::read(component).expect("a component");
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}
