//! Which limits hold in a harness: all that bound a turn, a room, a socket or what is stored. Time stands still between two
//! steps, so what is bounded by the second is not bounded.

use crate::config::Config;
use crate::model::limits::{LimitsTable, Scope, Source};

/// The limits that count time, or that are for a server of many.
const LIFTED: &str = "
    tenant-cpu-percent = 0
    frames-per-second = 1_000_000_000
    frames-burst = 1_000_000_000
    inbound-bytes-per-second = 4_000_000_000
    log-bytes-per-second = 4_000_000_000
    log-bytes-burst = 4_000_000_000
    log-tenant-bytes-per-second = 4_000_000_000
    log-tenant-bytes-burst = 4_000_000_000
    ping-after-ms = 31_536_000_000_000
";
/// The instances that live at once: those of a few rooms, and what authorizes.
const OF_HOST: &str = "instances-of-host = 64";

/// Lifts the limits of a server, of its tenants and of their plugins that count time.
pub fn without_rates(mut config: Config) -> Result<Config, String> {
    let table = |text: &str| toml::from_str::<LimitsTable>(text).map_err(|why| why.to_string());
    let (lifted, of_host) = (table(LIFTED)?, table(OF_HOST)?);
    let source = Source("parlor room".to_owned());
    config.limits.lay(&lifted, Scope::Host, &source)?;
    config.limits.lay(&of_host, Scope::Host, &source)?;
    for tenant in config.tenants.values_mut() {
        tenant.limits.lay(&lifted, Scope::Host, &source)?;
        for plugin in tenant.plugins.values_mut() {
            plugin.limits.lay(&lifted, Scope::Host, &source)?;
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    #[test]
    fn what_counts_time_is_lifted_and_the_rest_holds() {
        let config = Config::load(Overrides::default()).unwrap();
        let before = config.limits().clone();
        let lifted = without_rates(config).unwrap();
        assert_eq!(lifted.limits().turn_cpu_ms, before.turn_cpu_ms);
        assert_eq!(lifted.limits().frames_burst, 1_000_000_000);
    }
}
