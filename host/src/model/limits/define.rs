//! Macros that turn one list of limits into fields, keys of the configuration and rows of `parlor limits`.

/// What a limit applies to, and so which tables of the configuration may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The whole server: only `[limits]` sets it.
    Host,
    /// Each tenant as a whole: `[tenants.T.limits]` sets it as well.
    Tenant,
    /// Each plugin by itself: `[tenants.T.plugins.P.limits]` sets it as well.
    Plugin,
}

impl Scope {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Tenant => "tenant",
            Self::Plugin => "plugin",
        }
    }
}

/// A limit with its current value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The key in the configuration. It ends in the unit.
    pub key: &'static str,
    pub scope: Scope,
    /// The smallest value that the configuration accepts: below it nothing would work.
    pub least: u64,
    pub value: u64,
    /// What the limit is for, what happens past it, and why it has this value.
    pub why: &'static str,
}

/// Defines [`super::Limits`] and the configuration's table that changes them.
macro_rules! limits {
    (
        $($(#[doc = $why:literal])+ $field:ident: $type:ty = $default:expr, $scope:ident, least $least:literal;)*
        retired: $($retired:ident: $retired_type:ty;)*
    ) => {
        /// What one plugin, one turn, one socket, one room, one tenant and the whole server may use.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $why])+ pub $field: $type,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl Limits {
            /// All limits, in the order of their definition.
            pub fn all(&self) -> Vec<Limit> {
                vec![$(Limit {
                    key: key!($field),
                    scope: Scope::$scope,
                    least: $least,
                    value: self.$field as u64,
                    why: concat!($($why),+).trim_ascii(),
                },)*]
            }

            /// The limits of these values, by key; the default of those that are not named. A key that is none is passed
            /// over: it is of another version.
            pub fn of_values<'a>(values: impl Iterator<Item = (&'a str, u64)>) -> Result<Self, std::num::TryFromIntError> {
                let mut limits = Self::default();
                for (key, value) in values {
                    match key {
                        $(known if known == key!($field) => limits.$field = value.try_into()?,)*
                        _ => {}
                    }
                }
                Ok(limits)
            }

            /// Overwrites the limits that a table of the configuration sets.
            pub fn apply(&mut self, table: &LimitsTable) {
                $(if let Some(value) = table.$field { self.$field = value; })*
            }
        }

        /// A table `limits` of the configuration, with the limits that it sets.
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct LimitsTable {
            $($field: Option<$type>,)*
            // Keys of earlier versions. `in_todays_keys` turns them into their successors.
            $($retired: Option<$retired_type>,)*
        }

        impl LimitsTable {
            /// The limits that the table sets, with its values.
            pub fn set(&self) -> Vec<Limit> {
                let mut limits = Limits::default();
                limits.apply(self);
                let is_set = [$(self.$field.is_some(),)*];
                limits.all().into_iter().zip(is_set).filter(|(_, is_set)| *is_set).map(|(limit, _)| limit).collect()
            }
        }
    };
}

/// Makes the configuration's key of a field: its name with dashes.
macro_rules! key {
    ($field:ident) => {{
        const NAME: &str = stringify!($field);
        const DASHED: [u8; NAME.len()] = {
            let mut bytes = [0; NAME.len()];
            let mut place = 0;
            while place < NAME.len() {
                let byte = NAME.as_bytes()[place];
                bytes[place] = if byte == b'_' { b'-' } else { byte };
                place += 1;
            }
            bytes
        };
        const KEY: &str = match std::str::from_utf8(&DASHED) {
            Ok(key) => key,
            Err(_) => NAME,
        };
        KEY
    }};
}

pub(super) use {key, limits};
