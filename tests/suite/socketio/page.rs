//! The page for those who come from Socket.IO: its server and its plugin do the same for its client.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::docs::blocks::page;
use crate::docs::{CLIENT, SERVER};
use crate::harness::scripts::{install, script};
use crate::harness::{Server, root};

const PAGE: &str = "docs/authors/from-socket-io.md";

/// A program of the page, in the folder of a stock client, so that it finds what it imports.
struct Program(PathBuf);

impl Program {
    fn new(name: &str, text: &str) -> Self {
        let folder = root().join("tests/clients/javascript");
        install(&folder).unwrap_or_else(|why| panic!("{why}"));
        let file = folder.join(name);
        std::fs::write(&file, text).expect("a program");
        Self(file)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a client prints against a server.
fn printed(client: &Program, url: &str) -> Vec<String> {
    let output = Command::new("node").arg(&client.0).env("URL", url).output().expect("node");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().map(str::to_owned).collect()
}

/// A port that nobody listens on at the moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_of_the_page_and_its_plugin_do_the_same() {
    let blocks = page(PAGE).blocks();
    let place = blocks.iter().position(|block| block.marker.as_deref() == Some(SERVER)).expect("a server");
    let plugin = &blocks[place + 1];
    assert_eq!(plugin.language, "ts", "the plugin follows its server");
    let client = blocks.iter().find_map(|block| Some((block, block.marker.as_deref()?.strip_prefix(CLIENT)?)));
    let (client, prints) = client.expect("a client");
    let prints: Vec<&str> = prints.split(" | ").collect();
    let client = Program::new("page-client.mjs", &client.text);

    let port = free_port();
    let told = format!("{}\nsetImmediate(() => console.log(\"listens\"));\n", blocks[place].text);
    let server = Program::new("page-server.mjs", &told);
    let mut command = Command::new("node");
    command.arg(&server.0).env("PORT", port.to_string()).stdout(Stdio::piped());
    let mut theirs = Running(command.spawn().expect("node"));
    let mut line = String::new();
    BufReader::new(theirs.0.stdout.take().expect("stdout is piped")).read_line(&mut line).expect("a line");
    assert_eq!(printed(&client, &format!("http://127.0.0.1:{port}")), prints);

    let entry = root().join("tests/guests/scripts/page_of_socket_io.ts");
    std::fs::write(&entry, &plugin.text).expect("a module");
    let entry = Module(entry);
    let relative = Path::new("tests/guests/scripts/page_of_socket_io.ts");
    let ours =
        Server::builder().file("chat.wasm", script(relative.to_str().expect("text"), "page-of-socket-io")).start();
    drop(entry);
    assert_eq!(printed(&client, &format!("http://{}", ours.address())), prints);
}

/// A module that lies in the repository while it is built.
struct Module(PathBuf);

impl Drop for Module {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
