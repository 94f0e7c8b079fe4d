//! The bounds on what a tenant's rooms may store together; a turn checks them at each write.

use std::sync::Arc;

use crate::model::turn::TenantStorage;
use crate::storage::Storage;
use crate::tenant::Account;

/// The tenant's account, and the backend that knows how many of the tenant's rooms keep something.
#[derive(Debug)]
pub(super) struct TenantBounds {
    pub(super) account: Arc<Account>,
    pub(super) backend: Arc<dyn Storage>,
}

impl TenantStorage for TenantBounds {
    fn admits_another_room(&self) -> bool {
        self.backend.rooms(&self.account.tenant) < self.account.limits.storage_rooms_per_tenant
    }

    fn take(&self, bytes: usize) -> bool {
        self.account.storage.take(bytes)
    }

    fn give(&self, bytes: usize) {
        self.account.storage.give(bytes);
    }
}
