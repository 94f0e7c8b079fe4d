//! `parlor:room/random`.

use super::super::bindings::parlor::room::random::Host;
use super::super::state::GuestState;
use crate::guest::call_error::CallResult;
use crate::model::refusal::{Bound, Refusal};
use crate::randomness;

impl Host for GuestState {
    fn get_bytes(&mut self, count: u32) -> CallResult<Vec<u8>> {
        self.count_call()?;
        if count > self.context.limits.random_bytes {
            return Err(Refusal::LimitExceeded(Bound::RandomBytes).into());
        }
        let mut bytes = vec![0; count as usize];
        randomness::fill(&mut bytes).map_err(|why| Refusal::Other(format!("no randomness: {why}")))?;
        Ok(bytes)
    }
}
