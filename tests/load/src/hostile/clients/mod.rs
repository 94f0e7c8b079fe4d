//! Hostile clients.

mod connections;
mod frames;
mod readers;
mod sessions;
mod shared;

use std::time::Duration;

use super::attack::Arena;

pub use sessions::LIST as SESSIONS;
pub use sessions::Poller;
pub use shared::LIST as SHARED;

/// An attack by clients alone, on a plugin that does nothing wrong.
pub struct Attack {
    pub name: &'static str,
    pub what: &'static str,
    pub must_stop: bool,
    /// How long it may go on beyond the window until something stops it.
    pub patience: Duration,
    /// The plugin that it happens to, where the smallest one does not do.
    pub guest: Option<&'static str>,
    /// Lines of `[limits]`: only times that a measurement would otherwise have to wait for.
    pub limits: &'static str,
    /// How much longer it may take for each alarm of the run.
    pub patience_per_alarm: Duration,
    /// Whether it needs the guest that does all that it may.
    pub is_greedy: bool,
    /// Whether it does something before it is measured, and then waits.
    pub prepares: bool,
    /// What is stored by a server of before; it is told how long the windows take.
    pub earlier: Option<fn(&Arena, Duration)>,
    pub run: fn(&Arena),
}

impl Attack {
    const fn new(name: &'static str, what: &'static str, run: fn(&Arena)) -> Self {
        Self {
            name,
            what,
            must_stop: true,
            patience: Duration::from_secs(3),
            guest: None,
            limits: "",
            patience_per_alarm: Duration::ZERO,
            is_greedy: false,
            prepares: false,
            earlier: None,
            run,
        }
    }

    const fn bearable(mut self) -> Self {
        self.must_stop = false;
        self
    }

    const fn patience(mut self, seconds: u64) -> Self {
        self.patience = Duration::from_secs(seconds);
        self
    }

    const fn limits(mut self, lines: &'static str) -> Self {
        self.limits = lines;
        self
    }

    const fn patience_per_alarm(mut self, time: Duration) -> Self {
        self.patience_per_alarm = time;
        self
    }

    const fn greedy(mut self) -> Self {
        self.is_greedy = true;
        self
    }

    const fn prepares(mut self) -> Self {
        self.prepares = true;
        self
    }

    const fn earlier(mut self, store: fn(&Arena, Duration)) -> Self {
        self.earlier = Some(store);
        self
    }

    const fn guest(mut self, name: &'static str) -> Self {
        self.guest = Some(name);
        self
    }
}

/// All of them.
pub const LIST: &[Attack] = &[
    Attack::new("slow-readers", "200 sockets that never read, in a room that is talked to", readers::slow_readers)
        .guest("shout")
        .patience(10),
    Attack::new("slowloris", "200 requests, a byte every half second", connections::slowloris).patience(15),
    Attack::new("silent-connections", "200 TCP connections that say nothing", connections::silent).patience(15),
    Attack::new(
        "half-open",
        "200 WebSockets that never answer again (pinged after 1 s, gone 2 s later)",
        connections::half_open,
    )
    .limits("ping-after-ms = 1000\nping-timeout-ms = 2000")
    .patience(10),
    Attack::new("huge-headers", "requests with a megabyte of headers", connections::huge_headers),
    Attack::new("many-headers", "requests with 10,000 headers", connections::many_headers),
    Attack::new("churn", "connects and closes as fast as it can", connections::churn),
    Attack::new("churn-tcp", "connects over TCP and closes as fast as it can", connections::churn_tcp).bearable(),
    Attack::new("reconnect-storm", "500 sockets that all come again at once, every second", connections::storm),
    Attack::new("many-sockets", "400 sockets from one address", connections::many_from_one_address),
    Attack::new(
        "detached",
        "10,000 sockets of one address that lose their lines and may come back",
        connections::detached,
    )
    .limits("upgrades-per-address-per-second = 10000\nupgrades-per-address-burst = 10000")
    .bearable(),
    Attack::new("guessed-secrets", "comes back to sessions whose secrets it guesses", connections::guessed_secrets),
    Attack::new("flood", "20 sockets, frames as fast as they are taken", frames::flood),
    Attack::new("flood-empty", "20 sockets, empty frames as fast as they are taken", frames::flood_empty),
    Attack::new("flood-pings", "20 sockets, pings as fast as they are taken", frames::flood_pings),
    Attack::new("flood-large", "20 sockets, frames of 60 KiB as fast as they are taken", frames::flood_large)
        .bearable(),
    Attack::new("oversized-frames", "frames of 10 MB", frames::oversized),
    Attack::new("length-of-ages", "a frame that says it has 2^62 bytes", frames::length_of_ages),
    Attack::new("fragments", "messages that never end, in fragments of a byte", frames::fragments),
    Attack::new("fragments-empty", "messages that never end, in fragments of nothing", frames::fragments_empty)
        .bearable(),
    Attack::new("compressed", "frames with RSV1, as if permessage-deflate had been agreed", frames::compressed),
    Attack::new("unmasked", "frames without a mask", frames::unmasked),
    Attack::new("binary", "binary frames", frames::binary),
    Attack::new("not-verani", "text that is no Verani frame", frames::not_verani),
    Attack::new("nested-json", "frames of JSON that is 30,000 deep", frames::nested_json).bearable(),
    Attack::new("early-frames", "60 frames in the packet of the handshake, before $connect is done", frames::early)
        .guest("connect-slow")
        .bearable(),
    Attack::new("close-in-connect", "closes while $connect is running", connections::close_in_connect)
        .guest("connect-slow")
        .bearable(),
];
