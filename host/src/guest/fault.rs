//! How an instance is lost, and why there may be none.

use std::fmt;

/// A fault of the guest that ends its instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It trapped: a panic, an out-of-bounds access, a stack overflow, an exit.
    Trap(String),
    /// It used more CPU time than its budget.
    Deadline,
    /// It took longer than `call-wall-ms`, waits included.
    Timeout,
    /// It trapped after the host had refused it memory.
    Memory,
    /// It went on calling the host past a limit.
    HostCalls,
}

impl Fault {
    /// The code in logs, metrics and `$error`, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Deadline => "deadline",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::HostCalls => "host-call-quota",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(why) => write!(f, "trapped: {why}"),
            Self::Deadline => f.write_str("used more CPU time than a call may"),
            Self::Timeout => f.write_str("took longer than call-wall-ms"),
            Self::Memory => f.write_str("was refused memory beyond memory-bytes"),
            Self::HostCalls => f.write_str("made more host calls than host-calls-per-turn"),
        }
    }
}

impl std::error::Error for Fault {}

/// Why the host could not make an instance.
#[derive(Debug)]
pub enum OpenError {
    /// The pool is full or the host is out of memory. The guest is not to blame.
    NoPlace(String),
    /// The tenant's instances hold all the memory that they may.
    TenantFull,
    /// The tenant has all the awake rooms that it may have.
    TooManyAwake,
    /// `init` returned an error.
    Refused(String),
    Faulted(Fault),
}

impl OpenError {
    /// Whether the plugin's code is to blame. Where `init` took long, that may be the doing of others.
    pub fn is_of_code(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Faulted(fault) => !matches!(fault, Fault::Timeout),
            Self::NoPlace(_) | Self::TenantFull | Self::TooManyAwake => false,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace(why) => write!(f, "no place for an instance: {why}"),
            Self::TenantFull => f.write_str("no memory for another instance of this tenant: memory-tenant-bytes"),
            Self::TooManyAwake => f.write_str("too many rooms of this tenant are awake: awake-rooms-per-tenant"),
            Self::Refused(why) => write!(f, "init refused: {why}"),
            Self::Faulted(fault) => write!(f, "init {fault}"),
        }
    }
}

impl std::error::Error for OpenError {}
