//! Medians over the rounds, as a table for people and as JSON for programs.

use serde_json::{Value, json};

use super::scenario::{Figures, Scenario, Speed};

const SPEED_HEADING: &str = concat!(
    "scenario   server       unit      1,000/s  CPU us         range  ratio    diff",
    "   p50 us   p99 us   max us  RSS MiB server  load others\n"
);
const MEMORY_HEADING: &str = "\
scenario   server       unit              PSS KiB         range  ratio    diff  RSS KiB
";

/// All measurements of a run.
pub struct Report {
    servers: Vec<String>,
    reference: usize,
    rows: Vec<Row>,
}

struct Row {
    scenario: Scenario,
    server: usize,
    rounds: Vec<Figures>,
}

impl Report {
    /// For these servers; `reference` says which of them the others are compared with.
    pub fn new(servers: Vec<String>, reference: usize) -> Self {
        Self { servers, reference, rows: Vec::new() }
    }

    /// Adds a measurement.
    pub fn add(&mut self, scenario: Scenario, server: usize, figures: Figures) {
        match self.rows.iter_mut().find(|row| row.scenario == scenario && row.server == server) {
            Some(row) => row.rounds.push(figures),
            None => self.rows.push(Row { scenario, server, rounds: vec![figures] }),
        }
    }

    /// A line for each scenario and server: first what loaded servers do, then what things cost in memory.
    pub fn table(&self) -> String {
        let (memory, speed): (Vec<&Row>, Vec<&Row>) = self.rows.iter().partition(|row| row.is_memory());
        let mut table = String::new();
        if !speed.is_empty() {
            table += SPEED_HEADING;
            speed.into_iter().for_each(|row| table += &self.speed_line(row));
        }
        if !memory.is_empty() {
            table += MEMORY_HEADING;
            memory.into_iter().for_each(|row| table += &self.memory_line(row));
        }
        table
    }

    fn speed_line(&self, row: &Row) -> String {
        let (ratio, difference) = self.compared(row);
        let of = |pick: fn(&Speed) -> f64| row.median(pick);
        format!(
            "{:<10} {:<12} {:<8} {:>8.1} {:>7.2} {:>13} {ratio:>6.2} {difference:>+7.2} \
             {:>8.0} {:>8.0} {:>8.0} {:>8.1} {:>6.2} {:>5.2} {:>6.2}\n",
            row.scenario.name(),
            self.servers[row.server],
            row.scenario.unit(),
            of(|speed| speed.rate) / 1e3,
            row.cost(),
            row.range(),
            of(|speed| speed.p50_us),
            of(|speed| speed.p99_us),
            of(|speed| speed.max_us),
            of(|speed| speed.rss_kib) / 1024.0,
            of(|speed| speed.server_share),
            of(|speed| speed.load_share),
            of(|speed| speed.others_share),
        )
    }

    fn memory_line(&self, row: &Row) -> String {
        let (ratio, difference) = self.compared(row);
        format!(
            "{:<10} {:<12} {:<8} {:>8} {:>7.2} {:>13} {ratio:>6.2} {difference:>+7.2} {:>8.2}\n",
            row.scenario.name(),
            self.servers[row.server],
            row.scenario.unit(),
            "",
            row.cost(),
            row.range(),
            row.median_rss(),
        )
    }

    /// A row's cost as a multiple of the reference's, and the difference to it: medians of what the rounds say, each
    /// for itself, since the machine changes more from round to round than within one.
    fn compared(&self, row: &Row) -> (f64, f64) {
        let reference = |other: &&Row| other.scenario == row.scenario && other.server == self.reference;
        let base = self.rows.iter().find(reference).map(Row::costs).unwrap_or_default();
        let pairs: Vec<(f64, f64)> = row.costs().into_iter().zip(base).collect();
        let ratios = pairs.iter().map(|(cost, base)| cost / base).collect();
        (median(ratios), median(pairs.iter().map(|(cost, base)| cost - base).collect()))
    }

    /// Everything, every round included.
    pub fn json(&self) -> String {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let (ratio, difference) = self.compared(row);
                json!({
                    "scenario": row.scenario.name(), "server": self.servers[row.server], "unit": row.scenario.unit(),
                    "cost": row.cost(), "cost_unit": if row.is_memory() { "KiB of memory (PSS)" } else { "us of CPU" },
                    "ratio": ratio, "difference": difference,
                    "rounds": row.rounds.iter().map(to_json).collect::<Vec<_>>(),
                })
            })
            .collect();
        format!("{:#}\n", json!({ "servers": self.servers, "reference": self.servers[self.reference], "rows": rows }))
    }
}

impl Row {
    fn is_memory(&self) -> bool {
        self.rounds.iter().any(|figures| matches!(figures, Figures::Memory(_)))
    }

    /// CPU for a unit in microseconds, or memory for one in KiB.
    fn costs(&self) -> Vec<f64> {
        let cost = |figures: &Figures| match figures {
            Figures::Speed(speed) => speed.cpu_us,
            Figures::Memory(memory) => memory.pss_kib,
        };
        self.rounds.iter().map(cost).collect()
    }

    fn cost(&self) -> f64 {
        median(self.costs())
    }

    fn range(&self) -> String {
        let least = self.costs().into_iter().fold(f64::INFINITY, f64::min);
        let most = self.costs().into_iter().fold(f64::NEG_INFINITY, f64::max);
        format!("{least:.2}-{most:.2}")
    }

    fn median_rss(&self) -> f64 {
        let memories = self.rounds.iter().filter_map(|figures| match figures {
            Figures::Memory(memory) => Some(memory.rss_kib),
            Figures::Speed(_) => None,
        });
        median(memories.collect())
    }

    fn median(&self, pick: fn(&Speed) -> f64) -> f64 {
        let speeds = self.rounds.iter().filter_map(|figures| match figures {
            Figures::Speed(speed) => Some(pick(speed)),
            Figures::Memory(_) => None,
        });
        median(speeds.collect())
    }
}

/// The middle value; of two middle ones, the mean.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}

/// A measurement in one line, for whoever waits.
pub fn line(figures: &Figures) -> String {
    match figures {
        Figures::Memory(memory) => format!("{:.2} KiB, RSS {:.2} KiB", memory.pss_kib, memory.rss_kib),
        Figures::Speed(speed) => format!(
            "{:>8.1} thousand/s, {:>6.2} us CPU, p50 {:>7.0} us, p99 {:>7.0} us, load {:.2}, others {:.2}",
            speed.rate / 1e3,
            speed.cpu_us,
            speed.p50_us,
            speed.p99_us,
            speed.load_share,
            speed.others_share
        ),
    }
}

fn to_json(figures: &Figures) -> Value {
    match figures {
        Figures::Memory(memory) => json!({ "pss_kib": memory.pss_kib, "rss_kib": memory.rss_kib }),
        Figures::Speed(speed) => json!({
            "rate": speed.rate, "cpu_us": speed.cpu_us, "p50_us": speed.p50_us, "p99_us": speed.p99_us,
            "max_us": speed.max_us, "rss_kib": speed.rss_kib, "server_share": speed.server_share,
            "load_share": speed.load_share, "others_share": speed.others_share,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::server::Memory;
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_server_is_compared_with_the_reference_in_the_same_scenario() {
        let mut report = Report::new(vec!["one".to_owned(), "two".to_owned()], 0);
        for (server, kib) in [(0, 8.0), (1, 10.0), (0, 16.0), (1, 20.0), (0, 8.0), (1, 8.0)] {
            report.add(Scenario::Idle, server, Figures::Memory(Memory { pss_kib: kib, rss_kib: kib }));
        }
        report.add(Scenario::Roomcost, 0, Figures::Memory(Memory { pss_kib: 100.0, rss_kib: 100.0 }));
        assert_eq!(report.compared(&report.rows[1]), (1.25, 2.0));
        assert!(report.table().contains("1.25"));
        report.reference = 1;
        assert_eq!(report.compared(&report.rows[0]), (0.8, -2.0));
    }
}
