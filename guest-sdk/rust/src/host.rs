//! The host's functions, one module an interface of the contract: the real imports in a component, and the test
//! room's functions of the same names and types everywhere else.

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::bindings::parlor::room::{
    alarm, clock, config, events, history, inbox, logging, outbox, random, room, sockets, storage, timers,
};

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::imports::{
    alarm, clock, config, events, history, inbox, logging, outbox, random, room, sockets, storage, timers,
};

pub(crate) use crate::bindings::parlor::room::types;
