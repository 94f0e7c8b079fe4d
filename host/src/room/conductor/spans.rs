//! What the collector of traces hears of turns and their commits.

use std::borrow::Cow;
use std::time::Duration;

use super::Conductor;
use crate::clock::now_ns;
use crate::model::event::Event;
use crate::room::judgement::Judgement;
use crate::room::turn::Origin;
use crate::tenant::costs::TurnCost;
use crate::traces::{BegunSpan, SpanWords, TraceParent, count_of, text_of};

impl Conductor {
    /// Where the turn of an event comes from, and its span, where somebody wants to know of it.
    pub(super) fn originate(&self, event: &Event) -> (Origin, Option<BegunSpan>) {
        let plugin = self.code.plugin();
        let parent = || event.caused_by.and_then(|socket| self.people.trace(socket));
        let span = plugin.account().traces.as_deref().and_then(|traces| traces.begin(parent()));
        let as_parent = span.as_ref().map(|span| Box::new(span.as_parent()));
        let handler = plugin.handlers.find(&event.cause);
        (Origin { accepted_ns: self.accepted_ns, handler, span: as_parent, ..Origin::of(event) }, span)
    }

    /// Ends the span of a turn, with what the turn did.
    pub(super) fn end_span(&self, span: Option<BegunSpan>, origin: &Origin, cost: &TurnCost, judgement: &Judgement) {
        let plugin = self.code.plugin();
        let Some(span) = span else { return };
        let (outcome, failed) = match judgement {
            Judgement::Commit(_) => ("committed", None),
            Judgement::Lost => ("lost", Some("the writes that it ran on failed".to_owned())),
            Judgement::GoBack { why, .. } => ("went-back", Some(why.clone())),
            Judgement::Fail(failure) => (failure.code.as_str(), (!failure.for_sender).then(|| failure.message.clone())),
        };
        let mut attributes = self.code.place();
        attributes.extend([
            text_of("parlor.event", &origin.name),
            text_of("parlor.outcome", outcome),
            count_of("parlor.cpu_ns", cost.cpu_ns),
            count_of("parlor.emits", cost.emits as u64),
            count_of("parlor.emit_bytes", cost.bytes as u64),
            count_of("parlor.deliveries", cost.deliveries as u64),
            count_of("parlor.reads", cost.reads as u64),
            count_of("parlor.writes", cost.writes as u64),
        ]);
        if origin.accepted_ns > 0 {
            // From its place in the room's order to the end of its turn.
            attributes.push(count_of("parlor.since_accepted_ns", now_ns().saturating_sub(origin.accepted_ns)));
        }
        // What is registered for is a closed list; what clients send is not.
        let name = match plugin.handlers.name(origin.handler) {
            Some(handler) => Cow::Owned(format!("turn {handler}")),
            None => Cow::Borrowed("turn"),
        };
        span.end(SpanWords { name, attributes, failed });
    }

    /// Tells of a commit for whose durability a turn waited so long.
    pub(super) fn tell_of_commit(&self, of: Option<&TraceParent>, waited: Duration) {
        let Some((of, traces)) = of.zip(self.code.plugin().account().traces.as_deref()) else { return };
        if let Some(span) = traces.begin_before(waited, Some(*of)) {
            span.end(SpanWords { name: Cow::Borrowed("commit"), attributes: self.code.place(), failed: None });
        }
    }
}
