//! The verbs that send frames and look at those that came.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::harness::compare::differs;
use crate::harness::line::{one_line, with};
use crate::harness::outcome::{StepError, StepResult, result};
use crate::harness::session::Harness;
use crate::harness::step::{AnswerStep, DoStep, RequestStep, SendStep};

/// The number of the harness's own requests, which no step uses for frames of its own.
const REQUEST: u64 = 1_000_000;

impl Harness {
    pub(in crate::harness) fn send(&mut self, SendStep { from, frame, text }: SendStep) -> StepResult {
        let text = match (frame, text) {
            (Some(frame), None) => frame.get().to_owned(),
            (None, Some(text)) => text,
            _ => return Err(StepError::new("it needs \"frame\" or \"text\", and not both")),
        };
        self.send_text(&from, text)?;
        result(())
    }

    /// Sends a text, and waits until the room has handled it.
    pub(in crate::harness) fn send_text(&mut self, from: &str, text: String) -> Result<(), StepError> {
        self.speaking(from)?;
        if let Some(peer) = self.peers.get(from) {
            self.world.run(peer.send(text));
        }
        Ok(())
    }

    pub(in crate::harness) fn request(&mut self, RequestStep { from, frame, ack }: RequestStep) -> StepResult {
        let id = REQUEST + self.requests;
        self.requests += 1;
        self.send_text(&from, with(frame, [("id", json!(id))]))?;
        let inbox = self.peer(&from)?.collect();
        let found = inbox.take_last(|frame| frame["type"] == "ack" && frame["id"] == id);
        let mut found =
            found.map_err(|left| StepError::new(format!("there is no acknowledgement; there came {left}")))?;
        if let Some(members) = found.as_object_mut() {
            members.retain(|name, _| name != "type" && name != "id");
        }
        if let Some(expected) = ack {
            let why = |why| StepError::new(format!("the acknowledgement: {why}"));
            differs(&Value::Object(expected), &found).map_err(why)?;
        }
        result(found)
    }

    pub(in crate::harness) fn answer(&mut self, AnswerStep { from, frame }: AnswerStep) -> StepResult {
        let ask = self.peer(&from)?.collect().take_ask();
        let id = ask.ok_or_else(|| StepError::new(format!("{from:?} was asked nothing that it did not answer")))?;
        self.send_text(&from, with(frame, [("type", json!("ack")), ("id", id)]))?;
        result(())
    }

    pub(in crate::harness) fn operate(&mut self, DoStep { from, ops, did }: DoStep) -> StepResult {
        self.send_text(&from, json!({ "type": "do", "data": ops }).to_string())?;
        let inbox = self.peer(&from)?.collect();
        let found = inbox.take_last(|frame| frame["type"] == "event" && frame["data"]["type"] == "did");
        match (did, found) {
            (Some(expected), Ok(frame)) => {
                let found = &frame["data"]["data"];
                differs(&expected, found).map_err(|why| StepError::new(format!("the results: {why}")))?;
                result(found)
            }
            (Some(_), Err(left)) => Err(StepError::new(format!("the operations were not done; there came {left}"))),
            (None, Ok(frame)) => Err(StepError::new(format!("it should fail, and there came {frame}"))),
            (None, Err(_)) => result(()),
        }
    }

    pub(in crate::harness) fn expect_events(&mut self, expected: &BTreeMap<String, Vec<Value>>) -> StepResult {
        expected.keys().try_for_each(|who| self.peer(who).map(drop))?;
        let mut wrong = Vec::new();
        for (who, peer) in &mut self.peers {
            let found = Value::Array(peer.collect().take_written());
            let wanted = json!(expected.get(who).map_or(&[][..], Vec::as_slice));
            wrong.extend(differs(&wanted, &found).err().map(|why| format!("{who}: {why}")));
        }
        if wrong.is_empty() { result(()) } else { Err(StepError::new(wrong.join("; "))) }
    }

    pub(in crate::harness) fn frames(&mut self, who: Option<&str>) -> StepResult {
        let whole = |frames: Vec<String>| frames.iter().map(|frame| one_line(frame)).collect::<Vec<Box<RawValue>>>();
        match who {
            Some(who) => result(whole(self.peer(who)?.collect().take_all())),
            None => {
                let all = self.peers.iter_mut().map(|(who, peer)| (who, whole(peer.collect().take_all())));
                result(all.collect::<BTreeMap<_, _>>())
            }
        }
    }
}
