//! Numbers as people read them.

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
    } else if key.ends_with("-percent") {
        format!("{value} %")
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("frames-per-second", 100, "100"),
        ] {
            assert_eq!(in_unit_of(key, value), text, "{key}");
        }
    }
}
