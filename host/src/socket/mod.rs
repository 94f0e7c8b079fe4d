//! One client connection, from the accepted upgrade to the last byte.

mod connection;
mod enter;
mod fragments;
mod keepalive;
mod rate;
mod seat;
mod stream;
mod throttle;

pub use enter::serve;
pub use seat::Seat;
pub use stream::{ClientStream, DetachedStream};
