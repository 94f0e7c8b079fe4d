//! A room of the host, a real component in it and two sockets, without a server: so that each step of its store can be
//! chosen, and everything runs on the test's own thread.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use parlor::alarms::Alarms;
use parlor::model::body::{EventData, Payload};
use parlor::model::durability::Durability;
use parlor::model::event::{AckId, ClientEvent, ClientMessage, SocketId};
use parlor::model::json::Json;
use parlor::model::limits::{Layers, Limits};
use parlor::model::meta::Meta;
use parlor::model::names::{PluginKey, PluginName, RoomId, RoomKey, TenantName};
use parlor::plugin::loader::Loader;
use parlor::plugin::version::Plugin;
use parlor::protocol::close::CloseReason;
use parlor::room::handle::{ListedSocket, Mail, RoomHandle, RoomRequest};
use parlor::room::outbound::{Outbound, ToWrite, Wire};
use parlor::room::owner::NoFleet;
use parlor::room::{self, RoomSpec};
use parlor::tenant::Tenants;
use parlor::tenant::account::Counter;
use parlor::workers::Workers;
use tokio::sync::oneshot;

use super::store::SteppedStorage;
use crate::harness::{Value, guest, json};

/// The plugin `limit-calls`, loaded once.
pub struct Guest {
    strict: Arc<Plugin>,
    relaxed: Arc<Plugin>,
    worker: parlor::workers::WorkerId,
}

/// One room with its two sockets.
pub struct Room {
    pub store: Arc<SteppedStorage>,
    pub shared: RoomHandle,
    sockets: Vec<(SocketId, Arc<Outbound>)>,
}

impl Guest {
    pub async fn load() -> Self {
        static LOADED: AtomicU32 = AtomicU32::new(0);
        let number = LOADED.fetch_add(1, Ordering::Relaxed);
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gate-{number}"));
        std::fs::create_dir_all(&data).expect("a folder");
        let file = data.join("limit-calls.wasm");
        std::fs::write(&file, guest("limit-calls")).expect("a component");
        let limits = Limits { instances_of_host: 64, ..Limits::default() };
        let engine = Arc::new(parlor::guest::engine::start(&limits, &Arc::default()).expect("an engine"));
        let loader = Loader::new(engine, &data, env!("CARGO_BIN_EXE_parlor").into(), &limits).expect("a loader");
        let tenants = Tenants::new(BTreeMap::new(), Layers::default(), 1);
        let (tenant, plugin) = (TenantName::new("t").expect("a name"), PluginName::new("calls").expect("a name"));
        let load = async |durability| {
            let mut terms = tenants.terms(&tenant, &plugin);
            terms.durability = durability;
            let key = PluginKey { tenant: tenant.clone(), plugin: plugin.clone() };
            Arc::new(loader.load(key, &file, terms).await.expect("the guest loads"))
        };
        let worker = Workers::start(1, &Arc::default()).expect("a worker").least_busy();
        Self { strict: load(Durability::Strict).await, relaxed: load(Durability::Relaxed).await, worker }
    }

    pub async fn open(&self, durability: Durability) -> Room {
        let plugin = match durability {
            Durability::Strict => &self.strict,
            Durability::Relaxed => &self.relaxed,
        };
        let key = RoomKey { plugin: plugin.key.clone(), room: RoomId::default_room() };
        let place = || Arc::new(Counter::new(1)).place_beyond_bounds();
        let store = Arc::new(SteppedStorage::default());
        let (shared, task) = room::open(RoomSpec {
            key,
            plugin: Arc::clone(plugin),
            place: place(),
            worker: self.worker,
            slow: tokio::runtime::Handle::current(),
            storage: Arc::clone(&store) as _,
            alarms: Arc::new(Alarms::default()),
            owner: Arc::new(NoFleet),
        });
        tokio::spawn(task);
        let mut room = Room { store, shared, sockets: Vec::new() };
        for user in ["ann", "bob"] {
            let outbound = Arc::new(Outbound::new(
                plugin.limits(),
                Wire::Verani,
                Arc::default(),
                Arc::clone(&plugin.account().outbound),
                Arc::default(),
                place(),
            ));
            let socket = room.shared.next_socket();
            let meta = Meta::anonymous(user.to_owned(), user.to_owned(), vec!["default".to_owned()]);
            let connect = Mail::Connect { socket, meta, outbound: Arc::clone(&outbound) };
            room.shared.mailbox.push(connect).expect("an open room");
            room.sockets.push((socket, outbound));
        }
        room.ran().await;
        room
    }
}

impl Room {
    /// Sends an event of the first socket, which waits for an acknowledgement where the event has a number for it.
    pub async fn send(&self, name: &str, calls: &Value, ack: Option<AckId>) {
        let data = EventData::of(Some(Payload::Json(Json::of(calls))));
        let event = ClientEvent { name: name.to_owned(), data, ack, ..ClientEvent::default() };
        let mut event = Some(ClientMessage::Event(event));
        let (socket, _) = self.sockets[0];
        poll_fn(|context| self.shared.mailbox.poll_event(context, socket, &mut event)).await.expect("an open room");
    }

    /// The same, and waits until its turn was run.
    pub async fn request(&self, name: &str, calls: &Value, ack: Option<AckId>) {
        self.send(name, calls, ack).await;
        self.ran().await;
    }

    /// Sends an event of the first socket, which waits for no acknowledgement, and waits until its turn was run.
    pub async fn give(&self, name: &str, calls: &Value) {
        self.request(name, calls, None).await;
    }

    /// Waits until the room did all that it was told so far, and could do.
    pub async fn ran(&self) {
        let (view, seen) = oneshot::channel();
        self.shared.mailbox.request(RoomRequest::View { view }).expect("an open room");
        // What was settled is taken up before the mail that follows it.
        seen.await.expect("an open room");
    }

    /// The events and acknowledgements that a socket, the first or the second, was told since this was last asked.
    pub async fn heard(&self, place: usize) -> Vec<String> {
        let event = |frame: Value| frame["type"].as_str().map_or_else(|| acknowledgement(&frame), str::to_owned);
        let frames = self.frames(place).await.into_iter();
        frames.map(|next| next.map_or_else(|code| format!("close {code}"), event)).collect()
    }

    /// The host's answers to the calls of each turn that it told of, or the code of its failure.
    pub async fn answers(&self, place: usize) -> Vec<Value> {
        let answer = |frame: Value| match frame["type"].as_str() {
            Some("ran") => frame["answers"].clone(),
            _ => json!({ "failed": frame["code"] }),
        };
        self.frames(place).await.into_iter().map(|next| next.map_or(Value::Null, answer)).collect()
    }

    /// The data of each event, a whole acknowledgement, or the code of a close.
    async fn frames(&self, place: usize) -> Vec<Result<Value, u16>> {
        let mut frames = Vec::new();
        poll_fn(|context| {
            while let Poll::Ready(next) = self.sockets[place].1.poll_next(context) {
                match next {
                    ToWrite::Packet(packet) => {
                        let frame: Value = serde_json::from_str(packet.text.as_str()).expect("a frame");
                        let is_event = frame["type"] == "event";
                        frames.push(Ok(if is_event { frame["data"].clone() } else { json!({ "ack": frame }) }));
                    }
                    ToWrite::Close(reason) => {
                        frames.push(Err(reason.code));
                        break;
                    }
                    ToWrite::HandOver => unreachable!("no socket of this rig has another line"),
                }
            }
            Poll::Ready(())
        })
        .await;
        frames
    }

    /// The channels of the first socket; none where it is no member.
    pub async fn channels(&self) -> Option<Vec<String>> {
        let (sockets, seen) = oneshot::channel();
        self.shared.mailbox.request(RoomRequest::Sockets { after: 0, limit: 1, sockets }).expect("an open room");
        let ListedSocket { id, meta, .. } = seen.await.expect("an open room").into_iter().next()?;
        (id == self.sockets[0].0).then_some(meta.channels)
    }

    /// What is durable under a key.
    pub async fn stored(&self, keys: &[&str]) -> Vec<Option<usize>> {
        use parlor::storage::Storage as _;
        let durable = self.store.open(&self.shared.key).await.expect("a store");
        let values = durable.get(keys, usize::MAX).await.expect("values");
        values.into_iter().map(|value| value.map(|value| value.len())).collect()
    }
}

/// An acknowledgement in a word.
fn acknowledgement(frame: &Value) -> String {
    let ack = &frame["ack"];
    format!("{} {}", if ack["error"].is_null() { "ack" } else { "nack" }, ack["id"])
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shared.mailbox.close_all(CloseReason::RESTART);
        for (socket, _) in &self.sockets {
            // A room that ended already needs no telling.
            let _ = self.shared.mailbox.push(Mail::Disconnect { socket: *socket, reason: CloseReason::RESTART });
        }
    }
}
