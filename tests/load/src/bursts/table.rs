//! The median, the least and the most of the runs, a line for each guest, number of rooms and build.

use std::fmt;

use super::Run;
use crate::load::report::median;

/// All runs.
#[derive(Default)]
pub struct Table(Vec<Row>);

struct Row {
    guest: String,
    rooms: usize,
    build: &'static str,
    runs: Vec<Run>,
}

impl Table {
    /// Adds a run.
    pub fn add(&mut self, guest: &str, rooms: usize, build: &'static str, run: Run) {
        let same = |row: &&mut Row| row.guest == guest && row.rooms == rooms && row.build == build;
        match self.0.iter_mut().find(same) {
            Some(row) => row.runs.push(run),
            None => self.0.push(Row { guest: guest.to_owned(), rooms, build, runs: vec![run] }),
        }
    }
}

impl Row {
    fn of(&self, pick: impl Fn(&Run) -> f64) -> Vec<f64> {
        self.runs.iter().map(pick).collect()
    }

    /// The median and the most of a count; a build that does not count it has none.
    fn counted(&self, pick: fn(&Run) -> Option<f64>) -> String {
        let counts: Vec<f64> = self.runs.iter().filter_map(pick).collect();
        if counts.is_empty() { "-".to_owned() } else { format!("{:.0}..{:.0}", median(counts.clone()), most(&counts)) }
    }
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "guest      rooms build  runs  CPU us    least     most  1,000/s   p50 us   p99 us  heavy rooms  heavy else others"
        )?;
        for row in &self.0 {
            let cpu = row.of(|run| run.speed.cpu_us);
            let middle = |pick: fn(&Run) -> f64| median(row.of(pick));
            writeln!(
                f,
                "{:<10} {:>5} {:<6} {:>4} {:>7.2} {:>8.2} {:>8.2} {:>8.1} {:>8.0} {:>8.0} {:>12} {:>11} {:>6.2}",
                row.guest,
                row.rooms,
                row.build,
                row.runs.len(),
                median(cpu.clone()),
                least(&cpu),
                most(&cpu),
                middle(|run| run.speed.rate / 1e3),
                middle(|run| run.speed.p50_us),
                middle(|run| run.speed.p99_us),
                row.counted(|run| run.heavy_rooms),
                row.counted(|run| run.heavy_else),
                middle(|run| run.speed.others_share),
            )?;
        }
        Ok(())
    }
}

/// A run in one line, for whoever waits.
pub fn line(guest: &str, rooms: usize, build: &str, Run { speed, heavy_rooms, heavy_else }: &Run) -> String {
    let count = |count: &Option<f64>| count.map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"));
    format!(
        "{guest:<6} {rooms:>5} rooms, {build:<6} {:>7.2} us CPU, {:>6.1} thousand/s, p99 {:>7.0} us, heavy: {} rooms, {} else, others {:.2}",
        speed.cpu_us,
        speed.rate / 1e3,
        speed.p99_us,
        count(heavy_rooms),
        count(heavy_else),
        speed.others_share,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::scenario::Speed;

    fn run(cpu_us: f64, heavy_rooms: Option<f64>) -> Run {
        let speed = Speed {
            rate: 1e3,
            cpu_us,
            p50_us: 1.0,
            p99_us: 2.0,
            max_us: 3.0,
            rss_kib: 0.0,
            server_share: 1.0,
            load_share: 0.5,
            others_share: 0.0,
        };
        Run { speed, heavy_rooms, heavy_else: heavy_rooms.map(|_| 0.0) }
    }

    #[test]
    fn runs_of_one_kind_are_one_line_and_an_old_build_counts_nothing() {
        let mut table = Table::default();
        for (cpu_us, heavy) in [(10.0, 0.0), (30.0, 7.0), (11.0, 0.0)] {
            table.add("rust", 300, "now", run(cpu_us, Some(heavy)));
            table.add("rust", 300, "before", run(2.0 * cpu_us, None));
        }
        let text = table.to_string();
        let words = |line: usize| text.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(1)[..7], ["rust", "300", "now", "3", "11.00", "10.00", "30.00"]);
        assert_eq!(words(1)[10..12], ["0..7", "0..0"]);
        assert_eq!(words(2)[10..12], ["-", "-"]);
    }
}
