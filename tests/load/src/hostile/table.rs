//! What the rounds of an attack come to: a verdict, and a line of the table.

use std::time::Duration;

use super::attack::Attack;
use super::good::Latency;
use super::measure::Round;
use crate::load::QUIET_SHARE;
use crate::load::report::median;

/// The good tenant's 99th percentile may grow to so many times what it is without the attack, or by so much.
const TIMES: f64 = 2.0;
const MORE_MS: f64 = 3.0;
/// A spinning handler is to be stopped within `turn-cpu-ms` and two epoch ticks of 2 ms; one more is for what the server
/// does besides, which is counted as well: the log's line, the next instance, the clock.
const SPIN_MS: f64 = 50.0 + 2.0 * 2.0 + 1.0;
/// Errors that a line shows.
const ERRORS_SHOWN: usize = 2;
/// Letters of an error that a line shows.
const ERROR_MAX: usize = 110;

/// Medians over the rounds of an attack.
pub struct Row {
    name: String,
    what: String,
    stopped: Option<(String, f64)>,
    must_stop: bool,
    without: Latency,
    with: Latency,
    newcomer_ms: (f64, f64),
    spin_ms: Option<f64>,
    errors: Vec<String>,
    note: Option<String>,
    acts: u64,
    others_share: f64,
    attempts: usize,
}

impl Row {
    /// Of the rounds of one attempt.
    pub fn of(attack: &Attack, rounds: &[Round]) -> Self {
        let latency = |pick: fn(&Round) -> Latency| {
            let of = |figure: fn(&Latency) -> f64| median(rounds.iter().map(|round| figure(&pick(round))).collect());
            Latency { p50: of(|it| it.p50), p99: of(|it| it.p99), max: of(|it| it.max) }
        };
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        // Where one round was not stopped, the attack was not.
        let every = rounds.iter().all(|round| round.stopped.is_some());
        let words = rounds.iter().filter_map(|round| round.stopped.as_ref()).next();
        let after = rounds.iter().filter_map(|round| Some(millis(round.stopped.as_ref()?.1))).collect();
        let stopped = words.filter(|_| every).map(|(words, _)| (words.clone(), median(after)));
        let newcomer = |pick: fn(&Round) -> f64| median(rounds.iter().map(pick).collect());
        let mut errors: Vec<String> = rounds.iter().flat_map(|round| round.errors.clone()).collect();
        errors.dedup();
        Self {
            name: attack.name(),
            what: attack.what(),
            stopped,
            must_stop: attack.must_stop(),
            without: latency(|round| round.without),
            with: latency(|round| round.with),
            newcomer_ms: (
                newcomer(|round| round.newcomer_without.slowest_ms),
                newcomer(|round| round.newcomer_with.slowest_ms),
            ),
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
    fn misses(&self) -> Vec<&'static str> {
        let bound = (self.without.p99 * TIMES).max(self.without.p99 + MORE_MS);
        let missed = [
            (self.with.p99 > bound, "p99"),
            (!self.errors.is_empty(), "errors"),
            (self.must_stop && self.stopped.is_none(), "not stopped"),
            (self.acts == 0, "no attack"),
            (self.spin_ms.is_some_and(|ms| ms > SPIN_MS), "CPU of a spin"),
        ];
        missed.into_iter().filter_map(|(is_missed, name)| is_missed.then_some(name)).collect()
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
        let rank = |row: &Self| (row.misses().len(), row.is_disturbed(), row.with.p99);
        rank(self).partial_cmp(&rank(other)).is_some_and(std::cmp::Ordering::is_lt)
    }

    /// A line of the table.
    pub fn line(&self) -> String {
        let (words, after) = match &self.stopped {
            Some((words, after)) => (words.clone(), format!("{after:.0}")),
            None if self.must_stop => ("nothing".to_owned(), "-".to_owned()),
            None => ("(need not be)".to_owned(), "-".to_owned()),
        };
        let spin = self.spin_ms.map(|ms| format!(" ({ms:.1} ms of CPU)")).unwrap_or_default();
        let note = self.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        let again = if self.attempts > 1 { format!(", best of {} attempts", self.attempts) } else { String::new() };
        let disturbed = match self.is_disturbed() {
            true => format!(", disturbed: others used {:.2} of a core", self.others_share),
            false => String::new(),
        };
        let misses = self.misses();
        let verdict = if misses.is_empty() { "ok".to_owned() } else { format!("MISSED: {}", misses.join(", ")) };
        format!(
            "| {} | {} | {words}{spin}{note} | {after} | {:.1} / {:.1} / {:.0} | {:.1} / {:.1} / {:.0} | {:.0} / {:.0} | {} | {verdict}{again}{disturbed} |",
            self.name,
            self.what,
            self.without.p50,
            self.without.p99,
            self.without.max,
            self.with.p50,
            self.with.p99,
            self.with.max,
            self.newcomer_ms.0,
            self.newcomer_ms.1,
            self.errors_shown(),
        )
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
| attack | what it does | stopped by | after ms | good p50 / p99 / max ms without | with | newcomer's slowest ms without / with | errors | verdict |
|---|---|---|---|---|---|---|---|---|";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::attack;

    fn row(without: f64, with: f64, stopped: bool) -> Row {
        let latency = |p99| Latency { p50: 0.5, p99, max: 20.0 };
        let round = Round {
            without: latency(without),
            with: latency(with),
            stopped: stopped.then(|| ("1008 frames-per-second".to_owned(), Duration::from_millis(12))),
            acts: 1,
            ..Round::default()
        };
        let spin = attack::all().into_iter().find(|attack| attack.name() == "trap-handler").unwrap();
        Row::of(&spin, &[round])
    }

    #[test]
    fn the_aim_is_twice_or_three_milliseconds_more() {
        assert!(row(1.0, 3.9, true).is_good());
        assert_eq!(row(1.0, 4.1, true).misses(), ["p99"]);
        assert!(row(10.0, 19.0, true).is_good());
        assert_eq!(row(10.0, 21.0, false).misses(), ["p99", "not stopped"]);
        assert!(row(1.0, 1.0, true).is_better_than(&row(1.0, 1.0, false)));
    }

    #[test]
    fn a_line_has_as_many_cells_as_the_head() {
        let cells = |line: &str| line.matches('|').count();
        assert_eq!(cells(&row(1.0, 2.0, true).line()), cells(HEAD.lines().next().unwrap()));
    }
}
