//! Answers that may take long are made on a thread of their own, so that nobody who connects meanwhile waits for them. What
//! the answers to a tenant's token take is charged to the tenant, and one that owes CPU time waits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::api::ApiError;
use super::auth::Caller;
use super::refusal::plain;
use crate::seldom::Seldom;
use crate::tenant::charge::charged;
use crate::tenant::locks::TenantLocks;
use crate::tenant::{Account, Tenants};

/// How long the first request of a tenant that owes waits. A tenant whose rooms use all that they may hears from the API
/// at least so often.
const OWING_WAIT: Duration = Duration::from_secs(1);
/// How long a request waits in all, behind others of its tenant as well.
const WAIT_MAX: Duration = Duration::from_secs(5);

static UNANSWERED: Seldom = Seldom::new();

/// The thread, and the tenants that owe.
#[derive(Debug)]
pub struct ApiThread {
    thread: Handle,
    tenants: Arc<Tenants>,
    /// Requests of a tenant that owes wait one after the other.
    owing: TenantLocks,
}

impl ApiThread {
    pub fn new(thread: &Handle, tenants: &Arc<Tenants>) -> Self {
        Self { thread: thread.clone(), tenants: Arc::clone(tenants), owing: TenantLocks::default() }
    }

    /// Waits while the tenant owes CPU time, within bounds.
    async fn wait_while_owing(&self, account: &Account) -> Result<(), ApiError> {
        if account.cpu.owes_now().is_zero() {
            return Ok(());
        }
        let waited = tokio::time::timeout(WAIT_MAX, async {
            let _first = self.owing.lock(&account.tenant).await;
            // Where that takes longer, the request is answered all the same.
            let _ = tokio::time::timeout(OWING_WAIT, account.cpu.until_paid(|| false)).await;
        });
        waited.await.map_err(|_| {
            let words = "this tenant used more CPU time than it may: tenant-cpu-percent";
            ApiError::too_much(words, account.cpu.owes_now())
        })
    }
}

/// A layer of routes: runs their handlers on the thread. If the client hangs up, the handler ends.
pub async fn answer_aside(State(aside): State<Arc<ApiThread>>, request: Request, next: Next) -> Response<Body> {
    let account = match request.extensions().get::<Caller>() {
        Some(Caller::Tenant(tenant)) => Some(aside.tenants.account(tenant)),
        Some(Caller::Operator) | None => None,
    };
    let mut answering = JoinSet::new();
    match account {
        None => drop(answering.spawn_on(next.run(request), &aside.thread)),
        Some(account) => {
            if let Err(owes) = aside.wait_while_owing(&account).await {
                return owes.into_response();
            }
            let answer = async move { charged(&account.cpu, next.run(request)).await };
            drop(answering.spawn_on(answer, &aside.thread));
        }
    }
    match answering.join_next().await {
        Some(Ok(response)) => response,
        why => {
            UNANSWERED.tell(|left_out| tracing::error!(left_out, "a request was not answered: {why:?}"));
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the server failed to answer this request")
        }
    }
}
