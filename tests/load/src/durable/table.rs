//! Medians over the rounds, as a table for people and as JSON for programs.

use serde_json::json;

use super::{Case, Figures, Who};

const HEADING: &str = concat!(
    "case                           1/s  of store   p50 us   p99 us   CPU us  server  load others",
    "   asked p50 us   p99 us   max us\n"
);

/// All measurements of a run.
pub struct Table<'a> {
    cases: &'a [Case],
    rounds: Vec<Vec<Figures>>,
}

impl<'a> Table<'a> {
    pub fn new(cases: &'a [Case]) -> Self {
        Self { cases, rounds: vec![Vec::new(); cases.len()] }
    }

    pub fn add(&mut self, case: usize, figures: Figures) {
        self.rounds[case].push(figures);
    }

    /// A line for each case.
    pub fn text(&self, slow_ms: u32) -> String {
        let mut text = format!("medians; `slow`: every sync takes {slow_ms} ms more\n{HEADING}");
        for (index, case) in self.cases.iter().enumerate() {
            text += &line(case, &medians(&self.rounds[index]), self.of_store(index));
            text.push('\n');
        }
        text
    }

    /// The rate as a part of the store's in the same round; the median of the rounds.
    fn of_store(&self, index: usize) -> Option<f64> {
        let case = self.cases[index];
        let store = self.cases.iter().position(|other| *other == Case { who: Who::Store, ..case })?;
        let pairs = self.rounds[index].iter().zip(&self.rounds[store]);
        Some(median(pairs.map(|(figures, store)| figures.rate / store.rate).collect()))
    }

    /// Everything, of every round.
    pub fn json(&self) -> String {
        let cases = self.cases.iter().zip(&self.rounds);
        let lines: Vec<_> = cases.map(|(case, rounds)| json!({ "case": case, "rounds": rounds })).collect();
        json!({ "cases": lines }).to_string()
    }
}

/// What `--case` calls it.
pub fn name(case: &Case) -> String {
    let who = match case.who {
        Who::Store => "store",
        Who::Strict => "strict",
        Who::Relaxed => "relaxed",
    };
    let asked = if case.askers > 0 { "-asked" } else { "" };
    let slow = if case.is_slow { "-slow" } else { "" };
    format!("{who}-{}x{}{asked}{slow}", case.rooms, case.depth)
}

pub fn line(case: &Case, figures: &Figures, of_store: Option<f64>) -> String {
    let Figures { rate, p50_us, p99_us, cpu_us, server_share, load_share, others_share, .. } = figures;
    let part = of_store.map_or_else(|| "-".to_owned(), |part| format!("{:.0} %", part * 100.0));
    let mut line = format!(
        "{:<24} {rate:>9.0} {part:>9} {p50_us:>8.0} {p99_us:>8.0} {cpu_us:>8.1} {server_share:>7.2} {load_share:>5.2} {others_share:>6.2}",
        name(case)
    );
    if case.askers > 0 {
        let Figures { asked_p50_us, asked_p99_us, asked_max_us, .. } = figures;
        line += &format!("   {asked_p50_us:>12.0} {asked_p99_us:>8.0} {asked_max_us:>8.0}");
    }
    line
}

fn medians(rounds: &[Figures]) -> Figures {
    let of = |pick: fn(&Figures) -> f64| median(rounds.iter().map(pick).collect());
    Figures {
        rate: of(|figures| figures.rate),
        p50_us: of(|figures| figures.p50_us),
        p99_us: of(|figures| figures.p99_us),
        cpu_us: of(|figures| figures.cpu_us),
        asked_p50_us: of(|figures| figures.asked_p50_us),
        asked_p99_us: of(|figures| figures.asked_p99_us),
        asked_max_us: of(|figures| figures.asked_max_us),
        server_share: of(|figures| figures.server_share),
        load_share: of(|figures| figures.load_share),
        others_share: of(|figures| figures.others_share),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
