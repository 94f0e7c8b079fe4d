//! How a room is put together, and what is left to do when its task ends.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use super::actor::Room;
use super::code::{Code, RestoreReason};
use super::conductor::{Conductor, alarm_retries};
use super::handle::{Mail, RoomHandle, RoomShared};
use super::ledger::Ledger;
use super::owner::RoomOwner;
use super::people::People;
use crate::alarms::Alarms;
use crate::model::names::RoomKey;
use crate::plugin::version::Plugin;
use crate::protocol::close::CloseReason;
use crate::storage::{Storage, view};
use crate::tenant::account::CounterPlace;
use crate::workers::WorkerId;

/// An alarm that found its room at its end comes again after this.
const ALARM_AFTER_END: Duration = Duration::from_millis(100);

/// What a room is opened with.
pub struct RoomSpec {
    pub key: RoomKey,
    /// The version that the room begins on.
    pub plugin: Arc<Plugin>,
    /// Its place among its tenant's rooms.
    pub place: CounterPlace,
    /// The thread that the room's task is to run on.
    pub worker: WorkerId,
    /// Where calls of its plugin run that take long.
    pub slow: Handle,
    pub storage: Arc<dyn Storage>,
    pub alarms: Arc<Alarms>,
    pub owner: Arc<dyn RoomOwner>,
}

/// Puts a room together. Others reach it by the handle; the caller runs the task on the room's thread. The task ends
/// when nobody has been in the room for a while, when it crashes, or when the host closes it.
pub fn open(spec: RoomSpec) -> (RoomHandle, impl Future<Output = ()> + Send + 'static) {
    let RoomSpec { key, plugin, place, worker, slow, storage, alarms, owner } = spec;
    let handle = Arc::new(RoomShared::new(key, plugin, worker, place));
    (Arc::clone(&handle), run(handle, storage, alarms, owner, slow))
}

async fn run(
    door: RoomHandle,
    backend: Arc<dyn Storage>,
    alarms: Arc<Alarms>,
    owner: Arc<dyn RoomOwner>,
    slow: Handle,
) {
    let plugin = door.plugin();
    let lane = Arc::clone(plugin.account().lane());
    drop(plugin);
    let life = async move {
        let end = EndOfRoom { door: Arc::clone(&door), alarms: Arc::clone(&alarms) };
        let storage = match backend.open(&door.key).await {
            Ok(storage) => storage,
            Err(why) => {
                log!(error, &door.key, cause = %why, "the room cannot be opened: what it stores cannot be read");
                // The first reason holds, and nobody else can have given one yet.
                let _ = door.ended_with.set(CloseReason::STORAGE_FAILED);
                return;
            }
        };
        let plugin = door.plugin();
        let limits = Arc::clone(plugin.limits());
        let view = Arc::new(view::StorageView::new(storage, limits.storage_cache_bytes));
        let ledger = Ledger::new(view, backend, Arc::clone(plugin.account()));
        let was_open = owner.note_kept(&door.key, ledger.is_anything_stored());
        let restore = ledger.is_anything_stored().then(|| RestoreReason::of_opening(was_open));
        let room = Box::new(Room::new(
            Conductor {
                people: People::default(),
                ledger,
                code: Code::new(Arc::clone(&door), Arc::clone(&owner), slow, restore),
                alarms,
                limits,
                accepted_ns: 0,
                knows_histories: false,
                door,
            },
            owner,
        ));
        drop(plugin);
        room.live().await;
        drop(end);
    };
    // Pinned here: if `lane.run` took it by value, the room's task would hold its memory twice.
    lane.run(pin!(life)).await;
}

/// Cleans up however a room's task ends, even by a panic: closes the mailbox and the sockets whose arrival waits in it,
/// and lets an alarm in it ring again.
struct EndOfRoom {
    door: RoomHandle,
    alarms: Arc<Alarms>,
}

impl Drop for EndOfRoom {
    fn drop(&mut self) {
        let Self { door, alarms } = self;
        let turns = door.stats.turns.swap(0, Ordering::Relaxed);
        let bad_frames = door.stats.bad_frames.swap(0, Ordering::Relaxed);
        door.plugin().totals.room_ended(turns, bad_frames);
        for mail in door.mailbox.close() {
            match mail {
                Mail::Connect { outbound, .. } => outbound.close(door.end_reason()),
                // Nobody knows when the storage can be read again.
                Mail::Alarm { .. } if door.end_reason() == CloseReason::STORAGE_FAILED => {
                    let [first, longest] = alarm_retries(door.plugin().limits());
                    alarms.failed(&door.key, first, longest);
                }
                Mail::Alarm { .. } => alarms.postpone(&door.key, ALARM_AFTER_END),
                _ => {}
            }
        }
    }
}
