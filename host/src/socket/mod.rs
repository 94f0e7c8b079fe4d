//! One client connection, from the accepted upgrade to the last byte.

pub mod claims;
mod connection;
mod enter;
mod fragments;
pub mod held;
pub mod keepalive;
pub mod rate;
mod seat;
mod stream;
mod throttle;
pub mod ws;

pub use enter::serve;
pub use seat::{Seat, SeatClaim, SeatClaims};
pub use stream::{ClientStream, DetachedStream};
