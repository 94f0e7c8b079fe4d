//! Which interfaces a tenant's plugins may import. A plugin can call only what it imports, so imports are its rights.

use std::sync::Arc;

/// All interfaces that this host offers. Of WASI these are clocks, randomness, and standard output and error, which go
/// to the room's log. The rest of WASI here is empty: the standard libraries of languages import it.
pub const OFFERED: [&str; 34] = [
    "parlor:room/alarm",
    "parlor:room/clock",
    "parlor:room/config",
    "parlor:room/events",
    "parlor:room/history",
    "parlor:room/inbox",
    "parlor:room/logging",
    "parlor:room/outbox",
    "parlor:room/random",
    "parlor:room/room",
    "parlor:room/sockets",
    "parlor:room/storage",
    "parlor:room/timers",
    TYPES,
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];
/// This interface has types and no function, so there is nothing to grant.
const TYPES: &str = "parlor:room/types";

/// The interfaces that a tenant's plugins may import, by name without version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Imports {
    /// Every interface that this host offers.
    #[default]
    All,
    /// Only these. `PACKAGE/*` stands for all interfaces of a package.
    Only(Arc<[String]>),
}

impl Imports {
    /// Grants a list of names. An error says which name is unknown.
    pub fn only(names: &[String]) -> Result<Self, String> {
        match names.iter().find(|name| !OFFERED.iter().any(|offered| covers(name, offered))) {
            Some(unknown) => Err(format!(
                "this host offers no interface {unknown:?}; it offers {}",
                OFFERED.map(|name| format!("{name:?}")).join(", ")
            )),
            None => Ok(Self::Only(names.into())),
        }
    }

    /// Whether plugins may import an interface.
    pub fn allow(&self, interface: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => interface == TYPES || names.iter().any(|name| covers(name, interface)),
        }
    }
}

/// Whether a name in the configuration covers an interface.
fn covers(name: &str, interface: &str) -> bool {
    match name.strip_suffix('*') {
        Some(package) => package.ends_with('/') && interface.starts_with(package),
        None => name == interface,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_grants_what_it_names_and_types() {
        let imports = Imports::only(&["parlor:room/outbox".to_owned(), "wasi:io/*".to_owned()]).unwrap();
        for (interface, allowed) in [
            ("parlor:room/outbox", true),
            ("parlor:room/types", true),
            ("wasi:io/poll", true),
            ("parlor:room/storage", false),
            ("wasi:iota/poll", false),
        ] {
            assert_eq!(imports.allow(interface), allowed, "{interface}");
        }
        assert!(Imports::All.allow("parlor:room/storage"));
    }

    #[test]
    fn a_name_that_means_nothing_is_told() {
        for unknown in ["wasi:sockets/tcp", "parlor:room", "parlor:*", "*", ""] {
            let why = Imports::only(&[unknown.to_owned()]).unwrap_err();
            assert!(why.contains(&format!("{unknown:?}")) && why.contains("parlor:room/storage"), "{why}");
        }
    }
}
