//! The host's pages: the overview with its playground, the browser client, and in `parlor dev` the pages of plugin
//! projects.

use std::sync::Arc;

use axum::Router as HttpRouter;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::{IntoResponse as _, Redirect};
use axum::routing::get;
use tower::ServiceExt as _;
use tower_http::services::ServeDir;

use super::dev::DevProjects;
use super::head::host_of;
use crate::model::names::PluginName;
use crate::model::web::HostName;

/// What the overview's pages may load: their own files and sockets of this server, and nothing else.
const PAGE_POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The sandbox gives pages of plugins an origin of their own, so that they cannot read the host's pages and API.
const PLUGIN_PAGE_POLICY: &str = "sandbox allow-scripts allow-forms; default-src 'self'; base-uri 'none'";

/// Where the pages of a plugin find the client of Socket.IO that npm installed for their project.
const SOCKET_IO_CLIENT: &str = "node_modules/socket.io-client/dist/";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file that is part of the program.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

/// Names the files of `host/pages/` that are served.
macro_rules! assets {
    ($($path:literal, $file:literal, $content_type:expr;)*) => {
        [$(Asset {
            path: $path,
            content_type: $content_type,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/pages/", $file)),
        }),*]
    };
}

/// Files that anybody may load: they tell nothing about this server. The build makes the client of its parts.
static OPEN: [Asset; 2] = [
    Asset { path: "/client.js", content_type: SCRIPT, text: include_str!(concat!(env!("OUT_DIR"), "/client.js")) },
    Asset { path: "/client.d.ts", content_type: TEXT, text: include_str!("../../pages/client.d.ts") },
];

/// What the pages of the examples share: the choice of their client.
static EXAMPLES: [Asset; 1] = assets! { "/example-client.js", "example-client.js", SCRIPT; };

/// The console and its parts. Anybody may load them as well: what they show they ask of the API, by whoever is logged in.
static OVERVIEW: [Asset; 30] = assets! {
    "/", "index.html", HTML;
    "/api.js", "api.js", SCRIPT;
    "/app.js", "app.js", SCRIPT;
    "/builds.js", "builds.js", SCRIPT;
    "/bytes.js", "bytes.js", SCRIPT;
    "/dom.js", "dom.js", SCRIPT;
    "/framelog.js", "framelog.js", SCRIPT;
    "/hostview.js", "hostview.js", SCRIPT;
    "/live.js", "live.js", SCRIPT;
    "/login.js", "login.js", SCRIPT;
    "/loglines.js", "loglines.js", SCRIPT;
    "/logview.js", "logview.js", SCRIPT;
    "/message.js", "message.js", SCRIPT;
    "/overview.js", "overview.js", SCRIPT;
    "/panel.js", "panel.js", SCRIPT;
    "/parts.js", "parts.js", SCRIPT;
    "/playground.js", "playground.js", SCRIPT;
    "/plot.js", "plot.js", SCRIPT;
    "/pluginview.js", "pluginview.js", SCRIPT;
    "/roomview.js", "roomview.js", SCRIPT;
    "/storagebrowser.js", "storagebrowser.js", SCRIPT;
    "/tapestate.js", "tapestate.js", SCRIPT;
    "/tapeview.js", "tapeview.js", SCRIPT;
    "/tenantview.js", "tenantview.js", SCRIPT;
    "/style.css", "style.css", STYLE;
    "/console.css", "console.css", STYLE;
    "/overview.css", "overview.css", STYLE;
    "/playground.css", "playground.css", STYLE;
    "/icon.svg", "icon.svg", "image/svg+xml";
    "/index.html", "index.html", HTML;
};

/// The routes below `/_parlor/`. `dev` are the projects of `parlor dev`; none in `parlor serve`.
pub fn routes(dev: Option<Arc<DevProjects>>) -> HttpRouter {
    let of_dev = dev.iter().flat_map(|_| &EXAMPLES);
    let open = OPEN.iter().chain(of_dev).fold(HttpRouter::new(), |router, asset| {
        // Pages of any origin may use the client, those in a sandbox included.
        let allow_all = (ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        router.route(asset.path, get(move || async move { serve(asset, Some(allow_all)) }))
    });
    let overview = OVERVIEW.iter().fold(HttpRouter::new(), |router, asset| {
        router.route(asset.path, get(move || async move { serve(asset, Some((CONTENT_SECURITY_POLICY, PAGE_POLICY))) }))
    });
    open.merge(overview)
        .route("/pages/{plugin}", get(to_the_folder))
        .route("/pages/{plugin}/", get(plugin_page))
        .route("/pages/{plugin}/{*file}", get(plugin_page))
        .with_state(dev)
}

/// Adds the slash that the overview's relative links need. Relative itself, so that it holds under a proxy's path as well.
pub async fn to_the_overview() -> Redirect {
    Redirect::permanent("_parlor/")
}

/// Adds the slash that a page's relative links need.
async fn to_the_folder(Path(plugin): Path<String>) -> Response<Body> {
    match PluginName::new(&plugin) {
        Ok(plugin) => Redirect::permanent(&format!("{plugin}/")).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn serve(asset: &Asset, header: Option<(HeaderName, &'static str)>) -> Response<Body> {
    let mut response = Response::new(Body::from(asset.text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    if let Some((name, value)) = header {
        headers.insert(name, HeaderValue::from_static(value));
    }
    guard(&mut response);
    response
}

/// The headers of every page: browsers guess no types, keep no stale copies and give no addresses away.
fn guard(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// A file of a plugin project's `public/` folder, or of Socket.IO's client, in `parlor dev`.
async fn plugin_page(State(dev): State<Option<Arc<DevProjects>>>, mut request: Request) -> Response<Body> {
    let not_found = || StatusCode::NOT_FOUND.into_response();
    // A foreign host name that leads to this machine (DNS rebinding) would make these pages part of its own site.
    if !host_of(request.headers()).is_some_and(|host| HostName::requested(host).is_loopback()) {
        return not_found();
    }
    let path = request.uri().path();
    let path = path.strip_prefix("/_parlor").unwrap_or(path);
    let Some((name, file)) = path.strip_prefix("/pages/").and_then(|rest| rest.split_once('/')) else {
        return not_found();
    };
    let of_plugin = dev.zip(PluginName::new(name).ok());
    let (folder, file) = match file.strip_prefix(SOCKET_IO_CLIENT) {
        Some(file) => (of_plugin.and_then(|(dev, name)| dev.socket_io_client_of(&name)), file),
        None => (of_plugin.and_then(|(dev, name)| dev.pages_of(&name)), file),
    };
    let (Some(folder), Ok(uri)) = (folder, format!("/{file}").parse()) else {
        return not_found();
    };
    *request.uri_mut() = uri;
    let mut response = match ServeDir::new(folder).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    };
    guard(&mut response);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PLUGIN_PAGE_POLICY));
    // In the sandbox a page's origin is opaque, so that its own modules count as cross-origin.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
