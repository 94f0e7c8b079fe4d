//! One table says what serves, where each room is, and how versions fail: what opens, comes and fails at the same moment
//! misses nothing of each other.

mod arrivals;
mod crashes;
mod versions;
