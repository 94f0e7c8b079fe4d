//! A server of its own for each test: the real program, on a port that it picks itself.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::builder::{Builder, NotStarted};
use super::folder::Folder;
use super::{Client, Request, Response, Value, soon};

/// How often a test looks again for what it waits for.
pub(super) const POLL: Duration = Duration::from_millis(5);

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: Folder,
    builder: Builder,
}

impl Server {
    /// A server whose process runs already.
    pub(super) fn of(builder: Builder, folder: Folder, child: Child, address: SocketAddr) -> Self {
        Self { child, address, folder, builder }
    }

    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Serves one test guest with all defaults.
    pub fn with_guest(guest: &str) -> Self {
        Self::builder().guest(guest).start()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it runs: its folders `plugins` and `data` are in here.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A request with no more than a `Host`.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.address, method, path)
    }

    /// Asks for a socket.
    pub async fn connect(&self, path: &str) -> Result<Client, Response> {
        self.request("GET", path).websocket().upgrade().await
    }

    /// Gets a socket.
    pub async fn join(&self, path: &str) -> Client {
        match self.connect(path).await {
            Ok(client) => client,
            Err(refused) => panic!("{path} was refused: {refused:?}"),
        }
    }

    /// Gets a socket and waits until it is a member of its room, for guests that answer `sync`; nothing comes before.
    pub async fn enter(&self, path: &str) -> Client {
        let mut client = self.join(path).await;
        client.expect_silence().await;
        client
    }

    /// Gets a socket and reads its greeting, the first event of this name.
    pub async fn enter_after(&self, path: &str, greeting: &str) -> Client {
        let mut client = self.join(path).await;
        client.expect(greeting).await;
        client
    }

    /// Asks for a socket, and is refused.
    pub async fn refused(&self, path: &str) -> Response {
        match self.connect(path).await {
            Ok(_) => panic!("{path} was not refused"),
            Err(refused) => refused,
        }
    }

    /// The processes that it started and that are not gone, by number and name.
    pub fn children(&self) -> Vec<(i32, String)> {
        let parent = self.child.id().to_string();
        let processes = fs::read_dir("/proc").expect("a system of processes").flatten();
        let stats = processes.filter_map(|process| fs::read_to_string(process.path().join("stat")).ok());
        // `pid (name) state parent ...`
        let child = |stat: String| {
            let (name, rest) = stat.rsplit_once(')')?;
            let (number, name) = name.split_once(" (")?;
            let is_child = rest.split_whitespace().nth(1) == Some(&parent);
            is_child.then(|| Some((number.parse().ok()?, name.to_owned())))?
        };
        stats.filter_map(child).collect()
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// How many descriptors it has open.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process())).expect("a process").count()
    }

    /// How many watches for events of files it holds; none where it holds no descriptor for them.
    pub fn inotify_watches(&self) -> Option<usize> {
        let infos = fs::read_dir(format!("/proc/{}/fdinfo", self.child.id())).expect("a process").flatten();
        let infos = infos.filter_map(|info| fs::read_to_string(info.path()).ok());
        infos.map(|info| info.matches("inotify wd:").count()).filter(|count| *count > 0).max()
    }

    /// What the API says of a plugin, with the operator's token: an entry of `/_parlor/api/plugins`.
    pub async fn plugin(&self, tenant: &str, plugin: &str) -> Value {
        let list = self.request("GET", "/_parlor/api/plugins").operator().send().await.json();
        let plugins = list["plugins"].as_array().expect("a list of plugins");
        let found = plugins.iter().find(|entry| entry["tenant"] == tenant && entry["plugin"] == plugin);
        found.unwrap_or_else(|| panic!("{tenant}/{plugin} is not served: {list}")).clone()
    }

    /// What the API says of a room: `tenant/plugin/room`.
    pub async fn room(&self, room: &str) -> Value {
        let path = format!("/_parlor/api/rooms/{room}");
        self.request("GET", &path).operator().send().await.json()
    }

    /// Waits until no room of a plugin, `tenant/plugin`, is open.
    pub async fn rooms_ended(&self, plugin: &str) {
        let path = format!("/_parlor/api/rooms/{plugin}");
        let ended = async {
            while self.request("GET", &path).operator().send().await.json()["rooms"] != serde_json::json!([]) {
                tokio::time::sleep(POLL).await;
            }
        };
        soon(&format!("the end of the rooms of {plugin}"), ended).await;
    }

    /// All that it logged so far.
    pub fn log(&self) -> Vec<String> {
        self.folder.log_lines()
    }

    /// Waits for a line of the log that holds all of these words; it may be there already.
    pub async fn wait_for_log(&self, words: &[&str]) -> String {
        let is_it = |line: &String| words.iter().all(|word| line.contains(word));
        let found = async {
            loop {
                match self.log().into_iter().find(is_it) {
                    Some(line) => return line,
                    None => tokio::time::sleep(POLL).await,
                }
            }
        };
        soon(&format!("the log to say {words:?}"), found).await
    }

    /// Sends SIGTERM without waiting for anything.
    pub fn signal_end(&self) {
        self.signal(Signal::TERM);
    }

    /// Sends a signal without waiting for anything.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal to the server");
    }

    /// What Ctrl-C sends.
    pub fn signal_interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// The next line of its standard output.
    pub fn says(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.child.stdout.as_mut().expect("stdout is piped");
        BufReader::with_capacity(1, stdout).read_line(&mut line).expect("a line of text");
        line.trim_end().to_owned()
    }

    /// Waits for its end.
    pub async fn exited(&mut self) -> ExitStatus {
        let wait = async {
            loop {
                match self.child.try_wait().expect("a child of ours") {
                    Some(status) => return status,
                    None => tokio::time::sleep(POLL).await,
                }
            }
        };
        soon("the server's end", wait).await
    }

    /// Ends it as a crash does: nothing of it is asked.
    pub fn kill(&mut self) {
        self.child.kill().expect("a signal to the server");
        self.child.wait().expect("a child of ours");
    }

    /// Starts it once more after its end, with the same configuration, plugins and data.
    pub fn start_again(&mut self) {
        (self.child, self.address) = match self.builder.spawn(&self.folder) {
            Ok(started) => started,
            Err(NotStarted { status, log }) => panic!("the server ended with {status}:\n{}", log.join("\n")),
        };
    }

    /// Gives the server a variable of its environment when it starts again.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.builder = self.builder.clone().env(name, value);
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal_end();
        self.exited().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log().join("\n"));
        }
    }
}
