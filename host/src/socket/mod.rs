//! One client connection, from the accepted upgrade to the last byte.

mod connection;
mod enter;
mod fragments;
mod rate;
mod seat;
mod throttle;

pub use enter::serve;
pub use seat::Seat;
