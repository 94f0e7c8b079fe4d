//! Bounds that are raised for all tests.

/// Bounds that all tests would reach together, since they come from one address and in no time. Tests of these bounds
/// set their own.
const RAISED: &str = "\
upgrades-per-address-per-second = 10_000
upgrades-per-address-burst = 10_000
requests-per-address-per-second = 10_000
requests-per-address-burst = 10_000
sockets-per-address = 10_000
frames-per-second = 100_000
frames-burst = 100_000
";

/// A configuration with [`RAISED`], but for what it sets itself.
pub fn with_raised(config: &str) -> String {
    let sets = |line: &&str| !config.contains(line.split(" = ").next().unwrap_or_default());
    let raised: String = RAISED.lines().filter(sets).map(|line| format!("{line}\n")).collect();
    match config.find("[limits]\n") {
        Some(place) => {
            let (before, after) = config.split_at(place + "[limits]\n".len());
            format!("{before}{raised}{after}")
        }
        None => format!("{config}[limits]\n{raised}"),
    }
}
