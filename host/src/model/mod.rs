//! Plain data: what rooms, events, turns and limits are. Nothing here does I/O, is async or knows wasmtime.

pub mod asks;
pub mod base64;
pub mod body;
pub mod durability;
pub mod effect;
pub mod event;
pub mod failure;
pub mod history;
pub mod journal;
pub mod json;
pub mod limits;
pub mod members;
pub mod meta;
pub mod names;
pub mod placeholder;
pub mod rate;
pub mod recording;
pub mod refusal;
pub mod secret;
pub mod state;
pub mod text;
pub mod timers;
pub mod turn;
pub mod visitor;
pub mod web;
