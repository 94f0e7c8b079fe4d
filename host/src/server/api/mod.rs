//! The API under `/_parlor/api/`, for the operator and for tenants: what is served, what it uses and how it fails, who
//! is in a room, emits from a backend, and uploads of components.

mod body;
mod costs;
mod deployed;
mod error;
mod live;
mod log;
mod paths;
mod payment;
mod plugins;
mod rooms;
mod session;
mod state;
mod storage;
mod tapes;
mod tenants;
mod upload;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use axum::Router as HttpRouter;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post, put};

use super::aside::{ApiThread, answer_aside};
use super::auth::{Access, require_caller};

use body::require_body_in_time;

pub use error::ApiError;
pub use state::Api;

/// The most bytes of a request's body, where no limit of the tenant or the plugin bounds it.
const BODY_BYTES: usize = 4 << 10;

/// The routes below `/_parlor/`. `body_wait` is how long a body may take to arrive; a component has longer.
pub fn routes(api: Api, access: &Arc<Access>, body_wait: Duration) -> HttpRouter {
    let aside = Arc::new(ApiThread::new(api.fleet.workers().aside(), &api.tenants));
    // Who is not logged in may log in.
    let open = HttpRouter::new()
        .route("/api/session", get(session::show).post(session::log_in).delete(session::log_out))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(body_wait, require_body_in_time));
    HttpRouter::new()
        .route("/api/tenants", get(tenants::list))
        .route("/api/tenants/{tenant}", get(tenants::one))
        .route("/api/plugins", get(plugins::list))
        .route("/api/plugins/{tenant}/{plugin}", get(plugins::one))
        .route("/api/plugins/{tenant}/{plugin}/log", get(log::recent))
        .route("/api/plugins/{tenant}/{plugin}/costs", get(costs::of_handlers))
        .route("/api/plugins/{tenant}/{plugin}/tapes", get(tapes::list))
        .route("/api/plugins/{tenant}/{plugin}/tapes/{tape}", get(tapes::one).delete(tapes::delete))
        .route("/api/plugins/{tenant}/{plugin}/lift", post(plugins::lift))
        .route("/api/plugins/{tenant}/{plugin}/rollback", post(versions::roll_back))
        .route("/api/rooms/{tenant}/{plugin}", get(rooms::list))
        .route("/api/rooms/{tenant}/{plugin}/{room}", get(rooms::view))
        .route("/api/rooms/{tenant}/{plugin}/{room}/sockets", get(rooms::sockets))
        .route("/api/rooms/{tenant}/{plugin}/{room}/sockets/{socket}", delete(rooms::kick))
        .route("/api/rooms/{tenant}/{plugin}/{room}/storage", get(storage::page).delete(storage::delete))
        .route("/api/live", get(live::listen))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        // Limits of the tenant and the plugin bound these bodies.
        .route("/api/rooms/{tenant}/{plugin}/{room}/emit", post(rooms::emit))
        .route("/api/rooms/{tenant}/{plugin}/{room}/storage", put(storage::put))
        .layer(from_fn_with_state(body_wait, require_body_in_time))
        .route("/api/plugins/{tenant}/{plugin}", put(upload::upload))
        .layer(from_fn_with_state(aside, answer_aside))
        .layer(from_fn_with_state(Arc::clone(access), require_caller))
        .merge(open)
        .with_state(Arc::new(api))
}
