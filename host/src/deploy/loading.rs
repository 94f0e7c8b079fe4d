//! Which plugins of the folder the server still has to load since it started.

use std::collections::BTreeSet;

use tokio::sync::watch;

use crate::folder::watcher::{FileOutcome, RetryWhen};
use crate::model::names::{PluginKey, TenantName};

/// The plugins that are still to be loaded, and how many there were.
#[derive(Debug)]
pub struct Loading(watch::Sender<LoadingPlugins>);

/// What is known of them at one moment.
#[derive(Debug, Clone, Default)]
pub struct LoadingPlugins {
    pub left: BTreeSet<PluginKey>,
    pub all: usize,
    /// Whether the folder was looked through and everything in it was loaded or refused.
    pub finished: bool,
}

impl Default for Loading {
    fn default() -> Self {
        Self(watch::Sender::new(LoadingPlugins::default()))
    }
}

impl Loading {
    pub fn begin(&self, left: BTreeSet<PluginKey>) {
        self.0.send_modify(|loading| (loading.all, loading.left) = (left.len(), left));
    }

    /// Notes what became of a plugin's file. One that is tried again is still left.
    pub fn note(&self, key: &PluginKey, outcome: &FileOutcome) {
        let is_tried_again = match outcome {
            FileOutcome::Unsettled => true,
            FileOutcome::NotServed(why) => why.until == RetryWhen::Later,
            FileOutcome::Served | FileOutcome::RefusedBefore => false,
        };
        if !is_tried_again {
            self.0.send_if_modified(|loading| loading.left.remove(key));
        }
    }

    pub fn finish(&self) {
        self.0.send_modify(|loading| loading.finished = true);
    }

    pub fn now(&self) -> LoadingPlugins {
        self.0.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<LoadingPlugins> {
        self.0.subscribe()
    }
}

impl LoadingPlugins {
    /// How many plugins of a tenant are left.
    pub fn of(&self, tenant: &TenantName) -> usize {
        self.left.iter().filter(|key| key.tenant == *tenant).count()
    }

    /// What is left, in words for people; none where nothing is.
    pub fn words(&self) -> Option<String> {
        (!self.left.is_empty()).then(|| format!("{} of {} plugins are still being loaded", self.left.len(), self.all))
    }
}
