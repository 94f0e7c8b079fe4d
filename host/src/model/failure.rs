//! The kinds of failures of a plugin's code.

/// The kind of a failure, as metrics label it. The list is closed: a guest's own codes never become labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The handler returned a failure.
    Returned,
    Trap,
    Deadline,
    Timeout,
    Memory,
    HostCalls,
    /// The turn exceeded a limit, so it did not commit.
    Bound,
    Storage,
    /// The host could not make an instance.
    NoInstance,
    /// `authorize` faulted, or returned what the contract does not allow.
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

    /// The label in metrics, which never changes.
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
