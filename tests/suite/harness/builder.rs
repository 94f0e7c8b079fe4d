//! What a server of a test is started with, and how it comes to serve.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::folder::Folder;
use super::raised::with_raised;
use super::server::{POLL, Server};
use super::{TOKEN, build};

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
    /// A script that runs the program as `"$@"`.
    script: Option<String>,
    /// Where it listens: then it counts as started when it accepts a connection, whatever it says.
    at: Option<SocketAddr>,
}

/// A server that ended before it served.
#[derive(Debug)]
pub struct NotStarted {
    pub status: ExitStatus,
    pub log: Vec<String>,
}

impl Builder {
    pub(super) fn new() -> Self {
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
            script: None,
            at: None,
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

    /// Has a shell run the program, as `"$@"`: with streams that are redirected, or with signals that are ignored. The log
    /// of a server whose standard error leads elsewhere is empty.
    pub fn script(mut self, script: &str) -> Self {
        self.script = Some(script.to_owned());
        self
    }

    /// Listens on a port that is known before. The server counts as started when it accepts a connection there, before its
    /// plugins are loaded.
    pub fn early(mut self) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        self.at = Some(free);
        self.flag("--listen", &free.to_string())
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
        Ok(Server::of(self, folder, child, address))
    }

    /// Starts the program in a folder that has all that it needs.
    pub(super) fn spawn(&self, folder: &Folder) -> Result<(Child, SocketAddr), NotStarted> {
        let log = fs::File::options().create(true).append(true).open(folder.log()).expect("a file for the log");
        let mut command = match &self.script {
            None => Command::new(env!("CARGO_BIN_EXE_parlor")),
            Some(script) => {
                let mut shell = Command::new("bash");
                shell.args(["-c", script, "bash", env!("CARGO_BIN_EXE_parlor")]);
                shell
            }
        };
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
        let address = match self.at {
            Some(address) => accepts(&mut child, address).then_some(address),
            None => printed_address(child.stdout.as_mut().expect("stdout is piped")),
        };
        match address {
            Some(address) => Ok((child, address)),
            None => {
                let status = child.wait().expect("a child that ends");
                Err(NotStarted { status, log: folder.log_lines() })
            }
        }
    }
}

/// Waits until a server accepts connections; false where it ended before.
fn accepts(child: &mut Child, address: SocketAddr) -> bool {
    loop {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        if child.try_wait().expect("a child of ours").is_some() {
            return false;
        }
        std::thread::sleep(POLL);
    }
}

/// The address that the server prints once it serves; none where it ended before.
fn printed_address(stdout: impl Read) -> Option<SocketAddr> {
    let mut line = String::new();
    // Nothing is read ahead: the next lines are there for whoever asks.
    BufReader::with_capacity(1, stdout).read_line(&mut line).expect("a line of text");
    let address = line.trim_end().strip_prefix("parlor listening on ")?;
    if address.starts_with("unix:") {
        // There is none, and nobody asks for it.
        return Some(SocketAddr::from(([0, 0, 0, 0], 0)));
    }
    let address = address.strip_prefix("http://")?;
    Some(address.parse().expect("an address"))
}
