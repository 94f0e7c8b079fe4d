//! Deployments with a tenant's token wait until the tenant has paid for its last ones.

use std::time::Duration;

use super::error::ApiError;
use super::state::Api;
use crate::model::names::TenantName;
use crate::server::auth::Caller;

/// How long a deployment waits. Where it would take longer, the tenant is told to come back.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Waits until the tenant's next deployment may begin. The operator's do not wait; what they use is charged all the same.
pub async fn wait_until_paid(api: &Api, caller: &Caller, tenant: &TenantName) -> Result<(), ApiError> {
    if *caller == Caller::Operator {
        return Ok(());
    }
    let account = api.tenants.account(tenant);
    while let Some(wait) = account.cpu.deployment_wait() {
        if wait > WAIT_MAX {
            let words = "the last deployments of this tenant used more CPU time than is paid for: tenant-cpu-percent";
            return Err(ApiError::too_much(words, wait));
        }
        tokio::time::sleep(wait).await;
    }
    Ok(())
}

/// Ends a deployment: one that the operator wanted keeps the tenant from none.
pub fn settle(api: &Api, caller: &Caller, tenant: &TenantName) {
    if *caller == Caller::Operator {
        api.tenants.account(tenant).cpu.forgive_deployments();
    }
}
