//! A plugin's code alive: one store, one linear memory, one caller at a time.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::exports::parlor::room::guest::Request as WitRequest;
use super::bindings::{Plugin as GuestExports, PluginPre};
use super::convert::{event_to_guest, failure_from_guest, meta_from_guest, payload_from_guest};
use super::cpu::{self, CpuMeter};
use super::engine::SharedEngine;
use super::state::{GuestState, Phase, Registrations, RoomContext};
use crate::model::event::{Event, Failure, Payload};
use crate::model::meta::Meta;
use crate::model::text::printable;
use crate::model::turn::{Calls, Turn};
use crate::storage::view::StorageView;
use crate::tenant::Pace;
use crate::tenant::account::CounterPlace;

/// A fault of the guest's code that ends its instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It trapped: a panic, an out-of-bounds access, a stack overflow, an exit.
    Trap(String),
    /// It executed for longer than its budget of CPU time.
    Deadline,
    /// It took longer than the wall time of a call, waits included.
    Timeout,
    /// It was refused memory and did not bear it.
    Memory,
    /// It called on behind the bound of host calls.
    HostCalls,
}

impl Fault {
    /// The stable word for logs, counts and `$error`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Trap(_) => "trap",
            Self::Deadline => "deadline",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::HostCalls => "host-call-quota",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(why) => write!(f, "trapped: {why}"),
            Self::Deadline => f.write_str("used more CPU time than a call may"),
            Self::Timeout => f.write_str("took longer than call-wall-ms"),
            Self::Memory => f.write_str("was refused memory beyond memory-bytes"),
            Self::HostCalls => f.write_str("made more host calls than host-calls-per-turn"),
        }
    }
}

impl std::error::Error for Fault {}

/// How a turn's call ended.
#[derive(Debug)]
pub enum Outcome {
    /// It may commit; the payload answers the sender.
    Done(Option<Payload>),
    /// The handler failed the turn; the instance stays.
    Failed(Failure),
    /// The instance is lost.
    Faulted(Fault),
}

/// Why an instance did not come to be.
#[derive(Debug)]
pub enum OpenError {
    /// The pool is full, or the host is out of memory: not the guest's doing.
    NoPlace(String),
    /// The tenant's instances hold as much memory as they may.
    TenantFull,
    /// As many rooms of the tenant are awake as may be.
    TooManyAwake,
    /// `init` returned an error.
    Refused(String),
    Faulted(Fault),
}

impl OpenError {
    /// Whether the plugin's own code is to blame.
    pub fn is_of_code(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Faulted(_))
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPlace(why) => write!(f, "no place for an instance: {why}"),
            Self::TenantFull => f.write_str("no memory for another instance of this tenant: memory-tenant-bytes"),
            Self::TooManyAwake => f.write_str("too many rooms of this tenant are awake: awake-rooms-per-tenant"),
            Self::Refused(why) => write!(f, "init refused: {why}"),
            Self::Faulted(fault) => write!(f, "init {fault}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// What a plugin says of itself in `init`.
#[derive(Debug, Clone)]
pub struct Definition {
    pub name: String,
    pub path: String,
}

/// The HTTP request of a connection, as `authorize` is told of it.
#[derive(Debug, Clone)]
pub struct ConnectRequest {
    pub uri: String,
    pub room: String,
    pub headers: Vec<(String, String)>,
    pub remote: String,
}

/// Why a guest refuses a connection.
#[derive(Debug, Clone)]
pub struct Rejection {
    pub status: u16,
    pub message: String,
}

/// A component that is compiled and linked: what instances are made of.
#[derive(Clone)]
pub struct Template {
    pre: PluginPre<GuestState>,
    engine: SharedEngine,
}

impl Template {
    /// Fails where the component does not export the contract.
    pub fn new(pre: InstancePre<GuestState>, engine: &SharedEngine) -> wasmtime::Result<Self> {
        Ok(Self { pre: PluginPre::new(pre)?, engine: Arc::clone(engine) })
    }

    pub fn engine(&self) -> &SharedEngine {
        &self.engine
    }
}

/// A place among the host's instances; told of when it is free again.
struct InstancePlace(SharedEngine);

impl Drop for InstancePlace {
    fn drop(&mut self) {
        self.0.freed.notify_one();
    }
}

/// One live instance. After a fault it must be dropped: wasmtime never enters its store again.
pub struct Instance {
    store: Store<GuestState>,
    exports: GuestExports,
    wall: Duration,
    cpu: Arc<CpuMeter>,
    pace: Arc<Pace>,
    /// Its place among the tenant's awake rooms, where it is a room's.
    _awake: Option<CounterPlace>,
    /// Behind the store, and so dropped after it; behind all places, so that who waits finds them free.
    _place: InstancePlace,
}

impl Instance {
    /// Makes an instance and calls its `init`.
    pub async fn open(
        template: &Template,
        context: Arc<RoomContext>,
        storage: Option<Arc<StorageView>>,
    ) -> Result<(Self, Definition), OpenError> {
        let limits = Arc::clone(&context.limits);
        let mut store = Store::new(template.pre.engine(), GuestState::new(context, storage));
        store.limiter(|state| &mut state.memory);
        // What the host copies in or out for one call: twice the largest argument.
        let largest = limits.emit_bytes_per_turn.max(limits.storage_value_bytes).max(limits.storage_bytes_per_call);
        store.set_hostcall_fuel(2 * largest);
        store.set_max_component_handles(limits.component_handles);
        cpu::meter(&mut store);

        let (cpu, pace) = (Arc::clone(&store.data().cpu), Arc::clone(&store.data().context.pace));
        begin_call(&mut store, limits.init_cpu_ms);
        let wall = Duration::from_millis(limits.call_wall_ms);
        let exports = match within(wall, &cpu, &pace, template.pre.instantiate_async(&mut store)).await {
            Ok(Ok(exports)) => exports,
            Ok(Err(why)) if why.is::<wasmtime::PoolConcurrencyLimitError>() => {
                return Err(OpenError::NoPlace(why.to_string()));
            }
            _ if store.data().memory.tenant_is_full() => {
                return Err(OpenError::TenantFull);
            }
            other => {
                return Err(OpenError::Faulted(fault_of(store.data(), other.map(|result| result.err()))));
            }
        };
        let place = InstancePlace(Arc::clone(template.engine()));
        let mut instance =
            Self { store, exports, wall, cpu: Arc::clone(&cpu), pace: Arc::clone(&pace), _awake: None, _place: place };
        instance.store.data_mut().phase = Phase::Init;
        let called =
            within(wall, &cpu, &pace, instance.exports.parlor_room_guest().call_init(&mut instance.store)).await;
        instance.end_call();
        match called {
            Ok(Ok(Ok(definition))) => Ok((instance, Definition { name: definition.name, path: definition.path })),
            Ok(Ok(Err(why))) => Err(OpenError::Refused(printable(&why[..why.floor_char_boundary(1_024)]))),
            other => Err(OpenError::Faulted(fault_of(instance.store.data(), other.map(|result| result.err())))),
        }
    }

    /// Keeps a place for as long as it lives.
    pub fn holding(mut self, awake: Option<CounterPlace>) -> Self {
        self._awake = awake;
        self
    }

    /// Bytes of its memories and tables.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().memory.bytes()
    }

    /// The events that it asks for now.
    pub fn registrations(&self) -> &Registrations {
        &self.store.data().registrations
    }

    /// Gives it one event, and comes back with the turn: for whoever runs the call elsewhere.
    pub async fn run(mut self: Box<Self>, event: Event, turn: Box<Turn>) -> (Box<Self>, Box<Turn>, Outcome) {
        let (turn, outcome) = self.handle(event, turn).await;
        (self, turn, outcome)
    }

    /// Gives it one event. The turn comes back in any case, with what the guest asked for.
    pub async fn handle(&mut self, event: Event, turn: Box<Turn>) -> (Box<Turn>, Outcome) {
        let cpu_ms = turn.limits().turn_cpu_ms;
        let event = event_to_guest(event);
        self.store.data_mut().phase = Phase::Turn(turn);
        begin_call(&mut self.store, cpu_ms);
        let called = within(
            self.wall,
            &self.cpu,
            &self.pace,
            self.exports.parlor_room_guest().call_handle(&mut self.store, &event),
        )
        .await;
        let Phase::Turn(turn) = self.end_call() else {
            unreachable!("the phase of a turn is set above and nothing else changes it");
        };
        let outcome = match called {
            Ok(Ok(Ok(answer))) => match answer.map(payload_from_guest).transpose() {
                Ok(answer) => Outcome::Done(answer),
                Err(why) => Outcome::Failed(Failure {
                    code: "bad-answer".to_owned(),
                    message: format!("the handler's answer: {why}"),
                    for_sender: false,
                }),
            },
            Ok(Ok(Err(failure))) => Outcome::Failed(failure_from_guest(failure)),
            other => Outcome::Faulted(fault_of(self.store.data(), other.map(|result| result.err()))),
        };
        (turn, outcome)
    }

    /// Asks who wants to connect. None leaves it to the host.
    pub async fn authorize(
        &mut self,
        request: ConnectRequest,
        cpu_ms: u64,
    ) -> Result<Result<Option<Meta>, Rejection>, Fault> {
        let ConnectRequest { uri, room, headers, remote } = request;
        let request = WitRequest { uri, room, headers, remote };
        begin_call(&mut self.store, cpu_ms);
        let called = within(
            self.wall,
            &self.cpu,
            &self.pace,
            self.exports.parlor_room_guest().call_authorize(&mut self.store, &request),
        )
        .await;
        self.end_call();
        match called {
            Ok(Ok(Ok(meta))) => Ok(Ok(meta.map(meta_from_guest))),
            Ok(Ok(Err(rejection))) => Ok(Err(Rejection { status: rejection.status, message: rejection.message })),
            other => Err(fault_of(self.store.data(), other.map(|result| result.err()))),
        }
    }

    fn end_call(&mut self) -> Phase {
        let state = self.store.data_mut();
        state.reserved = None;
        state.wasi.end_call();
        state.log.end();
        std::mem::replace(&mut state.phase, Phase::Outside)
    }
}

fn begin_call(store: &mut Store<GuestState>, cpu_ms: u64) {
    // The first tick comes soon; what it does is in `cpu`.
    store.set_epoch_deadline(1);
    let state = store.data_mut();
    state.cpu.begin(cpu_ms);
    state.calls = Calls::default();
    state.memory.begin();
    state.log.begin();
}

/// The call took longer than it may.
struct TimedOut;

/// Bounds the wall time of a call, and charges it for the time that it runs, not for what its thread does while it waits.
/// Most calls are over at the first poll, and meet neither a timer nor the meter.
async fn within<T>(wall: Duration, cpu: &CpuMeter, pace: &Pace, call: impl Future<Output = T>) -> Result<T, TimedOut> {
    let mut call = pin!(call);
    if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
        return Ok(done);
    }
    let metered = poll_fn(|context| {
        cpu.start_slice();
        let polled = call.as_mut().poll(context);
        cpu.end_slice();
        pace.used(cpu.used());
        polled
    });
    tokio::time::timeout(wall, metered).await.map_err(|_| TimedOut)
}

/// Names what ended a call that did not return.
fn fault_of(state: &GuestState, ended: Result<Option<wasmtime::Error>, TimedOut>) -> Fault {
    match ended {
        Err(TimedOut) => Fault::Timeout,
        Ok(_) if state.cpu.exceeded() => Fault::Deadline,
        Ok(_) if state.calls_exhausted => Fault::HostCalls,
        Ok(_) if state.memory.refused() => Fault::Memory,
        Ok(Some(why)) => {
            tracing::debug!(target: "guest", plugin = %state.context.plugin, "{why:?}");
            Fault::Trap(why.root_cause().to_string())
        }
        Ok(None) => Fault::Trap("no cause".to_owned()),
    }
}
