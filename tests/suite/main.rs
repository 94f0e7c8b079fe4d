//! The integration tests: the real server, real components, real sockets. Each test says what a user can rely on.

mod harness;

mod browser;
mod seed;
mod seed_handlers;
mod wire;
