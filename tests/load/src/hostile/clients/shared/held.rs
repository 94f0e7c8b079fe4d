//! Many sockets on one thread, which speak at a word or on schedule; what they hear is counted and forgotten.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::hostile::attack::Arena;
use crate::hostile::seen::Seen;
use crate::hostile::stand::EVIL;
use crate::hostile::wire::attacker;
use crate::load::clients::{Clients, Driver, Outgoing};
use crate::load::dialect::Dialect;

/// Sockets of one address: fewer than it may ask for at once.
pub const OF_AN_ADDRESS: usize = 60;
/// A schedule that lies so far behind begins anew: the server is to be kept busy, not the load.
const BEHIND: Duration = Duration::from_millis(500);
/// How long those of an address may take to get in, and when who was kept out asks again.
const ENTERING: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_secs(1);
/// From one look at whether it goes on to the next.
const STEP: Duration = Duration::from_millis(50);

/// A room of the guest that does all that it may.
pub fn path(room: &str) -> String {
    format!("/t/{EVIL}/greedy?room={room}")
}

pub struct Held {
    clients: Clients,
    talk: Talk,
}

struct Talk {
    seen: Arc<Seen>,
    joined: usize,
    is_closed: Vec<bool>,
    heard: usize,
    /// What is to be said once, by whom.
    words: String,
    speakers: Vec<usize>,
    /// From one of them to the next, where they speak on schedule.
    pace: Option<Duration>,
    next: Instant,
    turn: usize,
}

impl Held {
    /// Lets so many in, those of an address together; who is kept out is noted.
    pub fn join(arena: &Arena, first: usize, of_an_address: usize, paths: &[String]) -> anyhow::Result<Self> {
        let talk = Talk {
            seen: Arc::clone(&arena.seen),
            joined: 0,
            is_closed: Vec::new(),
            heard: 0,
            words: String::new(),
            speakers: Vec::new(),
            pace: None,
            next: Instant::now(),
            turn: 0,
        };
        let mut held = Self { clients: Clients::none(Dialect::Verani)?, talk };
        for (number, paths) in paths.chunks(of_an_address).enumerate() {
            if arena.seen.is_over() {
                break;
            }
            held.enter(attacker(first + number), arena, paths);
        }
        Ok(held)
    }

    /// Lets sockets into rooms that are called `NAME-0`, `NAME-1` and so on, as many into each; nobody where that fails.
    pub fn in_rooms(arena: &Arena, name: &str, rooms: usize, of_a_room: usize) -> Option<Self> {
        let paths = (0..rooms * of_a_room).map(|socket| path(&format!("{name}-{}", socket / of_a_room)));
        Self::join(arena, 0, OF_AN_ADDRESS, &paths.collect::<Vec<_>>()).ok()
    }

    /// Before an attack acts, who is kept out asks again: the tenant may have to wait for its CPU time.
    fn enter(&mut self, from: Ipv4Addr, arena: &Arena, paths: &[String]) {
        let (first, end) = (self.count(), Instant::now() + ENTERING);
        while let Err(why) =
            self.clients.join(from, arena.server, paths[self.clients.count() - first..].iter().cloned())
        {
            if arena.seen.begun().is_some() || Instant::now() > end || !arena.seen.pause(AGAIN) {
                let why = why.root_cause().to_string();
                arena.seen.stop(why.lines().next().unwrap_or_default());
                break;
            }
        }
        self.talk.joined = self.clients.count();
        self.talk.is_closed.resize(self.talk.joined, false);
    }

    /// How many are in.
    pub fn count(&self) -> usize {
        self.talk.joined
    }

    /// Answers pings until the attack may act; false where it is over before.
    pub fn wait_to_go(&mut self) -> bool {
        while !self.talk.seen.may_go() {
            self.listen(STEP);
        }
        !self.talk.seen.is_over()
    }

    /// All of them say something at once.
    pub fn all_say(&mut self, words: &str) {
        (self.talk.words, self.talk.speakers, self.talk.pace) = (words.to_owned(), (0..self.count()).collect(), None);
        self.talk.heard = 0;
        // A connection that is broken is told of when it is read.
        let _ = self.clients.start(&mut self.talk);
    }

    /// Waits until so many frames came since they spoke; whether they did.
    pub fn hear(&mut self, frames: usize, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while Instant::now() < end && !self.talk.seen.is_over() && self.talk.heard < frames {
            self.pump(STEP, frames);
        }
        self.talk.heard >= frames
    }

    /// These say the same in turn, at this pace, until it is over.
    pub fn talk(&mut self, words: &str, speakers: Vec<usize>, pace: Duration) {
        (self.talk.words, self.talk.speakers, self.talk.next) = (words.to_owned(), speakers, Instant::now());
        self.talk.pace = (!self.talk.speakers.is_empty()).then_some(pace);
        while !self.talk.seen.is_over() {
            self.listen(STEP);
        }
    }

    /// Reads for a time.
    pub fn listen(&mut self, time: Duration) {
        self.pump(time, usize::MAX);
    }

    /// Reads for a time, or until so many frames came.
    fn pump(&mut self, time: Duration, frames: usize) {
        if self.clients.run(&mut self.talk, time, |talk| talk.heard >= frames).is_err() {
            // A frame that is none, or an interruption: the latter is seen by whoever asks whether it is over.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Driver for Talk {
    fn start(&mut self, out: &mut Outgoing) {
        for &speaker in self.speakers.iter().filter(|speaker| !self.is_closed[**speaker]) {
            self.seen.act();
            out.text(speaker, self.words.as_bytes());
        }
    }

    fn due(&mut self, now: Instant, out: &mut Outgoing) -> Option<Instant> {
        let pace = self.pace?;
        if self.next + BEHIND < now {
            self.next = now;
        }
        while self.next <= now {
            let speaker = self.speakers[self.turn % self.speakers.len()];
            if !self.is_closed[speaker] {
                self.seen.act();
                out.text(speaker, self.words.as_bytes());
            }
            self.turn += 1;
            self.next += pace;
        }
        Some(self.next)
    }

    fn frame(&mut self, _: usize, _: &[u8], _: Instant, _: &mut Outgoing) -> anyhow::Result<()> {
        self.heard += 1;
        Ok(())
    }

    fn closed(&mut self, socket: usize, why: &str) -> anyhow::Result<()> {
        // The end of the connection behind a close frame tells nothing more.
        if !std::mem::replace(&mut self.is_closed[socket], true) {
            self.seen.stop(why);
        }
        Ok(())
    }
}
