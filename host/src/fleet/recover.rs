//! What a fleet finds in storage when its server starts.

use super::Fleet;
use crate::storage::StoredTenant;
use crate::tenant::Tenants;

/// Finds what rooms stored before: counts it for their tenants, and sets their alarms again. Rooms are opened when somebody
/// needs them. A tenant whose storage cannot be read does not keep the others from being served.
pub async fn recover(fleet: &Fleet, tenants: &Tenants) {
    for (tenant, stored) in fleet.storage().stored().await {
        let StoredTenant { bytes, rooms, alarms } = match stored {
            Ok(stored) => stored,
            Err(why) => {
                tracing::error!(
                    tenant = tenant.as_str(),
                    "cannot read what this tenant stores, so its rooms cannot be opened: {why}"
                );
                continue;
            }
        };
        tracing::info!(tenant = tenant.as_str(), rooms, bytes, alarms = alarms.len(), "found what rooms stored");
        tenants.account(&tenant).storage.add(bytes);
        alarms.iter().for_each(|(due, room)| fleet.alarms().found(room, *due));
    }
}
