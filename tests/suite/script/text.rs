//! One user with hostile text beside a good one, in a room in TypeScript: whatever the text says, no turn traps, and the good one is
//! answered throughout.
//!
//! `PARLOR_HOSTILE_SECONDS=600` has it go on for so long, with other text each time: `PARLOR_HOSTILE_SEED` repeats one.

use std::time::{Duration, Instant};

use rand::rngs::ChaCha12Rng;
use rand::{RngExt as _, SeedableRng as _};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Client, Server, json};

/// How many frames are sent where nobody says for how long.
const FRAMES: usize = 1_500;
/// After so many the good one asks.
const ASKS_EVERY: usize = 25;
/// Handlers of the room that have a name, `act0` and on.
const ACTS: usize = 30;

/// What rooms and engines stumble over.
const TEXTS: [&str; 28] = [
    "",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "toJSON",
    "valueOf",
    "then",
    "length",
    "name",
    "type",
    "data",
    "channel",
    "\\ud83d",
    "\\ude00",
    "\\ud83d\\ude00",
    "\\u0000",
    "\\u2028",
    "\\ufeff",
    "\\uffff",
    "$connect",
    "*",
    "%s%n%d",
    "../../..",
    "${1}",
    "(a+)+$",
    "[object Object]",
    "é\u{1f600}\u{202e}",
];
const NUMBERS: [&str; 14] = [
    "0",
    "-0",
    "1e999",
    "-1e999",
    "1e-999",
    "9007199254740993",
    "4294967295",
    "-2147483649",
    "0.1",
    "1E400",
    "123456789012345678901234567890",
    "4000",
    "65536",
    "1e21",
];

struct Hostile(ChaCha12Rng);

impl Hostile {
    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.0.random_range(0..list.len())]
    }

    fn text(&mut self) -> String {
        let times = if self.0.random_range(0..40) == 0 { self.0.random_range(1..3_000) } else { 1 };
        format!("\"{}\"", self.pick(&TEXTS).repeat(times))
    }

    fn value(&mut self, depth: usize) -> String {
        match self.0.random_range(0..if depth == 0 { 6 } else { 9 }) {
            0 | 1 => self.text(),
            2 => self.pick(&NUMBERS).to_owned(),
            3 => self.pick(&["null", "true", "false", "[]", "{}", "\"x\""]).to_owned(),
            4 => {
                let levels = self.0.random_range(1..200);
                let (open, close) = self.pick(&[("[", "]"), ("{\"a\":", "}"), ("{\"__proto__\":", "}"), ("[[],", "]")]);
                format!("{}{}{}", open.repeat(levels), self.text(), close.repeat(levels))
            }
            5 => {
                let many = self.0.random_range(1..4_000);
                format!("[{}0]", self.pick(&["0,", "[],", "{},", "null,", "\"\\ud800\",", "1e999,"]).repeat(many))
            }
            6 => {
                let items: Vec<String> = (0..self.0.random_range(0..5)).map(|_| self.value(depth - 1)).collect();
                format!("[{}]", items.join(","))
            }
            _ => {
                let members: Vec<String> = (0..self.0.random_range(0..6))
                    .map(|_| format!("{}:{}", self.text(), self.value(depth - 1)))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    fn frame(&mut self) -> Message {
        let event = match self.0.random_range(0..10) {
            0 => self.text(),
            1 => "\"tick\"".to_owned(),
            _ => format!("\"act{}\"", self.0.random_range(0..ACTS)),
        };
        let text = format!("{{\"type\":{event},\"data\":{}}}", self.value(4));
        match self.0.random_range(0..60) {
            0 => Message::binary((0..self.0.random_range(0..300)).map(|_| self.0.random()).collect::<Vec<u8>>()),
            1 => Message::text(text.chars().take(text.chars().count() / 2).collect::<String>()),
            2 => Message::text(self.value(3)),
            3 => Message::text(text.replacen("\"type\"", "\"type\":1,\"type\"", 1)),
            _ => Message::text(text),
        }
    }
}

/// A room for both, in which a user may fault for ever.
fn server() -> Server {
    const BOUNDS: &str = "[limits]\ntenant-cpu-percent = 400\nframes-per-second = 100000\nbad-frames = 1000000\nturn-cpu-ms = 1000\n\
         client-faults = 1000000\nclient-slow-ms = 1\nroom-backoff-ms = 1\nupgrades-per-address-burst = 1000000\n\
         frames-burst = 100000\nbad-frames-per-minute = 1000000\ninbound-bytes-per-second = 100000000\n";
    Server::builder().guest_as("script/listener", "listener").config(BOUNDS).start()
}

async fn enter(server: &Server, user: &str, address: u8) -> Client {
    let path = format!("/listener?user={user}");
    let entered = server.request("GET", &path).coming_from_loopback(address).websocket().upgrade().await;
    entered.expect("a socket")
}

/// The good one asks, and is answered although others are in the room.
async fn is_answered(good: &mut Client, number: usize) {
    good.send("ping?", json!(number)).await;
    loop {
        let answer = good.next_event("pong!").await;
        if answer["data"] == json!(number) {
            return;
        }
    }
}

#[tokio::test]
async fn one_user_with_hostile_text_traps_no_turn_and_keeps_nobody_from_being_answered() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let lasts = number("PARLOR_HOSTILE_SECONDS").map(Duration::from_secs);
    let seed = number("PARLOR_HOSTILE_SEED")
        .unwrap_or_else(|| if lasts.is_some() { u64::from(std::process::id()) } else { 17 });
    println!("PARLOR_HOSTILE_SEED={seed}");
    let mut hostile = Hostile(ChaCha12Rng::seed_from_u64(seed));
    let server = server();
    let (mut good, mut evil) = (enter(&server, "good", 1).await, enter(&server, "evil", 66).await);
    let (start, mut sent, mut left) = (Instant::now(), 0, 0);
    while lasts.map_or(sent < FRAMES, |lasts| start.elapsed() < lasts) {
        evil.send_message(hostile.frame()).await;
        sent += 1;
        if sent % ASKS_EVERY == 0 {
            is_answered(&mut good, sent).await;
            evil.send("ping?", json!("evil")).await;
            // What came for it is read, so that nobody waits for its queue; it may be closed by what it said.
            let is_open = loop {
                match evil.frame_or_close().await {
                    Ok(frame) if frame.contains("pong!") && frame.contains("evil") => break true,
                    Ok(_) => {}
                    Err(_) => break false,
                }
            };
            if !is_open {
                left += 1;
                evil = enter(&server, "evil", 66).await;
            }
        }
    }
    println!("{sent} frames in {:?}, {left} times closed", start.elapsed());
    let faults = server.plugin("default", "listener").await["failures_by_kind"].clone();
    println!("turns that failed, by kind: {faults}");
    assert_eq!(faults.get("trap"), None);
    assert!(faults["returned"].as_u64() > Some(0), "it was not hostile");
}
