//! How often the threads of a process wake, and what they execute.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

/// Threads that are shown by themselves: those that wake at least so often a second.
const SHOWN: f64 = 0.3;

/// What the threads of one name have done so far.
#[derive(Default, Clone, Copy)]
struct Done {
    /// How often one of them slept by itself, and so woke.
    wakes: u64,
    cpu_ns: u64,
}

/// What all threads of a process have done so far, by their names without numbers.
#[derive(Default)]
pub struct Threads(BTreeMap<String, Done>);

impl Threads {
    pub fn read(process: u32) -> anyhow::Result<Self> {
        let mut threads = Self::default();
        for task in fs::read_dir(format!("/proc/{process}/task")).context("the server has gone")? {
            // A thread that ends between the listing and the reading has nothing more to tell.
            if let Some((name, done)) = read_one(&task?.path()) {
                let sum = threads.0.entry(name).or_default();
                sum.wakes += done.wakes;
                sum.cpu_ns += done.cpu_ns;
            }
        }
        Ok(threads)
    }

    /// What they did in this time.
    pub fn since(&self, before: &Self, time: Duration) -> Rest {
        let a_second = |count: u64, earlier: u64| count.saturating_sub(earlier) as f64 / time.as_secs_f64();
        let of = |(name, done): (&String, &Done)| {
            let earlier = before.0.get(name).copied().unwrap_or_default();
            let share = a_second(done.cpu_ns, earlier.cpu_ns) / 1e9;
            (name.clone(), a_second(done.wakes, earlier.wakes), share)
        };
        let mut threads: Vec<_> = self.0.iter().map(of).collect();
        threads.sort_by(|one, other| other.1.total_cmp(&one.1));
        Rest(threads)
    }
}

fn read_one(task: &Path) -> Option<(String, Done)> {
    let text = |name: &str| fs::read_to_string(task.join(name)).ok();
    let name = text("comm")?.trim().trim_end_matches(|end: char| end.is_ascii_digit() || end == '-').to_owned();
    let status = text("status")?;
    let wakes = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()?;
    let cpu_ns = text("schedstat")?.split_whitespace().next()?.parse().ok()?;
    Some((name, Done { wakes, cpu_ns }))
}

/// For the threads of each name, wake-ups a second and the share of a core.
pub struct Rest(Vec<(String, f64, f64)>);

impl fmt::Display for Rest {
    /// Columns of a table: the sums, and then those threads that wake most.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wakes, share) = self.0.iter().fold((0.0, 0.0), |sum, thread| (sum.0 + thread.1, sum.1 + thread.2));
        write!(f, "{wakes:.1} | {:.3} % | ", share * 100.0)?;
        let shown = self.0.iter().filter(|(_, wakes, _)| *wakes >= SHOWN);
        let words: Vec<_> =
            shown.map(|(name, wakes, share)| format!("{name} {wakes:.1}, {:.3} %", share * 100.0)).collect();
        f.write_str(&words.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_sleeps_ten_times_woke_so_often() {
        let before = Threads::read(std::process::id()).unwrap();
        let sleeper = std::thread::Builder::new().name("sleeper-7".to_owned());
        let (told, ended) = std::sync::mpsc::channel();
        let (end, until) = std::sync::mpsc::channel::<()>();
        let thread = sleeper
            .spawn(move || {
                (0..10).for_each(|_| std::thread::sleep(Duration::from_millis(1)));
                told.send(()).unwrap();
                // An error is the end as well.
                let _ = until.recv();
            })
            .unwrap();
        ended.recv().unwrap();
        let used = Threads::read(std::process::id()).unwrap().since(&before, Duration::from_secs(1));
        drop(end);
        thread.join().unwrap();
        let (_, wakes, share) = used.0.iter().find(|(name, ..)| name == "sleeper").unwrap();
        assert!(*wakes >= 10.0 && *wakes < 20.0 && *share > 0.0, "{wakes} {share}");
    }
}
