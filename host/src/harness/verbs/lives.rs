//! The verbs that let time pass, and those that end an instance, a version or a server's life.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;

use crate::harness::failing::FailingStorage;
use crate::harness::heard::HEARD;
use crate::harness::opening::OpenStep;
use crate::harness::outcome::{StepError, StepResult, result};
use crate::harness::session::Harness;
use crate::harness::world;
use crate::model::event::hook;
use crate::randomness;
use crate::room::handle::RoomRequest;

/// The longest time that may pass at once: a year.
const ADVANCE_MAX_MS: u64 = 366 * 24 * 60 * 60 * 1_000;
/// The longest wait of a room that gives up its instance: it has run `$suspend` by then.
const SLEEP_LOOKS: u32 = 100;

impl Harness {
    pub(in crate::harness) fn open(&mut self, opening: OpenStep) -> StepResult {
        self.storage = Arc::<FailingStorage>::default();
        self.served = Arc::clone(&self.first);
        self.room = opening.room.clone();
        randomness::seed(opening.seed.unwrap_or(self.options.seed));
        let now = opening.now;
        self.opening = opening;
        self.requests = 0;
        // What was heard before is of other rooms; what `init` says now is not.
        HEARD.forget();
        let plugin = self.begin(now)?;
        result(json!({
            "name": plugin.name,
            "path": plugin.path.as_str(),
            "version": plugin.version,
            "events": plugin.events,
            "room": self.room.as_str(),
            "now": now,
        }))
    }

    pub(in crate::harness) fn restart(&mut self) -> StepResult {
        self.begin(self.world.now())?;
        result(())
    }

    pub(in crate::harness) fn advance(&mut self, ms: u64) -> StepResult {
        if ms > ADVANCE_MAX_MS {
            return Err(StepError::new(format!("at most {ADVANCE_MAX_MS} ms may pass at once, not {ms}")));
        }
        self.world.advance(Duration::from_millis(ms));
        result(json!({ "now": self.world.now() }))
    }

    pub(in crate::harness) fn sleep(&mut self) -> StepResult {
        let room = self.open_room()?;
        self.world.run(async {
            room.nudge();
            for _ in 0..SLEEP_LOOKS {
                if !room.stats.is_awake() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
        if room.stats.is_awake() {
            return Err(StepError::new("the room did not give up its instance"));
        }
        result(())
    }

    pub(in crate::harness) fn crash(&mut self) -> StepResult {
        let room = self.open_room()?;
        let (lost, told) = oneshot::channel();
        if room.mailbox.request(RoomRequest::Lose { lost }).is_err() || self.world.run(told).is_err() {
            return Err(StepError::new("the room ended before it lost its instance"));
        }
        result(())
    }

    /// Runs the plugin's `$check`, where the room is open and awake.
    pub(in crate::harness) fn check(&mut self) -> StepResult {
        if let Some(room) = self.world.find(&self.room_key()) {
            let (checked, told) = oneshot::channel();
            // A room that ends has nothing to check.
            if room.mailbox.request(RoomRequest::Check { checked }).is_ok() {
                let _ = self.world.run(told);
            }
        }
        result(())
    }

    /// Has the next batches of writes fail, as where a disk is full.
    pub(in crate::harness) fn fail_commits(&mut self, batches: u32) -> StepResult {
        self.storage.fail(batches);
        result(())
    }

    /// Deploys the second version, and has every room move to it. Where `$resume` should fail with a code, the room goes back.
    pub(in crate::harness) fn swap(&mut self, file: Option<PathBuf>, fails: Option<&str>) -> StepResult {
        let file = file.or_else(|| self.options.second.clone());
        let file = file.ok_or_else(|| StepError::new("there is no second version: start with --second FILE.wasm"))?;
        let words = |why: anyhow::Error| StepError::new(format!("{why:#}"));
        let component = world::read(&file, self.options.config.limits()).map_err(words)?;
        self.swap_to(&component, fails)
    }

    /// The same, with a component that was read.
    pub(in crate::harness) fn swap_to(&mut self, component: &Arc<[u8]>, fails: Option<&str>) -> StepResult {
        let (before, failures) = (Arc::clone(&self.served), HEARD.failures_so_far());
        let plugin = self.load(component)?;
        let fleet = &self.world.fleet;
        self.world.run(async { fleet.for_each_room(&plugin.key, |room| room.move_to(&plugin)) });
        let on = self.world.find(&self.room_key()).map(|room| room.plugin().version.clone());
        let moved = on.as_ref().is_none_or(|on| *on == plugin.version);
        if !moved {
            // As the server does where a version's only room goes back.
            self.load(&before)?;
        }
        match fails {
            None if moved => result(json!({ "version": plugin.version })),
            None => Err(StepError::new("the room went back to the version before: its failures say why")),
            Some(code) if !moved && HEARD.has_failure(failures, hook::RESUME, code) => result(()),
            Some(code) if moved => {
                Err(StepError::new(format!("its {} should fail with {code:?}, and it serves", hook::RESUME)))
            }
            Some(code) => {
                Err(StepError::new(format!("its {} did not fail with {code:?}: its failures say how", hook::RESUME)))
            }
        }
    }
}
