//! The integration tests: the real server, real components, real sockets. Each test says what a user can rely on.

mod harness;

mod addresses;
mod api;
mod api_state;
mod api_tokens;
mod api_uploads;
mod authorize;
mod browser;
mod check;
mod compile;
mod contract;
mod crash;
mod data;
mod dev;
mod disconnect;
mod durable;
mod faults;
mod files;
mod gate;
mod guests;
mod health;
mod limits;
mod members;
mod metrics;
mod new;
mod order;
mod reload;
mod seed;
mod seed_handlers;
mod shutdown;
mod swap;
mod tenants;
mod tidy;
mod wire;
mod wire_bad;
