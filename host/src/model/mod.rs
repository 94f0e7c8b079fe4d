//! Plain data: what a room, an event, a turn and its bounds are. No I/O, no async, no wasmtime.

pub mod durability;
pub mod effect;
pub mod event;
pub mod failure;
pub mod journal;
pub mod json;
pub mod limits;
pub mod members;
pub mod meta;
pub mod names;
pub mod rate;
pub mod refusal;
pub mod secret;
pub mod state;
pub mod text;
pub mod timers;
pub mod turn;
