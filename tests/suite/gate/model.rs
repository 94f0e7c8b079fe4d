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
    Rejection,
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
        let kind = match act {
            Act::Fail => Kind::ErrorHook,
            Act::Reject => Kind::Rejection,
            act => Kind::Turn(act),
        };
        let item = Item { number, kind };
        if self.gate.is_empty() && kind != Kind::Turn(Act::Write) {
            self.done(&item);
        } else {
            self.gate.push_back(item);
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

    /// The oldest write failed: nothing at the gate was ever there, and each turn of it is told, to its sender by `error` and
    /// to the plugin by `$error`.
    pub fn fail(&mut self) {
        for item in std::mem::take(&mut self.gate) {
            match item.kind {
                Kind::Rejection => self.done(&item),
                Kind::Turn(_) => self.heard[0].extend(["error", "failed"].map(str::to_owned)),
                // No `$error` for a failed `$error`.
                Kind::ErrorHook => {}
            }
        }
    }

    fn done(&mut self, item: &Item) {
        let to_all = format!("said-{}", item.number);
        let (all, sender): (&[String], &str) = match item.kind {
            Kind::Turn(Act::Close) => (&[], "ran"),
            Kind::Turn(_) => (&[to_all], "ran"),
            Kind::ErrorHook => (&[], "failed"),
            Kind::Rejection => (&[], "error"),
        };
        let [first, second] = &mut self.heard;
        first.extend_from_slice(all);
        if !self.closed {
            second.extend_from_slice(all);
        }
        first.push(sender.to_owned());
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
