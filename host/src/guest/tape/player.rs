//! Lives a taped life again, on the answers that its tape holds.

use std::fmt;
use std::sync::Arc;

use super::Tape;
use super::data::{TapedCall, TapedOutcome};
use super::file::{TapeFile, TapedTurn};
use super::replayer::{Divergence, Replayer};
use super::show::{call_words, outcome_words};
use super::write::TapeWrite;
use crate::guest::RoomContext;
use crate::guest::instance::{Instance, OpenError, Template};

/// How much more CPU time and wall time a replay gets than the recorded call had, unless that was cut off: another machine may
/// be slower.
pub const PATIENCE: u64 = 20;

/// One call of the guest that was lived again.
#[derive(Debug, Clone)]
pub struct Replayed {
    pub outcome: TapedOutcome,
    /// Where the guest trapped.
    pub trace: Option<String>,
    /// How many calls it made to the host.
    pub calls: usize,
    pub difference: Option<Difference>,
}

/// How a replay differs from what was recorded.
#[derive(Debug, Clone)]
pub enum Difference {
    Calls(Divergence),
    /// The guest ended before it made this call.
    Missing {
        turn: u64,
        made: usize,
        recorded: TapedCall,
    },
    Outcome {
        turn: u64,
        recorded: TapedOutcome,
        now: TapedOutcome,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls(divergence) => divergence.fmt(f),
            Self::Missing { turn, made, recorded } => {
                let (call, words) = (made + 1, call_words(&recorded.name, &recorded.args));
                write!(f, "diverged at call {call} of turn {turn}: recorded {words}, now no call more")
            }
            Self::Outcome { turn, recorded, now } => {
                let (recorded, now) = (outcome_words(recorded), outcome_words(now));
                write!(f, "diverged at the end of turn {turn}: recorded \"{recorded}\", now \"{now}\"")
            }
        }
    }
}

/// A guest that lives its life again.
pub struct Player<'a> {
    tape: &'a TapeFile,
    instance: Instance,
    turn_cpu_ms: u64,
}

impl<'a> Player<'a> {
    /// Makes the instance, and calls its `init`.
    pub async fn open(
        template: &Template,
        context: Arc<RoomContext>,
        tape: &'a TapeFile,
    ) -> Result<(Self, Replayed), OpenError> {
        let mut replayer = Replayer::unborn();
        if let Some(init) = tape.turns.first() {
            replayer.give(init.number, &init.calls, &init.end);
        }
        let turn_cpu_ms = context.limits.turn_cpu_ms;
        let (instance, definition) = Instance::open(template, context, None, Tape::Replay(Box::new(replayer))).await?;
        let outcome = TapedOutcome::Ready { name: definition.name, path: definition.path };
        let mut player = Self { tape, instance, turn_cpu_ms };
        let replayed = match tape.turns.first() {
            Some(init) => player.judged(init, outcome),
            None => Replayed { outcome, trace: None, calls: 0, difference: None },
        };
        Ok((player, replayed))
    }

    /// The turns behind `init`.
    pub fn turns(&self) -> &'a [TapedTurn] {
        self.tape.turns.get(1..).unwrap_or_default()
    }

    /// Has the guest handle a turn's event again.
    pub async fn turn(&mut self, turn: &TapedTurn) -> Option<Replayed> {
        let event = &turn.event.as_ref()?.event;
        self.instance.replayer()?.give(turn.number, &turn.calls, &turn.end);
        let is_cut_off = matches!(&turn.end.outcome, TapedOutcome::Faulted { code, .. } if code == "deadline");
        let cpu_ms = self.turn_cpu_ms * if is_cut_off { 1 } else { PATIENCE };
        let outcome = self.instance.handle_again(event, cpu_ms).await;
        Some(self.judged(turn, outcome))
    }

    fn judged(&mut self, turn: &TapedTurn, outcome: TapedOutcome) -> Replayed {
        let Some(replayer) = self.instance.replayer() else {
            return Replayed { outcome, trace: None, calls: 0, difference: None };
        };
        let (recorded, number) = (&turn.end.outcome, turn.number);
        let difference = if let Some(divergence) = replayer.diverged() {
            Some(Difference::Calls(divergence.clone()))
        } else if let Some(call) = replayer.missing() {
            Some(Difference::Missing { turn: number, made: replayer.made(), recorded: call.clone() })
        } else if replayer.passed_cut() || is_same(recorded, &outcome) {
            None
        } else {
            Some(Difference::Outcome { turn: number, recorded: recorded.clone(), now: outcome.clone() })
        };
        Replayed { outcome, trace: replayer.trace.take(), calls: replayer.made(), difference }
    }
}

/// Whether two outcomes are one. The words of a fault are the host's, whose version may be another.
fn is_same(recorded: &TapedOutcome, now: &TapedOutcome) -> bool {
    if let (TapedOutcome::Faulted { code: recorded, .. }, TapedOutcome::Faulted { code: now, .. }) = (recorded, now) {
        return recorded == now;
    }
    let bytes = |outcome: &TapedOutcome| {
        let mut bytes = Vec::new();
        outcome.write_to(&mut bytes);
        bytes
    };
    bytes(recorded) == bytes(now)
}
