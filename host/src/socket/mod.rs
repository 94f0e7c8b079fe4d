//! One client connection, from the accepted upgrade to the last byte.

mod connection;
mod enter;

pub use enter::{Arrival, serve};
