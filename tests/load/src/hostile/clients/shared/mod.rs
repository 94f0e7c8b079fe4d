//! Attacks on what all tenants share: queues, threads, locks and files that are asked for more than anybody's part of them,
//! by means that each are allowed.

mod alarms;
mod crowds;
mod deploys;
mod held;
mod http;
mod storage;

use std::time::Duration;

use super::{Attack, frames};

/// All of them.
pub const LIST: &[Attack] = &[
    Attack::new("alarms-past", "300 rooms whose $alarm sets the alarm into the past", alarms::past)
        .bearable()
        .greedy()
        .prepares(),
    Attack::new("alarm-storm", "rooms whose alarms are all due at one moment (--alarms)", alarms::storm)
        .greedy()
        .prepares()
        .earlier(alarms::set)
        .patience(10)
        .patience_per_alarm(Duration::from_millis(5))
        // The good tenant's sockets say nothing until the alarms are due.
        .limits("ping-after-ms = 3600000"),
    Attack::new("scan-large", "pages of 1,000 entries of 16 KiB, of which a page holds 16", storage::scan)
        .bearable()
        .greedy()
        .prepares(),
    Attack::new("get-many-large", "120 values of 128 KiB in a call, of which 8 are too many", storage::get_many)
        .bearable()
        .greedy()
        .prepares(),
    Attack::new("broadcast", "300 sockets that read in a room that says 1,200 things a second", crowds::broadcast)
        .bearable()
        .greedy()
        .prepares(),
    Attack::new("broadcast x4", "the same in 4 rooms", crowds::broadcast_in_four).bearable().greedy().prepares(),
    Attack::new("log-bulk", "64 KB of log lines a turn, in 20 rooms", crowds::log_bulk).bearable().greedy().prepares(),
    Attack::new("api-list", "32 connections ask for one room of very many (--rooms)", http::api_list)
        .greedy()
        .prepares(),
    Attack::new("http-pipelined", "64 connections of one address pipeline requests without a token", http::pipelined),
    Attack::new("half-body", "200 requests of half a body (handshake-ms is 2 s)", http::half_body)
        .greedy()
        .limits("handshake-ms = 2000")
        .patience(8),
    Attack::new("upgrade-body", "requests for a WebSocket with a body", http::upgrade_body).greedy(),
    Attack::new("empty-continuations", "messages in 20,000 empty fragments", frames::empty_continuations),
    Attack::new("uploads-same", "uploads the same component again and again", deploys::same).bearable(),
    Attack::new("uploads-fresh", "uploads a component, each time another", deploys::fresh).bearable(),
    Attack::new(
        "uploads-slow",
        "uploads to six tenants, a byte every half second; the good one uploads too",
        deploys::slow,
    )
    .bearable(),
    Attack::new("bad-files", "2,000 files in the tenant's folder that are no components", deploys::bad_files)
        .bearable(),
    Attack::new("openings", "opens rooms and leaves them, 800 a second", crowds::openings).bearable().greedy(),
    Attack::new("teardown", "300 members of a room leave at once, up to four times a second", crowds::teardown)
        .bearable()
        .greedy(),
    Attack::new("authorize", "40 clients whose authorize takes 20 ms", crowds::authorize).bearable().greedy(),
    Attack::new("wake-storm", "3,000 sleeping rooms are woken at once (room-sleep-ms is 1 s)", crowds::wake_storm)
        .bearable()
        .greedy()
        .prepares()
        .limits("room-sleep-ms = 1000"),
];
