//! What the program writes for people while it serves: its log on standard error, and the lines of `parlor serve` and
//! `parlor dev` on standard output. Whoever says something only puts it into a bounded queue, and a thread writes it: a
//! reader that is gone, a full disk or a pipe that nobody reads holds up nobody and ends nothing. What could not be
//! written is counted, and the log says how much that was as soon as it can be written again.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt, registry};

use crate::clock::Instant;
use crate::seldom::Seldom;

/// The environment variable that says what is logged: a level, or levels by module.
const FILTER_VARIABLE: &str = "PARLOR_LOG";
/// The environment variable that says how the log is written: `text`, or `json` with one object a line.
const FORMAT_VARIABLE: &str = "PARLOR_LOG_FORMAT";

/// Bytes that wait to be written: what a busy server logs in a second or two. Past it lines are lost.
const QUEUE_BYTES: usize = 4 << 20;
/// How long the end of the program waits for the reader of its words, counted from the last word that was taken.
const FLUSH_WAIT: Duration = Duration::from_secs(1);
/// How long it waits at most, however slowly the reader takes them.
const FLUSH_WAIT_MAX: Duration = Duration::from_secs(5);

/// The pause after a panic of a thread that writes, so that one which panics at once does not use up a core.
const FAULT_PAUSE: Duration = Duration::from_millis(100);

/// The log, and whatever else goes to standard error.
pub static STDERR: LineQueue = LineQueue::new(Stream::Stderr);
/// What scripts and people wait for: that the server listens, and where.
pub static STDOUT: LineQueue = LineQueue::new(Stream::Stdout);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Stdout,
    Stderr,
}

/// Lines on their way to one of the standard streams.
#[derive(Debug)]
pub struct LineQueue {
    stream: Stream,
    state: Mutex<QueueState>,
    /// Something came, or was written.
    changed: Condvar,
    lost: AtomicU64,
}

#[derive(Debug)]
struct QueueState {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Whether the thread runs, which begins with the first line.
    started: bool,
    /// Whether the thread has a line in hand.
    writing: bool,
    /// How many lines the thread has dealt with: [`LineQueue::flush`] sees by it whether anything moves.
    handled: u64,
    /// Lines that were lost since the log last said so.
    untold: u64,
}

impl LineQueue {
    const fn new(stream: Stream) -> Self {
        let state =
            QueueState { waiting: VecDeque::new(), bytes: 0, started: false, writing: false, handled: 0, untold: 0 };
        Self { stream, state: Mutex::new(state), changed: Condvar::new(), lost: AtomicU64::new(0) }
    }

    /// Says a line, to which this adds the end.
    pub fn line(&'static self, text: &str) {
        self.push(format!("{text}\n").into_bytes());
    }

    /// Queues what is to be written as it is.
    pub fn push(&'static self, bytes: Vec<u8>) {
        let mut state = self.state.lock();
        if state.bytes + bytes.len() > QUEUE_BYTES || !self.is_started(&mut state) {
            self.lose(&mut state);
            return;
        }
        state.bytes += bytes.len();
        state.waiting.push_back(bytes);
        drop(state);
        self.changed.notify_all();
    }

    /// How many lines could not be written since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until all is written, until nothing was taken for a while, or until it takes too long.
    pub fn flush(&self) {
        let (mut state, end) = (self.state.lock(), Instant::now() + FLUSH_WAIT_MAX);
        let mut handled = state.handled;
        while (state.writing || !state.waiting.is_empty()) && Instant::now() < end {
            let waited = self.changed.wait_for(&mut state, FLUSH_WAIT);
            if waited.timed_out() && state.handled == handled {
                return;
            }
            handled = state.handled;
        }
    }

    fn is_started(&'static self, state: &mut QueueState) -> bool {
        if !state.started {
            let name = "parlor-words".to_owned();
            state.started = std::thread::Builder::new().name(name).spawn(|| self.run()).is_ok();
        }
        state.started
    }

    fn lose(&self, state: &mut QueueState) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        state.untold += 1;
    }

    /// Writes what comes, for as long as the process lives: a panic loses the line in hand, not the thread.
    fn run(&self) {
        // Whether the last line broke off: the next one then begins on a line of its own.
        let mut broken_off = false;
        loop {
            if catch_unwind(AssertUnwindSafe(|| self.write_next(&mut broken_off))).is_err() {
                self.handled(false);
                if let Some(tell) = ON_FAULT.get() {
                    tell();
                }
                std::thread::sleep(FAULT_PAUSE);
            }
        }
    }

    fn write_next(&self, broken_off: &mut bool) {
        let line = self.next();
        let written = if *broken_off { self.write(b"\n").and_then(|()| self.write(&line)) } else { self.write(&line) };
        let untold = self.handled(written.is_ok());
        *broken_off = written.is_err_and(|kept| kept > 0) || *broken_off && written.is_err();
        if untold > 0 && self.stream == Stream::Stderr {
            // It comes back into this queue in the format of the log.
            tracing::warn!(lost = untold, "{untold} lines of the log were lost: they could not be written");
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut state = self.state.lock();
        loop {
            if let Some(line) = state.waiting.pop_front() {
                state.bytes -= line.len();
                state.writing = true;
                return line;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Notes what became of a line. Answers how many lines were lost before it, where one was written again.
    fn handled(&self, written: bool) -> u64 {
        let mut state = self.state.lock();
        state.writing = false;
        state.handled += 1;
        if !written {
            self.lose(&mut state);
        }
        // Not while lines still wait: telling would cost more of them their place.
        let untold = if written && state.waiting.is_empty() { std::mem::take(&mut state.untold) } else { 0 };
        drop(state);
        self.changed.notify_all();
        untold
    }

    /// Writes all of it, or says how much was written before it failed. It goes past the buffers and locks of the standard
    /// library, which a panic's message may hold.
    fn write(&self, mut bytes: &[u8]) -> Result<(), usize> {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let stream: BorrowedFd<'_> = match self.stream {
            Stream::Stdout => stdout.as_fd(),
            Stream::Stderr => stderr.as_fd(),
        };
        let all = bytes.len();
        while !bytes.is_empty() {
            match rustix::io::write(stream, bytes) {
                Ok(count) if count > 0 => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                // Another program that shares the terminal made it so.
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::from_borrowed_fd(stream, PollFlags::OUT)], None);
                }
                Ok(_) | Err(_) => return Err(all - bytes.len()),
            }
        }
        Ok(())
    }
}

/// A variable of the environment that is set and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What the environment wants to see of the log.
fn filter(default: Targets) -> Result<Targets, String> {
    match variable(FILTER_VARIABLE) {
        Some(text) => text.parse::<Targets>().map_err(|why| {
            let levels = "a level (error, warn, info, debug, trace, off), or levels by module as in warn,parlor=debug";
            format!("{FILTER_VARIABLE} must be {levels}, not {text:?}: {why}")
        }),
        None => Ok(default),
    }
}

/// Has somebody told of the lines of these targets, whatever the environment wants to see. Where that says nothing, it sees
/// the lines of this program from a level on.
pub fn log_to_stderr_and(observed: Targets, shown: LevelFilter, observer: fn(&Event<'_>)) -> Result<(), String> {
    let log = fmt::layer().with_writer(LogWriter).log_internal_errors(false).with_ansi(io::stderr().is_terminal());
    let log = log.with_filter(filter(Targets::new().with_target("parlor", shown))?);
    registry().with(log).with(ObservedLines(observer).with_filter(observed)).init();
    Ok(())
}

/// Tells somebody of each line.
struct ObservedLines(fn(&Event<'_>));

impl<S: Subscriber> Layer<S> for ObservedLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        (self.0)(event);
    }
}

/// Writes what the program logs to standard error, as the environment says.
pub fn log_to_stderr() -> Result<(), String> {
    let filter = filter(Targets::new().with_default(LevelFilter::INFO))?;
    // The layer would write of a line that it cannot write, to the same place.
    let log = fmt::layer().with_writer(LogWriter).log_internal_errors(false);
    let log = log.with_ansi(io::stderr().is_terminal());
    let registry = || registry().with(filter).with(GatedLines);
    match variable(FORMAT_VARIABLE).as_deref() {
        Some("json") => registry().with(log.json().flatten_event(true)).init(),
        Some("text") | None => registry().with(log).init(),
        Some(other) => return Err(format!("{FORMAT_VARIABLE} must be text or json, not {other:?}")),
    }
    Ok(())
}

/// Says whether a line is logged. It must log nothing itself.
type LineGate = Box<dyn Fn(&Event<'_>) -> bool + Send + Sync>;

/// Whoever knows the tenants is there later than the log.
static GATE: OnceLock<LineGate> = OnceLock::new();

/// Has each line of the log ask whether it comes into it, from now on and once for all.
pub fn admit_lines(gate: impl Fn(&Event<'_>) -> bool + Send + Sync + 'static) {
    // A second gate would be one of a second server in this process, which there is in no program.
    let _ = GATE.set(Box::new(gate));
}

/// Told of each panic of a thread that writes.
static ON_FAULT: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// Has somebody told of each panic of a thread that writes lines, from now on and once for all. The thread goes on.
pub fn watch_writers(tell: impl Fn() + Send + Sync + 'static) {
    // As for the gate: there is one server in a program.
    let _ = ON_FAULT.set(Box::new(tell));
}

struct GatedLines;

impl<S: Subscriber> Layer<S> for GatedLines {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        GATE.get().is_none_or(|gate| gate(event))
    }
}

/// Gives both streams their time before the program ends.
pub fn flush() {
    STDOUT.flush();
    STDERR.flush();
}

/// The places in the code that panicked: each is told seldom, since whoever can cause a panic can cause many.
static PANICS: Mutex<BTreeMap<String, Seldom>> = Mutex::new(BTreeMap::new());

/// How many panics at a place were not told before this one; none if this one is not told either.
fn left_out_before(place: &str) -> Option<u64> {
    let mut told = None;
    PANICS.lock().entry(place.to_owned()).or_default().tell(|left_out| told = Some(left_out));
    told
}

/// Has panics told by the log. The standard library writes them itself, and a thread that panics would wait for that.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("without a name");
        let words = panic.payload_as_str().unwrap_or("without words");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let Some(left_out) = left_out_before(&place) else { return };
        tracing::error!(left_out, "a bug in the server: the thread {name} panicked at {place}: {words}");
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            tracing::error!("{trace}");
        }
        // It may be the end of the program.
        if name == "main" {
            flush();
        }
    }));
}

/// Takes the lines of the log.
#[derive(Debug, Clone, Copy)]
pub struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        STDERR.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_panics_time_and_again_is_told_once_and_another_one_as_well() {
        let told: Vec<_> = ["one.rs:1", "one.rs:1", "one.rs:1", "two.rs:2"].map(left_out_before).into();
        assert_eq!(told, [Some(0), None, None, Some(0)]);
    }
}
