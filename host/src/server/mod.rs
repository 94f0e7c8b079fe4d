//! The HTTP side: accepting connections, upgrades, the API and the pages.

mod accept;
mod address;
mod addresses;
mod api;
mod auth;

pub mod dev;
mod health;
mod metrics;
mod pages;
mod upgrade;

use std::sync::Arc;

use axum::Router as HttpRouter;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

pub use accept::serve;
pub use addresses::Addresses;
pub use api::Uploads;
pub use health::Health;
pub use metrics::Upgrades;

use crate::config::Config;
use crate::deploy::Deploys;
use crate::fleet::Fleet;
use crate::tenant::Tenants;
use crate::tenant::account::Counter;

/// What every request can reach.
pub struct Server {
    pub config: Config,
    pub fleet: Arc<Fleet>,
    pub tenants: Arc<Tenants>,
    /// Connections of the whole server.
    pub connections: Arc<Counter>,
    pub addresses: Arc<Addresses>,
    pub uploads: Uploads,
    pub deploys: Arc<Deploys>,
    pub health: Health,
    pub upgrades: Upgrades,
    /// The projects of `parlor dev`; none in `parlor serve`.
    pub dev: Option<Arc<dev::Dev>>,
}

impl Server {
    /// Whether the host's pages are open to the people of this machine.
    pub fn is_dev(&self) -> bool {
        self.dev.is_some()
    }
}

/// Everything of the host's lives under `/_parlor/`; every other path is a plugin's.
pub fn http(server: Arc<Server>) -> HttpRouter {
    HttpRouter::new()
        .route("/_parlor", get(pages::to_the_overview))
        .nest("/_parlor/", host_routes(&server))
        .fallback(upgrade::upgrade)
        .with_state(server)
}

fn host_routes(server: &Arc<Server>) -> HttpRouter<Arc<Server>> {
    let metrics = get(metrics::metrics)
        .layer(from_fn(auth::require_operator))
        .layer(from_fn_with_state(Arc::clone(server), auth::require_caller));
    pages::routes(Arc::clone(server))
        .merge(api::routes(Arc::clone(server)))
        .route("/health", get(health::health))
        .route("/metrics", metrics)
}
