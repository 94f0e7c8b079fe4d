//! What tenants share, of which SECURITY.md has a row for each thing: a greedy tenant does its worst, and the good one beside
//! it is served; the greedy one is charged, or meets a bound.

mod alarms;
mod compiled;
mod delivery;
mod deploys;
mod machine;
mod pace;
mod rooms;
mod shares;
mod storage;

use std::fs;
use std::time::Duration;

use crate::harness::{Request, Response, Server};

/// CPU time that the server has used and that a tenant was charged.
struct Cost {
    burnt: Duration,
    charged: Duration,
}

impl Cost {
    async fn of(server: &Server, tenant: &str) -> Self {
        let stat = fs::read_to_string(format!("/proc/{}/stat", server.process())).expect("a process");
        let (_, rest) = stat.rsplit_once(") ").expect("a name");
        // User and system time, which the kernel tells in hundredths of a second.
        let ticks: u64 = rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        Self { burnt: Duration::from_millis(10 * ticks), charged: charged(server, tenant).await }
    }

    /// What was used and charged since.
    async fn since(&self, server: &Server, tenant: &str) -> Self {
        let now = Self::of(server, tenant).await;
        Self { burnt: now.burnt - self.burnt, charged: now.charged - self.charged }
    }
}

/// CPU time that a tenant was charged.
async fn charged(server: &Server, tenant: &str) -> Duration {
    let name = format!("parlor_tenant_cpu_seconds_total{{tenant=\"{tenant}\"}}");
    Duration::from_secs_f64(figure(server, &name).await)
}

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
pub async fn figure(server: &Server, name: &str) -> f64 {
    let answer = server.request("GET", "/_parlor/metrics").operator().send().await;
    let line = answer.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = line.unwrap_or_else(|| panic!("no {name}: {}", answer.body));
    value.parse().unwrap_or_else(|why| panic!("{value}: {why}"))
}
