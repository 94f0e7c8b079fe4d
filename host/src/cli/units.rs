//! Numbers as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes in the largest unit of which there is at least one.
pub fn bytes(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(shift, _)| bytes >> shift > 0) {
        Some((shift, unit)) if bytes.is_multiple_of(1 << shift) => format!("{} {unit}", bytes >> shift),
        Some((shift, unit)) => format!("{:.1} {unit}", bytes as f64 / f64::from(1u32 << shift)),
        None => format!("{bytes} B"),
    }
}

/// A value in the unit that its key ends in.
pub fn in_unit_of(key: &str, value: u64) -> String {
    if key.contains("-bytes") {
        bytes(value)
    } else if key.ends_with("-ms") && value >= 10_000 && value.is_multiple_of(1_000) {
        format!("{} s", value / 1_000)
    } else if key.ends_with("-ms") {
        format!("{value} ms")
    } else if key.ends_with("-percent") && value == 0 {
        "none".to_owned()
    } else if key.ends_with("-percent") {
        format!("{value} %")
    } else {
        value.to_string()
    }
}

/// How long ago a moment was, of which the milliseconds since the Unix epoch are given.
pub fn ago(unix_ms: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let seconds = (now - unix_ms / 1_000.0).max(0.0) as u64;
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    match units.into_iter().find(|(unit, _)| seconds >= 2 * unit) {
        Some((unit, word)) => format!("{} {word} ago", seconds / unit),
        None => format!("{seconds} s ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_the_largest_unit_of_which_there_are_two() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1_000.0;
        for (seconds, text) in
            [(-5.0, "0 s ago"), (119.5, "119 s ago"), (3_600.5, "60 min ago"), (200_000.0, "2 days ago")]
        {
            assert_eq!(ago(now - seconds * 1_000.0), text);
        }
    }

    #[test]
    fn values_have_their_units() {
        for (key, value, text) in [
            ("memory-bytes", 64 << 20, "64 MiB"),
            ("emit-bytes-per-turn", 1_536, "1.5 KiB"),
            ("log-line-bytes", 1_000, "1000 B"),
            ("compile-memory-bytes", 4 << 30, "4 GiB"),
            ("turn-cpu-ms", 50, "50 ms"),
            ("compile-wall-ms", 60_000, "60 s"),
            ("tenant-cpu-percent", 25, "25 %"),
            ("tenant-cpu-percent", 0, "none"),
            ("frames-per-second", 100, "100"),
        ] {
            assert_eq!(in_unit_of(key, value), text, "{key}");
        }
    }
}
