//! A room that is driven step by step, and the server's lives that it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;

use super::failing::FailingStorage;
use super::opening::OpenStep;
use super::options::HarnessOptions;
use super::outcome::StepError;
use super::peer::InsidePeer;
use super::world::{self, World};
use crate::guest::engine;
use crate::model::names::{RoomId, RoomKey};
use crate::plugin::loader::{Loader, examine};
use crate::plugin::version::Plugin;
use crate::randomness;
use crate::room::handle::RoomHandle;

/// A room that is driven step by step.
pub struct Harness {
    pub(super) options: HarnessOptions,
    loader: Loader,
    pub(super) first: Arc<[u8]>,
    /// The version that serves.
    pub(super) served: Arc<[u8]>,
    pub(super) opening: OpenStep,
    pub(super) room: RoomId,
    /// What outlives a restart.
    pub(super) storage: Arc<FailingStorage>,
    pub(super) world: World,
    pub(super) peers: BTreeMap<String, InsidePeer>,
    /// How many requests it sent for steps of its own.
    pub(super) requests: u64,
}

impl Harness {
    /// Reads the component, which the first step loads. An error is one line.
    pub fn start(options: HarnessOptions) -> anyhow::Result<Self> {
        let limits = options.config.limits();
        let first = world::read(&options.first, limits)?;
        examine(&first, limits).with_context(|| format!("{}", options.first.display()))?;
        let engine = Arc::new(engine::start(limits, &Arc::default())?);
        let loader = Loader::new(engine, &options.cache, options.program.clone(), limits)?;
        let opening = OpenStep::default();
        randomness::seed(options.seed);
        let storage = Arc::<FailingStorage>::default();
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

    /// Begins a life of the server at a moment, on what is stored.
    pub(super) fn begin(&mut self, now: u64) -> Result<Arc<Plugin>, StepError> {
        self.peers.clear();
        let words = |why: anyhow::Error| StepError::new(format!("{why:#}"));
        let next = World::begin(&self.options, &self.storage, now, Some(&self.world)).map_err(words)?;
        self.world = next;
        self.plugin()
    }

    /// The version that serves: the first, where none serves yet.
    pub(super) fn plugin(&mut self) -> Result<Arc<Plugin>, StepError> {
        match &self.world.plugin {
            Some(plugin) => Ok(Arc::clone(plugin)),
            None => self.load(&Arc::clone(&self.served)),
        }
    }

    /// Loads a version, which serves from then on.
    pub(super) fn load(&mut self, component: &Arc<[u8]>) -> Result<Arc<Plugin>, StepError> {
        let mut values = self.options.values.clone();
        values.extend(self.opening.config.clone());
        let loaded = self.world.load(&self.loader, &self.options.key, component, values);
        let plugin = loaded.map_err(|why| StepError::new(format!("the plugin cannot be loaded: {why:#}")))?;
        self.served = Arc::clone(component);
        Ok(plugin)
    }

    /// The room, where it is open.
    pub(super) fn open_room(&self) -> Result<RoomHandle, StepError> {
        let words = "the room is not open: nobody has come in, or it ended";
        self.world.find(&self.room_key()).ok_or_else(|| StepError::new(words))
    }

    pub(super) fn room_key(&self) -> RoomKey {
        RoomKey { plugin: self.options.key.clone(), room: self.room.clone() }
    }

    /// A socket by its name.
    pub(super) fn peer(&mut self, who: &str) -> Result<&mut InsidePeer, StepError> {
        self.peers.get_mut(who).ok_or_else(|| StepError::new(format!("there is no socket {who:?}")))
    }
}
