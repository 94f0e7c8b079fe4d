//! What a room must do, in a few lines: the same turns and the same steps of the store, told as lists of words.

use std::collections::VecDeque;

/// One turn of the first socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Writes a key and says so to all.
    Write,
    /// Says something to all, and writes nothing.
    Say,
    /// Joins a channel and says so to all.
    Join,
    /// Writes, joins and fails: `$error` runs.
    Fail,
    /// Writes and rejects the event: its sender is told.
    Reject,
    /// Closes the second socket.
    Close,
}

pub const ACTS: [Act; 6] = [Act::Write, Act::Say, Act::Join, Act::Fail, Act::Reject, Act::Close];

/// What a turn at the gate is, and what it would say.
#[derive(Debug, Clone)]
struct Item {
    number: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Turn(Act),
    ErrorHook,
    /// The words for the sender of an event that failed. Where it waits for no acknowledgement, it gets those of a handler
    /// that rejected the event alone.
    Words,
}

/// Whether the sender waits for an acknowledgement of a turn's event, which carries the turn's number: of the second of three.
pub fn waits(number: usize) -> bool {
    number % 3 == 1
}

/// What the sender hears of a turn that has no effect.
fn failed(number: usize) -> String {
    if waits(number) { format!("nack {number}") } else { "error".to_owned() }
}

/// The room as it must be.
#[derive(Debug, Default)]
pub struct Model {
    gate: VecDeque<Item>,
    turns: usize,
    /// What each of the two sockets was told.
    pub heard: [Vec<String>; 2],
    /// The turns whose key is durable.
    pub stored: Vec<usize>,
    /// The turns whose channel the first socket is in.
    pub joined: Vec<usize>,
    closed: bool,
}

impl Model {
    pub fn turn(&mut self, act: Act) {
        let number = self.turns;
        self.turns += 1;
        let kinds = match act {
            Act::Fail if waits(number) => vec![Kind::Words, Kind::ErrorHook],
            Act::Fail => vec![Kind::ErrorHook],
            Act::Reject => vec![Kind::Words],
            act => vec![Kind::Turn(act)],
        };
        for kind in kinds {
            let item = Item { number, kind };
            if self.gate.is_empty() && kind != Kind::Turn(Act::Write) {
                self.done(&item);
            } else {
                self.gate.push_back(item);
            }
        }
    }

    /// How many writes wait.
    pub fn waiting(&self) -> usize {
        self.gate.iter().filter(|item| item.kind == Kind::Turn(Act::Write)).count()
    }

    /// The oldest write is durable: it is heard, and what came after it up to the next write.
    pub fn succeed(&mut self) {
        while let Some(item) = self.gate.pop_front() {
            self.done(&item);
            if self.gate.front().is_none_or(|next| next.kind == Kind::Turn(Act::Write)) {
                return;
            }
        }
    }

    /// The oldest write failed: nothing at the gate was ever there, and each turn of it is told, to its sender by `error` or by
    /// the acknowledgement that it waits for, and to the plugin by `$error`.
    pub fn fail(&mut self) {
        for item in std::mem::take(&mut self.gate) {
            match item.kind {
                Kind::Words => self.done(&item),
                Kind::Turn(_) => self.heard[0].extend([failed(item.number), "failed".to_owned()]),
                // No `$error` for a failed `$error`.
                Kind::ErrorHook => {}
            }
        }
    }

    fn done(&mut self, item: &Item) {
        let to_all = format!("said-{}", item.number);
        let ran =
            || std::iter::once("ran".to_owned()).chain(waits(item.number).then(|| format!("ack {}", item.number)));
        let (all, sender): (&[String], Vec<String>) = match item.kind {
            Kind::Turn(Act::Close) => (&[], ran().collect()),
            Kind::Turn(_) => (&[to_all], ran().collect()),
            Kind::ErrorHook => (&[], vec!["failed".to_owned()]),
            Kind::Words => (&[], vec![failed(item.number)]),
        };
        let [first, second] = &mut self.heard;
        first.extend_from_slice(all);
        if !self.closed {
            second.extend_from_slice(all);
        }
        first.extend(sender);
        match item.kind {
            Kind::Turn(Act::Write) => self.stored.push(item.number),
            Kind::Turn(Act::Join) => self.joined.push(item.number),
            Kind::Turn(Act::Close) if !self.closed => {
                self.closed = true;
                self.heard[1].push("close 4000".to_owned());
            }
            _ => {}
        }
    }
}
