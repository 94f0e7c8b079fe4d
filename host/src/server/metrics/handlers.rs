//! What each handler of a plugin costs, under the event that it registered for: at most 256 of a plugin, and one more for all
//! others.

use super::Scrape;
use crate::fleet::Fleet;
use crate::tenant::costs::HandlerFigures;

/// A figure's name, what it is, and how it is read.
type HandlerFigure = (&'static str, &'static str, fn(&HandlerFigures) -> f64);

const FIGURES: [HandlerFigure; 9] = [
    ("turns", "Turns of the handler, those that failed included", |of| of.cpu.count() as f64),
    ("failures", "Those of them that failed", |of| of.failures as f64),
    ("cpu_seconds", "What its turns executed", |of| of.cpu.sum.as_secs_f64()),
    ("emits", "What it emitted", |of| of.emits as f64),
    ("emit_bytes", "Bytes of that, each emit counted once", |of| of.bytes as f64),
    ("deliveries", "The sockets that its emits were for, added up", |of| of.deliveries as f64),
    ("reads", "Keys that it read", |of| of.reads as f64),
    ("writes", "Keys that it wrote", |of| of.writes as f64),
    ("wait_seconds", "How long what it said waited for its writes", |of| of.wait.as_secs_f64()),
];

pub(super) fn of_handlers(fleet: &Fleet, scrape: &mut Scrape) {
    let read: Vec<_> = fleet.serving().iter().map(|plugin| (plugin.key.clone(), plugin.totals.costs.read())).collect();
    for (name, help, figure) in FIGURES {
        let counters = scrape.counters(&format!("handler_{name}"), help);
        for (key, handlers) in &read {
            for handler in handlers {
                let labels = vec![
                    ("tenant", key.tenant.to_string()),
                    ("plugin", key.plugin.to_string()),
                    ("event", handler.name.clone()),
                ];
                counters.get_or_create(&labels).inc_by(figure(handler));
            }
        }
    }
}
