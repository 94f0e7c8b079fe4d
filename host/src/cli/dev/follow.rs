//! Building at each save, beside the server: a thread of its own, which ends with this value.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::compile::Running;
use super::rebuild::Projects;
use crate::cli::project::Project;
use crate::clock::Instant;
use crate::folder::watch::{Watch, WatchMode};
use crate::model::names::{PluginKey, TenantName};
use crate::server::{Server, dev};

/// How long ago what woke us may have been saved, with some room to spare.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// The thread that builds. It ends when this is dropped, and the build that runs with it.
pub struct Following {
    running: Running,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    pub fn start(projects: Projects, server: Arc<Server>) -> anyhow::Result<Self> {
        let running = projects.running().clone();
        let (end, ended) = channel();
        let waiting = tokio::runtime::Builder::new_current_thread().enable_time().build().context("no runtime")?;
        let thread = std::thread::Builder::new().name("dev".to_owned());
        let thread = thread.spawn(move || follow(projects, &server, &waiting, ended)).context("no thread")?;
        Ok(Self { running, end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.running.end();
        drop(self.end.take());
        // A component that is being loaded just now has a moment to become a version; the program's end ends it otherwise.
        let late = Instant::now() + ENDS_WITHIN;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < late {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn follow(mut projects: Projects, server: &Arc<Server>, waiting: &Runtime, mut ended: Receiver<()>) {
    // The watcher's own threads and ours: they belong to this one.
    let _entered = waiting.enter();
    let mut watch = match server.config.watch {
        WatchMode::Events => Watch::events(server.config.watch_poll),
        WatchMode::Poll => Watch::poll(server.config.watch_poll),
        WatchMode::Off => return,
    };
    let mut last_look = SystemTime::now();
    loop {
        let look = SystemTime::now();
        if let Err(why) = projects.find() {
            // The folder itself is gone, maybe for a moment.
            tracing::warn!("{why:#}");
        }
        if !projects.build(Some(last_look), &mut |project, component| serve(server, project, component)) {
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
        last_look = last_look.max(SystemTime::now() - HEARD_WITHIN.max(server.config.watch_poll));
    }
}

/// Lets the server serve a component; says whether it is another one than it served before.
fn serve(server: &Arc<Server>, project: &Project, component: Vec<u8>) -> Result<bool, String> {
    let key = PluginKey { tenant: TenantName::default_tenant(), plugin: project.name.clone() };
    server.tenants.suggest(&project.name, &project.dev_config);
    let workers = server.fleet.workers();
    workers.slow_runtime(workers.least_busy()).block_on(dev::serve(&server.deploys, &key, component))
}
