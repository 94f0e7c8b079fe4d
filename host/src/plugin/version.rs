//! A loaded version of a plugin: what it says of itself, and how it makes instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::failures::{FailureLog, FailureRecord};
use super::places;
use super::tapes::TapeShelf;
use crate::guest::RoomContext;
use crate::guest::engine::SharedEngine;
use crate::guest::instance::{Authorization, ConnectRequest, Fault, Instance, OpenError, Rejection, Template};
use crate::guest::tape::Tape;
use crate::guest::tape::boundary::is_secret;
use crate::guest::tape::data::TapeBase;
use crate::guest::tape::recorder::Recorder;
use crate::guest::tape::replayer::REDACTED;
use crate::live::{About, Topic};
use crate::model::durability::Durability;
use crate::model::failure::FailureKind;
use crate::model::limits::Limits;
use crate::model::meta::Meta;
use crate::model::names::{PluginKey, PluginPath, RoomId};
use crate::storage::view::StorageView;
use crate::tenant::aside::Aside;
use crate::tenant::costs::Handlers;
use crate::tenant::{Account, Pace, RoomPace, Totals};

/// A loaded version of a plugin, ready to serve.
pub struct Plugin {
    /// Counts loads: a room moves only to a version that was loaded later.
    pub serial: u64,
    pub key: PluginKey,
    pub version: String,
    /// The name that `init` returned.
    pub name: String,
    pub path: PluginPath,
    /// The events that it registered for in `init`, in ascending order.
    pub events: Vec<String>,
    pub client_channels: bool,
    /// The WebSocket subprotocols that its clients may ask for.
    pub subprotocols: Vec<String>,
    /// Whether the room holds a turn's output back until the turn's writes are durable.
    pub durability: Durability,
    /// Whether its rooms can store anything: whether it imports storage, the alarm or histories.
    pub can_store: bool,
    pub failures: FailureLog,
    /// Where its rooms' tapes go; none where they are not recorded.
    pub tapes: Option<Arc<TapeShelf>>,
    /// The counters of all loaded versions of the plugin.
    pub totals: Arc<Totals>,
    /// What the handlers of this version's events cost.
    pub handlers: Handlers,
    /// The context of instances outside of rooms.
    pub(super) outside: Arc<RoomContext>,
    pub(super) template: Template,
    pub(super) authorizing: Semaphore,
    /// How many upgrades run `authorize` or wait for it.
    pub(super) at_authorize: AtomicUsize,
}

/// Why `authorize` let nobody in.
#[derive(Debug)]
pub enum AuthorizeError {
    Rejected(Rejection),
    /// `authorize-waiting` upgrades wait already.
    Crowded,
    /// The host cannot make an instance now.
    Busy(OpenError),
    /// The plugin's code fails in `init`.
    NoInstance(OpenError),
    /// The guest faulted, as this request may have caused.
    Faulted(String),
    /// The guest returned what the contract does not allow, or took too long, which may be the doing of others.
    Broken(String),
}

impl Plugin {
    /// Makes an instance for a room. Waits for a place if there is none. `base` is what its tape begins with, where it is
    /// recorded.
    pub async fn open(
        &self,
        room: RoomId,
        pace: Arc<RoomPace>,
        storage: Arc<StorageView>,
        base: Option<Arc<TapeBase>>,
    ) -> Result<Instance, OpenError> {
        let base = self.tapes.as_ref().zip(base).map(|(shelf, base)| (shelf.bound(), base));
        let context = RoomContext { room: Some(room), room_pace: Some(pace), ..RoomContext::clone(&self.outside) };
        let tape = || match &base {
            Some((bound, base)) => Tape::Record(Box::new(Recorder::new(base, *bound, Arc::clone(self.account())))),
            None => Tape::Off,
        };
        Ok(places::open(&self.template, &Arc::new(context), Some(storage), tape).await?.0)
    }

    /// What a tape begins with, of what the plugin knows.
    pub fn tape_base(&self, shelf: &TapeShelf, room: &RoomId) -> TapeBase {
        let RoomContext { config, limits, .. } = &*self.outside;
        let shown = |key: &str, value: &str| if is_secret(key, value) { REDACTED.to_owned() } else { value.to_owned() };
        let of_plugin = shelf.of_plugin(|| TapeBase {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            component: shelf.hash.clone(),
            tenant: self.key.tenant.to_string(),
            plugin: self.key.plugin.to_string(),
            version: self.version.clone(),
            limits: Arc::new(limits.all().into_iter().map(|limit| (limit.key.to_owned(), limit.value)).collect()),
            config: Arc::new(config.iter().map(|(key, value)| (key.clone(), shown(key, value))).collect()),
            ..TapeBase::default()
        });
        TapeBase { room: room.to_string(), ..of_plugin.clone() }
    }

    /// Asks the plugin who wants to connect, in an instance that serves this one call. `slow` is for calls that take long.
    pub async fn authorize(
        self: &Arc<Self>,
        request: ConnectRequest,
        slow: &Handle,
    ) -> Result<Option<Meta>, AuthorizeError> {
        let _waiting = WaitingUpgrade::count(&self.at_authorize, self.limits().authorize_waiting)?;
        let _slot = self.authorizing.acquire().await.map_err(|_| AuthorizeError::Broken("closed".to_owned()))?;
        let (lane, plugin) = (self.account().lane(), Arc::clone(self));
        let aside = Aside::new(slow.clone(), Arc::clone(self.account()));
        let asked = async {
            lane.start(|| false).await;
            aside.run(&**self.pace(), async move { plugin.ask(request).await }).await
        };
        lane.run(asked).await
    }

    async fn ask(&self, request: ConnectRequest) -> Result<Option<Meta>, AuthorizeError> {
        let mut instance = match self.instance().await {
            Ok(instance) => instance,
            Err(why) if !why.is_of_code() => return Err(AuthorizeError::Busy(why)),
            Err(why) => return Err(AuthorizeError::NoInstance(why)),
        };
        match instance.authorize(request, self.limits().turn_cpu_ms).await {
            Ok(Authorization::Anonymous) => Ok(None),
            Ok(Authorization::As(meta)) => meta.checked(self.limits()).map(Some).map_err(|why| {
                AuthorizeError::Broken(format!("authorize returned a meta that the host refuses: {why}"))
            }),
            Ok(Authorization::Rejected(rejection)) => Err(AuthorizeError::Rejected(rejection)),
            Err(fault @ Fault::Timeout) => Err(AuthorizeError::Broken(format!("authorize {fault}"))),
            Err(fault) => Err(AuthorizeError::Faulted(format!("authorize {fault}"))),
        }
    }

    /// Makes an instance outside of rooms.
    async fn instance(&self) -> Result<Instance, OpenError> {
        Ok(places::open(&self.template, &self.outside, None, Tape::default).await?.0)
    }

    /// Makes instances outside of rooms: `count`, or as many as there is place for.
    pub async fn instances(&self, count: usize) -> Vec<Instance> {
        let lane = self.account().lane();
        let opened = async {
            lane.start(|| true).await;
            let mut instances = Vec::new();
            while instances.len() < count
                && let Ok(instance) = self.instance().await
            {
                instances.push(instance);
            }
            instances
        };
        lane.run(opened).await
    }

    pub fn limits(&self) -> &Arc<Limits> {
        &self.outside.limits
    }

    pub fn account(&self) -> &Arc<Account> {
        &self.outside.account
    }

    /// How long calls of the plugin take that belong to no room.
    pub fn pace(&self) -> &Arc<Pace> {
        &self.outside.pace
    }

    /// The engine of its instances.
    pub fn engine(&self) -> &SharedEngine {
        self.template.engine()
    }

    /// Counts a failure of its code, and keeps its details.
    pub fn record(&self, kind: FailureKind, failure: FailureRecord) {
        self.totals.count_failure(kind);
        self.show_failure(kind, &failure);
        self.failures.record(kind, failure);
    }

    /// Shows a failure to those who watch.
    fn show_failure(&self, kind: FailureKind, failure: &FailureRecord) {
        let FailureRecord { at, room, event, code, message } = failure;
        let (tenant, plugin) = (self.key.tenant.as_str(), self.key.plugin.as_str());
        let room = room.as_ref().map(RoomId::as_str);
        let about = About { tenant: Some(tenant), plugin: Some(plugin), room };
        self.totals.log.live().tell(Topic::Failures, about, || {
            json!({
                "time": at, "tenant": tenant, "plugin": plugin, "version": self.version, "room": room,
                "kind": kind.as_str(), "event": event, "code": code, "message": message,
            })
        });
    }

    /// Counts a failure of `authorize`, and keeps its details.
    pub fn authorize_failed(&self, why: &str) {
        self.record(FailureKind::Authorize, FailureRecord::now(None, "authorize", "authorize", why));
    }
}

/// An upgrade that runs `authorize` or waits for it, counted until this is dropped.
struct WaitingUpgrade<'a>(&'a AtomicUsize);

impl<'a> WaitingUpgrade<'a> {
    fn count(count: &'a AtomicUsize, max: usize) -> Result<Self, AuthorizeError> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) < max { Ok(waiting) } else { Err(AuthorizeError::Crowded) }
    }
}

impl Drop for WaitingUpgrade<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plugin({}@{})", self.key, self.version)
    }
}
