//! Why the host refuses a guest's call, and which limit the call would have exceeded.

use std::fmt;

/// Defines the limits that a guest can run into, with the names that guests, operators and logs know.
macro_rules! bounds {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// A limit that a guest's call can exceed. Its name is the key in the configuration.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bound { $($name),* }

        impl Bound {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

bounds! {
    AsksPerRoom = "asks-per-room",
    AsksPerSocket = "asks-per-socket",
    AttachmentsPerEvent = "attachments-per-event",
    ChannelsPerSocket = "channels-per-socket",
    DeliveriesPerTurn = "deliveries-per-turn",
    EmitBytes = "emit-bytes",
    EmitBytesPerTurn = "emit-bytes-per-turn",
    EmitsPerTurn = "emits-per-turn",
    HistoryChannels = "history-channels",
    HistoryEntries = "history-entries",
    HistoryTtlMs = "history-ttl-ms",
    HostCallsPerTurn = "host-calls-per-turn",
    MetaFieldsBytes = "meta-fields-bytes",
    RandomBytes = "random-bytes",
    Registrations = "registrations",
    SuspendBytes = "suspend-bytes",
    StorageBytesPerCall = "storage-bytes-per-call",
    StorageBytesPerTurn = "storage-bytes-per-turn",
    StorageKeyBytes = "storage-key-bytes",
    StorageKeysPerCall = "storage-keys-per-call",
    StorageRoomBytes = "storage-room-bytes",
    StorageTenantBytes = "storage-tenant-bytes",
    StorageRoomsPerTenant = "storage-rooms-per-tenant",
    StorageValueBytes = "storage-value-bytes",
    TimerBytes = "timer-bytes",
    TimersPerRoom = "timers-per-room",
}

/// Why the host refused a guest's call. A refused call changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    LimitExceeded(Bound),
    NoSuchSocket,
    NoTurn,
    Invalid(String),
    /// The host itself failed. The guest does not learn the details.
    Other(String),
}

impl Refusal {
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitExceeded(bound) => write!(f, "the bound {} would be passed", bound.name()),
            Self::NoSuchSocket => f.write_str("no such socket in this room"),
            Self::NoTurn => f.write_str("outside a turn"),
            Self::Invalid(why) | Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refusal {}
