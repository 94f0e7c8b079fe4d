//! What a plugin may write into the operator's log, and the last lines that it wrote, for its author.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;

use crate::clock::{Instant, now_ns, unix_ms};
use crate::live::{About, Live, Topic};
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, RoomId};
use crate::model::rate::Rate;

/// Bytes of a plugin's last lines that are kept for its author.
const RECENT_BYTES: usize = 64 << 10;
/// What a line has beside the words of whoever wrote it: time, level, the names of fields; and in memory.
const LINE_ENVELOPE_BYTES: usize = 96;
/// The least time between two lines that say how much of a plugin's lines was left out.
const TELL_PAUSE: Duration = Duration::from_secs(10);

/// Who wrote a line of the operator's log. Each has a share, so that neither crowds out the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFrom {
    /// The plugin's code.
    Guest,
    /// The host, about what the plugin does: turns that fail, rooms that close.
    Host,
}

/// How many bytes a second may be logged, by whoever wrote them.
#[derive(Debug)]
pub struct LogRates {
    guest: Mutex<Rate>,
    host: Mutex<Rate>,
}

impl LogRates {
    pub fn new(bytes_per_second: u32, burst: u32) -> Self {
        let rate = || Mutex::new(Rate::new(bytes_per_second, burst));
        Self { guest: rate(), host: rate() }
    }

    fn allows(&self, from: LineFrom, bytes: u32) -> bool {
        let rate = match from {
            LineFrom::Guest => &self.guest,
            LineFrom::Host => &self.host,
        };
        rate.lock().allows(bytes, Duration::from_nanos(now_ns()))
    }
}

/// A line that a plugin's code wrote.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// Milliseconds since the Unix epoch.
    pub at: f64,
    pub version: String,
    /// `None` for a line from outside of rooms.
    pub room: Option<RoomId>,
    pub level: &'static str,
    pub text: String,
}

impl LogLine {
    /// A line that is written now.
    pub fn now(version: &str, room: Option<&RoomId>, level: &'static str, text: String) -> Self {
        Self { at: unix_ms(), version: version.to_owned(), room: room.cloned(), level, text }
    }

    fn bytes(&self) -> usize {
        let room = self.room.as_ref().map_or(0, |room| room.as_str().len());
        self.text.len() + self.version.len() + room + LINE_ENVELOPE_BYTES
    }
}

/// The log of one plugin, which all its versions and rooms share.
#[derive(Debug)]
pub struct PluginLog {
    plugin: PluginKey,
    live: Arc<Live>,
    rates: LogRates,
    of_tenant: Arc<LogRates>,
    recent: Mutex<RecentLines>,
    lines_left_out: AtomicU64,
    bytes_left_out: AtomicU64,
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct RecentLines {
    lines: VecDeque<LogLine>,
    bytes: usize,
}

/// What the operator's log has said already.
#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    lines: u64,
    bytes: u64,
}

impl PluginLog {
    pub fn new(plugin: PluginKey, limits: &Limits, of_tenant: Arc<LogRates>, live: Arc<Live>) -> Self {
        Self {
            plugin,
            live,
            rates: LogRates::new(limits.log_bytes_per_second, limits.log_bytes_burst),
            of_tenant,
            recent: Mutex::default(),
            lines_left_out: AtomicU64::new(0),
            bytes_left_out: AtomicU64::new(0),
            told: Mutex::default(),
        }
    }

    /// Who watches what the plugin does.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Keeps a line for the plugin's author, instead of the oldest ones, and shows it to those who watch.
    pub fn keep(&self, line: LogLine) {
        self.show(&line);
        let mut recent = self.recent.lock();
        recent.bytes += line.bytes();
        recent.lines.push_back(line);
        while recent.bytes > RECENT_BYTES {
            let Some(oldest) = recent.lines.pop_front() else { return };
            recent.bytes -= oldest.bytes();
        }
    }

    fn show(&self, line: &LogLine) {
        let LogLine { at, version, room, level, text } = line;
        let PluginKey { tenant, plugin } = &self.plugin;
        let (tenant, plugin, room) = (tenant.as_str(), plugin.as_str(), room.as_ref().map(RoomId::as_str));
        let about = About { tenant: Some(tenant), plugin: Some(plugin), room };
        self.live.tell(Topic::Log, about, || {
            json!({
                "time": at, "tenant": tenant, "plugin": plugin, "room": room, "version": version, "level": level,
                "line": text, "from": "plugin",
            })
        });
    }

    /// The last lines of the plugin's code, the newest last.
    pub fn recent(&self) -> Vec<LogLine> {
        self.recent.lock().lines.iter().cloned().collect()
    }

    /// Charges a line of so many bytes; false where the operator's log has to do without it.
    pub fn admits(&self, from: LineFrom, bytes: usize) -> bool {
        let bytes = u32::try_from(bytes.saturating_add(LINE_ENVELOPE_BYTES)).unwrap_or(u32::MAX);
        if self.rates.allows(from, bytes) && self.of_tenant.allows(from, bytes) {
            return true;
        }
        self.lines_left_out.fetch_add(1, Ordering::Relaxed);
        self.bytes_left_out.fetch_add(u64::from(bytes), Ordering::Relaxed);
        false
    }

    /// How many lines the operator's log had to do without, and their bytes.
    pub fn left_out(&self) -> (u64, u64) {
        (self.lines_left_out.load(Ordering::Relaxed), self.bytes_left_out.load(Ordering::Relaxed))
    }

    /// Says in the operator's log how much was left out since it last said so, once in a while.
    pub fn tell_left_out(&self, key: &PluginKey) {
        let now = Instant::now();
        let (lines, bytes) = self.left_out();
        let mut told = self.told.lock();
        if lines == told.lines || told.at.is_some_and(|at| now.duration_since(at) < TELL_PAUSE) {
            return;
        }
        let (left_out, left_out_bytes) = (lines - told.lines, bytes.saturating_sub(told.bytes));
        *told = Told { at: Some(now), lines, bytes };
        drop(told);
        tracing::warn!(
            left_out,
            left_out_bytes,
            "{left_out} lines about {key} were left out of this log: log-bytes-per-second, \
             log-tenant-bytes-per-second; the API has the last lines of its code: GET plugins/{key}/log"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::names::{PluginName, TenantName};

    fn limits(log_bytes_per_second: u32, log_bytes_burst: u32) -> Limits {
        Limits { log_bytes_per_second, log_bytes_burst, ..Limits::default() }
    }

    fn key() -> PluginKey {
        PluginKey { tenant: TenantName::default_tenant(), plugin: PluginName::new("p").unwrap() }
    }

    fn log(limits: &Limits, tenant_burst: u32) -> PluginLog {
        PluginLog::new(key(), limits, Arc::new(LogRates::new(1, tenant_burst)), Arc::default())
    }

    #[test]
    fn past_the_rate_lines_are_left_out_and_counted() {
        let log = log(&limits(1, 1_000), 10_000);
        let admitted = (0..10).filter(|_| log.admits(LineFrom::Guest, 404)).count();
        assert_eq!((admitted, log.left_out()), (2, (8, 4_000)));
        // What the host has to say of the plugin still comes through.
        assert!(log.admits(LineFrom::Host, 404));
    }

    #[test]
    fn the_plugins_of_a_tenant_share_its_rate() {
        let rates = Arc::new(LogRates::new(1, 1_000));
        let [one, other] =
            [(); 2].map(|()| PluginLog::new(key(), &limits(1, 100_000), Arc::clone(&rates), Arc::default()));
        assert!(one.admits(LineFrom::Guest, 404) && one.admits(LineFrom::Guest, 404));
        assert!(!other.admits(LineFrom::Guest, 404));
        assert_eq!((one.left_out().0, other.left_out().0), (0, 1));
    }

    #[test]
    fn the_last_lines_are_kept_within_a_bound() {
        let log = log(&limits(1, 1), 1);
        for number in 0..1_000 {
            log.keep(LogLine::now("v", None, "info", format!("{number} {}", "x".repeat(1_000))));
        }
        let recent = log.recent();
        assert!((50..70).contains(&recent.len()), "{}", recent.len());
        assert!(recent.last().is_some_and(|line| line.text.starts_with("999 ")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_left_out_is_told_once_in_a_while() {
        let key = key();
        let log = log(&limits(1, 1), 1);
        let told = |log: &PluginLog| log.told.lock().lines;
        log.tell_left_out(&key);
        assert_eq!((told(&log), log.told.lock().at), (0, None));
        for so_far in [1, 1, 1] {
            log.admits(LineFrom::Guest, 1);
            log.tell_left_out(&key);
            assert_eq!(told(&log), so_far);
        }
        tokio::time::advance(TELL_PAUSE).await;
        log.tell_left_out(&key);
        assert_eq!(told(&log), 3);
    }
}
