//! What happens, while it happens: server-sent events at `/_parlor/api/live`.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use serde::Deserialize;

use super::error::ApiError;
use super::state::Api;
use crate::live::{Interest, LiveListener, LiveReader, TooManyStreams, Topic};
use crate::model::names::{PluginName, RoomId, TenantName};
use crate::server::auth::{Access, Caller};
use crate::server::forwarded::RemoteClient;
use crate::server::login::LoginKey;

/// How long a stream says nothing at most: a proxy or a browser may give up one that is silent.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// When a browser tries again after a stream that broke.
const FIRST: &str = "retry: 2000\n\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveQuery {
    topics: Option<String>,
    tenant: Option<String>,
    plugin: Option<String>,
    room: Option<String>,
}

impl LiveQuery {
    /// What a caller may hear of what it asks for.
    fn interest(self, caller: &Caller) -> Result<Interest, ApiError> {
        let topics = self.topics.as_deref().unwrap_or("figures,log,failures,deploys").split(',').map(|name| {
            let found = Topic::ALL.into_iter().find(|topic| topic.as_str() == name);
            found.ok_or_else(|| ApiError::bad_request("`topics` are some of figures, log, failures and deploys"))
        });
        let topics = topics.collect::<Result<Vec<_>, _>>()?;
        let asked = self.tenant.map(|tenant| TenantName::new(&tenant)).transpose()?;
        let tenant = match caller {
            Caller::Operator => asked,
            Caller::Tenant(own) if asked.as_ref().is_none_or(|asked| asked == own) => Some(own.clone()),
            // As if it did not exist.
            Caller::Tenant(_) => {
                return Err(ApiError::new(StatusCode::NOT_FOUND, "there is no such tenant"));
            }
        };
        let plugin = self.plugin.map(|plugin| PluginName::new(&plugin)).transpose()?;
        let room = self.room.map(|room| RoomId::new(&room)).transpose()?;
        if (plugin.is_some() && tenant.is_none()) || (room.is_some() && plugin.is_none()) {
            return Err(ApiError::bad_request("`plugin` needs `tenant`, and `room` needs `plugin`"));
        }
        Ok(Interest { topics, tenant, plugin, room })
    }
}

/// A stream, and what it rests on.
struct Streaming {
    reader: LiveReader,
    access: Arc<Access>,
    login: Option<LoginKey>,
}

impl Streaming {
    /// The next part of the answer; none where the reader was cut off, or is not logged in any more.
    async fn next(&self) -> Option<Bytes> {
        let next = tokio::time::timeout(SILENCE_MAX, self.reader.next()).await;
        let is_open = self.login.as_ref().is_none_or(|login| self.access.logins.caller(login).is_some());
        match next {
            _ if !is_open => None,
            Ok(next) => next,
            Err(_) => Some(Bytes::from_static(b": still here\n\n")),
        }
    }
}

pub async fn listen(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(client): Extension<RemoteClient>,
    headers: HeaderMap,
    query: Result<Query<LiveQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query?;
    let interest = query.interest(&caller)?;
    let listener = match caller {
        Caller::Operator => LiveListener::Operator,
        Caller::Tenant(tenant) => LiveListener::Tenant(tenant),
    };
    let full = |why: TooManyStreams| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, why.to_string());
    let begin = api.figures.begin(&interest);
    let reader = api.tenants.live().listen(listener, interest).map_err(full)?;
    reader.begin_with(&Bytes::from_static(FIRST.as_bytes()));
    if let Some(begin) = begin {
        reader.begin_with(&begin);
    }
    let login = api.access.login(&client, &headers);
    let streaming = Streaming { reader, access: Arc::clone(&api.access), login };
    let parts = unfold(streaming, async |streaming| {
        let part = streaming.next().await?;
        Some((Ok::<_, std::convert::Infallible>(part), streaming))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store, no-transform")];
    // nginx would otherwise keep what comes until its buffer is full.
    Ok((headers, [("x-accel-buffering", "no")], Body::from_stream(parts)).into_response())
}
