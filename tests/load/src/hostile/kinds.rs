//! What the well-behaved tenant does, by kind, and how long each takes.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency that is told apart, in nanoseconds: a minute.
const LONGEST_NS: u64 = 60_000_000_000;

/// A kind of thing that the tenant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message that is answered to its sender.
    Echo,
    /// One whose answer says that what it wrote is durable.
    Write,
    /// One that reads a page of the storage.
    Read,
    /// Somebody comes into a room that is not open, and is answered.
    Open,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Echo, Self::Write, Self::Read, Self::Open];

    /// As the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Write => "write",
            Self::Read => "read",
            Self::Open => "open",
        }
    }
}

/// Latencies of one kind, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// Those of all kinds, in the order of [`Kind::ALL`].
pub type ByKind = [Latency; Kind::ALL.len()];

/// Times that were measured.
#[derive(Debug, Clone)]
pub struct Times(Histogram<u64>);

impl Times {
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1_000, LONGEST_NS, 3).expect("the bounds are in order"))
    }

    pub fn add(&mut self, time: Duration) {
        self.0.saturating_record(time.as_nanos() as u64);
    }

    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    pub fn latency(&self) -> Latency {
        let millis = |nanos: u64| nanos as f64 / 1e6;
        Latency {
            p50: millis(self.0.value_at_quantile(0.5)),
            p99: millis(self.0.value_at_quantile(0.99)),
            max: millis(self.0.max()),
        }
    }
}
