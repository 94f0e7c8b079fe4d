//! What a ledger must do, in a few lines: the same turns and the same answers of the store, told as lists of numbers.

use std::collections::VecDeque;

/// What one turn does. Each changes the room's state as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Silent,
    Emits,
    Writes,
    WritesAndEmits,
    /// It writes, changes the state, and its handler rejects the event.
    Rejected,
    SetsAlarm,
}

impl Act {
    pub(super) const ALL: [Self; 6] =
        [Self::Silent, Self::Emits, Self::Writes, Self::WritesAndEmits, Self::Rejected, Self::SetsAlarm];

    pub(super) fn has_batch(self) -> bool {
        matches!(self, Self::Writes | Self::WritesAndEmits | Self::SetsAlarm)
    }

    pub(super) fn speaks(self) -> bool {
        matches!(self, Self::Emits | Self::WritesAndEmits)
    }

    /// Whether the sender of the event waits for an acknowledgement.
    pub(super) fn is_answered(self) -> bool {
        self == Self::WritesAndEmits
    }

    /// What is heard of a turn when it is let out.
    fn words(self, number: usize) -> Vec<Heard> {
        let rejection = (self == Self::Rejected).then_some(Heard::Rejection(number));
        let said = self.speaks().then_some(Heard::Turn(number));
        let answer = self.is_answered().then_some(Heard::Answer(number));
        [rejection, said, answer].into_iter().flatten().collect()
    }

    /// What is heard of a turn that is lost before it was let out.
    fn loss(self, number: usize) -> Vec<Heard> {
        let refusal = self.is_answered().then_some(Heard::Refusal(number));
        [Some(Heard::Loss(number)), refusal].into_iter().flatten().collect()
    }
}

/// What is heard outside, by the numbers of the turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// What a turn says.
    Turn(usize),
    /// Its acknowledgement.
    Answer(usize),
    Rejection(usize),
    /// The turn is lost.
    Loss(usize),
    /// Whoever waits for the acknowledgement of a lost turn hears that there is none.
    Refusal(usize),
}

#[derive(Debug, Default)]
pub(super) struct LedgerModel {
    /// What turns say is heard at once, and its writes are waited for nonetheless.
    relaxed: bool,
    waiting: VecDeque<(usize, Act)>,
    pub(super) heard: Vec<Heard>,
    /// The turns whose batch is durable.
    pub(super) durable: Vec<usize>,
    /// The turns whose change of the state stays, those that wait included.
    pub(super) changed: Vec<usize>,
}

impl LedgerModel {
    pub(super) fn new(relaxed: bool) -> Self {
        Self { relaxed, ..Self::default() }
    }

    /// A turn ends; `is_broken` says that writes failed while it ran.
    pub(super) fn turn(&mut self, number: usize, act: Act, is_broken: bool) {
        if is_broken {
            return self.heard.extend(act.loss(number));
        }
        let is_late = !self.waiting.is_empty() && !self.relaxed;
        if act == Act::Rejected {
            match is_late {
                true => self.waiting.push_back((number, act)),
                false => self.heard.extend(act.words(number)),
            }
            return;
        }
        self.changed.push(number);
        if !act.has_batch() && self.waiting.is_empty() {
            return self.heard.extend(act.words(number));
        }
        if self.relaxed {
            self.heard.extend(act.words(number));
        }
        self.waiting.push_back((number, act));
    }

    /// How many batches wait.
    pub(super) fn batches(&self) -> usize {
        self.waiting.iter().filter(|(_, act)| act.has_batch()).count()
    }

    /// The oldest batch is durable: it is heard, and what follows it up to the next batch.
    pub(super) fn succeed(&mut self) {
        while let Some((number, act)) = self.waiting.pop_front() {
            if act.has_batch() {
                self.durable.push(number);
            }
            if !self.relaxed {
                self.heard.extend(act.words(number));
            }
            if self.waiting.front().is_none_or(|(_, act)| act.has_batch()) {
                return;
            }
        }
    }

    /// The oldest batch failed: no turn that waits ever was, and rejections are said in any case.
    pub(super) fn fail(&mut self) {
        for (number, act) in std::mem::take(&mut self.waiting) {
            self.changed.retain(|changed| *changed != number);
            match act {
                Act::Rejected => self.heard.push(Heard::Rejection(number)),
                // The acknowledgement has left, and no other follows.
                _ if self.relaxed => self.heard.push(Heard::Loss(number)),
                _ => self.heard.extend(act.loss(number)),
            }
        }
    }
}
