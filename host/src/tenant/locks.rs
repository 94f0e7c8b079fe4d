//! A lock for each tenant, which exists only while somebody holds it or waits for it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::model::names::TenantName;

/// Locks by tenant. Names come from outside, so the map keeps none that nobody uses.
#[derive(Debug, Default)]
pub struct TenantLocks {
    used: Arc<Mutex<HashMap<TenantName, UsedLock>>>,
}

#[derive(Debug, Default)]
struct UsedLock {
    lock: Arc<tokio::sync::Mutex<()>>,
    /// How many hold the lock or wait for it.
    users: usize,
}

/// The lock of a tenant, released when this is dropped.
#[derive(Debug)]
pub struct TenantLock {
    // Fields are dropped in this order: the next user has the lock before this one leaves the map.
    _guard: OwnedMutexGuard<()>,
    _user: LockUser,
}

/// One who holds a tenant's lock or waits for it.
#[derive(Debug)]
struct LockUser {
    used: Arc<Mutex<HashMap<TenantName, UsedLock>>>,
    tenant: TenantName,
}

impl TenantLocks {
    /// Waits for a tenant's lock; whoever asks first has it first.
    pub async fn lock(&self, tenant: &TenantName) -> TenantLock {
        let (lock, user) = {
            let mut used = self.used.lock();
            let entry = used.entry(tenant.clone()).or_default();
            entry.users += 1;
            (Arc::clone(&entry.lock), LockUser { used: Arc::clone(&self.used), tenant: tenant.clone() })
        };
        TenantLock { _guard: lock.lock_owned().await, _user: user }
    }
}

impl Drop for LockUser {
    fn drop(&mut self) {
        let mut used = self.used.lock();
        if let Some(entry) = used.get_mut(&self.tenant) {
            entry.users -= 1;
            if entry.users == 0 {
                used.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::FutureExt as _;

    use super::*;

    fn tenant(name: &str) -> TenantName {
        TenantName::new(name).unwrap()
    }

    #[tokio::test]
    async fn a_tenant_waits_for_itself_alone_and_in_order() {
        let locks = TenantLocks::default();
        let first = locks.lock(&tenant("a")).await;
        let [a, b] = [tenant("a"), tenant("b")];
        let mut second = Box::pin(locks.lock(&a));
        let mut third = Box::pin(locks.lock(&a));
        assert!((&mut second).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        assert!(locks.lock(&b).now_or_never().is_some());
        drop(first);
        assert!((&mut third).now_or_never().is_none());
        let second = second.now_or_never().expect("the first one is gone");
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        assert!(third.now_or_never().is_some());
    }

    #[tokio::test]
    async fn names_without_end_leave_nothing_behind() {
        let locks = TenantLocks::default();
        for number in 0..1_000 {
            let name = tenant(&format!("t{number}"));
            let held = locks.lock(&name).await;
            // One that gives up waiting is no user any more.
            assert!(locks.lock(&name).now_or_never().is_none());
            assert_eq!(locks.used.lock()[&name].users, 1);
            drop(held);
        }
        assert!(locks.used.lock().is_empty());
    }
}
