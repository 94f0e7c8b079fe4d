//! The integration tests: the real server, real components, real sockets. Each test says what a user can rely on.

mod harness;

mod addresses;
mod api;
mod authorize;
mod browser;
mod check;
mod compile;
mod contract;
mod disconnect;
mod faults;
mod files;
mod guests;
mod limits;
mod members;
mod order;
mod seed;
mod seed_handlers;
mod shutdown;
mod tenants;
mod tidy;
mod wire;
mod wire_bad;
