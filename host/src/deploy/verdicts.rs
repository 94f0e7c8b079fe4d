//! Where too many rooms went back from a version, the host takes their plugin back as well, and says so in the log.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Change, Deploys, blocking};
use crate::fleet::Verdict;
use crate::model::names::PluginKey;
use crate::model::text::for_log;

/// Acts on every verdict of the fleet, for as long as the server lives: on each by itself, since a plugin may have to wait for
/// other changes of its tenant, and no other tenant with it.
pub async fn heed(deploys: Arc<Deploys>) {
    let mut taking_back = JoinSet::new();
    loop {
        tokio::select! {
            verdict = deploys.fleet.next_verdict() => drop(taking_back.spawn(take_back(Arc::clone(&deploys), verdict))),
            Some(done) = taking_back.join_next() => if let Err(why) = done {
                tracing::error!("a bug in the server: a plugin could not be taken back: {why}");
            }
        }
    }
}

/// Puts the version back that was good last.
async fn take_back(deploys: Arc<Deploys>, verdict: Verdict) {
    let Verdict { plugin: key, version, why } = verdict;
    let (tenant, plugin) = (key.tenant.as_str(), key.plugin.as_str());
    let why = for_log(&why);
    let change = Change::begin(&deploys, &key).await;
    // A newer version may have come into service meanwhile; the verdict says nothing about that one.
    if deploys.fleet.get(&key).is_none_or(|current| current.version != version) {
        return;
    }
    let Some(good) = last_good(&deploys, &key, &version).await else {
        return tracing::error!(
            tenant,
            plugin,
            version,
            "the plugin has to go back, but no other version is kept: {why}"
        );
    };
    match change.roll_back(Some(&good)).await {
        Ok(back) => {
            let back_to = back.plugin.version.as_str();
            tracing::error!(tenant, plugin, version, back_to, "the plugin goes back to the version before: {why}");
        }
        Err(no) => {
            tracing::error!(tenant, plugin, version, "the plugin cannot go back ({}): {why}", for_log(&no.why))
        }
    }
}

/// The kept version that was deployed last, the current and the condemned ones left out.
async fn last_good(deploys: &Deploys, key: &PluginKey, current: &str) -> Option<String> {
    let (versions, looked) = (deploys.versions.clone(), key.clone());
    let kept = blocking(move || Ok(versions.all(&looked))).await.unwrap_or_default();
    let good = |version: &String| version != current && !deploys.fleet.is_condemned(key, version);
    kept.into_iter().map(|kept| kept.version).find(good)
}
