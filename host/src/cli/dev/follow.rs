//! Builds at each save, on a thread beside the server.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::compile::BuildProcess;
use super::rebuild::DevBuilds;
use crate::cli::project::Project;
use crate::clock::Instant;
use crate::deploy::Deploys;
use crate::folder::watch::{Watch, WatchMode};
use crate::model::names::{PluginKey, TenantName};
use crate::server::dev;

/// A file that woke the thread was saved at most this long ago.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

/// How long the end waits for a component that is just being loaded.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// The thread that builds. It ends when this is dropped, and so does the build that runs.
pub struct RebuildThread {
    running: BuildProcess,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RebuildThread {
    pub fn start(projects: DevBuilds, deploys: Arc<Deploys>, means: WatchMode, poll: Duration) -> anyhow::Result<Self> {
        let running = projects.running().clone();
        let (end, ended) = channel();
        let waiting = tokio::runtime::Builder::new_current_thread().enable_time().build().context("no runtime")?;
        let thread = std::thread::Builder::new().name("dev".to_owned());
        let thread = thread.spawn(move || {
            // The watcher's own tasks run on this runtime.
            let _entered = waiting.enter();
            let watch = match means {
                WatchMode::Events => Watch::events(poll),
                WatchMode::Poll => Watch::poll(poll),
                WatchMode::Off => return,
            };
            follow(projects, &deploys, watch, poll, &waiting, ended);
        });
        let thread = thread.context("no thread")?;
        Ok(Self { running, end: Some(end), thread: Some(thread) })
    }
}

impl Drop for RebuildThread {
    fn drop(&mut self) {
        self.running.end();
        drop(self.end.take());
        // A component that is being loaded has this time to become a version; the program's end stops it otherwise.
        let late = Instant::now() + ENDS_WITHIN;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < late {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn follow(
    mut projects: DevBuilds,
    deploys: &Deploys,
    mut watch: Watch,
    poll: Duration,
    waiting: &Runtime,
    mut ended: Receiver<()>,
) {
    let mut last_look = SystemTime::now();
    loop {
        let look = SystemTime::now();
        if let Err(why) = projects.find() {
            // The folder itself is gone, maybe for a moment.
            tracing::warn!("{why:#}");
        }
        if !projects.build(Some(last_look), &mut |project, component| serve(deploys, project, component)) {
            return;
        }
        last_look = look;
        if watch.follow(&projects.watched()) {
            continue;
        }
        let goes_on = waiting.block_on(async {
            tokio::select! {
                () = watch.changed() => true,
                _ = &mut ended => false,
            }
        });
        if !goes_on {
            return;
        }
        last_look = last_look.max(SystemTime::now() - HEARD_WITHIN.max(poll));
    }
}

/// Makes the server serve a component; answers whether it differs from the one before.
fn serve(deploys: &Deploys, project: &Project, component: Vec<u8>) -> Result<bool, String> {
    let key = PluginKey { tenant: TenantName::default_tenant(), plugin: project.name.clone() };
    deploys.tenants.suggest(&project.name, &project.dev_config);
    let workers = deploys.fleet.workers();
    workers.slow_runtime(workers.least_busy()).block_on(dev::serve(deploys, &key, component))
}
