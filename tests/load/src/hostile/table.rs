//! What the rounds of an attack come to: a verdict, a line of the table, and a line of JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::attack::Attack;
use super::costs::Costs;
use super::kinds::{ByKind, Kind, Latency};
use super::measure::Round;
use crate::load::QUIET_SHARE;
use crate::load::report::median;

/// The good tenant's 99th percentile of each kind may grow to so many times what it is without the attack, or by so much.
const TIMES: f64 = 1.5;
const MORE_MS: f64 = 3.0;
/// Its alarm may be so late.
const ALARM_MS: f64 = 100.0;
/// A spinning handler is to be stopped within `turn-cpu-ms` and two epoch ticks of 2 ms; one more is for what the server
/// does besides, which is counted as well: the log's line, the next instance, the clock.
const SPIN_MS: f64 = 50.0 + 2.0 * 2.0 + 1.0;
/// Errors that a line shows.
const ERRORS_SHOWN: usize = 2;
/// Letters of an error that a line shows.
const ERROR_MAX: usize = 110;

/// Which build a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// The only one, or the later of two.
    Current,
    /// The one that it is compared with: what it misses is shown and not counted.
    Before,
}

/// Medians over the rounds of an attack.
pub struct Row {
    pub build: Build,
    name: String,
    what: String,
    stopped: Option<(String, f64)>,
    must_stop: bool,
    without: ByKind,
    with: ByKind,
    alarm_ms: (f64, f64),
    costs: Costs,
    spin_ms: Option<f64>,
    errors: Vec<String>,
    note: Option<String>,
    acts: u64,
    others_share: f64,
    attempts: usize,
}

impl Row {
    /// Of the rounds of one attempt.
    pub fn of(build: Build, attack: &Attack, rounds: &[Round]) -> Self {
        let of = |figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
        let by_kind = |pick: fn(&Round) -> &ByKind| -> ByKind {
            std::array::from_fn(|kind| Latency {
                p50: of(&|round| pick(round)[kind].p50),
                p99: of(&|round| pick(round)[kind].p99),
                max: of(&|round| pick(round)[kind].max),
            })
        };
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        // Where one round was not stopped, the attack was not.
        let every = rounds.iter().all(|round| round.stopped.is_some());
        let words = rounds.iter().filter_map(|round| round.stopped.as_ref()).next();
        let after = rounds.iter().filter_map(|round| Some(millis(round.stopped.as_ref()?.1))).collect();
        let stopped = words.filter(|_| every).map(|(words, _)| (words.clone(), median(after)));
        let charged: Option<Vec<f64>> = rounds.iter().map(|round| round.costs.charged).collect();
        let costs = Costs {
            burnt: of(&|round| round.costs.burnt),
            charged: charged.map(median),
            rss_mib: of(&|round| round.costs.rss_mib),
            log_lines: of(&|round| round.costs.log_lines as f64) as u64,
            log_kib_per_second: of(&|round| round.costs.log_kib_per_second),
        };
        let mut errors: Vec<String> = rounds.iter().flat_map(|round| round.errors.clone()).collect();
        errors.dedup();
        Self {
            build,
            name: attack.name(),
            what: attack.what(),
            stopped,
            must_stop: attack.must_stop(),
            without: by_kind(|round| &round.without),
            with: by_kind(|round| &round.with),
            alarm_ms: (of(&|round| round.alarm_ms.0), of(&|round| round.alarm_ms.1)),
            costs,
            spin_ms: rounds.iter().filter_map(|round| round.spin_cpu.map(millis)).reduce(f64::max),
            errors,
            note: rounds.iter().find_map(|round| round.note.clone()),
            acts: rounds.iter().map(|round| round.acts).sum(),
            others_share: rounds.iter().map(|round| round.others_share).fold(0.0, f64::max),
            attempts: 1,
        }
    }

    /// Says that it is the best of so many attempts.
    pub fn best_of(self, attempts: usize) -> Self {
        Self { attempts, ..self }
    }

    /// What it misses of the aim; nothing where it reaches it.
    fn misses(&self) -> Vec<String> {
        let kinds = Kind::ALL.iter().filter(|kind| self.excess(**kind) > 1.0);
        let mut missed: Vec<String> = kinds.map(|kind| format!("p99 of {}", kind.name())).collect();
        let others = [
            (self.alarm_ms.1 > ALARM_MS.max(self.alarm_ms.0 * TIMES), "alarm"),
            (!self.errors.is_empty(), "errors"),
            (self.must_stop && self.stopped.is_none(), "not stopped"),
            (self.acts == 0, "no attack"),
            (self.spin_ms.is_some_and(|ms| ms > SPIN_MS), "CPU of a spin"),
        ];
        missed.extend(others.into_iter().filter(|(is_missed, _)| *is_missed).map(|(_, name)| name.to_owned()));
        missed
    }

    /// How often the bound of a kind's 99th percentile fits into it.
    fn excess(&self, kind: Kind) -> f64 {
        let (without, with) = (self.without[kind as usize].p99, self.with[kind as usize].p99);
        with / (without * TIMES).max(without + MORE_MS)
    }

    /// The kind that suffers most, and how many times its 99th percentile is what it was.
    fn worst(&self) -> (Kind, f64) {
        let worst = Kind::ALL.into_iter().max_by(|one, other| self.excess(*one).total_cmp(&self.excess(*other)));
        let kind = worst.unwrap_or(Kind::Echo);
        (kind, self.with[kind as usize].p99 / self.without[kind as usize].p99.max(0.001))
    }

    /// Whether it reaches the aim.
    pub fn is_good(&self) -> bool {
        self.misses().is_empty()
    }

    /// Whether other processes had a part in it: they move both figures, and a verdict on them says little.
    pub fn is_disturbed(&self) -> bool {
        self.others_share > QUIET_SHARE
    }

    /// Whether it is nearer to the aim than another attempt.
    pub fn is_better_than(&self, other: &Self) -> bool {
        let rank = |row: &Self| (row.misses().len(), row.is_disturbed(), row.excess(row.worst().0));
        rank(self).partial_cmp(&rank(other)).is_some_and(std::cmp::Ordering::is_lt)
    }

    /// A line of the table.
    pub fn line(&self) -> String {
        let name = match self.build {
            Build::Current => self.name.clone(),
            Build::Before => format!("{} (before)", self.name),
        };
        let p99 = |latencies: &ByKind| latencies.map(|latency| format!("{:.1}", latency.p99)).join(" / ");
        let (kind, times) = self.worst();
        let charged = self.costs.charged.map_or_else(|| "-".to_owned(), |charged| format!("{charged:.2}"));
        let cells = [
            name,
            self.what.clone(),
            self.stopped_shown(),
            p99(&self.without),
            p99(&self.with),
            format!("{} x{times:.1}", kind.name()),
            format!("{:.0} / {:.0}", self.alarm_ms.0, self.alarm_ms.1),
            format!("{:.2} / {charged}", self.costs.burnt),
            format!("{:.0}", self.costs.rss_mib),
            format!("{}, {:.0}", self.costs.log_lines, self.costs.log_kib_per_second),
            self.errors_shown(),
            self.verdict_shown(),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// A line of JSON: all figures, latencies in milliseconds.
    pub fn json(&self) -> Value {
        let latencies = |of: &ByKind| -> Value {
            Kind::ALL.iter().map(|kind| (kind.name().to_owned(), json!(of[*kind as usize]))).collect()
        };
        let (kind, times) = self.worst();
        json!({
            "attack": self.name,
            "build": if self.build == Build::Before { "before" } else { "current" },
            "without": latencies(&self.without),
            "with": latencies(&self.with),
            "worst": { "kind": kind.name(), "times": times },
            "alarm_late_ms": { "without": self.alarm_ms.0, "with": self.alarm_ms.1 },
            "costs": self.costs,
            "stopped": self.stopped.as_ref().map(|(words, _)| words),
            "stopped_after_ms": self.stopped.as_ref().map(|(_, after)| after),
            "acts": self.acts,
            "note": self.note,
            "errors": self.errors,
            "missed": self.misses(),
            "attempts": self.attempts,
            "others_share": self.others_share,
        })
    }

    fn stopped_shown(&self) -> String {
        let words = match &self.stopped {
            Some((words, after)) => format!("{words}, after {after:.0} ms"),
            None if self.must_stop => "nothing".to_owned(),
            None => "(need not be)".to_owned(),
        };
        let spin = self.spin_ms.map(|ms| format!(" ({ms:.1} ms of CPU)")).unwrap_or_default();
        let note = self.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{words}{spin}{note}")
    }

    fn verdict_shown(&self) -> String {
        let misses = self.misses();
        let verdict = if misses.is_empty() { "ok".to_owned() } else { format!("MISSED: {}", misses.join(", ")) };
        let again = if self.attempts > 1 { format!(", best of {} attempts", self.attempts) } else { String::new() };
        let disturbed = match self.is_disturbed() {
            true => format!(", disturbed: others used {:.2} of a core", self.others_share),
            false => String::new(),
        };
        format!("{verdict}{again}{disturbed}")
    }

    fn errors_shown(&self) -> String {
        if self.errors.is_empty() {
            return "none".to_owned();
        }
        let clip = |why: &String| why.replace(['|', '\n'], " ").chars().take(ERROR_MAX).collect::<String>();
        let shown: Vec<String> = self.errors.iter().take(ERRORS_SHOWN).map(clip).collect();
        format!("{}: {}", self.errors.len(), shown.join("; "))
    }
}

/// The table's head.
pub const HEAD: &str = "\
| attack | what it does | stopped by | good p99 ms without: echo / write / read / open | with | worst | alarm late ms without / with \
| cores burnt / charged | RSS MiB | log lines, KiB/s | errors | verdict |
|---|---|---|---|---|---|---|---|---|---|---|---|";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::attack;

    fn row(without: f64, with: f64, stopped: bool) -> Row {
        let latency = |p99| Latency { p50: 0.5, p99, max: 20.0 };
        let round = Round {
            without: [latency(without); 4],
            // Only what is read suffers.
            with: [latency(without), latency(without), latency(with), latency(without)],
            stopped: stopped.then(|| ("1008 frames-per-second".to_owned(), Duration::from_millis(12))),
            acts: 1,
            ..Round::default()
        };
        let trap = attack::all().into_iter().find(|attack| attack.name() == "trap-handler").unwrap();
        Row::of(Build::Current, &trap, &[round])
    }

    #[test]
    fn the_aim_is_one_and_a_half_times_or_three_milliseconds_more() {
        assert!(row(1.0, 3.9, true).is_good());
        assert_eq!(row(1.0, 4.1, true).misses(), ["p99 of read"]);
        assert!(row(10.0, 14.9, true).is_good());
        assert_eq!(row(10.0, 15.1, false).misses(), ["p99 of read", "not stopped"]);
        assert!(row(1.0, 1.0, true).is_better_than(&row(1.0, 1.0, false)));
        let (kind, times) = row(2.0, 10.0, true).worst();
        assert_eq!((kind, times), (Kind::Read, 5.0));
    }

    #[test]
    fn an_alarm_that_is_late_misses_the_aim() {
        assert!(Row { alarm_ms: (3.0, 99.0), ..row(1.0, 1.0, true) }.is_good());
        assert_eq!(Row { alarm_ms: (3.0, 101.0), ..row(1.0, 1.0, true) }.misses(), ["alarm"]);
    }

    #[test]
    fn a_line_has_as_many_cells_as_the_head() {
        let cells = |line: &str| line.matches('|').count();
        assert_eq!(cells(&row(1.0, 2.0, true).line()), cells(HEAD.lines().next().unwrap()));
    }
}
