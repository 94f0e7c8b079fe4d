//! Deployments, as the collector of traces hears of them.

use bytes::Bytes;

use super::{Change, Deployed, DeployedBy, NotDeployed};
use crate::traces::{SpanWords, text_of};

impl Change<'_> {
    /// Loads a component and lets it serve.
    pub async fn deploy(&self, bytes: Bytes, by: DeployedBy) -> Result<Deployed, NotDeployed> {
        let span = self.account.traces.as_deref().and_then(|traces| traces.begin(None));
        let deployed = self.bring(bytes, by).await;
        let Some(span) = span else { return deployed };
        let (tenant, plugin) = (self.key.tenant.as_str(), self.key.plugin.as_str());
        let mut attributes = vec![
            text_of("parlor.tenant", tenant),
            text_of("parlor.plugin", plugin),
            text_of("parlor.reason", by.why()),
        ];
        let failed = match &deployed {
            Ok(deployed) => {
                attributes.push(text_of("parlor.version", &deployed.plugin.version));
                None
            }
            Err(refused) => Some(refused.why.clone()),
        };
        span.end(SpanWords { name: "deploy".into(), attributes, failed });
        deployed
    }
}
