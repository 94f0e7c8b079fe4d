//! The server under test: started again and again on the same data, and killed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};

/// How long a server may take until it serves: it compiles its plugins once, and looks through what it kept.
const START: Duration = Duration::from_secs(60);
/// The name of the plugin under test.
const PLUGIN: &str = "ledger";
/// Lines of the log that an error shows.
const LAST_LINES: usize = 12;

/// The tenants, and whether their plugin is relaxed.
pub const TENANTS: [(&str, bool); 3] = [("one", false), ("two", false), ("lax", true)];

/// All clients come from one address, and as fast as they can. Every bound stays enforced.
const CONFIGURATION: &str = "\
[limits]
requests-per-address-per-second = 20_000
requests-per-address-burst = 20_000
upgrades-per-address-per-second = 20_000
upgrades-per-address-burst = 20_000
sockets-per-address = 20_000
frames-per-second = 1_000_000
frames-burst = 1_000_000
inbound-bytes-per-second = 1_000_000_000

[tenants.lax.plugins.ledger]
durability = \"relaxed\"
";

/// How it is started.
#[derive(Debug)]
pub struct Stand {
    program: PathBuf,
    folder: PathBuf,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub started: Instant,
}

impl Stand {
    /// Lays out plugins and configuration in a folder. `compiled` is where compiled code is kept, if not there.
    pub fn lay_out(program: &Path, plugin: &[u8], folder: &Path, compiled: Option<&Path>) -> anyhow::Result<Self> {
        let program = program.canonicalize().with_context(|| format!("find {}", program.display()))?;
        for (tenant, _) in TENANTS {
            let place = folder.join("plugins").join(tenant);
            fs::create_dir_all(&place).with_context(|| format!("make {}", place.display()))?;
            fs::write(place.join(PLUGIN).with_extension("wasm"), plugin).context("write the plugin")?;
        }
        let data = folder.join("data");
        fs::create_dir(&data).with_context(|| format!("make {}: data of another run?", data.display()))?;
        if let Some(compiled) = compiled {
            std::os::unix::fs::symlink(compiled, data.join("compiled")).context("link the compiled code")?;
        }
        fs::write(folder.join("parlor.toml"), CONFIGURATION).context("write the configuration")?;
        Ok(Self { program, folder: folder.to_owned() })
    }

    /// Starts it; it need not serve yet.
    pub fn start(&self) -> anyhow::Result<Server> {
        let log = fs::OpenOptions::new().append(true).create(true).open(self.log()).context("open the log")?;
        let words =
            ["serve", "--listen", "127.0.0.1:0", "--config", "parlor.toml", "--plugins", "plugins", "--data", "data"];
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).args(words).env_remove("PARLOR_OPERATOR_TOKEN");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let child = command.spawn().with_context(|| format!("start {}", self.program.display()))?;
        Ok(Server { child, started: Instant::now() })
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The last lines that the server wrote.
    pub fn last_words(&self) -> String {
        let bytes = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Server {
    /// Waits until it serves; answers where.
    pub fn serves(&mut self) -> anyhow::Result<SocketAddr> {
        let output = self.child.stdout.take().context("the server's output is not a pipe")?;
        let (found, address) = sync_channel(1);
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(output).read_line(&mut line);
            let _ = found.send(line);
        });
        let line = address.recv_timeout(START).map_err(|_| anyhow!("the server did not serve within {START:?}"))?;
        let address = line.trim_end().strip_prefix("parlor listening on http://").and_then(|rest| rest.parse().ok());
        address.with_context(|| format!("the server ended before it served, and said {line:?}"))
    }

    /// Sends SIGKILL; answers when. The process may take a while to be gone.
    pub fn kill(&mut self) -> anyhow::Result<Instant> {
        self.child.kill().context("kill the server")?;
        Ok(Instant::now())
    }

    /// Whether it has ended by itself, and how.
    pub fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Waits until it is gone.
    pub fn gone(mut self) {
        // It was killed; there is nothing to hear.
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
