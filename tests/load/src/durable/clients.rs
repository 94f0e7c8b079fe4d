//! Clients of the guest `ledger`: some write as fast as they are answered, others ask for what writes nothing, at a
//! steady rate.

use std::time::{Duration, Instant};

use anyhow::ensure;
use hdrhistogram::Histogram;

use super::raw;
use crate::load::answer::Answer;
use crate::load::clients::{Driver, Outgoing};

/// From one question that writes nothing to the next.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// One socket a room: the first ones write, the rest ask.
pub struct Ledgers {
    writers: Vec<Writer>,
    askers: Vec<Asker>,
    depth: usize,
    /// From the sending of an entry to its answer; from the time when a question was due to its answer.
    pub written: Histogram<u64>,
    pub asked: Histogram<u64>,
    /// Nothing further is sent.
    pub ending: bool,
    next_question: u64,
    begin: Instant,
}

struct Writer {
    sent: u64,
    answered: u64,
    sent_at: Vec<Instant>,
}

#[derive(Default)]
struct Asker {
    sent: u64,
    answered: u64,
}

impl Ledgers {
    pub fn new(writers: usize, depth: usize, askers: usize) -> anyhow::Result<Self> {
        let now = Instant::now();
        Ok(Self {
            writers: (0..writers).map(|_| Writer { sent: 0, answered: 0, sent_at: vec![now; depth] }).collect(),
            askers: (0..askers).map(|_| Asker::default()).collect(),
            depth,
            written: raw::histogram()?,
            asked: raw::histogram()?,
            ending: false,
            next_question: 0,
            begin: now,
        })
    }

    /// The window begins: what was seen so far is forgotten.
    pub fn begin(&mut self) {
        self.written.reset();
        self.asked.reset();
    }

    /// Answers that have not come.
    pub fn outstanding(&self) -> u64 {
        let written: u64 = self.writers.iter().map(|writer| writer.sent - writer.answered).sum();
        written + self.askers.iter().map(|asker| asker.sent - asker.answered).sum::<u64>()
    }

    fn write(&mut self, socket: usize, out: &mut Outgoing) {
        let writer = &mut self.writers[socket];
        writer.sent += 1;
        writer.sent_at[writer.sent as usize % self.depth] = Instant::now();
        let id = super::id(writer.sent);
        out.text(socket, format!(r#"{{"type":"add","data":{{"id":"{id}","amount":1}}}}"#).as_bytes());
    }

    fn was_due(&self, question: u64) -> Instant {
        self.begin + ASK_EVERY * question as u32
    }

    fn wrote(&mut self, socket: usize, data: &Answer<'_>, now: Instant, out: &mut Outgoing) -> anyhow::Result<()> {
        let writer = &mut self.writers[socket];
        let next = writer.answered + 1;
        let fits = data.r#type == "added" && data.count == Some(next) && data.id == Some(&super::id(next));
        ensure!(fits, "the answer to entry {next} was due, not {} {:?} {:?}", data.r#type, data.id, data.count);
        writer.answered = next;
        let after = now - writer.sent_at[next as usize % self.depth];
        self.written.saturating_record(after.as_nanos() as u64);
        if !self.ending {
            self.write(socket, out);
        }
        Ok(())
    }

    fn was_told(&mut self, asker: usize, data: &Answer<'_>, now: Instant) -> anyhow::Result<()> {
        let question = self.askers[asker].answered * self.askers.len() as u64 + asker as u64;
        ensure!(data.r#type == "synced" && data.n == Some(question), "the answer to question {question} was due");
        self.askers[asker].answered += 1;
        let after = now.saturating_duration_since(self.was_due(question));
        self.asked.saturating_record(after.as_nanos() as u64);
        Ok(())
    }
}

impl Driver for Ledgers {
    fn start(&mut self, out: &mut Outgoing) {
        self.begin = Instant::now();
        for _ in 0..self.depth {
            for socket in 0..self.writers.len() {
                self.write(socket, out);
            }
        }
    }

    fn frame(&mut self, socket: usize, text: &[u8], now: Instant, out: &mut Outgoing) -> anyhow::Result<()> {
        let data = Answer::of(text)?;
        match socket.checked_sub(self.writers.len()) {
            None => self.wrote(socket, &data, now, out),
            Some(asker) => self.was_told(asker, &data, now),
        }
    }

    fn due(&mut self, now: Instant, out: &mut Outgoing) -> Option<Instant> {
        if self.askers.is_empty() || self.ending {
            return None;
        }
        while self.was_due(self.next_question) <= now {
            let asker = self.next_question as usize % self.askers.len();
            self.askers[asker].sent += 1;
            let text = format!(r#"{{"type":"sync","data":{{"n":{}}}}}"#, self.next_question);
            out.text(self.writers.len() + asker, text.as_bytes());
            self.next_question += 1;
        }
        Some(self.was_due(self.next_question))
    }
}
