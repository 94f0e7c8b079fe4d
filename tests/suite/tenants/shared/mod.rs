//! What tenants share: one is greedy, and the other is served. What the greedy one costs is charged to it, of which
//! SECURITY.md has a row for each thing that is shared.

mod delivery;

use std::fs;
use std::time::Duration;

use crate::harness::Server;

/// CPU time that the server has used and that a tenant was charged.
struct Cost {
    burnt: Duration,
    charged: Duration,
}

impl Cost {
    async fn of(server: &Server, tenant: &str) -> Self {
        let metrics = server.request("GET", "/_parlor/metrics").operator().send().await.body;
        let name = format!("parlor_tenant_cpu_seconds_total{{tenant=\"{tenant}\"}} ");
        let charged = metrics.lines().find_map(|line| line.strip_prefix(&name)).expect("the tenant's figure");
        let stat = fs::read_to_string(format!("/proc/{}/stat", server.process())).expect("a process");
        let (_, rest) = stat.rsplit_once(") ").expect("a name");
        // User and system time, which the kernel tells in hundredths of a second.
        let ticks: u64 = rest.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
        Self {
            burnt: Duration::from_millis(10 * ticks),
            charged: Duration::from_secs_f64(charged.parse().expect("a number")),
        }
    }

    /// What was used and charged since.
    async fn since(&self, server: &Server, tenant: &str) -> Self {
        let now = Self::of(server, tenant).await;
        Self { burnt: now.burnt - self.burnt, charged: now.charged - self.charged }
    }
}
