//! The names of tenants, plugins and rooms. Each is checked once, where it comes in.

use std::fmt;

/// Why the host refuses a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    pub what: &'static str,
    pub rule: &'static str,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.what, self.rule)
    }
}

impl std::error::Error for BadName {}

/// Defines the type of a name: a string that passed a check.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            pub fn new(text: &str) -> Result<Self, BadName> {
                if $check(text) { Ok(Self(text.into())) } else { Err(BadName { what: $what, rule: $rule }) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Names are ordered and hashed like their text, so that a map can be asked with a `&str`.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_name!(
    /// A tenant, who owns plugins, rooms and storage.
    TenantName,
    "a tenant's name",
    "1 to 63 of a-z, 0-9 and -, not beginning with -",
    is_label
);
checked_name!(
    /// A plugin of a tenant: its file's name without `.wasm`.
    PluginName,
    "a plugin's name",
    "1 to 63 of a-z, 0-9 and -, not beginning with -",
    is_label
);
checked_name!(
    /// A room of a plugin: what clients give in `?room=`.
    RoomId,
    "a room's id",
    "1 to 128 of A-Z, a-z, 0-9, ., _, ~ and -",
    is_room_id
);
checked_name!(
    /// The websocket path that a plugin serves.
    PluginPath,
    "a plugin's path",
    "1 to 128 of /, A-Z, a-z, 0-9, ., _, ~ and -, beginning with /, without //, /./ and .., and not /_parlor, /socket.io, /t or below them",
    is_plugin_path
);

/// The name of the tenant that is served at the root, and of the room that an address without `?room=` means.
pub const DEFAULT: &str = "default";
/// How many bytes the name of an event or a channel, or the id of a user or a client, may have.
pub const NAME_BYTES_MAX: usize = 128;

impl TenantName {
    /// The tenant whose files lie in the plugin folder itself.
    pub fn default_tenant() -> Self {
        Self(DEFAULT.into())
    }

    /// The host's own tenant, which nobody can configure, address or upload to.
    pub fn of_the_host() -> Self {
        Self("$host".into())
    }

    /// Whether the tenant's plugins are served at the root, not below `/t/`.
    pub fn is_default(&self) -> bool {
        self.as_str() == DEFAULT
    }
}

impl RoomId {
    /// The room that an address without `?room=` means.
    pub fn default_room() -> Self {
        Self(DEFAULT.into())
    }
}

/// What identifies a plugin on the server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginKey {
    pub tenant: TenantName,
    pub plugin: PluginName,
}

impl fmt::Display for PluginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.plugin)
    }
}

/// What identifies a room on the server. Two plugins may both have a room of one id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey {
    pub plugin: PluginKey,
    pub room: RoomId,
}

impl fmt::Display for RoomKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.plugin, self.room)
    }
}

/// What the keys begin with that the host itself keeps in a room's storage. Plugins neither read nor list them.
pub const RESERVED_KEYS: &str = "\0parlor/";
/// A text behind all keys of the host, and before all other keys that come behind them.
pub const RESERVED_KEYS_END: &str = "\0parlor/\u{10ffff}";

/// Whether a text may name an event, a channel, a user or a client.
pub fn is_short_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_url_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-')
}

fn is_room_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(is_url_plain)
}

fn is_plugin_path(text: &str) -> bool {
    let below = |place: &str| text.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    (1..=128).contains(&text.len())
        && text.starts_with('/')
        && text.bytes().all(|b| b == b'/' || is_url_plain(b))
        && !text.contains("..")
        && !text.contains("//")
        && !text.split('/').any(|segment| segment == ".")
        && !below("/_parlor")
        && !below("/socket.io")
        && !below("/t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_names_are_labels() {
        for good in ["a", "default", "a-b", "0", &"x".repeat(63)] {
            assert!(TenantName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a_b", "a.b", "ä", "..", &"x".repeat(64)] {
            assert!(TenantName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn room_ids_are_plain_in_an_address() {
        for good in ["default", "A.b_c~d-9", &"r".repeat(128)] {
            assert!(RoomId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a%20", "ü", &"r".repeat(129)] {
            assert!(RoomId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_stay_out_of_the_hosts_places() {
        for good in ["/", "/ws", "/ws/", "/ws/notifications", "/.well-known/ws", "/team", "/_parlors", "/socket.iox"] {
            assert!(PluginPath::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ws",
            "/../x",
            "/_parlor",
            "/_parlor/api",
            "/socket.io/",
            "/t",
            "/t/acme",
            "/a b",
            "/a?b",
            "/ä",
            "//",
            "//ws",
            "/ws//",
            "/a//b",
            "/.",
            "/./ws",
            "/a/./b",
            "/a/.",
            "/a/../b",
            "/..",
        ] {
            assert!(PluginPath::new(bad).is_err(), "{bad}");
        }
        assert!(PluginPath::new(&format!("/{}", "p".repeat(128))).is_err());
    }
}
