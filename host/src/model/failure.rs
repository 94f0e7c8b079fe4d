//! How a plugin's code fails.

/// What kind of failure it was, for figures: a closed list, whatever a guest calls its own failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A handler returned it.
    Returned,
    Trap,
    Deadline,
    Timeout,
    Memory,
    HostCalls,
    /// The turn passed a bound and was not committed.
    Bound,
    Storage,
    /// No instance could be made.
    NoInstance,
    /// `authorize` faulted, or answered what the contract does not allow.
    Authorize,
}

impl FailureKind {
    pub const ALL: [Self; 10] = [
        Self::Returned,
        Self::Trap,
        Self::Deadline,
        Self::Timeout,
        Self::Memory,
        Self::HostCalls,
        Self::Bound,
        Self::Storage,
        Self::NoInstance,
        Self::Authorize,
    ];

    /// The stable word for figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::HostCalls => "host-calls",
            Self::Bound => "bound",
            Self::Storage => "storage",
            Self::NoInstance => "no-instance",
            Self::Authorize => "authorize",
        }
    }
}
