//! One life of the server: each room is compared with what is known of it, then loaded until the kill.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::hearing::{Heard, Hearing, wall_ms};
use crate::id::Id;
use crate::random::Random;
use crate::room::{Counts, Room};
use crate::seen::{Checked, Ends, Seen, Wrong, expect};
use crate::stalls::Stalls;
use crate::wire::{Over, Wire};

/// Sockets of a room that send, and that only listen; one more has compared the room and listens on.
const SENDERS: u32 = 2;
const LISTENERS: u32 = 1;
/// Entries that one sender has under way, at most.
const DEPTH_MAX: u64 = 16;
/// An alarm, an audit, every so many answers.
const ALARM_EVERY: u64 = 30;
const AUDIT_EVERY: u64 = 100;
/// An alarm is due within so long.
const ALARM_MS_MAX: u64 = 2_000;
/// From one question whether all alarms rang to the next.
const ASK_EVERY: Duration = Duration::from_millis(40);

/// What its rooms and clients share.
pub struct Life<'a> {
    /// From 1.
    pub number: u32,
    pub address: SocketAddr,
    pub started: Instant,
    /// When it began to serve, since the Unix epoch.
    pub served_ms: u64,
    /// Whether nothing is loaded: rooms are compared, and all alarms must ring.
    pub is_rest: bool,
    pub ends: &'a Ends,
    /// Of the scheduler; and how long strict turns waited.
    pub stalls: &'a Stalls,
    pub waits: &'a Stalls,
    pub counts: &'a Counts,
    /// Set before the signal is sent: what ends from then on ends rightly.
    pub killed: AtomicBool,
    pub verdict: Mutex<Option<(String, Wrong)>>,
    /// When each room was found to be right, since the start.
    pub compared: Mutex<Vec<Duration>>,
}

/// Why a client's thread ends.
enum Stop {
    Killed,
    Wrong(Wrong),
}

impl From<Wrong> for Stop {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl Life<'_> {
    /// Compares and loads a room until the kill, or until something is wrong.
    pub fn room(&self, room: &Room, random: &mut Random) {
        self.judge(room, self.compare_and_load(room, random));
    }

    fn judge(&self, room: &Room, ended: Result<(), Stop>) {
        if let Err(Stop::Wrong(wrong)) = ended {
            let mut verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
            verdict.get_or_insert((format!("{}/ledger/{}", room.tenant, room.name), wrong));
        }
    }

    /// Whether something is wrong already.
    pub fn is_wrong(&self) -> bool {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn over(&self, over: Over) -> Stop {
        if self.killed.load(Ordering::SeqCst) {
            return Stop::Killed;
        }
        let expected = "connections that last while the server lives".to_owned();
        Stop::Wrong(Wrong { expected, found: over.to_string() })
    }

    fn compare_and_load(&self, room: &Room, random: &mut Random) -> Result<(), Stop> {
        let mut client = Client::join(self, room)?;
        client.compare()?;
        Counts::add(&self.counts.rooms);
        self.compared.lock().unwrap_or_else(PoisonError::into_inner).push(self.started.elapsed());
        if self.is_rest {
            return client.until_all_rang();
        }
        // What nobody heard of is sent again, as a client would that does not know better.
        let mut again = room.model().ledger.unheard();
        again.retain(|_| random.once_in(2));
        std::thread::scope(|scope| {
            for number in 0..SENDERS {
                let (mut random, again) = (Random::new(random.next()), std::mem::take(&mut again));
                scope.spawn(move || self.judge(room, self.send(room, number, again, &mut random)));
            }
            for _ in 0..LISTENERS {
                scope.spawn(|| self.judge(room, Client::join(self, room).and_then(|mut client| client.listen())));
            }
            client.listen()
        })
    }

    fn send(&self, room: &Room, number: u32, again: Vec<Id>, random: &mut Random) -> Result<(), Stop> {
        let client = Client::join(self, room)?;
        let depth = random.within(1, DEPTH_MAX + 1) as usize;
        let mut sender = Sender::new(client, number, depth);
        let ended = sender.work(again, random);
        if let Some((_, since)) = sender.waiting.front().filter(|_| !room.relaxed) {
            self.waits.note(since.elapsed());
        }
        ended
    }
}

/// One socket.
struct Client<'a> {
    life: &'a Life<'a>,
    room: &'a Room,
    wire: Wire,
    hearing: Hearing,
}

impl<'a> Client<'a> {
    fn join(life: &'a Life<'a>, room: &'a Room) -> Result<Self, Stop> {
        let wire = Wire::join(life.address, &room.path()).map_err(|over| life.over(over))?;
        Ok(Self { life, room, wire, hearing: Hearing::default() })
    }

    fn say(&mut self, event: &str, data: &Value) -> Result<(), Stop> {
        self.wire.send(event, data).map_err(|over| self.life.over(over))
    }

    fn hear(&mut self) -> Result<Heard, Stop> {
        let event = self.wire.event().map_err(|over| self.life.over(over))?;
        Ok(self.hearing.hear(&event, self.room, self.life.number, self.life.counts)?)
    }

    fn listen(&mut self) -> Result<(), Stop> {
        loop {
            self.hear()?;
        }
    }

    /// Compares the whole room with what is known of it. Nobody else is in it yet.
    fn compare(&mut self) -> Result<(), Stop> {
        self.say("audit", &Value::Null)?;
        let audit = loop {
            if let Heard::Audit(audit) = self.hear()? {
                break audit;
            }
        };
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            self.say("ids", &json!(after))?;
            let (page, next) = loop {
                if let Heard::Ids(page, next) = self.hear()? {
                    break (page, next);
                }
            };
            ids.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        let mut model = self.room.model();
        let losses = model.ledger.stored(&audit, &ids, self.life.ends)?;
        model.losses.add(losses);
        drop(model);
        self.compare_alarms()
    }

    fn compare_alarms(&mut self) -> Result<(), Stop> {
        self.say("alarms", &Value::Null)?;
        let (armed, rang) = loop {
            if let Heard::Alarms(armed, rang) = self.hear()? {
                break (armed, rang);
            }
        };
        let seen = Seen { at: Instant::now(), life: self.life.number };
        let mut model = self.room.model();
        let losses = model.alarms.stored(&armed, &rang, wall_ms(), seen, self.life.ends)?;
        model.losses.add(losses);
        Ok(())
    }

    fn until_all_rang(&mut self) -> Result<(), Stop> {
        while self.room.model().alarms.waiting() > 0 {
            self.in_time()?;
            std::thread::sleep(ASK_EVERY);
            self.compare_alarms()?;
        }
        Ok(())
    }

    fn in_time(&self) -> Checked {
        self.room.model().alarms.in_time(wall_ms(), self.life.served_ms)
    }
}

/// A socket that sends, and the answers that it waits for.
struct Sender<'a> {
    client: Client<'a>,
    number: u32,
    depth: usize,
    next: u32,
    next_alarm: u32,
    waiting: VecDeque<(Id, Instant)>,
    /// What was added and is still to be acknowledged, behind what the turn said.
    unacknowledged: VecDeque<u64>,
    requests: u64,
}

impl<'a> Sender<'a> {
    fn new(client: Client<'a>, number: u32, depth: usize) -> Self {
        let (waiting, unacknowledged) = (VecDeque::new(), VecDeque::new());
        Self { client, number, depth, next: 0, next_alarm: 0, waiting, unacknowledged, requests: 0 }
    }

    fn work(&mut self, again: Vec<Id>, random: &mut Random) -> Result<(), Stop> {
        let mut again = again.into_iter();
        loop {
            while self.waiting.len() < self.depth {
                let id = match again.next() {
                    Some(id) => {
                        Counts::add(&self.client.life.counts.resent);
                        id
                    }
                    None => self.new_id(),
                };
                self.add(id)?;
            }
            match self.client.hear()? {
                Heard::Added(id) if self.is_own_answer(id)? => self.ask_for_more(random)?,
                Heard::Acknowledged(request) => self.acknowledged(request)?,
                _ => {}
            }
        }
    }

    fn new_id(&mut self) -> Id {
        let id = Id { life: self.client.life.number, sender: self.number, n: self.next };
        self.next += 1;
        id
    }

    fn add(&mut self, id: Id) -> Result<(), Stop> {
        self.client.room.model().ledger.sends(id);
        self.waiting.push_back((id, Instant::now()));
        self.requests += 1;
        let add = json!({ "id": id.to_string(), "amount": id.amount() });
        self.client.wire.request("add", &add, self.requests).map_err(|over| self.client.life.over(over))
    }

    /// An acknowledgement comes right behind what its turn said. That was seen, so that it is stored whatever comes.
    fn acknowledged(&mut self, request: u64) -> Checked {
        let due = self.unacknowledged.pop_front();
        expect(due == Some(request), || format!("the acknowledgement of {due:?}"), || request.to_string())?;
        Counts::add(&self.client.life.counts.acks);
        Ok(())
    }

    /// Answers come in the order of what was sent, each once.
    fn is_own_answer(&mut self, id: Id) -> Checked<bool> {
        let own = id.life == self.client.life.number && id.sender == self.number;
        let Some((front, since)) = self.waiting.front().filter(|(front, _)| *front == id).copied() else {
            let early = own || self.waiting.iter().any(|(other, _)| *other == id);
            let next = self.waiting.front().map(|(id, _)| id.to_string());
            expect(!early, || format!("the answer to {next:?} first"), || format!("that to {id}"))?;
            return Ok(false);
        };
        debug_assert_eq!(front, id);
        self.unacknowledged.push_back(self.requests - self.waiting.len() as u64 + 1);
        self.waiting.pop_front();
        if !self.client.room.relaxed {
            self.client.life.waits.note(since.elapsed());
        }
        Counts::add(&self.client.life.counts.acknowledged);
        Ok(true)
    }

    fn ask_for_more(&mut self, random: &mut Random) -> Result<(), Stop> {
        if random.once_in(ALARM_EVERY) {
            let id = Id { life: self.client.life.number, sender: self.number, n: self.next_alarm };
            let in_ms = if random.once_in(4) { 0 } else { random.within(0, ALARM_MS_MAX) };
            self.next_alarm += 1;
            self.client.room.model().alarms.sets(id, in_ms);
            self.client.say("alarm", &json!({ "id": id.to_string(), "in_ms": in_ms }))?;
        }
        if random.once_in(AUDIT_EVERY) {
            self.client.in_time()?;
            self.client.say("audit", &Value::Null)?;
        }
        Ok(())
    }
}
