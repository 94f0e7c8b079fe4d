//! HTTP: accepting connections, upgrades to WebSockets, the API, the metrics, the health check and the pages.

mod accept;
mod address;
mod addresses;
mod api;
mod aside;
mod auth;
mod authorize;
mod bare;
mod caller;
pub mod dev;
mod door;
mod engine;
mod entry;
mod escapes;
pub mod figures;
mod forwarded;
mod handshake;
mod head;
mod health;
pub mod inside;
mod keep_alive;
mod known;
mod listen;
mod login;
mod metrics;
mod pages;
mod proxy_protocol;
mod reception;
mod refusal;
mod requests;
mod resume;
mod starting;
mod upgrade;
mod usage;

use std::sync::Arc;

use axum::Router as HttpRouter;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::routing::get;

pub use accept::serve;
pub use door::Door;
pub use health::Health;
pub use listen::Listeners;

use crate::config::Config;
use crate::deploy::Deploys;
use crate::session::Sessions;
use crate::socket::SeatClaims;
use crate::watchdog::Watchdog;
use api::Api;
use aside::ApiThread;
use auth::Access;
use dev::DevProjects;
use entry::Upgrading;
use figures::Figures;
use metrics::{Measured, UpgradeCounts};
use requests::RequestRates;

/// All routes, each with the state that it needs. The host's own are under `/_parlor/`; every other path is a plugin's.
///
/// `dev` are the projects of `parlor dev`; none in `parlor serve`.
pub fn http(
    config: &Config,
    deploys: &Arc<Deploys>,
    door: &Arc<Door>,
    (health, watchdog): (Health, &Arc<Watchdog>),
    figures: Arc<Figures>,
    dev: Option<Arc<DevProjects>>,
) -> HttpRouter {
    let (fleet, tenants) = (&deploys.fleet, &deploys.tenants);
    let access = Arc::new(Access::new(config.operator_token.clone(), Arc::clone(tenants), dev.is_some()));
    let counts = Arc::<UpgradeCounts>::default();
    let sessions = Arc::<Sessions>::default();
    let measured = Measured {
        fleet: Arc::clone(fleet),
        tenants: Arc::clone(tenants),
        engine: Arc::clone(deploys.loader.engine()),
        door: Arc::clone(door),
        upgrades: Arc::clone(&counts),
        sessions: Arc::clone(&sessions),
        watchdog: Arc::clone(watchdog),
        tells_handlers: config.handler_metrics,
    };
    let upgrading = Upgrading {
        fleet: Arc::clone(fleet),
        tenants: Arc::clone(tenants),
        door: Arc::clone(door),
        deploys: Arc::clone(deploys),
        counts,
        sessions,
        claims: Arc::new(SeatClaims::new(Arc::clone(fleet.workers()))),
    };
    let of_host = pages::routes(dev.clone())
        .merge(api::routes(
            Api::new(Arc::clone(deploys), Arc::clone(&access), figures, dev, config.console_writes),
            &access,
            door.handshake_wait,
        ))
        .merge(health::routes((health, watchdog), deploys, &access))
        .merge(metrics_route(measured, &access, ApiThread::new(fleet.workers().aside(), tenants)));
    let rates = Arc::new(RequestRates::new(&access, door, tenants));
    HttpRouter::new()
        .fallback(upgrade::upgrade)
        .with_state(Arc::new(upgrading))
        .route("/_parlor", get(pages::to_the_overview))
        .nest("/_parlor/", of_host)
        .layer(from_fn(head::require_certain_head))
        .layer(from_fn_with_state(rates, requests::count))
        .layer(map_response(head::keep_private))
}

fn metrics_route(measured: Measured, access: &Arc<Access>, aside: ApiThread) -> HttpRouter {
    let metrics = get(metrics::metrics)
        .layer(from_fn_with_state(Arc::new(aside), aside::answer_aside))
        .layer(from_fn(auth::require_operator))
        .layer(from_fn_with_state(Arc::clone(access), auth::require_caller));
    HttpRouter::new().route("/metrics", metrics).with_state(Arc::new(measured))
}
