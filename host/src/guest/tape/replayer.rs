//! Answers a guest's calls from a tape, and compares them with those that were recorded.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::data::{TapedAnswer, TapedCall, TapedEnd, TapedOutcome};
use super::wasi::WasiTape;
use super::write::TapeWrite;

/// What stands in place of a configured value that looks like a secret.
pub const REDACTED: &str = "(not on the tape)";

/// The faults that depend on the machine: the guest may be cut off a little earlier or later than it was.
const OF_TIME: [&str; 2] = ["deadline", "timeout"];

/// Two calls that should be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    pub turn: u64,
    /// From 1.
    pub call: usize,
    /// None where the recorded guest made no call more.
    pub recorded: Option<TapedCall>,
    /// Name and arguments.
    pub now: (&'static str, Vec<u8>),
}

/// The tape of an instance that lives its life again.
#[derive(Debug)]
pub struct Replayer {
    turn: u64,
    left: VecDeque<TapedCall>,
    made: usize,
    /// The recorded call was cut off by the clock.
    is_cut_off: bool,
    /// The guest went on behind the last call that it made when it was cut off.
    passed_cut: bool,
    diverged: Option<Divergence>,
    /// Where the guest trapped.
    pub trace: Option<String>,
    pub wasi: Arc<WasiTape>,
}

impl Replayer {
    /// A life that has not begun.
    pub fn unborn() -> Self {
        Self {
            turn: 0,
            left: VecDeque::new(),
            made: 0,
            is_cut_off: false,
            passed_cut: false,
            diverged: None,
            trace: None,
            wasi: WasiTape::replaying(),
        }
    }

    /// Takes what the next call of the guest is answered.
    pub fn give(&mut self, turn: u64, calls: &[TapedCall], end: &TapedEnd) {
        self.turn = turn;
        self.left = calls.iter().cloned().collect();
        self.made = 0;
        self.is_cut_off =
            matches!(&end.outcome, TapedOutcome::Faulted { code, .. } if OF_TIME.contains(&code.as_str()));
        self.passed_cut = false;
        self.trace = None;
        self.wasi.give(&end.clocks, &end.random);
    }

    /// The answer that the tape has for a call; an error where it has none, which ends the guest.
    pub fn answer<A: TapeWrite, T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        args: &A,
    ) -> Result<TapedAnswer<T>, String> {
        let mut now = Vec::new();
        args.write_to(&mut now);
        self.made += 1;
        let recorded = self.left.pop_front();
        if recorded.is_none() && self.is_cut_off {
            self.passed_cut = true;
            return Err("the recorded call was cut off here".to_owned());
        }
        if let Some(call) = recorded.as_ref().filter(|call| call.name == name && call.args == now) {
            return postcard::from_bytes(&call.answer).map_err(|why| format!("the tape's answer to {name}: {why}"));
        }
        let mut words = "diverged from the tape".to_owned();
        // Writing into a text does not fail.
        let _ = write!(words, " at call {} of turn {}", self.made, self.turn);
        self.diverged.get_or_insert(Divergence { turn: self.turn, call: self.made, recorded, now: (name, now) });
        Err(words)
    }

    /// Where the guest's calls were others than those recorded.
    pub fn diverged(&self) -> Option<&Divergence> {
        self.diverged.as_ref()
    }

    /// Calls that the guest made when it was recorded, and not now.
    pub fn missing(&self) -> Option<&TapedCall> {
        self.left.front().filter(|_| !self.is_cut_off)
    }

    /// How many calls the guest made.
    pub fn made(&self) -> usize {
        self.made
    }

    /// Whether the guest came as far as the recorded one, which was cut off by the clock.
    pub fn passed_cut(&self) -> bool {
        self.passed_cut
    }
}
