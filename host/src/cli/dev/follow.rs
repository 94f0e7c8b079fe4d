//! Building at each save, beside the server: a thread of its own, which ends with this value.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::compile::Running;
use super::rebuild::Projects;
use crate::cli::project::Project;
use crate::model::names::{PluginKey, TenantName};
use crate::server::{Server, dev};

/// How often the sources are looked at. A look reads no file but asks for the time of each, a hundred of them in a millisecond.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The thread that builds. It ends when this is dropped, and the build that runs with it.
pub struct Following {
    running: Running,
    end: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Following {
    pub fn start(mut projects: Projects, server: Arc<Server>) -> Self {
        let running = projects.running().clone();
        let (end, ended) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let mut last_look = SystemTime::now();
            while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                let look = SystemTime::now();
                if let Err(why) = projects.find() {
                    // The folder itself is gone, maybe for a moment.
                    tracing::debug!("{why:#}");
                    continue;
                }
                if !projects.build(Some(last_look), &mut |project, component| serve(&server, project, component)) {
                    return;
                }
                last_look = look;
            }
        });
        Self { running, end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.running.end();
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It told of its panic itself.
            let _ = thread.join();
        }
    }
}

/// Lets the server serve a component; says whether it is another one than it served before.
fn serve(server: &Arc<Server>, project: &Project, component: Vec<u8>) -> Result<bool, String> {
    let key = PluginKey { tenant: TenantName::default_tenant(), plugin: project.name.clone() };
    server.tenants.suggest(&project.name, &project.dev_config);
    let workers = server.router.workers();
    workers.slow_runtime(workers.least_busy()).block_on(dev::serve(server, key, component))
}
