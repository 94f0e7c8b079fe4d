//! What the routes of the API share.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::deploy::Deploys;
use crate::fleet::Fleet;
use crate::model::names::TenantName;
use crate::server::auth::Access;
use crate::server::dev::DevProjects;
use crate::server::figures::Figures;
use crate::tenant::Tenants;
use crate::tenant::account::Counter;

/// Bytes of components that uploads may hold in memory, over all tenants.
const UPLOAD_BYTES: usize = 256 << 20;

/// What the API reads and changes.
pub struct Api {
    pub fleet: Arc<Fleet>,
    pub tenants: Arc<Tenants>,
    pub deploys: Arc<Deploys>,
    pub access: Arc<Access>,
    pub figures: Arc<Figures>,
    /// Whether what rooms store can be written.
    pub console_writes: bool,
    /// The tenants that upload now: each has one upload at a time.
    pub uploads: Mutex<HashSet<TenantName>>,
    /// The bytes of components that arrived for these uploads.
    pub upload_bytes: Counter,
    /// The projects of `parlor dev`; none in `parlor serve`.
    pub dev: Option<Arc<DevProjects>>,
}

impl Api {
    pub fn new(
        deploys: Arc<Deploys>,
        access: Arc<Access>,
        figures: Arc<Figures>,
        dev: Option<Arc<DevProjects>>,
        console_writes: bool,
    ) -> Self {
        let (fleet, tenants) = (Arc::clone(&deploys.fleet), Arc::clone(&deploys.tenants));
        let upload_bytes = Counter::new(UPLOAD_BYTES);
        let uploads = Mutex::default();
        Self { fleet, tenants, deploys, access, figures, console_writes, uploads, upload_bytes, dev }
    }
}
