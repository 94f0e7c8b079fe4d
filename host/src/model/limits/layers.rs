//! The limits of a tenant or a plugin: defaults, then the server's table, then the tenant's, then the plugin's, and
//! which of them set each limit.

use std::collections::BTreeMap;

use super::catalog::{Limits, LimitsTable};
use super::define::{Limit, Scope};

/// Where a limit's value comes from, in words for people: `default`, or a file and its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source(pub String);

/// Limits with the source of each.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    limits: Limits,
    /// By key. A limit without an entry has its default.
    sources: BTreeMap<&'static str, Source>,
}

impl Layers {
    /// Overwrites limits with those of a table, which stands at `scope` in the configuration. An error names the key
    /// and says what its value must be.
    pub fn lay(&mut self, table: &LimitsTable, scope: Scope, source: &Source) -> Result<(), String> {
        let table = &table.in_todays_keys()?;
        for Limit { key, scope: least_scope, least, value, .. } in table.set() {
            if value < least {
                return Err(match value {
                    0 => format!("limits.{key} must not be 0"),
                    _ => format!("limits.{key} must be at least {least}, not {value}"),
                });
            }
            if scope > least_scope {
                return Err(format!("limits.{key} is a bound of the whole {}: set it there", least_scope.as_str()));
            }
        }
        let memory_above = self.limits.memory_bytes;
        self.limits.apply(table);
        if scope > Scope::Host && self.limits.memory_bytes > memory_above {
            return Err(format!("limits.memory-bytes must be at most {memory_above}, as the table above it says"));
        }
        self.sources.extend(table.set().iter().map(|limit| (limit.key, source.clone())));
        Ok(())
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The source of a limit, by its key.
    pub fn source(&self, key: &str) -> &str {
        self.sources.get(key).map_or("default", |source| source.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> LimitsTable {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_nearest_table_counts() {
        let mut layers = Layers::default();
        layers.lay(&table("frame-bytes = 1\nturn-cpu-ms = 9"), Scope::Host, &Source("file".into())).unwrap();
        layers.lay(&table("frame-bytes = 2"), Scope::Tenant, &Source("tenant".into())).unwrap();
        assert_eq!((layers.limits().frame_bytes, layers.limits().turn_cpu_ms), (2, 9));
        let source = |key| layers.source(key);
        assert_eq!([source("frame-bytes"), source("turn-cpu-ms"), source("bad-frames")], ["tenant", "file", "default"]);
    }

    #[test]
    fn a_bound_is_set_where_it_belongs() {
        let lay = |text, scope| Layers::default().lay(&table(text), scope, &Source(String::new()));
        assert!(lay("sockets-per-address = 1", Scope::Host).is_ok());
        assert!(lay("sockets-per-address = 1", Scope::Tenant).unwrap_err().contains("whole host"));
        assert!(lay("rooms-per-tenant = 1", Scope::Tenant).is_ok());
        assert!(lay("rooms-per-tenant = 1", Scope::Plugin).unwrap_err().contains("whole tenant"));
        assert!(lay("memory-bytes = 1", Scope::Plugin).is_ok());
        assert!(lay("memory-bytes = 1000000000", Scope::Plugin).unwrap_err().contains("at most 67108864"));
        assert!(lay("frame-bytes = 0", Scope::Plugin).unwrap_err().contains("limits.frame-bytes must not be 0"));
    }
}
