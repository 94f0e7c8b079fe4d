//! How a guest's call to the host ends that does not succeed.

use crate::model::refusal::Refusal;

/// Why a guest's call to the host did not succeed.
#[derive(Debug)]
pub enum CallError {
    /// The guest gets the refusal, and may go on.
    Refused(Refusal),
    /// The host stops the guest.
    Trap(wasmtime::Error),
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

pub type CallResult<T> = Result<T, CallError>;
