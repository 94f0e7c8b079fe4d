//! What tenants share: a greedy one does its worst, and the good one beside it is served; the greedy one is charged or
//! meets a bound.

mod compiled;
mod deploys;
mod machine;

use crate::harness::{Request, Response, Server};

/// The lines of a configuration in which both tenants have tokens, and bounds of the greedy one.
fn tokens(bounds_of_evil: &str) -> String {
    format!(
        "[tenants.good]\ntoken = \"the-token-of-good\"\n[tenants.evil]\ntoken = \"the-token-of-evil\"\n[tenants.evil.limits]\n{bounds_of_evil}\n"
    )
}

/// Shows a tenant's token.
fn of(tenant: &str, request: Request) -> Request {
    request.header("authorization", &format!("Bearer the-token-of-{tenant}"))
}

/// Uploads a component with its tenant's token.
async fn upload(server: &Server, tenant: &str, plugin: &str, bytes: Vec<u8>) -> Response {
    let path = format!("/_parlor/api/plugins/{tenant}/{plugin}");
    of(tenant, server.request("PUT", &path)).body("application/wasm", bytes).send().await
}

/// A figure of the metrics.
async fn figure(server: &Server, name: &str) -> f64 {
    let answer = server.request("GET", "/_parlor/metrics").operator().send().await;
    let line = answer.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = line.unwrap_or_else(|| panic!("no {name}: {}", answer.body));
    value.parse().unwrap_or_else(|why| panic!("{value}: {why}"))
}
