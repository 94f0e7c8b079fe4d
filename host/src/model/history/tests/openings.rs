//! What a room knows of its stored histories when it opens.

use super::*;

/// A room's storage.
#[derive(Debug, Default, Clone)]
struct RoomDisk(std::collections::BTreeMap<String, Vec<u8>>);

impl RoomDisk {
    /// Opens the room; `early` where its clients may hear what is not stored.
    fn open(&self, early: bool) -> Histories {
        let stored = self.stored();
        let (mut histories, mut next) = (Histories::default(), epochs());
        let epoch = || epoch_of(&next(), early);
        histories.keep_only(&[keep("a", 3, true)], Some(stored), bounds(), epoch);
        histories.give_up_aside();
        histories
    }

    fn stored(&self) -> StoredHistories {
        let mut stored = StoredHistories::default();
        self.0.iter().for_each(|(key, value)| stored.add(key, value));
        stored
    }

    fn say(&mut self, histories: &mut Histories, text: &str) -> String {
        let (position, writes) = say(histories, text, 0);
        self.write(writes);
        position
    }

    fn write(&mut self, writes: Vec<HistoryWrite>) {
        for HistoryWrite { key, value, old_bytes } in writes {
            assert_eq!(old_bytes, self.0.get(&key).map_or(0, |old| key.len() + old.len()), "{key:?}");
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

/// A version on trial that keeps another channel; what it says to this one is nowhere.
fn try_another(histories: &mut Histories, disk: &mut RoomDisk, stored: Option<StoredHistories>) {
    histories.keep_only(&[keep("b", 3, true)], stored, bounds(), epochs());
    disk.write(histories.begin_gaps_aside());
    assert_eq!(histories.begin_gaps_aside(), [], "once");
}

#[test]
fn what_a_version_on_trial_may_have_said_is_missed_in_each_opening_until_an_entry_follows() {
    let mut disk = RoomDisk::default();
    let first = disk.say(&mut disk.clone().open(false), "1");
    // One room on trial knows the entries, the other has not read them yet.
    for is_open in [true, false] {
        let mut disk = disk.clone();
        let mut room = if is_open { disk.open(false) } else { Histories::default() };
        let stored = (!is_open).then(|| disk.stored());
        try_another(&mut room, &mut disk, stored);
        // The room ends, or goes back to the version before and says nothing more.
        room.keep_only(&[keep("a", 3, true)], None, bounds(), epochs());
        disk.write(room.give_up_aside());
        for _ in 0..2 {
            let stored = Some(disk.stored());
            let mut room = Histories::default();
            disk.write(keep_now(&mut room, &[keep("a", 3, true)], stored));
            assert_eq!(read(&room, first.as_str(), 0), "missed: 1");
        }
        let mut room = disk.open(false);
        let second = disk.say(&mut room, "2");
        for room in [room, disk.open(false)] {
            assert_eq!(read(&room, first.as_str(), 0), "missed: 1 2");
            assert_eq!(read(&room, second.as_str(), 0), "all: ");
        }
        // Whoever passes its trial leaves nothing of it.
        let (mut room, stored) = (Histories::default(), disk.stored());
        try_another(&mut room, &mut disk, Some(stored));
        disk.write(room.give_up_aside());
        assert_eq!(disk.0.len(), 0);
    }
}

#[test]
fn a_gap_that_others_entries_lie_behind_goes() {
    let mut disk = RoomDisk::default();
    let mut room = disk.open(false);
    for text in ["1", "2", "3"] {
        disk.say(&mut room, text);
    }
    let keys: Vec<String> = disk.0.keys().cloned().collect();
    disk.0.insert(keys[1].clone(), b"no entry".to_vec());
    let (mut room, stored) = (Histories::default(), disk.stored());
    disk.write(keep_now(&mut room, &[keep("a", 3, true)], Some(stored)));
    assert_eq!(disk.0.keys().collect::<Vec<_>>(), [&keys[2]]);
    assert_eq!(read(&room, None, 0), "all: 3");
}

#[test]
fn entries_are_of_the_opening_in_which_they_were_said() {
    let mut disk = RoomDisk::default();
    let mut room = disk.open(false);
    let [first, second] = ["1", "2"].map(|text| disk.say(&mut room, text));
    let backup = disk.clone();
    let mut room = disk.open(false);
    assert_eq!(room.position("a").unwrap().to_string(), second);
    let [third, fourth] = ["3", "4"].map(|text| disk.say(&mut room, text));
    let is_true = |room: &Histories| {
        assert_eq!(read(room, first.as_str(), 0), "all: 2 3 4");
        assert_eq!(read(room, second.as_str(), 0), "all: 3 4");
        assert_eq!(read(room, third.as_str(), 0), "all: 4");
    };
    is_true(&room);
    is_true(&disk.open(false));
    // Another room goes on from the backup: what the first said since names nothing there.
    let (mut disk, mut room) = (backup.clone(), backup.open(false));
    let other = disk.say(&mut room, "other 3");
    for room in [room, disk.open(false)] {
        assert_eq!(read(&room, first.as_str(), 0), "all: 2 other 3");
        assert_eq!(read(&room, second.as_str(), 0), "all: other 3");
        assert_eq!(read(&room, other.as_str(), 0), "all: ");
        for lost in [&third, &fourth] {
            assert_eq!(read(&room, lost.as_str(), 0), "missed: 1 2 other 3");
        }
    }
}

#[test]
fn what_clients_may_have_heard_early_is_known_to_nobody_in_the_next_opening() {
    let mut disk = RoomDisk::default();
    let safe = disk.say(&mut disk.clone().open(false), "1");
    let early = disk.say(&mut disk.clone().open(true), "2");
    let mut room = disk.open(false);
    let late = disk.say(&mut room, "3");
    for room in [room, disk.open(false)] {
        for position in [&safe, &early] {
            assert_eq!(read(&room, position.as_str(), 0), "missed: 1 2 3", "others may have heard more before 3");
        }
        assert_eq!(read(&room, late.as_str(), 0), "all: ");
    }
}

#[test]
fn a_history_that_was_renewed_stays_so() {
    let mut disk = RoomDisk::default();
    let mut room = disk.open(false);
    let old = disk.say(&mut room, "1");
    room.renew(epochs());
    let renewed = room.position("a").unwrap().to_string();
    disk.say(&mut room, "2");
    for room in [room, disk.open(false)] {
        assert_eq!(read(&room, old.as_str(), 0), "missed: 1 2");
        assert_eq!(read(&room, renewed.as_str(), 0), "all: 2");
    }
}
