//! Rooms in paused time: how long each waits for what.

use std::future::poll_fn;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::*;
use crate::alarms::Alarms;
use crate::guest::engine;
use crate::model::body::{EventData, Payload};
use crate::model::durability::Durability;
use crate::model::effect::Batch;
use crate::model::limits::Limits;
use crate::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use crate::plugin::loader::Loader;
use crate::plugin::probe::EVENT;
use crate::plugin::version::Plugin;
use crate::room::handle::RoomHandle;
use crate::room::outbound::{ToWrite, Wire};
use crate::room::owner::NoFleet;
use crate::room::{RoomSpec, open};
use crate::storage::Storage as _;
use crate::storage::memory::MemoryStorage;
use crate::tenant::account::Counter;
use crate::tenant::{Account, Demand, Imports, Terms};
use crate::workers::Workers;

const LINGER: Duration = Duration::from_secs(20);
const SLEEP: Duration = Duration::from_secs(300);

/// The plugin of the health check, which answers each event with the same: for one test, since rooms of one tenant give way to
/// each other.
fn plugin() -> Arc<Plugin> {
    // A thread with a runtime of its own: the test's clock stands still.
    std::thread::spawn(load).join().unwrap()
}

fn load() -> Arc<Plugin> {
    let limits = Arc::new(Limits {
        instances_of_host: 64,
        room_linger_ms: LINGER.as_millis() as u64,
        room_sleep_ms: SLEEP.as_millis() as u64,
        ..Limits::default()
    });
    let account = Arc::new(Account::new(TenantName::of_the_host(), Limits::clone(&limits), &Demand::new(1)));
    let key = PluginKey { tenant: TenantName::of_the_host(), plugin: PluginName::new("say").unwrap() };
    let terms = Terms {
        config: std::collections::BTreeMap::new(),
        client_channels: false,
        durability: Durability::Strict,
        subprotocols: Vec::new(),
        imports: Imports::All,
        tapes: None,
        limits: Arc::clone(&limits),
        totals: account.totals(&key.plugin, &limits),
        account,
    };
    static LOADED: AtomicU32 = AtomicU32::new(0);
    let number = LOADED.fetch_add(1, Ordering::Relaxed);
    let data = std::env::temp_dir().join(format!("parlor-room-{}-{number}", std::process::id()));
    let engine = Arc::new(engine::start(&limits, &Arc::default()).unwrap());
    let loader = Loader::new(engine, &data, "parlor".into(), &limits).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let plugin = runtime.block_on(loader.load_probe(key, terms)).unwrap();
    let _ = std::fs::remove_dir_all(data);
    Arc::new(plugin)
}

/// A room that runs, and what it keeps.
struct Opened {
    door: RoomHandle,
    storage: Arc<MemoryStorage>,
    alarms: Arc<Alarms>,
    task: tokio::task::JoinHandle<()>,
}

impl Opened {
    fn new(plugin: Arc<Plugin>, storage: Arc<MemoryStorage>) -> Self {
        let key = RoomKey { plugin: plugin.key.clone(), room: RoomId::default_room() };
        let alarms = Arc::new(Alarms::default());
        let (door, task) = open(RoomSpec {
            key,
            plugin,
            place: Arc::new(Counter::new(1)).place_beyond_bounds(),
            worker: Workers::start(1, &Arc::default()).unwrap().least_busy(),
            slow: tokio::runtime::Handle::current(),
            storage: Arc::clone(&storage) as _,
            alarms: Arc::clone(&alarms),
            owner: Arc::new(NoFleet),
        });
        Self { door, storage, alarms, task: tokio::spawn(task) }
    }

    fn enter(&self) -> (SocketId, Arc<Outbound>) {
        let (plugin, socket) = (self.door.plugin(), self.door.next_socket());
        let place = Arc::new(Counter::new(1)).place_beyond_bounds();
        let tenant = Arc::clone(&plugin.account().outbound);
        let outbound =
            Arc::new(Outbound::new(plugin.limits(), Wire::Verani, Arc::default(), tenant, Arc::default(), place));
        let meta = Meta::anonymous("u".to_owned(), "c".to_owned(), vec!["default".to_owned()]);
        let connect = Mail::Connect { socket, meta, outbound: Arc::clone(&outbound) };
        self.door.mailbox.push(connect).unwrap();
        (socket, outbound)
    }

    fn leave(&self, socket: SocketId) {
        self.door.mailbox.push(Mail::Disconnect { socket, reason: CloseReason::BROKEN_OFF }).unwrap();
    }

    /// Sends an event and waits for the answer.
    async fn ask(&self, (socket, outbound): &(SocketId, Arc<Outbound>)) {
        let data = EventData::of(Some(Payload::Json(Json::of(&json!({ "x": 1 })))));
        let event = ClientEvent { name: EVENT.to_owned(), data, ..ClientEvent::default() };
        let mut event = Some(ClientMessage::Event(event));
        poll_fn(|context| self.door.mailbox.poll_event(context, *socket, &mut event)).await.unwrap();
        let answer = poll_fn(|context| outbound.poll_next(context)).await;
        assert!(matches!(answer, ToWrite::Packet(packet) if packet.text.as_str().contains(r#""x":1"#)));
    }

    /// Waits until the room's instance is there, or is gone.
    async fn until_awake(&self, awake: bool) {
        while self.door.stats.is_awake() != awake {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Whether so much time passed, to the tenth of a second that these tests look at.
#[track_caller]
fn assert_passed(since: Instant, expected: Duration) {
    let passed = since.elapsed();
    let range = expected..=expected + Duration::from_millis(200);
    assert!(range.contains(&passed), "{passed:?} passed, not {expected:?}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_room_lingers_from_its_last_sockets_end() {
    let room = Opened::new(plugin(), Arc::default());
    let socket = room.enter();
    room.ask(&socket).await;
    tokio::time::sleep(3 * LINGER).await;
    assert!(!room.task.is_finished());
    room.leave(socket.0);
    tokio::time::sleep(LINGER / 2).await;
    // Who comes back in time finds the room as it was, and it lingers anew.
    let again = room.enter();
    room.ask(&again).await;
    room.leave(again.0);
    let left = Instant::now();
    room.task.await.unwrap();
    assert_passed(left, LINGER);
    assert!(room.door.mailbox.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_told_to_close_lingers_for_nobody() {
    let room = Opened::new(plugin(), Arc::default());
    let socket = room.enter();
    room.ask(&socket).await;
    room.door.mailbox.close_all(CloseReason::RESTART);
    let closed = poll_fn(|context| socket.1.poll_next(context)).await;
    assert_eq!(closed, ToWrite::Close(CloseReason::RESTART));
    // It stays for the socket's own end.
    tokio::time::sleep(LINGER).await;
    assert!(!room.task.is_finished());
    room.leave(socket.0);
    let left = Instant::now();
    room.task.await.unwrap();
    assert_passed(left, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_room_in_which_nothing_happens_sleeps_and_wakes_for_an_event() {
    let room = Opened::new(plugin(), Arc::default());
    let socket = room.enter();
    room.ask(&socket).await;
    let last_turn = Instant::now();
    // Nothing tells it that it is idle: it keeps its instance.
    tokio::time::sleep(SLEEP / 2).await;
    room.door.nudge();
    room.until_awake(false).await;
    assert_passed(last_turn, SLEEP);
    assert!(!room.task.is_finished());
    // It wakes for the event, and an event starts the count anew.
    room.ask(&socket).await;
    assert!(room.door.stats.is_awake());
    let last_turn = Instant::now();
    room.door.nudge();
    room.until_awake(false).await;
    assert_passed(last_turn, SLEEP);
}

#[tokio::test(start_paused = true)]
async fn an_idle_room_gives_way_at_once_where_its_instance_is_wanted() {
    let room = Opened::new(plugin(), Arc::default());
    let socket = room.enter();
    room.ask(&socket).await;
    room.door.nudge();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let wanted = Instant::now();
    room.door.plugin().account().wanted.notify_one();
    room.until_awake(false).await;
    assert_passed(wanted, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_without_a_handler_is_forgotten() {
    let (plugin, storage) = (plugin(), Arc::new(MemoryStorage::default()));
    let key = RoomKey { plugin: plugin.key.clone(), room: RoomId::default_room() };
    let batch = Batch { alarm: Some(Some(7)), ..Batch::default() };
    storage.open(&key).await.unwrap().commit(batch, Durability::Strict).await.unwrap();
    let room = Opened::new(plugin, storage);
    room.alarms.set(&key, Some(7));
    // One that was set anew meanwhile is not the one that rings.
    room.door.mailbox.push(Mail::Alarm { due: 6, attempt: 1 }).unwrap();
    room.door.mailbox.push(Mail::Alarm { due: 7, attempt: 1 }).unwrap();
    room.task.await.unwrap();
    assert!(room.alarms.is_empty());
    assert_eq!(room.storage.open(&key).await.unwrap().kept().alarm, None);
}
