use super::*;
use crate::guest::instance::Fault;
use crate::model::body::Payload;
use crate::model::event::{Failure, hook};

fn event() -> Event {
    Event::hook(hook::TIMER, None, None, 0.0)
}

fn answer(bytes: usize) -> Body {
    Body::of(Payload::Binary(vec![0; bytes]))
}

/// Every way in which a call ends, by name.
fn outcomes() -> [(&'static str, Outcome); 4] {
    let failure = |for_sender| Failure { code: "c".to_owned(), message: "m".to_owned(), for_sender };
    [
        ("done", Outcome::Done(Some(answer(3)))),
        ("failed", Outcome::Failed(failure(false))),
        ("rejected", Outcome::Failed(failure(true))),
        ("faulted", Outcome::Faulted(Fault::Deadline)),
    ]
}

/// What a judgement comes to, in a word.
fn word(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Commit(_) => "commits".to_owned(),
        Judgement::Lost => "lost".to_owned(),
        Judgement::Fail(failure) => failure.code.clone(),
        Judgement::GoBack { event, why } => {
            assert_eq!(**event, self::event());
            assert_eq!(why, "$timer used more CPU time than a call may");
            "goes back".to_owned()
        }
    }
}

#[test]
fn every_outcome_under_every_circumstance() {
    // done, failed, rejected, faulted: for each of (a bound was passed, writes failed meanwhile, the version is on trial).
    let table = [
        ((false, false, false), ["commits", "c", "c", "deadline"]),
        ((true, false, false), ["emit-bytes", "emit-bytes", "emit-bytes", "deadline"]),
        ((false, false, true), ["commits", "c", "c", "goes back"]),
        ((true, false, true), ["emit-bytes", "emit-bytes", "emit-bytes", "goes back"]),
        ((false, true, false), ["lost"; 4]),
        ((true, true, false), ["lost"; 4]),
        ((false, true, true), ["lost"; 4]),
        ((true, true, true), ["lost"; 4]),
    ];
    for ((is_poisoned, rests_on_failed_writes, on_trial), expected) in table {
        for ((name, outcome), expected) in outcomes().into_iter().zip(expected) {
            let circumstances = Circumstances {
                poison: is_poisoned.then_some(Bound::EmitBytes),
                rests_on_failed_writes,
                answer_bytes_max: None,
                again: on_trial.then(|| Box::new(event())),
            };
            let tried = format!("{name} with {circumstances:?}");
            let judgement = judge(outcome, circumstances);
            assert_eq!(word(&judgement), expected, "{tried}");
            if let Judgement::Fail(failure) = judgement {
                assert_eq!(failure.for_sender, name == "rejected" && expected == "c", "{tried}");
            }
        }
    }
}

#[test]
fn an_answer_that_is_kept_has_a_bound() {
    let judged = |bytes, answer_bytes_max| {
        word(&judge(Outcome::Done(Some(answer(bytes))), Circumstances { answer_bytes_max, ..Circumstances::default() }))
    };
    for (bytes, max, expected) in [(8, Some(8), "commits"), (9, Some(8), "suspend-bytes"), (9, None, "commits")] {
        assert_eq!(judged(bytes, max.map(|max| (max, Bound::SuspendBytes))), expected, "{bytes} of {max:?}");
    }
    assert_eq!(judged(9, Some((8, Bound::EmitBytes))), "emit-bytes");
    let circumstances = Circumstances { answer_bytes_max: Some((0, Bound::SuspendBytes)), ..Circumstances::default() };
    assert_eq!(judge(Outcome::Done(None), circumstances), Judgement::Commit(None));
}
