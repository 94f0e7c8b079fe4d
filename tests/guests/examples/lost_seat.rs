//! The plugin `tickets` with a fault that loses seats that are sold. `build.rs` plants it.

include!(concat!(env!("OUT_DIR"), "/lost_seat.rs"));
