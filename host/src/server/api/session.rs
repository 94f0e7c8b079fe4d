//! Who is logged in: `/_parlor/api/session`.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json as JsonBody};
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::state::Api;
use crate::model::web::HostName;
use crate::server::auth::Caller;
use crate::server::forwarded::RemoteClient;
use crate::server::head::host_of;
use crate::server::login::{CookieTransport, is_of_our_pages, login_of};

#[derive(Serialize)]
pub struct SessionBody {
    /// `operator`, `tenant`, or null where nobody is logged in.
    caller: Option<&'static str>,
    tenant: Option<String>,
    /// Whether this is `parlor dev`, where a browser on this machine need not log in.
    dev: bool,
}

impl SessionBody {
    fn of(api: &Api, caller: Option<&Caller>) -> JsonBody<Self> {
        let (caller, tenant) = match caller {
            Some(Caller::Operator) => (Some("operator"), None),
            Some(Caller::Tenant(tenant)) => (Some("tenant"), Some(tenant.to_string())),
            None => (None, None),
        };
        JsonBody(Self { caller, tenant, dev: api.access.is_dev() })
    }
}

pub async fn show(State(api): State<Arc<Api>>, request: Request) -> JsonBody<SessionBody> {
    SessionBody::of(&api, request.extensions().get::<Caller>())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    token: String,
}

/// Begins a login, with the operator's token or a tenant's.
pub async fn log_in(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<RemoteClient>,
    headers: HeaderMap,
    body: Result<JsonBody<LoginBody>, JsonRejection>,
) -> Result<Response, ApiError> {
    let forbidden = |words: &str| ApiError::new(StatusCode::FORBIDDEN, words);
    if !is_of_our_pages(&Method::POST, &headers) {
        return Err(forbidden("only the console's own page logs in; others send the token with each request"));
    }
    let no_tls =
        "log in over TLS, or on the server's machine itself (127.0.0.1): others could read the login on its way";
    let transport = CookieTransport::of(&headers, client.tls).ok_or_else(|| forbidden(no_tls))?;
    let JsonBody(LoginBody { token }) = body?;
    let caller = api.access.caller_of(&token);
    let unknown = || ApiError::new(StatusCode::UNAUTHORIZED, "this is neither the operator's token nor a tenant's");
    let caller = caller.ok_or_else(unknown)?;
    let host = client.host.as_deref().or_else(|| host_of(&headers)).unwrap_or_default();
    if !api.access.may_log_in_at(&caller, &HostName::requested(host)) {
        return Err(forbidden("this host name is a tenant's own: log in there with that tenant's token alone"));
    }
    let no_secret = |_| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no randomness");
    let secret = api.access.logins.begin(caller.clone()).map_err(no_secret)?;
    Ok(with_cookie(SessionBody::of(&api, Some(&caller)).into_response(), transport, Some(&secret)))
}

/// Ends the login that the request comes with.
pub async fn log_out(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<RemoteClient>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !is_of_our_pages(&Method::DELETE, &headers) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "only the console's own page logs out"));
    }
    if let Some(login) = login_of(&headers) {
        api.access.logins.end(&login);
    }
    let response = SessionBody::of(&api, None).into_response();
    Ok(match CookieTransport::of(&headers, client.tls) {
        Some(transport) => with_cookie(response, transport, None),
        None => response,
    })
}

fn with_cookie(mut response: Response, transport: CookieTransport, secret: Option<&str>) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(&transport.cookie(secret)) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}
