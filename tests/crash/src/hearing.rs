//! What one socket hears, in order: every answer of its room from its coming on, each once.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use std::sync::atomic::Ordering;

use crate::id::Id;
use crate::ledger::Audit;
use crate::room::{Counts, Room};
use crate::seen::{Checked, Seen, Wrong, expect, shown};

/// What it heard last.
#[derive(Debug, Default)]
pub struct Hearing {
    last: Option<(u64, i64)>,
}

/// An event, once it was found to fit.
#[derive(Debug)]
pub enum Heard {
    Added(Id),
    /// The acknowledgement of the request of this number.
    Acknowledged(u64),
    Armed,
    Rang,
    Audit(Audit),
    /// Ids of a page, and where the next begins.
    Ids(Vec<String>, Option<String>),
    /// Alarms that were set, and those that rang.
    Alarms(Vec<Id>, Vec<Id>),
}

impl Hearing {
    /// Compares an event with all that is known of the room.
    pub fn hear(&mut self, event: &Value, room: &Room, life: u32, counts: &Counts) -> Checked<Heard> {
        let seen = Seen { at: Instant::now(), life };
        Counts::add(&counts.checked);
        let mut model = room.model();
        match event["type"].as_str().unwrap_or_default() {
            "added" => {
                let (id, total, count) = (id(&event["id"])?, number(&event["total"])?, natural(&event["count"])?);
                self.follows(model.ledger.is_again(id), count, total)?;
                model.ledger.added(id, total, count, seen)?;
                Ok(Heard::Added(id))
            }
            "ack" => {
                expect(event["error"].is_null(), || "an event that was handled".to_owned(), || event.to_string())?;
                Ok(Heard::Acknowledged(natural(&event["id"])?))
            }
            "audit" => {
                let audit = Audit {
                    total: number(&event["total"])?,
                    count: natural(&event["count"])?,
                    entries: number(&event["entries"])?,
                    ids: natural(&event["ids"])?,
                    ids_hash: event["ids_hash"].as_str().unwrap_or_default().to_owned(),
                };
                let (heard, now) = (self.last, (audit.count, audit.total));
                let same = heard.is_none_or(|heard| heard == now);
                expect(same, || format!("an audit of {heard:?}, as was heard before it"), || shown(&audit))?;
                self.last = Some(now);
                model.ledger.audited(&audit, seen)?;
                Counts::add(&counts.audits);
                Ok(Heard::Audit(audit))
            }
            "armed" => {
                model.alarms.armed(id(&event["id"])?, natural(&event["due"])?, seen)?;
                Ok(Heard::Armed)
            }
            "rang" => {
                let late = model.alarms.rang(id(&event["id"])?, wall_ms(), seen)?;
                counts.latest_ring_ms.fetch_max(late.unwrap_or(0), Ordering::Relaxed);
                Ok(Heard::Rang)
            }
            "ids" => {
                let ids = list(&event["ids"], |id| id.as_str().map(str::to_owned))?;
                Ok(Heard::Ids(ids, event["next"].as_str().map(str::to_owned)))
            }
            "alarms" => {
                let ids = |list_of: &Value| list(list_of, |id| Id::parse(id.as_str()?));
                Ok(Heard::Alarms(ids(&event["armed"])?, ids(&event["rang"])?))
            }
            _ => Err(unexpected(event)),
        }
    }

    /// A socket misses nothing of its room: the count goes up by one, or stays for what was there already.
    fn follows(&mut self, again: bool, count: u64, total: i64) -> Checked {
        let now = (count, total);
        if let Some(last) = self.last {
            let fits = count == last.0 + 1 || (again && now == last);
            expect(fits, || format!("what follows {last:?}"), || shown(&now))?;
        }
        self.last = Some(now);
        Ok(())
    }
}

/// Now, in milliseconds since the Unix epoch: the clock that guests see.
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn unexpected(value: &Value) -> Wrong {
    Wrong { expected: "an event of the ledger".to_owned(), found: value.to_string() }
}

fn id(value: &Value) -> Checked<Id> {
    value.as_str().and_then(Id::parse).ok_or_else(|| unexpected(value))
}

fn number(value: &Value) -> Checked<i64> {
    value.as_i64().ok_or_else(|| unexpected(value))
}

fn natural(value: &Value) -> Checked<u64> {
    value.as_u64().ok_or_else(|| unexpected(value))
}

fn list<T>(value: &Value, of: impl Fn(&Value) -> Option<T>) -> Checked<Vec<T>> {
    let items = value.as_array().ok_or_else(|| unexpected(value))?;
    items.iter().map(|item| of(item).ok_or_else(|| unexpected(item))).collect()
}
