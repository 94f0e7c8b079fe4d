//! A server under load: a child process, what it uses, and its end.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::cores::Cores;
use super::dialect::Dialect;

/// How long a server may take until it says where it listens: Parlor compiles its plugin in that time.
const START: Duration = Duration::from_secs(60);

/// Lines of a server's log that an error shows.
const LAST_LINES: usize = 15;

/// One of the servers that are compared.
#[derive(Clone)]
pub struct Recipe {
    /// What the table calls it.
    pub name: String,
    /// What to run.
    pub program: PathBuf,
    /// With which arguments.
    pub arguments: Vec<OsString>,
    /// Where what it says on its error output goes.
    pub log: PathBuf,
    /// What it speaks.
    pub dialect: Dialect,
}

impl Recipe {
    /// The last lines that the server wrote, for whoever looks for the cause of a failure.
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

/// A running server. Dropping it kills the process.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it speaks.
    pub dialect: Dialect,
}

impl Server {
    /// Starts it on its cores, and waits until it listens.
    pub fn start(recipe: &Recipe, cores: &Cores) -> anyhow::Result<Self> {
        let log = fs::File::create(&recipe.log).with_context(|| format!("write {}", recipe.log.display()))?;
        let mut command = Command::new(&recipe.program);
        command.args(&recipe.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = cores
            .on_server_cores(|| command.spawn())?
            .with_context(|| format!("start {}: {}", recipe.name, recipe.program.display()))?;
        let output = child.stdout.take();
        // From here on, whatever fails drops the server, and with it the process.
        let mut server = Self { child, address: ([127, 0, 0, 1], 0).into(), dialect: recipe.dialect };
        let output = output.context("the server's output is not a pipe")?;
        let (found, address) = sync_channel(1);
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            if let Some(address) = lines.by_ref().find_map(|line| listening_address(&line)) {
                let _ = found.send(address);
            }
            // Read on, so that a server that prints more is not stopped by a full pipe.
            lines.for_each(drop);
        });
        server.address = address.recv_timeout(START).map_err(|why| match why {
            RecvTimeoutError::Timeout => anyhow!("{} did not say where it listens within {START:?}", recipe.name),
            RecvTimeoutError::Disconnected => anyhow!("{} ended before it said where it listens", recipe.name),
        })?;
        Ok(server)
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself, and how.
    pub fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// CPU time that it has used so far, by all its threads that live.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let tasks = format!("/proc/{}/task", self.child.id());
        let mut total = 0;
        for task in fs::read_dir(&tasks).with_context(|| format!("the server has gone: {tasks}"))? {
            // A thread that ends between the listing and the reading has nothing more to tell.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let on_core = text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse::<u64>().ok());
            total += on_core.with_context(|| format!("cannot read {tasks}/*/schedstat"))?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// Memory that it has in use.
    pub fn memory(&self) -> anyhow::Result<Memory> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = fs::read_to_string(&path).with_context(|| format!("the server has gone: {path}"))?;
        let kib = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
                .with_context(|| format!("no {name} in {path}"))
        };
        Ok(Memory { pss_kib: kib("Pss:")?, rss_kib: kib("Rss:")? })
    }
}

/// Memory of a process, or what a thing adds to it, in KiB.
pub struct Memory {
    /// What it takes from the machine: a page that is mapped several times counts once.
    pub pss_kib: f64,
    /// What it has mapped: a page of the image that instances share counts once for each of them.
    pub rss_kib: f64,
}

impl Memory {
    /// Nothing.
    pub fn none() -> Self {
        Self { pss_kib: 0.0, rss_kib: 0.0 }
    }

    /// What is more than `less`, for each of so many things.
    pub fn each(&self, less: Self, things: usize) -> Self {
        let share = |more: f64, less: f64| (more - less) / things as f64;
        Self { pss_kib: share(self.pss_kib, less.pss_kib), rss_kib: share(self.rss_kib, less.rss_kib) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only where the process has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in a line such as `parlor listening on http://127.0.0.1:4000`.
fn listening_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on http://")?;
    rest.split([' ', '/']).next()?.parse().ok()
}

/// CPU time of all processes of the machine so far.
pub fn machine_cpu() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("read /proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    let fields: Vec<u64> = line.split_whitespace().skip(1).map_while(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let busy: u64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|&index| fields.get(index)).sum();
    Ok(Duration::from_millis(busy * 1_000 / rustix::param::clock_ticks_per_second()))
}

/// CPU time that this thread, which is the load, has used so far.
pub fn load_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What a window of time cost.
pub struct Usage {
    /// How long it was.
    pub wall: Duration,
    /// CPU time of the server.
    pub server: Duration,
    /// CPU time of the load.
    pub load: Duration,
    /// CPU time of everything else on the machine: a noisy measurement shows here.
    pub others: Duration,
}

/// The clocks at the begin of a window.
pub struct Clocks {
    wall: Instant,
    server: Duration,
    load: Duration,
    machine: Duration,
}

impl Clocks {
    /// Reads all clocks.
    pub fn read(server: &Server) -> anyhow::Result<Self> {
        Ok(Self { wall: Instant::now(), server: server.cpu()?, load: load_cpu(), machine: machine_cpu()? })
    }

    /// What has been used since.
    pub fn since(&self, server: &Server) -> anyhow::Result<Usage> {
        let now = Self::read(server)?;
        let (server, load) = (now.server.saturating_sub(self.server), now.load - self.load);
        let machine = now.machine.saturating_sub(self.machine);
        Ok(Usage { wall: now.wall - self.wall, server, load, others: machine.saturating_sub(server + load) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_either_servers_line() {
        let expected = Some("127.0.0.1:4000".parse().unwrap());
        assert_eq!(listening_address("parlor listening on http://127.0.0.1:4000"), expected);
        assert_eq!(listening_address("listening on http://127.0.0.1:4000/"), expected);
        assert_eq!(listening_address("loading plugins"), None);
    }
}
