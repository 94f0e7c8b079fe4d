use super::*;
use crate::model::refusal::Bound;

#[test]
fn keys_are_unique_and_end_in_what_they_count() {
    let all = Limits::default().all();
    let mut keys: Vec<&str> = all.iter().map(|limit| limit.key).collect();
    assert!(keys.contains(&"turn-cpu-ms") && keys.contains(&"outbound-bytes"));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all.len());
    for limit in &all {
        assert!(limit.value >= limit.least, "{limit:?}");
        assert!(limit.why.len() > 10 && !limit.key.contains('_'), "{limit:?}");
    }
}

#[test]
fn every_reason_is_a_limit() {
    let all = Limits::default().all();
    for bound in Bound::ALL {
        assert!(all.iter().any(|limit| limit.key == bound.name()), "{} is no limit", bound.name());
    }
}

#[test]
fn a_table_changes_what_it_sets_alone() {
    let table: LimitsTable = toml::from_str("frame-bytes = 7").unwrap();
    let mut limits = Limits::default();
    limits.apply(&table);
    assert_eq!(limits, Limits { frame_bytes: 7, ..Limits::default() });
    assert_eq!(table.set().iter().map(|limit| (limit.key, limit.value)).collect::<Vec<_>>(), [("frame-bytes", 7)]);
}

#[test]
fn an_old_key_sets_what_replaced_it() {
    let table = |text: &str| toml::from_str::<LimitsTable>(text).unwrap().in_todays_keys();
    for (idle, ping_after, timeout) in [(90_000, 45_000, 45_000), (3, 1, 2), (1, 1, 1)] {
        let set = table(&format!("idle-socket-ms = {idle}")).unwrap().set();
        let set: Vec<_> = set.iter().map(|limit| (limit.key, limit.value)).collect();
        assert_eq!(set, [("ping-after-ms", ping_after), ("ping-timeout-ms", timeout)]);
    }
    assert!(table("idle-socket-ms = 0").unwrap_err().contains("limits.idle-socket-ms must not be 0"));
    let both = table("idle-socket-ms = 9\nping-timeout-ms = 9").unwrap_err();
    assert!(both.contains("limits.idle-socket-ms") && both.contains("ping-after-ms and ping-timeout-ms"), "{both}");
}
