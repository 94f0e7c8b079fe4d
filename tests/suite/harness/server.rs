//! A server of its own for each test: the real program, on a port that it picks itself.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::folder::Folder;
use super::raised::with_raised;
use super::{Client, Request, Response, TOKEN, Value, build, soon};

/// How often a test looks again for what it waits for.
const POLL: Duration = Duration::from_millis(5);

/// What a server is started with.
#[derive(Debug, Clone)]
pub struct Builder {
    files: Vec<(String, Vec<u8>)>,
    config: String,
    command: Vec<String>,
    flags: Vec<(String, String)>,
    token: Option<String>,
    log: String,
    variables: Vec<(String, String)>,
    by_variables: bool,
}

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    folder: Folder,
    builder: Builder,
}

/// A server that ended before it served.
#[derive(Debug)]
pub struct NotStarted {
    pub status: ExitStatus,
    pub log: Vec<String>,
}

impl Builder {
    fn new() -> Self {
        let flags =
            [("--listen", "127.0.0.1:0"), ("--data", "data"), ("--plugins", "plugins"), ("--config", "parlor.toml")];
        Self {
            files: Vec::new(),
            config: String::new(),
            command: vec!["serve".to_owned()],
            flags: flags.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            token: Some(TOKEN.to_owned()),
            log: "info".to_owned(),
            variables: Vec::new(),
            by_variables: false,
        }
    }

    /// Serves a test guest as the plugin of its own name, of the tenant `default`.
    pub fn guest(self, guest: &str) -> Self {
        self.guest_as(guest, guest)
    }

    /// Serves a test guest at a place: `NAME` or `TENANT/NAME`.
    pub fn guest_as(self, guest: &str, place: &str) -> Self {
        let bytes = build::guest(guest);
        self.file(&format!("{place}.wasm"), bytes)
    }

    /// Serves an example plugin under its own name.
    pub fn plugin(self, plugin: &str) -> Self {
        self.plugin_as(plugin, plugin)
    }

    /// Serves an example plugin at a place: `NAME` or `TENANT/NAME`.
    pub fn plugin_as(self, plugin: &str, place: &str) -> Self {
        let bytes = build::plugin(plugin);
        self.file(&format!("{place}.wasm"), bytes)
    }

    /// Puts a file into the folder of plugins.
    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), bytes.into()));
        self
    }

    /// Adds lines to the configuration file.
    pub fn config(mut self, toml: &str) -> Self {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// Gives a flag of the command line another value: `--listen`, `--data`, `--plugins` or `--config`.
    pub fn flag(mut self, name: &str, value: &str) -> Self {
        let flag = self.flags.iter_mut().find(|(flag, _)| flag == name);
        let (_, old) = flag.unwrap_or_else(|| panic!("{name} is no flag of the command"));
        value.clone_into(old);
        self
    }

    /// Sets up the server by environment variables, `PARLOR_LISTEN` for `--listen` and so on, and gives it no flags.
    pub fn by_variables(mut self) -> Self {
        self.by_variables = true;
        self
    }

    /// Runs `parlor dev` for the projects of a folder. They are built where the tests' guests are, so that what they
    /// share is compiled once.
    pub fn dev(mut self, projects: &Path) -> Self {
        self.command = vec!["dev".to_owned(), projects.to_str().expect("a path of text").to_owned()];
        for (flag, _) in &mut self.flags {
            if flag == "--plugins" {
                "--out".clone_into(flag);
            }
        }
        self.env("CARGO_TARGET_DIR", build::target_with_guests().to_str().expect("a path of text"))
    }

    /// Configures no operator's token.
    pub fn without_token(mut self) -> Self {
        self.token = None;
        self
    }

    /// What is logged, as `PARLOR_LOG` says it: `info` unless told otherwise.
    pub fn log(mut self, filter: &str) -> Self {
        filter.clone_into(&mut self.log);
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn start(self) -> Server {
        match self.try_start() {
            Ok(server) => server,
            Err(NotStarted { status, log }) => panic!("the server ended with {status}:\n{}", log.join("\n")),
        }
    }

    pub fn try_start(self) -> Result<Server, NotStarted> {
        let folder = Folder::new();
        for (path, bytes) in &self.files {
            let file = folder.path().join("plugins").join(path);
            fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("a folder for plugins");
            fs::write(&file, bytes).expect("a plugin's file");
        }
        fs::write(folder.path().join("parlor.toml"), with_raised(&self.config)).expect("a configuration");
        let (child, address) = self.spawn(&folder)?;
        Ok(Server { child, address, folder, builder: self })
    }

    /// Starts the program in a folder that has all that it needs.
    fn spawn(&self, folder: &Folder) -> Result<(Child, SocketAddr), NotStarted> {
        let log = fs::File::options().create(true).append(true).open(folder.log()).expect("a file for the log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command
            .current_dir(folder.path())
            .args(&self.command)
            .env("PARLOR_LOG", &self.log)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env_remove("PARLOR_OPERATOR_TOKEN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        for (name, value) in &self.flags {
            if self.by_variables {
                command.env(format!("PARLOR_{}", name.trim_start_matches("--").to_uppercase()), value);
            } else {
                command.args([name, value]);
            }
        }
        if let Some(token) = &self.token {
            command.env("PARLOR_OPERATOR_TOKEN", token);
        }
        let mut child = command.spawn().expect("the server's program");
        match printed_address(child.stdout.as_mut().expect("stdout is piped")) {
            Some(address) => Ok((child, address)),
            None => {
                let status = child.wait().expect("a child that ends");
                Err(NotStarted { status, log: folder.log_lines() })
            }
        }
    }
}

impl Server {
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
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a signal to the server");
    }

    /// What Ctrl-C sends.
    pub fn signal_interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("a signal to the server");
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

/// The address that the server prints once it serves; none where it ended before.
fn printed_address(stdout: impl Read) -> Option<SocketAddr> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line of text");
    let address = line.trim_end().strip_prefix("parlor listening on http://")?;
    Some(address.parse().expect("an address"))
}
