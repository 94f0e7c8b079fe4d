//! The harness: the server's own room in this process, with sockets in memory, a clock that stands still between two steps,
//! and randomness from a seed. `docs/authors/harness.md` says what each step means.

mod compare;
mod heard;
mod idle;
mod inbox;
mod line;
mod opening;
mod peer;
mod settings;
mod step;
mod verbs;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use self::opening::Opening;
use self::peer::InsidePeer;
use self::step::RoomStep;
use self::world::World;
use crate::config::Config;
use crate::guest::engine;
use crate::model::names::{PluginKey, RoomId};
use crate::plugin::loader::{Loader, examine};
use crate::randomness;
use crate::storage::memory::MemoryStorage;

pub use heard::HEARD;
pub use line::{Answer, parse};
pub use settings::without_rates;

/// What a harness is made with.
pub struct HarnessOptions {
    /// The server's configuration, with the limits that [`without_rates`] lifts.
    pub config: Config,
    /// The plugin's configuration, over that of `config`.
    pub values: BTreeMap<String, String>,
    pub key: PluginKey,
    /// Where randomness begins.
    pub seed: u64,
    /// The component.
    pub first: PathBuf,
    /// The second version, for steps that name no file.
    pub second: Option<PathBuf>,
    /// The folder for native code.
    pub cache: PathBuf,
    /// This program: the child that compiles is another run of it.
    pub program: PathBuf,
}

/// Why a step has no result.
#[derive(Debug)]
pub struct StepError {
    words: String,
    /// The status and the body with which a socket was refused.
    refused: Option<(u16, String)>,
}

impl StepError {
    fn new(words: impl Into<String>) -> Self {
        Self { words: words.into(), refused: None }
    }
}

type StepResult = Result<Box<RawValue>, StepError>;

/// A room that is driven step by step.
pub struct Harness {
    options: HarnessOptions,
    loader: Loader,
    first: Arc<[u8]>,
    /// The version that serves.
    served: Arc<[u8]>,
    opening: Opening,
    room: RoomId,
    /// What outlives a restart.
    storage: Arc<MemoryStorage>,
    world: World,
    peers: BTreeMap<String, InsidePeer>,
    /// How many requests it sent for steps of its own.
    requests: u64,
}

impl Harness {
    /// Reads the component, which the first step loads. An error is one line.
    pub fn start(options: HarnessOptions) -> anyhow::Result<Self> {
        let limits = options.config.limits();
        let first = world::read(&options.first, limits)?;
        examine(&first, limits).with_context(|| format!("{}", options.first.display()))?;
        let engine = Arc::new(engine::start(limits, &Arc::default())?);
        let loader = Loader::new(engine, &options.cache, options.program.clone(), limits)?;
        let opening = Opening::default();
        randomness::seed(options.seed);
        let storage = Arc::<MemoryStorage>::default();
        let world = World::begin(&options, &storage, opening.now, None)?;
        Ok(Self {
            loader,
            served: Arc::clone(&first),
            first,
            room: opening.room.clone(),
            opening,
            storage,
            world,
            peers: BTreeMap::new(),
            requests: 0,
            options,
        })
    }

    /// Does a step; answers its result, or why it has none. False behind the last one.
    pub fn step(&mut self, step: RoomStep) -> (StepResult, bool) {
        let goes_on = !matches!(step, RoomStep::Quit);
        (self.run(step), goes_on)
    }

    fn run(&mut self, step: RoomStep) -> StepResult {
        match step {
            RoomStep::Open(opening) => self.open(opening),
            RoomStep::Connect(connect) => self.connect(connect),
            RoomStep::Refused(refused) => self.refused(refused),
            RoomStep::Send(send) => self.send(send),
            RoomStep::Request(request) => self.request(request),
            RoomStep::Answer(answer) => self.answer(answer),
            RoomStep::Do(run) => self.operate(run),
            RoomStep::Expect(expected) => self.expect(&expected),
            RoomStep::Frames(who) => self.frames(who.as_deref()),
            RoomStep::Closed(expected) => self.closed(&expected),
            RoomStep::HowClosed(who) => self.how_closed(&who),
            RoomStep::Leave(leaving) => self.leave(&leaving),
            RoomStep::Failures(expected) => self.failures(expected.as_deref()),
            RoomStep::Log(expected) => self.log(expected.as_deref()),
            RoomStep::Advance(ms) => self.advance(ms),
            RoomStep::Sleep => self.sleep(),
            RoomStep::Crash => self.crash(),
            RoomStep::Restart => self.restart(),
            RoomStep::Swap(file) => self.swap(file, None),
            RoomStep::SwapFails(code) => self.swap(None, Some(&code)),
            RoomStep::Stored(expected) => self.stored(expected.as_ref()),
            RoomStep::Room => self.look(),
            RoomStep::Quit => result(()),
        }
    }

    fn peer(&mut self, who: &str) -> Result<&mut InsidePeer, StepError> {
        self.peers.get_mut(who).ok_or_else(|| StepError::new(format!("there is no socket {who:?}")))
    }
}

/// A step's result as JSON.
fn result(value: impl Serialize) -> StepResult {
    to_raw_value(&value).map_err(|why| StepError::new(format!("the result is no JSON: {why}")))
}
