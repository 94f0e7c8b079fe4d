use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::model::body::Payload;
use crate::model::json::Json;
use crate::model::names::RESERVED_KEYS;

mod openings;

/// Counts what is held, up to a bound.
#[derive(Debug, Default)]
struct Memory {
    used: AtomicUsize,
    max: usize,
}

impl HistoryMemory for Memory {
    fn take(&self, bytes: usize) -> bool {
        let fits = self.used.load(Ordering::Relaxed) + bytes <= self.max;
        if fits {
            self.add(bytes);
        }
        fits
    }

    fn add(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

const ALL: (usize, usize) = (1_000, usize::MAX);

fn keep(channel: &str, entries: usize, durable: bool) -> HistoryKeep {
    HistoryKeep { channel: channel.to_owned(), entries, ttl: Duration::from_millis(100), durable }
}

fn bounds() -> HistoryBounds {
    HistoryBounds { bytes: 1 << 20, memory: None }
}

fn epochs() -> impl FnMut() -> Arc<str> {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    || format!("e{}", NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

fn room(keeps: &[HistoryKeep], bounds: HistoryBounds) -> Histories {
    let mut histories = Histories::default();
    histories.keep_only(keeps, None, bounds, epochs());
    assert_eq!(histories.give_up_aside(), []);
    histories
}

/// Keeps these for good. Answers what goes from the storage.
fn keep_now(histories: &mut Histories, keeps: &[HistoryKeep], stored: Option<StoredHistories>) -> Vec<HistoryWrite> {
    histories.keep_only(keeps, stored, bounds(), epochs());
    histories.give_up_aside()
}

fn say(histories: &mut Histories, text: &str, now: UnixMs) -> (String, Vec<HistoryWrite>) {
    let body = Body::of(Payload::Json(Json::parse(format!("{text:?}")).unwrap()));
    let mut saying = histories.saying("a", "said", &body, now).expect("the channel is kept");
    let writes = std::mem::take(&mut saying.writes);
    (histories.say(saying).expect("the channel is kept").to_string(), writes)
}

/// The texts of a page, and whether they are all.
fn told(page: &HistoryPage) -> String {
    let text = |entry: &Arc<HistoryEntry>| match &entry.body.data {
        Payload::Json(json) => json.text().trim_matches('"').to_owned(),
        Payload::Binary(_) => String::new(),
    };
    let texts: Vec<String> = page.entries.iter().map(text).collect();
    format!("{}: {}", if page.recovered { "all" } else { "missed" }, texts.join(" "))
}

fn read<'a>(histories: &Histories, after: impl Into<Option<&'a str>>, now: UnixMs) -> String {
    told(&histories.read("a", after.into(), ALL, now).expect("the channel is kept"))
}

#[test]
fn what_a_turn_said_is_taken_back_with_what_went_for_it() {
    let mut histories = room(&[keep("a", 2, false)], bounds());
    let (first, _) = say(&mut histories, "1", 0);
    say(&mut histories, "2", 0);
    let mark = histories.mark();
    say(&mut histories, "3", 0);
    let (fourth, _) = say(&mut histories, "4", 0);
    assert_eq!(read(&histories, None, 0), "all: 3 4");
    histories.roll_back(mark);
    assert_eq!(read(&histories, None, 0), "all: 1 2");
    assert_eq!(read(&histories, first.as_str(), 0), "all: 2");
    assert_eq!(read(&histories, fourth.as_str(), 0), "missed: 1 2", "nobody can have heard it");
    assert!(say(&mut histories, "5", 0).0.ends_with(".3"));
    histories.make_final(histories.mark());
    histories.roll_back(0);
    assert_eq!(read(&histories, None, 0), "all: 2 5");
}

#[test]
fn whoever_missed_something_hears_it() {
    let mut histories = room(&[keep("a", 3, false)], bounds());
    let start = histories.position("a").unwrap().to_string();
    let positions: Vec<String> = (1..=5).map(|n| say(&mut histories, &n.to_string(), n).0).collect();
    assert_eq!(read(&histories, positions[4].as_str(), 5), "all: ");
    assert_eq!(read(&histories, positions[1].as_str(), 5), "all: 3 4 5");
    assert_eq!(read(&histories, positions[0].as_str(), 5), "missed: 3 4 5");
    assert_eq!(read(&histories, start.as_str(), 5), "missed: 3 4 5");
    // Time ends entries as well, and whoever heard the last of them missed nothing.
    assert_eq!(read(&histories, positions[1].as_str(), 104), "missed: 4 5");
    assert_eq!(read(&histories, positions[4].as_str(), 1_000), "all: ");
    assert_eq!(read(&histories, positions[3].as_str(), 1_000), "missed: ");
    let epoch = positions[0].split('.').next().unwrap();
    for garbage in ["", ".", "x", "0", "other.3", &format!("{epoch}.6"), &format!("{epoch}.+4"), &format!("{epoch}.-1")]
    {
        assert_eq!(read(&histories, garbage, 5), "missed: 3 4 5", "{garbage:?}");
    }
    let answer = histories.answer("a", Some(&positions[1]), 2 * 170, 5);
    assert_eq!(told(&answer.page), "missed: 4 5", "the newest that fit");
}

#[test]
fn memory_has_a_bound_and_comes_back() {
    let memory = Arc::new(Memory { max: 600, ..Memory::default() });
    let bounds = HistoryBounds { bytes: 1 << 20, memory: Some(Arc::clone(&memory) as Arc<dyn HistoryMemory>) };
    let mut histories = room(&[keep("a", 10, false)], bounds);
    let positions: Vec<String> = (0..20).map(|n| say(&mut histories, &n.to_string(), 0).0).collect();
    histories.make_final(histories.mark());
    assert!(memory.used.load(Ordering::Relaxed) <= 600);
    assert!(read(&histories, positions[0].as_str(), 0).starts_with("missed"), "what found no place was missed");
    keep_now(&mut histories, &[], None);
    assert_eq!(memory.used.load(Ordering::Relaxed), 0);
    let small = HistoryBounds { bytes: 400, memory: None };
    let mut histories = room(&[keep("a", 10, false)], small);
    for n in 0..5 {
        say(&mut histories, &n.to_string(), 0);
    }
    assert_eq!(read(&histories, None, 0), "all: 3 4");
    say(&mut histories, &"x".repeat(500), 0);
    assert_eq!(read(&histories, None, 0), "all: ", "an entry that does not fit ends what was before it");
}

#[test]
fn what_is_stored_is_what_is_kept() {
    let keeps = [keep("a", 2, true)];
    let mut histories = room(&keeps, bounds());
    let mut stored = std::collections::BTreeMap::new();
    let mut last = String::new();
    for n in 1..=4 {
        let (position, writes) = say(&mut histories, &n.to_string(), n);
        last = position;
        for HistoryWrite { key, value, old_bytes } in writes {
            let before = match value {
                Some(value) => stored.insert(key.clone(), value),
                None => stored.remove(&key),
            };
            assert_eq!(before.map_or(0, |before: Vec<u8>| key.len() + before.len()), old_bytes);
        }
    }
    let found = || {
        let mut found = StoredHistories::default();
        stored.iter().for_each(|(key, value)| found.add(key, value));
        found
    };
    let mut again = Histories::default();
    assert_eq!(keep_now(&mut again, &keeps, Some(found())), []);
    assert_eq!(again.position("a").unwrap().to_string(), last);
    assert_eq!(read(&again, None, 4), "all: 3 4");
    // A version that keeps it no more, or in memory, takes it out.
    for keeps in [vec![], vec![keep("b", 2, true)], vec![keep("a", 2, false)]] {
        let gone = keep_now(&mut Histories::default(), &keeps, Some(found()));
        assert_eq!(gone.iter().map(|write| &write.key).collect::<Vec<_>>(), stored.keys().collect::<Vec<_>>());
    }
    let mut broken = found();
    broken.add("\0parlor/history/1/a\0zz", b"?");
    assert_eq!(keep_now(&mut Histories::default(), &keeps, Some(broken)).len(), 1, "nobody can use it");
    // Another entry gets the number of one that cannot be read.
    let mut damaged = found();
    damaged.add("\0parlor/history/1/a\0ffff", b"?");
    let mut again = Histories::default();
    assert_eq!(keep_now(&mut again, &keeps, Some(damaged)).len(), 1);
    assert_eq!(read(&again, last.as_str(), 4), "missed: 3 4", "positions begin anew");
}

#[test]
fn the_next_versions_word_counts() {
    let mut histories = room(&[keep("a", 10, false), keep("b", 1, false)], bounds());
    let (first, _) = say(&mut histories, "1", 0);
    say(&mut histories, "2", 0);
    histories.make_final(histories.mark());
    keep_now(&mut histories, &[keep("a", 1, false)], None);
    assert!(!histories.keeps("b"));
    assert_eq!(read(&histories, first.as_str(), 0), "all: 2");
    keep_now(&mut histories, &[], None);
    keep_now(&mut histories, &[keep("a", 1, false)], None);
    assert_eq!(read(&histories, first.as_str(), 0), "missed: ", "what was said meanwhile is lost");
}

#[test]
fn what_a_version_on_trial_does_not_keep_comes_back_with_the_version_before() {
    for durable in [false, true] {
        let keeps = [keep("a", 10, durable)];
        let mut histories = room(&keeps, bounds());
        let (first, _) = say(&mut histories, "1", 0);
        say(&mut histories, "2", 0);
        histories.make_final(histories.mark());
        for trial in [vec![], vec![keep("a", 10, !durable)]] {
            histories.keep_only(&trial, None, bounds(), epochs());
            assert_eq!(histories.keeps("a"), !trial.is_empty());
            histories.keep_only(&keeps, None, bounds(), epochs());
            assert_eq!(read(&histories, None, 0), "all: 1 2");
            assert_eq!(read(&histories, first.as_str(), 0), "missed: 1 2", "nobody knows what was said meanwhile");
        }
        assert_eq!(histories.give_up_aside(), []);
        histories.keep_only(&[], None, bounds(), epochs());
        assert_eq!(histories.give_up_aside().len(), if durable { 2 } else { 0 }, "the trial is passed");
        assert!(histories.0.is_none());
    }
    // What lies in the storage comes back as well.
    let mut room = room(&[keep("a", 10, true)], bounds());
    let mut stored = StoredHistories::default();
    for HistoryWrite { key, value, .. } in say(&mut room, "1", 0).1 {
        stored.add(&key, &value.unwrap());
    }
    let last = room.position("a").unwrap().to_string();
    let mut histories = Histories::default();
    histories.keep_only(&[keep("b", 10, true)], Some(stored), bounds(), epochs());
    histories.keep_only(&[keep("a", 10, true)], None, bounds(), epochs());
    assert_eq!(read(&histories, None, 0), "all: 1");
    assert_eq!(read(&histories, last.as_str(), 0), "missed: 1", "nobody knows what was said meanwhile");
    assert_eq!(histories.give_up_aside(), []);
}

#[test]
fn what_a_version_on_trial_wants_less_of_is_there_for_the_version_before() {
    for durable in [false, true] {
        let keeps = [keep("a", 3, durable)];
        let mut histories = room(&keeps, bounds());
        let positions: Vec<String> = (1..=3).map(|n| say(&mut histories, &n.to_string(), 0).0).collect();
        histories.make_final(histories.mark());
        let short = HistoryKeep { ttl: Duration::ZERO, ..keep("a", 1, durable) };
        histories.keep_only(&[short], None, bounds(), epochs());
        let (_, writes) = say(&mut histories, "4", 1);
        assert!(writes.iter().all(|write| write.value.is_some()), "the version on trial takes nothing out");
        assert_eq!(read(&histories, None, 1), "all: 4", "what it wants is what it hears");
        histories.keep_only(&keeps, None, bounds(), epochs());
        assert_eq!(histories.give_up_aside(), []);
        assert_eq!(read(&histories, positions[0].as_str(), 1), "all: 2 3 4");
        assert_eq!(say(&mut histories, "5", 1).1.len(), if durable { 3 } else { 0 }, "one more, and two that go");
        assert_eq!(read(&histories, positions[0].as_str(), 1), "missed: 3 4 5");
        // Once its trial is passed, its word counts.
        keep_now(&mut histories, &[keep("a", 1, durable)], None);
        say(&mut histories, "6", 1);
        keep_now(&mut histories, &keeps, None);
        assert_eq!(read(&histories, None, 1), "all: 6");
    }
}

#[test]
fn stored_entries_are_read_back_as_they_were_whatever_they_hold() {
    let json = |text: &str| Payload::Json(Json::parse(text.to_owned()).unwrap());
    let texts = ["null", "true", "0", "-1.5e3", r#""""#, r#""\u0000""#, "[]", "[null]", "{}", r#"{"data":null}"#];
    let data = texts.map(json).into_iter().chain([Payload::Binary(vec![]), Payload::Binary(vec![0, 255])]);
    let mut histories = room(&[keep("a", 100, true)], bounds());
    let mut stored = StoredHistories::default();
    let mut bodies = Vec::new();
    for data in data {
        let attachments = if bodies.len() % 2 == 0 { vec![] } else { vec!["more".into()] };
        let body = Body { data, attachments, is_spread: bodies.len() % 3 == 0 };
        let mut saying = histories.saying("a", "said", &body, 0).unwrap();
        let HistoryWrite { key, value, .. } = saying.writes.remove(0);
        stored.add(&key, &value.unwrap());
        histories.say(saying);
        bodies.push(body);
    }
    let mut again = Histories::default();
    assert_eq!(keep_now(&mut again, &[keep("a", 100, true)], Some(stored)), []);
    assert_eq!(again.position("a"), histories.position("a"));
    let page = again.read("a", None, ALL, 0).unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.body.clone()).collect::<Vec<_>>(), bodies);
}

#[test]
fn entries_lie_among_the_hosts_own_keys() {
    assert!(HISTORY_PREFIX.starts_with(RESERVED_KEYS));
}
