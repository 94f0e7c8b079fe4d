//! Where each client stands: a client that waits for ever says so, and for what.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{bail, ensure};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::load::clients::INTERRUPTED;

/// How long no client may get on.
const STANDSTILL: Duration = Duration::from_secs(10);
/// So many clients are told of.
const TOLD_OF: usize = 20;

/// What a client does at the moment.
#[derive(Clone, Default)]
pub enum Doing {
    #[default]
    Begins,
    /// Over its line, which it has, it waits for the next answer.
    Talks,
    /// It looks for another line; why the last try failed.
    SeeksLine(String),
    /// It has a line, and was not told yet that it is back.
    ComesBack,
    Done,
}

/// One client's place.
#[derive(Clone, Default)]
pub struct Standing {
    pub doing: Doing,
    /// How many numbers it sent, how many of them it heard of, and how many the server said it took when the client was last
    /// back.
    pub sent: u64,
    pub taken: u64,
    pub heard: u64,
    /// How many lines it had.
    pub lines: u64,
}

impl fmt::Display for Standing {
    fn fmt(&self, words: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.doing {
            Doing::Begins => write!(words, "waits for its first session"),
            Doing::Talks => write!(words, "waits for an answer to number {}", self.taken),
            Doing::SeeksLine(why) => write!(words, "gets no line: {why}"),
            Doing::ComesBack => write!(words, "waits to be told that it is back"),
            Doing::Done => write!(words, "is done"),
        }?;
        let Self { sent, taken, heard, lines, .. } = self;
        write!(words, " ({sent} sent, {taken} answered, {heard} taken before line {lines})")
    }
}

/// A client's place that others may look at.
#[derive(Clone, Default)]
pub struct SharedStanding(Arc<watch::Sender<Standing>>);

impl SharedStanding {
    pub fn change(&self, change: impl FnOnce(&mut Standing)) {
        self.0.send_modify(change);
    }

    pub fn does(&self, doing: Doing) {
        self.change(|standing| standing.doing = doing);
    }

    fn read(&self) -> Standing {
        self.0.borrow().clone()
    }
}

/// Fails once no client has had an answer for a while, and says what each waits for.
pub async fn until_standstill(all: Vec<SharedStanding>) -> anyhow::Result<()> {
    let (mut answered, mut since) = (None, Instant::now());
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        ensure!(!INTERRUPTED.load(Ordering::Relaxed), "interrupted");
        let standings: Vec<Standing> = all.iter().map(SharedStanding::read).collect();
        let now = standings.iter().map(|standing| standing.taken).sum::<u64>();
        if answered != Some(now) {
            (answered, since) = (Some(now), Instant::now());
        }
        if since.elapsed() < STANDSTILL {
            continue;
        }
        let waiting: Vec<_> =
            standings.iter().enumerate().filter(|(_, standing)| !matches!(standing.doing, Doing::Done)).collect();
        for (number, standing) in waiting.iter().take(TOLD_OF) {
            eprintln!("user{number} {standing}");
        }
        bail!("{} clients of {} stand still: none had an answer for {STANDSTILL:?}", waiting.len(), all.len());
    }
}
