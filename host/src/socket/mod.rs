//! One client connection, from the accepted upgrade to the last byte.

mod connection;
mod enter;
mod rate;
mod throttle;

pub use enter::{Arrival, serve};
