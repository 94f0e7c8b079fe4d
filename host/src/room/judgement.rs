//! What becomes of a turn whose call ended: by how the call ended, the bound that the turn passed, and the writes that it
//! rests on.

use super::turn::TurnFailure;
use crate::guest::instance::Outcome;
use crate::guest::tape::data::TapedVerdict;
use crate::model::body::Body;
use crate::model::event::Event;
use crate::model::refusal::Bound;

/// What becomes of a turn whose call ended.
#[derive(Debug, PartialEq)]
pub(super) enum Judgement {
    /// It commits, and the handler answered this.
    Commit(Option<Body>),
    /// Writes that it ran on failed meanwhile: it is lost with them.
    Lost,
    /// It leaves no trace.
    Fail(TurnFailure),
    /// The code of a version on trial faulted in it: the room goes back, and the version before gets the same event.
    GoBack { event: Box<Event>, why: String },
}

impl Judgement {
    /// As a tape has it.
    pub(super) fn taped(&self) -> TapedVerdict {
        match self {
            Self::Commit(_) => TapedVerdict::Committed,
            Self::Lost => TapedVerdict::Lost,
            Self::Fail(failure) => failure.taped(),
            Self::GoBack { why, .. } => TapedVerdict::went_back(why),
        }
    }
}

/// What `judge` looks at beside the outcome of the call.
#[derive(Debug, Default)]
pub(super) struct Circumstances {
    /// The bound that the turn passed.
    pub(super) poison: Option<Bound>,
    /// Writes of earlier turns failed while it ran.
    pub(super) rests_on_failed_writes: bool,
    /// The most bytes that its answer may have, where the answer is kept, and the name of that bound.
    pub(super) answer_bytes_max: Option<(usize, Bound)>,
    /// The event, if the version before may get it.
    pub(super) again: Option<Box<Event>>,
}

pub(super) fn judge(outcome: Outcome, circumstances: Circumstances) -> Judgement {
    let Circumstances { poison, rests_on_failed_writes, answer_bytes_max, again } = circumstances;
    if rests_on_failed_writes {
        return Judgement::Lost;
    }
    match (outcome, poison) {
        (Outcome::Faulted(fault), _) => match again {
            Some(event) => Judgement::GoBack { why: format!("{} {fault}", event.name), event },
            None => Judgement::Fail(TurnFailure::of_fault(&fault)),
        },
        (Outcome::Done(_) | Outcome::Failed(_), Some(bound)) => Judgement::Fail(TurnFailure::of_bound(bound)),
        (Outcome::Failed(failure), None) => Judgement::Fail(TurnFailure::of_guest(failure)),
        (Outcome::Done(answer), None) => {
            let bytes = answer.as_ref().map_or(0, Body::bytes);
            match answer_bytes_max {
                Some((max, bound)) if bytes > max => Judgement::Fail(TurnFailure::of_bound(bound)),
                _ => Judgement::Commit(answer),
            }
        }
    }
}

#[cfg(test)]
mod tests;
