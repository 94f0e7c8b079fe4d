//! What the tests of plugins in C, Go and Python do alike: the language is a value.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dev::{build, told};
use crate::harness::command::{Said, said};
use crate::harness::folder::Folder;
use crate::harness::{Builder, Client, Server, Value, json, root, toolchains};

/// A language whose compiler comes by pip.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    /// As `--lang` has it.
    pub name: &'static str,
    /// As people write it.
    pub title: &'static str,
    /// The plugin that has one event for each fault, in a folder of `tests/guests`.
    pub faults: &'static str,
    /// Its code, as its author's messages call the file.
    pub code: &'static str,
}

pub const C: Language = Language { name: "c", title: "C", faults: "c-faults", code: "src/faults.c" };
pub const GO: Language = Language { name: "go", title: "Go", faults: "go-faults", code: "main.go" };
pub const PYTHON: Language = Language { name: "python", title: "Python", faults: "faults", code: "src/faults.py" };

impl Language {
    /// Whether this machine leaves the language out.
    pub fn is_left_out(self) -> bool {
        toolchains::is_left_out(self.name)
    }

    fn folder_of_faults(self) -> String {
        format!("tests/guests/{}/faults", self.name)
    }

    /// A server of the plugin with one event for each fault.
    pub fn faulty(self, limits: &str) -> Builder {
        let guest = toolchains::built(&self.folder_of_faults(), self.faults);
        let server = Server::builder().file(&format!("{}.wasm", self.faults), guest);
        server.config(&format!("[limits]\n{limits}")).log("warn,guest=debug")
    }

    /// The number of the line of that plugin that has this.
    #[track_caller]
    pub fn line(self, code: &str) -> usize {
        let file = root().join(self.folder_of_faults()).join(self.code);
        let source = fs::read_to_string(&file).expect("the guest's code");
        source.lines().position(|line| line.contains(code)).expect("a line of the guest") + 1
    }

    /// Makes a project and answers with its folder.
    #[track_caller]
    pub fn project(self, folder: &Folder, name: &str, words: &[&str]) -> PathBuf {
        let made = parlor(folder.path(), &["new", name, "--lang", self.name]);
        let first = format!("made {name}, a plugin in {}", self.title);
        for words in words.iter().chain(&[first.as_str(), "parlor dev", "parlor build"]) {
            assert!(made.out.contains(words), "{words}: {}", made.out);
        }
        folder.path().join(name)
    }

    /// Builds a project without any program of the language: a line says what to install.
    #[track_caller]
    pub fn names_its_compiler(self, project: &Path, words: &str) {
        let nothing = project.join("nothing");
        fs::create_dir(&nothing).expect("a folder");
        let mut build = command(env!("CARGO_BIN_EXE_parlor"), &["build", ".", "--out", "dist"]);
        build.env("PATH", &nothing);
        let missing = said(build, project);
        assert!(!missing.success && missing.err.contains(words), "{missing:?}");
    }

    /// `parlor dev` of a new project, and a client in its room.
    pub async fn dev(self, folder: &Folder) -> DevRoom {
        let name = format!("dev-{}", self.name);
        parlor(folder.path(), &["new", &name, "--lang", self.name, "rooms/one"]);
        let server = Server::builder()
            .dev(&folder.path().join("rooms"))
            .env("PATH", toolchains::path().to_str().expect("a path"))
            .env("XDG_CACHE_HOME", toolchains::cache().to_str().expect("a path"))
            .start();
        let mut client = server.join(&format!("/{name}")).await;
        assert_eq!(client.next_event("welcome").await["motd"], "be kind", "what the manifest configures");
        DevRoom { name, project: folder.path().join("rooms/one"), server, client }
    }
}

/// A project that `parlor dev` serves.
pub struct DevRoom {
    name: String,
    pub project: PathBuf,
    pub server: Server,
    client: Client,
}

impl DevRoom {
    /// So many saves are served.
    pub async fn served(&self, times: usize) {
        told(&self.server, times, &[&format!("{}: saved -> served in", self.name), " s"]).await;
    }

    /// A save cannot be served, the one of this number: all of these words tell why in the log, and this in the overview.
    pub async fn fails(&self, number: usize, words: &[&str], in_overview: &str) -> String {
        told(&self.server, 1, words).await;
        told(&self.server, number, &[&format!("{}: the server goes on to serve", self.name)]).await;
        let failed = build(&self.server, &self.name).await;
        let told = failed["words"].as_str().expect("words");
        assert!(failed["state"] == "failed" && told.contains(in_overview), "{failed}");
        told.to_owned()
    }

    /// What somebody says is said louder by the version that serves.
    pub async fn is_loud(&mut self) {
        self.client.send("say", json!({ "text": "hi" })).await;
        assert_eq!(self.client.next_event("said").await["text"], "HEY hi");
    }
}

/// The compilers' PATH, with the program itself.
fn path() -> OsString {
    let parlor = Path::new(env!("CARGO_BIN_EXE_parlor")).parent().expect("a folder").to_owned();
    let folders = std::iter::once(parlor).chain(std::env::split_paths(toolchains::path()));
    std::env::join_paths(folders).expect("a PATH")
}

/// A program with the compilers on its PATH, which leaves nothing behind in the sources.
fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path()).env("XDG_CACHE_HOME", toolchains::cache());
    command.env("PARLOR", env!("CARGO_BIN_EXE_parlor")).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs a program in a folder.
pub fn run(folder: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Said {
    said(command(program, arguments), folder)
}

/// Runs a program that ends well.
#[track_caller]
pub fn succeeds(folder: &Path, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Said {
    let said = run(folder, program, arguments);
    assert!(said.success, "{arguments:?}: {}\n{}", said.out, said.err);
    said
}

/// Runs the command, which ends well.
#[track_caller]
pub fn parlor(folder: &Path, arguments: &[&str]) -> Said {
    succeeds(folder, "parlor", arguments)
}

/// A project cannot be built, which these words tell.
#[track_caller]
pub fn is_refused(project: &Path, words: &str) -> String {
    let said = run(project, "parlor", &["build", ".", "--out", "dist"]);
    assert!(!said.success && said.err.contains(words), "{words}: {}", said.err);
    said.err
}

/// Saves a file in one step.
pub fn save(file: &Path, text: &str) {
    let part = file.with_file_name(".saved");
    fs::write(&part, text).expect("a file");
    fs::rename(part, file).expect("a file");
}

/// Sends an event that is acknowledged; answers the acknowledgement.
pub async fn request(client: &mut Client, event: &str, data: Value) -> Value {
    client.send_text(&json!({ "type": event, "data": data, "id": 1 }).to_string()).await;
    loop {
        let frame: Value = serde_json::from_str(&client.frame().await).expect("a frame");
        if frame["type"] == "ack" {
            return frame;
        }
    }
}
