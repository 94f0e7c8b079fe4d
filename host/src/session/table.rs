//! The sessions that poll, by their ids: each request of HTTP has to find its session.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::knock::Knock;
use crate::model::names::TenantName;

/// Bytes of randomness in a session's id, of which Engine.IO's own have as many: who knows an id speaks for its client.
const ID_BYTES: usize = 15;
/// Requests of one session that may wait for it: a poll, a post and an upgrade, and one of each too many.
pub(super) const KNOCKS_MAX: usize = 6;

/// All sessions that poll.
#[derive(Debug, Default)]
pub struct Sessions {
    open: Mutex<HashMap<String, OpenSession>>,
}

#[derive(Debug)]
struct OpenSession {
    tenant: TenantName,
    knocks: mpsc::Sender<Knock>,
}

/// A session's place in the table, until this is dropped.
#[derive(Debug)]
pub struct SessionEntry {
    sessions: Arc<Sessions>,
    id: String,
}

impl Sessions {
    /// Enters a session of a tenant. The tenant's bound on connections bounds the table.
    pub(super) fn enter(self: &Arc<Self>, tenant: TenantName, id: &str) -> (SessionEntry, mpsc::Receiver<Knock>) {
        let (knocks, taken) = mpsc::channel(KNOCKS_MAX);
        self.open.lock().insert(id.to_owned(), OpenSession { tenant, knocks });
        (SessionEntry { sessions: Arc::clone(self), id: id.to_owned() }, taken)
    }

    /// The way to a session of this tenant.
    pub fn find(&self, tenant: &TenantName, id: &str) -> Option<mpsc::Sender<Knock>> {
        let open = self.open.lock();
        open.get(id).filter(|session| session.tenant == *tenant).map(|session| session.knocks.clone())
    }

    /// How many sessions poll.
    pub fn count(&self) -> usize {
        self.open.lock().len()
    }
}

impl Drop for SessionEntry {
    fn drop(&mut self) {
        self.sessions.open.lock().remove(&self.id);
    }
}

/// An id that nobody can guess.
pub fn new_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; ID_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}
