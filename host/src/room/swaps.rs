//! How rooms take to a new version: each tries it by itself and goes back where it fails; where too many do, the plugin has
//! to go back as a whole.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::model::names::PluginKey;
use crate::plugin::loader::Plugin;

/// So many rooms must go back, or all where there are fewer, before their plugin does: a few may have met a client that
/// knows how to crash them.
const ROOMS_OF_VERDICT: usize = 5;

/// The swaps under way, one a plugin.
#[derive(Debug, Default)]
pub struct Swaps {
    plugins: Mutex<HashMap<PluginKey, Swap>>,
    /// Versions of each plugin with a verdict, so that it does not go back to one of them: as many as were ever brought.
    condemned: Mutex<HashMap<PluginKey, HashSet<String>>>,
    verdict: Notify,
}

/// A version that rooms went back from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub plugin: PluginKey,
    pub version: String,
    pub why: String,
}

#[derive(Debug)]
struct Swap {
    version: String,
    /// Rooms that were open when it began.
    rooms: usize,
    stayed: usize,
    went_back: usize,
    verdict: Option<Verdict>,
}

impl Swaps {
    /// So many open rooms are told of a version.
    pub fn begin(&self, plugin: &Plugin, rooms: usize) {
        let version = plugin.version.clone();
        let swap = Swap { version, rooms, stayed: 0, went_back: 0, verdict: None };
        self.plugins.lock().insert(plugin.key.clone(), swap);
    }

    /// A room found that a version works.
    pub(super) fn stayed(&self, plugin: &Plugin) {
        let mut plugins = self.plugins.lock();
        if let Some(swap) = plugins.get_mut(&plugin.key).filter(|swap| swap.version == plugin.version) {
            swap.stayed += 1;
        }
    }

    /// A room went back to the version before.
    pub(super) fn went_back(&self, plugin: &Plugin, why: &str) {
        let mut plugins = self.plugins.lock();
        let Some(swap) = plugins.get_mut(&plugin.key).filter(|swap| swap.version == plugin.version) else { return };
        swap.went_back += 1;
        let (back, tried) = (swap.went_back, swap.went_back + swap.stayed);
        // Once is enough.
        if back == swap.rooms.clamp(1, ROOMS_OF_VERDICT).max(tried.div_ceil(2)) {
            let why = format!("{back} of {tried} rooms went back, the last of them: {why}");
            self.condemned.lock().entry(plugin.key.clone()).or_default().insert(plugin.version.clone());
            swap.verdict = Some(Verdict { plugin: plugin.key.clone(), version: plugin.version.clone(), why });
            self.verdict.notify_one();
        }
    }

    /// Whether there was a verdict about a version.
    pub fn is_condemned(&self, plugin: &PluginKey, version: &str) -> bool {
        self.condemned.lock().get(plugin).is_some_and(|versions| versions.contains(version))
    }

    /// The next version that its plugin has to go back from.
    pub async fn next_verdict(&self) -> Verdict {
        loop {
            if let Some(verdict) = self.plugins.lock().values_mut().find_map(|swap| swap.verdict.take()) {
                return verdict;
            }
            self.verdict.notified().await;
        }
    }
}
